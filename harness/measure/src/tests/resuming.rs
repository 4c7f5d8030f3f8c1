//! Runs that are stopped and go on, and gates, in which cells rest.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use bindbench_model::{GateRecord, RunState, Sample};
use bindbench_protocol::Request;
use bindbench_worker::Lost;

use super::super::Outcome;
use super::Tried;
use super::script::Script;

const LANES: [&str; 2] = ["a/a", "b/b"];

/// Ctrl-C at the nth request that `counts`.
fn interrupted_at(nth: usize, counts: fn(&Request) -> bool) -> Script {
    let seen = AtomicUsize::new(0);
    Script::with(move |asked| (counts(&asked.request) && seen.fetch_add(1, Ordering::Relaxed) + 1 >= nth).then_some(Err(Lost::Interrupted)))
}

fn is_sample(request: &Request) -> bool {
    matches!(request, Request::Sample(_))
}

/// All rows of a run that nothing interrupts.
fn whole() -> Vec<Sample> {
    let mut tried = Tried::with(&LANES, |_| ());
    tried.measure(&Script::fine());
    tried.recorded().samples
}

/// What a run leaves that is stopped at the nth sample, those that warm up among them.
fn stopped_at(nth: usize) -> Tried {
    let mut tried = Tried::with(&LANES, |_| ());
    assert_eq!(tried.measure(&interrupted_at(nth, is_sample)), Outcome::Interrupted);
    tried
}

#[test]
fn ctrl_c_in_a_round_keeps_the_rounds_before_it_and_no_part_of_it() {
    // Four warm up, four are the first round, two are half of the second.
    let tried = stopped_at(4 + 4 + 3);
    assert_eq!(tried.recorded().samples, whole()[..4]);
    assert_eq!(tried.recorded().run.state, RunState::Interrupted);
}

#[test]
fn ctrl_c_while_workers_are_warmed_up_keeps_nothing() {
    assert_eq!(stopped_at(2).recorded().samples, []);
}

#[test]
fn ctrl_c_while_lanes_are_loaded_keeps_nothing() {
    let mut tried = Tried::with(&LANES, |_| ());
    assert_eq!(tried.measure(&interrupted_at(2, |request| matches!(request, Request::Load(_)))), Outcome::Interrupted);
    assert_eq!(tried.recorded().samples, []);
}

#[test]
fn after_ctrl_c_nobody_is_asked_anything_more() {
    let script = interrupted_at(7, is_sample);
    Tried::with(&LANES, |_| ()).measure(&script);
    assert!(is_sample(&script.asked().last().unwrap().request));
}

/// A new session with what the stopped one left on disk, as `--resume` has it.
fn resumed(stopped: &Tried) -> Tried {
    let recorded = stopped.recorded();
    let mut run = stopped.session.run.clone();
    run.state = RunState::Running;
    Tried::of(run, recorded.samples)
}

#[test]
fn who_goes_on_takes_the_missing_rounds_and_no_other_in_the_order_they_would_have_had() {
    for stop in [9, 13, 17, 22, 27] {
        let stopped = stopped_at(stop);
        let before = stopped.recorded().samples;
        let mut tried = resumed(&stopped);
        assert_eq!(tried.measure(&Script::fine()), Outcome::Finished);
        let both: Vec<Sample> = before.into_iter().chain(tried.recorded().samples).collect();
        assert_eq!(both, whole(), "stopped at sample {stop}");
    }
}

#[test]
fn a_run_that_has_all_its_rounds_starts_nobody() {
    let mut first = Tried::with(&LANES, |_| ());
    first.measure(&Script::fine());
    let script = Script::fine();
    let mut tried = resumed(&first);
    assert_eq!(tried.measure(&script), Outcome::Finished);
    assert_eq!(script.started(), []);
    assert_eq!(tried.recorded().run.state, RunState::Finished);
}

#[test]
fn a_generation_that_is_complete_has_no_workers() {
    let stopped = stopped_at(4 + 12 + 4 + 2);
    assert_eq!(stopped.recorded().samples.len(), 12);
    let script = Script::fine();
    resumed(&stopped).measure(&script);
    assert_eq!(script.started().len(), 2);
}

/// A gate, as far as generations go.
fn gate() -> Tried {
    Tried::with(&LANES, |run| run.gate = Some(GateRecord::default()))
}

#[test]
fn cells_that_rest_take_no_part_and_have_no_worker() {
    let script = Script::fine();
    let mut tried = gate();
    let resting: BTreeSet<u32> = [1, 3].into();
    let (outcome, taken) = tried.session.take_generation(0, resting, &script).unwrap();
    assert_eq!((outcome, taken.len()), (Outcome::Finished, 6));
    assert!(taken.iter().all(|sample| [0, 2].contains(&sample.cell)));
    assert_eq!(script.started().iter().map(|(lane, _)| lane.as_str()).collect::<Vec<_>>(), ["a/a"]);
    assert_eq!(tried.recorded().run.gate.unwrap().live, [0, 2]);
}

#[test]
fn a_generation_of_a_gate_is_returned_as_it_is_on_disk() {
    let mut tried = gate();
    let (_, taken) = tried.session.take_generation(0, BTreeSet::new(), &Script::fine()).unwrap();
    assert_eq!(taken, tried.recorded().samples);
    assert!(tried.recorded().run.gate.unwrap().used_s > 0.0);
}

#[test]
fn half_a_generation_of_a_gate_is_completed_and_returned_whole() {
    let mut stopped = gate();
    let (outcome, part) = stopped.session.take_generation(0, BTreeSet::new(), &interrupted_at(4 + 4 + 2, is_sample)).unwrap();
    assert_eq!((outcome, part.len()), (Outcome::Interrupted, 4));
    let mut tried = resumed(&stopped);
    assert!(tried.session.has(0) && !tried.session.has(1));
    let (outcome, taken) = tried.session.take_generation(0, BTreeSet::new(), &Script::fine()).unwrap();
    assert_eq!((outcome, taken.len()), (Outcome::Finished, 12));
    assert_eq!(tried.recorded().samples.len(), 8, "what was on disk before is not taken again");
}
