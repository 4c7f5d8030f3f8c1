//! Next to no work: what is left of a call's time is the crossing.

use crate::Error;

/// The sum, wrapping around. A caller in another language can tell that it has; one in Rust has `checked_add`.
#[must_use]
pub fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

/// The sum of the items, exact.
///
/// # Errors
/// [`Error::Overflow`] when it does not fit. A sum on the way need not: 2⁶⁴ items of 64 bits fit 128.
pub fn take(items: &[i64]) -> Result<i64, Error> {
    let sum: i128 = items.iter().copied().map(i128::from).sum();
    i64::try_from(sum).map_err(|_| Error::Overflow)
}

/// Fills in 0, 1, … up to the length less one.
pub fn give(items: &mut [i64]) {
    for (item, i) in items.iter_mut().zip(0..) {
        *item = i;
    }
}

/// The sum of `f(0)`, `f(1)`, … `f(n - 1)`, exact.
///
/// # Errors
/// The first error of `f`, which is not called again; or [`Error::Overflow`] as above.
pub fn call_back<E: From<Error>>(mut f: impl FnMut(i64) -> Result<i64, E>, n: i64) -> Result<i64, E> {
    let mut sum = 0_i128;
    for i in 0..n {
        sum += i128::from(f(i)?);
    }
    i64::try_from(sum).map_err(|_| Error::Overflow.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_or_refused() {
        assert_eq!(add(i64::MAX, 1), i64::MIN);
        for (items, sum) in [
            (&[1, -2, 3][..], Ok(2)),
            (&[i64::MAX, 1, -1], Ok(i64::MAX)),
            (&[i64::MIN, -1], Err(Error::Overflow)),
            (&[i64::MIN; 4], Err(Error::Overflow)),
            (&[1 << 62; 2], Err(Error::Overflow)),
        ] {
            assert_eq!(take(items), sum);
            let mut results = items.iter().copied();
            assert_eq!(call_back(|_| results.next().ok_or(Error::Empty), items.len() as i64), sum);
        }
    }

    #[test]
    fn gives_the_numbers_in_order() {
        let mut items = [7; 4];
        give(&mut items);
        assert_eq!(items, [0, 1, 2, 3]);
    }

    #[test]
    fn stops_at_the_first_error() {
        let mut calls = 0;
        let outcome = call_back(
            |i| {
                calls += 1;
                if i == 3 { Err(Error::Empty) } else { Ok(i) }
            },
            10,
        );
        assert_eq!((outcome, calls), (Err(Error::Empty), 4));
    }

    #[test]
    fn calls_nothing_for_no_calls() {
        assert_eq!(call_back(|_| Err(Error::Empty), 0), Ok(0));
        assert_eq!(call_back(|_| Err(Error::Empty), -1), Ok(0));
    }
}
