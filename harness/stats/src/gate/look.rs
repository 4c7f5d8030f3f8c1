//! One look at the generations so far.

use crate::independent::two_sided;
use crate::interval::{Estimate, FEWEST_GENERATIONS, Scale, quantile, student_quantile};

/// After how many generations there is a look; each is some 1.4 times as many as the one before. A measurement has no more.
pub const LOOKS: [usize; 9] = [6, 9, 13, 18, 26, 36, 51, 72, 102];

/// So many of a hundred generations are left out of the mean at each end.
const TRIMMED: usize = 20;

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
    mean: TrimmedMean,
    generations: usize,
    resolution: f64,
}

impl Look {
    /// Of the log-ratios of head to base, and of base's twin to base. None with fewer generations than an interval takes.
    pub(super) fn at(ratios: &[f64], twins: &[f64]) -> Option<Self> {
        let twin = TrimmedMean::of(twins)?;
        Some(Self { mean: TrimmedMean::of(ratios)?, generations: ratios.len(), resolution: twin.centre.abs().max(twin.half()) })
    }

    /// The trimmed mean of the log-ratios.
    pub(super) fn centre(&self) -> f64 {
        self.mean.centre
    }

    /// Which way they point.
    pub(super) fn way(&self) -> Way {
        if self.centre() > 0.0 { Way::Slower } else { Way::Faster }
    }

    /// What base and its twin can't be told apart by.
    pub(super) fn resolution(&self) -> f64 {
        self.resolution
    }

    /// How often equal builds would look at least so different.
    pub(super) fn two_sided(&self) -> f64 {
        if self.mean.error > 0.0 {
            two_sided(self.mean.centre / self.mean.error, self.mean.freedom as f64)
        } else if self.centre() == 0.0 {
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
        self.centre().abs() > threshold.max(self.resolution)
    }

    /// No slowdown beyond the threshold, and one would have been seen.
    pub(super) fn rules_out(&self, threshold: f64) -> bool {
        self.highest() <= threshold && self.resolution <= threshold
    }

    /// No difference beyond the threshold in either direction, and one would have been seen.
    pub(super) fn rules_out_both(&self, threshold: f64) -> bool {
        self.rules_out(threshold) && self.centre() - self.half() >= -threshold
    }

    /// A difference beyond the threshold in this direction is ruled out.
    pub(super) fn contradicts(&self, way: Way, threshold: f64) -> bool {
        match way {
            Way::Slower => self.highest() <= threshold,
            Way::Faster => self.centre() - self.half() >= -threshold,
        }
    }

    /// The upper end of the interval that all looks together leave 95 % of the time.
    pub(super) fn highest(&self) -> f64 {
        self.centre() + self.half()
    }

    /// The ratio with its 95 % interval, for people.
    pub(super) fn estimate(&self) -> Estimate {
        Estimate::with_interval(self.centre(), self.mean.half(), Scale::Log, self.generations)
    }

    fn half(&self) -> f64 {
        quantile(self.mean.freedom as f64, 1.0 - ERRORS / LOOKS.len() as f64 / 2.0) * self.mean.error
    }
}

/// The mean without the lowest and the highest fifth, and its standard error. One process in eight lies in memory so badly, or meets such a bad
/// moment, that its ratio is off by more than five times what the others scatter: a plain mean would know nothing but those. Of equal
/// builds the log-ratio is as often above 0 as below, however wild: so trimming takes nothing away from the truth (J. W. Tukey and
/// D. H. McLaughlin, "Less vulnerable confidence and significance procedures for location based on a single sample:
/// Trimming/Winsorization 1", Sankhyā A 25, 1963).
///
/// Generations that resemble the one before have less to say than as many independent ones: the error grows by √((1 + ρ) / (1 − ρ)), ρ
/// being the correlation of neighbours where it is above 0 (G. V. Bayley and J. M. Hammersley, "The 'effective' number of independent
/// observations in an autocorrelated time series", Journal of the Royal Statistical Society, Supplement 8, 1946). An estimate of ρ from
/// n numbers is too low by (1 + 3ρ) / n (M. G. Kendall, "Note on bias in the estimation of autocorrelation", Biometrika 41, 1954), which is
/// given back.
#[derive(Clone, Copy, Debug)]
struct TrimmedMean {
    centre: f64,
    error: f64,
    freedom: usize,
}

impl TrimmedMean {
    /// None of fewer generations than an interval takes.
    fn of(numbers: &[f64]) -> Option<Self> {
        let n = numbers.len();
        if n < FEWEST_GENERATIONS {
            return None;
        }
        let cut = n * TRIMMED / 100;
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let kept = &sorted[cut..n - cut];
        let centre = kept.iter().sum::<f64>() / kept.len() as f64;
        // Winsorized: what was left out counts as much as the outermost that was kept.
        let numbers: Vec<f64> = numbers.iter().map(|number| number.clamp(kept[0], kept[kept.len() - 1])).collect();
        let mean = numbers.iter().sum::<f64>() / n as f64;
        let squares: f64 = numbers.iter().map(|x| (x - mean).powi(2)).sum();
        let neighbours: f64 = numbers.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
        let plain = if squares > 0.0 { neighbours / squares } else { 0.0 };
        let correlation = (plain + (1.0 + 3.0 * plain) / n as f64).clamp(0.0, 0.8);
        let factor = ((1.0 + correlation) / (1.0 - correlation)).sqrt();
        let freedom = kept.len() - 1;
        Some(Self { centre, error: factor * (squares / (kept.len() * freedom) as f64).sqrt(), freedom })
    }

    /// Half of the 95 % interval.
    fn half(self) -> f64 {
        student_quantile(self.freedom) * self.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn neighbours_that_resemble_each_other_say_less() {
        // Shuffled, the same numbers have the same spread and no correlation worth the name.
        let (slow, quick): (Vec<f64>, Vec<f64>) = (0..40).map(|at| (f64::from(at / 10), f64::from((at * 7 + at / 10) % 4))).unzip();
        let (resembling, independent) = (TrimmedMean::of(&slow).unwrap(), TrimmedMean::of(&quick).unwrap());
        assert!((resembling.centre - independent.centre).abs() < 1e-9);
        assert!(resembling.error > 2.0 * independent.error, "{resembling:?} {independent:?}");
    }

    #[test]
    fn a_wild_generation_in_eight_changes_next_to_nothing() {
        let calm: Vec<f64> = (0..32).map(|at| 0.02 + f64::from(at % 5 - 2) / 1000.0).collect();
        let mut wild = calm.clone();
        (0..32).step_by(8).for_each(|at| wild[at] = 0.3);
        let (calm, wild) = (TrimmedMean::of(&calm).unwrap(), TrimmedMean::of(&wild).unwrap());
        assert!((wild.centre - calm.centre).abs() < 0.0005 && wild.error < 1.5 * calm.error, "{calm:?} {wild:?}");
    }

    #[test]
    fn a_look_knows_its_resolution_by_the_twins() {
        let flat = [0.0, 0.001, -0.001, 0.0005, -0.0005, 0.0];
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
            let excluded = look.centre().abs() > look.half();
            prop_assume!((look.centre().abs() / look.half() - 1.0).abs() > 1e-6);
            prop_assert_eq!(excluded, look.two_sided() * LOOKS.len() as f64 <= ERRORS);
            prop_assert!((look.one_sided(Way::Slower) + look.one_sided(Way::Faster) - 1.0).abs() < 1e-9);
        }
    }
}
