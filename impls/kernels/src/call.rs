//! Next to no work: what is left of a call's time is the crossing.

/// The sum, wrapping around.
#[must_use]
pub fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

/// The sum of the items, wrapping around.
#[must_use]
pub fn take(items: &[i64]) -> i64 {
    items.iter().fold(0, |sum, &item| sum.wrapping_add(item))
}

/// Fills in 0, 1, … up to the length less one.
pub fn give(items: &mut [i64]) {
    for (item, i) in items.iter_mut().zip(0..) {
        *item = i;
    }
}

/// The sum of `f(0)`, `f(1)`, … `f(n - 1)`, wrapping around.
///
/// # Errors
/// The first error of `f`, which is not called again.
pub fn call_back<E>(mut f: impl FnMut(i64) -> Result<i64, E>, n: i64) -> Result<i64, E> {
    let mut sum = 0_i64;
    for i in 0..n {
        sum = sum.wrapping_add(f(i)?);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_wrap_around() {
        assert_eq!(add(i64::MAX, 1), i64::MIN);
        assert_eq!(take(&[1, -2, 3]), 2);
        assert_eq!(take(&[i64::MIN, -1]), i64::MAX);
        assert_eq!(call_back(|_| Ok::<_, ()>(i64::MAX), 2), Ok(-2));
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
                if i == 3 { Err("three") } else { Ok(i) }
            },
            10,
        );
        assert_eq!((outcome, calls), (Err("three"), 4));
    }

    #[test]
    fn calls_nothing_for_no_calls() {
        assert_eq!(call_back(|_| Err("called"), 0), Ok(0));
        assert_eq!(call_back(|_| Err("called"), -1), Ok(0));
    }
}
