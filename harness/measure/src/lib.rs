//! Measuring: verification, calibration, and the run loop over generations and shuffled rounds; and counting instructions.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod again;
mod calibrate;
pub mod callgrind;
mod company;
pub mod contender;
mod count;
mod counted;
pub mod crew;
pub mod environment;
mod gate;
#[cfg_attr(not(target_os = "linux"), path = "hardware_elsewhere.rs")]
mod hardware;
pub mod instrument;
pub mod neighbours;
pub mod plan;
mod probe;
mod randomisation;
pub mod schedule;
mod start;
#[cfg(test)]
mod tests;
pub mod trouble;
mod unmet;
pub mod worker_session;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bindbench_files::lock::Lock;
use bindbench_model::{Cell, CellKey, Count, Run, RunState, Sample, Status};
use bindbench_protocol::{Reply, Request, Sample as Ask, Sampled};
use bindbench_setup::bar_style;
use bindbench_setup::receipt::sha256_of;
use bindbench_store::RunFolder;
use bindbench_worker::Transport;
pub use bindbench_worker::Watch;
use indicatif::ProgressBar;
use miette::Result;

use contender::Once;
pub use counted::WHILE_COUNTED;
use crew::{Crew, Gear, Introduction, post_of};
pub use gate::MOST_ROUNDS;
pub use plan::Dimensions;
pub use start::{Launches, Options, begin, lay_out, not_ready, resume};
use trouble::{Trouble, check, unexpected};
use worker_session::check_all;

/// A run that is being measured.
pub struct Session {
    run: Run,
    folder: RunFolder,
    gear: Gear,
    /// Rounds that are on disk already.
    done: BTreeSet<(u32, u32)>,
    /// The samples that were on disk when it was resumed.
    recorded: Vec<Sample>,
    /// Cells that take no part any more, although they have numbers.
    resting: BTreeSet<u32>,
    /// Instructions counted so far.
    counts: Vec<Count>,
    /// File name of the shared kernels library, by which it is known among what workers have mapped.
    kernels_name: OsString,
    /// Nobody changes what set-up has built meanwhile.
    build: Option<Arc<Lock>>,
    /// Others that measure at the same time have it, too.
    company: Option<Lock>,
}

/// How measuring ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All planned rounds are on disk.
    Finished,
    /// The user pressed Ctrl-C; the run can be resumed.
    Interrupted,
}

impl Session {
    /// The run's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What keeps other drivers away, for the guard.
    pub fn locks(&self) -> Vec<&Lock> {
        std::iter::once(self.folder.its_lock()).chain(self.build.as_deref()).collect()
    }

    /// The run, as far as it has come.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The instructions that were counted.
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// Calibrates what is not calibrated yet, then takes all rounds that are not on disk yet, and counts instructions where that is asked for.
    ///
    /// # Errors
    /// When the disk refuses, or what counts is missing.
    pub fn measure(&mut self, options: &Options, transport: impl Transport) -> Result<Outcome> {
        let (add_twins, fit): (plan::Step, plan::Step) =
            if self.run.is_timed() { (plan::add_twins, plan::fit) } else { (|_| (), plan::without_rounds) };
        if !self.is_prepared() && self.prepare(options, transport, add_twins, fit)? == Outcome::Interrupted {
            return Ok(Outcome::Interrupted);
        }
        if self.take_rounds(transport)? == Outcome::Interrupted || self.count(transport)? == Outcome::Interrupted {
            return Ok(Outcome::Interrupted);
        }
        self.finish()?;
        Ok(Outcome::Finished)
    }

    /// Takes all rounds that are not on disk yet.
    fn take_rounds(&mut self, transport: impl Transport) -> Result<Outcome> {
        let total_ms = self.run.cells.iter().map(|cell| plan::cost_ns(cell, &self.run) / 1_000_000 * u64::from(cell.rounds));
        let bar = ProgressBar::new(total_ms.fold(0, u64::saturating_add).saturating_mul(self.run.plan.generations.into()));
        bar.set_style(bar_style("ms of samples, {msg}"));
        for generation in 0..self.run.plan.generations {
            if self.generation(generation, transport, &bar, &mut Vec::new())? == Outcome::Interrupted {
                bar.abandon();
                return self.stop();
            }
        }
        bar.finish_and_clear();
        Ok(Outcome::Finished)
    }

    /// Whether all cells are calibrated, and their rounds planned.
    pub fn is_prepared(&self) -> bool {
        !(self.done.is_empty() && self.run.cells.iter().any(|cell| cell.status == Status::Pending))
    }

    /// Calibrates all cells, gives some of them twins, and plans the rounds of each.
    fn prepare(&mut self, options: &Options, transport: impl Transport, add_twins: fn(&mut Run), fit: fn(&mut Run)) -> Result<Outcome> {
        if self.calibrate(options, transport)? == Outcome::Interrupted {
            return self.stop();
        }
        add_twins(&mut self.run);
        for twin in self.gear.contenders.len()..self.run.cells.len() {
            let cell = &self.run.cells[twin];
            let original =
                self.run.cells.iter().find(|other| {
                    !other.twin && (other.case, &other.lane, &other.interpreter) == (cell.case, &cell.lane, &cell.interpreter)
                });
            let mut contender = self.gear.contenders[original.map_or(0, |original| original.id as usize)].clone();
            contender.prepare.cell = cell.id;
            self.gear.contenders.push(contender);
        }
        fit(&mut self.run);
        for (cell, contender) in self.run.cells.iter_mut().zip(&self.gear.contenders) {
            cell.rounds = contender.once.map_or(cell.rounds, |once| cell.rounds.min(once.most_rounds()));
        }
        self.note_memory();
        self.folder.save(&self.run)?;
        Ok(Outcome::Finished)
    }

    /// Writes that all is on disk.
    fn finish(&mut self) -> Result<()> {
        self.run.state = RunState::Finished;
        self.run.environment.load_after = Some(environment::load());
        Ok(self.folder.save(&self.run)?)
    }

    fn stop(&mut self) -> Result<Outcome> {
        self.run.state = RunState::Interrupted;
        self.folder.save(&self.run)?;
        Ok(Outcome::Interrupted)
    }

    fn calibrate(&mut self, options: &Options, transport: impl Transport) -> Result<Outcome> {
        let known = start::known_loops(options.loops_from.as_deref())?;
        let bar = ProgressBar::new(self.run.cells.len() as u64).with_style(bar_style("verified and calibrated, {msg}"));
        // Generation numbers begin at 0: this one's workers take no samples.
        let mut introductions = Vec::new();
        let mut by_post: BTreeMap<crew::Post, Vec<usize>> = BTreeMap::new();
        for cell in &self.run.cells {
            by_post.entry(post_of(cell)).or_default().push(cell.id as usize);
        }
        for cells in by_post.values() {
            let mut crew = Crew::new(&self.gear, u32::MAX, schedule::hash_seed(self.run.seed, u32::MAX), transport);
            // Cells that differ in threads only have the same fresh inputs, which are fresh once.
            let mut remembered = BTreeMap::new();
            for &at in cells {
                let cell = self.run.cells[at].clone();
                bar.set_message(cell.lane.clone());
                let found = match known.get(&CellKey::of(&cell, &self.run)) {
                    Some(&loops) => calibrate::adopt(&mut crew, &cell, loops),
                    None => calibrate::calibrate(&mut crew, &cell),
                };
                crew.drop_inputs(&cell);
                let case = &self.run.cases[cell.case as usize];
                let key = (&case.workload, &case.operation, &case.input, case.size);
                let found = found.and_then(|(loops, sample_ns)| {
                    let remembers = match remembered.get(&key) {
                        Some(&known) => known,
                        None => probe::remembers(&mut crew, &cell, sample_ns / loops.max(1))?,
                    };
                    remembered.insert(key, remembers);
                    Ok((loops, sample_ns, remembers))
                });
                let cell = &mut self.run.cells[at];
                match found {
                    Ok((loops, sample_ns, remembers)) => {
                        (cell.loops, cell.sample_ns, cell.remembers, cell.status) = (loops, sample_ns, remembers, Status::Ok);
                    }
                    Err(Trouble::Cell(status)) => cell.status = status,
                    Err(Trouble::Interrupted) => return Ok(Outcome::Interrupted),
                }
                bar.inc(1);
            }
            introductions.append(&mut crew.introductions);
            crew.dismiss();
        }
        self.note_endings(transport);
        self.note_introductions(&introductions);
        bar.finish_and_clear();
        Ok(Outcome::Finished)
    }

    /// Keeps what workers saw from inside: the state of the GIL, and the very file of the kernels that they mapped.
    fn note_introductions(&mut self, introductions: &[Introduction]) {
        let mut digests: BTreeMap<&PathBuf, Option<String>> = BTreeMap::new();
        for Introduction { post: (lane, interpreter, _), loaded } in introductions {
            if let Some(interpreter) = self.run.interpreters.iter_mut().find(|known| Some(&known.name) == interpreter.as_ref()) {
                interpreter.gil_enabled = loaded.gil_enabled.or(interpreter.gil_enabled);
            }
            let Some(mapped) = loaded.libraries.iter().find(|path| path.file_name() == Some(&self.kernels_name)) else {
                continue;
            };
            // What a worker says is not believed: it may be no file, or none that ends.
            let digest = digests.entry(mapped).or_insert_with(|| sha256_of(mapped).ok());
            if digest.is_none() {
                self.run.notes.push(format!("{lane} says that it has mapped {}, which can't be read.", mapped.display()));
            }
            let receipts = self.run.lanes.iter_mut().filter(|known| known.id == *lane).flat_map(|known| &mut known.receipts);
            for receipt in receipts.filter(|receipt| receipt.interpreter == *interpreter) {
                receipt.kernels_sha256.clone_from(digest);
            }
        }
    }

    /// Says which lanes left something behind, and who else measured.
    fn note_endings(&mut self, transport: impl Transport) {
        let company = self.company.as_ref().map(company::notes).unwrap_or_default();
        for note in transport.take_notes().into_iter().chain(company) {
            // A run that was resumed may say so already.
            if !self.run.notes.contains(&note) {
                self.run.notes.push(note);
            }
        }
    }

    fn note_memory(&mut self) {
        let resident: Vec<u64> = self.gear.contenders.iter().map(|contender| contender.resident_bytes).collect();
        let available = environment::available_memory();
        let alone = plan::put_large_ones_alone(&mut self.run.cells, &resident, available);
        if alone > 0 {
            self.run.notes.push(format!(
                "{alone} cells were scheduled alone: their inputs do not fit into memory beside the others', so they are made before and \
                 dropped after every sample."
            ));
        }
    }

    /// The cells that have numbers and don't rest.
    fn live(&self) -> impl Iterator<Item = &Cell> {
        self.run.cells.iter().filter(|cell| cell.status.has_number() && !self.resting.contains(&cell.id))
    }

    /// The rounds of a generation that are not on disk yet.
    fn missing_rounds(&self, generation: u32) -> Vec<u32> {
        let planned = self.live().map(|cell| cell.rounds).max().unwrap_or(0);
        (0..planned).filter(|&round| !self.done.contains(&(generation, round))).collect()
    }

    /// One generation of all cells that don't rest. Its samples, which are on disk then, are added to `taken`.
    fn generation(&mut self, generation: u32, transport: impl Transport, bar: &ProgressBar, taken: &mut Vec<Sample>) -> Result<Outcome> {
        let rounds = self.missing_rounds(generation);
        let Self { run, folder, gear, done, resting, .. } = self;
        if rounds.is_empty() {
            return Ok(Outcome::Finished);
        }
        let mut crew = Crew::new(gear, generation, schedule::hash_seed(run.seed, generation), transport);
        let mut known_live = plan::live(run);
        let place = format!("generation {} of {}", generation + 1, run.plan.generations);
        bar.set_message(format!("{place}: starting workers"));
        let beginning = schedule::beginning(&run.cells, run.seed, generation);
        if warm_up(&mut crew, &mut run.cells, &beginning, resting) == Outcome::Interrupted {
            return Ok(Outcome::Interrupted);
        }
        for round in rounds {
            bar.set_message(format!("{place}, round {} of {}", round + 1, run.plan.rounds));
            let mut drawn = schedule::round(&run.cells, run.seed, generation, round);
            drawn.order.retain(|id| !resting.contains(id));
            let mut samples = Vec::with_capacity(drawn.order.len());
            for (position, &id) in drawn.order.iter().enumerate() {
                let cell = run.cells[id as usize].clone();
                let place = Place { generation, round, position: position as u32 };
                let first = crew.gear.contenders[id as usize].once.map_or(drawn.first, |once| once.first(round));
                match sample(&mut crew, &cell, cell.loops, first) {
                    Ok((taken, verdict)) => {
                        samples.push(place.row(&cell, &taken, verdict.is_ok()));
                        if let Err(status) = verdict {
                            run.cells[id as usize].status = status;
                        }
                    }
                    Err(Trouble::Cell(status)) => run.cells[id as usize].status = status,
                    Err(Trouble::Interrupted) => return Ok(Outcome::Interrupted),
                }
                if cell.alone {
                    crew.drop_inputs(&cell);
                }
                bar.inc(plan::cost_ns(&cell, run) / 1_000_000);
            }
            if plan::live(run) < known_live {
                // Before the round: should the driver be killed between the two, what went wrong is not forgotten.
                folder.save(run)?;
                known_live = plan::live(run);
            }
            folder.append_round(&samples)?;
            taken.append(&mut samples);
            done.insert((generation, round));
        }
        run.workers.extend(crew.dismiss());
        self.note_endings(transport);
        self.folder.save(&self.run)?;
        Ok(Outcome::Finished)
    }
}

/// Where in the run a sample was taken.
struct Place {
    generation: u32,
    round: u32,
    position: u32,
}

impl Place {
    fn row(&self, cell: &Cell, taken: &Sampled, digest_ok: bool) -> Sample {
        let Self { generation, round, position } = *self;
        let elapsed_ns = taken.elapsed_ns.max(1);
        Sample { generation, round, position, cell: cell.id, loops: cell.loops, elapsed_ns, empty_ns: taken.empty_ns, digest_ok }
    }
}

/// Starts all workers of a generation, makes all inputs that stay, and calls everything that is quick for a moment: interpreters
/// specialise and compile what they have seen run.
fn warm_up(crew: &mut Crew<impl Transport>, cells: &mut [Cell], order: &[u32], resting: &BTreeSet<u32>) -> Outcome {
    for &id in order {
        let cell = &mut cells[id as usize];
        if !cell.status.has_number() || cell.alone || resting.contains(&id) {
            continue;
        }
        let slow = u128::from(cell.sample_ns) > plan::SLOW.as_nanos();
        let spare = crew.gear.contenders[cell.id as usize].once.is_none_or(Once::has_warm_up);
        let warmed = if slow || !spare {
            crew.ready(cell)
        } else {
            let first = if crew.is_new_to(cell) { first_call(crew, cell) } else { Ok(()) };
            first.and_then(|()| sample(crew, cell, plan::warm_up_loops(cell), 0)).and_then(|(_, verdict)| verdict.map_err(Trouble::Cell))
        };
        match warmed {
            Ok(()) => {}
            Err(Trouble::Cell(status)) => cell.status = status,
            Err(Trouble::Interrupted) => return Outcome::Interrupted,
        }
    }
    Outcome::Finished
}

/// A worker's first call in a workload, by itself: the crew keeps what it takes.
fn first_call(crew: &mut Crew<impl Transport>, cell: &Cell) -> Result<(), Trouble> {
    let contender = &crew.gear.contenders[cell.id as usize];
    match crew.ask(cell, &Request::Verify { cell: cell.id, first: 0, count: Some(1) })? {
        Reply::Verified { answers, .. } => check_all(contender, 0, 1, answers),
        other => Err(unexpected(&other)),
    }
}

/// One sample of a cell, and whether its last answer (checked outside of the timed span) is right; if not, the status it gets.
fn sample(crew: &mut Crew<impl Transport>, cell: &Cell, loops: u64, first: usize) -> Result<(Sampled, Result<(), Status>), Trouble> {
    let contender = &crew.gear.contenders[cell.id as usize];
    let first = first % contender.expected.len().max(1);
    crew.ready(cell)?;
    let request = Ask { cell: cell.id, loops, first, empty: contender.net_of_loop, cpus: crew.move_to(cell) };
    let asked = Instant::now();
    match crew.ask(cell, &Request::Sample(request))? {
        // Both clocks are the system's monotonic one.
        Reply::Sampled(sampled) if u128::from(sampled.elapsed_ns) > asked.elapsed().as_nanos() => {
            let detail = format!("the worker says that a sample took {} ns, and answered sooner", sampled.elapsed_ns);
            Err(Trouble::Cell(Status::Raised { detail }))
        }
        Reply::Sampled(sampled) if !sampled.answers.is_empty() => {
            let mut verdict = sampled.answers.iter().try_for_each(|last| check(contender, last.item, &last.answer));
            match probe::still_calls(crew, cell, first) {
                Ok(()) => {}
                Err(Trouble::Cell(status)) if matches!(status, Status::Wrong { .. }) => verdict = verdict.and(Err(status)),
                Err(trouble) => return Err(trouble),
            }
            Ok((sampled, verdict))
        }
        other => Err(unexpected(&other)),
    }
}
