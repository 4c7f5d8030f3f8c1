//! What a run can't tell apart, learnt from twins: the same lane measured twice under two names. Their true ratio is 1.
//!
//! Two things come out of it. A case's **resolution**: the band around 1 in which no verdict is given. And the run's **widening**: of
//! n twins about 5 % have an interval that excludes 1, since that is what 95 % means, and up to the 95 % quantile of
//! Binomial(n, 0.05) do so by chance. More than that, and the intervals of this run are too narrow: noise differed between twins in
//! ways its generations don't show. All of them are then widened by the smallest factor that mends it.

use serde::Serialize;

use super::interval::Estimate;

/// A factor above this is not mended but reported: the noise is not of a kind that generations replicate.
pub const WIDEST: f64 = 3.0;

/// The A/A control of one case.
#[derive(Clone, Debug)]
pub struct Twin {
    /// The case's id.
    pub case: u32,
    /// Time of the twin over time of its original.
    pub ratio: Estimate,
}

/// How many of `twins` intervals may exclude 1 by chance: the 95 % quantile of Binomial(twins, 0.05).
pub fn allowed(twins: usize) -> usize {
    // By recursion over the probabilities; a tolerance, because P(X ≤ 0) of a single twin is 0.95 exactly, and not in floats.
    let mut probability = 0.95_f64.powi(i32::try_from(twins).unwrap_or(i32::MAX));
    if probability == 0.0 {
        // Beyond some 14,000 twins the first term underflows; there the normal approximation is exact to the unit.
        let n = twins as f64;
        return (n * 0.05 + 1.645 * (n * 0.05 * 0.95).sqrt()).round() as usize;
    }
    let (mut cumulated, mut k) = (probability, 0);
    while cumulated < 0.95 - 1e-9 && k < twins {
        probability *= (twins - k) as f64 / (k + 1) as f64 * (0.05 / 0.95);
        k += 1;
        cumulated += probability;
    }
    k
}

/// The factor ≥ 1 by which the run's intervals are widened, so that no more than [`allowed`] twins exclude 1.
pub fn widening(twins: &[Twin]) -> f64 {
    // How many half-widths the estimate is away from 1; above 1 the interval excludes it.
    let mut distances: Vec<f64> = twins
        .iter()
        .filter_map(|twin| {
            let half = twin.ratio.half_width()?;
            Some(if twin.ratio.centre() == 0.0 { 0.0 } else { twin.ratio.centre().abs() / half })
        })
        .collect();
    distances.sort_by(|a, b| b.total_cmp(a));
    distances.get(allowed(distances.len())).map_or(1.0, |&factor| factor.max(1.0))
}

/// The band around a ratio of 1 that a run can't see into.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Resolution {
    /// As a fraction: 0.01 is 1 %.
    #[serde(serialize_with = "rounded")]
    pub fraction: f64,
    /// Taken from the least resolved other case of the workload, because this case has no usable twin.
    pub borrowed: bool,
}

fn rounded<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(super::six_digits(*value))
}

impl Resolution {
    /// From a case's own twin: the larger of its deviation from 1 and its interval's half-width, already widened.
    pub fn of_twin(ratio: &Estimate) -> Option<Self> {
        let half = ratio.half_width()?;
        Some(Self { fraction: ratio.centre().abs().max(half).exp_m1(), borrowed: false })
    }
}

/// What a ratio says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Faster than the baseline.
    Faster,
    /// Slower than the baseline.
    Slower,
    /// Not to be told from the baseline in this run.
    Same,
    /// No interval or no resolution to judge by.
    Undecided,
}

impl Verdict {
    /// In the words of a table.
    pub fn words(self) -> &'static str {
        match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Same => "not told apart",
            Self::Undecided => "undecided",
        }
    }
}

/// Judges a ratio: different only if its whole interval is outside the resolution's band around 1.
///
/// Were it enough that the interval excludes 1 and the point is outside the band, one pair of equal lanes in 50 would be called
/// different from 10 generations on, because a twin that happens to agree well makes its band too narrow (see the simulations).
pub fn verdict(ratio: &Estimate, resolution: Option<&Resolution>) -> Verdict {
    let (Some(half), Some(resolution)) = (ratio.half_width(), resolution) else {
        return Verdict::Undecided;
    };
    if ratio.centre().abs() - half <= resolution.fraction.ln_1p() {
        Verdict::Same
    } else if ratio.centre() < 0.0 {
        Verdict::Faster
    } else {
        Verdict::Slower
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twin(deviation: f64, half_width: f64) -> Twin {
        // Three generations at d − x, d, d + x have s = x; the half-width is 4.3027 x / √3.
        let x = half_width * 3.0_f64.sqrt() / 4.302_652_73;
        Twin { case: 0, ratio: Estimate::of_logarithms(&[deviation - x, deviation, deviation + x]).unwrap() }
    }

    #[test]
    fn chance_is_allowed_for() {
        // From printed tables of Binomial(n, 0.05).
        let table = [(1, 0), (2, 1), (10, 2), (20, 3), (40, 4), (100, 9)];
        for (twins, most) in table {
            assert_eq!(allowed(twins), most, "{twins} twins");
        }
        assert!((allowed(14_500) as f64 - 768.0).abs() <= 1.0 && (allowed(20_000) as f64 - 1051.0).abs() <= 1.0);
    }

    #[test]
    fn as_many_as_chance_makes_widen_nothing() {
        let mut twins = vec![twin(0.001, 0.01); 38];
        twins.extend([twin(0.05, 0.01), twin(0.03, 0.01)]);
        assert_eq!(widening(&twins), 1.0);
    }

    #[test]
    fn one_more_than_chance_makes_widens_until_it_is_inside() {
        let mut twins = vec![twin(0.001, 0.01); 35];
        twins.extend([0.05, 0.04, 0.03, 0.025, 0.015].map(|deviation| twin(deviation, 0.01)));
        let factor = widening(&twins);
        assert!((factor - 1.5).abs() < 1e-6, "{factor}");
        let excluding = twins.iter().filter(|t| t.ratio.centre().abs() > t.ratio.widened(factor).half_width().unwrap() + 1e-12);
        assert_eq!(excluding.count(), allowed(40));
    }

    #[test]
    fn a_ratio_inside_the_resolution_is_no_difference() {
        let resolution = Resolution::of_twin(&twin(0.02, 0.01).ratio).unwrap();
        assert!((resolution.fraction - 0.0202).abs() < 1e-4);
        let judge = |deviation| verdict(&twin(deviation, 0.001).ratio, Some(&resolution));
        assert_eq!([judge(0.0209), judge(0.0211), judge(-0.0211)], [Verdict::Same, Verdict::Slower, Verdict::Faster]);
        // An interval that includes 1 is no difference, however fine the resolution.
        assert_eq!(verdict(&twin(0.3, 0.31).ratio, Some(&resolution)), Verdict::Same);
        assert_eq!(verdict(&twin(0.5, 0.001).ratio, None), Verdict::Undecided);
    }
}
