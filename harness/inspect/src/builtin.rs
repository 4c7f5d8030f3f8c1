//! The built-in way: the sampler of this program, and its own unwinding. It needs no perf program.

use super::fold::Folded;
use super::names::Namer;
use super::perf_map::PerfMaps;
use super::record::Event;
use super::refusal::Refused;
use super::sampler::{Recording, Sampler};
use super::sampling::{LOOP, Looped, NoStacks, PERF_SUPPORT, Sampled, Sampling, run_loops};
use super::sitting::{Sitting, Studio};
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
    let looped = looped?;
    maps.read();
    sitting.finish();
    let unwound = unwind(&records);
    drop(records);
    let folded = Folded::new(&unwound, pid, Namer::new(&unwound, &maps, &subject.owners));
    Ok(Sampled { way: Way::Builtin, lost, with_kernel, ..Sampled::of(pid, how, looped, folded) })
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

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::class::Owners;

    /// Stacks of many kinds, for ever.
    const BUSY: &str = "
import json, re
def tree(depth):
    return {str(i): tree(depth - 1) for i in range(4)} if depth else [0.5, 'leaf', None]
while True:
    text = json.dumps(tree(5), indent=1)
    assert json.loads(text) == tree(5)
    sorted(re.findall('[a-z]+', text), key=lambda word: (len(word), word))
";

    struct Killed(Child);

    impl Drop for Killed {
        fn drop(&mut self) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }

    /// A quarter of them, four times over: all at once they would be more than is held.
    #[test]
    #[ignore = "a measurement, which METHODOLOGY.md quotes: cargo test --release -p bindbench --lib hundred_thousand -- --ignored --nocapture"]
    fn a_hundred_thousand_samples_are_unwound_named_and_folded() {
        let python = Command::new("python3").args(["-c", BUSY]).env(PERF_SUPPORT.0, PERF_SUPPORT.1).spawn().unwrap();
        let python = Killed(python);
        let pid = python.0.id();
        let mut maps = PerfMaps::default();
        maps.own(pid);
        let sampler = Sampler::attach(pid, 4_999, |_| {}).unwrap();
        std::thread::sleep(Duration::from_secs(1));
        sampler.switch(true).unwrap();
        std::thread::sleep(Duration::from_secs(8));
        sampler.switch(false).unwrap();
        let Recording { records, .. } = sampler.finish();
        maps.read();
        let (mut samples, mut rooted, mut took) = (0, 0, Duration::ZERO);
        while samples < 100_000 {
            let begun = Instant::now();
            let unwound = unwind(&records);
            let folded = Folded::new(&unwound, pid, Namer::new(&unwound, &maps, &Owners::default()));
            took += begun.elapsed();
            samples += folded.tally.samples;
            rooted += folded.tally.rooted;
            let places: usize = unwound.stacks.iter().map(|stack| stack.places.len()).sum();
            let each = places as f64 / folded.tally.samples as f64;
            println!("{samples} samples, {each:.1} frames each, in {:.2} s", took.as_secs_f64());
            assert!(folded.tally.samples >= 10_000, "{} samples in 8 s", folded.tally.samples);
        }
        assert!(rooted as f64 >= 0.95 * samples as f64, "{rooted} of {samples} rooted");
    }
}
