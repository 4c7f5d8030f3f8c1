//! A comparison as JUnit XML, which most CI systems show: a test case for each cell, failed where it became slower.
//!
//! The layout is that of Jenkins's and GitLab's readers: `testsuites` / `testsuite` / `testcase`, with `failure` and `skipped`.

use std::borrow::Cow;

use quick_xml::escape::escape;

use crate::report::{format, instructions};
use crate::stats::Change;

use super::instructions as compare;
use super::{Compared, ComparedCount, Comparison, Verdict, show};

/// The comparison as JUnit XML.
pub fn junit(comparison: &Comparison) -> String {
    let counts = &comparison.instructions;
    let failures = comparison.slower().count() + comparison.changed(Change::More);
    let skipped = comparison.count(Verdict::Inconclusive) + comparison.changed(Change::Unknown);
    let tests = comparison.cells.len() + counts.len();
    let name = format!("bindbench compare {} {}", comparison.before.name, comparison.after.name);
    let numbers = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"");
    let mut text =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {numbers}>\n<testsuite name=\"{}\" {numbers}>\n", text_of(&name));
    comparison.cells.iter().for_each(|cell| text += &case(cell, comparison.threshold));
    counts.iter().for_each(|count| text += &of_count(count, comparison.instructions_threshold));
    text + "</testsuite>\n</testsuites>\n"
}

/// Text as it may stand in XML: escaped, and without the control characters that XML knows no way to write.
fn text_of(text: &str) -> Cow<'static, str> {
    escape(format::one_line(text)).into_owned().into()
}

fn of_count(cell: &ComparedCount, threshold: f64) -> String {
    let (class, name) = (cell.lane.as_ref().unwrap_or(&cell.name), cell.case.as_ref().unwrap_or(&cell.name));
    let name = cell.interpreter.iter().fold(name.clone(), |name, interpreter| format!("{name} {interpreter}"));
    let head = format!("<testcase classname=\"{}\" name=\"{} instructions\"", text_of(class), text_of(&name));
    let ratio = cell.ratio.as_ref().map_or_else(|| "no ratio".to_owned(), |ratio| format!("ratio {}", instructions::span(ratio)));
    let says = format!("{} instructions: {ratio}, threshold {}", compare::word(cell.change), format::percent(threshold));
    match cell.change {
        Change::More => format!("{head}>\n<failure message=\"{}\"/>\n</testcase>\n", text_of(&says)),
        Change::Unknown => {
            let why = cell.why.as_deref().unwrap_or("inconclusive");
            format!("{head}>\n<skipped message=\"{}\"/>\n</testcase>\n", text_of(why))
        }
        Change::Fewer | Change::Same => format!("{head}>\n<system-out>{}</system-out>\n</testcase>\n", text_of(&says)),
    }
}

fn case(cell: &Compared, threshold: f64) -> String {
    let (class, name) = (cell.lane.as_ref().unwrap_or(&cell.name), cell.case.as_ref().unwrap_or(&cell.name));
    let name = cell.interpreter.iter().fold(name.clone(), |name, interpreter| format!("{name} {interpreter}"));
    let head = format!("<testcase classname=\"{}\" name=\"{}\"", text_of(class), text_of(&name));
    let ratio = cell.ratio.map(|ratio| format!("ratio {} {}", format::fine_ratio(ratio.point()), format::fine_interval(&ratio)));
    let says = format!("{}: {}", show::verdict(cell), ratio.unwrap_or_else(|| "no ratio".to_owned()));
    match cell.verdict {
        Verdict::Slower if cell.beyond => {
            let text = format!("{} {says}, threshold {}", cell.name, format::percent(threshold));
            format!("{head}>\n<failure message=\"{}\">{}</failure>\n</testcase>\n", text_of(&says), text_of(&text))
        }
        Verdict::Inconclusive => {
            let why = cell.why.as_deref().unwrap_or("inconclusive");
            format!("{head}>\n<skipped message=\"{}\"/>\n</testcase>\n", text_of(why))
        }
        _ => format!("{head}>\n<system-out>{}</system-out>\n</testcase>\n", text_of(&says)),
    }
}
