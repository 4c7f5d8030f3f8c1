//! Axes: from values to pixels, and the round values that are worth a tick.

/// A linear or logarithmic axis over a range of pixels; pixels may run backwards, as they do upwards.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    low: f64,
    high: f64,
    from: i32,
    to: i32,
    logarithmic: bool,
}

impl Axis {
    /// A logarithmic axis that holds all the values (those above 0), with some room on either side.
    pub fn logarithmic(values: impl IntoIterator<Item = f64>, from: i32, to: i32) -> Self {
        let (low, high) = range(values.into_iter().filter(|value| *value > 0.0 && value.is_finite()).map(f64::ln)).unwrap_or((0.0, 0.0));
        let room = ((high - low) * 0.04).max(0.02);
        Self { low: low - room, high: high + room, from, to, logarithmic: true }
    }

    /// A linear axis from one value to another.
    pub fn linear(low: f64, high: f64, from: i32, to: i32) -> Self {
        Self { low, high: if high > low { high } else { low + 1.0 }, from, to, logarithmic: false }
    }

    /// The pixel of a value; values outside stand at the end.
    pub fn at(&self, value: f64) -> i32 {
        let value = if self.logarithmic { value.max(f64::MIN_POSITIVE).ln() } else { value };
        let part = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from + (part * f64::from(self.to - self.from)).round() as i32
    }

    /// Round values inside the axis, about `wanted` of them, at least 2 if there are any.
    pub fn ticks(&self, wanted: usize) -> Vec<f64> {
        if !self.logarithmic {
            return linear_ticks(self.low, self.high, wanted);
        }
        let (low, high) = (self.low.exp(), self.high.exp());
        let decades = |step: usize, digits: &[f64]| -> Vec<f64> {
            let first = low.log10().floor() as i32;
            let last = high.log10().ceil() as i32;
            let powers = (first..=last).filter(|power| power.rem_euclid(step as i32) == 0);
            let all = powers.flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)).collect::<Vec<_>>());
            all.filter(|value| (low..=high).contains(value)).collect()
        };
        let enough = wanted.max(2) + 2;
        let mut choices = [(1, &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0][..]), (1, &[1.0, 2.0, 5.0]), (1, &[1.0, 3.0]), (1, &[1.0])]
            .into_iter()
            .chain((2..).map(|step| (step, &[1.0][..])))
            .take(40)
            .map(|(step, digits)| decades(step, digits));
        let few = choices.next().unwrap_or_default();
        if few.len() < 3 {
            return linear_ticks(low, high, wanted);
        }
        std::iter::once(few).chain(choices).find(|ticks| ticks.len() <= enough).unwrap_or_default()
    }
}

/// The smallest and the largest.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// Multiples of 1, 2 or 5 times a power of 10.
fn linear_ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let rough = (high - low) / wanted.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return vec![low];
    }
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|step| *step >= rough * 0.999).unwrap_or(power);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|n| n as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rounded(ticks: Vec<f64>) -> Vec<String> {
        ticks.into_iter().map(|tick| format!("{tick:.3}")).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            rounded(Axis::logarithmic([0.1, 10.0], 0, 100).ticks(5)),
            ["0.100", "0.200", "0.500", "1.000", "2.000", "5.000", "10.000"]
        );
        assert_eq!(rounded(Axis::logarithmic([0.97, 1.04], 0, 100).ticks(7)), ["0.960", "0.980", "1.000", "1.020", "1.040", "1.060"]);
        assert_eq!(rounded(Axis::linear(0.0, 2.0, 0, 100).ticks(4)), ["0.000", "0.500", "1.000", "1.500", "2.000"]);
    }

    proptest! {
        #[test]
        fn there_are_a_few_ticks_inside_and_pixels_ascend(low in 1e-3..1e6, factor in 1.0..1e9, wanted in 3_usize..9) {
            let axis = Axis::logarithmic([low, low * factor], 10, 500);
            let ticks = axis.ticks(wanted);
            prop_assert!(ticks.len() >= 2 && ticks.len() <= wanted * 2 + 4, "{ticks:?}");
            prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1] && axis.at(pair[0]) <= axis.at(pair[1])));
            prop_assert!(axis.at(0.0) == 10 && axis.at(f64::MAX) == 500);
        }
    }
}
