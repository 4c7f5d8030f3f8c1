//! One side of a comparison: a recorded run, or a file that pyperf wrote, as cells with a number for each generation.

use std::collections::BTreeMap;

use bindbench_analysis::{Analysis, instructions};
use bindbench_model::{Cell, CellKey, Run, RunState};
use bindbench_stats::{Instructions, Mean, Resolution, median};
use bindbench_store::pyperf::Suite;
use bindbench_store::{Lacking, Recorded};

use crate::choice::Choice;
use crate::warnings::reason;
use crate::{format, tables};

use super::facts::{self, Facts};

/// What a lane is built of: its artifacts' SHA-256 by name, and that of the kernels library that it was seen to load.
pub(super) type Build = (BTreeMap<String, String>, Option<String>);

/// One side.
#[derive(Debug)]
pub struct Side {
    /// The run's id, or the file's name.
    pub(super) name: String,
    /// Where, when and how it was measured: a line each.
    pub(super) about: Vec<String>,
    /// What it was measured on and with.
    pub(super) facts: Facts,
    /// Why it should not be compared at all.
    pub(super) faults: Vec<String>,
    /// Why it can't vouch for its intervals.
    pub(super) doubts: Vec<String>,
    /// It has times.
    pub(super) timed: bool,
    /// Instructions were counted.
    pub(super) counted: bool,
    /// The factor by which its errors are widened.
    pub(super) widening: f64,
    /// Its cells, in the order in which they were recorded.
    pub(super) cells: Vec<SideCell>,
    /// What lanes are built of, by lane and interpreter; without those that nothing is known of.
    pub(super) builds: BTreeMap<(String, Option<String>), Build>,
}

/// A cell of one side.
#[derive(Debug)]
pub(super) struct SideCell {
    /// What it is called; the cell of the other side that is called so too is compared with it.
    pub(super) name: String,
    /// Lane, case and interpreter; none in a file of pyperf's.
    pub(super) key: Option<CellKey>,
    /// The logarithm of each generation's time of a call, or why there are none.
    pub(super) times: Result<Vec<f64>, String>,
    /// For each lane of the case that may serve as floor, the best first: each generation's log-ratio to it.
    pub(super) floors: Vec<(String, Vec<f64>)>,
    /// What the run can't tell apart in its case, as a fraction.
    pub(super) resolution: Option<f64>,
    /// Calls in a sample; none where it is not known.
    pub(super) loops: Option<u64>,
    /// Instructions of a call, where they were counted.
    pub(super) instructions: Option<Instructions>,
    /// Why they could not be.
    pub(super) uncounted: Option<String>,
}

impl Side {
    /// A recorded run.
    pub fn of_run(recorded: &Recorded) -> Self {
        let run = &recorded.run;
        let analysis = Analysis::new(recorded);
        let mut faults = Vec::new();
        if run.state != RunState::Finished {
            faults.push(format!("run {} was not finished; `bindbench run --resume {}` goes on with it", run.id, run.id));
        }
        let lacking = [("samples.csv", Lacking::samples(recorded)), ("counts.csv", Lacking::counts(recorded))];
        for (file, Lacking { missing, planned }) in lacking.into_iter().filter(|(_, it)| it.missing > 0 && run.state == RunState::Finished)
        {
            faults.push(format!("{file} of run {} lacks {missing} of the {} it planned", run.id, format::count(planned, "row")));
        }
        if !recorded.damage.is_empty() {
            let rows = format::count(recorded.damage.len(), "row");
            faults.push(format!("samples.csv of run {} has {rows} that can't be used; `bindbench report` names them", run.id));
        }
        let cells = run.cells.iter().filter(|cell| !cell.twin);
        Self {
            name: run.id.clone(),
            about: crate::about(run, &analysis),
            facts: facts::of_run(run),
            faults,
            doubts: analysis.doubts().iter().map(|doubt| format!("run {}: {}", run.id, reason(doubt))).collect(),
            timed: run.is_timed(),
            counted: run.counting.is_some(),
            widening: analysis.widening(),
            cells: cells.map(|cell| side_cell(cell, recorded, &analysis)).collect(),
            builds: builds(run),
        }
    }

    /// A file that pyperf wrote, under its name.
    pub fn of_pyperf(name: &str, suite: &Suite) -> Self {
        let cells: Vec<SideCell> = suite.benchmarks.iter().map(|benchmark| pyperf_cell(suite, benchmark)).collect();
        Self {
            name: name.to_owned(),
            about: vec![format!("{name}, written by pyperf: {}", format::count(cells.len(), "benchmark"))],
            facts: facts::of_pyperf(suite),
            faults: Vec::new(),
            doubts: Vec::new(),
            timed: true,
            counted: false,
            widening: 1.0,
            cells,
            builds: BTreeMap::new(),
        }
    }

    /// The keys of its cells.
    pub fn keys(&self) -> Vec<&CellKey> {
        self.cells.iter().filter_map(|cell| cell.key.as_ref()).collect()
    }

    /// Leaves out the cells that are not chosen; those of a file of pyperf's have no lane to choose by, and stay.
    pub fn keep(&mut self, choice: &Choice) {
        self.cells.retain(|cell| cell.key.as_ref().is_none_or(|key| choice.has(key)));
        let interpreters = self.cells.iter().filter_map(|cell| cell.key.as_ref()?.interpreter.clone()).collect();
        self.facts.keep_interpreters(&interpreters);
    }

    /// What the lane of a cell is built of.
    pub(super) fn build(&self, key: &CellKey) -> Option<&Build> {
        self.builds.get(&(key.lane.clone(), key.interpreter.clone()))
    }

    /// What another lane of the same case is built of.
    pub(super) fn build_of(&self, lane: &str, key: &CellKey) -> Option<&Build> {
        let native = || self.builds.get(&(lane.to_owned(), None));
        self.builds.get(&(lane.to_owned(), key.interpreter.clone())).or_else(native)
    }
}

fn builds(run: &Run) -> BTreeMap<(String, Option<String>), Build> {
    let receipts = run.lanes.iter().flat_map(|lane| lane.receipts.iter().map(move |receipt| (&lane.id, receipt)));
    // A lane in Python leaves no artifact: whether it is the same can't be told.
    let known = receipts.filter(|(_, receipt)| !receipt.artifacts.is_empty());
    known
        .map(|(lane, receipt)| ((lane.clone(), receipt.interpreter.clone()), (receipt.artifacts.clone(), receipt.kernels_sha256.clone())))
        .collect()
}

fn side_cell(cell: &Cell, recorded: &Recorded, analysis: &Analysis) -> SideCell {
    let run = &recorded.run;
    let key = CellKey::of(cell, run);
    let times = if !cell.status.has_number() {
        Err(cell.status.to_string())
    } else if analysis.is_wrong(cell.id) {
        Err("wrong: an answer checked with a timed sample was not the expected one".to_owned())
    } else {
        analysis.samples().log_values(cell.id).ok_or_else(|| "it takes no more than the loop, or was never sampled".to_owned())
    };
    let floors = tables::floors(cell, run)
        .into_iter()
        .filter_map(|floor| Some((floor.lane.clone(), analysis.samples().log_ratios_by_generation(cell.id, floor.id).ok()?)))
        .collect();
    let resolution = analysis.resolution(cell.case).map(|resolution| resolution.fraction);
    let uncounted = run.counting.as_ref().and_then(|counting| counting.uncounted.get(&cell.id).cloned());
    SideCell {
        name: key.to_string(),
        key: Some(key),
        times,
        floors,
        resolution,
        loops: Some(cell.loops),
        instructions: instructions(cell.id, &recorded.counts),
        uncounted: uncounted.or_else(|| (!cell.status.has_number()).then(|| cell.status.to_string())),
    }
}

/// A benchmark of pyperf's. It has no twin; so its processes are dealt to two halves in turn, and these are compared as twins are.
fn pyperf_cell(suite: &Suite, benchmark: &bindbench_store::pyperf::Benchmark) -> SideCell {
    let times: Vec<f64> = benchmark.runs.iter().filter_map(|run| median(&mut run.values.clone())).map(|s| (s * 1e9).ln()).collect();
    let half = |first: usize| Mean::of_logarithms(&times.iter().skip(first).step_by(2).copied().collect::<Vec<_>>());
    let halves = half(0).zip(half(1)).and_then(|(one, other)| Resolution::of_twin(&one.over(&other).ratio));
    let loops = suite.of(benchmark, "loops").and_then(serde_json::Value::as_u64);
    SideCell {
        name: suite.name(benchmark),
        key: None,
        times: if times.is_empty() { Err("it has no values".to_owned()) } else { Ok(times) },
        floors: Vec::new(),
        resolution: halves.map(|resolution| resolution.fraction),
        loops,
        instructions: None,
        uncounted: None,
    }
}
