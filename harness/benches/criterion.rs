//! Criterion over bindbench's own workers: `cargo bench -p bindbench --bench criterion` times `call.noop` and `std.std` of a few lanes by
//! the workers' loops (`iter_custom`), for whoever wants Criterion's plots and its history. METHODOLOGY.md has how its numbers agree
//! with those of a run, and why no verdict of bindbench's comes from it.
//!
//! It sets up the lanes by itself. Criterion's own options follow `--`.

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bindbench::catalog::{Preset, Selection};
use bindbench::cmd::setup::set_up;
use bindbench::measure::{Watch, environment};
use bindbench::profile::{Sitting, Studio, Subject, begin};
use bindbench::worker::{Guard, Limits, watch};
use criterion::Criterion;
use miette::{Context, IntoDiagnostic, Result, miette};

/// One binding each, and the floor.
const LANES: [&str; 5] = ["native/rust", "capi/rust", "pyo3/held", "ctypes/rust", "python/pure"];
const OPERATIONS: [&str; 2] = ["call.noop", "std.std"];

/// The most calls that a worker is asked for at a time: their inputs' list stays within 32 MiB.
const MOST_LOOPS: u64 = 1 << 22;

fn main() -> Result<ExitCode> {
    if std::env::args().nth(1).as_deref() == Some("guard") {
        watch(std::io::stdin().lock());
        return Ok(ExitCode::SUCCESS);
    }
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    let selection = Selection { workloads: texts(&OPERATIONS), lanes: texts(&LANES), ..Selection::default() };
    let workshop = set_up(&selection, Preset::Smoke, &[])?;
    let limits = Limits { time: Duration::from_secs(60), memory: environment::available_memory() / 5 * 4 };
    let (_, subjects) = begin(&workshop, &selection, Some(Preset::Smoke), limits, std::env::args().collect())?;
    let guard = Guard::start().into_diagnostic().wrap_err("can't start the guard")?;
    let interrupt = AtomicBool::new(false);
    let logs = tempfile::tempdir_in(workshop.layout.build()).into_diagnostic().wrap_err("can't make a folder for what workers print")?;
    let studio = Studio { limits, logs: logs.path().to_owned(), watch: Watch { guard: &guard, interrupt: &interrupt } };
    let mut criterion =
        Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).configure_from_args();
    for subject in &subjects {
        time(&mut criterion, subject, &studio)?;
    }
    criterion.final_summary();
    Ok(ExitCode::SUCCESS)
}

/// A worker for a cell, timed by its own loop. The empty loop is in these times: Criterion has no way to take it out.
fn time(criterion: &mut Criterion, subject: &Subject, studio: &Studio) -> Result<()> {
    let name = format!("{} {}", subject.cell.lane, subject.title());
    let no_worker = |trouble| miette!("{name}: {trouble:?}");
    let mut sitting = Sitting::start(subject, &subject.launch, studio).map_err(no_worker)?;
    sitting.load().map_err(no_worker)?;
    criterion.bench_function(&name, |bencher| {
        bencher.iter_custom(|calls| {
            let mut left = calls;
            let mut elapsed = Duration::ZERO;
            while left > 0 {
                let loops = left.min(MOST_LOOPS);
                let sampled = sitting.sample(loops).unwrap_or_else(|trouble| panic!("{name}: {trouble:?}"));
                elapsed += Duration::from_nanos(sampled.elapsed_ns);
                left -= loops;
            }
            elapsed
        });
    });
    sitting.finish();
    Ok(())
}
