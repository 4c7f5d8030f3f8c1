//! `bindbench run`: measures what is set up, writes the run's folder as rounds end, and reports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bindbench_catalog::{Preset, Selection, Size, matrix};
use bindbench_measure::{Options, Outcome, WHILE_COUNTED, Watch, begin, environment, resume};
use bindbench_model::{Cell, Counter, Run, Status};
use bindbench_report::claims;
use bindbench_setup::Workshop;
use bindbench_setup::layout::Layout;
use bindbench_store::Recorded;
use bindbench_worker::{Guard, Limits};
use clap::Parser;
use miette::{Context, IntoDiagnostic, Result, bail};

use super::again::{self, command_line, with_path};
use super::interrupt::{INTERRUPTED, listen};
use super::{report, say};

const EXIT_STATUS: &str = "Exit status:
  0  fine; lanes that a wide pattern matches and that can't be measured here are a note
  1  a lane gave a wrong answer
  2  usage or configuration; nothing of what is selected can be measured
  4  some cells have no number, or something asked for by name (`-s capi/c`, or all that a pattern matches) was not measured
  130  stopped by Ctrl-C; `--resume` goes on";

/// What to measure, and how.
#[derive(Clone, Debug, Parser)]
#[command(after_help = EXIT_STATUS)]
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
    let mut workshop = Workshop::open(Layout::find(), catalogs)?;
    workshop.lock_to_read()?;
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
    let guard = Guard::with_locks(&session.locks()).into_diagnostic().wrap_err("can't start the guard")?;
    let watch = Watch { guard: &guard, interrupt: &interrupt };
    let outcome = session.measure(&options, watch)?;
    let folder = session.folder().to_owned();
    if outcome == Outcome::Interrupted {
        say(&format!("stopped; every complete round is in {}\ngo on with: {}", folder.display(), args.go_on(&folder, &workshop, catalogs)));
        return Ok((ExitCode::from(INTERRUPTED), None));
    }
    let recorded = Recorded::read(&folder)?;
    report::show(&recorded, &args.out(&workshop.layout), &workshop.layout.flamegraphs(), args.json)?;
    let (status, why) = exit_status(&recorded.run);
    if status != 0 {
        say(&format!("exit status {status}: {}", why.join("; ")));
    }
    Ok((ExitCode::from(status), Some(recorded)))
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

/// 1 when a lane was wrong, 4 when a cell has no number or something named was not measured, 0 when all is fine; and why, lane by lane.
fn exit_status(run: &Run) -> (u8, Vec<String>) {
    let is_wrong = |cell: &Cell| matches!(cell.status, Status::Wrong { .. });
    let mut lanes: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for cell in run.cells.iter().filter(|cell| !cell.status.has_number()) {
        let status = cell.status.to_string();
        let status = status.split(['\n', ':']).next().unwrap_or_default().to_owned();
        *lanes.entry((&cell.lane, status)).or_default() += 1;
    }
    let cells = |number: usize| if number == 1 { "1 cell".to_owned() } else { format!("{number} cells") };
    let mut why: Vec<String> = lanes.into_iter().map(|((lane, status), number)| format!("{lane}: {status} ({})", cells(number))).collect();
    let uncounted = run.counting.iter().flat_map(|counting| &counting.uncounted);
    let failed: Vec<(&str, &str)> = uncounted
        .filter_map(|(&cell, why)| Some((run.cells.get(cell as usize)?.lane.as_str(), why.strip_prefix(WHILE_COUNTED)?)))
        .collect();
    why.extend(failed.iter().map(|(lane, what)| format!("{lane}: {WHILE_COUNTED}{}", what.split(['\n', ':']).next().unwrap_or_default())));
    why.extend(run.unmet.iter().map(|what| format!("asked for by name, and not measured: {what}")));
    let status = if run.cells.iter().any(is_wrong) || failed.iter().any(|(_, what)| what.starts_with("wrong")) { 1 } else { 4 };
    (if why.is_empty() { 0 } else { status }, why)
}
