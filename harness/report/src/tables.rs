//! The tables of a run. None mixes controlled lanes with lanes that have kernels of their own.

use std::collections::{BTreeMap, HashMap};

use bindbench_analysis::Analysis;
use bindbench_model::{Case, Cell, Comparison, Form, LaneRecord, Run};
use bindbench_stats::{Estimate, NoRatio, Scale, six_digits, verdict};
use bindbench_store::Recorded;

use super::growth::growth;
use super::ledger::unlike;
pub use super::table::{Kernel, Row, Table};

/// Cells of one lane that differ only in threads share this key.
type WithoutThreads<'a> = (&'a str, Option<&'a str>, &'a str, &'a str, &'a str, Option<Form>, Option<u64>);

/// All tables of a run, in the order of its cases, interpreters and comparisons.
pub fn tables(recorded: &Recorded, analysis: &Analysis) -> Vec<Table> {
    Maker::new(&recorded.run, analysis).tables()
}

struct Maker<'a> {
    run: &'a Run,
    analysis: &'a Analysis,
    lanes: HashMap<&'a str, &'a LaneRecord>,
    /// Cells of each case, without twins.
    cells: Vec<Vec<&'a Cell>>,
    one_thread: HashMap<WithoutThreads<'a>, u32>,
}

impl<'a> Maker<'a> {
    fn new(run: &'a Run, analysis: &'a Analysis) -> Self {
        let mut cells = vec![Vec::new(); run.cases.len()];
        let mut one_thread = HashMap::new();
        for cell in run.cells.iter().filter(|cell| !cell.twin) {
            let case = &run.cases[cell.case as usize];
            cells[cell.case as usize].push(cell);
            if case.threads == 1 {
                one_thread.insert(without_threads(cell, case), cell.id);
            }
        }
        let lanes = run.lanes.iter().map(|lane| (lane.id.as_str(), lane)).collect();
        Self { run, analysis, lanes, cells, one_thread }
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        for cases in groups(&self.run.cases) {
            let cells = || cases.iter().flat_map(|case| &self.cells[case.id as usize]);
            let all_native = cells().all(|cell| cell.interpreter.is_none());
            let interpreters: Vec<Option<&str>> = if all_native {
                vec![None]
            } else {
                self.run.interpreters.iter().map(|interpreter| Some(interpreter.name.as_str())).collect()
            };
            for interpreter in interpreters {
                for comparison in [Comparison::Controlled, Comparison::AsPublished] {
                    tables.extend(self.table(&cases, interpreter, comparison));
                }
            }
        }
        tables
    }

    /// None when the interpreter has no lane of its own here.
    fn table(&self, cases: &[&'a Case], interpreter: Option<&str>, comparison: Comparison) -> Option<Table> {
        let belongs = |cell: &&&Cell| {
            let stands_here = cell.interpreter.is_none() || cell.interpreter.as_deref() == interpreter;
            stands_here && self.lanes.get(cell.lane.as_str()).is_some_and(|lane| lane.comparison == comparison)
        };
        let members: Vec<Vec<&Cell>> =
            cases.iter().map(|case| self.cells[case.id as usize].iter().filter(belongs).copied().collect()).collect();
        if !members.iter().flatten().any(|cell| cell.interpreter.as_deref() == interpreter) {
            return None;
        }
        let first = cases.first()?;
        let rows = cases.iter().zip(&members).flat_map(|(case, cells)| self.rows(case, cells, comparison)).collect();
        let mut table = Table {
            workload: first.workload.clone(),
            operation: first.operation.clone(),
            input: first.input.clone(),
            form: first.form,
            interpreter: interpreter.map(str::to_owned),
            comparison,
            kernel: self.kernel(comparison, &members, interpreter),
            net_of_loop: first.net_of_loop,
            unit: first.unit,
            rows,
            growth: None,
            unlike: BTreeMap::new(),
        };
        table.growth = growth(&table, self.analysis);
        table.unlike = unlike(self.run, &table);
        Some(table)
    }

    fn rows(&self, case: &Case, cells: &[&'a Cell], comparison: Comparison) -> Vec<Row> {
        let times: Vec<Option<Estimate>> = cells.iter().map(|cell| self.time(cell)).collect();
        let measurable = |i: &usize| times[*i].is_some_and(|time| time.scale() == Scale::Log);
        let baseline = self.baseline(case, comparison, cells, (0..cells.len()).filter(measurable).collect());
        let mut rows: Vec<Row> = cells.iter().zip(times).map(|(cell, time)| self.row(case, cell, time, baseline)).collect();
        rows.sort_by(|a, b| {
            let key = |row: &Row| row.time_ns.map_or(f64::INFINITY, |time| time.point());
            key(a).total_cmp(&key(b)).then_with(|| a.lane.cmp(&b.lane))
        });
        rows
    }

    /// The first lane of the workload's list that has a time to divide by here; else the first such lane by id.
    fn baseline(&self, case: &Case, comparison: Comparison, cells: &[&'a Cell], mut usable: Vec<usize>) -> Option<&'a Cell> {
        let workload = self.run.workloads.iter().find(|workload| workload.name == case.workload);
        let wanted = workload.map_or(&[][..], |workload| match comparison {
            Comparison::Controlled => &workload.baseline_controlled,
            Comparison::AsPublished => &workload.baseline_published,
        });
        let listed = wanted.iter().find_map(|lane| usable.iter().find(|&&i| cells[i].lane == *lane).copied());
        usable.sort_by_key(|&i| &cells[i].lane);
        listed.or(usable.first().copied()).map(|i| cells[i])
    }

    fn row(&self, case: &Case, cell: &Cell, time: Option<Estimate>, baseline: Option<&Cell>) -> Row {
        let resolution = self.analysis.resolution(case.id).cloned();
        let itself = baseline.is_some_and(|base| base.id == cell.id);
        let ratio = match (time, baseline) {
            (Some(_), Some(base)) if !itself => self.analysis.ratio(cell.id, base.id),
            _ => Err(NoRatio::NoNumber),
        };
        let near_zero = time.is_some_and(|time| time.scale() == Scale::Linear) || ratio == Err(NoRatio::NearZero);
        let work = case.size.filter(|_| !near_zero).map(|size| size as f64 * f64::from(case.threads));
        Row {
            cell: cell.id,
            lane: cell.lane.clone(),
            native: cell.interpreter.is_none(),
            size: case.size,
            threads: case.threads,
            time_ns: time,
            near_zero,
            baseline: baseline.map(|base| base.lane.clone()),
            ratio: ratio.ok(),
            verdict: ratio.ok().map(|ratio| verdict(&ratio, resolution.as_ref())),
            throughput_per_s: work.zip(time).map(|(work, time)| six_digits(work / time.point() * 1e9)),
            scaling: time.and_then(|_| self.scaling(case, cell)),
            resolution,
            samples: self.analysis.samples().count(cell.id),
            status: self.status(cell, time.is_some()),
        }
    }

    fn time(&self, cell: &Cell) -> Option<Estimate> {
        cell.status.has_number().then(|| self.analysis.time(cell.id)).flatten()
    }

    fn status(&self, cell: &Cell, has_time: bool) -> String {
        if cell.status.has_number() && self.analysis.is_wrong(cell.id) {
            return "wrong: an answer checked with a timed sample was not the expected one".to_owned();
        }
        if cell.status.has_number() && !has_time { "not measured".to_owned() } else { cell.status.to_string() }
    }

    fn scaling(&self, case: &Case, cell: &Cell) -> Option<Estimate> {
        let &one = self.one_thread.get(&without_threads(cell, case)).filter(|_| case.threads > 1)?;
        self.analysis.scaling(one, cell.id, case.threads).ok()
    }

    /// Compares the kernels library each lane was seen to load. Systems other than Linux don't tell; there the receipts are taken.
    fn kernel(&self, comparison: Comparison, members: &[Vec<&Cell>], interpreter: Option<&str>) -> Kernel {
        if comparison == Comparison::AsPublished {
            return Kernel::OfTheirOwn;
        }
        // What a lane loads is seen when it is measured: before, nothing was looked at.
        let looked_at = |cell: &&&Cell| !self.run.is_timed() || self.analysis.samples().count(cell.id) > 0;
        let mut lanes: Vec<&str> = members.iter().flatten().filter(looked_at).map(|cell| cell.lane.as_str()).collect();
        lanes.sort_unstable();
        lanes.dedup();
        let loaded: Vec<(&str, Option<&String>)> = lanes
            .into_iter()
            .filter_map(|lane| {
                let receipts = &self.lanes.get(lane)?.receipts;
                let receipt = receipts.iter().find(|r| r.interpreter.is_none() || r.interpreter.as_deref() == interpreter)?;
                Some((lane, receipt.kernels_sha256.as_ref()))
            })
            .filter(|(_, sha256)| sha256.is_some() || self.run.environment.os == "linux")
            .collect();
        let expected = self.run.kernels_sha256.as_ref().or_else(|| loaded.iter().find_map(|(_, sha256)| *sha256));
        let differing: Vec<_> =
            loaded.iter().filter(|(_, sha256)| *sha256 != expected).map(|(lane, sha256)| ((*lane).to_owned(), sha256.cloned())).collect();
        if differing.is_empty() { Kernel::Shared(expected.cloned()) } else { Kernel::Differs(differing) }
    }
}

/// Other lanes of a cell's case to measure it against where machines differ, the best first: those that need no Python, then the
/// workload's baselines for the cell's interpreter.
pub fn floors<'a>(cell: &Cell, run: &'a Run) -> Vec<&'a Cell> {
    let workload = &run.cases[cell.case as usize].workload;
    let baselines = run.workloads.iter().filter(|known| known.name == *workload);
    let baselines: Vec<&String> = baselines.flat_map(|known| known.baseline_controlled.iter().chain(&known.baseline_published)).collect();
    let others = || run.cells.iter().filter(|other| !other.twin && other.case == cell.case && other.lane != cell.lane);
    let native = others().filter(|other| other.interpreter.is_none());
    let listed = baselines.into_iter().flat_map(|lane| others().filter(move |other| other.lane == *lane));
    native.chain(listed.filter(|other| other.interpreter.is_some() && other.interpreter == cell.interpreter)).collect()
}

fn without_threads<'a>(cell: &'a Cell, case: &'a Case) -> WithoutThreads<'a> {
    (&cell.lane, cell.interpreter.as_deref(), &case.workload, &case.operation, &case.input, case.form, case.size)
}

/// Cases that stand in one table, by size and threads; the groups in the order in which their first cases come.
fn groups(cases: &[Case]) -> Vec<Vec<&Case>> {
    let mut groups: Vec<Vec<&Case>> = Vec::new();
    let mut index = HashMap::new();
    for case in cases {
        let key = (&case.workload, &case.operation, &case.input, case.form, case.net_of_loop);
        let &mut at = index.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(case);
    }
    for group in &mut groups {
        group.sort_by_key(|case| (case.size, case.threads));
    }
    groups
}
