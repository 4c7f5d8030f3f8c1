//! The plan: how many generations and rounds, which cells take part in how many rounds, and which one of a case has a twin.

use std::collections::BTreeMap;
use std::time::Duration;

use bindbench_catalog::Preset;
use bindbench_model::{Cell, Run};

/// What of a sample's time is not in its loop: the request, the reply, building the inputs' list, checking the answer.
const ROUND_TRIP_NS: u64 = 1_000_000;

/// A step of planning: it changes the cells of a run.
pub type Step = fn(&mut Run);

/// For about so long a cell is warmed up before its first sample.
const WARM_UP: Duration = Duration::from_micros(700);

/// A cell slower than this is not warmed up: its verification was its warm-up.
pub const SLOW: Duration = Duration::from_millis(50);

/// Fewer generations than this have no interval.
const FEWEST_GENERATIONS: u32 = 3;

/// The size of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dimensions {
    /// Sets of fresh workers.
    pub generations: u32,
    /// Rounds in each generation, at most.
    pub rounds: u32,
    /// Time for all samples.
    pub budget: Duration,
}

impl Dimensions {
    /// What a preset stands for. More generations help calls of nanoseconds more than more rounds do.
    pub fn of(preset: Preset) -> Self {
        let (generations, rounds, seconds) = match preset {
            Preset::Smoke => (3, 10, 10),
            Preset::Quick => (6, 10, 120),
            Preset::Talk => (8, 12, 700),
            Preset::Full => (15, 20, 4 * 3600),
        };
        Self { generations, rounds, budget: Duration::from_secs(seconds) }
    }
}

/// How many cells still have a number.
pub fn live(run: &Run) -> usize {
    run.cells.iter().filter(|cell| cell.status.has_number()).count()
}

/// Time of one sample of a cell, with everything around it.
pub fn cost_ns(cell: &Cell, run: &Run) -> u64 {
    let net = run.cases[cell.case as usize].net_of_loop;
    cell.sample_ns.saturating_add(if net { cell.sample_ns / 2 } else { 0 }).saturating_add(ROUND_TRIP_NS)
}

/// How many calls warm a cell up; never more than one of its samples has.
pub fn warm_up_loops(cell: &Cell) -> u64 {
    let share = WARM_UP.as_nanos() as f64 / cell.sample_ns.max(1) as f64;
    ((cell.loops as f64 * share).ceil() as u64).clamp(1, cell.loops.max(1))
}

/// Sets the number of rounds of the run and of every cell so that all samples fit into the budget: first the slow cells give up
/// rounds, then all do, then generations go, down to three.
pub fn fit(run: &mut Run) {
    let wanted = Dimensions {
        generations: run.plan.generations,
        rounds: run.plan.rounds,
        budget: Duration::try_from_secs_f64(run.plan.budget_s).unwrap_or_default(),
    };
    let fixed_rounds = run.plan.fixed_rounds;
    let costs: Vec<u64> = run.cells.iter().map(|cell| if cell.status.has_number() { cost_ns(cell, run) } else { 0 }).collect();
    let live = costs.iter().filter(|&&cost| cost > 0).count().max(1) as u64;
    let budget_ns = u64::try_from(wanted.budget.as_nanos()).unwrap_or(u64::MAX);
    let mut generations = wanted.generations.max(1);
    let per_generation = |generations: u32| budget_ns / u64::from(generations);
    let together = |share_ns: u64, most: u32| {
        costs.iter().map(|&cost| cost.saturating_mul(rounds_within(cost, share_ns, most).into())).fold(0, u64::saturating_add)
    };
    let more = |share_ns: u64| share_ns.saturating_add(share_ns / 4).saturating_add(1);
    // What one cell may use of a generation: an even share at first, less when even shares are too much together.
    let mut share_ns = per_generation(generations) / live;
    let mut most = wanted.rounds.max(1);
    if !fixed_rounds {
        // A cell's unused share goes to the others: grow the share while everything still fits.
        while together(more(share_ns), most) <= per_generation(generations) && share_ns < per_generation(generations) {
            share_ns = more(share_ns);
        }
        while most > 1 && together(share_ns, most) > per_generation(generations) {
            most -= 1;
        }
        while generations > FEWEST_GENERATIONS && together(share_ns, most) > per_generation(generations) {
            generations -= 1;
        }
    }
    for (cell, &cost) in run.cells.iter_mut().zip(&costs) {
        cell.rounds = if fixed_rounds { most } else { rounds_within(cost, share_ns, most) };
    }
    run.plan.generations = generations;
    run.plan.rounds = run.cells.iter().zip(&costs).filter(|&(_, &cost)| cost > 0).map(|(cell, _)| cell.rounds).max().unwrap_or(most);
}

/// Nothing is timed.
pub fn without_rounds(run: &mut Run) {
    (run.plan.generations, run.plan.rounds) = (0, 0);
    run.cells.iter_mut().for_each(|cell| cell.rounds = 0);
}

fn rounds_within(cost_ns: u64, share_ns: u64, most: u32) -> u32 {
    share_ns.checked_div(cost_ns).map_or(most, |rounds| rounds.clamp(1, u64::from(most)) as u32)
}

/// Gives every case and interpreter its A/A twin: a second set of workers for one lane. It is the fastest lane that runs in Python:
/// what disturbs a measurement disturbs short calls most, so its twin shows the worst. Where the plan says so, every lane gets one.
pub fn add_twins(run: &mut Run) {
    let mut chosen: BTreeMap<(u32, Option<String>), &Cell> = BTreeMap::new();
    let mut originals: Vec<Cell> = Vec::new();
    for cell in run.cells.iter().filter(|cell| cell.status.has_number()) {
        if run.plan.all_twins {
            originals.push(cell.clone());
            continue;
        }
        let per_call = |cell: &Cell| cell.sample_ns / cell.loops.max(1);
        let best = chosen.entry((cell.case, cell.interpreter.clone())).or_insert(cell);
        if per_call(cell) < per_call(best) {
            *best = cell;
        }
    }
    // A native lane runs in no interpreter; it has a twin of its own only where nothing else was measured.
    let has_python = |case: u32| chosen.keys().any(|(other, interpreter)| *other == case && interpreter.is_some());
    originals.extend(
        chosen.iter().filter(|((case, interpreter), _)| interpreter.is_some() || !has_python(*case)).map(|(_, cell)| (*cell).clone()),
    );
    originals.iter().for_each(|original| put_twin(run, original.id as usize));
}

/// Adds the A/A twin of a cell.
pub fn put_twin(run: &mut Run, of: usize) {
    let twin = Cell { id: run.cells.len() as u32, twin: true, ..run.cells[of].clone() };
    run.cells.push(twin);
}

/// Marks the cells whose inputs would not fit into the memory beside the others': the largest first, until the rest fits. Returns
/// how many there are.
pub fn put_large_ones_alone(cells: &mut [Cell], resident_bytes: &[u64], available: u64) -> usize {
    let mut by_size: Vec<usize> = (0..cells.len()).collect();
    by_size.sort_by_key(|&at| std::cmp::Reverse(resident_bytes[at]));
    let mut together = resident_bytes.iter().copied().fold(0, u64::saturating_add);
    let mut alone = 0;
    for at in by_size {
        // Half of it stays for the results, for the interpreters themselves, and for the machine's other users.
        cells[at].alone = together > available / 2;
        if cells[at].alone {
            together -= resident_bytes[at];
            alone += 1;
        }
    }
    alone
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_model::Status;

    fn cell(id: u32, case: u32, lane: &str, interpreter: Option<&str>, sample_ms: u64, loops: u64) -> Cell {
        Cell {
            id,
            case,
            lane: lane.into(),
            interpreter: interpreter.map(str::to_owned),
            twin: false,
            loops,
            sample_ns: sample_ms * 1_000_000,
            rounds: 0,
            alone: false,
            remembers: None,
            status: Status::Ok,
        }
    }

    fn run(cells: Vec<Cell>) -> Run {
        let case = |id| {
            serde_json::json!({"id": id, "workload": "w", "operation": "o", "input": "i", "form": null, "size": null,
            "unit": "items", "threads": 1, "net_of_loop": false})
        };
        serde_json::from_value(serde_json::json!({
            "schema": 1, "bindbench": "0", "id": "r", "command": [], "preset": "quick", "seed": 1, "started": "", "state": "running",
            "plan": {"generations": 0, "rounds": 0, "budget_s": 0.0}, "environment": Environment::default(), "interpreters": [],
            "kernels_sha256": null, "workloads": [], "lanes": [], "cases": [case(0), case(1)], "cells": cells, "skipped": [], "notes": []
        }))
        .expect("a run")
    }

    use bindbench_model::Environment;

    fn total_ns(run: &Run) -> u64 {
        let generation: u64 = run.cells.iter().map(|cell| cost_ns(cell, run) * u64::from(cell.rounds)).sum();
        generation * u64::from(run.plan.generations)
    }

    fn fit_into(run: &mut Run, generations: u32, rounds: u32, budget_s: f64) {
        (run.plan.generations, run.plan.rounds, run.plan.budget_s) = (generations, rounds, budget_s);
        fit(run);
    }

    #[test]
    fn slow_cells_give_up_rounds_first_and_everything_fits_the_budget() {
        let mut run = run(vec![cell(0, 0, "a/a", Some("3"), 5, 100), cell(1, 0, "b/b", Some("3"), 2000, 1)]);
        fit_into(&mut run, 5, 10, 30.0);
        assert_eq!((run.cells[0].rounds, run.plan.generations), (10, 5));
        assert!((1..=2).contains(&run.cells[1].rounds), "{}", run.cells[1].rounds);
        assert!(total_ns(&run) <= 30_000_000_000);
    }

    #[test]
    fn generations_go_last_and_never_below_three() {
        let mut run = run(vec![cell(0, 0, "a/a", Some("3"), 9000, 1)]);
        fit_into(&mut run, 8, 10, 30.0);
        assert_eq!((run.cells[0].rounds, run.plan.generations), (1, 3));
    }

    #[test]
    fn rounds_asked_for_are_kept() {
        let mut run = run(vec![cell(0, 0, "a/a", Some("3"), 9000, 1)]);
        run.plan.fixed_rounds = true;
        fit_into(&mut run, 8, 7, 1.0);
        assert_eq!((run.cells[0].rounds, run.plan.rounds, run.plan.generations), (7, 7, 8));
    }

    #[test]
    fn the_twin_is_of_the_fastest_lane_in_python() {
        let mut run = run(vec![
            cell(0, 0, "native/rust", None, 5, 1_000_000),
            cell(1, 0, "a/a", Some("3"), 5, 1000),
            cell(2, 0, "b/b", Some("3"), 5, 2000),
            cell(3, 1, "native/rust", None, 5, 10),
        ]);
        add_twins(&mut run);
        let twins: Vec<_> = run.cells.iter().filter(|cell| cell.twin).map(|cell| (cell.case, cell.lane.as_str())).collect();
        assert_eq!(twins, [(0, "b/b"), (1, "native/rust")]);
        assert!(run.cells.iter().enumerate().all(|(at, cell)| cell.id as usize == at));
    }

    #[test]
    fn what_does_not_fit_together_goes_alone_largest_first() {
        let mut cells = vec![cell(0, 0, "a/a", None, 5, 1), cell(1, 0, "b/b", None, 5, 1), cell(2, 0, "c/c", None, 5, 1)];
        assert_eq!(put_large_ones_alone(&mut cells, &[10, 60, 30], 100), 1);
        assert_eq!(cells.iter().map(|cell| cell.alone).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(put_large_ones_alone(&mut cells, &[10, 60, 30], 1000), 0);
        assert!(cells.iter().all(|cell| !cell.alone));
    }
}
