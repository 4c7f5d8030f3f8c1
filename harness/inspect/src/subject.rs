//! What is profiled: cells that are ready, each with all that its worker needs.

use bindbench_catalog::{Catalog, CatalogError, Matrix, Preset, Selection, Size, matrix, matrix_of_cases, matrix_to_profile};
use bindbench_measure::contender::{Contender, Pools, check_room, contender};
use bindbench_measure::environment::allowed_cpus;
use bindbench_measure::{Launches, Options, lay_out};
use bindbench_model::profile::{Profile, ProfiledCell, SCHEMA};
use bindbench_model::{Case, Cell, Run, Unit, time_only};
use bindbench_setup::Workshop;
use bindbench_worker::{Launch, Limits};
use miette::{Result, miette};

use super::class::Owners;

/// A cell to look at.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The cell; its ids mean nothing outside of this list.
    pub cell: Cell,
    /// Its case.
    pub case: Case,
    /// Its inputs and the right answers.
    pub contender: Contender,
    /// How to start its worker.
    pub launch: Launch,
    /// Whose code its frames are.
    pub owners: Owners,
    /// Its interpreter counts references, and asks for the GIL after a switch interval. True without Python.
    pub is_cpython: bool,
}

impl Subject {
    /// What a profile says of it before anything was looked at.
    pub fn unseen(&self) -> ProfiledCell {
        ProfiledCell {
            case: self.case.clone(),
            lane: self.cell.lane.clone(),
            interpreter: self.cell.interpreter.clone(),
            at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            status: bindbench_model::Status::Ok,
            stacks: None,
            gil: None,
            memory: None,
        }
    }

    /// Memory that one unit of the input's size takes by itself: a byte, or a number of 8 bytes.
    pub fn bytes_of_item(&self) -> u64 {
        match self.case.unit {
            Unit::Bytes => 1,
            Unit::Items => 8,
        }
    }

    /// The case as its workload's file has it: `find_all of talk`.
    pub fn title(&self) -> String {
        let Case { workload, operation, input, size, unit, threads, .. } = &self.case;
        let size = size.map(|size| match unit {
            Unit::Bytes => format!(", {}", Size(size)),
            Unit::Items => format!(", {size} items"),
        });
        let size = size.unwrap_or_default();
        let threads = if *threads == 1 { String::new() } else { format!(", {threads} threads") };
        format!("{workload}.{operation} of {input}{size}{threads}")
    }
}

/// Which cases are looked at.
#[derive(Clone, Copy, Debug)]
pub enum Cases<'a> {
    /// Those that workloads name for profiling.
    Usual,
    /// Those of a preset.
    Preset(Preset),
    /// These: `workload.operation[:input[:size]]`.
    Named(&'a [String]),
}

impl Cases<'_> {
    /// The cases, and the selected lanes in them.
    ///
    /// # Errors
    /// When a pattern matches nothing, a name is none, or all together leave nothing.
    pub fn span(self, catalog: &Catalog, selection: &Selection) -> Result<Matrix, CatalogError> {
        let cpus = allowed_cpus().len();
        match self {
            Self::Usual => matrix_to_profile(catalog, selection, cpus),
            Self::Preset(preset) => matrix(catalog, selection, preset, cpus),
            Self::Named(names) => matrix_of_cases(catalog, selection, names),
        }
    }
}

/// What is to be looked at.
#[derive(Debug)]
pub struct Begun {
    /// Everything but cells.
    pub profile: Profile,
    /// The cells.
    pub subjects: Vec<Subject>,
    /// What was asked for by name and is not among them, with the reason.
    pub unmet: Vec<String>,
}

/// Finds what is selected and ready.
///
/// # Errors
/// When a selection matches nothing, nothing selected is ready, or inputs can't be made.
pub fn begin(workshop: &Workshop, selection: &Selection, cases: Cases, limits: Limits, command: Vec<String>) -> Result<Begun> {
    let spanned = cases.span(&workshop.catalog, selection)?;
    let options = Options {
        preset: if let Cases::Preset(preset) = cases { preset } else { Preset::Talk },
        generations: Some(1),
        rounds: Some(1),
        budget: None,
        seed: Some(0),
        limits,
        loops_from: None,
        twins: false,
        counters: time_only(),
    };
    let (run, launches) = lay_out(workshop, selection, spanned, &options, command)?;
    check_room(&run, &workshop.catalog, &workshop.layout)?;
    let mut pools = Pools::default();
    let subjects = run.cells.iter().map(|cell| subject(cell, &run, &launches, workshop, &mut pools)).collect::<Result<_>>()?;
    let unmet = run.unmet.clone();
    Ok(Begun { profile: profile(run), subjects, unmet })
}

fn subject(cell: &Cell, run: &Run, launches: &Launches, workshop: &Workshop, pools: &mut Pools) -> Result<Subject> {
    let case = run.cases[cell.case as usize].clone();
    let contender = contender(cell, run, &workshop.catalog, pools, &workshop.layout)?;
    let mut launch = launches[&(cell.lane.clone(), cell.interpreter.clone())].clone();
    launch.load.modules.retain(|workload, _| *workload == case.workload);
    let owners = owners(cell, &workshop.catalog, workshop)?;
    let mut interpreters = run.interpreters.iter();
    let is_cpython = interpreters.all(|known| Some(&known.name) != cell.interpreter.as_ref() || known.implementation == "cpython");
    Ok(Subject { cell: cell.clone(), case, contender, launch, owners, is_cpython })
}

/// What a strategy was built into is the binding; the shared kernels, and packages that a lane only wraps, do the work.
fn owners(cell: &Cell, catalog: &Catalog, workshop: &Workshop) -> Result<Owners> {
    let unknown = || miette!("the catalog has no lane {} (any more)", cell.lane);
    let lane = catalog.lanes().find(|lane| lane.id == cell.lane).ok_or_else(unknown)?;
    let strategy = catalog.strategy_of(lane).ok_or_else(unknown)?;
    let out = workshop.layout.out(&strategy.name, cell.interpreter.as_deref());
    let mut kernel = vec![workshop.layout.kernels()];
    if lane.packages.is_some() {
        kernel.push(bindbench_setup::packages::folder(&out, lane));
    }
    Ok(Owners { glue: vec![out, strategy.folder.clone()], kernel, rules: strategy.profile.clone() })
}

fn profile(run: Run) -> Profile {
    Profile {
        schema: SCHEMA,
        bindbench: run.bindbench,
        command: run.command,
        started: run.started,
        environment: run.environment,
        interpreters: run.interpreters,
        lanes: run.lanes,
        cells: Vec::new(),
        differences: Vec::new(),
        skipped: run.skipped,
        notes: run.notes,
    }
}
