//! The pass `stacks`: samples of a worker while it calls its lane over and over, and of everything it started, as a flamegraph, as folded
//! stacks, and split by what the time was spent on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use bindbench_files::atomic;
use bindbench_measure::crew::Trouble;
use bindbench_model::Case;
use bindbench_model::profile::Stacks;
use miette::Diagnostic;
use thiserror::Error;

use super::firefox::{About, export};
use super::fold::{Folded, Tally};
use super::picture::{Caption, draw};
use super::refusal::Refused;
use super::sitting::{Sitting, Studio};
use super::split::{InterpreterRules, split};
use super::subject::Subject;
use super::way::Way;
use super::{builtin, perf, pprof, pyspy};

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

/// Samples one cell, and writes its picture and its folded stacks below `out`.
///
/// # Errors
/// When the cell can't be looked at, the kernel refuses, or the disk does.
pub fn take(subject: &Subject, sampling: &Sampling, studio: &Studio, out: &Path) -> Result<Stacks, NoStacks> {
    let sampled = sample(subject, sampling, studio)?;
    let mut stacks = describe(subject, &sampled)?;
    if stacks.samples > 0 {
        let lines = sampled.folded.lines();
        write(out, &stacks.folded, (lines.join("\n") + "\n").as_bytes())?;
        let caption = Caption::new(subject, &stacks);
        let picture = draw(&sampled.folded, &caption);
        write(out, &stacks.picture, &picture.map_err(|source| NoStacks::Unwritten { path: stacks.picture.clone(), source })?)?;
        let path = stacks.picture.with_extension("json.gz");
        if sampling.firefox {
            let title = format!("{} \u{b7} {}", caption.title, stacks.way);
            let about = About { title: &title, hertz: stacks.hertz, worker: sampled.worker, taken: SystemTime::now() };
            write(out, &path, &export(&sampled.folded, about).map_err(|source| NoStacks::Unwritten { path: path.clone(), source })?)?;
            stacks.firefox = Some(path);
        } else {
            // One from an earlier time would be of other samples than the picture; most often there is none.
            fs::remove_file(out.join(path)).ok();
        }
    }
    Ok(stacks)
}

/// Writes a file below `out`.
pub(super) fn write(out: &Path, name: &Path, bytes: &[u8]) -> Result<(), NoStacks> {
    let path = out.join(name);
    let folder = path.parent().unwrap_or(out);
    fs::create_dir_all(folder).and_then(|()| atomic::replace(&path, bytes)).map_err(|source| NoStacks::Unwritten { path, source })
}

/// Samples one cell.
///
/// # Errors
/// As above.
pub fn sample(subject: &Subject, sampling: &Sampling, studio: &Studio) -> Result<Sampled, NoStacks> {
    match &sampling.way {
        Way::Builtin => builtin::sample(subject, sampling, studio),
        Way::Perf { program } => perf::sample(subject, sampling, program, studio),
        Way::PySpy => pyspy::sample(subject, sampling, studio),
        Way::Pprof { library } => pprof::sample(subject, sampling, library, studio),
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

fn describe(subject: &Subject, sampled: &Sampled) -> Result<Stacks, NoStacks> {
    let Tally { samples, rooted, unknown, with_python, outside, .. } = sampled.folded.tally;
    let rules = InterpreterRules::read().map_err(|error| NoStacks::Rules(error.to_string()))?;
    let place = place(subject, &subject.cell.lane);
    Ok(Stacks {
        way: sampled.way.to_string(),
        hertz: sampled.hertz(),
        calls: sampled.calls,
        elapsed_ns: sampled.elapsed_ns,
        samples,
        rooted,
        unknown,
        with_python,
        lost: sampled.lost,
        outside,
        with_kernel: sampled.with_kernel,
        split: split(&sampled.folded, &rules, &subject.owners.rules),
        picture: PathBuf::from(format!("{place}.svg")),
        folded: PathBuf::from(format!("{place}.folded")),
        firefox: None,
    })
}

/// `kmp/pyo3/held/find_all-talk-67108864-3.13.0`: where a cell's files are in a folder of its workload, without their extensions.
pub(super) fn place(subject: &Subject, folder: &str) -> String {
    let Case { workload, operation, input, size, threads, .. } = &subject.case;
    let mut parts = vec![operation.clone(), input.clone()];
    parts.extend(size.map(|size| size.to_string()));
    parts.extend((*threads > 1).then(|| format!("{threads}threads")));
    parts.extend(subject.cell.interpreter.clone());
    format!("{workload}/{folder}/{}", parts.join("-"))
}
