//! Criterion over the very workers that `bindbench run` measures: `cargo bench --bench workers`. A benchmark is a cell; it has one worker,
//! which is told how many calls to make, and its time is what the worker's own clock says of them, the loop around the call included.
//!
//! It measures what is set up, and sets up nothing. `BINDBENCH_CELLS="-w std -s 'pyo3/*' --preset talk"` chooses by the grammar of every
//! bindbench command; Criterion's own filter chooses among these. Its figures are for looking at how a cell's time spreads within one
//! process. METHODOLOGY.md says how they agree with a run's, and why verdicts are not made of them.

use std::env;
use std::io::stdin;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bindbench_catalog::{Preset, Selection};
use bindbench_inspect::{Begun, Cases, Sitting, Studio, Subject, begin};
use bindbench_measure::trouble::Trouble;
use bindbench_measure::{Watch, environment};
use bindbench_model::Unit;
use bindbench_setup::Workshop;
use bindbench_setup::build::State;
use bindbench_setup::layout::Layout;
use bindbench_worker::{Guard, Limits, watch};
use clap::Parser;
use criterion::{BenchmarkId, Criterion, Throughput};
use miette::{Context, IntoDiagnostic, Result, miette};

/// The variable that chooses cells.
const CELLS: &str = "BINDBENCH_CELLS";

/// Some of every workload, and of every kind of binding.
const SOME: &str = "-w call.noop -w kmp -w std.std -w bpe.encode -s python/pure -s cython/rust -s capi/rust -s ctypes/rust -s pyo3/held";

/// Calls in one request: their inputs' list stays within 8 MiB.
const MOST_CALLS: u64 = 1 << 20;

/// What [`CELLS`] says.
#[derive(Debug, Parser)]
#[command(name = CELLS, no_binary_name = true, disable_help_flag = true)]
struct Wanted {
    #[command(flatten)]
    selection: Selection,
    /// The cases
    #[arg(long, value_enum, default_value_t = Preset::Smoke)]
    preset: Preset,
    /// A further folder with strategies
    #[arg(long, value_name = "DIR")]
    catalog: Vec<PathBuf>,
}

fn main() -> Result<ExitCode> {
    if env::args().nth(1).as_deref() == Some("guard") {
        // The guard is this very program, started again.
        watch(stdin().lock());
        return Ok(ExitCode::SUCCESS);
    }
    let Wanted { selection, preset, catalog } = wanted()?;
    let workshop = Workshop::open(Layout::find(), &catalog)?;
    if !is_any_ready(&workshop, &selection)? {
        println!("workers: none of these lanes is set up, so nothing is measured; `cargo bindbench setup` does it");
        return Ok(ExitCode::SUCCESS);
    }
    let limits = Limits { time: Duration::from_secs(300), memory: environment::available_memory() / 5 * 4 };
    let Begun { subjects, .. } = begin(&workshop, &selection, Cases::Preset(preset), limits, env::args().collect())?;
    let (guard, interrupt) = (Guard::start().into_diagnostic()?, AtomicBool::new(false));
    let logs = tempfile::tempdir_in(workshop.layout.build()).into_diagnostic().wrap_err("can't make a folder for what workers print")?;
    let studio = Studio { limits, logs: logs.path().to_owned(), watch: Watch { guard: &guard, interrupt: &interrupt } };

    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .sample_size(30)
        .configure_from_args();
    for subject in &subjects {
        bench(&mut criterion, subject, &studio);
    }
    criterion.final_summary();
    Ok(ExitCode::SUCCESS)
}

fn wanted() -> Result<Wanted> {
    let text = env::var(CELLS).unwrap_or_else(|_| SOME.to_owned());
    let words = shlex::split(&text).ok_or_else(|| miette!("{CELLS}: a quotation mark is missing in {text}"))?;
    Wanted::try_parse_from(words).map_err(|error| miette!("{CELLS}: {error}"))
}

fn is_any_ready(workshop: &Workshop, selection: &Selection) -> Result<bool> {
    let lanes = selection.contenders(&workshop.catalog)?;
    let interpreters = workshop.interpreters(&selection.pythons, &lanes)?;
    let is_ready = |lane, interpreter| matches!(workshop.state(lane, interpreter), State::Ready(_));
    Ok(lanes.iter().any(|lane| match lane.is_native() {
        true => is_ready(lane, None),
        false => interpreters.iter().any(|interpreter| is_ready(lane, Some(interpreter))),
    }))
}

/// One cell. Its worker is started when Criterion comes to it, which a filter may prevent, and ended when it is done.
fn bench(criterion: &mut Criterion, subject: &Subject, studio: &Studio) {
    let lane = match &subject.cell.interpreter {
        Some(interpreter) => format!("{}@{interpreter}", subject.cell.lane),
        None => subject.cell.lane.clone(),
    };
    let mut group = criterion.benchmark_group(subject.title());
    if let Some(size) = subject.case.size {
        group.throughput(match subject.case.unit {
            Unit::Bytes => Throughput::Bytes(size),
            Unit::Items => Throughput::Elements(size),
        });
    }
    let mut sitting = None;
    group.bench_function(BenchmarkId::from_parameter(&lane), |bencher| {
        let sitting = sitting.get_or_insert_with(|| {
            let mut sitting = done(Sitting::start(subject, &subject.launch, studio), &lane);
            done(sitting.load(), &lane);
            sitting
        });
        bencher.iter_custom(|calls| time(sitting, calls, &lane));
    });
    group.finish();
}

/// What so many calls take by the worker's clock.
fn time(sitting: &mut Sitting, calls: u64, lane: &str) -> Duration {
    let (mut left, mut elapsed_ns) = (calls, 0);
    while left > 0 {
        let loops = left.min(MOST_CALLS);
        elapsed_ns += done(sitting.sample(loops), lane).elapsed_ns;
        left -= loops;
    }
    Duration::from_nanos(elapsed_ns)
}

/// Criterion knows no errors. A wrong answer has no time, so the benchmark ends here, and the workers with it.
fn done<T>(result: Result<T, Trouble>, lane: &str) -> T {
    match result {
        Ok(done) => done,
        Err(Trouble::Cell(status)) => panic!("{lane}: {status}"),
        Err(Trouble::Interrupted) => panic!("{lane}: interrupted"),
    }
}
