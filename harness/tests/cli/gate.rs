//! Two builds against each other: red when head is slower, green when it is not, and neither when there was no time to know.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::sandbox::{Ended, Sandbox};

/// The module of `steady`, whose calls sleep: their times are as steady on a busy machine as on an idle one.
const MODULE: &str = "steady/bindbench_steady.py";

/// A sandbox whose catalog `steady` is a git repository, with its lanes as they are at the only commit.
fn sandbox() -> Sandbox {
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
fn is_clean(sandbox: &Sandbox) {
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
        "flamegraph of the difference: bindbench profile --catalog",
        "--base-rev HEAD --diff steady/slow@base steady/slow@head -w call.add -p 3.",
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
        "the time was up before its first look, at 5 generations",
        "More time (`--budget`)",
    ]);
    is_clean(&sandbox);
}

#[test]
fn what_can_t_be_built_or_found_is_refused() {
    let sandbox = sandbox();
    gate(&sandbox, &[]).refuses_with(&["there is nothing to compare with", "--base-rev REV"]);
    gate(&sandbox, &["--base-rev", "v9"]).refuses_with(&["has no revision v9"]);
    gate(&sandbox, &["--base", "nowhere"]).refuses_with(&["can't list the catalog nowhere"]);
    gate(&sandbox, &["--base-rev", "HEAD", "-s", "steady/quick"]).refuses_with(&["--lane steady/quick@base matches nothing"]);
    gate(&sandbox, &["--base-rev", "HEAD", "--threshold", "much"]).refuses_with(&["is no number of per cent"]);
    is_clean(&sandbox);
}
