//! `bindbench run`: measures what is set up, writes the run's folder as rounds end, and reports.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::Parser;
use miette::{Context, IntoDiagnostic, Result, bail};

use super::again::{self, command_line, with_path};
use super::{report, say};
use crate::catalog::{Preset, Selection, Size, matrix};
use crate::measure::{Options, Outcome, Watch, begin, environment, resume};
use crate::report::claims;
use crate::setup::Workshop;
use crate::setup::layout::Layout;
use crate::store::Recorded;
use crate::store::counts::Counter;
use crate::store::model::{Run, Status};
use crate::worker::{Guard, Limits};

/// What to measure, and how.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    #[command(flatten)]
    pub(super) selection: Selection,
    /// Which sizes, and how much time: smoke (1.5 minutes), quick (5), talk (20), full (hours)
    #[arg(long, value_enum, default_value_t = Preset::Talk)]
    pub(super) preset: Preset,
    /// Time for all samples, instead of the preset's; cells give up rounds until they fit
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    budget: Option<Duration>,
    /// What to measure; repeatable: both, and they stand side by side
    #[arg(long = "counter", value_enum, value_name = "COUNTER", default_value = "time")]
    counters: Vec<Counter>,
    /// Sets of fresh workers, instead of the preset's; intervals need 3. Instructions alone are counted by 2
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    generations: Option<u32>,
    /// Rounds in each generation, for all cells, whatever that takes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rounds: Option<u32>,
    /// Seed of the order of samples and of the workers' hash seeds
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Measure only what the talks' claims are about: more rounds for it in the same time
    #[arg(long)]
    for_claims: bool,
    /// Go on with a run that was stopped: a folder, or its name under runs/
    #[arg(long, value_name = "RUN", conflicts_with_all = ["workloads", "lanes", "pythons", "sizes", "threads", "preset", "generations", "rounds", "seed", "budget", "counters", "loops_from", "twins", "for_claims"])]
    resume: Option<PathBuf>,
    /// Take the numbers of loops over from another run instead of calibrating
    #[arg(long, value_name = "RUN")]
    loops_from: Option<PathBuf>,
    /// Give every lane an A/A twin, not only one of each case
    #[arg(long)]
    twins: bool,
    /// Kill a worker that takes longer for one request
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// Kill a worker whose process tree uses more [default: 80 % of what is available]
    #[arg(long, value_name = "SIZE")]
    memory: Option<Size>,
    /// Folder that runs are written to [default: runs/ of the checkout]
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Folder that the report is written to [default: reports/ of the checkout]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Counters as they were asked for, none twice.
pub(super) fn once_each(counters: &[Counter]) -> Vec<Counter> {
    counters.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Times up to this can be added to any other, and multiplied by any number of rounds, without a thought for their largest number.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// A time above 0, in seconds.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is no number of seconds"))?;
    let time = Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero() && *time <= A_YEAR);
    time.ok_or_else(|| format!("has to be above 0, and {} (a year) at most", A_YEAR.as_secs()))
}

/// A request takes no longer than this, unless somebody says so.
pub(super) const USUAL_TIMEOUT: Duration = Duration::from_secs(300);

/// Exit status of a process that Ctrl-C ended.
pub(super) const INTERRUPTED: u8 = 130;

/// Measures, then shows the tables.
///
/// # Errors
/// When nothing can be measured, or the disk refuses.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    let (status, recorded) = measured(args, catalogs)?;
    if recorded.is_some() && !args.json {
        report::print_path(&args.out(&Layout::find()))?;
    }
    Ok(status)
}

/// The same, with what was measured; none when it was stopped.
///
/// # Errors
/// As above.
pub(super) fn measured(args: &Args, catalogs: &[PathBuf]) -> Result<(ExitCode, Option<Recorded>)> {
    let workshop = Workshop::open(Layout::find(), catalogs)?;
    let runs = args.runs.clone().unwrap_or_else(|| workshop.layout.runs());
    let options = args.options(&runs)?;
    let mut session = match &args.resume {
        Some(name) => {
            let folder = report::find(Some(name), &runs)?;
            if Recorded::read(&folder)?.run.gate.is_some() {
                bail!(help = "`bindbench gate --resume` goes on with it", "{} is a gate's", folder.display());
            }
            resume(&workshop, &folder, &options)?
        }
        None => {
            let mut spanned = matrix(&workshop.catalog, &args.selection, args.preset, environment::allowed_cpus().len())?;
            if args.for_claims {
                let needed = claims::needed(&claims::of_the_talks()?, &spanned.cases);
                spanned.keep(&needed, "none of the claims is about what is selected")?;
            }
            begin(&workshop, &args.selection, spanned, &options, &runs, command_line())?
        }
    };
    let interrupt = listen()?;
    let guard = Guard::start().into_diagnostic().wrap_err("can't start the guard")?;
    let watch = Watch { guard: &guard, interrupt: &interrupt };
    let outcome = session.measure(&options, watch)?;
    let folder = session.folder().to_owned();
    if outcome == Outcome::Interrupted {
        say(&format!("stopped; every complete round is in {}\ngo on with: {}", folder.display(), args.go_on(&folder, &workshop, catalogs)));
        return Ok((ExitCode::from(INTERRUPTED), None));
    }
    let recorded = Recorded::read(&folder)?;
    report::show(&recorded, &args.out(&workshop.layout), &workshop.layout.flamegraphs(), args.json)?;
    Ok((ExitCode::from(exit_status(&recorded.run)), Some(recorded)))
}

impl Args {
    /// Folder that reports are written to.
    pub(super) fn out(&self, layout: &Layout) -> PathBuf {
        self.out.clone().unwrap_or_else(|| layout.reports())
    }

    /// The command that goes on with this run, with all that was said and is not in its folder.
    fn go_on(&self, folder: &Path, workshop: &Workshop, catalogs: &[PathBuf]) -> String {
        let mut words = again::resume("run", folder, self.runs.as_deref(), &workshop.layout.runs(), catalogs);
        self.out.iter().for_each(|out| with_path(&mut words, "--out", out));
        if self.timeout != USUAL_TIMEOUT {
            words.extend(["--timeout".to_owned(), self.timeout.as_secs_f64().to_string()]);
        }
        words.extend(self.memory.iter().flat_map(|Size(bytes)| ["--memory".to_owned(), bytes.to_string()]));
        words.extend(self.json.then(|| "--json".to_owned()));
        again::pasted(&words)
    }

    fn options(&self, runs: &Path) -> Result<Options> {
        let memory = self.memory.map_or_else(|| environment::available_memory() / 5 * 4, |Size(bytes)| bytes);
        Ok(Options {
            preset: self.preset,
            generations: self.generations,
            rounds: self.rounds,
            budget: self.budget,
            seed: self.seed,
            limits: Limits { time: self.timeout, memory },
            loops_from: self.loops_from.as_deref().map(|name| report::find(Some(name), runs)).transpose()?,
            twins: self.twins,
            counters: once_each(&self.counters),
        })
    }
}

/// Set by Ctrl-C and by the signals that end a session. The same for whoever asks: a process has one handler.
pub(super) fn listen() -> Result<Arc<AtomicBool>> {
    static INTERRUPT: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(listening) = INTERRUPT.get() {
        return Ok(Arc::clone(listening));
    }
    let interrupt = Arc::clone(INTERRUPT.get_or_init(Arc::default));
    let seen = Arc::clone(&interrupt);
    ctrlc::set_handler(move || seen.store(true, Ordering::Relaxed)).into_diagnostic().wrap_err("can't listen to Ctrl-C")?;
    Ok(interrupt)
}

/// 1 when a lane was wrong, 4 when a cell has no number, 0 when all is fine.
fn exit_status(run: &Run) -> u8 {
    if run.cells.iter().any(|cell| matches!(cell.status, Status::Wrong { .. })) {
        1
    } else if run.cells.iter().any(|cell| !cell.status.has_number()) {
        4
    } else {
        0
    }
}
