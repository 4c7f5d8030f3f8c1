//! The driver is stopped in the middle of a round, in the polite way and in the other one, then told to go on.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Child, Stdio};

use bindbench_model::{RunState, Status};
use bindbench_store::Recorded;
use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Ended, Sandbox, cell, has_its_number};

const ROUNDS: u32 = 12;

/// Starts the run and waits until some rounds are on the disk. What follows hits the next one: a round takes a while.
fn begin(sandbox: &Sandbox, lane: &str, rows: usize) -> Child {
    begin_with(sandbox, lane, rows, &[])
}

fn begin_with(sandbox: &Sandbox, lane: &str, rows: usize, more: &[&str]) -> Child {
    let rounds = ROUNDS.to_string();
    let arguments = ["run", "--preset", "smoke", "-w", "call.add", "--generations", "2", "--rounds", &rounds, "--lane", lane];
    let arguments = [&arguments, more].concat();
    let driver = sandbox.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    sandbox.wait_for_rows(rows);
    assert!(!sandbox.workers().is_empty(), "no worker is seen, so none could be seen to be left");
    driver
}

fn stop(driver: Child, signal: Signal) -> Ended {
    kill_process(Pid::from_child(&driver), signal).unwrap();
    Ended { output: driver.wait_with_output().unwrap() }
}

fn resume(sandbox: &Sandbox) -> Ended {
    let folder = sandbox.run_folder();
    let id = folder.file_name().unwrap().to_str().unwrap();
    sandbox.bindbench(&["run", "--resume", id])
}

/// Every live cell has one sample in each planned round; the rows that were there before are still the same.
fn is_complete(after: &Recorded, before: &Recorded) {
    assert_eq!(after.damage, []);
    assert_eq!(after.run.state, RunState::Finished);
    assert_eq!((after.run.plan.generations, after.run.plan.rounds), (2, ROUNDS));
    let mut times: BTreeMap<(u32, u32, u32), u32> = BTreeMap::new();
    for sample in &after.samples {
        *times.entry((sample.cell, sample.generation, sample.round)).or_default() += 1;
    }
    for cell in after.run.cells.iter().filter(|cell| cell.status.has_number()) {
        for generation in 0..2 {
            for round in 0..ROUNDS {
                assert_eq!(times.get(&(cell.id, generation, round)), Some(&1), "{} {generation} {round}", cell.lane);
            }
        }
    }
    assert!(before.samples.iter().all(|sample| after.samples.contains(sample)), "a complete round was lost");
}

fn interrupted_and_resumed(signal: Signal, status: Option<i32>, state: RunState) {
    let sandbox = Sandbox::with("steady");
    let ended = stop(begin(&sandbox, "steady/*", 10), signal);
    assert_eq!(ended.output.status.code(), status, "{}", ended.stderr());
    sandbox.wait_for_the_end_of_workers();
    let before = sandbox.recorded();
    assert_eq!(before.run.state, state);
    assert_eq!(before.damage, []);
    let there = before.samples.len();
    assert!(there >= 9 && there < 3 * 2 * ROUNDS as usize, "{there} samples: it was not stopped in its middle");
    assert_eq!(there % 3, 0, "two lanes and a twin: part of a round is on the disk");
    sandbox.bindbench(&["report"]).succeeds().prints(&["not complete"]);
    if status == Some(130) { sandbox.go_on(&ended) } else { resume(&sandbox) }.succeeds();
    is_complete(&sandbox.recorded(), &before);
    let copies = fs::read_dir(sandbox.path().join("build/frozen")).unwrap().count();
    assert_eq!(copies, 0, "a copy of the sources was left");
}

#[test]
fn ctrl_c_keeps_the_rounds_and_resume_takes_the_others() {
    interrupted_and_resumed(Signal::INT, Some(130), RunState::Interrupted);
}

#[test]
fn a_signal_that_ends_the_session_is_like_ctrl_c() {
    let sandbox = Sandbox::with("steady");
    // Elsewhere, under a name that a shell takes apart, and with options: what is told to go on with has all of it.
    let elsewhere = sandbox.path().join("it's $HOME, my runs");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, sandbox.path().join("runs")).unwrap();
    let options = ["--runs", elsewhere.to_str().unwrap(), "--out", "my report", "--timeout", "77", "--memory", "2GiB"];
    let ended = stop(begin_with(&sandbox, "steady/slow", 3, &options), Signal::TERM).exits_with(130);
    sandbox.wait_for_the_end_of_workers();
    let ended = ended.says(&["--timeout 77", "--memory 2147483648"]);
    fs::remove_file(sandbox.path().join("runs")).unwrap();
    sandbox.go_on(&ended).succeeds();
    assert!(sandbox.path().join("my report/index.html").is_file());
    let run = fs::read_dir(elsewhere).unwrap().next().unwrap().unwrap().path();
    assert_eq!(Recorded::read(&run).unwrap().run.state, RunState::Finished);
}

/// `nohup`, and a shell that starts something behind it, ignore signals for what they start.
#[test]
fn a_signal_that_was_ignored_when_the_run_began_stays_ignored() {
    let sandbox = Sandbox::with("steady");
    let run = sandbox.command(&["run", "--preset", "smoke", "-w", "call.add", "-s", "steady/slow", "--generations", "1", "--rounds", "20"]);
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(sandbox.path()).args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(run.get_program()).args(run.get_args());
    let driver = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    sandbox.wait_for_rows(2);
    stop(driver, Signal::HUP).succeeds();
}

#[test]
fn a_killed_driver_loses_no_round_and_leaves_no_worker() {
    interrupted_and_resumed(Signal::KILL, None, RunState::Running);
}

#[test]
fn a_run_that_was_stopped_twice_is_complete_in_the_end() {
    let sandbox = Sandbox::with("steady");
    stop(begin(&sandbox, "steady/*", 10), Signal::KILL);
    let before = sandbox.recorded();
    let folder = sandbox.run_folder();
    let arguments = ["run", "--resume", folder.to_str().unwrap()];
    let driver = sandbox.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    sandbox.wait_for_rows(before.samples.len() + 9);
    stop(driver, Signal::INT).exits_with(130);
    resume(&sandbox).succeeds();
    is_complete(&sandbox.recorded(), &before);
}

#[test]
fn a_driver_killed_while_it_calibrates_can_go_on() {
    let sandbox = Sandbox::with("steady");
    let arguments = ["run", "--preset", "smoke", "-w", "call.add", "--generations", "2", "--rounds", "12", "--lane", "steady/*"];
    let driver = sandbox.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    sandbox.wait_until("a worker", || (!sandbox.workers().is_empty()).then_some(()));
    stop(driver, Signal::KILL);
    sandbox.wait_for_the_end_of_workers();
    let before = sandbox.recorded();
    assert_eq!(before.samples, []);
    resume(&sandbox).succeeds();
    is_complete(&sandbox.recorded(), &before);
}

#[test]
fn what_went_wrong_before_the_driver_was_killed_is_not_forgotten() {
    let sandbox = Sandbox::with("misfits");
    // `later` is wrong from the ninth round of a generation on, and right in the first rounds of the next workers.
    stop(begin(&sandbox, "misfits/{healthy,later}", 3 * 10), Signal::KILL);
    sandbox.wait_for_the_end_of_workers();
    let before = sandbox.recorded();
    assert!(matches!(cell(&before, "misfits/later").status, Status::Wrong { .. }), "{}", cell(&before, "misfits/later").status);
    resume(&sandbox).exits_with(1);
    let after = sandbox.recorded();
    is_complete(&after, &before);
    assert!(matches!(cell(&after, "misfits/later").status, Status::Wrong { .. }));
}

#[test]
fn a_run_is_not_resumed_with_another_build() {
    let sandbox = Sandbox::with("forge");
    let source = sandbox.path().join("forge/forge/make.py");
    sandbox.run(&["--lane", "forge/made", "--rounds", "2"]).succeeds();
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("a + b", "b + a")).unwrap();
    resume(&sandbox).refuses_with(&["forge/made has been built anew since the run began, or is gone"]);
    sandbox.set_up("forge/made").succeeds();
    resume(&sandbox).refuses_with(&["forge/made has been built anew since the run began, or is gone"]);
    has_its_number(&sandbox.recorded(), "forge/made", 2);
}
