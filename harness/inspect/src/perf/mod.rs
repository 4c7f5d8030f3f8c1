//! The way of perf, the program: it takes the samples, unwinds and names them; what it says is read, counted and drawn as with the other
//! ways. From 3.13 on CPython writes unwind tables for its trampolines (`-X perf_jit`), which perf puts into its recording; without
//! them, its stacks end at the first trampoline.

mod dumps;
mod recorder;
mod script;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::class::Owners;
use super::fold::Folded;
use super::refusal::Refused;
use super::sampling::{LOOP, NoStacks, Sampled, Sampling, run_loops};
use super::sitting::{Sitting, Studio};
use super::subject::Subject;
use bindbench_worker::descendants;
use dumps::JitDumps;
use recorder::Recorder;
use script::Script;

/// Makes CPython write down its trampolines with their unwind tables, from 3.13 on. Older ones do not know it, and have no trampolines.
const PERF_JIT_SUPPORT: (&str, &str) = ("PYTHON_PERF_JIT_SUPPORT", "1");

/// Reads what `perf script` would have said, for fuzzing.
pub fn read_script(text: &[u8]) {
    let owners = Owners::default();
    // Reading from memory does not fail.
    drop(Script::new(&owners).read(text));
}

/// Finds perf, and lets it look at this process for a moment: it may be there and not work.
///
/// # Errors
/// When there is none, or it is not allowed to.
pub fn find(hertz: u64) -> Result<PathBuf, Refused> {
    let program = which::which("perf").map_err(|_| Refused::NoPerf)?;
    let failed = |said: io::Error| Refused::PerfFailed { program: program.clone(), said: said.to_string() };
    let folder = tempfile::tempdir().map_err(failed)?;
    Recorder::start(&program, &[std::process::id()], hertz, folder.path())?.finish()?;
    Ok(program)
}

/// Samples the loops of one cell.
///
/// # Errors
/// When the cell can't be looked at, or perf refuses.
pub fn sample(subject: &Subject, how: &Sampling, program: &Path, studio: &Studio) -> Result<Sampled, NoStacks> {
    let mut launch = subject.launch.clone();
    launch.environment.insert(PERF_JIT_SUPPORT.0.to_owned(), PERF_JIT_SUPPORT.1.to_owned());
    let unusable = |source: io::Error| NoStacks::Unwritten { path: studio.logs.clone(), source };
    // Recordings are large; perf may also want to keep copies of what it sees: all that goes with this folder.
    let folder = tempfile::tempdir_in(&studio.logs).map_err(unusable)?;
    // Dropped after the worker: what it writes until its end is removed.
    let mut dumps = JitDumps::default();
    // perf takes some code of a forked process for that of process 0.
    dumps.own(0);
    let mut sitting = Sitting::start(subject, &launch, studio)?;
    let pid = sitting.pid();
    dumps.own(pid);
    sitting.load()?;
    let loops = sitting.calibrate(LOOP)?;
    // It follows what they start from now on, but not what is there already.
    let mut watched = descendants(pid);
    watched.iter().for_each(|&child| dumps.own(child));
    watched.insert(0, pid);
    let mut recorder = Recorder::start(program, &watched, how.hertz, folder.path())?;
    let looped = run_loops(&mut sitting, loops, how.span, |on| Ok(recorder.switch(on)?));
    let recording = recorder.finish()?;
    let looped = looped?;
    // CPython writes the end of its dumps when it ends.
    sitting.finish();
    let mut script = Script::new(&subject.owners);
    let read = |text: &mut dyn io::BufRead| script.read(text);
    tell(program, folder.path(), &inject(program, folder.path(), &recording)?, read)?;
    let Script { frames, stacks, lost, forked, .. } = script;
    forked.into_iter().for_each(|child| dumps.own(child));
    let folded = Folded::of_named(&stacks, pid, frames);
    Ok(Sampled { lost, with_kernel: Refused::shows_the_kernel(), ..Sampled::of(pid, how, looped, folded) })
}

/// Puts what CPython wrote down of its trampolines into the recording.
fn inject(program: &Path, folder: &Path, recording: &Path) -> Result<PathBuf, Refused> {
    let injected = folder.join("injected.data");
    let mut command = perf(program, folder, "inject");
    command.arg("--jit").arg("--input").arg(recording).arg("--output").arg(&injected);
    let output = command.stdin(Stdio::null()).output().map_err(|error| failed(program, &error.to_string()))?;
    if !output.status.success() {
        return Err(failed(program, &String::from_utf8_lossy(&output.stderr)));
    }
    Ok(injected)
}

/// Has a recording told in text, which is read while it comes: it is much.
fn tell(program: &Path, folder: &Path, recording: &Path, read: impl FnOnce(&mut dyn io::BufRead) -> io::Result<()>) -> Result<(), Refused> {
    let said = folder.join("script.log");
    let mut command = perf(program, folder, "script");
    command.arg("--input").arg(recording).args(script::ARGUMENTS);
    let told = || -> io::Result<bool> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&said)?).spawn()?;
        let read = child.stdout.take().map_or(Ok(()), |text| read(&mut io::BufReader::new(text)));
        // Whatever happened to its text, it has to be waited for.
        let status = child.wait();
        read?;
        Ok(status?.success())
    };
    match told() {
        Ok(true) => Ok(()),
        Ok(false) => Err(failed(program, &String::from_utf8_lossy(&fs::read(&said).unwrap_or_default()))),
        Err(error) => Err(failed(program, &error.to_string())),
    }
}

/// One of perf's commands, which leaves nothing outside of `folder`, and asks nobody for symbols.
fn perf(program: &Path, folder: &Path, name: &str) -> Command {
    let mut command = Command::new(program);
    command.arg("--buildid-dir").arg(folder.join("debug")).arg(name).env("HOME", folder).env_remove("DEBUGINFOD_URLS").env("LC_ALL", "C");
    command
}

/// The last line of what perf said is most often the reason.
fn failed(program: &Path, said: &str) -> Refused {
    let line = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it said nothing");
    Refused::PerfFailed { program: program.to_owned(), said: line.to_owned() }
}
