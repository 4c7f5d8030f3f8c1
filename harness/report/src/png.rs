//! Plots as PNG, for slides and documents that can't hold an SVG.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{self, Tree};

/// Pixels of the PNG for each pixel of the SVG.
const SCALE: f32 = 2.0;

/// The one font there is, so that a plot looks the same wherever it is made.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    let family = fonts.faces().next().and_then(|face| Some(face.families.first()?.0.clone()));
    family.into_iter().for_each(|family| fonts.set_sans_serif_family(family));
    Arc::new(fonts)
});

/// Renders an SVG on white. None for what is no SVG, or has no size.
pub fn render(svg: &str) -> Option<Vec<u8>> {
    let options = usvg::Options { fontdb: Arc::clone(&FONTS), ..usvg::Options::default() };
    // The first family is the system's own, for browsers; it may not be there, and warning about each text helps nobody.
    let tree = Tree::from_str(&svg.replacen("system-ui, sans-serif", "sans-serif", 1), &options).ok()?;
    let size = tree.size().to_int_size().scale_by(SCALE)?;
    let mut pixels = Pixmap::new(size.width(), size.height())?;
    pixels.fill(resvg::tiny_skia::Color::WHITE);
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(svg: &str) -> Pixmap {
        Pixmap::decode_png(&render(svg).unwrap()).unwrap()
    }

    #[test]
    fn letters_are_drawn_without_any_font_of_the_system() {
        let svg = |text: &str| {
            format!(
                "<svg font-family=\"system-ui, sans-serif\" width=\"60\" height=\"20\" xmlns=\"http://www.w3.org/2000/svg\"><text x=\"2\" y=\"15\" font-size=\"13\">{text}</text></svg>"
            )
        };
        let (written, empty) = (pixels(&svg("±µ≈×")), pixels(&svg("")));
        assert_eq!((written.width(), written.height()), (120, 40));
        let dark = |pixmap: &Pixmap| pixmap.pixels().iter().filter(|pixel| pixel.red() < 128).count();
        assert!(dark(&empty) == 0 && dark(&written) > 40, "{} {}", dark(&empty), dark(&written));
    }

    #[test]
    fn what_is_no_picture_has_none() {
        assert_eq!(render("<svg"), None);
    }
}
