//! The pass `stacks`: samples of a worker while it calls its lane over and over, and of everything it started.

use std::time::Duration;

use thiserror::Error;

use super::fold::Folded;
use super::names::Namer;
use super::perf_map::PerfMaps;
use super::record::Event;
use super::refusal::Refused;
use super::sampler::{Recording, Sampler};
use super::sitting::{Sitting, Studio};
use super::subject::Subject;
use super::unwind::unwind;
use crate::measure::crew::Trouble;

/// Makes CPython write down, from 3.12 on, which Python function each piece of its trampolines' code is. (`-X perf` does the same, but
/// does not reach the processes that a worker spawns.) Older ones, and PyPy, do not know it.
const PERF_SUPPORT: (&str, &str) = ("PYTHONPERFSUPPORT", "1");

/// A loop lasts at least this long: what is around it is then next to nothing.
const LOOP: Duration = Duration::from_millis(100);

/// How to sample.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Samples a second, of each running thread.
    pub hertz: u64,
    /// Loops are sampled for this long, each to its end.
    pub span: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Sampled {
    /// The stacks, named and counted.
    pub folded: Folded,
    /// Calls of the lane.
    pub calls: u64,
    /// Wall time of the loops, nanoseconds.
    pub elapsed_ns: u64,
    /// Samples that were dropped.
    pub lost: u64,
    /// The operating system let itself be looked at.
    pub with_kernel: bool,
}

/// Why there are no samples.
#[derive(Debug, Error)]
pub enum NoSamples {
    /// The cell can't be looked at, or the user pressed Ctrl-C.
    #[error("the worker could not be sampled")]
    Trouble(Trouble),
    /// The kernel does not allow it.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl From<Trouble> for NoSamples {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// Samples the loops of one cell.
///
/// # Errors
/// When the cell can't be looked at, or the kernel refuses.
pub fn sample(subject: &Subject, how: How, studio: &Studio) -> Result<Sampled, NoSamples> {
    let mut launch = subject.launch.clone();
    launch.environment.insert(PERF_SUPPORT.0.to_owned(), PERF_SUPPORT.1.to_owned());
    // Dropped after the worker: what it writes until its end is removed.
    let mut maps = PerfMaps::default();
    let mut sitting = Sitting::start(subject, &launch, studio)?;
    let pid = sitting.pid();
    maps.own(pid);
    let mut sampler = Sampler::attach(pid, how.hertz)?;
    let looped = run_loops(&mut sitting, &mut sampler, how);
    let Recording { records, lost, with_kernel } = sampler.finish();
    // Before anything can go wrong: what the worker started may have left files, too.
    for record in &records {
        if let Event::Forked { pid, .. } = record.event {
            maps.own(pid);
        }
    }
    let (calls, elapsed_ns) = looped?;
    maps.read();
    sitting.finish();
    let unwound = unwind(&records);
    drop(records);
    let folded = Folded::new(&unwound, pid, Namer::new(&unwound, &maps, &subject.owners));
    Ok(Sampled { folded, calls, elapsed_ns, lost, with_kernel })
}

/// Calls and nanoseconds.
fn run_loops(sitting: &mut Sitting, sampler: &mut Sampler, how: How) -> Result<(u64, u64), NoSamples> {
    sitting.load()?;
    let loops = sitting.calibrate(LOOP)?;
    let (mut rounds, mut elapsed_ns) = (0, 0);
    while u128::from(elapsed_ns) < how.span.as_nanos() {
        sampler.switch(true).map_err(Refused::by_the_kernel)?;
        let sampled = sitting.sample(loops)?;
        sampler.switch(false).map_err(Refused::by_the_kernel)?;
        elapsed_ns += sampled.elapsed_ns.max(1);
        rounds += 1;
    }
    Ok((rounds * loops, elapsed_ns))
}
