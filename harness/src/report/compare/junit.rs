//! A comparison as JUnit XML: a test case for each cell, failed where it became slower.

use crate::report::format;
use crate::report::junit::{Case, Outcome, render};

use super::{Compared, Comparison, Verdict, show};

/// The comparison as JUnit XML.
pub fn junit(comparison: &Comparison) -> String {
    let name = format!("bindbench compare {} {}", comparison.before.name, comparison.after.name);
    render(&name, &comparison.cells.iter().map(|cell| case(cell, comparison.threshold)).collect::<Vec<_>>())
}

fn case(cell: &Compared, threshold: f64) -> Case {
    let (class, name) = (cell.lane.as_ref().unwrap_or(&cell.name), cell.case.as_ref().unwrap_or(&cell.name));
    let name = cell.interpreter.iter().fold(name.clone(), |name, interpreter| format!("{name} {interpreter}"));
    let ratio = cell.ratio.map(|ratio| format!("ratio {} {}", format::fine_ratio(ratio.point()), format::fine_interval(&ratio)));
    let says = format!("{}: {}", show::verdict(cell), ratio.unwrap_or_else(|| "no ratio".to_owned()));
    let outcome = match cell.verdict {
        Verdict::Slower if cell.beyond => {
            let text = format!("{} {says}, threshold {}", cell.name, format::percent(threshold));
            Outcome::Failed { message: says, text }
        }
        Verdict::Inconclusive => Outcome::Skipped(cell.why.clone().unwrap_or_else(|| "inconclusive".to_owned())),
        _ => Outcome::Passed(says),
    };
    Case { class: class.clone(), name, outcome }
}
