//! Many verdicts at once: of a hundred cells in which nothing changed, five have p < 0.05.
//!
//! The procedure of Benjamini and Hochberg keeps the share of false ones among all differences that are called so (the false discovery
//! rate) below a bound, for tests that are independent or positively dependent, as those of cells on one machine are. (Y. Benjamini and Y.
//! Hochberg, "Controlling the false discovery rate: a practical and powerful approach to multiple testing", Journal of the Royal
//! Statistical Society B 57, 1995; on dependence: Y. Benjamini and D. Yekutieli, Annals of Statistics 29, 2001.)

/// The share of false ones among the differences called so.
pub const FALSE_DISCOVERY_RATE: f64 = 0.05;

/// Each p-value adjusted for all the others: the lowest false discovery rate at which its difference would be called one. With p₍₁₎ ≤ … ≤
/// p₍ₘ₎ it is the smallest of m · p₍ⱼ₎ / j over j ≥ i, and 1 at most. In the order of `p_values`.
pub fn adjusted(p_values: &[f64]) -> Vec<f64> {
    let m = p_values.len();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&a, &b| p_values[b].total_cmp(&p_values[a]));
    let mut adjusted = vec![1.0; m];
    let mut least = 1.0_f64;
    for (from_above, &at) in order.iter().enumerate() {
        least = least.min(p_values[at] * m as f64 / (m - from_above) as f64);
        adjusted[at] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// The example of the paper: 15 p-values, of which Bonferroni's procedure finds 3, and this one 4, at a rate of 0.05.
    #[test]
    fn the_example_of_the_paper() {
        let p_values =
            [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0];
        let adjusted = adjusted(&p_values);
        assert_eq!(adjusted.iter().filter(|&&q| q <= 0.05).count(), 4);
        assert!((adjusted[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12);
    }

    #[test]
    fn the_share_of_false_ones_is_kept() {
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        let (mut share, repeats) = (0.0, 2_000);
        for _ in 0..repeats {
            // 30 cells in which nothing changed, 10 in which something did.
            let p_values: Vec<f64> = (0..40).map(|at| rng.random::<f64>() * if at < 30 { 1.0 } else { 1e-3 }).collect();
            let found: Vec<usize> = (0..40).filter(|&at| adjusted(&p_values)[at] <= FALSE_DISCOVERY_RATE).collect();
            share += found.iter().filter(|&&at| at < 30).count() as f64 / found.len().max(1) as f64 / f64::from(repeats);
        }
        // Three quarters of the cells are unchanged, so the rate is three quarters of the bound.
        assert!((0.025..0.05).contains(&share), "{share}");
    }

    proptest! {
        #[test]
        fn it_keeps_the_order_and_never_makes_one_surer(p_values in prop::collection::vec(0.0..=1.0_f64, 0..50)) {
            let adjusted = adjusted(&p_values);
            for (at, &p) in p_values.iter().enumerate() {
                prop_assert!(adjusted[at] >= p * (1.0 - 1e-12) && adjusted[at] <= 1.0);
                for (other, &q) in p_values.iter().enumerate() {
                    prop_assert!(p > q || adjusted[at] <= adjusted[other]);
                }
            }
        }
    }
}
