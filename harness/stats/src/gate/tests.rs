//! The way of a cell through a gate.

use super::{Finding, Gate, LOOKS, Why};
use proptest::prelude::*;

/// A generation's numbers: a shift, and a little noise that comes again every three generations.
fn numbers(shift: f64, at: usize) -> Option<(f64, f64)> {
    let noise = [0.0, 0.001, -0.001][at % 3];
    Some((shift + noise, -noise))
}

/// Gives a gate of one cell so many generations at most; how many it took.
fn run(gate: &mut Gate, most: usize, shift: impl Fn(usize) -> f64) -> usize {
    (0..most)
        .take_while(|&at| {
            gate.is_undecided(0) && {
                gate.take(&[numbers(shift(at), at)]);
                true
            }
        })
        .count()
}

#[test]
fn equal_builds_pass_at_the_first_look() {
    let mut gate = Gate::new(1, 0.02);
    assert_eq!(run(&mut gate, 100, |_| 0.0), LOOKS[0]);
    assert_eq!(gate.known(0).finding, Finding::Pass);
    assert_eq!(gate.known(0).generations, (LOOKS[0], 0));
}

#[test]
fn a_slowdown_is_measured_twice_and_the_second_ratio_is_reported() {
    let mut gate = Gate::new(1, 0.02);
    // The first measurement sees 6 %, the second 5 %.
    assert_eq!(run(&mut gate, 100, |at| if at < LOOKS[0] { 0.06 } else { 0.05 }), 2 * LOOKS[0]);
    let known = gate.known(0);
    assert_eq!((known.finding, known.generations), (Finding::Slower, (LOOKS[0], LOOKS[0])));
    assert!((known.ratio.unwrap().centre() - 0.05).abs() < 1e-9);
    let mut faster = Gate::new(1, 0.02);
    run(&mut faster, 100, |_| -0.05);
    assert_eq!(faster.known(0).finding, Finding::Faster);
}

#[test]
fn a_difference_that_does_not_come_again_is_none() {
    let mut gate = Gate::new(1, 0.02);
    assert_eq!(run(&mut gate, 100, |at| if at < LOOKS[0] { 0.06 } else { 0.0 }), 2 * LOOKS[0]);
    assert!(matches!(gate.known(0).finding, Finding::Open(Why::Contradicted(factor)) if (factor - 1.0618).abs() < 1e-3));
    let mut starved = Gate::new(1, 0.02);
    run(&mut starved, LOOKS[0] + 2, |_| 0.06);
    assert!(matches!(starved.known(0).finding, Finding::Open(Why::Unconfirmed(_))));
}

#[test]
fn a_speed_up_that_is_not_confirmed_is_no_slowdown_either() {
    let mut gate = Gate::new(1, 0.02);
    run(&mut gate, 100, |at| if at < LOOKS[0] { -0.06 } else { 0.0 });
    assert_eq!((gate.known(0).finding, gate.known(0).generations), (Finding::Pass, (LOOKS[0], LOOKS[0])));
    // Faster by about the threshold: there is more to know, and when the time is up it is known well enough not to be slower.
    let mut edge = Gate::new(1, 0.02);
    assert_eq!(run(&mut edge, 1000, |_| -0.01965), LOOKS[LOOKS.len() - 1]);
    assert_eq!(edge.known(0).finding, Finding::Pass);
}

#[test]
fn a_slowdown_within_the_threshold_passes() {
    let mut gate = Gate::new(1, 0.02);
    run(&mut gate, 100, |_| 0.01);
    assert_eq!(gate.known(0).finding, Finding::Pass);
    assert!(gate.known(0).ratio.unwrap().interval().unwrap().0 > 1.0, "though it is there for certain");
}

#[test]
fn what_is_not_known_in_time_is_open_with_the_reason() {
    let mut early = Gate::new(1, 0.02);
    run(&mut early, LOOKS[0] - 1, |_| 0.0);
    assert_eq!(early.known(0).finding, Finding::Open(Why::TooFew));
    // Just below the threshold: neither beyond it nor below it for certain.
    let mut edge = Gate::new(1, 0.02);
    assert_eq!(run(&mut edge, 1000, |_| 0.01965), LOOKS[LOOKS.len() - 1]);
    assert!(matches!(edge.known(0).finding, Finding::Open(Why::MayBeSlower(highest)) if highest > 1.02));
    let mut coarse = Gate::new(1, 0.02);
    for at in 0..LOOKS[0] {
        coarse.take(&[numbers(0.0, at).map(|(ratio, twin)| (ratio, twin + 0.03))]);
    }
    assert!(matches!(coarse.known(0).finding, Finding::Open(Why::Coarse(fraction)) if fraction > 0.03));
}

#[test]
fn generations_without_a_number_do_not_count() {
    let mut gate = Gate::new(2, 0.02);
    for at in 0..LOOKS[0] {
        gate.take(&[numbers(0.0, at), None]);
        gate.take(&[Some((f64::NAN, 0.0)), Some((f64::NEG_INFINITY, 0.0))]);
    }
    assert_eq!((gate.known(0).finding, gate.known(1).generations), (Finding::Pass, (0, 0)));
}

proptest! {
    /// Base and head change places: faster for slower, and nothing else.
    #[test]
    fn turned_round_slower_is_faster(shifts in prop::collection::vec(-0.1..0.1_f64, 10..30), common in -0.1..0.1_f64) {
        let found = |sign: f64| {
            let mut gate = Gate::new(1, 0.02);
            for (at, shift) in shifts.iter().enumerate() {
                gate.take(&[numbers(common + shift / 10.0, at).map(|(ratio, twin)| (sign * ratio, sign * twin))]);
            }
            gate.known(0).finding
        };
        let (there, back) = (found(1.0), found(-1.0));
        prop_assert_eq!(there == Finding::Slower, back == Finding::Faster);
        prop_assert_eq!(there == Finding::Faster, back == Finding::Slower);
    }

    #[test]
    fn a_decision_stands(shift in -0.1..0.1_f64, later in prop::collection::vec(-0.2..0.2_f64, 1..20)) {
        let mut gate = Gate::new(1, 0.02);
        run(&mut gate, 500, |_| shift);
        let before = gate.known(0);
        later.iter().for_each(|&ratio| gate.take(&[Some((ratio, 0.0))]));
        prop_assert_eq!(before, gate.known(0));
    }
}
