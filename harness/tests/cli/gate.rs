//! Two builds against each other: red when head is slower, green when it is not, and neither when there was no time to know.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bindbench_model::RunState;
use bindbench_store::Recorded;
use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Ended, Sandbox};

/// The module of `steady`, whose calls sleep: their times are as steady on a busy machine as on an idle one.
const MODULE: &str = "steady/bindbench_steady.py";

/// A sandbox whose catalog `steady` is a git repository, with its lanes as they are at the only commit.
pub fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("steady");
    sandbox.make_tools();
    let catalog = sandbox.path().join("steady");
    git(&catalog, &["init", "--quiet"]);
    git(&catalog, &["add", "."]);
    git(&catalog, &["commit", "--quiet", "-m", "as it is"]);
    sandbox
}

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    let output = Command::new("git").arg("-C").arg(folder).args(identity).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Changes the module of a catalog.
fn change(catalog: &Path, old: &str, new: &str) {
    let module = catalog.join(MODULE);
    let text = fs::read_to_string(&module).unwrap();
    assert!(text.contains(old));
    fs::write(module, text.replace(old, new)).unwrap();
}

fn gate(sandbox: &Sandbox, more: &[&str]) -> Ended {
    let has = |option: &str| more.contains(&option);
    let mut arguments = vec!["gate", "-w", "call.add", "-s", "steady/slow"];
    arguments.extend(if has("--threshold") { &[][..] } else { &["--threshold", "10"] });
    arguments.extend(if has("--budget") { &[][..] } else { &["--budget", "30"] });
    arguments.extend(more);
    sandbox.bindbench(&arguments)
}

/// Nothing of the worktree is left, neither on disk nor in git.
pub fn is_clean(sandbox: &Sandbox) {
    let catalog = sandbox.path().join("steady");
    assert!(!catalog.join(".git/bindbench").exists());
    let output = Command::new("git").arg("-C").arg(&catalog).args(["worktree", "list"]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
}

#[test]
fn a_slowdown_is_red_and_taking_it_back_is_green() {
    let sandbox = sandbox();
    let catalog = sandbox.path().join("steady");
    change(&catalog, "0.02", "0.03");
    let red = gate(&sandbox, &["--base-rev", "HEAD"]).exits_with(1);
    let red = red.prints(&["FAIL steady/slow call.add:pair 3.", ": slower, × 1.", "threshold 10 %, resolution", "base: HEAD, commit "]);
    red.prints(&[
        "flamegraph of the difference: ",
        "/bindbench profile --catalog",
        "--base-rev HEAD --diff steady/slow@base steady/slow@head --case call.add:pair -p 3.",
    ]);
    is_clean(&sandbox);
    change(&catalog, "0.03", "0.02");
    let green = gate(&sandbox, &["--base-rev", "HEAD"]).succeeds().prints(&["PASS: of 1 cell 0 failed, 1 passed (0 faster)"]);
    assert!(!green.stdout().contains("flamegraph"), "{}", green.stdout());
    // The samples are there, out of the way of the runs that other commands take for the newest.
    let gates = fs::read_dir(sandbox.path().join("runs/gates")).unwrap().count();
    assert_eq!(gates, 2);
    sandbox.bindbench(&["report"]).refuses_with(&["there is no run in"]);
    is_clean(&sandbox);
}

#[test]
fn a_speed_up_between_two_folders_is_told_and_a_wrong_answer_is_red() {
    let sandbox = sandbox();
    let (base, head) = (sandbox.path().join("steady"), sandbox.path().join("head"));
    assert!(Command::new("cp").arg("-r").arg(&base).arg(&head).status().unwrap().success());
    change(&head, "0.02", "0.01");
    let sides = ["--base", base.to_str().unwrap(), "--head", head.to_str().unwrap(), "--json"];
    let json = gate(&sandbox, &sides).succeeds().json();
    let cell = &json["cells"][0];
    assert_eq!((cell["verdict"].as_str(), cell["faster"].as_bool()), (Some("pass"), Some(true)), "{json}");
    assert!(cell["ratio"]["high"].as_f64().is_some_and(|high| high < 0.9), "{json}");
    change(&head, "return a + b", "return a - b");
    gate(&sandbox, &sides[..4]).exits_with(1).prints(&["FAIL steady/slow", "head has no number, and base has: wrong"]);
}

#[test]
fn without_the_time_to_know_it_is_neither() {
    let sandbox = sandbox();
    gate(&sandbox, &["--base-rev", "HEAD", "--budget", "0.1"]).exits_with(3).prints(&[
        "INCONCLUSIVE: of 1 cell",
        "the time was up before its first look, at 6 generations",
        "More time (`--budget`)",
    ]);
    is_clean(&sandbox);
}

/// Folder of the only gate there is.
fn gate_folder(sandbox: &Sandbox) -> Option<PathBuf> {
    let mut gates = fs::read_dir(sandbox.path().join("runs/gates")).ok()?;
    let gate = gates.next()?.ok()?.path();
    assert!(gates.next().is_none(), "more than one gate");
    Some(gate)
}

/// Starts a command, and ends it so when so many rows of samples are on the disk.
fn stop_after(sandbox: &Sandbox, arguments: &[&str], rows: usize, signal: Signal) -> Output {
    let driver = sandbox.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    sandbox.wait_until("samples are on the disk", || {
        let text = fs::read_to_string(gate_folder(sandbox)?.join("samples.csv")).ok()?;
        (text.lines().count() > rows).then_some(())
    });
    kill_process(Pid::from_child(&driver), signal).unwrap();
    let output = driver.wait_with_output().unwrap();
    sandbox.wait_for_the_end_of_workers();
    output
}

#[test]
fn a_killed_gate_goes_on_where_it_was() {
    let sandbox = sandbox();
    let catalog = sandbox.path().join("steady");
    change(&catalog, "0.02", "0.03");
    let arguments = ["gate", "-w", "call.add", "-s", "steady/slow", "--threshold", "10", "--budget", "60", "--base-rev", "HEAD"];
    // Eight rounds of three cells are a generation: it is killed in its second one, or soon after.
    stop_after(&sandbox, &arguments, 30, Signal::KILL);
    let folder = gate_folder(&sandbox).unwrap();
    let id = folder.file_name().unwrap().to_str().unwrap();
    let before = Recorded::read(&folder).unwrap();
    assert!(before.run.state == RunState::Running && before.samples.len() >= 30, "{:?}", before.run.state);
    // The revision that was base is another commit now; the gate goes on with the one it began with.
    git(&catalog, &["commit", "--quiet", "-a", "-m", "slower"]);
    sandbox.bindbench(&["run", "--resume", id, "--runs", "runs/gates"]).refuses_with(&["is a gate's", "`bindbench gate --resume`"]);
    let output = stop_after(&sandbox, &["gate", "--resume", id], before.samples.len() + 30, Signal::INT);
    let ended = Ended { output }.exits_with(130);
    let red = sandbox.go_on(&ended).exits_with(1);
    red.prints(&["FAIL steady/slow call.add:pair 3.", ": slower, × 1.", "base: HEAD, commit ", "s of 60 s"]);
    let after = Recorded::read(&folder).unwrap();
    assert_eq!((after.run.state, after.damage.len(), after.run.plan.resumed.len()), (RunState::Finished, 0, 2));
    assert!(before.samples.iter().all(|sample| after.samples.contains(sample)), "a round was lost");
    let each: BTreeSet<_> = after.samples.iter().map(|sample| (sample.generation, sample.round, sample.cell)).collect();
    assert_eq!(each.len(), after.samples.len(), "a sample was taken twice");
    // One that has ended says again what it has said, and measures nothing.
    sandbox.bindbench(&["gate", "--resume", id]).exits_with(1).prints(&["FAIL steady/slow"]);
    assert_eq!(Recorded::read(&folder).unwrap().samples.len(), after.samples.len());
    is_clean(&sandbox);
}

/// A cell whose rows are taken away from a generation on looks like one that was decided, and rests.
#[test]
fn rows_that_are_gone_from_a_gate_are_missed_and_measured_again() {
    let sandbox = sandbox();
    gate(&sandbox, &["--base-rev", "HEAD", "--threshold", "300", "--budget", "60"]).succeeds();
    let folder = gate_folder(&sandbox).unwrap();
    let name = folder.to_str().unwrap();
    let before = Recorded::read(&folder).unwrap();
    assert!(!sandbox.bindbench(&["report", name]).succeeds().stdout().contains("not whole"));
    let head = before.run.cells.iter().find(|cell| cell.lane == "steady/slow@head").unwrap().id;
    let file = folder.join("samples.csv");
    let is_kept = |line: &&str| {
        let fields: Vec<u32> = line.split(',').take(4).filter_map(|field| field.parse().ok()).collect();
        fields.is_empty() || fields[0] < 2 || fields[3] != head
    };
    let text = fs::read_to_string(&file).unwrap();
    let kept: Vec<&str> = text.lines().filter(is_kept).collect();
    let gone = text.lines().count() - kept.len();
    fs::write(&file, kept.join("\n") + "\n").unwrap();
    assert!(gone > 0);
    sandbox.bindbench(&["report", name]).succeeds().prints(&["can NOT vouch", &format!("it is not whole: {gone} of the")]);
    sandbox.bindbench(&["gate", "--resume", name]).succeeds().prints(&["PASS: of 1 cell"]);
    let after = Recorded::read(&folder).unwrap();
    assert_eq!(bindbench_store::Lacking::samples(&after).missing, 0);
    assert!(!sandbox.bindbench(&["report", name]).succeeds().stdout().contains("not whole"));
    assert!(after.samples.iter().any(|sample| sample.cell == head && sample.generation >= 2), "the holes are still there");
}

#[test]
fn a_gate_does_not_go_on_with_other_sources() {
    let sandbox = sandbox();
    let base = sandbox.path().join("base");
    assert!(Command::new("cp").arg("-r").arg(sandbox.path().join("steady")).arg(&base).status().unwrap().success());
    gate(&sandbox, &["--base", base.to_str().unwrap(), "--budget", "0.1"]).exits_with(3);
    let folder = gate_folder(&sandbox).unwrap();
    let samples = Recorded::read(&folder).unwrap().samples;
    let again = || sandbox.bindbench(&["gate", "--resume", folder.to_str().unwrap(), "--budget", "60"]);
    for (catalog, lane) in [(sandbox.path().join("steady"), "steady/slow@head"), (base, "steady/slow@base")] {
        change(&catalog, "0.02", "0.1");
        again().refuses_with(&[&format!("{lane}: sources changed since the run began"), "check out what it was begun with"]);
        change(&catalog, "0.1", "0.02");
    }
    assert_eq!(Recorded::read(&folder).unwrap().samples, samples);
}

#[test]
fn a_gate_that_had_too_little_time_gets_more() {
    let sandbox = sandbox();
    let (xml, summary) = (sandbox.path().join("ci/gate.xml"), sandbox.path().join("summary.md"));
    let asked = |more: &[&str]| {
        let mut command = sandbox.command(&["gate", "--junit", xml.to_str().unwrap()]);
        Ended { output: command.args(more).env("GITHUB_STEP_SUMMARY", &summary).output().unwrap() }
    };
    let starved = ["-w", "call.add", "-s", "steady/slow", "--threshold", "300", "--base-rev", "HEAD", "--budget", "0.1"];
    asked(&starved).exits_with(3);
    assert!(fs::read_to_string(&xml).unwrap().contains("skipped=\"1\""));
    let folder = gate_folder(&sandbox).unwrap();
    let there = Recorded::read(&folder).unwrap().samples.len();
    asked(&["--resume", folder.to_str().unwrap(), "--budget", "60"]).succeeds().prints(&["PASS: of 1 cell"]);
    assert!(Recorded::read(&folder).unwrap().samples.len() > there);
    assert!(fs::read_to_string(&xml).unwrap().contains("failures=\"0\" errors=\"0\" skipped=\"0\""));
    let summary = fs::read_to_string(&summary).unwrap();
    let verdicts: Vec<&str> = summary.lines().filter(|line| line.starts_with("**")).map(|line| &line[..6]).collect();
    assert_eq!(verdicts, ["**INCO", "**PASS"], "{summary}");
    asked(&["--resume", folder.to_str().unwrap(), "--threshold", "5"]).exits_with(2);
    asked(&["--resume", "nowhere"]).refuses_with(&["there is no run nowhere"]);
}

#[test]
fn what_can_t_be_built_or_found_is_refused() {
    let sandbox = sandbox();
    gate(&sandbox, &[]).refuses_with(&["there is nothing to compare", "steady with", "--base-rev REV"]);
    sandbox.bindbench(&["profile", "--head", "steady", "-w", "call.add"]).refuses_with(&["there is nothing to compare steady with"]);
    gate(&sandbox, &["--base-rev", "v9"]).refuses_with(&["has no revision v9"]);
    gate(&sandbox, &["--base", "nowhere"]).refuses_with(&["--base nowhere: the folder can't be listed", "--base takes a checkout"]);
    let nowhere = gate(&sandbox, &["--base-rev", "HEAD", "--head", "nowhere"]);
    assert!(!nowhere.refuses_with(&["nowhere"]).stderr().contains("--catalog"));
    gate(&sandbox, &["--base-rev", "HEAD", "-s", "steady/quick"])
        .refuses_with(&["--lane steady/quick matches nothing in base", "nearest: steady/slow@base"]);
    gate(&sandbox, &["--base-rev", "HEAD", "--threshold", "much"]).refuses_with(&["is no number of per cent"]);
    is_clean(&sandbox);
}
