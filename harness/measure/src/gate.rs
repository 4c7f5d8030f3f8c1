//! Measuring two builds against each other, for as long as somebody wants to know more.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bindbench_catalog::Side;
use bindbench_model::{Cell, GateRecord, Run, Sample};
use bindbench_worker::Transport;
use indicatif::ProgressBar;
use miette::Result;

use super::plan::{Step, cost_ns, live, put_twin, without_rounds};
use super::{Options, Outcome, Session};

/// More rounds in a generation say little more: what differs is mostly generations.
pub const MOST_ROUNDS: u32 = 24;

/// A sample lasts for about so long, or for one call: a machine changes its speed a hundred times in a second, and the samples of a round
/// are to be neighbours, not strangers. So a gate has more and shorter ones than a run, whose numbers have to stand for themselves.
const SAMPLE: Duration = Duration::from_micros(400);

/// Fewer rounds have no median worth the name.
const FEWEST_ROUNDS: u32 = 3;

/// The budget is to last for at least so many generations of samples. Starting workers takes about as long again.
const GENERATIONS_OF_A_BUDGET: u32 = 40;

impl Session {
    /// Writes down what it takes to go on with this gate.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put_down(&mut self, gate: GateRecord) -> Result<()> {
        self.run.gate = Some(gate);
        Ok(self.folder.save(&self.run)?)
    }

    /// Calibrates all cells, unless that was done before the gate was stopped, gives every cell of base its twin, and makes all cells of a
    /// pair take samples of the same number of calls: a loop of another length costs another time a call.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn prepare_gate(&mut self, options: &Options, budget: Duration, transport: impl Transport) -> Result<Outcome> {
        self.run.plan.budget_s = budget.as_secs_f64();
        let (pair_up, fit): (Step, Step) = if self.run.is_timed() { (pair_up, fit) } else { (|_| (), without_rounds) };
        if self.is_prepared() { Ok(Outcome::Finished) } else { self.prepare(options, transport, pair_up, fit) }
    }

    /// One generation of all cells but those that rest: what of it is not on disk yet. Returns all its samples.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn take_generation(
        &mut self,
        generation: u32,
        resting: BTreeSet<u32>,
        transport: impl Transport,
    ) -> Result<(Outcome, Vec<Sample>)> {
        self.resting = resting;
        let live: Vec<u32> = self.live().map(|cell| cell.id).collect();
        self.run.gate.iter_mut().for_each(|gate| gate.begin(generation, live.clone()));
        if !self.missing_rounds(generation).is_empty() {
            self.folder.save(&self.run)?;
        }
        let mut taken: Vec<Sample> = self.recorded.iter().filter(|sample| sample.generation == generation).cloned().collect();
        let (begun, there) = (Instant::now(), taken.len());
        let outcome = self.generation(generation, transport, &ProgressBar::hidden(), &mut taken)?;
        if let Some(gate) = self.run.gate.as_mut().filter(|_| taken.len() > there) {
            gate.used_s += begun.elapsed().as_secs_f64();
            self.folder.save(&self.run)?;
        }
        if outcome == Outcome::Interrupted {
            self.stop()?;
        }
        Ok((outcome, taken))
    }

    /// Time that generations have taken, those before it was resumed among them.
    pub fn used(&self) -> Duration {
        let used_s = self.run.gate.as_ref().map_or(0.0, |gate| gate.used_s);
        Duration::try_from_secs_f64(used_s).unwrap_or_default()
    }

    /// Whether some of a generation was on disk when the gate was resumed.
    pub fn has(&self, generation: u32) -> bool {
        self.recorded.iter().any(|sample| sample.generation == generation)
    }

    /// Writes how many generations it took, and that it is complete.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish_gate(&mut self, generations: u32) -> Result<()> {
        let there = self.done.last().map_or(0, |(last, _)| last + 1);
        self.run.plan.generations = generations.max(there);
        self.finish()
    }
}

/// Sets equal loops within each pair, and adds the twins of base.
fn pair_up(run: &mut Run) {
    for at in 0..run.cells.len() {
        let Some((lane, Side::Base)) = Side::of(&run.cells[at].lane) else { continue };
        let head = Side::Head.lane(lane);
        let base = run.cells[at].clone();
        let other = run.cells.iter().position(|cell| cell.lane == head && (cell.case, &cell.interpreter) == (base.case, &base.interpreter));
        if let Some(other) = other.filter(|&other| base.status.has_number() && run.cells[other].status.has_number()) {
            let threads = run.cases[base.case as usize].threads;
            let loops = [at, other].into_iter().map(|at| short(&run.cells[at], threads)).min().unwrap_or(1);
            for at in [at, other] {
                let cell = &mut run.cells[at];
                cell.sample_ns = (cell.sample_ns as f64 * loops as f64 / cell.loops as f64) as u64;
                cell.loops = loops;
            }
        }
        if base.status.has_number() {
            put_twin(run, at);
        }
    }
}

/// How many calls last for [`SAMPLE`]; as many as in a run where several threads make them, which take a while to get going.
fn short(cell: &Cell, threads: u32) -> u64 {
    if threads > 1 {
        return cell.loops;
    }
    let share = SAMPLE.as_nanos() as f64 / cell.sample_ns.max(1) as f64;
    ((cell.loops as f64 * share) as u64).clamp(1, cell.loops.max(1))
}

/// As many rounds in a generation as leave room for many generations.
fn fit(run: &mut Run) {
    let live = live(run).max(1) as u32;
    let share = Duration::try_from_secs_f64(run.plan.budget_s).unwrap_or_default() / GENERATIONS_OF_A_BUDGET / live;
    let rounds: Vec<u32> = run
        .cells
        .iter()
        .map(|cell| (share.as_nanos() / u128::from(cost_ns(cell, run).max(1))).clamp(FEWEST_ROUNDS.into(), MOST_ROUNDS.into()) as u32)
        .collect();
    // Pairs are compared round by round: a cell with fewer rounds than its partner would only keep that one waiting.
    let least = |case: u32, interpreter: &Option<String>| {
        let same = run.cells.iter().zip(&rounds).filter(|(cell, _)| cell.case == case && cell.interpreter == *interpreter);
        same.map(|(_, rounds)| *rounds).min().unwrap_or(FEWEST_ROUNDS)
    };
    let rounds: Vec<u32> = run.cells.iter().map(|cell| least(cell.case, &cell.interpreter)).collect();
    run.cells.iter_mut().zip(&rounds).for_each(|(cell, rounds)| cell.rounds = *rounds);
    run.plan.rounds = rounds.into_iter().max().unwrap_or(MOST_ROUNDS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_store::synthetic::Synthetic;

    /// Base and head of one lane in one case, as calibration left them.
    fn calibrated() -> Run {
        let mut made = Synthetic::new(1, 1);
        made.interpreter("3.13.0", &[]);
        let case = made.case("std.std", "ints", None, Some(10), 1);
        for lane in ["a/a@base", "a/a@head"] {
            made.cell(case, lane, Some("3.13.0"), 1000.0);
        }
        (made.run.cells[0].loops, made.run.cells[1].loops) = (4096, 8192);
        made.run.plan.budget_s = 10.0;
        made.run
    }

    #[test]
    fn a_pair_has_equal_loops_and_base_a_twin() {
        let mut run = calibrated();
        pair_up(&mut run);
        assert_eq!(
            run.cells.iter().map(|cell| (cell.lane.as_str(), cell.twin, cell.loops)).collect::<Vec<_>>(),
            [("a/a@base", false, 327), ("a/a@head", false, 327), ("a/a@base", true, 327)]
        );
        assert!(
            run.cells
                .iter()
                .all(|cell| cell.sample_ns.abs_diff(SAMPLE.as_nanos() as u64 / if cell.lane == "a/a@head" { 2 } else { 1 }) < 2_000)
        );
    }

    #[test]
    fn slow_calls_and_threads_keep_whole_samples() {
        let mut run = calibrated();
        (run.cells[0].loops, run.cells[0].sample_ns) = (2, 8_000_000);
        assert_eq!(short(&run.cells[0], 1), 1);
        assert_eq!(short(&run.cells[1], 4), 8192);
    }

    #[test]
    fn slow_cells_have_fewer_rounds_and_so_have_their_partners() {
        let mut run = calibrated();
        pair_up(&mut run);
        fit(&mut run);
        assert!(run.cells.iter().all(|cell| cell.rounds == MOST_ROUNDS), "{:?}", run.cells);
        run.cells[1].sample_ns = 1_000_000_000;
        fit(&mut run);
        assert!(run.cells.iter().all(|cell| cell.rounds == FEWEST_ROUNDS));
        assert_eq!(run.plan.rounds, FEWEST_ROUNDS);
    }
}
