//! What goes wrong with one worker costs its cells their numbers, and nobody else's.

use std::time::Duration;

use bindbench_model::Status;
use bindbench_protocol::{Raised, Reply, Request, Sampled};
use bindbench_worker::Lost;

use super::super::Outcome;
use super::script::{Asked, Script, right, sampled, wrong};
use super::{ITEMS, Tried};

/// The third sample of lane b in `call.add`, after the one that warms up and one of the first round.
fn is_it(asked: &Asked) -> bool {
    asked.lane == "b/b" && asked.worker < 2 && asked.samples >= 2 && matches!(&asked.request, Request::Sample(sample) if sample.cell == 1)
}

/// Lanes a and b in one case, of which b has this trouble in the first generation.
fn with(trouble: impl Fn() -> Result<Reply, Lost> + Send + Sync + 'static) -> (Tried, Script) {
    let script = Script::with(move |asked| is_it(asked).then(&trouble));
    let mut tried = Tried::with(&["a/a", "b/b"], |run| run.cells.truncate(2));
    assert_eq!(tried.measure(&script), Outcome::Finished);
    (tried, script)
}

fn rows(tried: &Tried, cell: u32) -> Vec<(u32, u32, bool)> {
    let samples = tried.recorded().samples;
    samples.iter().filter(|row| row.cell == cell).map(|row| (row.generation, row.round, row.digest_ok)).collect()
}

#[test]
fn a_wrong_answer_has_a_row_and_ends_the_cell() {
    let (tried, _) = with(|| Ok(sampled(5, wrong())));
    assert_eq!(tried.status("b/b"), &Status::Wrong { detail: "input 0: expected the int 7, got the int 8".into() });
    assert_eq!(rows(&tried, 1).last().map(|row| row.2), Some(false));
    assert!(rows(&tried, 1).len() < 6);
    assert_eq!((rows(&tried, 0).len(), tried.status("a/a")), (6, &Status::Ok));
}

#[test]
fn what_raises_has_no_row() {
    let raised = || Raised { kind: "ValueError".into(), message: "no".into(), bases: Vec::new(), traceback: None, place: None };
    let (tried, _) = with(move || Ok(Reply::Failed(raised())));
    assert_eq!(tried.status("b/b"), &Status::Raised { detail: "ValueError: no".into() });
    assert!(rows(&tried, 1).iter().all(|row| row.2));
    assert_eq!(rows(&tried, 0).len(), 6);
}

#[test]
fn a_signal_is_named_with_the_last_words() {
    let (tried, _) = with(|| Err(Lost::Crashed { signal: 11 }));
    let said = Some("the last words of b/b".to_owned());
    assert_eq!(tried.status("b/b"), &Status::Crashed { signal: "SIGSEGV".into(), said });
}

#[test]
fn an_end_by_itself_has_its_status() {
    let (tried, _) = with(|| Err(Lost::Exited { code: 3 }));
    assert!(matches!(tried.status("b/b"), Status::Exited { code: 3, said: Some(_) }));
}

#[test]
fn who_takes_too_long_is_timed_out() {
    let (tried, _) = with(|| Err(Lost::TimedOut { after: Duration::from_secs(9) }));
    assert_eq!(tried.status("b/b"), &Status::TimedOut { after_s: 9.0 });
}

#[test]
fn who_takes_too_much_is_out_of_memory() {
    let (tried, _) = with(|| Err(Lost::OutOfMemory { limit: 1 << 30 }));
    assert_eq!(tried.status("b/b"), &Status::OutOfMemory { limit_bytes: 1 << 30 });
}

#[test]
fn what_can_not_be_understood_is_said() {
    let (tried, _) = with(|| Err(Lost::Garbled { message: "its reply can't be understood".into() }));
    let detail = "its reply can't be understood; it printed: the last words of b/b".to_owned();
    assert_eq!(tried.status("b/b"), &Status::Raised { detail });
}

#[test]
fn no_sample_takes_longer_than_its_round_trip() {
    let (tried, _) = with(|| Ok(sampled(u64::MAX, right())));
    assert!(matches!(tried.status("b/b"), Status::Raised { detail } if detail.contains("and answered sooner")));
}

#[test]
fn a_sample_without_an_answer_is_none() {
    let (tried, _) = with(|| Ok(Reply::Sampled(Sampled { elapsed_ns: 5, empty_ns: None, answers: Vec::new() })));
    assert!(matches!(tried.status("b/b"), Status::Raised { detail } if detail.contains("does not fit the request")));
}

#[test]
fn an_answer_to_no_input_is_wrong() {
    let answers = || vec![bindbench_protocol::ItemAnswer { item: ITEMS, answer: right() }];
    let (tried, _) = with(move || Ok(Reply::Sampled(Sampled { elapsed_ns: 5, empty_ns: None, answers: answers() })));
    assert!(matches!(tried.status("b/b"), Status::Wrong { detail } if detail.contains("which its pool does not have")));
}

#[test]
fn another_reply_than_the_one_asked_for_is_no_sample() {
    let (tried, _) = with(|| Ok(Reply::Prepared {}));
    assert!(matches!(tried.status("b/b"), Status::Raised { detail } if detail.contains("does not fit the request")));
}

#[test]
fn the_other_cells_of_a_worker_that_died_get_a_new_one_in_the_same_generation() {
    let script = Script::with(|asked| is_it(asked).then_some(Err(Lost::Crashed { signal: 11 })));
    let mut tried = Tried::with(&["a/a", "b/b"], |_| ());
    tried.measure(&script);
    assert_eq!(script.started().iter().filter(|(lane, _)| lane == "b/b").count(), 3);
    assert_eq!(rows(&tried, 3).len(), 6, "its other case is sampled on");
    let prepared = |cell: u32| {
        let is_one = |request: &Request| matches!(request, Request::Prepare(prepare) if prepare.cell == cell);
        script.asked().iter().filter(|asked| is_one(&asked.request)).count()
    };
    assert!(prepared(3) >= 3, "the new worker has its inputs, too");
}

#[test]
fn who_can_not_be_started_is_tried_once_in_a_generation() {
    let mut script = Script::fine();
    script.unstartable = vec!["b/b"];
    let mut tried = Tried::with(&["a/a", "b/b"], |_| ());
    assert_eq!(tried.measure(&script), Outcome::Finished);
    for cell in tried.session.run.cells.iter().filter(|cell| cell.lane == "b/b") {
        assert!(matches!(&cell.status, Status::Raised { detail } if detail == "the worker can't be started: worker: no such program"));
    }
    assert_eq!(rows(&tried, 0).len(), 6);
}

#[test]
fn what_can_not_be_loaded_is_loaded_once_in_a_generation_and_never_again() {
    let failed = || Raised { kind: "ImportError".into(), message: "x".into(), bases: Vec::new(), traceback: None, place: None };
    let script =
        Script::with(move |asked| (asked.lane == "b/b" && matches!(asked.request, Request::Load(_))).then(|| Ok(Reply::Failed(failed()))));
    let mut tried = Tried::with(&["a/a", "b/b"], |_| ());
    tried.measure(&script);
    assert_eq!(script.started().iter().filter(|(lane, _)| lane == "b/b").count(), 1);
    assert_eq!(tried.status("b/b"), &Status::Raised { detail: "ImportError: x".into() });
}

#[test]
fn who_answers_something_else_when_told_to_load_is_not_measured() {
    let script = Script::with(|asked| matches!(asked.request, Request::Load(_)).then_some(Ok(Reply::Prepared {})));
    let mut tried = Tried::with(&["a/a"], |_| ());
    tried.measure(&script);
    assert!(matches!(tried.status("a/a"), Status::Raised { detail } if detail.contains("does not fit the request")));
    assert_eq!(tried.recorded().samples, []);
}

#[test]
fn what_went_wrong_is_on_disk_before_the_round_in_which_it_did() {
    // The third round of the first generation is not written: the driver is killed, so to speak.
    let script = Script::with(|asked| match (is_it(asked), asked.samples) {
        (true, 2) => Some(Ok(sampled(5, wrong()))),
        _ => (asked.samples >= 3).then_some(Err(Lost::Interrupted)),
    });
    let mut tried = Tried::with(&["a/a", "b/b"], |run| run.cells.truncate(2));
    assert_eq!(tried.measure(&script), Outcome::Interrupted);
    assert!(matches!(tried.recorded().run.cells[1].status, Status::Wrong { .. }));
}

#[test]
fn an_end_that_is_not_as_it_should_be_is_noted_once() {
    let mut script = Script::fine();
    script.ending.left_behind = vec!["sleep".into()];
    let mut tried = Tried::with(&["a/a"], |_| ());
    tried.measure(&script);
    assert_eq!(tried.recorded().run.notes, ["a/a left 1 process behind (sleep), which was killed."]);
}
