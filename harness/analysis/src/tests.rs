//! Statistics of whole runs.

use bindbench_model::{Comparison, RunState, Status};
use bindbench_stats::Scale;
use bindbench_store::Recorded;
use bindbench_store::synthetic::Synthetic;
use proptest::prelude::*;

use super::{Analysis, Doubt, NoRatio, samples};

/// Lanes a (100 ns) and b (`b_ns`), and a's twin; cells 0, 1, 2.
fn two_lanes(operation: &str, b_ns: f64, generations: u32, twin: f64) -> Synthetic {
    let mut made = Synthetic::new(generations, 7);
    made.interpreter("3.13.0", &[]);
    made.lane("a/a", Comparison::Controlled);
    made.lane("b/b", Comparison::Controlled);
    let case = made.case(operation, "x", None, None, 1);
    let a = made.cell(case, "a/a", Some("3.13.0"), 100.0);
    made.cell(case, "b/b", Some("3.13.0"), b_ns);
    made.twin(a, twin);
    made
}

#[test]
fn known_speeds_come_out() {
    let recorded = two_lanes("kmp.f", 250.0, 5, 1.0).recorded(0.002);
    let analysis = Analysis::new(&recorded);
    let (low, high) = analysis.ratio(1, 0).unwrap().interval().unwrap();
    assert!(low < 2.5 && 2.5 < high && high / low < 1.02, "[{low}, {high}]");
    assert!((analysis.time(0).unwrap().point() - 100.0).abs() < 1.0);
    assert_eq!(analysis.doubts(), []);
    let resolution = analysis.resolution(0).unwrap();
    assert!(resolution.fraction < 0.01 && !resolution.borrowed);
}

#[test]
fn the_loop_is_taken_off_where_the_case_asks_for_it() {
    let analysis = Analysis::new(&two_lanes("call.noop", 20.0, 5, 1.0).recorded(0.001));
    assert!((analysis.time(1).unwrap().point() - 20.0).abs() < 0.5);
}

#[test]
fn no_more_than_the_loop_is_no_ratio() {
    let analysis = Analysis::new(&two_lanes("call.noop", 0.001, 5, 1.0).recorded(0.01));
    let time = analysis.time(1).unwrap();
    assert_eq!(time.scale(), Scale::Linear);
    assert!(time.interval().unwrap().0 < 0.0);
    assert_eq!([analysis.ratio(1, 0), analysis.ratio(0, 1)], [Err(NoRatio::NearZero); 2]);
}

#[test]
fn a_wrong_answer_leaves_no_number() {
    let mut recorded = two_lanes("kmp.f", 250.0, 5, 1.0).recorded(0.002);
    recorded.samples[4].digest_ok = false;
    let wrong = recorded.samples[4].cell;
    let analysis = Analysis::new(&recorded);
    assert!(analysis.is_wrong(wrong) && analysis.time(wrong).is_none());
    assert_eq!(analysis.ratio(wrong, (wrong + 1) % 3), Err(NoRatio::NoNumber));
}

#[test]
fn rounds_are_paired_and_never_mixed() {
    let mut recorded = two_lanes("kmp.f", 250.0, 5, 1.0).recorded(0.002);
    // A machine that slows down tenfold in some rounds, for every lane.
    for sample in recorded.samples.iter_mut().filter(|sample| sample.round % 3 == 1) {
        sample.elapsed_ns *= 10;
    }
    let ratio = Analysis::new(&recorded).ratio(1, 0).unwrap();
    assert!((ratio.point() - 2.5).abs() < 0.02 && ratio.half_width().unwrap() < 0.02);
    recorded.samples.retain(|sample| sample.round % 2 == sample.cell % 2);
    assert_eq!(Analysis::new(&recorded).ratio(1, 0), Err(NoRatio::NoCommonRound));
}

#[test]
fn doubts_are_raised() {
    let doubts = |made: Synthetic| Analysis::new(&made.recorded(0.002)).doubts().to_vec();
    assert_eq!(doubts(two_lanes("kmp.f", 250.0, 2, 1.0)), [Doubt::FewGenerations { generations: 2 }]);
    let mut single = two_lanes("kmp.f", 250.0, 5, 1.0);
    single.run.cells[2].twin = false;
    single.run.state = RunState::Interrupted;
    assert_eq!(doubts(single), [Doubt::Incomplete, Doubt::NoTwin { planned: 0 }]);
    let mut without_number = two_lanes("kmp.f", 250.0, 5, 1.0);
    without_number.run.cells[2].status = Status::TimedOut { after_s: 1.0 };
    assert_eq!(doubts(without_number), [Doubt::NoTwin { planned: 1 }]);
    let mut stopped = two_lanes("kmp.f", 250.0, 5, 1.0).recorded(0.002);
    stopped.run.state = RunState::Interrupted;
    stopped.samples.clear();
    assert_eq!(Analysis::new(&stopped).doubts(), [Doubt::Incomplete], "before the first sample nothing was looked at");
    assert!(matches!(doubts(two_lanes("kmp.f", 250.0, 5, 1.5))[..], [Doubt::TooWide { factor }] if factor > 3.0));
}

#[test]
fn a_case_without_twin_borrows_from_its_workload_only() {
    let mut made = two_lanes("kmp.f", 250.0, 5, 1.0);
    let same = made.case("kmp.f", "y", None, None, 1);
    let other = made.case("std.sum", "x", None, None, 1);
    let analysis = Analysis::new(&made.recorded(0.002));
    let own = analysis.resolution(0).unwrap().fraction;
    let borrowed = analysis.resolution(same).unwrap();
    assert!(borrowed.borrowed && borrowed.fraction == own);
    assert_eq!(analysis.resolution(other), None);
}

#[test]
fn threads_that_run_at_once_scale() {
    let mut made = Synthetic::new(5, 7);
    for (threads, nanoseconds) in [(1, 100.0), (2, 100.0), (4, 400.0)] {
        let case = made.case("kmp.f", "x", None, None, threads);
        made.cell(case, "a/a", None, nanoseconds);
    }
    let analysis = Analysis::new(&made.recorded(0.001));
    assert!((analysis.scaling(0, 1, 2).unwrap().point() - 2.0).abs() < 0.01);
    assert!((analysis.scaling(0, 2, 4).unwrap().point() - 1.0).abs() < 0.01);
}

fn estimates(recorded: &Recorded) -> [f64; 4] {
    let samples = samples(&recorded.run, &recorded.samples);
    let (ratio, time) = (samples.ratio(1, 0).unwrap(), samples.value(0).unwrap());
    [ratio.centre(), ratio.half_width().unwrap(), time.centre(), time.half_width().unwrap()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn the_order_of_samples_does_not_matter(seed in any::<u64>(), swaps in prop::collection::vec((0..105_usize, 0..105_usize), 1..60)) {
        let mut made = two_lanes("kmp.f", 250.0, 5, 1.0);
        made.run.seed = seed;
        let mut recorded = made.recorded(0.05);
        let in_order = estimates(&recorded);
        for (a, b) in swaps {
            recorded.samples.swap(a, b);
        }
        prop_assert_eq!(estimates(&recorded), in_order);
    }

    #[test]
    fn a_ratio_turned_round_is_its_inverse(seed in any::<u64>()) {
        let mut made = two_lanes("kmp.f", 250.0, 5, 1.0);
        made.run.seed = seed;
        let analysis = Analysis::new(&made.recorded(0.05));
        let (there, back) = (analysis.ratio(1, 0).unwrap(), analysis.ratio(0, 1).unwrap());
        let ((low, high), (back_low, back_high)) = (there.interval().unwrap(), back.interval().unwrap());
        for product in [there.point() * back.point(), low * back_high, high * back_low] {
            prop_assert!((product - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_slower_clock_changes_times_and_no_ratio(seed in any::<u64>(), factor in 2..50_u64) {
        let mut made = two_lanes("kmp.f", 250.0, 5, 1.0);
        made.run.seed = seed;
        let mut recorded = made.recorded(0.05);
        let before = estimates(&recorded);
        recorded.samples.iter_mut().for_each(|sample| sample.elapsed_ns *= factor);
        let after = estimates(&recorded);
        let expected = [before[0], before[1], before[2] + (factor as f64).ln(), before[3]];
        for (after, expected) in after.iter().zip(expected) {
            prop_assert!((after - expected).abs() < 1e-9);
        }
    }
}
