//! A flamegraph: inferno lays it out, this gives it its colours, its caption and its legend.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io;

use bindbench_model::profile::Stacks;
use inferno::flamegraph::color::{BackgroundColor, Color, PaletteMap};
use inferno::flamegraph::{Options, TextTruncateDirection, from_lines};

use super::class::Class;
use super::fold::Folded;
use super::subject::Subject;

/// Height of the legend's line.
const LEGEND: u32 = 30;

/// What a picture says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caption {
    /// Lane, case, interpreter.
    pub title: String,
    /// What the picture is made of, and how far to trust it.
    pub subtitle: String,
}

impl Caption {
    /// Of a cell's stacks.
    pub fn new(subject: &Subject, stacks: &Stacks) -> Self {
        let interpreter = subject.cell.interpreter.as_deref().map(|name| format!(" · Python {name}")).unwrap_or_default();
        let percent = |samples| format!("{:.1} %", 100.0 * stacks.share(samples));
        let subtitle = format!(
            "{}: {} samples at {} Hz by {}; {} rooted, {} without a name, {} lost{}",
            if subject.cell.interpreter.is_none() { "native stacks" } else { stacks.kind() },
            stacks.samples,
            stacks.hertz,
            stacks.way,
            percent(stacks.rooted),
            percent(stacks.unknown),
            stacks.lost,
            if stacks.with_kernel { "" } else { "; the operating system could not be seen" },
        );
        Self { title: format!("{} · {}{interpreter}", subject.cell.lane, subject.title()), subtitle }
    }
}

/// Draws stacks, of which there has to be one at least, as SVG.
///
/// # Errors
/// When there are none.
pub fn draw(folded: &Folded, caption: &Caption) -> io::Result<Vec<u8>> {
    let mut colours = colours(folded.frames.iter().map(|frame| (frame.name.as_str(), frame.class)));
    let mut options = options(caption);
    options.palette_map = Some(&mut colours);
    let lines = folded.lines();
    let mut svg = Vec::new();
    from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)?;
    let present: BTreeSet<Class> =
        folded.stacks.keys().flat_map(|stack| stack.iter()).map(|&number| folded.frames.get(number).class).collect();
    let legend: Vec<_> = Class::ALL.iter().filter(|class| present.contains(class)).map(|class| (class.label(), class.colour())).collect();
    with_legend(&String::from_utf8_lossy(&svg), &legend)
}

/// Draws the difference of two lanes: `lines` have a stack, and what it takes of a call of the first and of the second, in the `unit`. Red
/// takes longer in the second one, blue in the first.
///
/// What inferno shows is what the lines have: its `factor` scales a frame's value, and not the change of it in per cent.
///
/// # Errors
/// When there are no stacks.
pub fn draw_difference(lines: &[String], unit: &str, caption: &Caption, first: &str, second: &str) -> io::Result<Vec<u8>> {
    let mut options = options(caption);
    options.count_name = format!("{unit} a call");
    let mut svg = Vec::new();
    from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)?;
    let (more, less) = (format!("takes longer in {second}"), format!("takes longer in {first}"));
    with_legend(&String::from_utf8_lossy(&svg), &[(&more, (255, 90, 90)), (&less, (90, 90, 255))])
}

fn options<'a>(caption: &Caption) -> Options<'a> {
    let mut options = Options::default();
    options.title.clone_from(&caption.title);
    options.subtitle = Some(caption.subtitle.clone());
    options.bgcolors = Some(BackgroundColor::Flat(Color { r: 255, g: 255, b: 255 }));
    options.text_truncate_direction = TextTruncateDirection::Right;
    options.deterministic = true;
    // Percent of the width: about a pixel of a projector's. Start-up alone has ten thousand narrower frames; the folded stacks have all.
    options.min_width = 0.05;
    options
}

/// Two shades, by name: neighbours of one class stay apart.
fn colours<'f>(frames: impl Iterator<Item = (&'f str, Class)>) -> PaletteMap {
    let mut map = PaletteMap::default();
    for (name, class) in frames {
        let (r, g, b) = class.colour();
        let lighter = name.bytes().fold(0_u8, u8::wrapping_add) % 4 * 7;
        let shade = |channel: u8| channel.saturating_add(lighter);
        map.insert(name, Color { r: shade(r), g: shade(g), b: shade(b) });
    }
    // The bottom, which inferno calls after nothing.
    map.insert("", Color { r: 238, g: 238, b: 238 });
    map
}

/// Adds a line with what the colours mean below the picture, which grows by it.
fn with_legend(svg: &str, legend: &[(&str, (u8, u8, u8))]) -> io::Result<Vec<u8>> {
    let number_after = |mark: &str| -> Option<u32> { svg.split_once(mark)?.1.split('"').next()?.parse().ok() };
    let (Some(width), Some(height)) = (number_after("width=\""), number_after("height=\"")) else {
        return Err(io::Error::other("the picture has no size"));
    };
    let mut line = format!("<g id=\"legend\"><rect x=\"0\" y=\"{height}\" width=\"100%\" height=\"{LEGEND}\" fill=\"rgb(255,255,255)\"/>");
    let mut x = 10;
    for (label, (r, g, b)) in legend {
        let (box_y, text_y, text_x) = (height + 6, height + 17, x + 18);
        write!(line, "<rect x=\"{x}\" y=\"{box_y}\" width=\"13\" height=\"13\" fill=\"rgb({r},{g},{b})\" stroke=\"rgb(120,120,120)\"/>")
            .and_then(|()| write!(line, "<text x=\"{text_x}\" y=\"{text_y}\">{}</text>", escaped(label)))
            .map_err(io::Error::other)?;
        x = text_x + 7 * label.chars().count() as u32 + 24;
    }
    line.push_str("</g></svg>");
    let grown = height + LEGEND;
    let svg = svg.replacen(&format!("height=\"{height}\""), &format!("height=\"{grown}\""), 1);
    let svg = svg.replacen(&format!("viewBox=\"0 0 {width} {height}\""), &format!("viewBox=\"0 0 {width} {grown}\""), 1);
    let inside = svg.trim_end().strip_suffix("</svg>").ok_or_else(|| io::Error::other("the picture has no end"))?;
    Ok((inside.to_owned() + &line + "\n").into_bytes())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::names::{Frame, Frames};

    pub fn folded(stacks: &[(&[(&str, Class)], u64)]) -> Folded {
        let mut folded = Folded { frames: Frames::default(), ..Folded::default() };
        for (stack, count) in stacks {
            let frame = |&(name, class): &(&str, Class)| Frame { name: name.to_owned(), class, source: None, named: true };
            let numbers = stack.iter().map(|named| folded.frames.number(frame(named))).collect();
            folded.stacks.insert(numbers, *count);
        }
        folded
    }

    fn caption() -> Caption {
        Caption { title: "a/b <of> c".into(), subtitle: "& more".into() }
    }

    #[test]
    fn frames_have_their_classes_colours_and_a_legend_of_those_that_are_there() {
        let stacks = folded(&[
            (&[("worker", Class::Interpreter), ("f<T>", Class::Python), ("find", Class::Kernel)], 3),
            (&[("worker", Class::Interpreter), ("f<T>", Class::Python)], 1),
        ]);
        let svg = String::from_utf8(draw(&stacks, &caption()).unwrap()).unwrap();
        assert!(svg.contains("f&lt;T&gt; (4 samples, 100.00%)"), "{svg}");
        assert!(svg.contains("a/b &lt;of&gt; c") && svg.contains("&amp; more"));
        assert!(svg.contains(">native kernel</text>") && !svg.contains(">operating system</text>"));
        assert_eq!(svg.matches("</svg>").count(), svg.matches("<svg ").count());
        assert!(draw(&Folded::default(), &caption()).is_err());
    }
}
