//! The built-in way: the sampler of this program, and its own unwinding. It needs no perf program.

use super::fold::Folded;
use super::names::Namer;
use super::perf_map::PerfMaps;
use super::record::Event;
use super::refusal::Refused;
use super::sampler::{Recording, Sampler};
use super::sitting::{Sitting, Studio};
use super::stacks::{LOOP, Looped, NoStacks, PERF_SUPPORT, Sampled, Sampling, run_loops};
use super::subject::Subject;
use super::unwind::unwind;
use super::way::Way;

/// Samples the loops of one cell.
///
/// # Errors
/// When the cell can't be looked at, or the kernel refuses.
pub fn sample(subject: &Subject, how: &Sampling, studio: &Studio) -> Result<Sampled, NoStacks> {
    let mut launch = subject.launch.clone();
    launch.environment.insert(PERF_SUPPORT.0.to_owned(), PERF_SUPPORT.1.to_owned());
    // Dropped after the worker: what it writes until its end is removed.
    let guard = studio.watch.guard.list();
    let mut maps = PerfMaps::guarded_by(guard);
    let mut sitting = Sitting::start(subject, &launch, studio)?;
    let pid = sitting.pid();
    maps.own(pid);
    let told = guard.clone();
    let sampler = Sampler::attach(pid, how.hertz, move |started| told.add_perf_map(started))?;
    let looped = run(&mut sitting, &sampler, how);
    let Recording { records, lost, with_kernel } = sampler.finish();
    // Before anything can go wrong: what the worker started may have left files, too.
    for record in &records {
        if let Event::Forked { pid, .. } = record.event {
            maps.own(pid);
        }
    }
    let Looped { calls, elapsed_ns } = looped?;
    maps.read();
    sitting.finish();
    let unwound = unwind(&records);
    drop(records);
    let folded = Folded::new(&unwound, pid, Namer::new(&unwound, &maps, &subject.owners));
    Ok(Sampled { way: Way::Builtin, worker: pid, folded, calls, elapsed_ns, lost, with_kernel })
}

fn run(sitting: &mut Sitting, sampler: &Sampler, how: &Sampling) -> Result<Looped, NoStacks> {
    sitting.load()?;
    let loops = sitting.calibrate(LOOP)?;
    run_loops(sitting, loops, how.span, |on| Ok(sampler.switch(on).map_err(Refused::by_the_kernel)?))
}

/// Whether the kernel lets itself be asked for samples of what this user runs.
///
/// # Errors
/// What it refused, what to allow, and what is lost meanwhile.
pub fn check(hertz: u64) -> Result<(), Refused> {
    Sampler::attach(std::process::id(), hertz, |_| {}).map(drop)
}
