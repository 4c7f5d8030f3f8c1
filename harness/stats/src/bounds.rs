//! Whether a measured quantity keeps to bounds, as far as a run can tell.

use super::interval::{Estimate, Scale};

/// Bounds on a positive quantity; at least one of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// It has to be above this.
    pub above: Option<f64>,
    /// It has to be below this.
    pub below: Option<f64>,
}

/// Where a quantity stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Within the bounds.
    Inside,
    /// Beyond one of them.
    Outside,
    /// This run can't tell.
    Unclear,
}

impl Bounds {
    /// Judges a quantity by its whole interval, as [`super::verdict`] judges a ratio: each bound has a band of the resolution (a
    /// fraction) around it, and only what lies wholly on one side of the band is on that side of the bound. Without an interval, or on
    /// the linear scale, where 0 may be within it, nothing is told.
    pub fn stand(&self, quantity: &Estimate, resolution: f64) -> Standing {
        let Some(half) = quantity.half_width().filter(|_| quantity.scale() == Scale::Log) else {
            return Standing::Unclear;
        };
        let band = resolution.ln_1p();
        let (lowest, highest) = (quantity.centre() - half - band, quantity.centre() + half + band);
        let (above, below) = (self.above.map(f64::ln), self.below.map(f64::ln));
        if above.is_some_and(|bound| highest < bound) || below.is_some_and(|bound| lowest > bound) {
            Standing::Outside
        } else if above.is_none_or(|bound| lowest > bound) && below.is_none_or(|bound| highest < bound) {
            Standing::Inside
        } else {
            Standing::Unclear
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Resolution, Verdict, verdict};
    use super::*;
    use proptest::prelude::*;

    /// An estimate with this point; its interval is that factor wide to either side.
    fn estimate(point: f64, factor: f64) -> Estimate {
        // Three generations at c − x, c, c + x have s = x; the half-width is 4.3027 x / √3.
        let x = factor.ln() * 3.0_f64.sqrt() / 4.302_652_73;
        Estimate::of_logarithms(&[point.ln() - x, point.ln(), point.ln() + x]).unwrap()
    }

    const ABOVE_ONE: Bounds = Bounds { above: Some(1.0), below: None };
    const TWO_TO_THREE: Bounds = Bounds { above: Some(2.0), below: Some(3.0) };

    #[test]
    fn the_whole_interval_has_to_be_outside_the_band_around_the_bound() {
        assert_eq!(ABOVE_ONE.stand(&estimate(1.05, 1.01), 0.03), Standing::Inside);
        assert_eq!(ABOVE_ONE.stand(&estimate(1.05, 1.01), 0.045), Standing::Unclear);
        assert_eq!(ABOVE_ONE.stand(&estimate(0.95, 1.01), 0.03), Standing::Outside);
        assert_eq!(ABOVE_ONE.stand(&estimate(0.98, 1.03), 0.0), Standing::Unclear);
        let stand = |point, factor| TWO_TO_THREE.stand(&estimate(point, factor), 0.01);
        assert_eq!([stand(2.5, 1.1), stand(2.03, 1.05), stand(2.97, 1.05)], [Standing::Inside, Standing::Unclear, Standing::Unclear]);
        assert_eq!([stand(1.5, 1.1), stand(3.5, 1.1), stand(2.5, 2.0)], [Standing::Outside, Standing::Outside, Standing::Unclear]);
    }

    #[test]
    fn without_an_interval_nothing_is_told() {
        assert_eq!(ABOVE_ONE.stand(&Estimate::of_logarithms(&[5.0, 5.0]).unwrap(), 0.0), Standing::Unclear);
        assert_eq!(ABOVE_ONE.stand(&Estimate::of_values(&[50.0, 50.0, 51.0]).unwrap(), 0.0), Standing::Unclear);
    }

    proptest! {
        /// A bound of 1 is what tables judge by.
        #[test]
        fn a_bound_of_one_judges_as_tables_do(generations in prop::collection::vec(-0.2..0.2_f64, 3..9), fraction in 0.0..0.2_f64) {
            let ratio = Estimate::of_logarithms(&generations).unwrap();
            let expected = match verdict(&ratio, Some(&Resolution { fraction, borrowed: false })) {
                Verdict::Slower => Standing::Inside,
                Verdict::Faster => Standing::Outside,
                Verdict::Same | Verdict::Undecided => Standing::Unclear,
            };
            prop_assert_eq!(ABOVE_ONE.stand(&ratio, fraction), expected);
        }

        #[test]
        fn a_coarser_resolution_never_turns_a_standing_round(point in 0.2..5.0_f64, factor in 1.0..2.0_f64, finer in 0.0..0.5_f64, more in 0.0..0.5_f64) {
            let quantity = estimate(point, factor);
            let (fine, coarse) = (TWO_TO_THREE.stand(&quantity, finer), TWO_TO_THREE.stand(&quantity, finer + more));
            prop_assert!(coarse == fine || coarse == Standing::Unclear);
        }
    }
}
