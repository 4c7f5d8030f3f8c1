//! github-action-benchmark's `customSmallerIsBetter`: a list of names with value, unit, range and a text (its README.md).

use bindbench_model::Run;
use bindbench_stats::{Estimate, six_digits};
use serde::Serialize;

use crate::format;

use super::{Timed, interpreter};

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    unit: &'static str,
    value: f64,
    /// Half the 95 % interval, in the same unit; as a factor where that would reach below 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

pub(super) fn render(run: &Run, cells: &[Timed]) -> serde_json::Result<String> {
    let extra = |cell: &Timed| {
        let python = interpreter(run, cell.cell).map(|known| format!(", {} {}", known.implementation, known.name)).unwrap_or_default();
        let generations = format::count(cell.time.generations(), "generation");
        format!("{generations} of run {}, {}{python}", run.id, run.environment.cpu)
    };
    let range = |time: &Estimate| {
        let ((low, high), factor) = (time.interval()?, time.half_width()?.exp());
        let half = (high - low) / 2.0;
        Some(if half < time.point() { format!("± {}", six_digits(half)) } else { format!("×÷ {}", six_digits(factor)) })
    };
    let entries: Vec<Entry> = cells
        .iter()
        .map(|cell| {
            let value = six_digits(cell.time.point());
            Entry { name: &cell.name, unit: "ns", value, range: range(&cell.time), extra: extra(cell) }
        })
        .collect();
    serde_json::to_string_pretty(&entries)
}
