//! What a machine's noise lets a run tell apart: two components of variance, learnt from twins in a few seconds, and what they come to
//! over more generations and more rounds.
//!
//! Of the log-ratios of a lane to its twin, x(g, r) in generation g and round r, the true value is 0. Rounds differ by σ, generations
//! besides by τ: the median of R rounds has a variance of about (π/2) σ²/R (that of a median of normal values), so the mean over G
//! generations of their medians has (τ² + (π/2) σ²/R)/G. σ is 1.4826 times the median absolute deviation, which a few interruptions
//! don't move; τ² is what the generations' medians vary by beyond that, if anything (one-way random effects by the method of moments;
//! Searle, Casella and McCulloch, "Variance Components", 1992, chapter 3).

use super::interval::{median, student_quantile};

/// Variance of a median over that of a mean, for normal values.
const OF_A_MEDIAN: f64 = std::f64::consts::FRAC_PI_2;

/// A standard deviation over a median absolute deviation, for normal values.
const OF_A_DEVIATION: f64 = 1.4826;

/// The noise of one kind of cell, as logarithms of ratios.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Components {
    /// τ²: how far generations vary beyond what their rounds explain.
    pub between: f64,
    /// σ²: how far rounds vary within a generation.
    pub within: f64,
}

impl Components {
    /// From the times of a lane and of its twin: of each generation, those of the same rounds in the same order. None with fewer than
    /// two generations of two rounds each.
    pub fn of_twins(lane: &[Vec<f64>], twin: &[Vec<f64>]) -> Option<Self> {
        let (mut medians, mut deviations, mut rounds) = (Vec::new(), Vec::new(), 0);
        for (times, others) in lane.iter().zip(twin) {
            let ratios: Vec<f64> = times.iter().zip(others).filter(|(a, b)| **a > 0.0 && **b > 0.0).map(|(a, b)| (a / b).ln()).collect();
            let centre = median(&mut ratios.clone()).filter(|_| ratios.len() > 1)?;
            deviations.extend(ratios.iter().map(|ratio| (ratio - centre).abs()));
            medians.push(centre);
            rounds += ratios.len();
        }
        let generations = medians.len();
        if generations < 2 {
            return None;
        }
        // A generation's own median is taken away: of R deviations R − 1 are free.
        let freedom = rounds as f64 / (rounds - generations) as f64;
        let within = (OF_A_DEVIATION * median(&mut deviations)?).powi(2) * freedom;
        let mean = medians.iter().sum::<f64>() / generations as f64;
        let varies = medians.iter().map(|median| (median - mean).powi(2)).sum::<f64>() / (generations - 1) as f64;
        let explained = OF_A_MEDIAN * within * generations as f64 / rounds as f64;
        Some(Self { between: (varies - explained).max(0.0), within })
    }

    /// About how far a 95 % interval over so many generations and rounds reaches to either side of a ratio, as a fraction: what a run
    /// of that size can't tell apart.
    pub fn resolution(&self, generations: u32, rounds: u32) -> f64 {
        let variance = (self.between + OF_A_MEDIAN * self.within / f64::from(rounds.max(1))) / f64::from(generations.max(1));
        (student_quantile(generations.saturating_sub(1).max(1) as usize) * variance.sqrt()).exp_m1()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Times of a lane and of its twin with these components, as standard deviations.
    fn times(between: f64, within: f64, generations: usize, rounds: usize, seed: u64) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // The sum of twelve uniform numbers is as good as normal here.
        let mut normal = move || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let mut lane = Vec::new();
        for _ in 0..generations {
            let shift = between * normal();
            lane.push((0..rounds).map(|_| 1e6 * (shift + within * normal()).exp()).collect());
        }
        (lane, vec![vec![1e6; rounds]; generations])
    }

    #[test]
    fn both_components_are_found() {
        for (between, within) in [(0.01, 0.02), (0.0, 0.03), (0.02, 0.001)] {
            let (lane, twin) = times(between, within, 400, 12, 7);
            let noise = Components::of_twins(&lane, &twin).unwrap();
            assert!((noise.within.sqrt() / within - 1.0).abs() < 0.1, "{noise:?}");
            assert!((noise.between.sqrt() - between).abs() < 0.1 * between + 0.003, "{noise:?}");
        }
    }

    #[test]
    fn what_is_predicted_from_a_few_seconds_is_what_a_long_run_has() {
        let (between, within, generations, rounds) = (0.004, 0.02, 15, 20);
        let mut predicted: Vec<f64> = (0..40)
            .map(|seed| {
                let (lane, twin) = times(between, within, 6, 8, seed);
                Components::of_twins(&lane, &twin).unwrap().resolution(generations, rounds)
            })
            .collect();
        let truth = Components { between: between * between, within: within * within }.resolution(generations, rounds);
        let predicted = median(&mut predicted).unwrap();
        assert!((0.7..1.4).contains(&(predicted / truth)), "{predicted} {truth}");
    }

    #[test]
    fn an_interruption_moves_nothing_and_too_little_says_nothing() {
        let (mut lane, twin) = times(0.0, 0.01, 10, 9, 3);
        let quiet = Components::of_twins(&lane, &twin).unwrap();
        lane.iter_mut().for_each(|rounds| rounds[4] *= 50.0);
        let disturbed = Components::of_twins(&lane, &twin).unwrap();
        assert!(disturbed.resolution(8, 12) < 2.0 * quiet.resolution(8, 12), "{quiet:?} {disturbed:?}");
        assert_eq!(Components::of_twins(&lane[..1], &twin[..1]), None);
        assert_eq!(Components::of_twins(&[vec![1.0], vec![1.0]], &[vec![1.0], vec![1.0]]), None);
    }
}
