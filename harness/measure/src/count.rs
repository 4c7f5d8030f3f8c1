//! Counting instructions: each cell in fresh workers, as often as there are generations.
//!
//! Nothing is timed meanwhile, so as many workers work at a time as there are CPUs. What could differ from one process to the next is
//! fixed: the hash seed, the environment, the address space layout where the system lets it, the inputs, and what a worker did before.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use bindbench_files::atomic::Scratch;
use bindbench_model::{Cell, Count, Counting, Parallel, Run};
use bindbench_protocol::Request;
use bindbench_setup::bar_style;
use bindbench_store::StoreError;
use bindbench_worker::Transport;
use indicatif::ProgressBar;
use miette::{Context, IntoDiagnostic, Result};

use super::counted::{Counted, NoCount};
use super::crew::Gear;
use super::instrument::Instrument;
use super::{Outcome, Session};

/// How often a cell is counted when nothing else is asked for: two processes show whether a count is exact.
const GENERATIONS: u32 = 2;

/// More calls than this tell no more.
const MOST_CALLS: u64 = 256;

/// Bytes or items that all calls of the shorter loop go through together; one call may go through more.
const WORK: u64 = 1 << 16;

/// How instructions are going to be counted here.
pub(super) fn planned(instrument: &Instrument, generations: Option<u32>) -> Counting {
    Counting {
        tool: instrument.name().to_owned(),
        fixed_layout: instrument.fixes_layout(),
        generations: generations.unwrap_or(GENERATIONS),
        uncounted: BTreeMap::new(),
    }
}

impl Session {
    /// Counts the instructions of all cells that can be counted, where that is asked for, and has not been done.
    ///
    /// # Errors
    /// When valgrind is missing, or the disk refuses.
    pub fn count(&mut self, transport: impl Transport) -> Result<Outcome> {
        let Some(mut counting) = self.run.counting.clone() else { return Ok(Outcome::Finished) };
        let Some(instrument) = Instrument::of(&self.run.plan.counters)? else { return Ok(Outcome::Finished) };
        if instrument.name() != counting.tool {
            self.counts.clear();
            counting = planned(&instrument, Some(counting.generations));
        }
        let scratch = Scratch::inside(self.folder.path()).into_diagnostic();
        let scratch = scratch.wrap_err_with(|| format!("can't make a folder for callgrind's dumps in {}", self.folder.path().display()))?;
        for cell in self.run.cells.iter().filter(|cell| cell.status.has_number() && !cell.twin) {
            let excuse =
                excuse(cell, &self.run).or_else(|| too_slow(cell, &self.run, self.gear.limits.time.as_nanos(), instrument.slower()));
            counting.uncounted.extend(excuse.map(|why| (cell.id, why)));
        }
        let errands = errands(&self.run, &counting, &self.counts);
        let bar = ProgressBar::new(errands.iter().map(|errand| errand.cells.len() as u64).sum());
        bar.set_style(bar_style("cells counted, {msg}"));
        bar.set_message(format!("{} at a time", self.run.environment.cpus.len().max(1)));
        let ledger = Mutex::new(Ledger { counting, counts: std::mem::take(&mut self.counts), trouble: None });
        let office = Office { run: &self.run, gear: &self.gear, instrument: &instrument, scratch: scratch.path(), transport, bar: &bar };
        let finished = office.carry_out(&errands, &ledger, |counts| self.folder.save_counts(counts));
        let Ledger { counting, mut counts, trouble } = ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|count| !counting.uncounted.contains_key(&count.cell));
        counts.sort_by_key(|count| (count.generation, count.cell));
        self.folder.save_counts(&counts)?;
        (self.run.counting, self.counts) = (Some(counting), counts);
        self.folder.save(&self.run)?;
        trouble.map_or(Ok(()), Err)?;
        if !finished {
            bar.abandon();
            return self.stop();
        }
        bar.finish_and_clear();
        Ok(Outcome::Finished)
    }
}

/// Cells of one lane for one interpreter, to be counted in one fresh worker.
struct Errand {
    generation: u32,
    cells: Vec<u32>,
}

/// What has been counted so far.
struct Ledger {
    counting: Counting,
    counts: Vec<Count>,
    /// The disk refused.
    trouble: Option<StoreError>,
}

/// What is still to be counted, generation by generation.
fn errands(run: &Run, counting: &Counting, counts: &[Count]) -> Vec<Errand> {
    let mut errands: BTreeMap<(u32, &str, Option<&str>), Vec<u32>> = BTreeMap::new();
    for generation in 0..counting.generations {
        let done = |cell: &Cell| counts.iter().any(|count| (count.generation, count.cell) == (generation, cell.id));
        let wanted = |cell: &&Cell| cell.status.has_number() && !cell.twin && !counting.uncounted.contains_key(&cell.id) && !done(cell);
        for cell in run.cells.iter().filter(wanted) {
            errands.entry((generation, &cell.lane, cell.interpreter.as_deref())).or_default().push(cell.id);
        }
    }
    errands.into_iter().map(|((generation, ..), cells)| Errand { generation, cells }).collect()
}

/// Why a cell's instructions would be another number every time.
fn excuse(cell: &Cell, run: &Run) -> Option<String> {
    let lane = run.lanes.iter().find(|lane| lane.id == cell.lane);
    let implementation = run.interpreters.iter().find(|known| Some(&known.name) == cell.interpreter.as_ref());
    match lane.map(|lane| lane.parallel) {
        Some(Parallel::Processes) => Some("its work is done by other processes, and what waiting for them costs differs every time".into()),
        Some(Parallel::Threads) => Some("its threads take turns as it comes, and what waiting costs differs every time".into()),
        _ if run.cases[cell.case as usize].threads > 1 => {
            Some("threads take turns as it comes, and what waiting for the GIL costs differs every time".into())
        }
        _ => implementation
            .filter(|known| known.implementation != "cpython")
            .map(|known| format!("{} compiles while it runs: a few calls are not what it settles at", known.implementation)),
    }
}

/// Why not to try: the longest sample would run into the limit.
fn too_slow(cell: &Cell, run: &Run, limit_ns: u128, slower: u64) -> Option<String> {
    let calls = 2 * calls(run.cases[cell.case as usize].size);
    let native_ns = u128::from(cell.sample_ns / cell.loops.max(1)) * u128::from(calls);
    let needed = native_ns * u128::from(slower);
    (needed > limit_ns).then(|| format!("while it is counted a sample would take more than {} s (`--timeout`)", limit_ns / 1_000_000_000))
}

/// Calls in the shorter loop. All lanes of a case have the same number, and so the same inputs; and the machine's speed plays no part.
fn calls(size: Option<u64>) -> u64 {
    let most = size.map_or(MOST_CALLS, |size| (WORK / size.max(1)).clamp(1, MOST_CALLS));
    1 << most.ilog2()
}

/// Counts cells.
struct Office<'a, T> {
    run: &'a Run,
    gear: &'a Gear,
    instrument: &'a Instrument,
    scratch: &'a Path,
    transport: T,
    bar: &'a ProgressBar,
}

impl<T: Transport> Office<'_, T> {
    /// Carries errands out, as many at a time as there are CPUs, and saves what is counted with every one. Whether it came to an end.
    fn carry_out(&self, errands: &[Errand], ledger: &Mutex<Ledger>, save: impl Fn(&[Count]) -> Result<(), StoreError> + Sync) -> bool {
        let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = || {
            while let Some(errand) = errands.get(next.fetch_add(1, Ordering::Relaxed))
                && !stopped.load(Ordering::Relaxed)
            {
                let carried_out = self.errand(errand, ledger);
                let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
                let saved = save(&ledger.counts);
                stopped.fetch_or(!carried_out || saved.is_err(), Ordering::Relaxed);
                ledger.trouble = ledger.trouble.take().or(saved.err());
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.run.environment.cpus.len().clamp(1, errands.len().max(1)) {
                scope.spawn(work);
            }
        });
        !stopped.into_inner()
    }

    /// Counts cells in one worker. Whether it came to an end.
    fn errand(&self, errand: &Errand, ledger: &Mutex<Ledger>) -> bool {
        let ledger = || ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let mut worker = None;
        for &id in &errand.cells {
            if ledger().counting.uncounted.contains_key(&id) {
                continue;
            }
            let cell = &self.run.cells[id as usize];
            let ready = worker.take().map_or_else(|| Counted::start(cell, self.gear, self.instrument, self.scratch, self.transport), Ok);
            let counted = ready.and_then(|mut counted| {
                let count = self.cell(&mut counted, cell, errand.generation)?;
                // After any trouble the next cell gets a worker that nothing has happened to.
                worker = Some(counted);
                Ok(count)
            });
            match counted {
                Ok(count) => ledger().counts.push(count),
                Err(NoCount::Because(why)) => drop(ledger().counting.uncounted.insert(id, why)),
                Err(NoCount::Interrupted) => return false,
            }
            self.bar.inc(1);
        }
        true
    }

    fn cell(&self, counted: &mut Counted<'_, T::Worker>, cell: &Cell, generation: u32) -> Result<Count, NoCount> {
        let contender = &self.gear.contenders[cell.id as usize];
        let loops = calls(self.run.cases[cell.case as usize].size);
        counted.ask(&Request::Prepare(contender.prepare.clone()))?;
        // Interpreters specialise what they have seen run; what is made or imported when it is first needed is made here.
        counted.ask(&Request::Verify { cell: cell.id, first: 0, count: Some(1) })?;
        counted.sample(contender, 2 * loops)?;
        let (instructions, empty) = counted.sample(contender, loops)?;
        let (instructions_twice, empty_twice) = counted.sample(contender, 2 * loops)?;
        counted.ask(&Request::Drop { cell: cell.id })?;
        Ok(Count { generation, cell: cell.id, loops, instructions, instructions_twice, empty, empty_twice })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_model::Comparison;
    use bindbench_store::synthetic::Synthetic;

    #[test]
    fn the_number_of_calls_follows_from_the_size_alone() {
        let sizes = [None, Some(0), Some(10), Some(5000), Some(1 << 16), Some(1 << 30)];
        assert_eq!(sizes.map(calls), [256, 256, 256, 8, 1, 1]);
    }

    /// `a/a` in a case with so many threads.
    fn run(threads: u32) -> Run {
        let mut made = Synthetic::new(1, 1);
        made.interpreter("3.13.0", &[]);
        made.lane("a/a", Comparison::AsPublished);
        let case = made.case("std.std", "ints", None, Some(5000), threads);
        made.cell(case, "a/a", Some("3.13.0"), 400_000.0);
        made.run
    }

    #[test]
    fn what_is_another_number_every_time_is_not_counted() {
        let words = |run: &Run| excuse(&run.cells[0], run).unwrap_or_default();
        assert_eq!(words(&run(1)), "");
        assert!(words(&run(2)).contains("GIL"));
        let mut changed = run(1);
        changed.lanes[0].parallel = Parallel::Processes;
        assert!(words(&changed).contains("other processes"));
        changed.lanes[0].parallel = Parallel::Threads;
        assert!(words(&changed).contains("its threads"));
        let mut changed = run(1);
        changed.interpreters[0].implementation = "pypy".into();
        assert!(words(&changed).starts_with("pypy compiles"));
    }

    #[test]
    fn what_would_run_into_the_limit_is_not_tried() {
        let run = run(1);
        // 16 calls of 0.4 ms, 30 times as long: 0.2 s.
        assert_eq!(too_slow(&run.cells[0], &run, 1_000_000_000, 30), None);
        assert!(too_slow(&run.cells[0], &run, 100_000_000, 30).is_some_and(|why| why.contains("--timeout")));
    }
}
