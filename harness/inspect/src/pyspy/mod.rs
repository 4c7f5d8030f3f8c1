//! The way of py-spy, as a library: a worker is stopped for a moment, and what its interpreter has on record of its own stack is read from
//! its memory, on every CPython from 3.9 on. At the same moment registers and native stack are copied, which are unwound and named as
//! with the built-in sampler. py-spy could unwind by itself, with libunwind; but that has to be installed, and does not get through every
//! library.

mod held;
mod rounds;

use std::io;
use std::process::{Command, Stdio};

use super::fold::{Folded, NamedStack};
use super::interleave::interleave;
use super::names::Namer;
use super::perf_map::PerfMaps;
use super::refusal::Refused;
use super::sampling::{LOOP, NoStacks, Sampled, Sampling, run_loops};
use super::sitting::{Sitting, Studio};
use super::subject::Subject;
use super::unwind::unwind;
use bindbench_measure::trouble::Trouble;
use bindbench_model::Status;
use held::Held;
use rounds::{Rounds, Seen};

/// Samples the loops of one cell.
///
/// # Errors
/// When the cell can't be looked at, or py-spy finds no interpreter that it knows.
pub fn sample(subject: &Subject, how: &Sampling, studio: &Studio) -> Result<Sampled, NoStacks> {
    let mut sitting = Sitting::start(subject, &subject.launch, studio)?;
    let pid = sitting.pid();
    sitting.load()?;
    let loops = sitting.calibrate(LOOP)?;
    let unreadable = |reason| Trouble::Cell(Status::Raised { detail: format!("py-spy can't read what Python does: {reason}") });
    let worker = Held::attach(pid).map_err(unreadable)?;
    let rounds = Rounds::start(worker, how.hertz);
    let looped = run_loops(&mut sitting, loops, how.span, |on| {
        rounds.switch(on);
        Ok(())
    });
    // Before the worker may be ended: nobody is held any more.
    let Seen { records, python, lost, sample_ns } = rounds.finish();
    let looped = looped?;
    sitting.finish();
    let unwound = unwind(&records);
    drop(records);
    // There are no trampolines, and so no maps of them.
    let maps = PerfMaps::default();
    let mut namer = Namer::new(&unwound, &maps, &subject.owners);
    let named = unwound.stacks.iter().zip(&python).map(|(stack, python)| {
        let native: Vec<usize> = stack.places.iter().rev().map(|place| namer.name(stack.moment.pid, place)).collect();
        let (frames, fits) = interleave(&native, stack.rooted, python, &mut namer.frames);
        NamedStack { moment: stack.moment, frames, rooted: stack.rooted && fits }
    });
    let named: Vec<NamedStack> = named.collect();
    let folded = Folded::of_named(&named, pid, namer.frames);
    let sampled = Sampled::of(pid, how, looped, folded);
    Ok(Sampled { sample_ns: sample_ns.unwrap_or(sampled.sample_ns), lost, ..sampled })
}

/// Whether the kernel lets this program stop what it started, and read its memory.
///
/// # Errors
/// What it refused, what to allow, and what is lost meanwhile.
pub fn check() -> Result<(), Refused> {
    let not_started = |source: io::Error| Refused::Gone { source };
    // This very program, which waits for the end of its input: there is nothing else that is there for sure.
    let program = std::env::current_exe().map_err(not_started)?;
    let mut command = Command::new(program);
    command.arg("guard").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(not_started)?;
    let tried = held::try_on(child.id());
    drop(child.stdin.take());
    drop(child.wait());
    tried
}
