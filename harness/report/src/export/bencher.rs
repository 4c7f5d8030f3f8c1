//! Bencher Metric Format: benchmark → measure → value with its bounds (bencher.dev, "Bencher Metric Format").

use std::collections::BTreeMap;

use bindbench_stats::six_digits;
use serde::Serialize;

use super::Timed;

#[derive(Serialize)]
struct Measures {
    /// Nanoseconds, as Bencher's built-in measure of that name has them.
    latency: Metric,
}

#[derive(Serialize)]
struct Metric {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

pub(super) fn render(cells: &[Timed]) -> serde_json::Result<String> {
    let measures = |cell: &Timed| {
        let (low, high) = cell.time.interval().unzip();
        Measures {
            latency: Metric { value: six_digits(cell.time.point()), lower_value: low.map(six_digits), upper_value: high.map(six_digits) },
        }
    };
    let benchmarks: BTreeMap<&str, Measures> = cells.iter().map(|cell| (cell.name.as_str(), measures(cell))).collect();
    serde_json::to_string_pretty(&benchmarks)
}
