//! A comparison as JUnit XML: a test case for each cell, failed where it became slower.

use bindbench_stats::Change;

use crate::junit::{Case, Outcome, render};
use crate::{format, instructions};

use super::instructions as compare;
use super::{Compared, ComparedCount, Comparison, Verdict, show};

/// The comparison as JUnit XML.
pub fn junit(comparison: &Comparison) -> String {
    let name = format!("bindbench compare {} {}", comparison.before.name, comparison.after.name);
    let timed = comparison.cells.iter().map(|cell| case(cell, comparison.threshold));
    let counted = comparison.instructions.iter().map(|count| of_count(count, comparison.instructions_threshold));
    render(&name, &timed.chain(counted).collect::<Vec<_>>())
}

fn of_count(cell: &ComparedCount, threshold: f64) -> Case {
    let (class, name) = (cell.lane.as_ref().unwrap_or(&cell.name), cell.case.as_ref().unwrap_or(&cell.name));
    let name = cell.interpreter.iter().fold(name.clone(), |name, interpreter| format!("{name} {interpreter}"));
    let ratio = cell.ratio.as_ref().map_or_else(|| "no ratio".to_owned(), |ratio| format!("ratio {}", instructions::span(ratio)));
    let says = format!("{} instructions: {ratio}, threshold {}", compare::word(cell.change), format::percent(threshold));
    let outcome = match cell.change {
        Change::More => Outcome::Failed { text: format!("{} {says}", cell.name), message: says },
        Change::Unknown => Outcome::Skipped(cell.why.clone().unwrap_or_else(|| "inconclusive".to_owned())),
        Change::Fewer | Change::Same => Outcome::Passed(says),
    };
    Case { class: class.clone(), name: format!("{name} instructions"), outcome }
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
