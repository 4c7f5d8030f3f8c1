//! Population moments in two passes: the mean first, then the squared deviations from it. The additions happen in the order of
//! the data, one after the other, so that the result is the same bits in every language that does the same.

use crate::Error;

/// The sum.
///
/// # Errors
/// [`Error::Empty`] without data.
pub fn sum(data: &[f64]) -> Result<f64, Error> {
    if data.is_empty() {
        return Err(Error::Empty);
    }
    Ok(total(data.iter().copied()))
}

/// The arithmetic mean.
///
/// # Errors
/// [`Error::Empty`] without data.
pub fn mean(data: &[f64]) -> Result<f64, Error> {
    Ok(sum(data)? / data.len() as f64)
}

/// The population variance.
///
/// # Errors
/// [`Error::Empty`] without data.
pub fn var(data: &[f64]) -> Result<f64, Error> {
    let mean = mean(data)?;
    let squares = data.iter().map(|item| {
        let deviation = item - mean;
        deviation * deviation
    });
    Ok(total(squares) / data.len() as f64)
}

/// The population standard deviation.
///
/// # Errors
/// [`Error::Empty`] without data.
pub fn std(data: &[f64]) -> Result<f64, Error> {
    Ok(var(data)?.sqrt())
}

/// `Iterator::sum` would start at −0.0.
fn total(items: impl Iterator<Item = f64>) -> f64 {
    items.fold(0.0, |sum, item| sum + item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Kahan's sum, with what each addition lost carried along.
    fn kahan(items: impl IntoIterator<Item = f64>) -> f64 {
        let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
        for item in items {
            let item = item - lost;
            let next = sum + item;
            lost = (next - sum) - item;
            sum = next;
        }
        sum
    }

    #[test]
    fn of_nothing() {
        for moment in [sum, mean, var, std] {
            assert_eq!(moment(&[]), Err(Error::Empty));
        }
    }

    #[test]
    fn of_a_few() {
        let data = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!([sum, mean, var, std].map(|moment| moment(&data)), [Ok(40.0), Ok(5.0), Ok(4.0), Ok(2.0)]);
    }

    #[test]
    fn not_finite() {
        assert!(sum(&[1.0, f64::NAN]).is_ok_and(f64::is_nan));
        assert_eq!(mean(&[f64::INFINITY, 1.0]), Ok(f64::INFINITY));
        assert!(var(&[f64::INFINITY, 1.0]).is_ok_and(f64::is_nan));
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_ok_and(f64::is_nan));
        assert_eq!(var(&[1e300, -1e300]), Ok(f64::INFINITY));
    }

    #[test]
    fn sum_of_minus_zero_is_zero_as_in_python() {
        assert!(sum(&[-0.0]).is_ok_and(f64::is_sign_positive));
    }

    proptest! {
        #[test]
        fn agree_with_kahan(data in proptest::collection::vec(-1e6_f64..1e6, 1..500)) {
            let count = data.len() as f64;
            let exact_sum = kahan(data.iter().copied());
            let exact_mean = exact_sum / count;
            let exact_var = kahan(data.iter().map(|item| (item - exact_mean) * (item - exact_mean))) / count;
            let size = kahan(data.iter().map(|item| item.abs()));
            let near = |got: Result<f64, Error>, exact: f64, scale: f64| got.is_ok_and(|got| (got - exact).abs() <= 1e-12 * scale);
            prop_assert!(near(sum(&data), exact_sum, size));
            prop_assert!(near(mean(&data), exact_mean, size));
            prop_assert!(near(var(&data), exact_var, exact_var + size));
            prop_assert_eq!(std(&data), var(&data).map(f64::sqrt));
        }
    }
}
