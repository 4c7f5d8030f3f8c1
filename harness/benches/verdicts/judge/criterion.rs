//! Criterion: a baseline of base, then head against it, over the workers that bindbench measures. It says on its standard output what it
//! thinks, so it is this very program, started again.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bindbench::cmd::sides::BothSides;
use bindbench_catalog::{Preset, Selection, Side};
use bindbench_inspect::{Begun, Cases, Sitting, Studio, Subject, begin};
use bindbench_measure::trouble::Trouble;
use bindbench_measure::{Watch, environment};
use bindbench_worker::{Guard, Limits};
use clap::Parser;
use miette::{IntoDiagnostic, Result, bail, miette};

use super::super::builds::{Pair, Yard};
use super::super::part::Class;
use super::{Judge, Opinion, Pace, Said, run};

/// What this program is told when it is to be Criterion.
pub const WORD: &str = "criterion";

/// Calls in one request: their inputs' list stays within 8 MiB.
const MOST_CALLS: u64 = 1 << 20;

/// Criterion with its own defaults for a verdict: p < 0.05, and beyond 1 %.
#[derive(Default)]
pub struct Criterion {
    pace: Pace,
}

/// What the child is told.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Told {
    base: PathBuf,
    head: PathBuf,
    lane: String,
    python: String,
    /// Seconds for the samples of both.
    samples_s: f64,
    folder: PathBuf,
}

impl Judge for Criterion {
    fn name(&self) -> &'static str {
        "Criterion 0.8"
    }

    fn judge(&mut self, yard: &Yard, pair: &Pair, class: Class, within: Duration) -> Result<Opinion> {
        let folder = tempfile::tempdir_in(yard.layout.build()).into_diagnostic()?;
        let begun = Instant::now();
        let program = std::env::current_exe().into_diagnostic()?;
        let samples_s = self.pace.samples_s(within).to_string();
        let mut command = Command::new(program);
        command.arg(WORD).args(&pair.catalogs).args([&class.lane(), &yard.version, &samples_s]).arg(folder.path());
        let output = run(&mut command)?;
        self.pace.took(within, begun.elapsed());
        read(&String::from_utf8_lossy(&output.stdout), folder.path())
    }
}

/// Its verdict is a sentence; how much, it writes to a file.
fn read(printed: &str, folder: &std::path::Path) -> Result<Opinion> {
    let said = if printed.contains("Performance has regressed.") {
        Said::Slower
    } else if printed.contains("Performance has improved.") {
        Said::Faster
    } else if printed.contains("No change in performance detected.") || printed.contains("Change within noise threshold.") {
        Said::Same
    } else {
        bail!("Criterion says something else: {printed}");
    };
    let change = std::fs::read(folder.join("call/noop/change/estimates.json")).into_diagnostic()?;
    let change: serde_json::Value = serde_json::from_slice(&change).into_diagnostic()?;
    Ok(Opinion { said, ratio: change["mean"]["point_estimate"].as_f64().map(|change| 1.0 + change) })
}

/// Measures base, then head, each in a worker of its own, as Criterion does.
///
/// # Errors
/// When a build is not ready.
pub fn measure(words: impl Iterator<Item = String>) -> Result<()> {
    let told = Told::try_parse_from(words).into_diagnostic()?;
    let BothSides { workshop, .. } = Yard::sides(&[told.base, told.head])?;
    let selection = Selection {
        workloads: vec!["call.noop".to_owned()],
        lanes: vec![told.lane.clone()],
        pythons: vec![told.python],
        ..Selection::default()
    };
    let limits = Limits { time: Duration::from_secs(60), memory: environment::available_memory() / 5 * 4 };
    let Begun { subjects, .. } = begin(&workshop, &selection.on_both_sides(), Cases::Preset(Preset::Smoke), limits, Vec::new())?;
    let (guard, interrupt) = (Guard::start().into_diagnostic()?, AtomicBool::new(false));
    let studio = Studio { limits, logs: told.folder.clone(), watch: Watch { guard: &guard, interrupt: &interrupt } };
    for side in Side::BOTH {
        let subject = subjects.iter().find(|subject| subject.cell.lane == side.lane(&told.lane));
        let subject = subject.ok_or_else(|| miette!("{} is not ready on {side:?}", told.lane))?;
        let criterion = criterion::Criterion::default()
            .output_directory(&told.folder)
            .without_plots()
            .with_output_color(false)
            .sample_size(30)
            .warm_up_time(Duration::from_secs_f64(told.samples_s / 20.0))
            .measurement_time(Duration::from_secs_f64(told.samples_s / 2.0 * 0.9));
        let criterion = match side {
            Side::Base => criterion.save_baseline("base".to_owned()),
            Side::Head => criterion.retain_baseline("base".to_owned(), true),
        };
        bench(criterion, subject, &studio);
    }
    Ok(())
}

fn bench(mut criterion: criterion::Criterion, subject: &Subject, studio: &Studio) {
    let mut sitting = done(Sitting::start(subject, &subject.launch, studio));
    done(sitting.load());
    let mut group = criterion.benchmark_group("call");
    group.bench_function("noop", |bencher| bencher.iter_custom(|calls| time(&mut sitting, calls)));
    group.finish();
}

/// What so many calls take by the worker's clock.
fn time(sitting: &mut Sitting, calls: u64) -> Duration {
    let (mut left, mut elapsed_ns) = (calls, 0);
    while left > 0 {
        let loops = left.min(MOST_CALLS);
        elapsed_ns += done(sitting.sample(loops)).elapsed_ns;
        left -= loops;
    }
    Duration::from_nanos(elapsed_ns)
}

/// Criterion knows no errors; the program that started this one sees how it ended.
fn done<T>(result: Result<T, Trouble>) -> T {
    match result {
        Ok(done) => done,
        Err(Trouble::Cell(status)) => panic!("{status}"),
        Err(Trouble::Interrupted) => panic!("interrupted"),
    }
}
