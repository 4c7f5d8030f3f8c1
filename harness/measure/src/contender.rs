//! A cell as it is measured: what its worker is told, and what it has to answer.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use bindbench_catalog::{Catalog, Lane, Oracle, passing};
use bindbench_model::{Case, Cell, Form, Parallel, Run, case_name};
use bindbench_protocol::{Argument, Prepare};
use bindbench_setup::inputs::{Pool, make_pool};
use bindbench_setup::layout::Layout;
use bindbench_setup::oracle::{Expected, FRESH_CALLS, expected, expected_of_fresh};
use bindbench_setup::room;
use bindbench_setup::room::Wanted;
use miette::{Result, miette};

/// What belongs to a cell while it is measured. In the order of the run's cells.
#[derive(Clone, Debug)]
pub struct Contender {
    /// The request that makes its inputs.
    pub prepare: Prepare,
    /// The right answers, in the order of its pool; cells of one case share them.
    pub expected: Arc<Vec<Expected>>,
    /// Inputs that no sample has.
    pub fresh: Fresh,
    /// Memory its inputs take in the worker, bytes.
    pub resident_bytes: u64,
    /// CPUs to stay on; none where workers can't be pinned.
    pub cpus: Option<Vec<usize>>,
    /// Times are net of the empty loop, which is measured with every sample.
    pub net_of_loop: bool,
    /// How a worker goes through the pool when it must get no item twice; none: it may.
    pub once: Option<Once>,
}

/// Inputs that no sample has, and the right answers to them. What a lane makes of these it can't have kept from a sample; and functions
/// among their arguments tell whether they were called.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The arguments of each, as its worker gets them.
    pub inputs: Vec<Vec<Argument>>,
    /// The right answers to a first call, to a second one, and so on.
    pub expected: Arc<Vec<[Expected; FRESH_CALLS]>>,
}

impl Fresh {
    /// They have functions among their arguments: what a lane did with them, the answers to other inputs don't tell.
    pub fn has_functions(&self) -> bool {
        self.inputs.iter().flatten().any(|argument| matches!(argument, Argument::Callable(_)))
    }
}

impl Contender {
    /// One that has answers only, for fuzzing.
    pub fn for_answers(expected: Vec<Expected>) -> Self {
        let prepare = Prepare { cell: 0, workload: String::new(), operation: String::new(), pool: Vec::new(), threads: 1, raises: false };
        let fresh = Fresh { inputs: Vec::new(), expected: Arc::default() };
        Self { prepare, expected: Arc::new(expected), fresh, resident_bytes: 0, cpus: None, net_of_loop: false, once: None }
    }
}

/// A way through a pool on which no item comes twice: each round has a stretch of items to itself, and the warm-up has one too.
/// Lanes of a case begin a round at the same item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once {
    stretch: usize,
    stretches: usize,
}

impl Once {
    /// Divides a pool for so many rounds, or for as many as it has items for.
    pub fn new(items: usize, rounds: u32) -> Self {
        let stretch = (items / (rounds as usize + 1)).max(1);
        Self { stretch, stretches: items / stretch }
    }

    /// The most calls that a sample may have.
    pub fn most_loops(self) -> u64 {
        self.stretch as u64
    }

    /// The most rounds: one at least, though there be one item only, which then is not warmed up with.
    pub fn most_rounds(self) -> u32 {
        self.stretches.saturating_sub(1).max(1) as u32
    }

    /// Whether there are items left for a warm-up.
    pub fn has_warm_up(self) -> bool {
        self.stretches > 1
    }

    /// Index in the pool of a round's first item.
    pub fn first(self, round: u32) -> usize {
        (round as usize + 1) * self.stretch
    }
}

/// The pools of a run's cases, made once.
#[derive(Debug, Default)]
pub struct Pools {
    made: BTreeMap<u32, Made>,
}

/// A pool and the right answers: to its items, and to its fresh ones.
type Made = (Arc<Pool>, Arc<Vec<Expected>>, Arc<Vec<[Expected; FRESH_CALLS]>>);

impl Pools {
    /// The pool of a case and the right answers to its items.
    ///
    /// # Errors
    /// When its files can't be written or read.
    fn of(&mut self, case: &Case, catalog: &Catalog, layout: &Layout) -> Result<Made> {
        if let Some(made) = self.made.get(&case.id) {
            return Ok(made.clone());
        }
        let (workload, input, oracle) = definition(case, catalog)?;
        let pool = Arc::new(make_pool(layout, &workload.inputs[input], case.size)?);
        let made = (Arc::clone(&pool), Arc::new(expected(oracle, &pool)?), Arc::new(expected_of_fresh(oracle, &pool)?));
        self.made.insert(case.id, made.clone());
        Ok(made)
    }

    /// All of them.
    pub fn all(&self) -> Vec<&Pool> {
        self.made.values().map(|(pool, ..)| pool.as_ref()).collect()
    }
}

/// Looks whether the inputs of all cells have room on the disk and in memory, before any of them is made.
///
/// # Errors
/// When they have not, or as [`contender`].
pub fn check_room(run: &Run, catalog: &Catalog, layout: &Layout) -> Result<()> {
    let mut wanted: BTreeMap<u32, Wanted> = BTreeMap::new();
    for cell in &run.cells {
        let case = &run.cases[cell.case as usize];
        let form = case.form.and_then(|form| passing(lane(cell, catalog).ok()?, &case.workload, form));
        let wanted = match wanted.entry(case.id) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(place) => {
                let (workload, input, _) = definition(case, catalog)?;
                let pool = Pool::plan(layout, &workload.inputs[input], case.size)?;
                place.insert(Wanted { what: case_name(case), pool, worker_bytes: 0 })
            }
        };
        wanted.worker_bytes = wanted.worker_bytes.max(wanted.pool.resident_bytes(form));
    }
    Ok(room::check(&layout.inputs(), &wanted.into_values().collect::<Vec<_>>())?)
}

fn lane<'c>(cell: &Cell, catalog: &'c Catalog) -> Result<&'c Lane> {
    catalog.lanes().find(|lane| lane.id == cell.lane).ok_or_else(|| miette!("the catalog has no lane {} (any more)", cell.lane))
}

fn definition<'c>(case: &'c Case, catalog: &'c Catalog) -> Result<(&'c bindbench_catalog::Workload, &'c String, Oracle)> {
    let workload = catalog.workload(&case.workload);
    let found = workload.and_then(|workload| {
        let oracle = workload.operations.get(&case.operation)?.oracle;
        workload.inputs.contains_key(&case.input).then_some((workload, &case.input, oracle))
    });
    found.ok_or_else(|| miette!("the catalog has no {}.{} of {} (any more)", case.workload, case.operation, case.input))
}

/// What belongs to a cell.
///
/// # Errors
/// When the catalog does not know its lane or case, or its inputs can't be made.
pub fn contender(cell: &Cell, run: &Run, catalog: &Catalog, pools: &mut Pools, layout: &Layout) -> Result<Contender> {
    let case = &run.cases[cell.case as usize];
    let lane = lane(cell, catalog)?;
    let (pool, expected, expected_of_fresh) = pools.of(case, catalog, layout)?;
    let form: Option<Form> = case.form.and_then(|form| passing(lane, &case.workload, form));
    let prepare = Prepare {
        cell: cell.id,
        workload: case.workload.clone(),
        operation: case.operation.clone(),
        pool: pool.arguments(form),
        threads: case.threads as usize,
        raises: expected.first().is_some_and(|expected| matches!(expected, Expected::Raises(_))),
    };
    let allowed = &run.environment.cpus;
    let wanted = if lane.parallel == Parallel::None { case.threads as usize } else { allowed.len() };
    // The last ones: interrupts and the rest of the system prefer the first.
    let cpus = run.environment.pinned.then(|| allowed[allowed.len().saturating_sub(wanted)..].to_vec());
    let once = definition(case, catalog)?.0.inputs[&case.input].unseen.then(|| Once::new(pool.len(), run.plan.rounds));
    let fresh = Fresh { inputs: pool.fresh_arguments(form), expected: expected_of_fresh };
    Ok(Contender { prepare, resident_bytes: pool.resident_bytes(form), expected, fresh, cpus, net_of_loop: case.net_of_loop, once })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_item_comes_twice(items in 2_usize..300, rounds in 1_u32..30) {
            let once = Once::new(items, rounds);
            let calls = once.most_loops() as usize;
            let mut seen: Vec<usize> = if once.has_warm_up() { (0..calls).collect() } else { Vec::new() };
            for round in 0..once.most_rounds().min(rounds) {
                seen.extend((0..calls).map(|call| once.first(round) + call));
            }
            let all = seen.len();
            prop_assert!(seen.iter().all(|&item| item < items));
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), all);
        }
    }

    #[test]
    fn a_pool_with_fewer_items_than_rounds_has_one_item_for_each_round_it_can_have() {
        let once = Once::new(5, 12);
        assert_eq!((once.most_loops(), once.most_rounds(), once.first(3)), (1, 4, 4));
        let lonely = Once::new(1, 12);
        assert_eq!((lonely.most_loops(), lonely.most_rounds(), lonely.has_warm_up()), (1, 1, false));
    }
}
