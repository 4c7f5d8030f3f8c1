//! What every way of taking samples is asked for, and what it gives back.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bindbench_measure::trouble::Trouble;
use miette::Diagnostic;
use thiserror::Error;

use super::fold::Folded;
use super::refusal::Refused;
use super::sitting::Sitting;
use super::way::Way;

/// Makes CPython write down, from 3.12 on, which Python function each piece of its trampolines' code is. (`-X perf` does the same, but
/// does not reach the processes that a worker spawns.) Older ones, and PyPy, do not know it.
pub(super) const PERF_SUPPORT: (&str, &str) = ("PYTHONPERFSUPPORT", "1");

/// A loop lasts at least this long: what is around it is then next to nothing.
pub(super) const LOOP: Duration = Duration::from_millis(100);

/// How to sample.
#[derive(Clone, Debug)]
pub struct Sampling {
    /// In which way.
    pub way: Way,
    /// Samples a second of each running thread, if the way can take so many.
    pub hertz: u64,
    /// Loops are sampled for this long, each to its end.
    pub span: Duration,
    /// Also write the samples one by one, for the Firefox Profiler.
    pub firefox: bool,
}

impl Sampling {
    /// What a sample stands for that is taken as often as was asked for, nanoseconds.
    pub(super) fn sample_ns(&self) -> f64 {
        1e9 / self.hertz as f64
    }
}

/// What came of sampling.
#[derive(Debug)]
pub struct Sampled {
    /// How it was done.
    pub way: Way,
    /// The worker's process.
    pub worker: u32,
    /// The stacks, named and counted.
    pub folded: Folded,
    /// Calls of the lane.
    pub calls: u64,
    /// Wall time of the loops, nanoseconds.
    pub elapsed_ns: u64,
    /// What a sample stands for: time of a running thread, nanoseconds.
    pub sample_ns: f64,
    /// Samples that were dropped.
    pub lost: u64,
    /// The operating system let itself be looked at.
    pub with_kernel: bool,
}

impl Sampled {
    /// What was sampled of a worker in the way and as often as was asked for, without the operating system's part and without a loss.
    pub(super) fn of(worker: u32, how: &Sampling, looped: Looped, folded: Folded) -> Self {
        let Looped { calls, elapsed_ns } = looped;
        Self { way: how.way.clone(), worker, folded, calls, elapsed_ns, sample_ns: how.sample_ns(), lost: 0, with_kernel: false }
    }

    /// Samples a second of each running thread, as it came to be.
    pub fn hertz(&self) -> u64 {
        (1e9 / self.sample_ns).round().max(1.0) as u64
    }
}

/// Why there are no stacks.
#[derive(Debug, Error, Diagnostic)]
pub enum NoStacks {
    /// The cell can't be looked at, or the user pressed Ctrl-C.
    #[error("the worker could not be sampled")]
    Trouble(Trouble),
    /// The kernel does not allow it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Refused(#[from] Refused),
    /// The disk does not.
    #[error("can't write {path}")]
    Unwritten {
        /// The picture, or the folded stacks.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What a sampler should have left is not there.
    #[error("can't read {path}: the sampler left no samples")]
    Unread {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The rules of the interpreter are damaged.
    #[error("{0}")]
    Rules(String),
}

impl From<Trouble> for NoStacks {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// What was done while samples were taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looped {
    /// Calls of the lane.
    pub calls: u64,
    /// Wall time of the loops, nanoseconds.
    pub elapsed_ns: u64,
}

/// Runs loops of so many calls for a while; `switch` turns the sampler on before each of them, and off after it.
pub(super) fn run_loops(
    sitting: &mut Sitting,
    loops: u64,
    span: Duration,
    mut switch: impl FnMut(bool) -> Result<(), NoStacks>,
) -> Result<Looped, NoStacks> {
    let (mut looped, begun) = (Looped { calls: 0, elapsed_ns: 0 }, Instant::now());
    while begun.elapsed() < span {
        switch(true)?;
        let sampled = sitting.sample(loops)?;
        switch(false)?;
        looped.elapsed_ns += sampled.elapsed_ns;
        looped.calls += loops;
    }
    Ok(looped)
}
