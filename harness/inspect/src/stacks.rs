//! The pass `stacks`: samples of a worker while it calls its lane over and over, and of everything it started, as a flamegraph, as folded
//! stacks, and split by what the time was spent on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bindbench_files::atomic;
use bindbench_model::Case;
use bindbench_model::profile::Stacks;

use super::firefox::{About, export};
use super::fold::Tally;
use super::picture::{Caption, draw};
use super::sampling::{NoStacks, Sampled, Sampling};
use super::sitting::Studio;
use super::split::{InterpreterRules, split};
use super::subject::Subject;
use super::way::Way;
use super::{builtin, perf, pprof, pyspy};

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
