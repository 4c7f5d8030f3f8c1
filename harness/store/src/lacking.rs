//! What a run's plan promises and its files don't have.

use std::collections::BTreeMap;

use bindbench_model::{GateRecord, Run, RunState, Sample};

use super::Recorded;

/// Rows that are missing, of so many that were planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Missing.
    pub missing: usize,
    /// Planned.
    pub planned: usize,
}

impl Lacking {
    /// The samples that `samples.csv` lacks: of every cell that has a number, in every round of every generation in which it takes part.
    pub fn samples(recorded: &Recorded) -> Self {
        let run = &recorded.run;
        let planned: Vec<(u32, u32)> = if run.is_timed() { participants(recorded) } else { Vec::new() };
        let mut there: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        for sample in &recorded.samples {
            *there.entry((sample.generation, sample.cell)).or_default() += 1;
        }
        let lacks = |&(generation, cell): &(u32, u32)| {
            let rounds = run.cells[cell as usize].rounds as usize;
            Self { missing: rounds.saturating_sub(there.get(&(generation, cell)).copied().unwrap_or(0)), planned: rounds }
        };
        planned.iter().map(lacks).fold(Self::default(), Self::and)
    }

    /// The counts that `counts.csv` lacks: of every cell that could be counted, in every generation of counts.
    pub fn counts(recorded: &Recorded) -> Self {
        let run = &recorded.run;
        let Some(counting) = run.counting.as_ref().filter(|_| run.state == RunState::Finished) else { return Self::default() };
        let counted = run.cells.iter().filter(|cell| cell.status.has_number() && !cell.twin && !counting.uncounted.contains_key(&cell.id));
        let lacks = |cell: u32| {
            let there = recorded.counts.iter().filter(|count| count.cell == cell).count();
            let planned = counting.generations as usize;
            Self { missing: planned.saturating_sub(there), planned }
        };
        counted.map(|cell| lacks(cell.id)).fold(Self::default(), Self::and)
    }

    fn and(self, other: Self) -> Self {
        Self { missing: self.missing + other.missing, planned: self.planned + other.planned }
    }
}

/// Which cells take part in which generations.
fn participants(recorded: &Recorded) -> Vec<(u32, u32)> {
    let run = &recorded.run;
    let took = match &run.gate {
        Some(gate) => took_part(run, gate, &recorded.samples),
        None => run.cells.iter().map(|cell| (cell.id, run.plan.generations)).collect(),
    };
    let has_number = |id: &u32| run.cells.get(*id as usize).is_some_and(|cell| cell.status.has_number());
    let took = took.into_iter().filter(|(cell, _)| has_number(cell));
    took.flat_map(|(cell, generations)| (0..generations.min(run.plan.generations)).map(move |generation| (generation, cell))).collect()
}

/// In how many generations, from the first on, each cell of a gate took part: cells rest as soon as they are decided. What is not written
/// down is seen by the samples: a cell took part in all generations up to its last, and those that were to take part last, in all.
pub(super) fn took_part(run: &Run, gate: &GateRecord, samples: &[Sample]) -> BTreeMap<u32, u32> {
    if !gate.took.is_empty() {
        return gate.took.clone();
    }
    let mut took: BTreeMap<u32, u32> = BTreeMap::new();
    for sample in samples {
        let most = took.entry(sample.cell).or_default();
        *most = (*most).max(sample.generation + 1);
    }
    // What a gate might have taken, had it not been decided, is no promise.
    let begun = match run.state {
        RunState::Finished => run.plan.generations,
        RunState::Running | RunState::Interrupted => took.values().copied().max().unwrap_or(0),
    };
    took.extend(gate.live.iter().map(|&cell| (cell, begun)));
    took
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::Synthetic;
    use bindbench_model::{Count, Counter, Counting, GateRecord, Status};

    /// Three generations of four rounds of two cells; a third one has no number.
    fn measured() -> Recorded {
        let mut made = Synthetic::new(3, 4);
        let case = made.case("call.noop", "nothing", None, None, 1);
        for lane in ["a/a", "b/b", "c/c"] {
            made.cell(case, lane, None, 10.0);
        }
        made.run.cells[2].status = Status::TimedOut { after_s: 1.0 };
        made.recorded(0.01)
    }

    #[test]
    fn what_the_plan_promises_is_counted() {
        let mut recorded = measured();
        assert_eq!(Lacking::samples(&recorded), Lacking { missing: 0, planned: 24 });
        recorded.samples.retain(|sample| sample.generation != 1 || sample.cell == 0);
        recorded.samples.remove(0);
        assert_eq!(Lacking::samples(&recorded), Lacking { missing: 5, planned: 24 });
        // A slow cell takes part in fewer rounds.
        recorded.run.cells[1].rounds = 1;
        assert_eq!(Lacking::samples(&recorded), Lacking { missing: 2, planned: 15 });
        recorded.run.plan.counters = vec![Counter::Instructions];
        assert_eq!(Lacking::samples(&recorded), Lacking::default());
    }

    #[test]
    fn cells_of_a_gate_that_rest_lack_nothing() {
        let mut recorded = measured();
        recorded.run.gate = Some(GateRecord { live: vec![0], ..GateRecord::default() });
        recorded.samples.retain(|sample| sample.generation == 0 || sample.cell == 0);
        assert_eq!(Lacking::samples(&recorded), Lacking { missing: 0, planned: 16 });
        recorded.samples.retain(|sample| sample.generation != 1 && (sample.generation, sample.round) != (2, 3));
        assert_eq!(Lacking::samples(&recorded), Lacking { missing: 5, planned: 16 });
    }

    /// Whoever takes all rows of a cell away from a generation on makes it look like one that rests.
    #[test]
    fn cells_of_a_gate_whose_rows_are_gone_lack_them() {
        let mut recorded = measured();
        // Both to the end, as older gates have written it down.
        recorded.run.gate = Some(GateRecord { live: vec![0, 1], ..GateRecord::default() });
        recorded.samples.retain(|sample| sample.generation == 0 || sample.cell == 0);
        assert_eq!(Lacking::samples(&recorded), Lacking { missing: 8, planned: 24 });
        // One that was decided after two generations, as it is written down now.
        let mut gate = GateRecord::default();
        for (generation, live) in [vec![0, 1], vec![0, 1], vec![0]].into_iter().enumerate() {
            gate.begin(generation as u32, live);
        }
        recorded.run.gate = Some(gate.clone());
        assert_eq!(Lacking::samples(&recorded), Lacking { missing: 4, planned: 20 });
        // Resumed, it may be decided sooner.
        gate.begin(1, vec![0]);
        assert_eq!(gate.took, [(0, 2), (1, 1)].into());
        // Rows that are gone in the middle are missed without anything written down.
        recorded = measured();
        recorded.run.gate = Some(GateRecord { live: vec![0], ..GateRecord::default() });
        recorded.samples.retain(|sample| sample.generation != 1 || sample.cell == 0);
        assert_eq!(Lacking::samples(&recorded), Lacking { missing: 4, planned: 24 });
    }

    #[test]
    fn counts_that_are_gone_are_missed() {
        let mut recorded = measured();
        let uncounted = [(1, "its threads take turns".to_owned())].into();
        recorded.run.counting = Some(Counting { tool: "valgrind".into(), fixed_layout: true, generations: 2, uncounted });
        let count = Count { generation: 0, cell: 0, loops: 1, instructions: 1, instructions_twice: 2, empty: None, empty_twice: None };
        recorded.counts = vec![count];
        assert_eq!(Lacking::counts(&recorded), Lacking { missing: 1, planned: 2 });
        recorded.run.state = RunState::Running;
        assert_eq!(Lacking::counts(&recorded), Lacking::default(), "they are still to come");
    }
}
