//! A gate as text.

use crate::report::format;
use crate::report::grid::{Grid, GridRow, Tone};
use crate::report::terminal::{Look, lay_out, line};

use super::{Gated, Judged, Verdict};

const COLUMNS: [(&str, bool); 8] = [
    ("Verdict", false),
    ("Lane", false),
    ("Case", false),
    ("Python", false),
    ("Ratio", true),
    ("95 %", false),
    ("Resolution", true),
    ("Generations", true),
];

/// The gate as text: the table, then each cell that failed or got faster, then the verdict.
pub fn terminal(gated: &Gated, look: Look) -> String {
    let mut text = String::new();
    let mut say = |words: &str| line(&mut text, words);
    gated.sides.iter().for_each(|(side, what)| say(&format!("{side}: {what}")));
    gated.notes.iter().for_each(|note| say(&format!("Note: {note}")));
    say("");
    say(&lay_out(&grid(gated), look));
    say("Ratio is head's time over base's: above 1, head is slower. A difference counts when a second measurement has confirmed it.");
    for cell in gated.cells.iter().filter(|cell| cell.verdict == Verdict::Fail || cell.faster) {
        say(&format!("\n{}", headline(cell, gated.threshold)));
        if let Some(command) = &cell.flamegraph {
            say(&format!("  flamegraph of the difference: {command}"));
        }
    }
    let open: Vec<&Judged> = gated.cells.iter().filter(|cell| cell.verdict == Verdict::Inconclusive).collect();
    if !open.is_empty() {
        say("\nInconclusive:");
        open.iter().for_each(|cell| say(&format!("  {}: {}", cell.name, format::one_line(cell.why.as_deref().unwrap_or("not known")))));
        say("  More time (`--budget`), a quieter machine or a larger `--threshold` settle it.");
    }
    if !gated.left_out.is_empty() {
        say("\nNot on both sides:");
        gated.left_out.iter().for_each(|what| say(&format!("  {}", format::one_line(what))));
    }
    say(&format!("\n{}", tally(gated)));
    text
}

/// `FAIL capi/c std.std:ints:5000 3.13.0: slower, × 1.124 [1.118, 1.130]; threshold 2.0 %, resolution 0.40 %`.
pub(super) fn headline(cell: &Judged, threshold: f64) -> String {
    let word = if cell.verdict == Verdict::Fail { "FAIL" } else { "FASTER" };
    if let Some(why) = &cell.why {
        return format!("{word} {}: {}", cell.name, format::one_line(why));
    }
    let ratio = cell.ratio.map(|ratio| format!("× {} {}", format::fine_ratio(ratio.point()), format::fine_interval(&ratio)));
    let way = if cell.faster { "faster" } else { "slower" };
    let resolution = cell.resolution.map(|resolution| format!(", resolution {}", format::percent(resolution))).unwrap_or_default();
    format!("{word} {}: {way}, {}; threshold {}{resolution}", cell.name, ratio.unwrap_or_default(), format::percent(threshold))
}

/// `FAIL: 1 of 12 cells failed, 10 passed (1 faster), 1 inconclusive; 48 s of 120 s`.
pub(super) fn tally(gated: &Gated) -> String {
    let verdict = match gated.verdict() {
        Verdict::Fail => "FAIL",
        Verdict::Pass => "PASS",
        Verdict::Inconclusive => "INCONCLUSIVE",
    };
    format!(
        "{verdict}: of {} {} failed, {} passed ({} faster), {} inconclusive; {:.0} s of {:.0} s. Its samples: {}",
        format::count(gated.cells.len(), "cell"),
        gated.count(Verdict::Fail),
        gated.count(Verdict::Pass),
        gated.cells.iter().filter(|cell| cell.faster).count(),
        gated.count(Verdict::Inconclusive),
        gated.seconds,
        gated.budget_s,
        gated.run
    )
}

pub(super) fn grid(gated: &Gated) -> Grid {
    let row = |cell: &Judged| GridRow {
        cells: vec![
            word(cell).to_owned(),
            cell.lane.clone(),
            cell.case.clone(),
            cell.interpreter.clone().unwrap_or_default(),
            cell.ratio.map(|ratio| format::fine_ratio(ratio.point())).unwrap_or_default(),
            cell.ratio.map(|ratio| format::fine_interval(&ratio)).unwrap_or_default(),
            cell.resolution.map(|resolution| format!("±{}", format::percent(resolution))).unwrap_or_default(),
            match cell.generations {
                (first, 0) => first.to_string(),
                (first, second) => format!("{first} + {second}"),
            },
        ],
        new_case: false,
        tone: match cell.verdict {
            Verdict::Fail => Tone::Slower,
            Verdict::Pass if cell.faster => Tone::Faster,
            Verdict::Pass | Verdict::Inconclusive => Tone::Plain,
        },
        values: Vec::new(),
    };
    Grid { columns: COLUMNS.to_vec(), rows: gated.cells.iter().map(row).collect() }
}

fn word(cell: &Judged) -> &'static str {
    match cell.verdict {
        Verdict::Fail => "FAIL",
        Verdict::Pass if cell.faster => "pass, faster",
        Verdict::Pass => "pass",
        Verdict::Inconclusive => "inconclusive",
    }
}
