//! Tables as the page shows them: every row with the axes it can be filtered by and the numbers it can be sorted by.

use std::collections::BTreeSet;

use bindbench_model::{Run, Unit};
use bindbench_stats::{Estimate, Onset};
use bindbench_store::Recorded;
use serde::Serialize;

use crate::format;
use crate::grid::{Grid, Tone, footnotes, notes, title};
use crate::growth::Growth;
use crate::ledger::passing;
use crate::plots::tick_text;
use crate::tables::Table;

use super::{Figure, shell};

/// A table with its plots.
#[derive(Debug, Serialize)]
pub(super) struct View {
    id: String,
    title: String,
    kind: String,
    notes: Vec<String>,
    columns: Vec<(&'static str, bool)>,
    rows: Vec<RowView>,
    footnotes: Vec<String>,
    figures: Vec<Figure>,
    growth: Option<GrowthView>,
    command: String,
}

#[derive(Debug, Serialize)]
struct RowView {
    /// Binding, kernel, GIL, parallel, passing: in the order of [`axes`].
    axes: [String; 5],
    lane: String,
    tone: &'static str,
    /// Text, and the number to sort by.
    cells: Vec<(String, Option<String>)>,
}

/// Cost curves as text.
#[derive(Debug, Serialize)]
struct GrowthView {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    overtakes: Vec<String>,
}

/// An axis to filter by: its name, and the values there are.
#[derive(Debug, Serialize)]
pub(super) struct Axis {
    name: &'static str,
    values: BTreeSet<String>,
}

/// The axes of a run's lanes.
pub(super) fn axes(recorded: &Recorded) -> Vec<Axis> {
    let mut axes: Vec<Axis> =
        ["binding", "kernel", "GIL", "parallel", "passing"].map(|name| Axis { name, values: BTreeSet::new() }).into_iter().collect();
    for cell in &recorded.run.cells {
        let case = &recorded.run.cases[cell.case as usize];
        for (axis, value) in axes.iter_mut().zip(of_lane(&recorded.run, &cell.lane, &case.workload, case.form)) {
            if !axis.values.contains(&value) {
                axis.values.insert(value);
            }
        }
    }
    axes
}

fn of_lane(run: &Run, lane: &str, workload: &str, form: Option<bindbench_model::Form>) -> [String; 5] {
    let Some(record) = run.lanes.iter().find(|record| record.id == lane) else { return Default::default() };
    let passing = form.map_or_else(|| "no input".to_owned(), |form| passing(record, workload, form).to_string());
    [record.binding.clone(), record.kernel.clone(), record.gil.to_string(), record.parallel.to_string(), passing]
}

/// A table as the page shows it.
pub(super) fn view(recorded: &Recorded, table: &Table, at: usize, figures: Vec<Figure>) -> View {
    let grid = Grid::of_whole_rows(table);
    let rows = table.rows.iter().zip(grid.rows).map(|(row, line)| RowView {
        axes: of_lane(&recorded.run, &row.lane, &table.workload, table.form),
        lane: row.lane.clone(),
        tone: match line.tone {
            Tone::Plain => "",
            Tone::Faster => "faster",
            Tone::Slower => "slower",
            Tone::Failed => "failed",
        },
        cells: line.cells.into_iter().zip(line.values).map(|(text, value)| (text, value.map(|value| format!("{value:.4e}")))).collect(),
    });
    View {
        id: format!("table-{}", at + 1),
        title: title(table),
        kind: table.kind(),
        notes: notes(table),
        rows: rows.collect(),
        columns: grid.columns,
        footnotes: footnotes(table),
        figures,
        growth: table.growth.as_ref().map(|growth| growth_view(growth, table.unit)),
        command: command(&recorded.run, table),
    }
}

/// What measures a table again.
fn command(run: &Run, table: &Table) -> String {
    let mut words: Vec<String> = ["bindbench", "run", "-w"].map(str::to_owned).to_vec();
    words.push(format!("{}.{}", table.workload, table.operation));
    if let Some(interpreter) = &table.interpreter {
        words.extend(["-p".to_owned(), interpreter.clone()]);
    }
    words.extend(["--preset".to_owned(), run.preset.clone(), "--seed".to_owned(), run.seed.to_string()]);
    format!("cargo {}", shell(&words))
}

fn growth_view(growth: &Growth, unit: Unit) -> GrowthView {
    let size = |size: u64| format::size(size, unit);
    let mut columns = vec!["Lane".to_owned(), "A call".to_owned()];
    columns.extend(growth.sizes.windows(2).map(|pair| format!("{} – {}", size(pair[0]), size(pair[1]))));
    columns.push("Binding below 5 %".to_owned());
    let rows = growth.lanes.iter().map(|lane| {
        let mut cells = vec![lane.lane.clone(), lane.call_ns.map(|call| with_interval(&call, "")).unwrap_or_default()];
        cells.extend(growth.sizes.windows(2).map(|pair| {
            let slope = lane.slopes.iter().find(|slope| (slope.from, slope.to) == (pair[0], pair[1]));
            slope.map(|slope| with_interval(&slope.ns, if unit == Unit::Bytes { "/B" } else { "/item" })).unwrap_or_default()
        }));
        cells.push(match &lane.binding_below_5_percent {
            None => String::new(),
            Some(Onset::Always) => "always".to_owned(),
            Some(Onset::Between { about, .. }) => format!("from about {}", about_size(*about, unit)),
            Some(Onset::Never) => "never here".to_owned(),
            Some(Onset::Undecided) => "not told".to_owned(),
        });
        cells
    });
    let overtakes = growth.overtakes.iter().map(|overtake| {
        let beats: Vec<String> =
            overtake.beats.iter().map(|(lane, about)| format!("{lane} (about {})", about_size(*about, unit))).collect();
        format!(
            "{} beats {}: slower at {}, faster from {} on",
            overtake.lane,
            beats.join(", "),
            size(overtake.slower_at),
            size(overtake.faster_at)
        )
    });
    GrowthView { columns, rows: rows.collect(), overtakes: overtakes.collect() }
}

/// A size read off a line: two digits are more than it is worth.
pub(super) fn about_size(about: u64, unit: Unit) -> String {
    let about = about as f64;
    match unit {
        Unit::Items => format::significant(format!("{about:.1e}").parse().unwrap_or(about)),
        Unit::Bytes => {
            let (factor, name) = [(30, "GiB"), (20, "MiB"), (10, "KiB"), (0, "B")]
                .into_iter()
                .map(|(power, name)| (f64::from(1_u32 << power), name))
                .find(|(factor, _)| about >= *factor)
                .unwrap_or((1.0, "B"));
            let value: f64 = format!("{:.1e}", about / factor).parse().unwrap_or(about / factor);
            format!("{} {name}", tick_text(value))
        }
    }
}

/// `0.451 ns/B ±0.012`; without an interval the estimate alone.
fn with_interval(estimate: &Estimate, per: &str) -> String {
    let time = format::time(estimate.point());
    let spread = format::spread(estimate);
    format!("{time}{per} {spread}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_off_a_line_have_two_digits() {
        let bytes = [700, 3000, 123_456, 12_345_678].map(|about| about_size(about, Unit::Bytes));
        assert_eq!(bytes, ["700 B", "2.9 KiB", "120 KiB", "12 MiB"]);
        assert_eq!(about_size(12_345, Unit::Items), "12,000");
    }
}
