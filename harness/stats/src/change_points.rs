//! Where a series of runs changed its level.
//!
//! For every place where a series may be cut, Mann and Whitney's statistic compares what is before with what is after it, by ranks: a run
//! that is far off counts no more than one that is last in order. Divided by its standard deviation, the largest of these is the test
//! statistic, as in D. M. Hawkins and Q. Deng, "A nonparametric change-point control chart", Journal of Quality Technology 42, 2010 (without
//! the division it is A. N. Pettitt's, "A non-parametric approach to the change-point problem", Applied Statistics 28, 1979). Its p-value comes
//! from permutations of the series, drawn until it is clear that it is not small (J. Besag and P. Clifford, "Sequential Monte Carlo
//! p-values", Biometrika 78, 1991). A series that is cut has its two parts looked at in the same way: binary segmentation (L. Yu.
//! Vostrikova, "Detecting 'disorder' in multidimensional random processes", Soviet Mathematics Doklady 24, 1981). A first cut that has
//! others on either side may be off by some; so in the end each is looked for again between its neighbours (J. Bai, "Estimating multiple
//! breaks one at a time", Econometric Theory 13, 1997), and only those stay that are sure by then.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// A level takes at least this many runs.
pub const SHORTEST_LEVEL: usize = 3;

/// With fewer runs even a perfect step is no more than chance makes of one series in a hundred: 2 of the 252 ways to choose 5 of 10 are as
/// extreme.
pub const FEWEST_RUNS: usize = 10;

/// How sure a change has to be.
pub const LEVEL: f64 = 0.01;

/// How sure a cut has to be for its parts to be looked at: less, because a level that comes and goes makes no single cut of the whole series
/// that is sure.
const SEARCH: f64 = 0.05;

/// The most permutations.
const PERMUTATIONS: usize = 9_999;

/// So many permutations at least as extreme as the series settle that its p-value is not small.
const ENOUGH: usize = 40;

/// A place where a series changed its level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// Index of the first value of the new level.
    pub at: usize,
    /// How often a series without a change has one that looks like this.
    pub p_value: f64,
}

/// The one place where a series changed most, however unsure. None of a series that is too short for two levels.
pub fn strongest(values: &[f64], random: &mut ChaCha8Rng) -> Option<ChangePoint> {
    let mut ranks = midranks(values);
    let (at, statistic) = largest(&ranks)?;
    let (mut extreme, mut drawn) = (0, 0);
    while drawn < PERMUTATIONS && extreme < ENOUGH {
        ranks.shuffle(random);
        drawn += 1;
        extreme += usize::from(largest(&ranks).is_some_and(|(_, other)| other >= statistic - 1e-9));
    }
    let p_value = if extreme < ENOUGH { (extreme + 1) as f64 / (drawn + 1) as f64 } else { extreme as f64 / drawn as f64 };
    Some(ChangePoint { at, p_value })
}

/// All places where a series changed its level, ascending, each with a p-value of `LEVEL` at most, by the runs of the levels on either
/// side alone.
pub fn change_points(values: &[f64], random: &mut ChaCha8Rng) -> Vec<ChangePoint> {
    let mut all: Vec<ChangePoint> = cuts(values, random);
    loop {
        for n in 0..all.len() {
            let from = n.checked_sub(1).map_or(0, |before| all[before].at);
            let to = all.get(n + 1).map_or(values.len(), |after| after.at);
            if let Some(found) = strongest(&values[from..to], random) {
                all[n] = ChangePoint { at: from + found.at, ..found };
            }
        }
        // The least sure one goes first: without it others may be surer.
        let worst = (0..all.len()).max_by(|&a, &b| all[a].p_value.total_cmp(&all[b].p_value));
        match worst.filter(|&at| all[at].p_value > LEVEL) {
            Some(at) => drop(all.remove(at)),
            None => return all,
        }
    }
}

/// Places where the series may have changed, ascending.
fn cuts(values: &[f64], random: &mut ChaCha8Rng) -> Vec<ChangePoint> {
    let Some(found) = strongest(values, random).filter(|found| found.p_value <= SEARCH) else { return Vec::new() };
    let (before, after) = values.split_at(found.at);
    let mut all = cuts(before, random);
    all.push(found);
    all.extend(cuts(after, random).into_iter().map(|later| ChangePoint { at: later.at + found.at, ..later }));
    all
}

/// The cut with the largest statistic, and that.
fn largest(ranks: &[f64]) -> Option<(usize, f64)> {
    let n = ranks.len();
    let (count, mut sum, mut best) = (n as f64, 0.0, None);
    for (at, rank) in ranks.iter().enumerate().map(|(at, rank)| (at + 1, rank)) {
        sum += rank;
        if at < SHORTEST_LEVEL || at + SHORTEST_LEVEL > n {
            continue;
        }
        let before = at as f64;
        let deviation = (before * (count - before) * (count + 1.0) / 12.0).sqrt();
        let statistic = (sum - before * (count + 1.0) / 2.0).abs() / deviation;
        if best.is_none_or(|(_, other)| statistic > other) {
            best = Some((at, statistic));
        }
    }
    best
}

/// Ranks from 1; equal values share the mean of theirs.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = from as f64 + (equal.len() + 1) as f64 / 2.0;
        equal.iter().for_each(|&at| ranks[at] = rank);
        from += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::super::noise::normal;
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};

    fn found(values: &[f64]) -> Vec<usize> {
        change_points(values, &mut ChaCha8Rng::seed_from_u64(1)).iter().map(|point| point.at).collect()
    }

    #[test]
    fn steps_are_found_where_they_are() {
        let steps: Vec<f64> = (0..45).map(|at| f64::from(at / 15) + 0.01 * f64::from(at % 3)).collect();
        assert_eq!(found(&steps), [15, 30]);
        assert_eq!(found(&steps[..15]), [0_usize; 0]);
        let there_and_back: Vec<f64> = (0..60).map(|at| f64::from(u8::from((20..40).contains(&at))) + 0.01 * f64::from(at % 7)).collect();
        assert_eq!(found(&there_and_back), [20, 40]);
    }

    #[test]
    fn too_few_runs_have_no_change() {
        let step = |n: usize| (0..n).map(|at| if at < n / 2 { 0.0 } else { 1.0 } + at as f64 * 1e-3).collect::<Vec<f64>>();
        assert_eq!(found(&step(FEWEST_RUNS)), [FEWEST_RUNS / 2]);
        assert_eq!(found(&step(FEWEST_RUNS - 1)), [0_usize; 0]);
        assert_eq!(strongest(&[1.0; 5], &mut ChaCha8Rng::seed_from_u64(1)), None);
        assert_eq!(strongest(&[1.0; 20], &mut ChaCha8Rng::seed_from_u64(1)).unwrap().p_value, 1.0);
    }

    #[test]
    fn equal_values_share_their_ranks() {
        assert_eq!(midranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }

    /// Series of 30 runs that never change: noise, and noise with runs that are far off.
    #[test]
    fn series_that_never_change_are_seldom_cut() {
        let mut rng = ChaCha8Rng::seed_from_u64(21);
        let repeats = 400;
        for (name, far) in [("normal", 0.0), ("one run in ten far off", 0.1)] {
            let cut = (0..repeats).filter(|_| {
                let values: Vec<f64> = (0..30).map(|_| normal(&mut rng) + if rng.random_bool(far) { 20.0 } else { 0.0 }).collect();
                !change_points(&values, &mut rng).is_empty()
            });
            let share = cut.count() as f64 / f64::from(repeats);
            println!("{name}: {share:.3} of the series without a change are cut");
            assert!(share <= 0.025, "{name}: {share}");
        }
    }

    /// A step of three times the spread between runs, in the middle of 30 runs, one in ten of which is far off.
    #[test]
    fn a_step_is_found_among_outliers() {
        let mut rng = ChaCha8Rng::seed_from_u64(22);
        let (repeats, mut found, mut near) = (200, 0, 0);
        for _ in 0..repeats {
            let level = |at: usize| if at < 15 { 0.0 } else { 3.0 };
            let values: Vec<f64> = (0..30).map(|at| level(at) + normal(&mut rng) + if rng.random_bool(0.1) { 20.0 } else { 0.0 }).collect();
            let places: Vec<usize> = change_points(&values, &mut rng).iter().map(|point| point.at).collect();
            found += usize::from(!places.is_empty());
            near += usize::from(places.iter().any(|at| (13..=17).contains(at)));
        }
        println!("of {repeats} steps {found} are found, {near} of them within two runs");
        assert!(found >= repeats * 8 / 10 && near >= repeats * 7 / 10, "{found}, {near}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// Only the order counts: another unit, or a logarithm, changes nothing.
        #[test]
        fn the_scale_does_not_matter(values in prop::collection::vec(0.1..100.0_f64, 6..40), seed: u64) {
            let points = |values: &[f64]| change_points(values, &mut ChaCha8Rng::seed_from_u64(seed));
            let logs: Vec<f64> = values.iter().map(|value| 3.0 * value.ln() + 7.0).collect();
            prop_assert_eq!(points(&values), points(&logs));
        }

        #[test]
        fn levels_are_never_too_short(values in prop::collection::vec(-1.0..1.0_f64, 0..60), step in 0.0..9.0_f64, at in 0_usize..60) {
            let values: Vec<f64> = values.iter().enumerate().map(|(i, value)| value + if i < at { 0.0 } else { step }).collect();
            let mut ends = vec![0];
            ends.extend(change_points(&values, &mut ChaCha8Rng::seed_from_u64(3)).iter().map(|point| point.at));
            ends.push(values.len());
            prop_assert!(ends.len() == 2 || ends.windows(2).all(|pair| pair[1] - pair[0] >= SHORTEST_LEVEL));
        }
    }
}
