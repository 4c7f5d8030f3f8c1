//! Two means that were measured apart: in two runs, by different workers, at different times. Nothing is paired here.
//!
//! The difference is Welch's, with degrees of freedom by Welch and Satterthwaite, because two runs are rarely equally noisy (B. L. Welch,
//! "The generalization of 'Student's' problem when several different population variances are involved", Biometrika 34, 1947). The
//! generation is the unit of replication, as everywhere.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::interval::{Estimate, FEWEST_GENERATIONS, Scale, student_quantile_at};

/// A mean over generations of one run, on a logarithmic scale, with what is known of its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    centre: f64,
    standard_error: f64,
    generations: usize,
}

/// The quotient of two independent means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quotient {
    /// The second over the first, with its 95 % interval.
    pub ratio: Estimate,
    /// How often chance alone would put means that are equal in truth at least so far apart.
    pub p_value: f64,
}

impl Mean {
    /// From the logarithms of the generations' estimates. None with fewer than [`FEWEST_GENERATIONS`], which have no interval, and when
    /// one is not a finite number.
    pub fn of_logarithms(generations: &[f64]) -> Option<Self> {
        let n = generations.len();
        if n < FEWEST_GENERATIONS || generations.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let centre = generations.iter().sum::<f64>() / n as f64;
        let squares: f64 = generations.iter().map(|x| (x - centre).powi(2)).sum();
        Some(Self { centre, standard_error: (squares / (n - 1) as f64 / n as f64).sqrt(), generations: n })
    }

    /// The same with an error `factor` times as large.
    #[must_use]
    pub fn widened(self, factor: f64) -> Self {
        Self { standard_error: self.standard_error * factor, ..self }
    }

    /// This mean over another one.
    pub fn over(&self, base: &Self) -> Quotient {
        let (a, b) = (self.standard_error.powi(2), base.standard_error.powi(2));
        let (error, centre) = ((a + b).sqrt(), self.centre - base.centre);
        let generations = self.generations.min(base.generations);
        let estimate = |half| Estimate::with_interval(centre, half, Scale::Log, generations);
        if error == 0.0 {
            // Every generation gave the same number, to the last digit: nothing is uncertain.
            return Quotient { ratio: estimate(0.0), p_value: if centre == 0.0 { 1.0 } else { 0.0 } };
        }
        let of = |variance: f64, n: usize| variance.powi(2) / (n - 1) as f64;
        let freedom = (a + b).powi(2) / (of(a, self.generations) + of(b, base.generations));
        Quotient { ratio: estimate(student_quantile_at(freedom) * error), p_value: two_sided(centre / error, freedom) }
    }
}

/// How often Student's t is at least so far from 0, on either side.
pub(super) fn two_sided(t: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |student| 2.0 * student.sf(t.abs()))
}

#[cfg(test)]
mod tests {
    use super::super::noise::{Noise, run};
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn mean(generations: &[f64]) -> Mean {
        Mean::of_logarithms(generations).unwrap()
    }

    #[test]
    fn a_worked_example() {
        // Means 20.82 and 23.08 of 15 values each would take a page; of these, by hand: s²/n = 1/3 and 16/3, so the error is √(17/3) =
        // 2.3805, the degrees of freedom are (17/3)² / ((1/3)²/2 + (16/3)²/2) = 2.2490, and t = 6 / 2.3805 = 2.5205.
        let quotient = mean(&[5.0, 9.0, 13.0]).over(&mean(&[2.0, 3.0, 4.0]));
        assert!((quotient.ratio.centre() - 6.0).abs() < 1e-12);
        let quantile = quotient.ratio.half_width().unwrap() / (17.0_f64 / 3.0).sqrt();
        // t(0.975) is 4.3027 with 2 degrees of freedom and 3.1824 with 3.
        assert!((3.1824..4.3027).contains(&quantile) && (quantile - student_quantile_at(2.249)).abs() < 1e-3, "{quantile}");
        // P(|t| > 2.5205) is 0.128 with 2 degrees of freedom and 0.086 with 3.
        assert!((0.086..0.128).contains(&quotient.p_value), "{}", quotient.p_value);
    }

    #[test]
    fn too_few_generations_have_no_mean() {
        assert_eq!(Mean::of_logarithms(&[1.0, 2.0]), None);
        assert_eq!(Mean::of_logarithms(&[1.0, 2.0, f64::NEG_INFINITY]), None);
        assert_eq!(mean(&[1.0; 3]).over(&mean(&[1.0; 3])).p_value, 1.0);
    }

    /// Two runs of one and the same lane: the interval holds 1 as often as it promises, whatever the noise; but for lanes with two
    /// speeds, of which a run may have met only one.
    #[test]
    fn intervals_between_runs_keep_their_coverage() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        println!("{:16} {:>11} {:>9}", "two runs, noise", "generations", "coverage");
        for noise in Noise::ALL {
            for generations in [3, 5, 10] {
                let covered = (0..1_000).filter(|_| {
                    let mut side = || mean(&run(noise, generations, &mut rng).times);
                    let quotient = side().over(&side());
                    quotient.ratio.centre().abs() <= quotient.ratio.half_width().unwrap()
                });
                let share = covered.count() as f64 / 1_000.0;
                println!("{:16} {generations:11} {share:9.3}", format!("{noise:?}"));
                assert!(share >= if noise.has_two_speeds() { 0.85 } else { 0.93 }, "{noise:?}, {generations} generations: {share}");
            }
        }
    }

    proptest! {
        #[test]
        fn turned_round_it_is_the_inverse(a in prop::collection::vec(-5.0..5.0_f64, 3..20), b in prop::collection::vec(-5.0..5.0_f64, 3..20)) {
            let (there, back) = (mean(&a).over(&mean(&b)), mean(&b).over(&mean(&a)));
            prop_assert!((there.ratio.centre() + back.ratio.centre()).abs() < 1e-9);
            prop_assert!((there.p_value - back.p_value).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&there.p_value));
        }

        /// The interval and the p-value are two ways to say the same.
        #[test]
        fn an_interval_excludes_one_where_p_is_below_a_twentieth(a in prop::collection::vec(-1.0..1.0_f64, 3..12), b in prop::collection::vec(0.0..2.0_f64, 3..12)) {
            let quotient = mean(&a).over(&mean(&b));
            let distance = quotient.ratio.centre().abs() / quotient.ratio.half_width().unwrap();
            prop_assume!((distance - 1.0).abs() > 1e-6);
            prop_assert_eq!(distance > 1.0, quotient.p_value < 0.05);
        }

        #[test]
        fn a_wider_error_is_never_surer(a in prop::collection::vec(-1.0..1.0_f64, 3..12), b in prop::collection::vec(0.0..2.0_f64, 3..12), factor in 1.0..5.0_f64) {
            let (plain, wide) = (mean(&a).over(&mean(&b)), mean(&a).widened(factor).over(&mean(&b).widened(factor)));
            prop_assert!(wide.p_value >= plain.p_value - 1e-12 && wide.ratio.half_width() >= plain.ratio.half_width());
        }
    }
}
