//! A history as text.

use bindbench_stats::FEWEST_RUNS;

use crate::format;
use crate::grid::{Grid, GridRow, Tone};
use crate::terminal::{Look, lay_out, line};

use super::{Change, History, Series};

const COLUMNS: [(&str, bool); 8] = [
    ("Lane", false),
    ("Case", false),
    ("Python", false),
    ("Over", false),
    ("Runs", true),
    ("First", true),
    ("Last", true),
    ("Last / first", true),
];

/// The history as text.
pub fn terminal(history: &History, look: Look) -> String {
    let mut text = String::new();
    let ends = history.runs.first().zip(history.runs.last());
    let from_to = ends.map(|(first, last)| format!(", {} to {}", first.started, last.started)).unwrap_or_default();
    line(&mut text, &format!("{}{from_to}", format::count(history.runs.len(), "run")));
    line(&mut text, "A cell is measured by its ratio to a lane of the same run, so that machines may change: above that lane is slower.");
    line(&mut text, "");
    line(&mut text, &lay_out(&grid(history), look));
    let changes: Vec<String> =
        history.series.iter().flat_map(|series| series.changes.iter().map(|change| sentence(series, change))).collect();
    let (short, all) = (history.too_short(), history.series.len());
    let title = match changes.len() {
        0 if short == all => format!("No cell has {FEWEST_RUNS} runs: no change was looked for, none could be told from chance."),
        0 => format!("No cell changed its level by more than {}", format::percent(history.threshold)),
        _ => {
            format!("{} changed their level by more than {}:", format::count(history.changed(), "cell"), format::percent(history.threshold))
        }
    };
    line(&mut text, &format!("\n{title}"));
    if (1..all).contains(&short) {
        let cells = format::count(short, "cell");
        line(
            &mut text,
            &format!("Not looked for in {cells} of {all}, with fewer than {FEWEST_RUNS} runs: it could not be told from chance."),
        );
    }
    changes.iter().for_each(|change| line(&mut text, &format!("  {change}")));
    if !history.left_out.is_empty() {
        line(&mut text, "Left out:");
        history.left_out.iter().for_each(|what| line(&mut text, &format!("  {}", format::one_line(what))));
    }
    text
}

/// `pyo3/held std.std:ints:5000 3.13.0: slower, × 1.120 [1.101, 1.139], from run … to run …, commits 1a2b3c4d5e6f..6f5e4d3c2b1a (p = 0.0003)`.
fn sentence(series: &Series, change: &Change) -> String {
    let way = if change.factor > 1.0 { "slower" } else { "faster" };
    let interval = change.ratio.map(|ratio| format!(" {}", format::fine_interval(&ratio))).unwrap_or_default();
    let commits = change.commits.as_ref().map(|commits| format!(", commits {}", between(commits))).unwrap_or_default();
    format!(
        "{}: {way}, × {}{interval}, from run {} to run {}{commits} (p = {})",
        series.name,
        format::fine_ratio(change.factor),
        change.runs.0,
        change.runs.1,
        format::significant(change.p_value)
    )
}

/// `1a2b3c4d5e6f..6f5e4d3c2b1a`, as `git log` takes it; with a word where one of them was not all there was.
pub(crate) fn between((before, after): &(String, String)) -> String {
    let short = |commit: &str| {
        let hash = commit.trim_end_matches("-dirty");
        hash.get(..12).unwrap_or(hash).to_owned()
    };
    let dirty = [before, after].iter().any(|commit| commit.ends_with("-dirty"));
    format!("{}..{}{}", short(before), short(after), if dirty { " (with changes that were not committed)" } else { "" })
}

fn grid(history: &History) -> Grid {
    let row = |series: &Series| {
        let value = |at: Option<&super::Point>| match at {
            Some(point) if series.floor.is_some() => format::fine_ratio(point.value.point()),
            Some(point) => format::time(point.value.point()),
            None => String::new(),
        };
        let (first, last) = (series.points.first(), series.points.last());
        let whole = first.zip(last).map(|(first, last)| (last.value.centre() - first.value.centre()).exp());
        let tone = match series.changes.last() {
            Some(change) if change.factor > 1.0 => Tone::Slower,
            Some(_) => Tone::Faster,
            None => Tone::Plain,
        };
        let cells = vec![
            series.lane.clone(),
            series.case.clone(),
            series.interpreter.clone().unwrap_or_default(),
            series.floor.clone().unwrap_or_else(|| "time".to_owned()),
            series.points.len().to_string(),
            value(first),
            value(last),
            whole.map(format::fine_ratio).unwrap_or_default(),
        ];
        GridRow { cells, new_case: false, tone, values: Vec::new() }
    };
    Grid { columns: COLUMNS.to_vec(), rows: history.series.iter().map(row).collect() }
}
