//! Many runs in the order of time: how each cell went, and where it changed.
//!
//! A cell is measured by its ratio to a *floor*, a lane of the same case and the same run, so that a run on another machine, or on a bad
//! day of this one, is no change of the cell. Only where there is no such lane, times themselves are taken, and then all runs have to
//! be of the same CPU model.

mod series;
mod show;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bindbench_model::CellKey;
use bindbench_stats::{Estimate, FALSE_DISCOVERY_RATE, FEWEST_RUNS, Mean, adjusted, change_points, median, six_digits, strongest};
use bindbench_store::Recorded;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

use super::choice::Choice;

pub(super) use show::between;
pub use show::terminal;

use series::{Assembled, assemble};

/// Version of the layout that `history --json` prints.
pub const JSON_SCHEMA: u32 = 1;

/// Permutations are drawn from one seed, so that the same runs always have the same change points.
const SEED: u64 = 1;

/// How the cells of several runs went.
#[derive(Debug, Serialize)]
pub struct History {
    /// [`JSON_SCHEMA`].
    pub schema: u32,
    /// The runs, the oldest first.
    pub runs: Vec<Entry>,
    /// A change up to this is not shown, as a fraction.
    pub threshold: f64,
    /// The cells, in the order of their names.
    pub series: Vec<Series>,
    /// Cells and runs that were left out, with the reason.
    pub left_out: Vec<String>,
}

/// A run of a history.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// The run's id.
    pub id: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// CPU model.
    pub cpu: String,
}

/// A cell over several runs.
#[derive(Debug, Serialize)]
pub struct Series {
    /// Lane, case and interpreter.
    pub name: String,
    /// The lane.
    pub lane: String,
    /// The case.
    pub case: String,
    /// The interpreter.
    pub interpreter: Option<String>,
    /// The lane that ratios refer to; none where times are taken as they are.
    pub floor: Option<String>,
    /// The runs that have it, the oldest first.
    pub points: Vec<Point>,
    /// Where its level changed, the first one first.
    pub changes: Vec<Change>,
}

/// A cell in one run.
#[derive(Debug, Serialize)]
pub struct Point {
    /// Index in [`History::runs`].
    pub run: usize,
    /// Time over the floor's; or, without a floor, nanoseconds of a call.
    pub value: Estimate,
    /// Nanoseconds of a call, whatever the machine was.
    pub time_ns: f64,
    /// The commit of the lane's sources.
    pub commit: Option<String>,
}

/// A place where a series changed its level.
#[derive(Debug, Serialize)]
pub struct Change {
    /// Index in [`Series::points`] of the first one of the new level.
    pub at: usize,
    /// The new level over the old one: above 1 is slower. Its interval takes each run as one number.
    pub ratio: Option<Estimate>,
    /// The same as one number.
    pub factor: f64,
    /// How often a series without a change has one that looks like this.
    pub p_value: f64,
    /// The last run of the old level, and the first of the new.
    pub runs: (String, String),
    /// Their commits, where both are known.
    pub commits: Option<(String, String)>,
}

impl History {
    /// The history of some runs, which may come in any order.
    pub fn new(mut runs: Vec<Recorded>, choice: &Choice, threshold: f64) -> Self {
        runs.sort_by(|a, b| (&a.run.started, &a.run.id).cmp(&(&b.run.started, &b.run.id)));
        let Assembled { mut series, left_out } = assemble(&runs, choice);
        find_changes(&mut series, &runs, threshold);
        let entry = |recorded: &Recorded| Entry {
            id: recorded.run.id.clone(),
            started: recorded.run.started.clone(),
            cpu: recorded.run.environment.cpu.clone(),
        };
        Self { schema: JSON_SCHEMA, runs: runs.iter().map(entry).collect(), threshold, series, left_out }
    }

    /// How many cells have too few runs for a change to be told from chance: none is looked for.
    pub fn too_short(&self) -> usize {
        self.series.iter().filter(|series| series.is_too_short()).count()
    }

    /// How many cells changed.
    pub fn changed(&self) -> usize {
        self.series.iter().filter(|series| !series.changes.is_empty()).count()
    }
}

impl Series {
    fn is_too_short(&self) -> bool {
        self.points.len() < FEWEST_RUNS
    }
}

/// The keys of all cells of some runs.
pub fn keys(runs: &[Recorded]) -> Vec<CellKey> {
    let all = runs.iter().flat_map(|recorded| recorded.run.cells.iter().map(|cell| CellKey::of(cell, &recorded.run)));
    all.map(|key| (key, ())).collect::<BTreeMap<_, _>>().into_keys().collect()
}

/// Finds where series changed. Many are looked at, so those that change at all are chosen by their false discovery rate first.
fn find_changes(series: &mut [Series], runs: &[Recorded], threshold: f64) {
    let mut series: Vec<&mut Series> = series.iter_mut().filter(|series| !series.is_too_short()).collect();
    let levels = |series: &Series| series.points.iter().map(|point| point.value.centre()).collect::<Vec<f64>>();
    let p_values: Vec<f64> = series
        .par_iter()
        .map(|series| strongest(&levels(series), &mut ChaCha8Rng::seed_from_u64(SEED)).map_or(1.0, |found| found.p_value))
        .collect();
    let rates = adjusted(&p_values);
    series.par_iter_mut().zip(rates).for_each(|(series, rate)| {
        if rate > FALSE_DISCOVERY_RATE {
            return;
        }
        let levels = levels(series);
        let found = change_points(&levels, &mut ChaCha8Rng::seed_from_u64(SEED));
        let ends: Vec<usize> = found.iter().map(|point| point.at).chain([levels.len()]).collect();
        let mut from = 0;
        for (n, point) in found.iter().enumerate() {
            let change = change(series, runs, &levels[from..point.at], &levels[point.at..ends[n + 1]], point.at, point.p_value);
            if change.factor.ln().abs() > threshold.ln_1p() {
                series.changes.push(change);
            }
            from = point.at;
        }
    });
}

fn change(series: &Series, runs: &[Recorded], before: &[f64], after: &[f64], at: usize, p_value: f64) -> Change {
    let (last, first) = (&series.points[at - 1], &series.points[at]);
    let mean = |level: &[f64]| Mean::of_logarithms(level);
    let ratio = mean(after).zip(mean(before)).map(|(after, before)| after.over(&before).ratio);
    let middle = |level: &[f64]| median(&mut level.to_vec()).unwrap_or_default();
    let of_medians = || (middle(after) - middle(before)).exp();
    Change {
        at,
        ratio,
        factor: six_digits(ratio.map_or_else(of_medians, |ratio| ratio.point())),
        p_value: six_digits(p_value),
        runs: (runs[last.run].run.id.clone(), runs[first.run].run.id.clone()),
        commits: last.commit.clone().zip(first.commit.clone()),
    }
}
