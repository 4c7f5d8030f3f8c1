//! The beginning of a run: from a selection and what is ready, to cells; and the same from the folder of a run that was stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bindbench_catalog::{Catalog, Lane, Matrix, Preset, Selection};
use bindbench_model::{
    Cell, CellKey, Count, Counter, Counting, Declared, LaneRecord, Plan, ReceiptRecord, Run, RunState, SCHEMA, Sample, Skipped, Status,
    WorkloadRecord, shell,
};
use bindbench_setup::Workshop;
use bindbench_setup::build::State;
use bindbench_setup::checkout::commit_of;
use bindbench_setup::frozen::Frozen;
use bindbench_setup::imports::Imports;
use bindbench_setup::inputs::digests as digests_of;
use bindbench_setup::interpreters::Interpreter;
use bindbench_setup::launch::{launch, launch_from};
use bindbench_setup::receipt::{Receipt, sha256_of};
use bindbench_store::{Recorded, RunFolder};
use bindbench_worker::{Launch, Limits, telling_variables};
use miette::{Result, miette};
use rand::RngExt;

use super::Session;
use super::again::{differences, same_imports, same_machine, same_programs};
use super::company;
use super::contender::{Contender, Pools, check_room, contender};
use super::count::planned;
use super::crew::Gear;
use super::environment::{allowed_cpus, environment};
use super::instrument::Instrument;
use super::plan::Dimensions;
use super::unmet::unmet;

/// How to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which sizes, and how much time.
    pub preset: Preset,
    /// Instead of the preset's.
    pub generations: Option<u32>,
    /// Instead of as many as fit the budget.
    pub rounds: Option<u32>,
    /// Instead of the preset's.
    pub budget: Option<Duration>,
    /// Instead of a random one.
    pub seed: Option<u64>,
    /// Limits on each request to a worker.
    pub limits: Limits,
    /// A run whose numbers of loops are taken over.
    pub loops_from: Option<PathBuf>,
    /// Every lane gets an A/A twin, not only one of each case.
    pub twins: bool,
    /// What is measured; never empty.
    pub counters: Vec<Counter>,
}

impl Options {
    /// What is asked for. It goes into the run before the first sample, so that a run that is stopped while it calibrates goes on
    /// as it was begun.
    fn plan(&self) -> Plan {
        let preset = Dimensions::of(self.preset);
        Plan {
            generations: self.generations.unwrap_or(preset.generations),
            rounds: self.rounds.unwrap_or(preset.rounds),
            budget_s: self.budget.unwrap_or(preset.budget).as_secs_f64(),
            fixed_rounds: self.rounds.is_some(),
            all_twins: self.twins,
            resumed: Vec::new(),
            counters: self.counters.clone(),
        }
    }

    /// How instructions are to be counted, if they are. A run that only counts has as many generations of that as are asked for.
    fn counting(&self) -> Result<Option<Counting>> {
        let generations = self.generations.filter(|_| !self.counters.contains(&Counter::Time));
        Ok(Instrument::of(&self.counters)?.map(|instrument| planned(&instrument, generations)))
    }
}

/// Starts a run of what is spanned: leaves out what is not ready with the reason, makes the inputs and the run's folder.
///
/// # Errors
/// When nothing selected is ready, or the disk refuses.
pub fn begin(
    workshop: &Workshop,
    selection: &Selection,
    spanned: Matrix,
    options: &Options,
    runs: &Path,
    command: Vec<String>,
) -> Result<Session> {
    let (mut run, ready) = laid_out(workshop, selection, spanned, options, command)?;
    let contenders = contenders(&mut run, workshop)?;
    let measured = ready.freeze(workshop, &run)?;
    for lane in &mut run.lanes {
        let id = lane.id.clone();
        for receipt in &mut lane.receipts {
            let imports = measured.imports.get(&(id.clone(), receipt.interpreter.clone()));
            receipt.imports = imports.map(|imports| imports.digests.clone()).unwrap_or_default();
        }
    }
    let folder = RunFolder::create(runs, &run)?;
    session(run, folder, contenders, measured, options, workshop, (Vec::new(), Vec::new()))
}

/// What was asked for by name and can't be measured as things are, with the reason.
///
/// # Errors
/// When a selection matches nothing.
pub fn not_ready(workshop: &Workshop, selection: &Selection) -> Result<Vec<String>> {
    let lanes = selection.lanes(&workshop.catalog)?;
    let interpreters = workshop.interpreters(&selection.pythons, &lanes)?;
    let mut ready = Ready::default();
    lanes.iter().try_for_each(|lane| ready.look(workshop, lane, &interpreters))?;
    let posts = ready.launches.into_keys().collect();
    Ok(unmet(selection, &workshop.catalog, &interpreters, &posts, &ready.skipped)?)
}

/// How to start the worker of a lane for an interpreter (none for a native lane).
pub type Launches = BTreeMap<(String, Option<String>), Launch>;

/// A run in which nothing is measured yet: the cells of what is spanned and ready, with the reason for what is not. Nothing is written.
///
/// # Errors
/// When a selection matches nothing, or nothing selected is ready.
pub fn lay_out(
    workshop: &Workshop,
    selection: &Selection,
    spanned: Matrix,
    options: &Options,
    command: Vec<String>,
) -> Result<(Run, Launches)> {
    laid_out(workshop, selection, spanned, options, command).map(|(run, ready)| (run, ready.launches))
}

fn laid_out(workshop: &Workshop, selection: &Selection, spanned: Matrix, options: &Options, command: Vec<String>) -> Result<(Run, Ready)> {
    let lanes = selection.contenders(&workshop.catalog)?;
    let interpreters = workshop.interpreters(&selection.pythons, &lanes)?;
    let cpus = allowed_cpus();
    let mut ready = Ready::default();
    for lane in &lanes {
        ready.look(workshop, lane, &interpreters)?;
    }
    ready.skipped.extend(spanned.skipped);
    let mut cells = Vec::new();
    for wanted in &spanned.wanted {
        for (lane, interpreter) in ready.launches.keys().filter(|(lane, _)| *lane == wanted.lane) {
            cells.push(Cell {
                id: cells.len() as u32,
                case: wanted.case,
                lane: lane.clone(),
                interpreter: interpreter.clone(),
                twin: false,
                loops: 0,
                sample_ns: 0,
                rounds: 0,
                alone: false,
                remembers: None,
                status: Status::Pending,
            });
        }
    }
    if cells.is_empty() {
        // The lanes of a strategy have one build.
        let mut reasons: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for skipped in &ready.skipped {
            reasons.entry(&skipped.reason).or_default().insert(&skipped.lane);
        }
        let reasons = reasons.iter().map(|(reason, lanes)| format!("{}: {reason}", lanes.iter().copied().collect::<Vec<_>>().join(", ")));
        let reasons = reasons.collect::<Vec<_>>().join("\n");
        let help = if ready.to_be_built {
            "`bindbench setup` with the same -s, -p and --catalog builds what is selected; `bindbench doctor` says what is missing"
        } else {
            "`bindbench doctor` says what is missing; where a build failed, mend it, and `bindbench setup` tries it again"
        };
        return Err(miette!(help = help, "nothing selected is ready to be measured\n{reasons}"));
    }
    let used: BTreeSet<&str> = cells.iter().map(|cell| cell.lane.as_str()).collect();
    let posts = cells.iter().map(|cell| (cell.lane.clone(), cell.interpreter.clone())).collect();
    let unmet = unmet(selection, &workshop.catalog, &interpreters, &posts, &ready.skipped)?;
    let started = jiff::Timestamp::now();
    let mut random = rand::rng();
    let run = Run {
        schema: SCHEMA,
        bindbench: env!("CARGO_PKG_VERSION").to_owned(),
        id: format!("{}-{:04x}", started.strftime("%Y%m%dT%H%M%SZ"), random.random::<u16>()),
        command,
        preset: options.preset.to_string(),
        seed: options.seed.unwrap_or_else(|| random.random::<u32>().into()),
        started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        state: RunState::Running,
        plan: options.plan(),
        environment: environment(&workshop.tools, cfg!(target_os = "linux")),
        interpreters: interpreters.iter().map(record).collect(),
        kernels_sha256: sha256_of(&workshop.layout.kernels_library()).ok(),
        workloads: workshop
            .catalog
            .workloads
            .iter()
            .map(|workload| WorkloadRecord {
                name: workload.name.clone(),
                summary: workload.summary.clone(),
                baseline_controlled: workload.baseline.controlled.clone(),
                baseline_published: workload.baseline.published.clone(),
                inputs: workload.inputs.iter().map(|(name, input)| (name.clone(), input.made_of())).collect(),
            })
            .collect(),
        lanes: lanes.iter().filter(|lane| used.contains(lane.id.as_str())).map(|lane| ready.record(lane, &workshop.catalog)).collect(),
        cases: spanned.cases,
        cells,
        skipped: std::mem::take(&mut ready.skipped),
        inputs: BTreeMap::new(),
        workers: Vec::new(),
        notes: notes(&cpus),
        counting: options.counting()?,
        unmet,
        gate: None,
    };
    Ok((run, ready))
}

/// Opens a run that was stopped, to take the rounds that it lacks.
///
/// # Errors
/// When the folder is no run or another driver is at it; when this is another machine, or what it measured has changed since: one run is one
/// machine and one build. The folder is as it was then.
pub fn resume(workshop: &Workshop, folder: &Path, options: &Options) -> Result<Session> {
    let lock = RunFolder::lock(folder)?;
    let begun = Recorded::read(folder)?.run;
    let now = environment(&workshop.tools, begun.environment.pinned);
    let interpreters: Vec<bindbench_model::Interpreter> = workshop.found.iter().map(record).collect();
    let kernels_sha256 = sha256_of(&workshop.layout.kernels_library()).ok();
    same_machine(&begun, &now).and_then(|()| same_programs(&begun, &interpreters, kernels_sha256.as_deref())).map_err(unlike)?;
    let ready = Ready::again(workshop, &begun)?;
    let measured = ready.freeze(workshop, &begun)?;
    let unknown = same_imports(&begun, &measured.imports).map_err(unlike)?;
    let (folder, Recorded { mut run, samples, counts, .. }) = RunFolder::resume_locked(folder, lock)?;
    let notes: Vec<String> = differences(&run, &now).into_iter().chain(unknown).filter(|note| !run.notes.contains(note)).collect();
    run.notes.extend(notes);
    run.plan.generations = run.gate.as_ref().map_or(run.plan.generations, |_| options.plan().generations);
    run.state = RunState::Running;
    run.plan.resumed.push(jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let contenders = contenders(&mut run, workshop)?;
    if let Some((input, _)) = begun.inputs.iter().find(|(input, digest)| run.inputs.get(*input) != Some(digest)) {
        return Err(unlike(format!("the input {input} has other contents than when the run began")));
    }
    folder.save(&run)?;
    session(run, folder, contenders, measured, options, workshop, (samples, counts))
}

fn unlike(what: String) -> miette::Report {
    miette!(help = "start a new run, or check out what it was begun with; `bindbench report` still shows what this one has", "{what}")
}

/// What a run measures: copies of sources, how workers are started from them, and what they import.
struct Measured {
    launches: Launches,
    imports: BTreeMap<(String, Option<String>), Imports>,
    frozen: Frozen,
}

fn session(
    run: Run,
    folder: RunFolder,
    contenders: Vec<Contender>,
    Measured { mut launches, imports, frozen }: Measured,
    options: &Options,
    workshop: &Workshop,
    (recorded, counts): (Vec<Sample>, Vec<Count>),
) -> Result<Session> {
    // A worker's import time and memory are to be those of what it is measured for.
    for launch in launches.values_mut() {
        launch.load.modules.retain(|workload, _| run.cases.iter().any(|case| case.workload == *workload));
    }
    let logs = folder.path().join(bindbench_worker::LOGS);
    std::fs::create_dir_all(&logs).map_err(|error| miette!("can't make {}: {error}", logs.display()))?;
    let kernels_name = workshop.layout.kernels_library().file_name().unwrap_or_default().to_owned();
    Ok(Session {
        run,
        folder,
        gear: Gear { launches, imports, frozen, contenders, limits: options.limits, logs },
        build: workshop.lock(),
        company: company::join(),
        done: recorded.iter().map(|sample| (sample.generation, sample.round)).collect(),
        recorded,
        resting: BTreeSet::new(),
        counts,
        kernels_name,
    })
}

/// What belongs to each cell; the digests of the inputs go into the run.
fn contenders(run: &mut Run, workshop: &Workshop) -> Result<Vec<Contender>> {
    check_room(run, &workshop.catalog, &workshop.layout)?;
    let mut pools = Pools::default();
    let contenders =
        run.cells.iter().map(|cell| contender(cell, run, &workshop.catalog, &mut pools, &workshop.layout)).collect::<Result<_>>()?;
    run.inputs = digests_of(&pools.all())?;
    Ok(contenders)
}

/// The lanes that can be measured, and why the others can't.
#[derive(Default)]
struct Ready {
    launches: Launches,
    receipts: BTreeMap<(String, Option<String>), Receipt>,
    skipped: Vec<Skipped>,
    /// Something of it could be built here, and is not.
    to_be_built: bool,
    /// The commit that the strategies in a folder were checked out from.
    commits: BTreeMap<PathBuf, Option<String>>,
}

impl Ready {
    fn look(&mut self, workshop: &Workshop, lane: &Lane, interpreters: &[Interpreter]) -> Result<()> {
        if let Some(catalog) = workshop.catalog.strategy_of(lane).and_then(|strategy| strategy.folder.parent()) {
            self.commits.entry(catalog.to_owned()).or_insert_with(|| commit_of(catalog));
        }
        let native = [None];
        let each: Vec<Option<&Interpreter>> = if lane.is_native() { native.to_vec() } else { interpreters.iter().map(Some).collect() };
        for interpreter in each {
            let name = interpreter.map(|interpreter| interpreter.name.clone());
            let state = workshop.state(lane, interpreter);
            self.to_be_built |= matches!(state, State::Stale(_) | State::Unbuilt);
            let reason = match state {
                State::Ready(receipt) => {
                    self.launches.insert((lane.id.clone(), name.clone()), launch(workshop, lane, interpreter, &receipt)?);
                    self.receipts.insert((lane.id.clone(), name), *receipt);
                    continue;
                }
                State::Skipped(reason) | State::Failed(reason) => reason,
                State::Stale(reason) => format!("stale: {reason}; `bindbench setup` builds it anew"),
                State::Unbuilt => "not set up; `bindbench setup` builds it".to_owned(),
            };
            self.skipped.push(Skipped { lane: lane.id.clone(), interpreter: name, operation: None, reason });
        }
        Ok(())
    }

    /// The lanes of a run that was begun before, as they were built then.
    fn again(workshop: &Workshop, begun: &Run) -> Result<Self> {
        let mut ready = Self::default();
        let is_known = |found: &&Interpreter| begun.interpreters.iter().any(|known| known.name == found.name);
        let interpreters: Vec<Interpreter> = workshop.found.iter().filter(is_known).cloned().collect();
        for known in &begun.lanes {
            let lane = workshop.catalog.lanes().find(|lane| lane.id == known.id);
            let lane = lane.ok_or_else(|| {
                let command = shell(&begun.command);
                miette!(
                    help = format!("where its folder is still there, name it again with --catalog; the run was begun by `{command}`"),
                    "the catalog has no lane {}, so the run {} can't be resumed",
                    known.id,
                    begun.id
                )
            })?;
            ready.look(workshop, lane, &interpreters)?;
            for receipt in &known.receipts {
                if ready.receipts.get(&(known.id.clone(), receipt.interpreter.clone())).map(digests) != Some(receipt.artifacts.clone()) {
                    let why = ready.skipped.iter().find(|skipped| skipped.lane == known.id && skipped.interpreter == receipt.interpreter);
                    let why = why.map(|skipped| format!(" ({})", skipped.reason)).unwrap_or_default();
                    return Err(unlike(format!(
                        "{} has been built anew since the run began, or is gone{why}: one run is one build",
                        known.id
                    )));
                }
            }
        }
        Ok(ready)
    }

    /// Copies the sources of a run's lanes.
    fn freeze(&self, workshop: &Workshop, run: &Run) -> Result<Measured> {
        let mut measured = Measured { launches: Launches::new(), imports: BTreeMap::new(), frozen: Frozen::of(&workshop.layout, &run.id)? };
        for (post, receipt) in self.receipts.iter().filter(|((id, _), _)| run.lanes.iter().any(|lane| lane.id == *id)) {
            let lane = workshop.catalog.lane(&post.0)?;
            let strategy = workshop.catalog.strategy_of(lane).ok_or_else(|| miette!("{} belongs to no strategy", lane.id))?;
            let interpreter = workshop.found.iter().find(|found| Some(&found.name) == post.1.as_ref());
            let imports = Imports::of((lane, strategy), interpreter, receipt, &workshop.layout, &mut measured.frozen)?;
            let sources = measured.frozen.strategy(strategy)?;
            let launch = launch_from(workshop, (lane, &sources), interpreter, receipt, &measured.frozen.worker())?;
            measured.imports.insert(post.clone(), imports);
            measured.launches.insert(post.clone(), launch);
        }
        Ok(measured)
    }

    fn record(&self, lane: &Lane, catalog: &Catalog) -> LaneRecord {
        LaneRecord {
            id: lane.id.clone(),
            summary: lane.summary.clone(),
            comparison: lane.comparison,
            kernel: lane.kernel.clone(),
            binding: lane.binding.clone(),
            gil: lane.gil,
            parallel: lane.parallel,
            declared: declared(lane, catalog),
            commit: catalog.strategy_of(lane).and_then(|strategy| self.commits.get(strategy.folder.parent()?)?.clone()),
            receipts: self
                .receipts
                .iter()
                .filter(|((id, _), _)| *id == lane.id)
                .map(|((_, interpreter), receipt)| ReceiptRecord {
                    interpreter: interpreter.clone(),
                    artifacts: digests(receipt),
                    imports: BTreeMap::new(),
                    kernels_sha256: None,
                    build: Some(receipt.for_the_run()),
                })
                .collect(),
        }
    }
}

/// What a manifest says of a lane, workload by workload.
fn declared(lane: &Lane, catalog: &Catalog) -> Declared {
    let copies = catalog.workloads.iter().map(|workload| (workload.name.clone(), lane.copies.of(&workload.name)));
    let strategy = catalog.strategy_of(lane);
    let implementations = lane.implementations.as_ref().or(strategy.map(|strategy| &strategy.implementations));
    Declared {
        copies: copies.filter(|(workload, copies)| !copies.is_empty() && lane.has(workload, "").unwrap_or(false)).collect(),
        unchecked: lane.unchecked.clone(),
        python: strategy.filter(|_| !lane.is_native()).map(|strategy| strategy.python.to_string()).unwrap_or_default(),
        implementations: implementations.filter(|_| !lane.is_native()).cloned().unwrap_or_default(),
    }
}

/// File name → SHA-256 of what a build left.
fn digests(receipt: &Receipt) -> BTreeMap<String, String> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    receipt.artifacts.iter().map(|artifact| (name(&artifact.path), artifact.sha256.clone())).collect()
}

fn record(interpreter: &Interpreter) -> bindbench_model::Interpreter {
    bindbench_model::Interpreter {
        name: interpreter.name.clone(),
        implementation: interpreter.implementation.clone(),
        version: interpreter.description.clone(),
        flags: interpreter.flags.clone(),
        libpython: interpreter.libpython.clone(),
        gil_enabled: None,
    }
}

fn notes(cpus: &[usize]) -> Vec<String> {
    let mut notes = Vec::new();
    if !cfg!(target_os = "linux") {
        notes.push("This system has no way to pin a process to a CPU: expect wider intervals.".to_owned());
    }
    if cpus.len() < 2 {
        notes.push("One CPU only: the driver shares it with what it measures, and no case has more than one thread.".to_owned());
    }
    // `cargo run` sets the search path of libraries for whatever it starts.
    let set = telling_variables().into_iter().filter(|(name, _)| !name.ends_with("LIBRARY_PATH"));
    notes.extend(set.map(|(name, value)| format!("{name}={value} was set for the workers.")));
    notes
}

/// The numbers of loops of an earlier run, by cell.
pub(super) fn known_loops(run: Option<&Path>) -> Result<BTreeMap<CellKey, u64>> {
    let Some(folder) = run else { return Ok(BTreeMap::new()) };
    let recorded = Recorded::read(folder)?;
    let run = &recorded.run;
    Ok(run.cells.iter().filter(|cell| cell.loops > 0 && !cell.twin).map(|cell| (CellKey::of(cell, run), cell.loops)).collect())
}
