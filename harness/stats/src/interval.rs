//! A point estimate with its 95 % interval, from one number per generation.
//!
//! The generation (a set of fresh workers) is the unit of replication: samples inside one share its address layout and hash seed, so
//! pooling them would count the same luck many times. With x₁…xₙ the generations' estimates, the interval is Student's
//! x̄ ± t(0.975, n−1) · s/√n (Student, "The probable error of a mean", Biometrika 6, 1908). Times and ratios are estimated
//! over their logarithms and transformed back: then ratio(a, b) is exactly 1 / ratio(b, a), and slow is as far from 1 as fast.

use schemars::JsonSchema;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Fewer generations than this give no interval: the spread of two numbers says almost nothing (t would be 12.7).
pub const FEWEST_GENERATIONS: usize = 3;

/// On which scale the generations' estimates were averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Over logarithms; the interval is symmetric as a factor.
    Log,
    /// As they are, for times that may be 0 or less net of the empty loop; the interval is symmetric as a difference.
    Linear,
}

/// What was measured, and how far off it may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(into = "Shown")]
#[schemars(with = "Shown")]
pub struct Estimate {
    centre: f64,
    half_width: Option<f64>,
    scale: Scale,
    generations: usize,
}

/// An estimate with its 95 % interval.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Estimate")]
struct Shown {
    /// The estimate itself.
    point: f64,
    /// Lower end of the interval; null with fewer than 3 generations.
    low: Option<f64>,
    /// Upper end.
    high: Option<f64>,
    /// How many generations it rests on.
    generations: usize,
}

impl From<Estimate> for Shown {
    fn from(estimate: Estimate) -> Self {
        let (low, high) = estimate.interval().unzip();
        Self {
            point: six_digits(estimate.point()),
            low: low.map(six_digits),
            high: high.map(six_digits),
            generations: estimate.generations,
        }
    }
}

impl Estimate {
    /// From the logarithms of the generations' estimates. None without a generation, or when one is not a finite number.
    pub fn of_logarithms(generations: &[f64]) -> Option<Self> {
        Self::new(generations, Scale::Log)
    }

    /// From the generations' estimates as they are. None without a generation, or when one is not a finite number.
    pub fn of_values(generations: &[f64]) -> Option<Self> {
        Self::new(generations, Scale::Linear)
    }

    /// The share of `within` in `all` independent trials. None without a trial. The interval is over the logarithm, whose variance is
    /// (1 − p) / (n p) by the delta method (Katz, Baptista, Azen and Pike, "Obtaining confidence intervals for the risk ratio in cohort
    /// studies", Biometrics 34, 1978, of one of its two terms); none at all counts as half a one, and all as half a one less.
    pub fn of_share(within: u64, all: u64) -> Option<Self> {
        let trials = all as f64;
        let successes = (within as f64).clamp(0.5, (trials - 0.5).max(0.5));
        let half_width = Some(1.96 * ((1.0 - successes / trials) / successes).sqrt());
        (all > 0).then_some(Self { centre: (successes / trials).ln(), half_width, scale: Scale::Log, generations: 1 })
    }

    fn new(generations: &[f64], scale: Scale) -> Option<Self> {
        let n = generations.len();
        if n == 0 || generations.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let centre = generations.iter().sum::<f64>() / n as f64;
        let half_width = (n >= FEWEST_GENERATIONS).then(|| {
            let squares: f64 = generations.iter().map(|x| (x - centre) * (x - centre)).sum();
            let standard_error = (squares / (n - 1) as f64 / n as f64).sqrt();
            student_quantile(n - 1) * standard_error
        });
        Some(Self { centre, half_width, scale, generations: n })
    }

    /// An estimate whose interval was found in another way than from one number per generation.
    pub(super) fn with_interval(centre: f64, half_width: f64, scale: Scale, generations: usize) -> Self {
        Self { centre, half_width: Some(half_width), scale, generations }
    }

    /// The estimate itself.
    pub fn point(&self) -> f64 {
        self.back(self.centre)
    }

    /// Lower and upper end of the 95 % interval; none with fewer than [`FEWEST_GENERATIONS`].
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.half_width.map(|half| (self.back(self.centre - half), self.back(self.centre + half)))
    }

    /// The mean of the generations' estimates, on [`Estimate::scale`].
    pub fn centre(&self) -> f64 {
        self.centre
    }

    /// Half the interval's width, on [`Estimate::scale`].
    pub fn half_width(&self) -> Option<f64> {
        self.half_width
    }

    /// The scale it was estimated on.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// How many generations it rests on.
    pub fn generations(&self) -> usize {
        self.generations
    }

    /// The same estimate with an interval `factor` times as wide.
    #[must_use]
    pub fn widened(mut self, factor: f64) -> Self {
        self.half_width = self.half_width.map(|half| half * factor).filter(|half| half.is_finite());
        self
    }

    /// The estimate of a positive `factor` times the quantity.
    #[must_use]
    pub fn times(mut self, factor: f64) -> Self {
        match self.scale {
            Scale::Log => self.centre += factor.ln(),
            Scale::Linear => {
                self.centre *= factor;
                self.half_width = self.half_width.map(|half| half * factor);
            }
        }
        self
    }

    fn back(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Log => value.exp(),
            Scale::Linear => value,
        }
    }
}

/// The 97.5 % quantile of Student's t. The first ones are kept: a report asks for the same few tens of thousands of times.
pub(super) fn student_quantile(degrees_of_freedom: usize) -> f64 {
    use std::sync::LazyLock;
    static FIRST: LazyLock<Vec<f64>> = LazyLock::new(|| (1..=64).map(|freedom| student_quantile_at(f64::from(freedom))).collect());
    match FIRST.get(degrees_of_freedom - 1) {
        Some(&kept) => kept,
        None => student_quantile_at(degrees_of_freedom as f64),
    }
}

/// The same where the degrees of freedom are an estimate themselves, and no whole number. They are above 0.
pub(super) fn student_quantile_at(degrees_of_freedom: f64) -> f64 {
    quantile(degrees_of_freedom, 0.975)
}

/// A quantile of Student's t.
pub(super) fn quantile(degrees_of_freedom: f64, probability: f64) -> f64 {
    let t = StudentsT::new(0.0, 1.0, degrees_of_freedom).expect("location 0, scale 1 and a positive number are valid");
    t.inverse_cdf(probability)
}

/// Rounded to six significant digits: more than any measurement here deserves, and the same on every machine.
pub fn six_digits(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// The median, which reorders `values`; none of an empty slice. Of an even number, the mean of the middle two.
pub fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if !even {
        return Some(upper);
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Two equal infinities have themselves as mean; lower + (upper − lower) / 2 would make it NaN.
    Some(if lower == upper { upper } else { lower / 2.0 + upper / 2.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_are_those_of_the_printed_tables() {
        for (freedom, table) in [(1, 12.7062), (2, 4.3027), (4, 2.7764), (9, 2.2622), (14, 2.1448), (100, 1.9840)] {
            assert!((student_quantile(freedom) - table).abs() < 1e-4, "{freedom}: {}", student_quantile(freedom));
        }
    }

    #[test]
    fn intervals_of_shares_keep_their_coverage() {
        use statrs::distribution::{Binomial, Discrete};
        for (share, trials) in [(0.02, 500_u64), (0.1, 200), (0.5, 100), (0.9, 300), (0.57, 1500)] {
            let chances = Binomial::new(share, trials).unwrap();
            let holds = |hits: &u64| {
                let (low, high) = Estimate::of_share(*hits, trials).unwrap().interval().unwrap();
                low <= share && share <= high
            };
            let coverage: f64 = (0..=trials).filter(holds).map(|hits| chances.pmf(hits)).sum();
            assert!((0.93..=0.99).contains(&coverage), "{share} of {trials}: {coverage}");
        }
        assert_eq!(Estimate::of_share(0, 0), None);
    }

    #[test]
    fn two_generations_have_a_point_and_no_interval() {
        let estimate = Estimate::of_values(&[1.0, 3.0]).unwrap();
        assert_eq!((estimate.point(), estimate.interval(), estimate.generations()), (2.0, None, 2));
    }

    #[test]
    fn nothing_and_infinity_have_no_estimate() {
        assert_eq!(Estimate::of_values(&[]), None);
        assert_eq!(Estimate::of_logarithms(&[0.0, f64::NEG_INFINITY, 0.1]), None);
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [f64::INFINITY; 2]), Some(f64::INFINITY));
    }

    #[test]
    fn a_worked_example() {
        // s = 1, so the half-width is 4.3027 / √3.
        let estimate = Estimate::of_values(&[1.0, 2.0, 3.0]).unwrap();
        assert!((estimate.half_width().unwrap() - 2.4841).abs() < 1e-3);
        assert_eq!(estimate.point(), 2.0);
    }

    proptest! {
        #[test]
        fn a_median_has_half_on_either_side(mut values in prop::collection::vec(-1e9..1e9, 1..50)) {
            let middle = median(&mut values).unwrap();
            let below = values.iter().filter(|&&x| x < middle).count();
            let above = values.iter().filter(|&&x| x > middle).count();
            prop_assert!(below <= values.len() / 2 && above <= values.len() / 2);
        }

        #[test]
        fn scaling_the_numbers_scales_estimate_and_interval(
            values in prop::collection::vec(1.0..1e6, 3..20),
            factor in 0.01..100.0,
        ) {
            let logs = |k: f64| values.iter().map(|x: &f64| (x * k).ln()).collect::<Vec<_>>();
            let plain = Estimate::of_logarithms(&logs(1.0)).unwrap();
            let scaled = Estimate::of_logarithms(&logs(factor)).unwrap();
            let (low, high) = plain.times(factor).interval().unwrap();
            let (scaled_low, scaled_high) = scaled.interval().unwrap();
            prop_assert!((scaled.point() / plain.point() / factor - 1.0).abs() < 1e-9);
            prop_assert!((scaled_low / low - 1.0).abs() < 1e-9 && (scaled_high / high - 1.0).abs() < 1e-9);
        }
    }
}
