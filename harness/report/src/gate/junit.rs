//! A gate as JUnit XML: a test case for each cell, failed where head is slower, skipped where it is not known.

use crate::format;
use crate::junit::{Case, Outcome, render};

use super::show::{headlines, reasons};
use super::{Gated, Judged, Verdict};

/// The gate as JUnit XML.
pub fn junit(gated: &Gated) -> String {
    render("bindbench gate", &gated.cells.iter().map(|cell| case(cell, gated)).collect::<Vec<_>>())
}

fn case(cell: &Judged, gated: &Gated) -> Case {
    let name = cell.interpreter.iter().fold(cell.case.clone(), |name, interpreter| format!("{name} {interpreter}"));
    let ratio = cell.ratio.map(|ratio| format!("ratio {} {}", format::fine_ratio(ratio.point()), format::fine_interval(&ratio)));
    let outcome = match cell.verdict {
        Verdict::Fail => {
            let message = headlines(cell, gated).join("; ");
            let command = cell.flamegraph.iter().map(|command| format!("; flamegraph of the difference: {command}"));
            Outcome::Failed { text: message.clone() + &command.collect::<String>(), message }
        }
        Verdict::Inconclusive => Outcome::Skipped(reasons(cell)),
        Verdict::Pass => Outcome::Passed(ratio.unwrap_or_else(|| "no ratio".to_owned())),
    };
    Case { class: cell.lane.clone(), name, outcome }
}
