//! github-action-benchmark's `customSmallerIsBetter`: a list of names with value, unit, range and a text (its README.md).

use bindbench_model::Run;
use bindbench_stats::six_digits;
use serde::Serialize;

use crate::format;

use super::{Timed, interpreter};

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    unit: &'static str,
    value: f64,
    /// Half the 95 % interval, in the same unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

pub(super) fn render(run: &Run, cells: &[Timed]) -> serde_json::Result<String> {
    let entry = |cell: &Timed| {
        let half = cell.time.interval().map(|(low, high)| (high - low) / 2.0);
        let python = interpreter(run, cell.cell).map(|known| format!(", {} {}", known.implementation, known.name)).unwrap_or_default();
        let generations = format::count(cell.time.generations(), "generation");
        (half, format!("{generations} of run {}, {}{python}", run.id, run.environment.cpu))
    };
    let entries: Vec<Entry> = cells
        .iter()
        .map(|cell| {
            let (half, extra) = entry(cell);
            let range = half.map(|half| format!("± {}", six_digits(half)));
            Entry { name: &cell.name, unit: "ns", value: six_digits(cell.time.point()), range, extra }
        })
        .collect();
    serde_json::to_string_pretty(&entries)
}
