//! A sheet to draw on: plotters' SVG backend, with the few shapes and inks that plots here are made of.
//!
//! Inks are roles, each of one colour that no other role has: that lets the page give them other colours in the dark.

use plotters::prelude::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle, TextStyle};

/// A place, in pixels from the upper left corner.
pub type Place = (i32, i32);

/// What something is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Text and axes.
    Text,
    /// Text that is less important.
    Muted,
    /// Lines of the grid.
    Grid,
    /// The band of the resolution.
    Band,
    /// The ground, under text that crosses lines.
    Ground,
    /// Faster than the baseline.
    Faster,
    /// Slower than the baseline.
    Slower,
    /// Not told apart.
    Same,
    /// The n-th of several lines or parts: colours that people with any kind of colour vision can tell apart (Okabe and Ito).
    Series(usize),
}

/// Colours of series: those of Okabe and Ito without black, and greys.
const SERIES: [(u8, u8, u8); 10] = [
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (125, 84, 178),
    (102, 102, 102),
    (153, 153, 51),
    (187, 187, 187),
];

impl Ink {
    fn colour(self) -> RGBColor {
        let (r, g, b) = match self {
            Self::Text => (27, 31, 36),
            Self::Muted => (87, 96, 106),
            Self::Grid => (216, 222, 228),
            Self::Band => (234, 238, 242),
            Self::Ground => (255, 255, 255),
            Self::Faster => (0, 95, 163),
            Self::Slower => (184, 76, 0),
            Self::Same => (110, 119, 129),
            Self::Series(n) => SERIES[n % SERIES.len()],
        };
        RGBColor(r, g, b)
    }
}

/// Where a text stands, seen from its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// To the right of it.
    Start,
    /// Around it.
    Middle,
    /// To the left of it.
    End,
}

/// Height of letters, pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// Most text.
    Plain,
    /// Ticks.
    Small,
    /// Headings.
    Bold,
}

/// A drawing being made.
pub struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

/// Makes an SVG of a size in pixels.
pub fn draw(width: i32, height: i32, draw: impl FnOnce(&mut Canvas)) -> String {
    let mut svg = String::new();
    let mut canvas = Canvas { backend: SVGBackend::with_string(&mut svg, (width.unsigned_abs(), height.unsigned_abs())) };
    draw(&mut canvas);
    // It writes to memory, which never fails; nor does anything below.
    canvas.backend.present().ok();
    drop(canvas);
    compact(&svg)
}

/// The same picture in half the bytes: what is the same for all texts is said once, and no space is left between elements.
fn compact(svg: &str) -> String {
    let root = "<svg font-family=\"system-ui, sans-serif\" ";
    svg.replacen("<svg ", root, 1)
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(" \"/>", "\"/>")
        .replace(">\n", ">")
        .replace("\n</text>", "</text>")
}

impl Canvas<'_> {
    /// A line through two places.
    pub fn line(&mut self, from: Place, to: Place, ink: Ink, width: u32) {
        self.backend.draw_line(from, to, &stroke(ink, width)).ok();
    }

    /// A line through several places.
    pub fn path(&mut self, places: impl IntoIterator<Item = Place>, ink: Ink, width: u32) {
        self.backend.draw_path(places, &stroke(ink, width)).ok();
    }

    /// A filled rectangle between two corners.
    pub fn rectangle(&mut self, from: Place, to: Place, ink: Ink) {
        self.backend.draw_rect(from, to, &stroke(ink, 1), true).ok();
    }

    /// A dashed line, horizontal or not.
    pub fn dashes(&mut self, from: Place, to: Place, ink: Ink) {
        let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let pieces = (dx.hypot(dy) / 9.0).ceil().max(1.0);
        let at = |part: f64| (from.0 + (dx * part).round() as i32, from.1 + (dy * part).round() as i32);
        for piece in 0..pieces as i32 {
            let begin = f64::from(piece) / pieces;
            self.line(at(begin), at(begin + 0.55 / pieces), ink, 1);
        }
    }

    /// The n-th kind of marker: shapes tell lines apart where colours don't.
    pub fn marker(&mut self, n: usize, (x, y): Place, ink: Ink) {
        // After one round of colours the shapes are shifted, so that a pair of both comes again late.
        match (n + n / SERIES.len()) % 5 {
            0 => self.dot((x, y), 4, ink),
            1 => self.rectangle((x - 4, y - 4), (x + 4, y + 4), ink),
            2 => self.polygon([(x, y - 5), (x + 5, y + 4), (x - 5, y + 4)], ink),
            3 => self.polygon([(x, y - 6), (x + 6, y), (x, y + 6), (x - 6, y)], ink),
            _ => self.polygon([(x, y + 5), (x + 5, y - 4), (x - 5, y - 4)], ink),
        }
    }

    /// A filled circle.
    pub fn dot(&mut self, centre: Place, radius: u32, ink: Ink) {
        self.backend.draw_circle(centre, radius, &stroke(ink, 1), true).ok();
    }

    /// A circle with nothing in it but the ground.
    pub fn ring(&mut self, centre: Place, radius: u32, ink: Ink) {
        self.backend.draw_circle(centre, radius, &stroke(Ink::Ground, 1), true).ok();
        self.backend.draw_circle(centre, radius, &stroke(ink, 2), false).ok();
    }

    /// A filled polygon.
    pub fn polygon(&mut self, corners: impl IntoIterator<Item = Place>, ink: Ink) {
        self.backend.fill_polygon(corners, &stroke(ink, 1)).ok();
    }

    /// Text on one line; `place` is at half its height.
    pub fn text(&mut self, text: &str, place: Place, anchor: Anchor, letters: Letters, ink: Ink) {
        let (size, style) = match letters {
            Letters::Plain => (13.0, FontStyle::Normal),
            Letters::Small => (12.0, FontStyle::Normal),
            Letters::Bold => (14.0, FontStyle::Bold),
        };
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        // The backend divides by 1.24 what it is given.
        let font = FontDesc::new(FontFamily::SansSerif, size * 1.24, style);
        let style = TextStyle { font, color: ink.colour().to_backend_color(), pos: Pos::new(h_pos, VPos::Center) };
        self.backend.draw_text(text, &style, place).ok();
    }
}

fn stroke(ink: Ink, width: u32) -> ShapeStyle {
    ShapeStyle { color: ink.colour().to_rgba(), filled: true, stroke_width: width }
}

/// About how wide a text is, pixels: what room to leave for it.
pub fn width(text: &str, letters: Letters) -> i32 {
    let per_character = if letters == Letters::Small { 6.4 } else { 7.2 };
    (text.chars().count() as f64 * per_character).ceil() as i32
}

/// As much of a text as fits.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most.saturating_sub(1)).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_inks_differ() {
        let svg = draw(100, 50, |canvas| canvas.text("<script>&", (1, 2), Anchor::Start, Letters::Plain, Ink::Text));
        assert!(svg.contains("&lt;script&gt;&amp;") && !svg.contains("<script"), "{svg}");
        let mut colours: Vec<RGBColor> =
            [Ink::Text, Ink::Muted, Ink::Grid, Ink::Band, Ink::Ground, Ink::Faster, Ink::Slower, Ink::Same].map(Ink::colour).to_vec();
        colours.extend((0..SERIES.len()).map(|n| Ink::Series(n).colour()));
        let all = colours.len();
        colours.sort_by_key(|colour| (colour.0, colour.1, colour.2));
        colours.dedup();
        assert_eq!(colours.len(), all);
    }

    #[test]
    fn long_text_ends_in_an_ellipsis() {
        assert_eq!([shortened("abc", 3), shortened("abcd", 3)], ["abc", "ab…"]);
    }
}
