//! `bindbench gate`: is head slower than base? Both are built, and measured in turn, until that is known.

mod begin;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bindbench_catalog::{Preset, Selection, Side};
use bindbench_measure::{MOST_ROUNDS, Options, Outcome, Session, Watch, environment};
use bindbench_model::{CellKey, Counter};
use bindbench_report::gate::{
    Gated, JSON_SCHEMA, Judged, Pair, Verdict, judged, judged_count, junit, markdown, of_generation, pairs, terminal, uncounted,
};
use bindbench_report::warnings::remembering;
use bindbench_setup::bar_style;
use bindbench_setup::layout::Layout;
use bindbench_stats::{Gate, LOOKS};
use bindbench_worker::{Guard, Limits};
use clap::Parser;
use indicatif::ProgressBar;
use miette::{Context, IntoDiagnostic, Result, bail};

use super::again::{self, again, pasted, with_path};
use super::compare::{INCONCLUSIVE, percent, write};
use super::interrupt::{INTERRUPTED, listen};
use super::run::{USUAL_TIMEOUT, seconds};
use super::sides::Sides;
use super::{print, report, say};
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
    /// Go on with a gate that was stopped, or had too little time: a folder, or its name under runs/gates/; with `--budget`, until that much
    /// is used up in all
    #[arg(long, value_name = "RUN", conflicts_with_all = ["base", "base_rev", "head", "workloads", "lanes", "pythons", "sizes", "threads", "preset", "counters", "threshold", "instructions_threshold", "seed"])]
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
  0  no cell is slower, or has more instructions
  1  a cell is slower, has more instructions, or does not work any more
  2  usage or configuration
  3  no cell is known to be slower, and of some it is not known; or a lane asked for by name was not measured on both sides
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
        say("stopped before anything was measured");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let budget = args.budget.unwrap_or_else(|| usual_budget(&begun, args.resume.is_some()));
    let guard = Guard::with_locks(&begun.session.locks()).into_diagnostic().wrap_err("can't start the guard")?;
    let watch = Watch { guard: &guard, interrupt: &interrupt };
    if begun.session.prepare_gate(&args.options(&begun.session.run().plan.counters.clone()), budget, watch)? == Outcome::Interrupted {
        return Ok(stopped(&begun.session, args));
    }
    let pairs = pairs(begun.session.run());
    let is_timed = begun.session.run().is_timed();
    let budgeted = if is_timed { budget } else { Duration::ZERO };
    let mut gate = Gate::new(pairs.len(), begun.threshold);
    let Some(generations) = decide(&mut gate, &mut begun.session, &pairs, budgeted, watch)? else {
        return Ok(stopped(&begun.session, args));
    };
    if begun.session.count(watch)? == Outcome::Interrupted {
        return Ok(stopped(&begun.session, args));
    }
    begun.session.finish_gate(generations)?;
    let gated = begun.gated(&gate, &pairs, budget)?;
    if let Some(file) = &args.junit {
        write(file, junit(&gated).as_bytes())?;
    }
    report::step_summary(&markdown(&gated))?;
    if args.json {
        print(&(serde_json::to_string_pretty(&gated).into_diagnostic()? + "\n"))?;
    } else {
        print(&terminal(&gated, report::look(&io::stdout())))?;
    }
    let unmet = &begun.session.run().unmet;
    if !unmet.is_empty() && gated.verdict() == Verdict::Pass {
        say(&format!("exit status {INCONCLUSIVE}: asked for by name, and not measured: {}", unmet.join("; ")));
    }
    Ok(ExitCode::from(match gated.verdict() {
        Verdict::Pass if unmet.is_empty() => 0,
        Verdict::Fail => 1,
        Verdict::Pass | Verdict::Inconclusive => INCONCLUSIVE,
    }))
}

/// The budget a gate was begun with, or else so much for each of its cells.
fn usual_budget(begun: &Begun, resumed: bool) -> Duration {
    let before = Duration::try_from_secs_f64(begun.session.run().plan.budget_s).unwrap_or_default();
    if resumed && begun.session.is_prepared() { before } else { PER_CELL * pairs(begun.session.run()).len() as u32 }
}

/// Takes generations of what is undecided, until nothing is or the time is up. Returns how many; none when it was stopped. Generations that
/// are on disk already are looked at anew, in their order: so a gate that was stopped decides as it would have.
fn decide(gate: &mut Gate, session: &mut Session, pairs: &[Pair], budget: Duration, watch: Watch) -> Result<Option<u32>> {
    let bar = ProgressBar::new(budget.as_secs()).with_style(bar_style("s, {msg}"));
    let (mut longest, mut generation) = (Duration::ZERO, 0);
    let is_in_time = |session: &Session, longest: Duration| !budget.is_zero() && session.used() + longest <= budget;
    while generation < MOST_GENERATIONS && (session.has(generation) || is_in_time(session, longest)) {
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
    Ok(Some(generation))
}

/// The three cells of a pair, where all of them work.
fn working(pair: &Pair, session: &Session) -> Option<[u32; 3]> {
    let cells = [pair.base, pair.head, pair.twin?];
    cells.iter().all(|&id| session.run().cells[id as usize].status.has_number()).then_some(cells)
}

fn stopped(session: &Session, args: &Args) -> ExitCode {
    let folder = session.folder();
    say(&format!("stopped; every complete round is in {}\ngo on with: {}", folder.display(), args.go_on(folder)));
    ExitCode::from(INTERRUPTED)
}

impl Args {
    /// With the counters that were asked for, or that a gate which is resumed was begun with.
    fn options(&self, counters: &[Counter]) -> Options {
        Options {
            preset: self.preset,
            // Of instructions there are as many as always: they are exact.
            generations: counters.contains(&Counter::Time).then_some(MOST_GENERATIONS),
            rounds: Some(MOST_ROUNDS),
            budget: self.budget,
            seed: self.seed,
            limits: Limits { time: self.timeout, memory: environment::available_memory() / 5 * 4 },
            loops_from: None,
            twins: false,
            counters: counters.to_vec(),
        }
    }

    /// The command that goes on with this gate, with all that was said and is not in its folder: the two builds are.
    fn go_on(&self, folder: &Path) -> String {
        let mut words = again::resume("gate", folder, self.runs.as_deref(), &Layout::find().runs().join("gates"), &[]);
        words.extend(self.budget.iter().flat_map(|budget| ["--budget".to_owned(), budget.as_secs_f64().to_string()]));
        if self.timeout != USUAL_TIMEOUT {
            words.extend(["--timeout".to_owned(), self.timeout.as_secs_f64().to_string()]);
        }
        self.junit.iter().for_each(|file| with_path(&mut words, "--junit", file));
        words.extend(self.json.then(|| "--json".to_owned()));
        pasted(&words)
    }

    fn runs(&self, layout: &Layout) -> PathBuf {
        self.runs.clone().unwrap_or_else(|| layout.runs().join("gates"))
    }
}

impl Begun {
    /// All there is to say of it.
    ///
    /// # Errors
    /// When nothing could be timed or counted on both sides.
    fn gated(&self, gate: &Gate, pairs: &[Pair], budget: Duration) -> Result<Gated> {
        let run = self.session.run();
        let flamegraph = |key: &CellKey| flamegraph(&self.sides, &self.catalogs, key);
        let judge = |at: usize| {
            let pair = &pairs[at];
            let count = judged_count(pair, run, self.session.counts(), self.instructions_threshold);
            judged(pair, run, &gate.known(at), self.threshold, flamegraph).with_instructions(count, run, pair, || flamegraph(&pair.key))
        };
        let why_not = |at: &usize| uncounted(&pairs[*at], run);
        let without = |at: usize| Some(format!("{}: its instructions are not counted: {}", pairs[at].key, why_not(&at)?));
        let left_out: Vec<String> = self.left_out.iter().cloned().chain((0..pairs.len()).filter_map(without)).collect();
        let cells: Vec<Judged> = (0..pairs.len()).filter(|at| run.is_timed() || why_not(at).is_none()).map(judge).collect();
        if cells.is_empty() {
            bail!(help = "`--counter time` takes times", "nothing can be counted on both sides\n{}", left_out.join("\n"));
        }
        Ok(Gated {
            schema: JSON_SCHEMA,
            run: self.session.folder().display().to_string(),
            sides: self.names.clone(),
            threshold: self.threshold,
            instructions_threshold: self.instructions_threshold,
            seconds: self.session.used().as_secs_f64(),
            budget_s: budget.as_secs_f64(),
            cells,
            left_out,
            notes: self.notes.iter().chain(&run.notes).cloned().chain(remembering(run)).collect(),
        })
    }
}

/// The command that draws what head does more of than base in this very cell.
fn flamegraph(sides: &Sides, catalogs: &[PathBuf], key: &CellKey) -> String {
    let mut words = again("profile");
    words.extend(sides.words(catalogs));
    words.push("--diff".to_owned());
    words.extend(Side::BOTH.map(|side| side.lane(&key.lane)));
    words.extend(["--case".to_owned(), CellKey { threads: 1, ..key.clone() }.case()]);
    if key.threads > 1 {
        words.extend(["--threads".to_owned(), key.threads.to_string()]);
    }
    words.extend(key.interpreter.iter().flat_map(|name| ["-p".to_owned(), name.clone()]));
    pasted(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::profile;
    use bindbench_catalog::{Catalog, matrix};
    use bindbench_model::{Case, GateRecord, Unit};

    /// What `bindbench profile` makes of the words after its name, with the sides that `gate` would have.
    fn spanned(words: &[String], catalog: &Catalog) -> Vec<(Case, Vec<String>)> {
        let at = words.iter().position(|word| word == "profile").unwrap();
        // The program's own option, which is not the command's, comes first.
        let ["profile", "--catalog", "my \"lanes\"", ..] = words[at..].iter().map(String::as_str).collect::<Vec<_>>()[..] else {
            panic!("{words:?}");
        };
        let words = ["profile"].into_iter().chain(words[at + 3..].iter().map(String::as_str));
        let spanned = profile::Args::try_parse_from(words).unwrap_or_else(|error| panic!("{error}")).spanned(catalog).unwrap();
        let lanes = |case: &Case| spanned.wanted.iter().filter(|wanted| wanted.case == case.id).map(|wanted| wanted.lane.clone()).collect();
        spanned.cases.iter().map(|case| (case.clone(), lanes(case))).collect()
    }

    #[test]
    fn the_command_printed_for_a_cell_draws_that_very_cell() {
        let root = Layout::find().root().to_owned();
        let impls = [root.join("impls")];
        let (one, two) = (Catalog::read(&root, &[]).unwrap(), Catalog::of_sides(&root, ("--base", &impls), ("--head", &impls)).unwrap());
        let sides = Sides::of(&GateRecord { base_rev: Some("it's $HOME".into()), ..GateRecord::default() });
        let mut cases: Vec<Case> = Vec::new();
        for preset in [Preset::Smoke, Preset::Quick, Preset::Talk, Preset::Full] {
            cases.extend(matrix(&one, &Selection::default(), preset, 8).unwrap().cases);
        }
        let named = |case: &Case| (case.operation.clone(), case.input.clone());
        assert!(cases.iter().any(|case| case.operation == "length") && cases.iter().any(|case| case.input == "periodic"));
        assert!(cases.iter().map(named).collect::<BTreeSet<_>>().len() > 15 && cases.iter().any(|case| case.threads > 1));
        for case in cases {
            let key = CellKey {
                lane: "python/pure".into(),
                workload: case.workload.clone(),
                operation: case.operation.clone(),
                input: case.input.clone(),
                size: case.size,
                bytes: case.unit == Unit::Bytes,
                threads: case.threads,
                interpreter: Some("3.13.0".into()),
            };
            let command = flamegraph(&sides, &["my \"lanes\"".into()], &key);
            let words = shlex::split(&command).unwrap();
            assert!(words.contains(&"it's $HOME".to_owned()), "{command}");
            let drawn = spanned(&words, &two);
            let lanes = ["python/pure@base", "python/pure@head"].map(str::to_owned).to_vec();
            assert_eq!(drawn, [(Case { id: 0, ..case }, lanes)], "{command}");
        }
    }
}
