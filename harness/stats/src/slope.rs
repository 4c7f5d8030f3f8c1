//! A straight line through points by least squares: how much y grows with x, and how sure.

use serde::{Deserialize, Serialize};

use super::interval::student_quantile;

/// The slope of a line, with its 95 % interval: slope ± t(0.975, n − 2) · s / √Σ(x − x̄)², s² being the residuals' variance with n − 2
/// degrees of freedom (any textbook on linear regression; for example N. Draper and H. Smith, "Applied Regression Analysis").
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// Growth of y for each unit of x.
    pub point: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Slope {
    /// Through at least three points that are not all above one another; none otherwise.
    pub fn of(points: &[(f64, f64)]) -> Option<Self> {
        let n = points.len();
        if n < 3 {
            return None;
        }
        let mean = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / n as f64;
        let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
        let squares: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        if squares <= 0.0 {
            return None;
        }
        let point = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / squares;
        let residuals: f64 = points.iter().map(|(x, y)| (y - mean_y - point * (x - mean_x)).powi(2)).sum();
        let half = student_quantile(n - 2) * (residuals / (n - 2) as f64 / squares).sqrt();
        Some(Self { point, low: point - half, high: point + half })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_textbook_example() {
        // y = 2x + 1 with residuals 0.1, −0.2, 0.1: s² = 0.06, Σ(x − x̄)² = 2, t(0.975, 1) = 12.706.
        let slope = Slope::of(&[(0.0, 1.1), (1.0, 2.8), (2.0, 5.1)]).unwrap();
        assert!((slope.point - 2.0).abs() < 1e-12);
        assert!((slope.high - slope.point - 12.706 * (0.06_f64 / 2.0).sqrt()).abs() < 1e-3);
        assert_eq!(Slope::of(&[(0.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(Slope::of(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
    }

    proptest! {
        #[test]
        fn a_line_is_found_whatever_it_starts_from(slope in -1e3..1e3_f64, start in -1e9..1e9_f64, step in 1.0..1e5_f64, n in 3..40_usize) {
            let points: Vec<_> = (0..n).map(|i| (i as f64 * step, start + slope * i as f64 * step)).collect();
            let found = Slope::of(&points).unwrap();
            prop_assert!((found.point - slope).abs() <= 1e-5 * (1.0 + start.abs() / step));
            prop_assert!(found.low <= found.point && found.point <= found.high);
        }
    }
}
