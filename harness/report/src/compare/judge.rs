//! One cell of a comparison: which ratio is looked at, and what it says.

use bindbench_model::CellKey;
use bindbench_stats as stats;
use bindbench_stats::{Estimate, FALSE_DISCOVERY_RATE, Mean, Quotient, Resolution, six_digits};
use serde::Serialize;

use crate::format;

use super::Compared;
use super::side::{Side, SideCell};

/// A floor is given up when it makes the interval wider than this many times: it is then noisier than what it should steady.
const TOO_NOISY: f64 = 2.0;

/// How a ratio came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "of")]
pub enum Basis {
    /// The times themselves.
    Times {
        /// Why not over a floor.
        why: String,
    },
    /// Times over those of a lane that did not change, round by round: what the machine did to both drops out.
    Floor {
        /// The lane.
        lane: String,
    },
}

/// What became of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It takes longer.
    Slower,
    /// It takes less time.
    Faster,
    /// No difference was seen, and a slowdown beyond the threshold would have been.
    NoDifference,
    /// The runs can't tell.
    Inconclusive,
}

/// The ratios of a cell.
pub(super) struct Measured {
    times: Option<Quotient>,
    floor: Option<(String, Quotient)>,
    /// Why there is no floor to use.
    without: String,
    /// The machines differ, so times say nothing.
    elsewhere: bool,
    /// It is the same build on both sides.
    pub(super) unchanged: bool,
}

impl Measured {
    /// Compares the cell of two sides; the sides' own factors, and a further one, widen the errors.
    pub(super) fn of(before: &Side, after: &Side, a: &SideCell, b: &SideCell, factor: f64) -> Self {
        let over = |before_logs: &[f64], after_logs: &[f64]| {
            let first = Mean::of_logarithms(before_logs)?.widened(before.widening * factor);
            let second = Mean::of_logarithms(after_logs)?.widened(after.widening * factor);
            Some(second.over(&first))
        };
        let times = a.times.as_ref().ok().zip(b.times.as_ref().ok()).and_then(|(a, b)| over(a, b));
        let unchanged = |lane: &str| {
            let (key, other) = (a.key.as_ref()?, b.key.as_ref()?);
            Some(before.build_of(lane, key)? == after.build_of(lane, other)?)
        };
        let shared = a.floors.iter().filter_map(|(lane, logs)| {
            let (_, others) = b.floors.iter().find(|(other, _)| other == lane)?;
            Some((lane, logs, others))
        });
        let mut without = "the case has no other lane in both runs to measure it against".to_owned();
        let mut floor = None;
        for (lane, logs, others) in shared {
            match unchanged(lane) {
                Some(true) => floor = over(logs, others).map(|quotient| (lane.clone(), quotient)),
                Some(false) => without = format!("{lane} was built anew"),
                None => without = format!("whether {lane} is the same in both runs is not known"),
            }
            if floor.is_some() {
                break;
            }
        }
        Self { times, floor, without, elsewhere: before.facts.machine() != after.facts.machine(), unchanged: same_build(before, after, a) }
    }

    /// The ratio to judge by, and what it is of. The choice looks at widths only, never at what the ratios say.
    pub(super) fn used(&self) -> Option<(&Quotient, Basis)> {
        let half = |quotient: &Quotient| quotient.ratio.half_width().unwrap_or(f64::INFINITY);
        match (&self.times, &self.floor) {
            (Some(times), Some((lane, floor))) if !self.elsewhere && half(floor) > TOO_NOISY * half(times) => {
                let why = format!("over {lane} the interval would be more than {TOO_NOISY} times as wide");
                Some((times, Basis::Times { why }))
            }
            (_, Some((lane, floor))) => Some((floor, Basis::Floor { lane: lane.clone() })),
            (Some(times), None) => Some((times, Basis::Times { why: self.without.clone() })),
            (None, None) => None,
        }
    }
}

/// Whether a cell's lane is known to be the same build on both sides.
pub(super) fn same_build(before: &Side, after: &Side, cell: &SideCell) -> bool {
    let builds = cell.key.as_ref().and_then(|key| before.build(key).zip(after.build(key)));
    builds.is_some_and(|(build, other)| build == other)
}

/// What is to be said of a cell. A `control` did not change while others did: whatever differs there is not the lane.
pub(super) fn judged(
    a: &SideCell,
    b: &SideCell,
    measured: &Measured,
    rate: Option<f64>,
    threshold: f64,
    doubts: &[String],
    control: bool,
) -> Compared {
    let (quotient, basis) = measured.used().unzip();
    let ratio = quotient.map(|quotient| quotient.ratio);
    let resolution = together(a.resolution, b.resolution);
    let told = match tell(ratio.as_ref(), rate, resolution, threshold) {
        Ok(Verdict::Slower | Verdict::Faster) if control => {
            Err("it differs although it is the same build, so what differs is the machine, not the lane".to_owned())
        }
        told => told,
    };
    let missing = [("before", &a.times), ("after", &b.times)]
        .into_iter()
        .find_map(|(when, times)| times.as_ref().err().map(|why| format!("it has no number {when}: {why}")));
    let (verdict, why) = match (missing, doubts.first(), told) {
        (Some(why), ..) => (Verdict::Inconclusive, Some(why)),
        (None, Some(doubt), _) => (Verdict::Inconclusive, Some(format!("no verdict is vouched for: {doubt}"))),
        (None, None, Ok(verdict)) => (verdict, None),
        (None, None, Err(why)) => (Verdict::Inconclusive, Some(why)),
    };
    let key = a.key.as_ref();
    let time = |cell: &SideCell| cell.times.as_ref().ok().and_then(|logs| Some(six_digits(Estimate::of_logarithms(logs)?.point())));
    Compared {
        name: a.name.clone(),
        lane: key.map(|key| key.lane.clone()),
        case: key.map(CellKey::case),
        interpreter: key.and_then(|key| key.interpreter.clone()),
        before_ns: time(a),
        after_ns: time(b),
        ratio,
        basis,
        of_times: measured.times.map(|quotient| quotient.ratio),
        of_floor: measured.floor.as_ref().map(|(_, quotient)| quotient.ratio),
        resolution: resolution.map(six_digits),
        adjusted_p: rate.map(six_digits),
        verdict,
        beyond: ratio.is_some_and(|ratio| ratio.centre().abs() > threshold.ln_1p()),
        why,
    }
}

/// Two runs have independent errors, so their resolutions add up as these do: by their squares, over logarithms.
fn together(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a?.ln_1p().hypot(b?.ln_1p()).exp_m1())
}

/// A difference is one when its whole interval is outside the resolution, and it is no false discovery among the other cells. None is
/// seen when a slowdown beyond the threshold is ruled out. Everything else is an open question, with the reason.
fn tell(ratio: Option<&Estimate>, rate: Option<f64>, resolution: Option<f64>, threshold: f64) -> Result<Verdict, String> {
    let (Some(ratio), Some(rate)) = (ratio, rate) else {
        return Err(format!("an interval takes {} generations on either side", stats::FEWEST_GENERATIONS));
    };
    let Some(fraction) = resolution else {
        return Err("one of the runs has nothing that shows what it can tell apart".to_owned());
    };
    let outside = stats::verdict(ratio, Some(&Resolution { fraction, borrowed: false }));
    match outside {
        stats::Verdict::Slower if rate <= FALSE_DISCOVERY_RATE => return Ok(Verdict::Slower),
        stats::Verdict::Faster if rate <= FALSE_DISCOVERY_RATE => return Ok(Verdict::Faster),
        _ => {}
    }
    let highest = ratio.centre() + ratio.half_width().unwrap_or(f64::INFINITY);
    let limit = threshold.ln_1p();
    if highest > limit {
        let most = format::percent(highest.exp_m1());
        return Err(format!("it may be slower by up to {most}, and the threshold is {}", format::percent(threshold)));
    }
    if fraction > threshold {
        let coarse = format::percent(fraction);
        return Err(format!("these runs tell nothing apart below {coarse}, and the threshold is {}", format::percent(threshold)));
    }
    Ok(Verdict::NoDifference)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ratio with this point and half-width, over logarithms.
    fn ratio(centre: f64, half: f64) -> Estimate {
        let x = half * 3.0_f64.sqrt() / 4.302_652_73;
        Estimate::of_logarithms(&[centre - x, centre, centre + x]).unwrap()
    }

    fn told(centre: f64, half: f64, rate: f64, resolution: f64) -> Result<Verdict, String> {
        tell(Some(&ratio(centre, half)), Some(rate), Some(resolution), 0.05)
    }

    #[test]
    fn a_difference_is_outside_the_resolution_and_no_false_discovery() {
        assert_eq!(told(0.10, 0.02, 0.01, 0.03), Ok(Verdict::Slower));
        assert_eq!(told(-0.10, 0.02, 0.01, 0.03), Ok(Verdict::Faster));
        assert!(told(0.10, 0.02, 0.06, 0.03).unwrap_err().contains("up to 13 %"), "one of many");
        assert!(told(0.04, 0.02, 0.01, 0.03).unwrap_err().contains("up to 6.2 %"), "inside the resolution");
        assert_eq!(told(0.02, 0.005, 0.001, 0.01), Ok(Verdict::Slower), "below the threshold it is still slower");
    }

    #[test]
    fn no_difference_means_that_one_would_have_been_seen() {
        assert_eq!(told(0.01, 0.03, 0.5, 0.03), Ok(Verdict::NoDifference));
        assert!(told(0.01, 0.03, 0.5, 0.06).unwrap_err().contains("nothing apart below 6.0 %"));
        assert!(told(0.03, 0.03, 0.5, 0.03).unwrap_err().contains("threshold is 5.0 %"));
        assert!(tell(None, None, Some(0.01), 0.05).unwrap_err().contains("3 generations"));
        assert!(tell(Some(&ratio(0.0, 0.01)), Some(1.0), None, 0.05).is_err());
    }

    #[test]
    fn resolutions_of_two_runs_add_up_by_their_squares() {
        let both = together(Some(0.03), Some(0.04)).unwrap();
        assert!((0.049..0.051).contains(&both), "{both}");
        assert_eq!(together(None, Some(0.1)), None);
    }
}
