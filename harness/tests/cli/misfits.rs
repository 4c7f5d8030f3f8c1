//! Lanes that go wrong. Beside each of them a healthy one is measured, whose number must not suffer.

use std::fs;

use bindbench_model::Status;
use bindbench_store::Recorded;

use crate::sandbox::{Ended, Sandbox, cell, has_its_number};

/// Rounds enough for `later` and `dies` to go wrong in the midst of them.
const ROUNDS: u32 = 12;

/// Measures a misfit beside the healthy lane, and makes sure of what is the same for all of them.
fn measure(misfit: &str, more: &[&str]) -> (Sandbox, Ended, Recorded) {
    let sandbox = Sandbox::with("misfits");
    let rounds = ROUNDS.to_string();
    let mut arguments = vec!["--lane", "misfits/healthy", "--lane", misfit, "--rounds", &rounds];
    arguments.extend(more);
    let ended = sandbox.run(&arguments);
    let recorded = sandbox.recorded();
    has_its_number(&recorded, "misfits/healthy", ROUNDS);
    sandbox.wait_for_the_end_of_workers();
    (sandbox, ended, recorded)
}

/// A misfit without a number: its status, and its row in the table that says the same.
fn without_number(misfit: &str, more: &[&str], exit_status: i32) -> Status {
    let (_sandbox, ended, recorded) = measure(misfit, more);
    let ended = ended.exits_with(exit_status);
    let status = cell(&recorded, misfit).status.clone();
    let printed = ended.stdout();
    let row = printed.lines().find(|line| line.trim_start().starts_with(misfit)).expect("its row");
    assert!(!row.contains(" ns") && !row.contains(" µs") && !row.contains(" ms"), "a number: {row}");
    ended.prints(&[&status.to_string().split_whitespace().collect::<Vec<_>>().join(" ").replace('\x1b', "")]);
    status
}

#[test]
fn a_wrong_answer_is_status_1_and_no_number() {
    let status = without_number("misfits/wrong", &[], 1);
    assert!(matches!(&status, Status::Wrong { detail } if detail.contains("expected the int")), "{status}");
}

#[test]
fn an_answer_that_is_wrong_now_and_then_is_found_before_the_first_sample() {
    let (_sandbox, ended, recorded) = measure("misfits/sometimes", &[]);
    ended.exits_with(1);
    let cell = cell(&recorded, "misfits/sometimes");
    assert!(matches!(cell.status, Status::Wrong { .. }), "{}", cell.status);
    assert!(recorded.samples.iter().all(|sample| sample.cell != cell.id));
}

#[test]
fn an_answer_that_turns_wrong_later_takes_the_number_away() {
    let status = without_number("misfits/later", &[], 1);
    assert!(matches!(status, Status::Wrong { .. }), "{status}");
}

#[test]
fn a_lane_that_raises_is_status_4() {
    let status = without_number("misfits/raises", &[], 4);
    let Status::Raised { detail } = status else { panic!("{status}") };
    assert!(detail.starts_with("Odd: one line\nand \x1b[31manother (raises.py:9 in add, traceback in logs/misfits-raises-"), "{detail}");
}

#[test]
fn a_lane_that_cannot_be_imported_is_status_4() {
    let sandbox = Sandbox::with("misfits");
    sandbox.run(&["--lane", "misfits/unimportable", "--workload", "call.noop", "--rounds", "2"]).exits_with(4);
    // What is wrong with one operation is wrong with all, and is said of all.
    let recorded = sandbox.recorded();
    assert_eq!(recorded.run.cells.len(), 2);
    for cell in &recorded.run.cells {
        let status = &cell.status;
        assert!(matches!(status, Status::Raised { detail } if detail.contains("No module named 'bindbench_is_not_there'")), "{status}");
    }
}

#[test]
fn what_is_no_exception_is_a_failed_cell_too() {
    let status = without_number("misfits/panics", &[], 4);
    let Status::Raised { detail } = status else { panic!("{status}") };
    assert!(detail.starts_with("PanicException: called `Option::unwrap()` on a `None` value (panics.py:14 in add"), "{detail}");
}

#[test]
fn a_lane_that_prints_megabytes_has_a_number_and_a_short_log() {
    let (sandbox, ended, recorded) = measure("misfits/chatty", &[]);
    ended.succeeds();
    has_its_number(&recorded, "misfits/chatty", ROUNDS);
    for log in fs::read_dir(sandbox.run_folder().join("logs")).unwrap() {
        let bytes = log.unwrap().metadata().unwrap().len();
        assert!(bytes <= 16 << 20, "{bytes} bytes");
    }
}

#[test]
fn a_lane_that_exits_is_status_4() {
    let exits = without_number("misfits/exits", &[], 4);
    assert!(matches!(&exits, Status::Raised { detail } if detail.starts_with("SystemExit: 3 (exits.py:7 in add")), "{exits}");
    assert_eq!(without_number("misfits/quits", &[], 4), Status::Exited { code: 0, said: None });
    let speaks = without_number("misfits/speaks", &[], 4);
    let Status::Exited { code: 7, said: Some(said) } = &speaks else { panic!("{speaks}") };
    assert!(said.starts_with("the disk is on fire (logs/misfits-speaks-"), "{said}");
}

#[test]
fn a_lane_that_segfaults_is_status_4() {
    assert_eq!(without_number("misfits/segfaults", &[], 4), Status::Crashed { signal: "SIGSEGV".into(), said: None });
}

#[test]
fn a_lane_that_dies_in_the_midst_of_the_rounds_is_status_4() {
    assert_eq!(without_number("misfits/dies", &[], 4), Status::Crashed { signal: "SIGKILL".into(), said: None });
}

#[test]
fn a_lane_that_hangs_is_killed_with_all_it_started() {
    let (sandbox, ended, recorded) = measure("misfits/hangs", &["--timeout", "2"]);
    ended.exits_with(4).prints(&["timed out after 2 s"]);
    assert_eq!(cell(&recorded, "misfits/hangs").status, Status::TimedOut { after_s: 2.0 });
    // `measure` has seen that nothing is left. Was there anything?
    let logs = sandbox.run_folder().join("logs");
    assert!(logs.join("children").exists(), "it never got to start its children");
    for log in fs::read_dir(logs).unwrap() {
        let bytes = log.unwrap().metadata().unwrap().len();
        assert!(bytes < 64 << 20, "the log has {bytes} bytes");
    }
}

#[test]
fn a_lane_that_takes_too_much_memory_is_killed() {
    if cfg!(not(target_os = "linux")) {
        return; // No other system tells what a process tree uses.
    }
    let status = without_number("misfits/hungry", &["--memory", "300MiB"], 4);
    assert_eq!(status, Status::OutOfMemory { limit_bytes: 300 << 20 });
}

#[test]
fn a_lane_that_writes_into_the_protocol_is_status_4() {
    let status = without_number("misfits/meddles", &[], 4);
    assert!(matches!(&status, Status::Raised { detail } if detail.contains("can't be understood")), "{status}");
}

#[test]
fn a_wrong_answer_weighs_more_than_a_missing_one() {
    let (_sandbox, ended, recorded) = measure("misfits/{wrong,exits,raises}", &[]);
    ended.exits_with(1);
    assert_eq!(recorded.run.cells.iter().filter(|cell| !cell.status.has_number()).count(), 3);
}
