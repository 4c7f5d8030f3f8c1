//! Verification and calibration: every answer once, then doubling loops until a sample is long enough.

use std::time::Duration;

use bindbench_model::{Run, RunState, Status};
use bindbench_protocol::{Reply, Request};
use bindbench_worker::Lost;

use super::super::Outcome;
use super::script::{Asked, Script, right, sampled, wrong};
use super::{ITEMS, Tried};

/// Nothing is known of its one cell yet.
fn pending(run: &mut Run) {
    run.cells.truncate(1);
    run.cells[0].loops = 0;
    run.cells[0].sample_ns = 0;
    run.cells[0].status = Status::Pending;
}

/// A call takes a millisecond.
fn a_millisecond(asked: &Asked) -> Option<Result<Reply, Lost>> {
    let Request::Sample(sample) = &asked.request else { return None };
    std::thread::sleep(Duration::from_millis(sample.loops));
    Some(Ok(sampled(sample.loops * 1_000_000, right())))
}

fn calibrated(script: &Script, edit: fn(&mut Run)) -> Tried {
    let mut tried = Tried::with(&["a/a"], |run| {
        pending(run);
        edit(run);
    });
    assert_eq!(tried.measure(script), Outcome::Finished);
    tried
}

/// What was asked before the first generation: of the first worker.
fn before(script: &Script) -> Vec<Request> {
    script.asked().into_iter().filter(|asked| asked.worker == 0).map(|asked| asked.request).collect()
}

#[test]
fn loops_double_until_a_sample_lasts_five_milliseconds() {
    let script = Script::with(a_millisecond);
    let tried = calibrated(&script, |_| ());
    let loops: Vec<u64> = before(&script)
        .iter()
        .filter_map(|request| match request {
            Request::Sample(sample) => Some(sample.loops),
            _ => None,
        })
        .collect();
    assert_eq!(loops, [1, 2, 4, 8]);
    let cell = &tried.session.run.cells[0];
    assert_eq!((cell.loops, cell.sample_ns, &cell.status), (8, 8_000_000, &Status::Ok));
}

#[test]
fn what_takes_no_time_has_as_many_loops_as_there_may_be() {
    let tried = calibrated(&Script::fine(), |_| ());
    assert_eq!(tried.session.run.cells[0].loops, 1 << 22);
}

#[test]
fn what_a_worker_says_of_its_samples_is_not_believed_beyond_their_round_trips() {
    let script = Script::with(|asked| {
        let is_first = asked.worker == 0 && matches!(asked.request, Request::Sample(_));
        is_first.then(|| Ok(sampled(u64::MAX, right())))
    });
    let tried = calibrated(&script, |_| ());
    assert_eq!(tried.session.run.cells[0].loops, 1 << 22, "each came back at once");
}

#[test]
fn all_answers_of_the_pool_are_checked_in_steps_that_double() {
    let script = Script::with(a_millisecond);
    calibrated(&script, |_| ());
    let asked: Vec<(usize, Option<usize>)> = before(&script)
        .iter()
        .filter_map(|request| match request {
            Request::Verify { first, count, .. } => Some((*first, *count)),
            _ => None,
        })
        .collect();
    assert_eq!(asked, [(0, Some(1)), (1, Some(2)), (3, Some(1))]);
    assert_eq!(asked.iter().filter_map(|(_, count)| *count).sum::<usize>(), ITEMS);
}

#[test]
fn a_wrong_answer_ends_a_cell_before_its_first_sample() {
    let script = Script::with(|asked| match &asked.request {
        Request::Verify { first: 3, .. } => Some(Ok(Reply::Verified { answers: vec![wrong()], first_ns: None })),
        _ => None,
    });
    let tried = calibrated(&script, |_| ());
    assert_eq!(tried.status("a/a"), &Status::Wrong { detail: "input 3: expected the int 7, got the int 8".into() });
    assert!(!script.asked().iter().any(|asked| matches!(asked.request, Request::Sample(_))));
    assert_eq!(tried.recorded().samples, []);
}

#[test]
fn too_few_answers_are_none() {
    let script = Script::with(|asked| match &asked.request {
        Request::Verify { first: 1, .. } => Some(Ok(Reply::Verified { answers: vec![right()], first_ns: None })),
        _ => None,
    });
    let tried = calibrated(&script, |_| ());
    assert!(matches!(tried.status("a/a"), Status::Raised { detail } if detail.contains("does not fit the request")));
}

#[test]
fn inputs_are_dropped_when_a_cell_is_calibrated() {
    let script = Script::with(a_millisecond);
    calibrated(&script, |_| ());
    let own = before(&script);
    assert_eq!(own[own.len() - 2..], [Request::Drop { cell: 0 }, Request::Finish]);
}

#[test]
fn the_lane_gets_a_twin_with_a_worker_of_its_own() {
    let script = Script::with(a_millisecond);
    let tried = calibrated(&script, |run| run.plan.fixed_rounds = true);
    let run = tried.recorded().run;
    assert_eq!(run.cells.iter().map(|cell| (cell.id, cell.twin, cell.loops)).collect::<Vec<_>>(), [(0, false, 8), (1, true, 8)]);
    assert_eq!(script.started().len(), 1 + 2 * 2, "one calibrates, then two in each generation");
    assert_eq!(run.workers.iter().filter(|worker| worker.twin).count(), 2);
    assert_eq!(tried.recorded().samples.len(), 2 * 2 * 3);
}

#[test]
fn a_lane_that_has_no_number_has_no_twin() {
    let script = Script::with(|asked| matches!(asked.request, Request::Prepare(_)).then_some(Err(Lost::Exited { code: 1 })));
    let tried = calibrated(&script, |_| ());
    assert_eq!(tried.session.run.cells.len(), 1);
    assert!(matches!(tried.status("a/a"), Status::Exited { code: 1, .. }));
}

#[test]
fn ctrl_c_while_it_calibrates_leaves_a_run_to_go_on_with() {
    let script = Script::with(|asked| matches!(asked.request, Request::Sample(_)).then_some(Err(Lost::Interrupted)));
    let mut tried = Tried::with(&["a/a"], pending);
    assert_eq!(tried.measure(&script), Outcome::Interrupted);
    let run = tried.recorded().run;
    assert_eq!((run.state, &run.cells[0].status), (RunState::Interrupted, &Status::Pending));
    assert_eq!(tried.measure(&Script::with(a_millisecond)), Outcome::Finished);
}

#[test]
fn what_is_slow_beyond_the_budget_has_fewer_rounds() {
    let script = Script::with(a_millisecond);
    let tried = calibrated(&script, |run| run.plan.budget_s = 0.08);
    let run = tried.recorded().run;
    // 8 ms a sample: some of the six that were planned do not fit into 80 ms with those of the twin.
    assert!(run.plan.rounds < 3 && run.cells.iter().all(|cell| cell.rounds == run.plan.rounds), "{:?}", run.plan);
}

#[test]
fn what_workers_said_of_the_gil_is_kept() {
    let tried = calibrated(&Script::with(a_millisecond), |run| run.interpreters[0].gil_enabled = None);
    assert_eq!(tried.recorded().run.interpreters[0].gil_enabled, Some(true));
}
