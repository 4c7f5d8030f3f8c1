//! `bindbench gate`: is head slower than base? Both are built, and measured in turn, until that is known.

mod begin;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use indicatif::ProgressBar;
use miette::{Context, IntoDiagnostic, Result};

use super::compare::{INCONCLUSIVE, percent, write};
use super::run::{INTERRUPTED, listen, seconds};
use super::sides::Sides;
use super::{print, report};
use crate::catalog::{Preset, Selection, Side};
use crate::measure::{MOST_ROUNDS, Options, Outcome, Session, Watch, environment};
use crate::report::gate::{Gated, JSON_SCHEMA, Pair, Verdict, judged, junit, markdown, of_generation, pairs, terminal};
use crate::report::page::shell;
use crate::setup::bar_style;
use crate::setup::layout::Layout;
use crate::stats::{Gate, LOOKS};
use crate::store::CellKey;
use crate::worker::{Guard, Limits};
use begin::Begun;

/// Builds base and head, and measures them in turn until it is known whether head is slower.
#[derive(Clone, Debug, Parser)]
#[command(after_help = EXIT_STATUS)]
pub struct Args {
    #[command(flatten)]
    sides: Sides,
    #[command(flatten)]
    selection: Selection,
    /// Which sizes
    #[arg(long, value_enum, default_value_t = Preset::Smoke)]
    preset: Preset,
    /// A slowdown up to this many per cent is none
    #[arg(long, value_name = "PERCENT", default_value = "2", value_parser = percent)]
    threshold: f64,
    /// Time for measuring all cells [default: 10 for each]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    budget: Option<Duration>,
    /// Seed of the order of samples and of the workers' hash seeds
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Go on with a gate that was stopped, or had too little time: a folder, or its name under runs/gates/; with `--budget`, until that much
    /// is used up in all
    #[arg(long, value_name = "RUN", conflicts_with_all = ["base", "base_rev", "head", "workloads", "lanes", "pythons", "sizes", "threads", "preset", "threshold", "seed"])]
    resume: Option<PathBuf>,
    /// Kill a worker that takes longer for one request
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    timeout: Duration,
    /// Folder that the gate's run is written to [default: runs/gates/ of the checkout]
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Write the verdicts as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

const EXIT_STATUS: &str = "Exit status:
  0  no cell is slower
  1  a cell is slower, or does not work any more
  2  usage or configuration
  3  no cell is known to be slower, and of some it is not known
  130  stopped by Ctrl-C; `--resume` goes on";

/// A first and a second measurement, each with as many generations as it can use.
const MOST_GENERATIONS: u32 = 2 * LOOKS[LOOKS.len() - 1] as u32;

/// Time for one cell, where no budget is given.
const PER_CELL: Duration = Duration::from_secs(10);

/// Builds, measures, and says what is known.
///
/// # Errors
/// When nothing can be measured on both sides, or the disk refuses.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    // From here on Ctrl-C does not end this process on the spot, so that a worktree never stays behind.
    let interrupt = listen()?;
    let begun = match &args.resume {
        Some(name) => Some(begin::again(args, name)?),
        None => begin::anew(args, catalogs, &interrupt)?,
    };
    let Some(mut begun) = begun else {
        eprintln!("stopped before anything was measured");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let budget = args.budget.unwrap_or_else(|| usual_budget(&begun, args.resume.is_some()));
    let guard = Guard::start().into_diagnostic().wrap_err("can't start the guard")?;
    let watch = Watch { guard: &guard, interrupt: &interrupt };
    if begun.session.prepare_gate(&args.options(), budget, watch)? == Outcome::Interrupted {
        return Ok(stopped(&begun.session));
    }
    let pairs = pairs(begun.session.run());
    let Some(gate) = decide(&mut begun.session, &pairs, begun.threshold, budget, watch)? else { return Ok(stopped(&begun.session)) };
    let gated = begun.gated(&gate, &pairs, budget);
    if let Some(file) = &args.junit {
        write(file, junit(&gated).as_bytes())?;
    }
    report::step_summary(&markdown(&gated))?;
    if args.json {
        print(&(serde_json::to_string_pretty(&gated).into_diagnostic()? + "\n"))?;
    } else {
        print(&terminal(&gated, report::look(&io::stdout())))?;
    }
    Ok(ExitCode::from(match gated.verdict() {
        Verdict::Pass => 0,
        Verdict::Fail => 1,
        Verdict::Inconclusive => INCONCLUSIVE,
    }))
}

/// The budget a gate was begun with, or else so much for each of its cells.
fn usual_budget(begun: &Begun, resumed: bool) -> Duration {
    let before = Duration::try_from_secs_f64(begun.session.run().plan.budget_s).unwrap_or_default();
    if resumed && begun.session.is_prepared() { before } else { PER_CELL * pairs(begun.session.run()).len() as u32 }
}

/// Takes generations of what is undecided, until nothing is or the time is up. None when it was stopped. Generations that are on disk
/// already are looked at anew, in their order: so a gate that was stopped decides as it would have.
fn decide(session: &mut Session, pairs: &[Pair], threshold: f64, budget: Duration, watch: Watch) -> Result<Option<Gate>> {
    let mut gate = Gate::new(pairs.len(), threshold);
    let bar = ProgressBar::new(budget.as_secs()).with_style(bar_style("s, {msg}"));
    let (mut longest, mut generation) = (Duration::ZERO, 0);
    while generation < MOST_GENERATIONS && (session.has(generation) || session.used() + longest <= budget) {
        let open: Vec<&Pair> = (0..pairs.len()).filter(|&at| gate.is_undecided(at)).map(|at| &pairs[at]).collect();
        let live: BTreeSet<u32> = open.into_iter().filter_map(|pair| working(pair, session)).flatten().collect();
        if live.is_empty() {
            break;
        }
        bar.set_message(format!("generation {}, {} cells undecided", generation + 1, live.len() / 3));
        bar.set_position(session.used().as_secs());
        let resting = session.run().cells.iter().map(|cell| cell.id).filter(|id| !live.contains(id)).collect();
        let before = session.used();
        let (outcome, samples) = session.take_generation(generation, resting, watch)?;
        if outcome == Outcome::Interrupted {
            bar.abandon();
            return Ok(None);
        }
        gate.take(&of_generation(session.run(), &samples, pairs));
        longest = longest.max(session.used().saturating_sub(before));
        generation += 1;
    }
    bar.finish_and_clear();
    session.finish_gate(generation)?;
    Ok(Some(gate))
}

/// The three cells of a pair, where all of them work.
fn working(pair: &Pair, session: &Session) -> Option<[u32; 3]> {
    let cells = [pair.base, pair.head, pair.twin?];
    cells.iter().all(|&id| session.run().cells[id as usize].status.has_number()).then_some(cells)
}

fn stopped(session: &Session) -> ExitCode {
    let folder = session.folder();
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    eprintln!("stopped; every complete round is in {}\ngo on with: bindbench gate --resume {name}", folder.display());
    ExitCode::from(INTERRUPTED)
}

impl Args {
    fn options(&self) -> Options {
        Options {
            preset: self.preset,
            generations: Some(MOST_GENERATIONS),
            rounds: Some(MOST_ROUNDS),
            budget: self.budget,
            seed: self.seed,
            limits: Limits { time: self.timeout, memory: environment::available_memory() / 5 * 4 },
            loops_from: None,
            twins: false,
        }
    }

    fn runs(&self, layout: &Layout) -> PathBuf {
        self.runs.clone().unwrap_or_else(|| layout.runs().join("gates"))
    }
}

impl Begun {
    /// All there is to say of it.
    fn gated(&self, gate: &Gate, pairs: &[Pair], budget: Duration) -> Gated {
        let flamegraph = |key: &CellKey| self.flamegraph(key);
        let judge = |at: usize| judged(&pairs[at], self.session.run(), &gate.known(at), self.threshold, flamegraph);
        Gated {
            schema: JSON_SCHEMA,
            run: self.session.folder().display().to_string(),
            sides: self.names.clone(),
            threshold: self.threshold,
            seconds: self.session.used().as_secs_f64(),
            budget_s: budget.as_secs_f64(),
            cells: (0..pairs.len()).map(judge).collect(),
            left_out: self.left_out.clone(),
            notes: self.notes.clone(),
        }
    }

    /// The command that draws what head does more of than base.
    fn flamegraph(&self, key: &CellKey) -> String {
        let mut words = vec!["bindbench".to_owned(), "profile".to_owned()];
        words.extend(self.sides.words(&self.catalogs));
        words.push("--diff".to_owned());
        words.extend(Side::BOTH.map(|side| side.lane(&key.lane)));
        words.extend(["-w".to_owned(), format!("{}.{}", key.workload, key.operation)]);
        words.extend(key.size.into_iter().flat_map(|size| ["--size".to_owned(), size.to_string()]));
        words.extend(key.interpreter.iter().flat_map(|name| ["-p".to_owned(), name.clone()]));
        shell(&words)
    }
}
