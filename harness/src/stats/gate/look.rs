//! One look at the generations so far.

use crate::stats::independent::two_sided;
use crate::stats::interval::{Estimate, FEWEST_GENERATIONS, Scale, quantile, student_quantile};

/// After how many generations there is a look; each is some 1.4 times as many as the one before. A measurement has no more.
pub const LOOKS: [usize; 9] = [5, 7, 10, 14, 20, 28, 40, 56, 80];

/// How often a measurement may err, over all its looks.
const ERRORS: f64 = 0.05;

/// The direction of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Head takes longer.
    Slower,
    /// Head takes less time.
    Faster,
}

/// Estimates of a cell at a moment. All on a logarithmic scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    centre: f64,
    error: f64,
    generations: usize,
    resolution: f64,
}

impl Look {
    /// Of the log-ratios of head to base, and of base's twin to base. None with fewer generations than an interval takes.
    pub(super) fn at(ratios: &[f64], twins: &[f64]) -> Option<Self> {
        let (centre, error) = mean(ratios)?;
        let (twin, twin_error) = mean(twins)?;
        let half = student_quantile(twins.len() - 1) * twin_error;
        Some(Self { centre, error, generations: ratios.len(), resolution: twin.abs().max(half) })
    }

    /// The mean of the log-ratios.
    pub(super) fn centre(&self) -> f64 {
        self.centre
    }

    /// Which way they point.
    pub(super) fn way(&self) -> Way {
        if self.centre > 0.0 { Way::Slower } else { Way::Faster }
    }

    /// What base and its twin can't be told apart by.
    pub(super) fn resolution(&self) -> f64 {
        self.resolution
    }

    /// How often equal builds would look at least so different.
    pub(super) fn two_sided(&self) -> f64 {
        if self.error > 0.0 {
            two_sided(self.centre / self.error, self.freedom())
        } else if self.centre == 0.0 {
            1.0
        } else {
            0.0
        }
    }

    /// How often equal builds would look at least so different in this direction.
    pub(super) fn one_sided(&self, way: Way) -> f64 {
        let half = self.two_sided() / 2.0;
        if self.way() == way { half } else { 1.0 - half }
    }

    /// The ratio is beyond what is of interest, and beyond what can be told apart.
    pub(super) fn is_beyond(&self, threshold: f64) -> bool {
        self.centre.abs() > threshold.max(self.resolution)
    }

    /// No slowdown beyond the threshold, and one would have been seen.
    pub(super) fn rules_out(&self, threshold: f64) -> bool {
        self.highest() <= threshold && self.resolution <= threshold
    }

    /// No difference beyond the threshold in either direction, and one would have been seen.
    pub(super) fn rules_out_both(&self, threshold: f64) -> bool {
        self.rules_out(threshold) && self.centre - self.half() >= -threshold
    }

    /// A difference beyond the threshold in this direction is ruled out.
    pub(super) fn contradicts(&self, way: Way, threshold: f64) -> bool {
        match way {
            Way::Slower => self.highest() <= threshold,
            Way::Faster => self.centre - self.half() >= -threshold,
        }
    }

    /// The upper end of the interval that all looks together leave 95 % of the time.
    pub(super) fn highest(&self) -> f64 {
        self.centre + self.half()
    }

    /// The ratio with its 95 % interval, for people.
    pub(super) fn estimate(&self) -> Estimate {
        let half = student_quantile(self.generations - 1) * self.error;
        Estimate::with_interval(self.centre, half, Scale::Log, self.generations)
    }

    fn half(&self) -> f64 {
        quantile(self.freedom(), 1.0 - ERRORS / LOOKS.len() as f64 / 2.0) * self.error
    }

    fn freedom(&self) -> f64 {
        (self.generations - 1) as f64
    }
}

/// The mean, and its standard error. Generations that resemble the one before have less to say than as many independent ones: the error
/// grows by √((1 + ρ) / (1 − ρ)), ρ being the correlation of neighbours where it is above 0 (G. V. Bayley and J. M. Hammersley, "The
/// 'effective' number of independent observations in an autocorrelated time series", Journal of the Royal Statistical Society, Supplement
/// 8, 1946). An estimate of ρ from n numbers is too low by (1 + 3ρ) / n (M. G. Kendall, "Note on bias in the estimation of autocorrelation",
/// Biometrika 41, 1954), which is given back.
fn mean(numbers: &[f64]) -> Option<(f64, f64)> {
    let n = numbers.len();
    if n < FEWEST_GENERATIONS {
        return None;
    }
    let centre = numbers.iter().sum::<f64>() / n as f64;
    let squares: f64 = numbers.iter().map(|x| (x - centre).powi(2)).sum();
    let neighbours: f64 = numbers.windows(2).map(|pair| (pair[0] - centre) * (pair[1] - centre)).sum();
    let plain = if squares > 0.0 { neighbours / squares } else { 0.0 };
    let correlation = (plain + (1.0 + 3.0 * plain) / n as f64).clamp(0.0, 0.8);
    let factor = ((1.0 + correlation) / (1.0 - correlation)).sqrt();
    Some((centre, factor * (squares / (n - 1) as f64 / n as f64).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn neighbours_that_resemble_each_other_say_less() {
        // Shuffled, the same numbers have the same spread and no correlation worth the name.
        let (slow, quick): (Vec<f64>, Vec<f64>) = (0..40).map(|at| (f64::from(at / 10), f64::from((at * 7 + at / 10) % 4))).unzip();
        let (resembling, independent) = (mean(&slow).unwrap(), mean(&quick).unwrap());
        assert!((resembling.0 - independent.0).abs() < 1e-9);
        assert!(resembling.1 > 2.0 * independent.1, "{resembling:?} {independent:?}");
    }

    #[test]
    fn a_look_knows_its_resolution_by_the_twins() {
        let flat = [0.0, 0.001, -0.001, 0.0005, -0.0005];
        let shifted = flat.map(|x| x + 0.03);
        let look = Look::at(&shifted, &flat).unwrap();
        assert!(look.is_beyond(0.02) && !look.is_beyond(0.04) && look.rules_out(0.04) && !look.rules_out(0.02));
        let coarse = Look::at(&flat, &shifted).unwrap();
        assert!(!coarse.is_beyond(0.0) && !coarse.rules_out(0.02) && coarse.highest() < 0.02, "what twins can't do, nothing can");
        assert!(Look::at(&flat[..2], &flat[..2]).is_none());
    }

    proptest! {
        #[test]
        fn p_values_and_intervals_agree(ratios in prop::collection::vec(-0.1..0.1_f64, 3..40)) {
            let look = Look::at(&ratios, &ratios).unwrap();
            let excluded = look.centre.abs() > look.half();
            prop_assume!((look.centre.abs() / look.half() - 1.0).abs() > 1e-6);
            prop_assert_eq!(excluded, look.two_sided() * LOOKS.len() as f64 <= ERRORS);
            prop_assert!((look.one_sided(Way::Slower) + look.one_sided(Way::Faster) - 1.0).abs() < 1e-9);
        }
    }
}
