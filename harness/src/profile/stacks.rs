//! The pass `stacks`: samples of a worker while it calls its lane over and over, and of everything it started, as a flamegraph, as folded
//! stacks, and split by what the time was spent on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;

use super::builtin;
use super::fold::{Folded, Tally};
use super::picture::{Caption, draw};
use super::refusal::Refused;
use super::sitting::Studio;
use super::split::{InterpreterRules, split};
use super::subject::Subject;
use super::way::{Backend, Way};
use crate::atomic;
use crate::measure::crew::Trouble;
use crate::store::model::Case;
use crate::store::profile::Stacks;

/// Makes CPython write down, from 3.12 on, which Python function each piece of its trampolines' code is. (`-X perf` does the same, but
/// does not reach the processes that a worker spawns.) Older ones, and PyPy, do not know it.
pub(super) const PERF_SUPPORT: (&str, &str) = ("PYTHONPERFSUPPORT", "1");

/// A loop lasts at least this long: what is around it is then next to nothing.
pub(super) const LOOP: Duration = Duration::from_millis(100);

/// How to sample.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    /// In which way.
    pub backend: Backend,
    /// Samples a second, of each running thread.
    pub hertz: u64,
    /// Loops are sampled for this long, each to its end.
    pub span: Duration,
}

impl Sampling {
    /// Whether this machine lets it happen.
    ///
    /// # Errors
    /// What was refused, what to allow, and what is lost meanwhile.
    pub fn check(self) -> Result<(), Refused> {
        match self.backend {
            Backend::Auto | Backend::Sampler => builtin::check(self),
        }
    }
}

/// What came of sampling.
#[derive(Debug)]
pub struct Sampled {
    /// How it was done.
    pub way: Way,
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
pub fn take(subject: &Subject, sampling: Sampling, studio: &Studio, out: &Path) -> Result<Stacks, NoStacks> {
    let sampled = sample(subject, sampling, studio)?;
    let stacks = describe(subject, sampling, &sampled)?;
    if stacks.samples > 0 {
        let lines = sampled.folded.lines();
        write(out, &stacks.folded, (lines.join("\n") + "\n").as_bytes())?;
        let picture = draw(&sampled.folded, &Caption::new(subject, &stacks));
        write(out, &stacks.picture, &picture.map_err(|source| NoStacks::Unwritten { path: stacks.picture.clone(), source })?)?;
    }
    Ok(stacks)
}

/// Writes a file below `out`.
pub(super) fn write(out: &Path, name: &Path, bytes: &[u8]) -> Result<(), NoStacks> {
    let path = out.join(name);
    let folder = path.parent().unwrap_or(out);
    fs::create_dir_all(folder).and_then(|()| atomic::replace(&path, bytes)).map_err(|source| NoStacks::Unwritten { path, source })
}

/// Samples one cell in the way that is asked for, or the first that works.
///
/// # Errors
/// As above.
pub fn sample(subject: &Subject, sampling: Sampling, studio: &Studio) -> Result<Sampled, NoStacks> {
    match sampling.backend {
        Backend::Auto | Backend::Sampler => builtin::sample(subject, sampling, studio),
    }
}

fn describe(subject: &Subject, sampling: Sampling, sampled: &Sampled) -> Result<Stacks, NoStacks> {
    let Tally { samples, rooted, unknown, with_python, outside, .. } = sampled.folded.tally;
    let rules = InterpreterRules::read().map_err(|error| NoStacks::Rules(error.to_string()))?;
    let place = place(subject, &subject.cell.lane);
    Ok(Stacks {
        way: sampled.way.to_string(),
        hertz: sampling.hertz,
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
