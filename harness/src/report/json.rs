//! A report as JSON: the model itself. Its layout is [`Report`]; an estimate is `{point, low, high, generations}`.

use super::Report;

/// The report as JSON, with a line feed at its end.
///
/// # Errors
/// Never in practice: every key is a string.
pub fn render(report: &Report) -> serde_json::Result<String> {
    serde_json::to_string_pretty(report).map(|text| text + "\n")
}
