//! The order of samples: shuffled anew for every round, always the same from one seed.

use std::collections::BTreeMap;

use bindbench_model::Cell;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::crew::{Post, post_of};

/// A random stream of its own for every purpose and place in the run: what was drawn before a resume does not matter after it.
fn stream(seed: u64, generation: u32, round: u32) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream((u64::from(generation) << 32) | u64::from(round));
    random
}

/// `PYTHONHASHSEED` of a generation's workers; 0 would switch hash randomisation off.
pub fn hash_seed(seed: u64, generation: u32) -> u32 {
    stream(seed, generation, u32::MAX).next_u32().max(1)
}

/// The order in which a generation's workers are started and given their inputs: worker by worker, and each worker's cells in theirs. Who comes
/// last lies elsewhere in the machine's memory than who comes first: a lane is not to be quicker for its place in a list.
pub fn beginning(cells: &[Cell], seed: u64, generation: u32) -> Vec<u32> {
    let mut workers: BTreeMap<Post, Vec<u32>> = BTreeMap::new();
    for cell in cells {
        workers.entry(post_of(cell)).or_default().push(cell.id);
    }
    let mut workers: Vec<Vec<u32>> = workers.into_values().collect();
    workers.shuffle(&mut stream(seed, generation, u32::MAX - 1));
    workers.concat()
}

/// One round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Ids of the cells, in the order in which they are sampled.
    pub order: Vec<u32>,
    /// Where in their pools all cells start: lanes that are compared get the same inputs in the same round.
    pub first: usize,
}

/// The order of one round: cases in random order, the lanes of a case one after the other in random order. Comparisons are between
/// lanes of a case, so these follow each other within milliseconds and share whatever the machine is up to.
pub fn round(cells: &[Cell], seed: u64, generation: u32, round: u32) -> Round {
    let mut random = stream(seed, generation, round);
    let first = random.random_range(0..64);
    let mut cases: Vec<u32> = cells.iter().map(|cell| cell.case).collect();
    cases.sort_unstable();
    cases.dedup();
    cases.shuffle(&mut random);
    let mut order = Vec::new();
    for case in cases {
        let mut ids: Vec<u32> =
            cells.iter().filter(|cell| cell.case == case && cell.status.has_number() && round < cell.rounds).map(|cell| cell.id).collect();
        ids.shuffle(&mut random);
        order.extend(ids);
    }
    Round { order, first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_model::Status;
    use proptest::prelude::*;

    fn cells(rounds: &[u32]) -> Vec<Cell> {
        let cell = |(id, &rounds): (usize, &u32)| Cell {
            id: id as u32,
            case: id as u32 / 4,
            lane: "a/b".into(),
            interpreter: None,
            twin: false,
            loops: 1,
            sample_ns: 1,
            rounds,
            alone: false,
            remembers: None,
            status: if id % 7 == 6 { Status::Pending } else { Status::Ok },
        };
        rounds.iter().enumerate().map(cell).collect()
    }

    proptest! {
        #[test]
        fn a_round_has_every_live_cell_once_and_keeps_cases_together(rounds in prop::collection::vec(0_u32..5, 1..60), seed: u64, at in 0_u32..5) {
            let cells = cells(&rounds);
            let drawn = round(&cells, seed, 1, at);
            let mut seen = drawn.order.clone();
            seen.sort_unstable();
            let live: Vec<u32> = cells.iter().filter(|cell| cell.status.has_number() && at < cell.rounds).map(|cell| cell.id).collect();
            prop_assert_eq!(seen, live);
            let mut cases: Vec<u32> = drawn.order.iter().map(|&id| cells[id as usize].case).collect();
            cases.dedup();
            let blocks = cases.len();
            cases.sort_unstable();
            cases.dedup();
            prop_assert_eq!(blocks, cases.len());
        }
    }

    #[test]
    fn workers_begin_in_another_order_in_every_generation() {
        let mut cells = cells(&[1; 12]);
        cells.iter_mut().for_each(|cell| cell.lane = ["a/a", "b/b", "c/c"][cell.id as usize % 3].to_owned());
        let orders: Vec<Vec<u32>> = (0..30).map(|generation| beginning(&cells, 7, generation)).collect();
        for first in 0..3 {
            let begun: Vec<_> = orders.iter().filter(|order| order[0] == first).collect();
            assert!(begun.len() > 3, "{orders:?}");
            assert!(begun.iter().all(|order| order[..4] == [first, first + 3, first + 6, first + 9]));
        }
        assert_eq!(orders[3], beginning(&cells, 7, 3));
    }

    #[test]
    fn one_seed_one_order_and_another_round_another_order() {
        let cells = cells(&[9; 40]);
        assert_eq!(round(&cells, 1, 2, 3), round(&cells, 1, 2, 3));
        assert_ne!(round(&cells, 1, 2, 3).order, round(&cells, 1, 2, 4).order);
        assert_ne!(round(&cells, 1, 2, 3).order, round(&cells, 1, 3, 3).order);
        assert_ne!(round(&cells, 1, 2, 3).order, round(&cells, 2, 2, 3).order);
        assert_ne!(hash_seed(1, 0), hash_seed(1, 1));
    }
}
