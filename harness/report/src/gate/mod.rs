//! What a gate found: from the cells of its run to pairs of base and head, and from pairs to verdicts that people can act on.

mod instructions;
mod junit;
mod markdown;
mod show;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bindbench_catalog::Side;
use bindbench_model::{Cell, CellKey, Run, Sample, Status};
use bindbench_stats as stats;
use bindbench_stats::{Estimate, Finding, Known, six_digits};
use serde::Serialize;

pub use instructions::{JudgedCount, judged_count, uncounted};
pub use junit::junit;
pub use markdown::markdown;
pub use show::terminal;

/// Version of the layout that `gate --json` prints.
pub const JSON_SCHEMA: u32 = 1;

/// A lane in a case, on both sides: ids of cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Lane, without its side, case and interpreter.
    pub key: CellKey,
    /// Base.
    pub base: u32,
    /// Head.
    pub head: u32,
    /// Base measured once more under another name; none where it has no number.
    pub twin: Option<u32>,
}

/// All pairs of a run, in the order of base's cells.
pub fn pairs(run: &Run) -> Vec<Pair> {
    let find = |lane: &str, twin: bool, like: &Cell| {
        let same =
            |cell: &&Cell| cell.twin == twin && cell.lane == lane && (cell.case, &cell.interpreter) == (like.case, &like.interpreter);
        run.cells.iter().find(same).map(|cell| cell.id)
    };
    let pair = |cell: &Cell| {
        let (lane, Side::Base) = Side::of(&cell.lane)? else { return None };
        let key = CellKey { lane: lane.to_owned(), ..CellKey::of(cell, run) };
        Some(Pair { key, base: cell.id, head: find(&Side::Head.lane(lane), false, cell)?, twin: find(&cell.lane, true, cell) })
    };
    run.cells.iter().filter(|cell| !cell.twin).filter_map(pair).collect()
}

/// What one generation of a run says of each pair: the log-ratios of head, and of base's twin, to base.
pub fn of_generation(run: &Run, samples: &[Sample], pairs: &[Pair]) -> Vec<Option<(f64, f64)>> {
    let cells: Vec<_> = pairs.iter().map(|pair| (pair.base, pair.head, pair.twin)).collect();
    bindbench_analysis::of_generation(run, samples, &cells)
}

/// Everything there is to say of a gate.
#[derive(Debug, Serialize)]
pub struct Gated {
    /// [`JSON_SCHEMA`].
    pub schema: u32,
    /// The folder of its run.
    pub run: String,
    /// What base and head are.
    pub sides: BTreeMap<String, String>,
    /// A slowdown up to this is of no interest, as a fraction.
    pub threshold: f64,
    /// More instructions up to this are of no interest, as a fraction.
    pub instructions_threshold: f64,
    /// Seconds that the samples took, and that they could have taken.
    pub seconds: f64,
    /// See above.
    pub budget_s: f64,
    /// The cells.
    pub cells: Vec<Judged>,
    /// Lanes that could not be measured on both sides, with the reason.
    pub left_out: Vec<String>,
    /// What to know.
    pub notes: Vec<String>,
}

/// What is said of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Head is slower, or does not work any more.
    Fail,
    /// It is not slower.
    Pass,
    /// It is not known.
    Inconclusive,
}

/// A cell and what became of it.
#[derive(Debug, Serialize)]
pub struct Judged {
    /// Lane, case and interpreter.
    pub name: String,
    /// The lane.
    pub lane: String,
    /// The case.
    pub case: String,
    /// The interpreter.
    pub interpreter: Option<String>,
    /// What is said of it, by all that was measured: what fails by one fails.
    pub verdict: Verdict,
    /// What its times say; none where none were taken.
    pub by_time: Option<Verdict>,
    /// What its instructions say; none where they were not counted.
    pub by_instructions: Option<JudgedCount>,
    /// Head takes less time, beyond the threshold; confirmed as a slowdown would be.
    pub faster: bool,
    /// Head over base: above 1 is slower.
    pub ratio: Option<Estimate>,
    /// What base and its twin show that can't be told apart, as a fraction.
    pub resolution: Option<f64>,
    /// Generations of the first measurement, and of the one that was to confirm it.
    pub generations: (usize, usize),
    /// Why it failed, or is inconclusive.
    pub why: Option<String>,
    /// The command that draws the flamegraph of the difference.
    pub flamegraph: Option<String>,
}

/// What a cell's gate and its status say. `flamegraph` makes the command.
pub fn judged(pair: &Pair, run: &Run, known: &Known, threshold: f64, flamegraph: impl Fn(&CellKey) -> String) -> Judged {
    let status = |cell: u32| &run.cells[cell as usize].status;
    let broken = |cell: u32| (!status(cell).has_number() && *status(cell) != Status::Pending).then(|| status(cell).to_string());
    let (verdict, why) = match (broken(pair.base), broken(pair.head), &known.finding) {
        (Some(why), ..) => (Verdict::Inconclusive, Some(format!("base has no number: {why}"))),
        (None, Some(why), _) => (Verdict::Fail, Some(format!("head has no number, and base has: {why}"))),
        (None, None, Finding::Slower) => (Verdict::Fail, None),
        (None, None, Finding::Faster | Finding::Pass) => (Verdict::Pass, None),
        (None, None, Finding::Open(why)) => (Verdict::Inconclusive, Some(reason(why, threshold))),
    };
    let different = matches!(known.finding, Finding::Slower | Finding::Faster);
    Judged {
        name: pair.key.to_string(),
        lane: pair.key.lane.clone(),
        case: pair.key.case(),
        interpreter: pair.key.interpreter.clone(),
        verdict,
        by_time: Some(verdict),
        by_instructions: None,
        faster: known.finding == Finding::Faster,
        ratio: known.ratio,
        resolution: known.resolution.map(six_digits),
        generations: known.generations,
        why,
        flamegraph: different.then(|| flamegraph(&pair.key)),
    }
}

fn reason(why: &stats::Why, threshold: f64) -> String {
    use super::format::{fine_ratio, percent};
    let limit = percent(threshold);
    match why {
        stats::Why::TooFew => format!("the time was up before its first look, at {} generations", stats::LOOKS[0]),
        stats::Why::MayBeSlower(factor) => format!("it may be slower by up to {}, and the threshold is {limit}", percent(factor - 1.0)),
        stats::Why::Coarse(fraction) => {
            format!("base and its twin, the same build, differ by up to {}, and the threshold is {limit}", percent(*fraction))
        }
        stats::Why::Unconfirmed(factor) => {
            format!("a first measurement says × {}, and the time was up before a second one confirmed it", fine_ratio(*factor))
        }
        stats::Why::Contradicted(factor) => format!("a first measurement says × {}, and a second one says otherwise", fine_ratio(*factor)),
    }
}

impl Gated {
    /// Times were taken; or a side of a cell does not even work.
    fn is_timed(&self) -> bool {
        self.cells.iter().any(|cell| cell.by_time.is_some())
    }

    /// Instructions were counted.
    fn is_counted(&self) -> bool {
        self.cells.iter().any(|cell| cell.by_instructions.is_some())
    }

    /// How many cells have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.cells.iter().filter(|cell| cell.verdict == verdict).count()
    }

    /// What is said of all cells together: one that fails fails the gate, all that pass pass it.
    pub fn verdict(&self) -> Verdict {
        if self.count(Verdict::Fail) > 0 {
            Verdict::Fail
        } else if self.count(Verdict::Inconclusive) > 0 || self.cells.is_empty() {
            Verdict::Inconclusive
        } else {
            Verdict::Pass
        }
    }
}
