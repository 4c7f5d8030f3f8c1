//! How often does a verdict cry wolf, and what does it overlook? `cargo bench --bench verdicts` compares two builds of one strategy, over
//! and over, that are the same or of which one has more to do; it asks bindbench's `gate`, pyperf, Criterion and hyperfine in turn, each
//! for as long as the others, and counts. With a program beside them that keeps a CPU busy, too.
//!
//! All of it takes a day. Each comparison is on the disk when it ends, in `runs/verdicts/trials.jsonl`, and the next invocation goes on
//! where this one was stopped: `-- --part 'equal/*/idle'` chooses, `--trials` and `--seconds` make less of it, `--show` only prints the
//! table. What is compared is `benches/catalogs/spinning`.

mod builds;
mod counts;
mod hog;
mod journal;
mod judge;
mod part;
mod table;

use std::io::stdin;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bindbench_measure::environment;
use bindbench_worker::watch;
use clap::Parser;
use globset::{Glob, GlobSet, GlobSetBuilder};
use miette::{IntoDiagnostic, Result, bail};

use builds::Yard;
use hog::Hog;
use journal::{Journal, Trial};
use judge::{Judge, judges};
use part::Part;

/// So many comparisons of a part, then some of the next: who stops early has some of each.
const STRETCH: u32 = 5;

/// How long a hog runs before anything is measured beside it.
const BEFORE: Duration = Duration::from_secs(1);

/// Compares equal and unequal builds with bindbench and with other tools.
#[derive(Parser)]
struct Args {
    /// Parts: 'equal/noop/idle', 'slower/*'; repeatable; all when left out
    #[arg(long = "part", value_name = "GLOB")]
    parts: Vec<Glob>,
    /// Tools, by the beginning of their names; repeatable; all when left out
    #[arg(long = "tool", value_name = "NAME")]
    tools: Vec<String>,
    /// Comparisons of each part by each tool, instead of 100 of equal builds and 40 of others
    #[arg(long, value_name = "N")]
    trials: Option<u32>,
    /// Time for each comparison, instead of 5 s for equal builds and 10 s for others
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u16).range(1..))]
    seconds: Option<u16>,
    /// Begin no comparison after so many minutes
    #[arg(long, value_name = "N")]
    minutes: Option<u32>,
    /// What was found before, and is added to
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../runs/verdicts/trials.jsonl"))]
    journal: PathBuf,
    /// Compare nothing
    #[arg(long)]
    show: bool,
    /// Instead, count instructions of every binding in twenty processes, and of a hundredth more work in each
    #[arg(long, conflicts_with_all = ["parts", "tools", "trials", "seconds", "minutes", "show"])]
    counts: bool,
    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        // The guard is this very program, started again; and so are others.
        Some("guard") => watch(stdin().lock()),
        Some(hog::WORD) => hog::be_one(),
        Some(judge::CRITERION) => judge::be_criterion(words)?,
        _ => match Args::parse() {
            args if args.counts => counts::count(&Yard::open()?, &args.journal.with_file_name("counts.jsonl"))?,
            args => compare(&args)?,
        },
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(args: &Args) -> Result<()> {
    let wanted = args.wanted()?;
    let parts: Vec<Part> = Part::all().into_iter().filter(|part| wanted.is_empty() || wanted.is_match(part.name())).collect();
    if parts.is_empty() {
        bail!("no part is called so; there are {}", Part::all().iter().map(Part::name).collect::<Vec<_>>().join(", "));
    }
    let given = args.seconds.map(|seconds| Duration::from_secs(seconds.into()));
    let mut journal = Journal::open(&args.journal)?;
    if !args.show {
        let yard = Yard::open()?;
        let (mut judges, lacking) = judges(&yard);
        lacking.iter().for_each(|lacking| eprintln!("{lacking}"));
        judges.retain(|judge| args.tools.is_empty() || args.tools.iter().any(|tool| judge.name().starts_with(tool.as_str())));
        let end = args.minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * u64::from(minutes)));
        take_turns(args, &parts, given, end, &yard, &mut judges, &mut journal)?;
    }
    println!("{}", table::table(&journal, &parts, given));
    Ok(())
}

/// A few comparisons of each part, then a few more, until there are enough, or the time is up.
fn take_turns(
    args: &Args,
    parts: &[Part],
    given: Option<Duration>,
    end: Option<Instant>,
    yard: &Yard,
    judges: &mut [Box<dyn Judge>],
    journal: &mut Journal,
) -> Result<()> {
    let most = |part: &Part| args.trials.unwrap_or(part.trials());
    let cpu = environment::environment(&bindbench_setup::needs::Tools::find(&yard.layout.tools()), true).cpu;
    for stretch in 1..=parts.iter().map(most).max().unwrap_or(0).div_ceil(STRETCH) {
        for part in parts {
            let (name, within, enough) = (part.name(), given.unwrap_or(part.time()), most(part).min(stretch * STRETCH) as usize);
            if judges.iter().all(|judge| journal.count(&name, judge.name(), within) >= enough) {
                continue;
            }
            let pair = yard.build(part, journal.truth(&name))?;
            let hog = part.hog.then(Hog::start).transpose()?;
            if hog.is_some() {
                std::thread::sleep(BEFORE);
            }
            for trial in 0..enough {
                for judge in judges.iter_mut() {
                    if journal.count(&name, judge.name(), within) > trial {
                        continue;
                    }
                    if end.is_some_and(|end| Instant::now() >= end) {
                        return Ok(());
                    }
                    let (load, begun) = (environment::load(), Instant::now());
                    let opinion = judge.judge(yard, &pair, part.class, within)?;
                    let took = begun.elapsed();
                    eprintln!("{name} {} of {}: {} says {:?}, {took:.1?}", trial + 1, most(part), judge.name(), opinion.said);
                    journal.add(Trial {
                        part: name.clone(),
                        tool: judge.name().to_owned(),
                        given_s: within.as_secs_f64(),
                        took_s: took.as_secs_f64(),
                        said: opinion.said,
                        ratio: opinion.ratio,
                        truth: pair.truth,
                        load,
                        cpu: cpu.clone(),
                        at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    })?;
                }
            }
        }
    }
    Ok(())
}

impl Args {
    fn wanted(&self) -> Result<GlobSet> {
        let mut set = GlobSetBuilder::new();
        for glob in &self.parts {
            set.add(glob.clone());
        }
        set.build().into_diagnostic()
    }
}
