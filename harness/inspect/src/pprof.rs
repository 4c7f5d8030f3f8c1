//! The way for machines that forbid all others: a library in the worker itself, around pprof, with a timer and a signal of its own. The
//! C library's unwinder, which it uses, does not get across the code that CPython makes for the names of Python functions, so there is
//! none of it, and no name. Nor are the operating system and other processes seen.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bindbench_protocol::{Record, Reply, Request};

use super::fold::Folded;
use super::maps;
use super::names::Namer;
use super::perf_map::PerfMaps;
use super::record::Mapping;
use super::refusal::Refused;
use super::sampling::{LOOP, NoStacks, Sampled, Sampling, run_loops};
use super::sitting::{Sitting, Studio};
use super::subject::Subject;
use super::unwind::{Moment, locate};
use bindbench_measure::trouble::unexpected;

/// Samples the loops of one cell, with the library at `library`.
///
/// # Errors
/// When the cell can't be looked at, or the library can't be loaded into it.
pub fn sample(subject: &Subject, how: &Sampling, library: &Path, studio: &Studio) -> Result<Sampled, NoStacks> {
    // What the library leaves goes with the folder.
    let unusable = |source: io::Error| NoStacks::Unwritten { path: studio.logs.clone(), source };
    let folder = tempfile::tempdir_in(&studio.logs).map_err(unusable)?;
    let file = folder.path().join("stacks");
    let mut sitting = Sitting::start(subject, &subject.launch, studio)?;
    let pid = sitting.pid();
    sitting.load()?;
    let loops = sitting.calibrate(LOOP)?;
    let record = Record { library: library.to_owned(), hertz: how.hertz, file: file.clone() };
    match sitting.ask(&Request::Record(record))? {
        Reply::Recording {} => {}
        other => return Err(unexpected(&other).into()),
    }
    // The worker switches it on and off by itself.
    let looped = run_loops(&mut sitting, loops, how.span, |_| Ok(()))?;
    let mappings = maps::of(pid).map_err(|source| Refused::Gone { source })?;
    sitting.finish();
    let text = fs::read_to_string(&file).map_err(|source| NoStacks::Unread { path: file, source })?;
    let library = fs::canonicalize(library).unwrap_or_else(|_| library.to_owned());
    let unwound = locate(&mappings, &stacks(&text, pid, &Handler::of(&mappings, library)));
    let maps = PerfMaps::default();
    let folded = Folded::new(&unwound, pid, Namer::new(&unwound, &maps, &subject.owners));
    Ok(Sampled::of(pid, how, looped, folded))
}

/// More samples than a profile has: some minutes at the highest rate.
const MOST_SAMPLES: usize = 1 << 22;

/// Where the library's own frames are: they are on top of every stack.
struct Handler(Vec<(u64, u64)>);

impl Handler {
    fn of(mappings: &[Mapping], library: PathBuf) -> Self {
        Self(mappings.iter().filter(|mapping| mapping.path == library).map(|mapping| (mapping.start, mapping.end)).collect())
    }

    fn has(&self, address: u64) -> bool {
        self.0.iter().any(|&(start, end)| (start..end).contains(&address))
    }

    /// What was interrupted, as addresses to be looked up: without the handler's frames and the system's that called it. None where the
    /// library interrupted itself.
    fn interrupted(&self, stack: &[u64]) -> Option<Vec<u64>> {
        let own = stack.iter().take_while(|&&address| self.has(address)).count();
        let (&innermost, callers) = stack.get(own + 1..)?.split_first()?;
        if self.has(innermost) {
            return None;
        }
        // A return address is that of the instruction after the call, which may be of the next function.
        Some([innermost].into_iter().chain(callers.iter().filter(|&&address| address > 0).map(|address| address - 1)).collect())
    }
}

/// The same of a text that anybody may have written, for fuzzing.
pub fn read(text: &str) {
    drop(stacks(text, 1, &Handler(vec![(0x100, 0x200)])));
}

/// Reads what the library wrote, see `samplers/pprof/src/lib.rs`; a line that is none of its is left out. A stack that was seen several
/// times is that many samples, all at the time of the first.
fn stacks(text: &str, pid: u32, handler: &Handler) -> Vec<(Moment, Vec<u64>)> {
    let hex = |word: &str| u64::from_str_radix(word, 16).ok();
    let mut threads: HashMap<u64, u32> = HashMap::new();
    let mut stacks = Vec::new();
    for line in text.lines() {
        if let Some(main) = line.strip_prefix("main ").and_then(hex) {
            threads.insert(main, pid);
            continue;
        }
        let words: Option<Vec<u64>> = line.split(' ').map(hex).collect();
        let Some([count, time_ns, thread, addresses @ ..]) = words.as_deref() else { continue };
        let Some(addresses) = handler.interrupted(addresses) else { continue };
        // It knows other threads by numbers that no one else has for them.
        let next = pid.wrapping_add(threads.len() as u32);
        let tid = *threads.entry(*thread).or_insert(next);
        let moment = Moment { time_ns: *time_ns, pid, tid };
        // A lane could write into the file, too: what can't have been sampled is not made room for.
        let room = MOST_SAMPLES.saturating_sub(stacks.len());
        stacks.extend(std::iter::repeat_n((moment, addresses), usize::try_from(*count).unwrap_or(room).min(room)));
    }
    stacks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handler() -> Handler {
        let mapping = |start, end, path: &str| Mapping { start, end, offset: 0, path: path.into() };
        Handler::of(&[mapping(0x100, 0x200, "/s.so"), mapping(0x200, 0x300, "/libc.so.6")], "/s.so".into())
    }

    #[test]
    fn the_handlers_frames_are_left_out_and_callers_are_where_they_call() {
        assert_eq!(handler().interrupted(&[0x110, 0x120, 0x210, 0x500, 0x601, 0x701, 0]), Some(vec![0x500, 0x600, 0x700]));
        assert_eq!(handler().interrupted(&[0x110, 0x210, 0x130, 0x601]), None);
        assert_eq!(handler().interrupted(&[0x110, 0x210]), None);
        assert_eq!(handler().interrupted(&[]), None);
    }

    #[test]
    fn a_stack_that_was_seen_twice_is_two_samples_and_threads_are_told_apart() {
        let text = "main 7f00\n2 10 7f00 110 210 500\n1 20 7f88 110 210 600\nnonsense\n1 30 7f00 110 210 130\n";
        let seen = stacks(text, 40, &handler());
        let of = |time_ns, tid, address| (Moment { time_ns, pid: 40, tid }, vec![address]);
        assert_eq!(seen, [of(0x10, 40, 0x500), of(0x10, 40, 0x500), of(0x20, 41, 0x600)]);
        assert_eq!(stacks("ffffffffffffffff 10 7f00 110 210 500\n1 20 7f00 110 210 500\n", 40, &handler()).len(), MOST_SAMPLES);
    }
}
