//! `bindbench profile`: looks at cells while they run, pass by pass, and shows where the time goes.

mod session;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bindbench_catalog::{Catalog, CatalogError, Matrix, Preset, Selection};
use bindbench_files::atomic::Scratch;
use bindbench_files::lock::Lock;
use bindbench_inspect::{Backend, Begun, Cases, Choice, Refused, Sampling, Sizes, Studio, begin};
use bindbench_measure::{Watch, environment};
use bindbench_model::Status;
use bindbench_model::gauges::Leak;
use bindbench_model::profile::{Profile, ProfiledCell};
use bindbench_report::profile as shown;
use bindbench_setup::checkout::Worktree;
use bindbench_setup::layout::Layout;
use bindbench_setup::{Workshop, samplers};
use bindbench_store::profile;
use bindbench_store::profile::ProfileError;
use bindbench_worker::{Guard, Limits};
use clap::{Parser, ValueEnum};
use miette::{Context, IntoDiagnostic, Report, Result, miette};

use super::again::command_line;
use super::interrupt::{INTERRUPTED, listen};
use super::run::seconds;
use super::setup::set_up_in;
use super::sides::{BothSides, Sides};
use super::{print, say};
use session::{Session, Stopped, compare};

/// What to look at, and how.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    #[command(flatten)]
    pub(super) selection: Selection,
    #[command(flatten)]
    pub(super) sides: Sides,
    /// All cases of a preset, instead of the few at the talks' sizes that workloads name for this
    #[arg(long, value_enum)]
    pub(super) preset: Option<Preset>,
    /// This case, `workload.operation[:input[:size]]`, with as many threads as `--threads` says, or one; repeatable
    #[arg(long = "case", value_name = "CASE", conflicts_with_all = ["workloads", "sizes", "preset"])]
    pub(super) cases: Vec<String>,
    /// What to find out; repeatable [default: everything]
    #[arg(long = "pass", value_enum, value_name = "PASS")]
    pub(super) passes: Vec<Pass>,
    /// A differential flamegraph of two lanes instead, for each case that both have: scaled by the call, red where B takes longer
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["passes", "lanes"])]
    pub(super) diff: Option<Vec<String>>,
    /// How to take samples of stacks
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    pub(super) backend: Backend,
    /// Samples a second, of each running thread
    #[arg(long, value_name = "N", default_value_t = 999, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    pub(super) hertz: u64,
    /// Take samples of each cell for this long
    #[arg(long, value_name = "SECONDS", default_value = "1.5", value_parser = seconds)]
    pub(super) seconds: Duration,
    /// Also write every sample for the Firefox Profiler, as .json.gz beside the picture: open it at <https://profiler.firefox.com>
    #[arg(long, conflicts_with = "diff")]
    pub(super) firefox: bool,
    /// End with status 1 when this is found
    #[arg(long, value_enum, value_name = "FINDING", conflicts_with = "diff")]
    pub(super) fail_on: Vec<Finding>,
    /// Kill a worker that takes longer for one request
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// Folder for pictures and tables [default: flamegraphs/ of the checkout]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Print what was found as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// A way of looking at a cell. Each has workers of its own, and none of them is a timed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pass {
    /// Flamegraphs, and the split of the time
    Stacks,
    /// Who holds the GIL during calls
    Gil,
    /// How far calls raise memory, what they copy, and what leaks
    Memory,
}

/// A finding that makes the command fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Finding {
    /// A lane leaks memory, or keeps references
    Leak,
}

/// Looks at what is selected, writes the folder of the pictures, and shows the tables.
///
/// # Errors
/// When nothing selected is ready, the kernel refuses the only pass there is, or the disk does.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    look(args, catalogs, true)
}

/// The same; what was found is printed or not.
///
/// # Errors
/// As above.
pub(super) fn look(args: &Args, catalogs: &[PathBuf], prints: bool) -> Result<ExitCode> {
    let selection = args.selection();
    if args.fails_on_leaks() && !args.passes.is_empty() && !args.passes.contains(&Pass::Memory) {
        return Err(miette!("`--fail-on leak` takes the pass that looks for leaks: add `--pass memory`"));
    }
    // From here on Ctrl-C does not end this process on the spot, so that a worktree never stays behind.
    let interrupt = listen()?;
    let (mut workshop, _kept) = args.workshop(&selection, catalogs)?;
    let lock = workshop.lock_to_read()?;
    let out = args.out.clone().unwrap_or_else(|| workshop.layout.flamegraphs());
    let limits = Limits { time: args.timeout, memory: environment::available_memory() / 5 * 4 };
    let Begun { profile, subjects, unmet } = begin(&workshop, &selection, args.cases(), limits, command_line())?;
    fs::create_dir_all(&out).into_diagnostic().with_context(|| format!("can't make {}", out.display()))?;
    // What it finds is put beside what others have found: two at a time would each leave the other's out.
    let _alone = Lock::to_change(&out.join("lock"), &out)?;
    let mut gathered = Gathered { older: profile::read(&out)?, found: profile, out: &out };
    let mut passes = if args.passes.is_empty() { Pass::value_variants().to_vec() } else { args.passes.clone() };
    let sampling = match passes.contains(&Pass::Stacks).then(|| args.sampling(&workshop)).transpose() {
        Ok(chosen) => chosen,
        Err(refusal) => {
            passes.retain(|pass| *pass != Pass::Stacks);
            if passes.is_empty() || args.diff.is_some() {
                return Err(refusal.into());
            }
            warn(refusal, "no flamegraphs and no split of the time");
            gathered.found.notes.push("No samples could be taken: no flamegraphs and no split of the time.".to_owned());
            None
        }
    };
    if let Some(Sampling { way, .. }) = &sampling {
        let nameless = way.nameless(&gathered.found.interpreters);
        gathered.found.notes.extend(way.lack().map(str::to_owned).into_iter().chain(nameless));
    }
    let guard = Guard::with_locks(&[&lock]).into_diagnostic().wrap_err("can't start the guard")?;
    let build = workshop.layout.build();
    let logs = Scratch::inside(&build).into_diagnostic();
    let logs = logs.wrap_err_with(|| format!("can't make a folder for what workers print in {}", build.display()))?;
    let watch = Watch { guard: &guard, interrupt: &interrupt };
    let studio = Studio { limits, logs: logs.path().to_owned(), watch };
    let stopped = match (args.diff.as_deref(), &sampling) {
        (Some([first, second]), Some(sampling)) => compare(first, second, sampling, &subjects, &studio, &mut gathered),
        _ => Session { passes: &passes, sampling: sampling.as_ref(), sizes: &Sizes::new(&workshop), studio: &studio }
            .look_at_all(&subjects, &mut gathered),
    };
    gathered.found.notes.extend(guard.take_notes());
    let interrupted = match stopped {
        Ok(()) => false,
        Err(Stopped::Interrupted) => true,
        Err(Stopped::Cell(status)) => return Err(miette!("{status}")),
        Err(Stopped::Everything(report)) => return Err(report),
    };
    shown::write(&gathered.save()?, &out).into_diagnostic().with_context(|| format!("can't write to {}", out.display()))?;
    let found = gathered.found;
    if interrupted {
        say(&match found.cells.len() {
            0 => "stopped before anything was found".to_owned(),
            some => format!("stopped; what was found of {some} of {} cells is in {}", subjects.len(), out.display()),
        });
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let text = if args.json { shown::json(&found).into_diagnostic()? } else { shown::text(&found, &out) };
    if prints {
        print(&text)?;
    }
    let status = match exit_status(&found, args.fails_on_leaks()) {
        0 if !unmet.is_empty() => NOT_FOUND_OUT,
        status => status,
    };
    if !unmet.is_empty() {
        say(&format!("exit status {status}: asked for by name, and not looked at: {}", unmet.join("; ")));
    }
    Ok(ExitCode::from(status))
}

/// Exit status when something could not be looked at.
const NOT_FOUND_OUT: u8 = 4;

/// What this invocation has found so far, and what earlier ones left.
struct Gathered<'a> {
    found: Profile,
    older: Option<Profile>,
    out: &'a Path,
}

impl Gathered<'_> {
    /// Writes it all, after every cell: nothing that was found is lost. Returns it.
    fn save(&self) -> Result<Profile, ProfileError> {
        let mut all = self.found.clone();
        if let Some(older) = self.older.clone() {
            all.absorb(older);
        }
        profile::save(&all, self.out)?;
        Ok(all)
    }
}

impl Args {
    /// What is selected: the two lanes that are compared, where there are two.
    fn selection(&self) -> Selection {
        Selection { lanes: self.diff.clone().unwrap_or_else(|| self.selection.lanes.clone()), ..self.selection.clone() }
    }

    /// Which cases to look at.
    fn cases(&self) -> Cases<'_> {
        match self.preset {
            _ if !self.cases.is_empty() => Cases::Named(&self.cases),
            Some(preset) => Cases::Preset(preset),
            None => Cases::Usual,
        }
    }

    /// The cases, and the lanes in them.
    pub(super) fn spanned(&self, catalog: &Catalog) -> Result<Matrix, CatalogError> {
        self.cases().span(catalog, &self.selection())
    }

    /// The workshop; of two builds, where two are named, built if need be. The worktrees are to be kept until the end.
    fn workshop(&self, selection: &Selection, catalogs: &[PathBuf]) -> Result<(Workshop, Vec<Worktree>)> {
        if !self.sides.are_named() {
            return Ok((Workshop::open(Layout::find(), catalogs)?, Vec::new()));
        }
        let BothSides { workshop, worktrees, .. } = self.sides.open(catalogs)?;
        let cases = self.spanned(&workshop.catalog)?.cases;
        Ok((set_up_in(workshop, selection, &cases)?, worktrees))
    }

    fn fails_on_leaks(&self) -> bool {
        self.fail_on.contains(&Finding::Leak)
    }

    /// How samples are taken here. Says why not in a better way.
    fn sampling(&self, workshop: &Workshop) -> Result<Sampling, Refused> {
        let build_pprof = || samplers::pprof(&workshop.layout, &workshop.tools);
        let Choice { way, refused } = self.backend.choose(self.hertz, build_pprof)?;
        for refusal in refused {
            warn(refusal, &format!("samples are taken by {way} instead"));
        }
        Ok(Sampling { way, hertz: self.hertz, span: self.seconds, firefox: self.firefox })
    }
}

/// Says what was refused, and what that means.
fn warn(refusal: Refused, meaning: &str) {
    say(&format!("{:?}", Report::new_boxed(Box::new(refusal)).wrap_err(meaning.to_owned())));
}

/// 1 when a lane was wrong, or leaks where that is asked for; 4 when a cell could not be looked at, 0 when all is fine.
fn exit_status(profile: &Profile, fails_on_leaks: bool) -> u8 {
    let leaks = |cell: &ProfiledCell| cell.memory.as_ref().and_then(|used| used.leak.as_ref()).is_some_and(Leak::is_one);
    if profile.cells.iter().any(|cell| matches!(cell.status, Status::Wrong { .. }) || fails_on_leaks && leaks(cell)) {
        1
    } else if profile.cells.iter().any(|cell| !cell.status.has_number()) {
        NOT_FOUND_OUT
    } else {
        0
    }
}
