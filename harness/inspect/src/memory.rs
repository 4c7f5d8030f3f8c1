//! The pass `memory`: how far memory rises in a call, what stays, what a tree of processes shares, and what leaks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bindbench_measure::trouble::Trouble;
use bindbench_model::gauges::{Leak, MemoryUse, Referred};
use bindbench_model::{Form, Unit};
use bindbench_protocol::{Footprint, References, Reply, Request, Weigh, Weighed};
use bindbench_stats::Slope;
use bindbench_worker::{Launch, Tree, forget_the_peak, peak_bytes, tree};

use super::gil::NoWord;
use super::sitting::{Sitting, Studio};
use super::sizes::Sizes;
use super::subject::Subject;
use bindbench_measure::trouble::unexpected;

/// The input whose copies are counted: the system's own count of resident pages may be off by a quarter of a mebibyte.
const INPUT_BYTES: u64 = 8 << 20;

/// The input of the calls that are made over and over to find a leak: the less a call does, the more of them there are.
const SMALL_BYTES: u64 = 1 << 10;
const SMALL_ITEMS: u64 = 64;

/// The number of the small input among a worker's cells; the large one has the subject's.
const SMALL_CELL: u32 = u32::MAX;

/// Looks at the memory while calls are made over and over; the first two show what a lane keeps for itself.
const LOOKS: usize = 12;
const FIRST_LOOKS: usize = 2;

/// Between two looks calls are made for this long, or so many.
const BETWEEN: Duration = Duration::from_millis(25);
const MOST_LOOPS: u64 = 1 << 15;

/// An allocator's leftovers: pages that are partly used now and were not before.
const LEFTOVERS_BYTES: f64 = 65_536.0;

/// With this the GNU C library gives every block of 64 KiB or more pages of its own, and gives them back when it is freed. By default it
/// changes its mind after the first large block, and keeps the memory: the next call would be seen to take none.
const GIVE_BACK: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "65536");

/// How often a tree of processes is looked at while it works.
const GLANCE: Duration = Duration::from_millis(5);

/// Weighs a cell's calls.
///
/// # Errors
/// When the cell can't be looked at, or an input can't be made.
pub fn take(subject: &Subject, sizes: &Sizes, studio: &Studio) -> Result<MemoryUse, NoWord> {
    let mut launch = subject.launch.clone();
    launch.environment.insert(GIVE_BACK.0.to_owned(), GIVE_BACK.1.to_owned());
    let small = match subject.case.size {
        Some(_) => sizes.resize(subject, if subject.case.unit == Unit::Bytes { SMALL_BYTES } else { SMALL_ITEMS })?,
        None => subject.clone(),
    };
    let large = match sizes.largest(subject) {
        Some(largest) => Some(sizes.resize(subject, largest.min(INPUT_BYTES / subject.bytes_of_item()))?),
        None => None,
    };
    let mut used = weigh_all(&small, large.as_ref(), &launch, studio)?;
    // A mapped file's pages are resident where they are read: that is no copy.
    let passed = sizes.passing(subject).filter(|(form, _)| *form != Form::Mapped);
    used.declared_copies = passed.map(|(_, copies)| copies);
    used.input_bytes = passed.and(used.size).map(|size| size * subject.bytes_of_item());
    if !subject.is_cpython {
        // What nobody uses stays until a collector comes by: it looks like what is kept, and like a leak.
        (used.declared_copies, used.input_bytes, used.leak) = (None, None, None);
    }
    Ok(used)
}

fn weigh_all(small: &Subject, large: Option<&Subject>, launch: &Launch, studio: &Studio) -> Result<MemoryUse, Trouble> {
    let mut used = MemoryUse::default();
    let mut sitting = Sitting::start(large.unwrap_or(small), launch, studio)?;
    sitting.import()?;
    used.import_peak_bytes = peak_bytes(sitting.pid());
    let mut prepare = small.contender.prepare.clone();
    prepare.cell = SMALL_CELL;
    sitting.ask(&Request::Prepare(prepare))?;
    // Whatever a lane starts or imports at its first call is not the call's.
    weigh(&mut sitting, SMALL_CELL, 1)?;
    let pool = small.contender.prepare.pool.len() as u64;
    glance(&mut sitting, &mut used, |sitting| weigh(sitting, SMALL_CELL, pool))?;
    // Before the large input: a list of a million ints leaves an allocator with free memory, in which a leak would not show.
    used.leak = leak(&mut sitting)?;
    if let Some(large) = large {
        weigh_large(&mut sitting, large, &mut used)?;
    }
    sitting.finish();
    Ok(used)
}

/// The first call on a large input, before its answer is checked: a lane may keep what it made of the input.
fn weigh_large(sitting: &mut Sitting, large: &Subject, used: &mut MemoryUse) -> Result<(), Trouble> {
    let pid = sitting.pid();
    let forgotten = forget_the_peak(pid);
    sitting.give_inputs()?;
    used.input_peak_bytes = peak_bytes(pid).filter(|_| forgotten);
    let weighed = weigh(sitting, large.cell.id, 1)?;
    let resident = |footprint: Option<Footprint>| footprint.map(|footprint| footprint.resident_bytes);
    let before = resident(weighed.before);
    let above = |bytes: Option<u64>| Some(bytes?.saturating_sub(before?));
    used.size = large.case.size;
    used.call_peak_bytes = weighed.peak_bytes;
    used.rise_bytes = above(weighed.peak_bytes);
    // Without Python nothing tells what the answer takes; but there what is kept is little else.
    used.kept_bytes = above(resident(weighed.holding.or(weighed.after)));
    sitting.check_first()?;
    glance(sitting, used, |sitting| weigh(sitting, large.cell.id, 1))?;
    sitting.ask(&Request::Drop { cell: large.cell.id })?;
    Ok(())
}

/// Calls over and over, looking at the memory in between.
fn leak(sitting: &mut Sitting) -> Result<Option<Leak>, Trouble> {
    let loops = enough_loops(sitting)?;
    let mut looks = Vec::new();
    for look in 0..LOOKS + FIRST_LOOKS {
        let weighed = weigh(sitting, SMALL_CELL, loops)?;
        if look >= FIRST_LOOKS {
            looks.extend(weighed.after.map(|after| (after, weighed.references)));
        }
    }
    Ok(slopes(&looks, loops))
}

/// Doubles the number of calls until they take long enough, three times in a row: a busy machine makes any of them long once.
fn enough_loops(sitting: &mut Sitting) -> Result<u64, Trouble> {
    let mut loops = 1;
    while loops < MOST_LOOPS {
        let mut is_enough = true;
        for _ in 0..3 {
            let elapsed = Duration::from_nanos(weigh(sitting, SMALL_CELL, loops)?.elapsed_ns);
            is_enough = elapsed >= BETWEEN;
            if !is_enough || elapsed >= 8 * BETWEEN {
                break;
            }
        }
        if is_enough {
            break;
        }
        loops *= 2;
    }
    Ok(loops)
}

/// What a process took at a look, and how many references there were.
pub type Look = (Footprint, Option<References>);

/// Growth for each call, from looks with so many calls between them.
pub fn slopes(looks: &[Look], loops: u64) -> Option<Leak> {
    let line = |value: &dyn Fn(&Look) -> Option<f64>| {
        let points: Option<Vec<(f64, f64)>> =
            looks.iter().enumerate().map(|(number, look)| Some(((number as u64 * loops) as f64, value(look)?))).collect();
        Slope::of(&points?)
    };
    let count = |referred: Referred, references: &References| match referred {
        Referred::Arguments => references.arguments,
        Referred::Functions => references.functions,
        Referred::Shared => references.shared,
        Referred::Total => references.total,
    };
    let references = [Referred::Arguments, Referred::Functions, Referred::Shared, Referred::Total].into_iter().filter_map(|referred| {
        let slope = line(&|(_, references)| Some(count(referred, references.as_ref()?)? as f64))?;
        Some((referred, slope))
    });
    let calls = loops * (looks.len() as u64).saturating_sub(1);
    Some(Leak {
        bytes: line(&|(footprint, _)| Some(footprint.resident_bytes as f64))?,
        blocks: line(&|(footprint, _)| footprint.blocks.map(|blocks| blocks as f64)),
        references: references.collect(),
        calls,
        finest_bytes: LEFTOVERS_BYTES / calls.max(1) as f64,
    })
}

fn weigh(sitting: &mut Sitting, cell: u32, loops: u64) -> Result<Weighed, Trouble> {
    match sitting.ask(&Request::Weigh(Weigh { cell, first: 0, loops }))? {
        Reply::Weighed(weighed) => Ok(weighed),
        other => Err(unexpected(&other)),
    }
}

/// Does something with a worker, looks at its tree of processes meanwhile and once afterwards, and keeps the moment when it took most.
fn glance<T>(sitting: &mut Sitting, used: &mut MemoryUse, work: impl FnOnce(&mut Sitting) -> Result<T, Trouble>) -> Result<(), Trouble> {
    let (pid, done) = (sitting.pid(), AtomicBool::new(false));
    let (seen, worked) = std::thread::scope(|scope| {
        let glances = scope.spawn(|| {
            let mut largest: Option<Tree> = None;
            loop {
                let last = done.load(Ordering::Acquire);
                largest = largest.into_iter().chain(tree(pid)).max_by_key(|tree| tree.proportional_bytes);
                if last {
                    return largest;
                }
                std::thread::sleep(GLANCE);
            }
        });
        let worked = work(sitting);
        done.store(true, Ordering::Release);
        (glances.join().ok().flatten(), worked)
    });
    if let Some(tree) = seen.filter(|tree| used.proportional_bytes.is_none_or(|known| tree.proportional_bytes > known)) {
        (used.proportional_bytes, used.resident_bytes) = (Some(tree.proportional_bytes), Some(tree.resident_bytes));
        used.processes = tree.processes;
    }
    worked.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn looks(bytes: impl Fn(u64) -> u64) -> Vec<Look> {
        let footprint = |look| Footprint { resident_bytes: bytes(look), blocks: Some(10 + 3 * look) };
        let references = |look| References { arguments: Some(500 + look), shared: Some(9), ..References::default() };
        (0..LOOKS as u64).map(|look| (footprint(look), Some(references(look)))).collect()
    }

    proptest! {
        /// The resident set grows page by page, and some leftovers come and go.
        #[test]
        fn ninety_six_bytes_are_found_among_leftovers(leftovers in prop::collection::vec(0..4_u64, LOOKS), start in 0..1_u64 << 40) {
            let loops = 20_000;
            let grown = |per_call: u64| {
                looks(|look| (start + look * loops * per_call).next_multiple_of(4096) + leftovers[look as usize] * 4096)
            };
            let leak = slopes(&grown(96), loops).unwrap();
            prop_assert!(leak.keeps_memory() && (leak.bytes.point - 96.0).abs() < 2.0, "{:?}", leak);
            let none = slopes(&grown(0), loops).unwrap();
            prop_assert!(!none.keeps_memory(), "{:?}", none);
        }
    }

    #[test]
    fn references_are_counted_for_each_call() {
        let leak = slopes(&looks(|_| 1 << 20), 1).unwrap();
        let points: Vec<_> = leak.references.iter().map(|(referred, slope)| (*referred, slope.point)).collect();
        assert_eq!(points, [(Referred::Arguments, 1.0), (Referred::Shared, 0.0)]);
    }

    #[test]
    fn blocks_are_counted_for_each_call() {
        let leak = slopes(&looks(|_| 1 << 20), 1).unwrap();
        assert_eq!((leak.blocks.unwrap().point, leak.bytes.point, leak.calls), (3.0, 0.0, 11));
        assert!(leak.keeps_memory(), "blocks stay, though in memory that was free");
        let uncounted: Vec<Look> = looks(|_| 0).into_iter().map(|(look, _)| (Footprint { blocks: None, ..look }, None)).collect();
        let leak = slopes(&uncounted, 5).unwrap();
        assert_eq!((leak.blocks, leak.references.len()), (None, 0));
        assert_eq!(slopes(&[], 5), None);
    }
}
