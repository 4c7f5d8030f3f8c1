//! What one generation says of base and head.

use crate::interval::median;
use crate::pairs::{Point, Samples};

/// The log-ratios of head, and of base's twin, to base, from the samples of one generation. None when one of them has no number.
///
/// The three run the same empty loop, as often in each sample: its cost is the median over all of them. A median for each would add how
/// differently three processes came to lie in memory to the ratio, which for calls of nanoseconds is most of what a generation errs.
pub fn of_generation(base: &[Point], head: &[Point], twin: &[Point]) -> Option<(f64, f64)> {
    let all = [base, head, twin];
    let mut overheads: Vec<f64> = all.into_iter().flatten().filter_map(|point| point.overhead).collect();
    let common = median(&mut overheads);
    let shared = |point: &Point| Point { overhead: point.overhead.and(common), ..*point };
    let points = (0..).zip(all).flat_map(|(series, points)| points.iter().map(move |point| (series, shared(point))));
    let samples = Samples::new(all.len(), points);
    let to_base = |series: u32| samples.log_ratios_by_generation(series, 0).ok()?.first().copied();
    Some((to_base(1)?, to_base(2)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(value: f64, overheads: [f64; 3]) -> Vec<Point> {
        let point = |(round, overhead): (u32, f64)| Point { generation: 4, round, value: value + 10.0, overhead: Some(overhead) };
        (0..).zip(overheads).map(point).collect()
    }

    #[test]
    fn an_empty_loop_that_lies_elsewhere_in_one_process_moves_no_ratio() {
        let (base, head, twin) = (points(100.0, [10.0; 3]), points(200.0, [13.0; 3]), points(100.0, [10.0; 3]));
        let (ratio, of_twin) = of_generation(&base, &head, &twin).unwrap();
        assert!((ratio - 2.0_f64.ln()).abs() < 1e-12 && of_twin == 0.0, "{ratio}, {of_twin}");
    }

    #[test]
    fn without_a_twin_or_a_common_round_there_is_none() {
        let (base, head) = (points(100.0, [10.0; 3]), points(200.0, [10.0; 3]));
        assert_eq!(of_generation(&base, &head, &[]), None);
        let later: Vec<Point> = head.iter().map(|point| Point { round: point.round + 3, ..*point }).collect();
        assert_eq!(of_generation(&base, &later, &base), None);
    }
}
