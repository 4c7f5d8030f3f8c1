//! A gate as text.

use bindbench_stats::{Change, Instructions};

use crate::compare::instructions as compare;
use crate::format;
use crate::grid::{Grid, GridRow, Tone};
use crate::instructions;
use crate::instructions::BLIND;
use crate::terminal::{Look, lay_out, line};

use super::{Gated, Judged, JudgedCount, Verdict};

const COLUMNS: [(&str, bool); 11] = [
    ("Verdict", false),
    ("Lane", false),
    ("Case", false),
    ("Python", false),
    ("Ratio", true),
    ("95 %", false),
    ("Resolution", true),
    ("Generations", true),
    ("Instructions", true),
    ("Ratio of these", true),
    ("By these", false),
];

/// The columns of times.
const OF_TIMES: std::ops::Range<usize> = 4..8;
/// The columns of instructions.
const OF_INSTRUCTIONS: std::ops::Range<usize> = 8..11;

/// The gate as text: the table, then each cell that failed or got faster, then the verdict.
pub fn terminal(gated: &Gated, look: Look) -> String {
    let mut text = String::new();
    let mut say = |words: &str| line(&mut text, words);
    gated.sides.iter().for_each(|(side, what)| say(&format!("{side}: {what}")));
    gated.notes.iter().for_each(|note| say(&format!("Note: {note}")));
    say("");
    say(&lay_out(&grid(gated), look));
    if gated.is_timed() {
        say("Ratio is head's time over base's: above 1, head is slower. A difference counts when a second measurement has confirmed it.");
    }
    if gated.is_counted() {
        say(BLIND);
    }
    for cell in gated.cells.iter().filter(|cell| is_different(cell)) {
        say("");
        headlines(cell, gated).iter().for_each(|headline| say(headline));
        if let Some(command) = &cell.flamegraph {
            say(&format!("  flamegraph of the difference: {command}"));
        }
    }
    let open: Vec<&Judged> = gated.cells.iter().filter(|cell| cell.verdict == Verdict::Inconclusive).collect();
    if !open.is_empty() {
        say("\nInconclusive:");
        open.iter().for_each(|cell| say(&format!("  {}: {}", cell.name, format::one_line(&reasons(cell)))));
        if gated.is_timed() {
            say("  More time (`--budget`), a quieter machine or a larger `--threshold` settle it.");
        }
    }
    if !gated.left_out.is_empty() {
        say("\nNot on both sides:");
        gated.left_out.iter().for_each(|what| say(&format!("  {}", format::one_line(what))));
    }
    say(&format!("\n{}", tally(gated)));
    text
}

/// It fails, or takes less than it did.
pub(super) fn is_different(cell: &Judged) -> bool {
    let fewer = cell.by_instructions.as_ref().is_some_and(|count| count.change == Change::Fewer);
    cell.verdict == Verdict::Fail || cell.faster || fewer
}

/// Why nothing is known: by its times, by its instructions.
pub(super) fn reasons(cell: &Judged) -> String {
    let of_times = cell.why.clone().filter(|_| cell.by_time == Some(Verdict::Inconclusive));
    let of_instructions = cell.by_instructions.as_ref().and_then(|count| count.why.clone());
    let reasons: Vec<String> = of_times.into_iter().chain(of_instructions).collect();
    if reasons.is_empty() { "not known".to_owned() } else { reasons.join("; ") }
}

/// One line for each kind of evidence that has something to say.
pub(super) fn headlines(cell: &Judged, gated: &Gated) -> Vec<String> {
    let by_time = cell.by_time == Some(Verdict::Fail) || cell.faster;
    let by_time = by_time.then(|| headline(cell, gated.threshold));
    by_time.into_iter().chain(cell.by_instructions.as_ref().and_then(|count| of_count(cell, count, gated.instructions_threshold))).collect()
}

/// `FAIL capi/c call.noop:nothing 3.13.0: more instructions, × 1.012 (81.0 → 82.0 a call); threshold 0.50 %`.
fn of_count(cell: &Judged, count: &JudgedCount, threshold: f64) -> Option<String> {
    let (word, way) = match count.change {
        Change::More => ("FAIL", "more"),
        Change::Fewer => ("FEWER", "fewer"),
        Change::Same | Change::Unknown => return None,
    };
    let (ratio, base, head) = (count.ratio.as_ref()?, count.base.as_ref()?, count.head.as_ref()?);
    Some(format!(
        "{word} {}: {way} instructions, × {} ({} → {} a call); threshold {}",
        cell.name,
        instructions::span(ratio),
        instructions::count(base),
        instructions::count(head),
        format::percent(threshold)
    ))
}

/// `FAIL capi/c std.std:ints:5000 3.13.0: slower, × 1.124 [1.118, 1.130]; threshold 2.0 %, resolution 0.40 %`.
fn headline(cell: &Judged, threshold: f64) -> String {
    let word = if cell.by_time == Some(Verdict::Fail) { "FAIL" } else { "FASTER" };
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
    let fewer = gated.cells.iter().filter(|cell| cell.by_instructions.as_ref().is_some_and(|count| count.change == Change::Fewer)).count();
    let fewer = if gated.is_counted() { format!(", {fewer} with fewer instructions") } else { String::new() };
    let time = if gated.is_timed() { format!("; {:.0} s of {:.0} s", gated.seconds, gated.budget_s) } else { String::new() };
    format!(
        "{verdict}: of {} {} failed, {} passed ({} faster{fewer}), {} inconclusive{time}. Its samples: {}",
        format::count(gated.cells.len(), "cell"),
        gated.count(Verdict::Fail),
        gated.count(Verdict::Pass),
        gated.cells.iter().filter(|cell| cell.faster).count(),
        gated.count(Verdict::Inconclusive),
        gated.run
    )
}

pub(super) fn grid(gated: &Gated) -> Grid {
    let shown = |at: usize| (!OF_TIMES.contains(&at) || gated.is_timed()) && (!OF_INSTRUCTIONS.contains(&at) || gated.is_counted());
    let texts = |cell: &Judged| {
        [
            word(cell).to_owned(),
            cell.lane.clone(),
            cell.case.clone(),
            cell.interpreter.clone().unwrap_or_default(),
            cell.ratio.map(|ratio| format::fine_ratio(ratio.point())).unwrap_or_default(),
            cell.ratio.map(|ratio| format::fine_interval(&ratio)).unwrap_or_default(),
            cell.resolution.map(format::band).unwrap_or_default(),
            match cell.generations {
                (first, 0) => first.to_string(),
                (first, second) => format!("{first} + {second}"),
            },
            counts(cell),
            cell.by_instructions.as_ref().and_then(|count| count.ratio.as_ref()).map(instructions::span).unwrap_or_default(),
            cell.by_instructions.as_ref().map(|count| compare::word(count.change).to_owned()).unwrap_or_default(),
        ]
    };
    let row = |cell: &Judged| GridRow {
        cells: texts(cell).into_iter().enumerate().filter(|(at, _)| shown(*at)).map(|(_, text)| text).collect(),
        new_case: false,
        tone: match cell.verdict {
            Verdict::Fail => Tone::Slower,
            Verdict::Pass if cell.faster => Tone::Faster,
            Verdict::Pass | Verdict::Inconclusive => Tone::Plain,
        },
        values: Vec::new(),
    };
    let columns = COLUMNS.into_iter().enumerate().filter(|(at, _)| shown(*at)).map(|(_, column)| column).collect();
    Grid { columns, rows: gated.cells.iter().map(row).collect() }
}

/// `81.0 → 82.0`.
fn counts(cell: &Judged) -> String {
    let text = |count: &Option<Instructions>| count.as_ref().map_or_else(|| "?".to_owned(), instructions::count);
    cell.by_instructions.as_ref().map(|count| format!("{} → {}", text(&count.base), text(&count.head))).unwrap_or_default()
}

fn word(cell: &Judged) -> &'static str {
    match cell.verdict {
        Verdict::Fail => "FAIL",
        Verdict::Pass if cell.faster => "pass, faster",
        Verdict::Pass => "pass",
        Verdict::Inconclusive => "inconclusive",
    }
}
