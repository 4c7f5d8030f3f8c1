//! `bindbench gate`: is head slower than base? Both are built, and measured in turn, until that is known.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::ProgressBar;
use miette::{Context, IntoDiagnostic, Result, bail};

use super::compare::{INCONCLUSIVE, percent};
use super::run::{INTERRUPTED, listen, once_each, seconds};
use super::setup::set_up_in;
use super::sides::{BothSides, Sides};
use super::{print, report};
use crate::catalog::{Preset, Selection, Side, matrix};
use crate::measure::callgrind::Callgrind;
use crate::measure::{MOST_ROUNDS, Options, Outcome, Session, Watch, begin, environment};
use crate::report::gate::{Gated, JSON_SCHEMA, Judged, Pair, Verdict, judged, judged_count, of_generation, pairs, terminal, uncounted};
use crate::report::page::shell;
use crate::setup::bar_style;
use crate::stats::{Gate, LOOKS};
use crate::store::CellKey;
use crate::store::counts::Counter;
use crate::store::model::Run;
use crate::worker::{Guard, Limits};

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
    /// What to measure; repeatable. Instructions need neither time nor a quiet machine
    #[arg(long = "counter", value_enum, value_name = "COUNTER", default_value = "time")]
    counters: Vec<Counter>,
    /// A slowdown up to this many per cent is none
    #[arg(long, value_name = "PERCENT", default_value = "2", value_parser = percent)]
    threshold: f64,
    /// More instructions up to this many per cent are none
    #[arg(long, value_name = "PERCENT", default_value = "0.5", value_parser = percent)]
    instructions_threshold: f64,
    /// Time for measuring all cells [default: 10 for each]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    budget: Option<Duration>,
    /// Seed of the order of samples and of the workers' hash seeds
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Kill a worker that takes longer for one request
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    timeout: Duration,
    /// Folder that the gate's run is written to [default: runs/gates/ of the checkout]
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

const EXIT_STATUS: &str = "Exit status:
  0  no cell is slower, or has more instructions
  1  a cell is slower, has more instructions, or does not work any more
  2  usage or configuration
  3  no cell is known to be slower, and of some it is not known
  130  stopped by Ctrl-C";

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
    let counters = once_each(&args.counters);
    if counters.contains(&Counter::Instructions) {
        // Better now than after two builds.
        Callgrind::find()?;
    }
    let BothSides { workshop, names, notes, worktrees: _kept } = args.sides.open(catalogs)?;
    let lonely = workshop.catalog.without_counterpart();
    let mut selection = args.selection.on_both_sides();
    selection.lanes.extend(lonely.iter().map(|lane| format!("!{lane}")));
    let workshop = set_up_in(workshop, &selection, args.preset)?;
    if interrupt.load(Ordering::Relaxed) {
        eprintln!("stopped before anything was measured");
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let runs = args.runs.clone().unwrap_or_else(|| workshop.layout.runs().join("gates"));
    let options = args.options();
    let spanned = matrix(&workshop.catalog, &selection, args.preset, environment::allowed_cpus().len())?;
    let mut session = begin(&workshop, &selection, spanned, &options, &runs, std::env::args().collect())?;
    let cells = pairs(session.run()).len();
    let mut left_out = left_out(&lonely, session.run());
    if cells == 0 {
        bail!(help = "a lane has to be built on both sides", "nothing can be measured on both sides\n{}", left_out.join("\n"));
    }
    let budget = args.budget.unwrap_or(PER_CELL * cells as u32);
    let guard = Guard::start().into_diagnostic().wrap_err("can't start the guard")?;
    let watch = Watch { guard: &guard, interrupt: &interrupt };
    if session.prepare_gate(&options, budget, watch)? == Outcome::Interrupted {
        return Ok(stopped(&session));
    }
    let pairs = pairs(session.run());
    let begun = Instant::now();
    let mut gate = Gate::new(pairs.len(), args.threshold);
    let budgeted = if session.run().is_timed() { budget } else { Duration::ZERO };
    let Some(generations) = decide(&mut gate, &mut session, &pairs, budgeted, watch)? else { return Ok(stopped(&session)) };
    let seconds = begun.elapsed().as_secs_f64();
    if session.count(watch)? == Outcome::Interrupted {
        return Ok(stopped(&session));
    }
    session.finish_gate(generations)?;
    let run = session.run();
    let flamegraph = |key: &CellKey| args.flamegraph(key, catalogs);
    let judge = |at: usize| {
        let pair = &pairs[at];
        let count = judged_count(pair, run, session.counts(), args.instructions_threshold);
        judged(pair, run, &gate.known(at), args.threshold, flamegraph).with_instructions(count, run, pair, || flamegraph(&pair.key))
    };
    let why_not = |at: &usize| uncounted(&pairs[*at], run);
    left_out
        .extend((0..pairs.len()).filter_map(|at| Some(format!("{}: its instructions are not counted: {}", pairs[at].key, why_not(&at)?))));
    let judged: Vec<Judged> = (0..pairs.len()).filter(|at| run.is_timed() || why_not(at).is_none()).map(judge).collect();
    if judged.is_empty() {
        bail!(help = "`--counter time` takes times", "nothing can be counted on both sides\n{}", left_out.join("\n"));
    }
    let gated = Gated {
        schema: JSON_SCHEMA,
        run: session.folder().display().to_string(),
        sides: names,
        threshold: args.threshold,
        instructions_threshold: args.instructions_threshold,
        seconds,
        budget_s: budget.as_secs_f64(),
        cells: judged,
        left_out,
        notes,
    };
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

/// Takes generations of what is undecided, until nothing is or the time is up. Returns how many; none when it was stopped.
fn decide(gate: &mut Gate, session: &mut Session, pairs: &[Pair], budget: Duration, watch: Watch) -> Result<Option<u32>> {
    let bar = ProgressBar::new(budget.as_secs()).with_style(bar_style("s, {msg}"));
    let (begun, mut longest) = (Instant::now(), Duration::ZERO);
    let mut generation = 0;
    while generation < MOST_GENERATIONS && begun.elapsed() + longest <= budget && !budget.is_zero() {
        let open: Vec<&Pair> = (0..pairs.len()).filter(|&at| gate.is_undecided(at)).map(|at| &pairs[at]).collect();
        let live: BTreeSet<u32> = open.into_iter().filter_map(|pair| working(pair, session)).flatten().collect();
        if live.is_empty() {
            break;
        }
        bar.set_message(format!("generation {}, {} cells undecided", generation + 1, live.len() / 3));
        bar.set_position(begun.elapsed().as_secs());
        let resting = session.run().cells.iter().map(|cell| cell.id).filter(|id| !live.contains(id)).collect();
        let started = Instant::now();
        let (outcome, samples) = session.take_generation(generation, resting, watch)?;
        if outcome == Outcome::Interrupted {
            bar.abandon();
            return Ok(None);
        }
        gate.take(&of_generation(session.run(), &samples, pairs));
        longest = longest.max(started.elapsed());
        generation += 1;
    }
    bar.finish_and_clear();
    Ok(Some(generation))
}

/// The three cells of a pair, where all of them work.
fn working(pair: &Pair, session: &Session) -> Option<[u32; 3]> {
    let cells = [pair.base, pair.head, pair.twin?];
    cells.iter().all(|&id| session.run().cells[id as usize].status.has_number()).then_some(cells)
}

/// Lanes that one side does not have, or that could not be built on one of them.
fn left_out(lonely: &[String], run: &Run) -> Vec<String> {
    let skipped = run.skipped.iter().filter(|skipped| skipped.operation.is_none());
    let lonely = lonely.iter().map(|lane| format!("{lane}: the other side has no such lane"));
    lonely.chain(skipped.map(|skipped| format!("{}: {}", skipped.lane, skipped.reason))).collect()
}

fn stopped(session: &Session) -> ExitCode {
    eprintln!("stopped; what was measured is in {}; a gate can't go on later", session.folder().display());
    ExitCode::from(INTERRUPTED)
}

impl Args {
    fn options(&self) -> Options {
        Options {
            preset: self.preset,
            // Of instructions there are as many as always: they are exact.
            generations: self.counters.contains(&Counter::Time).then_some(MOST_GENERATIONS),
            rounds: Some(MOST_ROUNDS),
            budget: self.budget,
            seed: self.seed,
            limits: Limits { time: self.timeout, memory: environment::available_memory() / 5 * 4 },
            loops_from: None,
            twins: false,
            counters: once_each(&self.counters),
        }
    }

    /// The command that draws what head does more of than base.
    fn flamegraph(&self, key: &CellKey, catalogs: &[PathBuf]) -> String {
        let mut words = vec!["bindbench".to_owned(), "profile".to_owned()];
        words.extend(self.sides.words(catalogs));
        words.push("--diff".to_owned());
        words.extend(Side::BOTH.map(|side| side.lane(&key.lane)));
        words.extend(["-w".to_owned(), format!("{}.{}", key.workload, key.operation)]);
        words.extend(key.size.into_iter().flat_map(|size| ["--size".to_owned(), size.to_string()]));
        words.extend(key.interpreter.iter().flat_map(|name| ["-p".to_owned(), name.clone()]));
        shell(&words)
    }
}
