//! A share of trials, and how sure it is.

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_964;

/// The 95 % interval of the share that `hits` of `trials` independent trials stand for, by Wilson's score, which stays within 0 and 1 and
/// is of use with none or all of them, too (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal
/// of the American Statistical Association 22, 1927). Without a trial it is all there is.
pub fn wilson(hits: u64, trials: u64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let n = trials as f64;
    let share = hits as f64 / n;
    let weight = 1.0 + Z * Z / n;
    let centre = (share + Z * Z / (2.0 * n)) / weight;
    let half = Z / weight * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn printed_examples() {
        // R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I.
        for (hits, trials, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let found = wilson(hits, trials);
            assert!((found.0 - low).abs() < 5e-5 && (found.1 - high).abs() < 5e-5, "{hits} of {trials}: {found:?}");
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    proptest! {
        #[test]
        fn the_share_is_inside_and_hits_and_misses_mirror_each_other(trials in 1_u64..1000, part in 0.0..=1.0) {
            let hits = (trials as f64 * part) as u64;
            let (low, high) = wilson(hits, trials);
            let share = hits as f64 / trials as f64;
            prop_assert!(low <= share + 1e-12 && share <= high + 1e-12);
            let (other_low, other_high) = wilson(trials - hits, trials);
            prop_assert!((low - (1.0 - other_high)).abs() < 1e-12 && (high - (1.0 - other_low)).abs() < 1e-12);
        }
    }
}
