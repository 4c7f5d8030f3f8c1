//! Cost curves: how the time of a call grows with the size of its input.
//!
//! A single line does not fit: caches, branch predictors and a kernel's own special cases bend it. So there is a slope for each range
//! between two sizes that were measured, and the cost of the call is where the first of these lines meets size 0. Both are
//! differences of medians, taken generation by generation, with Student's interval over the generations.

use serde::Serialize;

use super::interval::Estimate;
use super::pairs::Samples;
use super::resolution::{Resolution, Verdict, verdict};

/// How the time of a lane grows.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Time of a call on nothing, nanoseconds: the first piece, continued to size 0. It may be negative where that piece bends.
    pub call_ns: Option<Estimate>,
    /// From size to size.
    pub pieces: Vec<Piece>,
}

/// A line between two neighbouring sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Where it begins.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// Nanoseconds for each further unit of size.
    pub slope_ns: Estimate,
}

impl Curve {
    /// Through series of ascending sizes: pairs of size and series.
    pub fn through(samples: &Samples, points: &[(u64, u32)]) -> Self {
        let mut curve = Self { call_ns: None, pieces: Vec::new() };
        for (at, pair) in points.windows(2).enumerate() {
            let [(from, low), (to, high)] = [pair[0], pair[1]];
            if from >= to {
                continue;
            }
            let (low, high) = (samples.medians_by_generation(low), samples.medians_by_generation(high));
            let both: Vec<(f64, f64)> =
                low.iter().filter_map(|(generation, low)| Some((*low, high.iter().find(|(other, _)| other == generation)?.1))).collect();
            let slopes: Vec<f64> = both.iter().map(|(low, high)| (high - low) / (to - from) as f64).collect();
            if at == 0 {
                let calls: Vec<f64> = both.iter().zip(&slopes).map(|((low, _), slope)| low - slope * from as f64).collect();
                curve.call_ns = Estimate::of_values(&calls);
            }
            curve.pieces.extend(Estimate::of_values(&slopes).map(|slope_ns| Piece { from, to, slope_ns }));
        }
        curve
    }

    /// The same with intervals `factor` times as wide.
    #[must_use]
    pub fn widened(mut self, factor: f64) -> Self {
        self.call_ns = self.call_ns.map(|call| call.widened(factor));
        self.pieces.iter_mut().for_each(|piece| piece.slope_ns = piece.slope_ns.widened(factor));
        self
    }
}

/// Two lanes at one size.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The size.
    pub size: u64,
    /// Time of the one over time of the other.
    pub ratio: Estimate,
    /// What the run can't tell apart at that size.
    pub resolution: Option<Resolution>,
}

/// From which size on a ratio is below a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Onset {
    /// From the smallest size that was measured.
    Always,
    /// It is above at one size, below at another, and below from there on.
    Between {
        /// The last size at which it is above.
        above_at: u64,
        /// The first size after that at which it is below.
        below_at: u64,
        /// Where the straight line through the estimates, over logarithms, meets the threshold.
        about: u64,
    },
    /// At no size that was measured, or not at the largest ones.
    Never,
    /// The run can't tell.
    Undecided,
}

/// Where a ratio falls below a threshold for good. `compared` is by ascending size. Above and below are verdicts: the whole interval
/// lies on that side, and outside of the run's resolution.
pub fn onset(compared: &[Compared], threshold: f64) -> Onset {
    let sides: Vec<(u64, f64, Verdict)> = compared
        .iter()
        .map(|compared| {
            let shifted = compared.ratio.times(1.0 / threshold);
            (compared.size, shifted.centre(), verdict(&shifted, compared.resolution.as_ref()))
        })
        .collect();
    let last_above = sides.iter().rposition(|(.., side)| *side == Verdict::Slower);
    let first_below = sides.iter().skip(last_above.map_or(0, |at| at + 1)).position(|(.., side)| *side == Verdict::Faster);
    match (last_above, first_below) {
        (None, Some(0)) => Onset::Always,
        (Some(above), Some(steps)) => {
            let below = above + 1 + steps;
            Onset::Between { above_at: sides[above].0, below_at: sides[below].0, about: meeting(&sides[above..=below]) }
        }
        (Some(above), None) if above + 1 == sides.len() => Onset::Never,
        _ => Onset::Undecided,
    }
}

/// The size at which the line through the points (logarithm of size, logarithm of ratio) first meets 0.
fn meeting(points: &[(u64, f64, Verdict)]) -> u64 {
    let crossing = points.windows(2).find(|pair| pair[0].1 > 0.0 && pair[1].1 <= 0.0);
    let pair = crossing.unwrap_or(&points[points.len() - 2..]);
    let ((from, above, _), (to, below, _)) = (pair[0], pair[1]);
    let part = if above == below { 0.5 } else { (above / (above - below)).clamp(0.0, 1.0) };
    let (from, to) = ((from.max(1) as f64).ln(), (to.max(1) as f64).ln());
    (from + part * (to - from)).exp().round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Point;
    use crate::noise::normal;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn compared(size: u64, ratio: f64) -> Compared {
        let estimate = Estimate::of_logarithms(&[ratio.ln() - 0.001, ratio.ln(), ratio.ln() + 0.001]).unwrap();
        Compared { size, ratio: estimate, resolution: Some(Resolution { fraction: 0.01, borrowed: false }) }
    }

    fn onset_of(ratios: &[f64], threshold: f64) -> Onset {
        let sizes = (0..).map(|at| 10_u64.pow(at));
        onset(&sizes.zip(ratios).map(|(size, &ratio)| compared(size, ratio)).collect::<Vec<_>>(), threshold)
    }

    #[test]
    fn a_lane_overtakes_where_the_line_meets_1() {
        assert_eq!(onset_of(&[0.5, 0.6], 1.0), Onset::Always);
        assert_eq!(onset_of(&[10.0, 0.1], 1.0), Onset::Between { above_at: 1, below_at: 10, about: 3 });
        assert_eq!(onset_of(&[10.0, 1.0, 0.1], 1.0), Onset::Between { above_at: 1, below_at: 100, about: 10 });
        assert_eq!(onset_of(&[0.5, 2.0], 1.0), Onset::Never);
        assert_eq!(onset_of(&[2.0, 1.001], 1.0), Onset::Undecided);
        assert_eq!(onset_of(&[1.001, 0.5], 1.0), Onset::Undecided);
        assert_eq!(onset_of(&[], 1.0), Onset::Undecided);
        // It was ahead before, fell behind, and is ahead again: only the last time counts.
        assert_eq!(onset_of(&[0.5, 2.0, 0.5], 1.0), Onset::Between { above_at: 10, below_at: 100, about: 32 });
    }

    #[test]
    fn a_threshold_is_met_as_1_is() {
        assert_eq!(onset_of(&[1.5, 1.2, 1.02], 1.0 / 0.95), Onset::Between { above_at: 10, below_at: 100, about: 64 });
        assert_eq!(onset_of(&[1.02, 1.0], 1.0 / 0.95), Onset::Always);
    }

    /// A series whose call costs `call` ns and each item `slope`, at three sizes.
    fn synthetic(call: f64, slope: f64, noise: f64) -> (Samples, [(u64, u32); 3]) {
        let mut rng = ChaCha8Rng::seed_from_u64(42);
        let sizes = [(10, 0), (100, 1), (1000, 2)];
        let mut points = Vec::new();
        for (size, series) in sizes {
            for (generation, round) in (0..8).flat_map(|generation| (0..9).map(move |round| (generation, round))) {
                let value = (call + slope * size as f64) * (noise * normal(&mut rng)).exp();
                points.push((series, Point { generation, round, value, overhead: None }));
            }
        }
        (Samples::new(3, points.into_iter()), sizes)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn a_straight_line_is_found_again(call in 20.0..200.0, slope in 0.5..10.0) {
            let (samples, points) = synthetic(call, slope, 0.0001);
            let curve = Curve::through(&samples, &points);
            prop_assert!((curve.call_ns.unwrap().point() / call - 1.0).abs() < 0.05, "{curve:?}");
            prop_assert_eq!(curve.pieces.iter().map(|piece| (piece.from, piece.to)).collect::<Vec<_>>(), [(10, 100), (100, 1000)]);
            for piece in &curve.pieces {
                prop_assert!((piece.slope_ns.point() / slope - 1.0).abs() < 0.02, "{curve:?}");
                prop_assert!(piece.slope_ns.interval().is_some());
            }
        }
    }

    #[test]
    fn noise_widens_the_intervals() {
        let half = |noise| {
            let (samples, points) = synthetic(50.0, 1.0, noise);
            Curve::through(&samples, &points).pieces[0].slope_ns.half_width().unwrap()
        };
        assert!(half(0.05) > 3.0 * half(0.001));
    }

    #[test]
    fn one_size_has_no_curve() {
        let (samples, points) = synthetic(50.0, 1.0, 0.001);
        assert_eq!(Curve::through(&samples, &points[..1]), Curve { call_ns: None, pieces: Vec::new() });
    }
}
