//! A report as JSON: the model itself, and the schema that it keeps to.

use schemars::schema_for;

use super::Report;

/// The report as JSON, with a line feed at its end.
///
/// # Errors
/// Never in practice: every key is a string.
pub fn render(report: &Report) -> serde_json::Result<String> {
    serde_json::to_string_pretty(report).map(|text| text + "\n")
}

/// The JSON Schema of what [`render`] gives. It is made from the very types that are written.
///
/// # Errors
/// As [`render`].
pub fn schema() -> serde_json::Result<String> {
    serde_json::to_string_pretty(&schema_for!(Report)).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    /// `cargo bindbench report --json-schema > harness/report.schema.json` writes it anew.
    #[test]
    fn the_published_schema_is_that_of_the_types() {
        let published = include_str!("../../report.schema.json");
        assert_eq!(super::schema().unwrap(), published);
    }
}
