//! Folding: equal stacks become one with a count, and the worker's own frames, which are the same for every lane, are cut off below the
//! timed loop.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::class::Class;
use super::names::{Frame, Frames, Namer};
use super::unwind::{Moment, Unwound};

/// The file of the worker's timed loop, as it is compiled (`pyscripts/bindbench_worker/timing.py`).
const LOOP: &str = "<the timed loop>";
/// Folder of the worker's package.
const WORKER: &str = "bindbench_worker/";

/// Where CPython's multiprocessing forks; the end of its path.
const FORK: &str = "multiprocessing/popen_fork.py";

/// Stacks with how often each was seen.
#[derive(Debug, Default)]
pub struct Folded {
    /// The frames that stacks are made of.
    pub frames: Frames,
    /// Outermost first → samples.
    pub stacks: BTreeMap<Rc<[usize]>, u64>,
    /// Every sample in the picture, in the order in which they came.
    pub samples: Vec<FoldedSample>,
    /// What was counted.
    pub tally: Tally,
}

/// A sample in the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedSample {
    /// When and where.
    pub moment: Moment,
    /// One of [`Folded::stacks`].
    pub stack: Rc<[usize]>,
}

/// A sample whose frames have names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedStack {
    /// When and where.
    pub moment: Moment,
    /// Numbers of frames, outermost first.
    pub frames: Vec<usize>,
    /// It goes down to where its thread began.
    pub rooted: bool,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Samples in the picture.
    pub samples: u64,
    /// Of these, with a stack down to where the thread began.
    pub rooted: u64,
    /// Of these, whose innermost function has no name.
    pub unknown: u64,
    /// Of these, with a Python function on the stack.
    pub with_python: u64,
    /// Samples of the worker's own work between the timed loops; they are not in the picture.
    pub outside: u64,
    /// By the class of the innermost frame.
    pub by_class: BTreeMap<Class, u64>,
}

impl Folded {
    /// Folds the stacks of a worker and of what it started.
    pub fn new(unwound: &Unwound, worker: u32, namer: Namer) -> Self {
        let mut namer = namer;
        let named = unwound.stacks.iter().map(|stack| {
            let frames = stack.places.iter().rev().map(|place| namer.name(stack.moment.pid, place)).collect();
            NamedStack { moment: stack.moment, frames, rooted: stack.rooted }
        });
        let named: Vec<NamedStack> = named.collect();
        Self::of_named(&named, worker, namer.frames)
    }

    /// Folds stacks of `frames`.
    pub fn of_named(stacks: &[NamedStack], worker: u32, frames: Frames) -> Self {
        let mut folded = Self { frames, ..Self::default() };
        for stack in stacks {
            folded.add(worker, stack);
        }
        folded
    }

    fn add(&mut self, worker: u32, stack: &NamedStack) {
        let Self { frames, stacks, samples, tally } = self;
        let numbers = &stack.frames;
        let is_child = stack.moment.pid != worker;
        let is_loop = |frame: &Frame| frame.source.as_deref() == Some(LOOP);
        let is_worker = |frame: &Frame| frame.source.as_deref().is_some_and(|source| source.contains(WORKER));
        let in_loop = numbers.iter().position(|&number| is_loop(frames.get(number)));
        // A forked process goes on from where its parent was, and what is below is its parent's.
        let is_history =
            |frame: &Frame| is_worker(frame) || is_child && frame.source.as_deref().is_some_and(|source| source.ends_with(FORK));
        let last_of_worker = numbers.iter().rposition(|&number| is_history(frames.get(number)));
        let start = match (in_loop, last_of_worker) {
            (Some(position), _) if !is_child => position,
            // It makes inputs or looks at an answer.
            (_, Some(_)) if !is_child => {
                tally.outside += 1;
                return;
            }
            (in_loop, before) => in_loop.max(before.map(|position| position + 1)).unwrap_or(0),
        };
        tally.samples += 1;
        tally.rooted += u64::from(stack.rooted);
        tally.with_python += u64::from(numbers.iter().any(|&number| frames.get(number).class == Class::Python));
        if let Some(innermost) = numbers.last().map(|&number| frames.get(number)) {
            tally.unknown += u64::from(!innermost.named);
            *tally.by_class.entry(innermost.class).or_default() += 1;
        }
        let process = if is_child { "a process it started" } else { "worker" };
        let bottom = Frame { name: process.to_owned(), class: Class::Interpreter, source: None, named: true };
        let mut kept = vec![frames.number(bottom)];
        if !stack.rooted {
            let gap = Frame { name: "[not unwound to its root]".to_owned(), class: Class::Unknown, source: None, named: false };
            kept.push(frames.number(gap));
        }
        kept.extend(&numbers[start..]);
        let known = stacks.get_key_value(kept.as_slice()).map(|(known, _)| Rc::clone(known));
        let kept = known.unwrap_or_else(|| kept.into());
        *stacks.entry(Rc::clone(&kept)).or_default() += 1;
        samples.push(FoldedSample { moment: stack.moment, stack: kept });
    }

    /// In the format of flamegraph tools: frames between semicolons, a space, the count. Sorted.
    pub fn lines(&self) -> Vec<String> {
        let line = |(stack, count): (&Rc<[usize]>, &u64)| {
            let names: Vec<&str> = stack.iter().map(|&number| self.frames.get(number).name.as_str()).collect();
            format!("{} {count}", names.join(";"))
        };
        let mut lines: Vec<String> = self.stacks.iter().map(line).collect();
        lines.sort();
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unwind::{Place, Stack};

    /// A frame written as `name` (native) or `name@file` (Python).
    fn frame(text: &str) -> Frame {
        let (name, source) = match text.split_once('@') {
            Some((name, file)) => (name, Some(file.to_owned())),
            None => (text, None),
        };
        let class = if source.is_some() { Class::Python } else { Class::Kernel };
        Frame { name: name.to_owned(), class, source, named: !name.starts_with('[') }
    }

    fn fold(stacks: &[(u32, bool, &str)]) -> Folded {
        let mut frames = Frames::default();
        let named = stacks.iter().map(|&(pid, rooted, text)| {
            let frames = text.split(';').map(|text| frames.number(frame(text))).collect();
            NamedStack { moment: Moment { time_ns: 0, pid, tid: pid }, frames, rooted }
        });
        let named: Vec<NamedStack> = named.collect();
        Folded::of_named(&named, 1, frames)
    }

    #[test]
    fn what_is_below_the_timed_loop_is_cut_off() {
        let stack = "_start;main@/p/bindbench_worker/__main__.py;loop@<the timed loop>;f";
        let folded = fold(&[(1, true, stack), (1, true, stack)]);
        assert_eq!(folded.lines(), ["worker;loop;f 2"]);
        assert_eq!((folded.tally.samples, folded.tally.rooted, folded.tally.with_python), (2, 2, 2));
    }

    #[test]
    fn the_workers_own_work_is_counted_and_left_out() {
        let folded = fold(&[(1, true, "_start;main@/p/bindbench_worker/__main__.py;hash"), (1, true, "_start;native_thread")]);
        assert_eq!(folded.lines(), ["worker;_start;native_thread 1"]);
        assert_eq!((folded.tally.samples, folded.tally.outside), (1, 1));
    }

    #[test]
    fn processes_are_told_apart_and_forked_ones_begin_where_they_were_forked() {
        let forked = "_start;main@/p/bindbench_worker/__main__.py;start@/p/pool.py;work@/p/lane.py";
        let folded = fold(&[(2, true, forked)]);
        assert_eq!(folded.lines(), ["a process it started;start;work 1"]);
        let in_the_loop = "main@/p/bindbench_worker/__main__.py;loop@<the timed loop>;map@/p/lane.py;_launch@/l/multiprocessing/popen_fork.py;work@/p/lane.py";
        assert_eq!(fold(&[(2, true, in_the_loop)]).lines(), ["a process it started;work 1"]);
    }

    #[test]
    fn a_stack_that_was_cut_says_so() {
        let folded = fold(&[(1, false, "inner;[libx.so]")]);
        assert_eq!(folded.lines(), ["worker;[not unwound to its root];inner;[libx.so] 1"]);
        assert_eq!((folded.tally.rooted, folded.tally.unknown), (0, 1));
        assert_eq!(folded.tally.by_class, [(Class::Kernel, 1)].into());
    }

    #[test]
    fn a_hundred_thousand_samples_are_folded_without_one_too_few() {
        let owners = crate::class::Owners::default();
        let maps = crate::perf_map::PerfMaps::default();
        let stack = |n: u64| {
            // Thirty deep, a thousand different ones.
            let places = (0..30).map(|depth| if depth % 2 == 0 { Place::Made(n % 1000) } else { Place::Kernel(depth) }).collect();
            Stack { moment: Moment { time_ns: n, pid: 1, tid: 1 }, places, rooted: !n.is_multiple_of(10) }
        };
        let unwound = Unwound { stacks: (0..100_000).map(stack).collect(), ..Unwound::default() };
        let folded = Folded::new(&unwound, 1, Namer::new(&unwound, &maps, &owners));
        assert_eq!((folded.tally.samples, folded.tally.rooted), (100_000, 90_000));
        assert_eq!(folded.stacks.values().sum::<u64>(), 100_000);
        assert_eq!(folded.samples.len(), 100_000);
        assert!(folded.samples.iter().all(|sample| folded.stacks.contains_key(&sample.stack)));
    }
}
