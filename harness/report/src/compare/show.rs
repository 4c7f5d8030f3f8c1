//! A comparison as text.

use crate::format;
use crate::grid::{Grid, GridRow, Tone};
use crate::instructions::BLIND;
use crate::terminal::{Look, lay_out, line};

use super::{Basis, Compared, Comparison, Verdict, instructions};

const COLUMNS: [(&str, bool); 10] = [
    ("Lane", false),
    ("Case", false),
    ("Python", false),
    ("A", true),
    ("B", true),
    ("Ratio", true),
    ("95 %", false),
    ("Over", false),
    ("Resolution", true),
    ("Verdict", false),
];

/// The comparison as text.
pub fn terminal(comparison: &Comparison, look: Look) -> String {
    let mut text = String::new();
    let mut say = |words: &str| line(&mut text, words);
    for (side, heading) in [("A", &comparison.before), ("B", &comparison.after)] {
        heading.about.iter().for_each(|about| say(&format!("{side}: {about}")));
    }
    list(&mut say, "Compared although", &comparison.overruled);
    list(&mut say, "They differ in", &comparison.differences);
    comparison.doubts.iter().for_each(|doubt| say(&format!("Warning: there is no verdict on any cell: {doubt}")));
    if let Some(controls) = &comparison.controls {
        let widened = if controls.widening > 1.0 {
            format!(" All intervals are {} times as wide to make up for it.", format::significant(controls.widening))
        } else {
            String::new()
        };
        say(&format!(
            "Of {} whose build is the same in both, {} differ; chance allows {}.{widened}",
            format::count(controls.cells, "cell"),
            controls.differing,
            controls.allowed
        ));
    }
    if !comparison.cells.is_empty() {
        say("");
        say(&lay_out(&grid(comparison), look));
        say("Ratio is B's time over A's: above 1, B is slower. Over a lane that is the same in both, what the machine did drops out.");
        list(&mut say, "How each was compared", &bases(comparison));
    }
    let counts = &comparison.instructions;
    if !counts.is_empty() {
        say("");
        say(&lay_out(&instructions::grid(counts), look));
        say(BLIND);
    }
    let why = comparison.cells.iter().filter_map(|cell| Some(format!("{}: {}", cell.name, cell.why.as_ref()?)));
    let of_counts = counts.iter().filter_map(|cell| Some(format!("{}, instructions: {}", cell.name, cell.why.as_ref()?)));
    list(&mut say, "Why some are inconclusive", &why.chain(of_counts).collect::<Vec<_>>());
    list(&mut say, "Only in A", &comparison.only_before);
    list(&mut say, "Only in B", &comparison.only_after);
    say("");
    if !comparison.cells.is_empty() {
        say(&tally(comparison));
    }
    if !counts.is_empty() {
        say(&instructions::tally(counts, comparison.instructions_threshold));
    }
    text
}

fn list(say: &mut impl FnMut(&str), title: &str, lines: &[String]) {
    if !lines.is_empty() {
        say(&format!("{title}:"));
        lines.iter().for_each(|line| say(&format!("  {}", format::one_line(line))));
    }
}

/// `2 slower (1 by more than 5.0 %), 1 faster, 20 no difference seen, 3 inconclusive`.
fn tally(comparison: &Comparison) -> String {
    let count = |verdict| comparison.count(verdict);
    format!(
        "{}: {} slower ({} by more than {}), {} faster, {} no difference seen, {} inconclusive",
        format::count(comparison.cells.len(), "cell"),
        count(Verdict::Slower),
        comparison.slower().count(),
        format::percent(comparison.threshold),
        count(Verdict::Faster),
        count(Verdict::NoDifference),
        count(Verdict::Inconclusive),
    )
}

fn grid(comparison: &Comparison) -> Grid {
    let python = comparison.cells.iter().any(|cell| cell.interpreter.is_some());
    let lane = comparison.cells.iter().any(|cell| cell.lane.is_some());
    let floor = comparison.cells.iter().any(|cell| matches!(cell.basis, Some(Basis::Floor { .. })));
    let kept = |title: &str| match title {
        "Over" => floor,
        "Case" => lane,
        "Python" => python,
        _ => true,
    };
    let rows = comparison.cells.iter().map(|cell| {
        let texts = row(cell).into_iter().zip(COLUMNS).filter(|(_, (title, _))| kept(title)).map(|(text, _)| text);
        let tone = match cell.verdict {
            Verdict::Faster => Tone::Faster,
            Verdict::Slower => Tone::Slower,
            Verdict::NoDifference | Verdict::Inconclusive => Tone::Plain,
        };
        GridRow { cells: texts.collect(), new_case: false, tone, values: Vec::new() }
    });
    Grid { rows: rows.collect(), columns: COLUMNS.into_iter().filter(|(title, _)| kept(title)).collect() }
}

fn row(cell: &Compared) -> [String; 10] {
    let time = |ns: Option<f64>| ns.map(format::time).unwrap_or_default();
    let floor = match &cell.basis {
        Some(Basis::Floor { lane }) => lane.clone(),
        _ => String::new(),
    };
    [
        cell.lane.clone().unwrap_or_else(|| cell.name.clone()),
        cell.case.clone().unwrap_or_default(),
        cell.interpreter.clone().unwrap_or_default(),
        time(cell.before_ns),
        time(cell.after_ns),
        cell.ratio.map(|ratio| format::fine_ratio(ratio.point())).unwrap_or_default(),
        cell.ratio.map(|ratio| format::fine_interval(&ratio)).unwrap_or_default(),
        floor,
        cell.resolution.map(format::band).unwrap_or_default(),
        verdict(cell),
    ]
}

/// `slower`, `slower, within the threshold`.
pub(super) fn verdict(cell: &Compared) -> String {
    let name = match cell.verdict {
        Verdict::Slower => "slower",
        Verdict::Faster => "faster",
        Verdict::NoDifference => "no difference seen",
        Verdict::Inconclusive => "inconclusive",
    };
    let within = !cell.beyond && matches!(cell.verdict, Verdict::Slower | Verdict::Faster);
    if within { format!("{name}, within the threshold") } else { name.to_owned() }
}

/// Which floor was used where, and why none elsewhere; the same once.
fn bases(comparison: &Comparison) -> Vec<String> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for cell in &comparison.cells {
        let how = match &cell.basis {
            Some(Basis::Floor { lane }) => format!("over {lane}, which is the same build in both"),
            Some(Basis::Times { why }) => format!("times as they are: {why}"),
            None => continue,
        };
        match groups.iter_mut().find(|(known, _)| *known == how) {
            Some((_, names)) => names.push(&cell.name),
            None => groups.push((how, vec![&cell.name])),
        }
    }
    let shown = |names: &[&str]| match names {
        [_, _, _, _, _, ..] => format!("{}, {} and {} more", names[0], names[1], names.len() - 2),
        _ => names.join(", "),
    };
    groups.iter().map(|(how, names)| format!("{how} ({})", shown(names))).collect()
}
