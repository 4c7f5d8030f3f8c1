//! Two runs side by side: what differs between them, and which cells became slower or faster.
//!
//! The generations of two runs are independent samples, so nothing is paired here (see [`bindbench_stats::Mean`]), and the machine may have
//! changed its speed in between. Two things guard against that: the *floor*, a lane of the same case whose build is the same in both runs,
//! to which a cell is measured where possible; and the *controls*, all lanes whose build is the same, which in truth did not change.

mod facts;
pub(crate) mod instructions;
mod judge;
mod junit;
mod show;
mod side;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use bindbench_stats::{Change, Estimate, Twin, WIDEST, adjusted, allowed, six_digits, widening};
use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;

pub use instructions::ComparedCount;
pub use judge::{Basis, Verdict};
pub use junit::junit;
pub use show::terminal;
pub use side::Side;

use judge::{Measured, judged, same_build};
use side::SideCell;

/// Version of the layout that `compare --json` prints.
pub const JSON_SCHEMA: u32 = 1;

/// More instructions than this are of interest, where nothing else is asked for.
const INSTRUCTIONS_THRESHOLD: f64 = 0.005;

/// Two sides that have no business with each other.
#[derive(Debug, Error, Diagnostic)]
pub enum Incomparable {
    /// There is not one cell that both have.
    #[error("{before} and {after} have no cell in common")]
    #[diagnostic(help("{before} has, for example, {example}; {after} has {other}"))]
    Nothing {
        /// The first side.
        before: String,
        /// The second side.
        after: String,
        /// A cell of the first.
        example: String,
        /// A cell of the second.
        other: String,
    },
    /// What one measured, the other did not.
    #[error("{before} and {after} can't be compared: one has times only, the other has counts of instructions only")]
    #[diagnostic(help("`bindbench run --counter time --counter instructions` has both"))]
    Counters {
        /// The first side.
        before: String,
        /// The second side.
        after: String,
    },
    /// Ratios would say nothing of the lanes.
    #[error("{before} and {after} can't be compared:\n{}", .reasons.join("\n"))]
    #[diagnostic(help("`--anyway` compares them all the same"))]
    Differ {
        /// The first side.
        before: String,
        /// The second side.
        after: String,
        /// Why.
        reasons: Vec<String>,
    },
}

/// Everything there is to say of two sides.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// [`JSON_SCHEMA`].
    pub schema: u32,
    /// The first side, which ratios refer to.
    pub before: Heading,
    /// The second side.
    pub after: Heading,
    /// Where the two differ, a sentence each.
    pub differences: Vec<String>,
    /// Why they should not be compared; empty unless that was overruled.
    pub overruled: Vec<String>,
    /// Why one of them can't vouch for its intervals, and so for no verdict.
    pub doubts: Vec<String>,
    /// Lanes that are the same build on both sides while others are not; none where that is not so.
    pub controls: Option<Controls>,
    /// A slowdown up to this is of no interest, as a fraction.
    pub threshold: f64,
    /// The cells that both have, in the order of the first; none where one side has no times.
    pub cells: Vec<Compared>,
    /// More instructions up to this are of no interest, as a fraction.
    pub instructions_threshold: f64,
    /// The cells whose instructions both counted.
    pub instructions: Vec<ComparedCount>,
    /// Cells that only the first has.
    pub only_before: Vec<String>,
    /// Cells that only the second has.
    pub only_after: Vec<String>,
}

/// What a side is.
#[derive(Debug, Serialize)]
pub struct Heading {
    /// The run's id, or the file's name.
    pub name: String,
    /// Where, when and how it was measured.
    pub about: Vec<String>,
}

/// Cells of lanes that did not change; what differs there is the machine, or worse.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Controls {
    /// How many there are.
    pub cells: usize,
    /// How many have an interval that excludes 1.
    pub differing: usize,
    /// How many may, by chance.
    pub allowed: usize,
    /// The factor by which all intervals are widened, so that no more than these do.
    pub widening: f64,
}

/// A cell that both sides have.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// What it is called.
    pub name: String,
    /// Its lane; none in a file of pyperf's.
    pub lane: Option<String>,
    /// Its case.
    pub case: Option<String>,
    /// Its interpreter.
    pub interpreter: Option<String>,
    /// Time of a call on the first side, in nanoseconds.
    pub before_ns: Option<f64>,
    /// On the second side.
    pub after_ns: Option<f64>,
    /// The second over the first, measured as [`Compared::basis`] says: above 1 is slower.
    pub ratio: Option<Estimate>,
    /// How the ratio came about.
    pub basis: Option<Basis>,
    /// The ratio of the times themselves.
    pub of_times: Option<Estimate>,
    /// The ratio of the times over the floor's.
    pub of_floor: Option<Estimate>,
    /// What the two runs together can't tell apart, as a fraction.
    pub resolution: Option<f64>,
    /// The false discovery rate at which this would be called a difference.
    pub adjusted_p: Option<f64>,
    /// What the ratio says.
    pub verdict: Verdict,
    /// Slower or faster by more than the threshold.
    pub beyond: bool,
    /// Why it is inconclusive.
    pub why: Option<String>,
}

impl Comparison {
    /// Compares two sides.
    ///
    /// # Errors
    /// When they have no cell in common; and, unless `anyway`, when a ratio would say nothing of the lanes: another machine, another
    /// build of an interpreter, other inputs, a run that is damaged or was not finished.
    pub fn new(before: &Side, after: &Side, threshold: f64, anyway: bool) -> Result<Self, Incomparable> {
        let others: HashMap<&str, &SideCell> = after.cells.iter().map(|cell| (cell.name.as_str(), cell)).collect();
        let pairs: Vec<(&SideCell, &SideCell)> =
            before.cells.iter().filter_map(|cell| Some((cell, *others.get(cell.name.as_str())?))).collect();
        if pairs.is_empty() {
            let first = |side: &Side| side.cells.first().map_or_else(|| "none".to_owned(), |cell| cell.name.clone());
            let (example, other) = (first(before), first(after));
            return Err(Incomparable::Nothing { before: before.name.clone(), after: after.name.clone(), example, other });
        }
        let differing = before.facts.differing(&after.facts);
        let overruled: Vec<String> = [before.faults.clone(), after.faults.clone(), differing.decisive].concat();
        if !overruled.is_empty() && !anyway {
            return Err(Incomparable::Differ { before: before.name.clone(), after: after.name.clone(), reasons: overruled });
        }
        let timed = if before.timed && after.timed { pairs.clone() } else { Vec::new() };
        if timed.is_empty() && !(before.counted && after.counted) {
            return Err(Incomparable::Counters { before: before.name.clone(), after: after.name.clone() });
        }
        let controls = controls(before, after, &timed);
        let mut doubts = if timed.is_empty() { Vec::new() } else { [before.doubts.clone(), after.doubts.clone()].concat() };
        if let Some(controls) = controls.filter(|controls| controls.widening > WIDEST) {
            let factor = crate::format::significant(controls.widening);
            doubts.push(format!("lanes that are the same build differ so much that intervals would have to be {factor} times as wide"));
        }
        let factor = controls.map_or(1.0, |controls| controls.widening);
        let measured: Vec<Measured> = timed.iter().map(|(a, b)| Measured::of(before, after, a, b, factor)).collect();
        let tested: Vec<f64> = measured.iter().filter_map(|cell| cell.used().map(|(quotient, _)| quotient.p_value)).collect();
        let mut rates = adjusted(&tested).into_iter();
        let cells = timed
            .iter()
            .zip(&measured)
            .map(|((a, b), cell)| {
                let rate = cell.used().and_then(|_| rates.next());
                judged(a, b, cell, rate, threshold, &doubts, cell.unchanged && controls.is_some())
            })
            .collect();
        let known: HashSet<&str> = pairs.iter().map(|(cell, _)| cell.name.as_str()).collect();
        let alone =
            |side: &Side| side.cells.iter().filter(|cell| !known.contains(cell.name.as_str())).map(|cell| cell.name.clone()).collect();
        Ok(Self {
            schema: JSON_SCHEMA,
            before: Heading { name: before.name.clone(), about: before.about.clone() },
            after: Heading { name: after.name.clone(), about: after.about.clone() },
            differences: [differing.noted, built_anew(before, after), loops(&timed)].concat(),
            overruled,
            doubts,
            controls,
            threshold,
            cells,
            instructions_threshold: INSTRUCTIONS_THRESHOLD,
            instructions: instructions::compared(before, after, &pairs, INSTRUCTIONS_THRESHOLD),
            only_before: alone(before),
            only_after: alone(after),
        })
    }

    /// The same with another threshold for instructions.
    #[must_use]
    pub fn with_instructions_threshold(mut self, threshold: f64) -> Self {
        self.instructions_threshold = threshold;
        self.instructions.iter_mut().for_each(|count| count.judge(threshold));
        self
    }

    /// How many counts say this.
    pub fn changed(&self, change: Change) -> usize {
        self.instructions.iter().filter(|count| count.change == change).count()
    }

    /// How many cells have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.cells.iter().filter(|cell| cell.verdict == verdict).count()
    }

    /// Cells that are slower by more than the threshold.
    pub fn slower(&self) -> impl Iterator<Item = &Compared> {
        self.cells.iter().filter(|cell| cell.verdict == Verdict::Slower && cell.beyond)
    }
}

/// Where some lanes were built anew and others were not, the latter show what differs without any change.
fn controls(before: &Side, after: &Side, pairs: &[(&SideCell, &SideCell)]) -> Option<Controls> {
    let known = |cell: &SideCell| cell.key.as_ref().is_some_and(|key| before.build(key).is_some() && after.build(key).is_some());
    if !pairs.iter().any(|(cell, _)| known(cell) && !same_build(before, after, cell)) {
        return None;
    }
    let unchanged = pairs.iter().filter(|(cell, _)| same_build(before, after, cell));
    let ratios = unchanged.filter_map(|(a, b)| Some(Measured::of(before, after, a, b, 1.0).used()?.0.ratio));
    let twins: Vec<Twin> = ratios.map(|ratio| Twin { case: 0, ratio }).collect();
    let differing = twins.iter().filter(|twin| twin.ratio.half_width().is_some_and(|half| twin.ratio.centre().abs() > half)).count();
    let factor = six_digits(widening(&twins));
    (!twins.is_empty()).then(|| Controls { cells: twins.len(), differing, allowed: allowed(twins.len()), widening: factor })
}

/// Lanes whose artifacts or kernels are others.
fn built_anew(before: &Side, after: &Side) -> Vec<String> {
    let mut lanes: Vec<String> = before
        .builds
        .iter()
        .filter(|(lane, build)| after.builds.get(*lane).is_some_and(|other| other != *build))
        .map(|((lane, interpreter), _)| interpreter.as_ref().map_or_else(|| lane.clone(), |name| format!("{lane} ({name})")))
        .collect();
    lanes.dedup();
    if lanes.is_empty() { Vec::new() } else { vec![format!("built anew: {}", lanes.join(", "))] }
}

/// Cells whose samples have another number of calls, the first few.
fn loops(pairs: &[(&SideCell, &SideCell)]) -> Vec<String> {
    let differing: Vec<String> = pairs
        .iter()
        .filter_map(|(a, b)| Some((a, a.loops?, b.loops?)))
        .filter(|(_, a, b)| a != b)
        .map(|(cell, a, b)| format!("{} {a} → {b}", cell.name))
        .collect();
    let (shown, rest) = differing.split_at(differing.len().min(4));
    let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
    if shown.is_empty() { Vec::new() } else { vec![format!("calls in a sample: {}{more}", shown.join(", "))] }
}
