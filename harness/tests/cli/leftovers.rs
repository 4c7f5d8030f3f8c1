//! Nothing stays when a command has ended, however it ended: no process, no shared memory, no temporary file.

#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;

use bindbench_model::{RunState, Status};
use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Sandbox, cell, has_its_number};
use crate::traces::Traces;

const ROUNDS: u32 = 3;

/// `run` of misfits, as small as it can be.
fn run(sandbox: &Sandbox, lanes: &str, rounds: u32, more: &[&str]) -> Command {
    let (rounds, lane) = (rounds.to_string(), format!("misfits/{lanes}"));
    let mut arguments = vec!["run", "--preset", "smoke", "-w", "call.add", "--generations", "1", "--rounds", &rounds, "-s", &lane];
    arguments.extend(more);
    sandbox.command(&arguments)
}

#[test]
fn lanes_that_leave_something_have_their_numbers_and_a_note_and_leave_nothing() {
    let sandbox = Sandbox::with("misfits");
    let ended = Traces::new(&sandbox).run(run(&sandbox, "{healthy,daemons,shares,lingers,leaves_a_mark}", ROUNDS, &[])).succeeds();
    let recorded = sandbox.recorded();
    for lane in ["healthy", "daemons", "shares", "lingers", "leaves_a_mark"] {
        has_its_number(&recorded, &format!("misfits/{lane}"), ROUNDS);
    }
    let notes = recorded.run.notes.join("\n");
    assert!(notes.contains("misfits/daemons left "), "{notes}");
    assert!(notes.contains("misfits/lingers did not end when it was told to, and was killed."), "{notes}");
    assert!(!notes.contains("healthy") && !notes.contains("shares") && !notes.contains("mark"), "{notes}");
    ended.prints(&["Note: misfits/daemons left "]);
    let files = fs::read_dir(sandbox.run_folder().join("logs")).unwrap().filter_map(Result::ok);
    assert!(files.filter(|file| file.file_name().to_string_lossy().starts_with("exited-")).count() >= 2);
}

#[test]
fn lanes_that_hang_or_die_are_ended_with_all_they_started() {
    let sandbox = Sandbox::with("misfits");
    let lanes = "{healthy,joins,shares_and_dies,endless,trickles,verbose}";
    let ended = Traces::new(&sandbox).run(run(&sandbox, lanes, ROUNDS, &["--timeout", "5"])).exits_with(4);
    let recorded = sandbox.recorded();
    has_its_number(&recorded, "misfits/healthy", ROUNDS);
    let status = |lane: &str| cell(&recorded, &format!("misfits/{lane}")).status.clone();
    assert_eq!(status("joins"), Status::TimedOut { after_s: 5.0 });
    assert_eq!(status("trickles"), Status::TimedOut { after_s: 5.0 });
    assert!(matches!(status("shares_and_dies"), Status::Crashed { signal, .. } if signal == "SIGKILL"));
    // Which of the two comes first is a matter of the machine's speed.
    let endless = status("endless").to_string();
    assert!(endless.contains("longer than 64 MiB") || endless.contains("timed out after 5 s"), "{endless}");
    let Status::Raised { detail } = status("verbose") else { panic!("{}", status("verbose")) };
    assert!(
        detail.starts_with("ValueError: headxxx")
            && detail.contains("characters left out")
            && detail.contains("xxxtail (verbose.py:5 in add")
    );
    // All of it is in the log, and nowhere else.
    let folder = sandbox.run_folder();
    let logged = fs::read_dir(folder.join("logs")).unwrap().filter_map(Result::ok).map(|log| log.metadata().unwrap().len()).max();
    assert!(logged.is_some_and(|bytes| bytes > 9_000_000), "{logged:?}");
    for file in ["run.json", "samples.csv"] {
        assert!(fs::metadata(folder.join(file)).unwrap().len() < 100_000, "{file}");
    }
    assert!(ended.stdout().len() < 50_000 && ended.stderr().len() < 50_000);
}

#[test]
fn a_process_that_is_nobodys_child_counts_to_the_memory_of_its_worker() {
    let sandbox = Sandbox::with("misfits");
    let ended = Traces::new(&sandbox).run(run(&sandbox, "{healthy,hoards_apart}", ROUNDS, &["--memory", "400MiB", "--timeout", "60"]));
    ended.exits_with(4);
    assert_eq!(cell(&sandbox.recorded(), "misfits/hoards_apart").status, Status::OutOfMemory { limit_bytes: 400 << 20 });
}

/// Stops a run of lanes that leave things in the midst of its rounds.
fn stopped(signal: Signal, status: Option<i32>, state: RunState) {
    let sandbox = Sandbox::with("misfits");
    let traces = Traces::new(&sandbox);
    let driver = traces.start(run(&sandbox, "{daemons,shares}", 100_000, &[]));
    sandbox.wait_for_rows(30);
    assert!(traces.processes().len() > 3 && traces.files().len() > 2, "nothing is there that could be left");
    kill_process(Pid::from_child(&driver), signal).unwrap();
    let ended = traces.wait(driver);
    assert_eq!(ended.output.status.code(), status, "{}", ended.stderr());
    assert_eq!(traces.left(), [""; 0]);
    assert_eq!(sandbox.recorded().run.state, state);
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    stopped(Signal::INT, Some(130), RunState::Interrupted);
}

#[test]
fn a_run_whose_lane_hangs_can_be_interrupted() {
    let sandbox = Sandbox::with("misfits");
    let traces = Traces::new(&sandbox);
    let driver = traces.start(run(&sandbox, "joins", ROUNDS, &[]));
    sandbox.wait_until("a worker", || sandbox.workers().iter().any(|line| line.contains("bindbench_worker")).then_some(()));
    kill_process(Pid::from_child(&driver), Signal::INT).unwrap();
    traces.wait(driver).exits_with(130);
    assert_eq!(traces.left(), [""; 0]);
}

#[test]
fn a_killed_run_leaves_nothing() {
    stopped(Signal::KILL, None, RunState::Running);
}

#[test]
fn other_commands_leave_nothing() {
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("misfits");
    sandbox.make_tools();
    let traces = Traces::new(&sandbox);
    let run = |arguments: &[&str]| traces.run(sandbox.command(arguments));
    run(&["setup", "--preset", "smoke", "-w", "call", "-s", "misfits/{shares,daemons}"]).succeeds();
    run(&["debug", "misfits/shares", "call.add"]).succeeds();
    let profiled = run(&["profile", "-w", "call.add", "-s", "misfits/{shares,daemons}", "--pass", "memory", "--pass", "gil"]).succeeds();
    profiled.prints(&["misfits/daemons left "]);
    let mut imported = walkdir::WalkDir::new(sandbox.path().join("misfits")).into_iter();
    assert!(!imported.any(|entry| entry.unwrap().file_name() == "__pycache__"), "something was left beside the sources");
    let catalog = sandbox.path().join("misfits");
    for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "-m", "as it is"]] {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        assert!(Command::new("git").arg("-C").arg(&catalog).args(identity).args(arguments).status().unwrap().success());
    }
    // Whatever it finds out.
    let gated = run(&["gate", "-w", "call.add", "-s", "misfits/{shares,daemons}", "--base-rev", "HEAD", "--budget", "2"]);
    gated.prints(&["left "]);
}
