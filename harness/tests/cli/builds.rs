//! Strategies that don't build, and builds that are no longer what their receipts say.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sandbox::{Ended, Sandbox, has_its_number};

fn state_of(sandbox: &Sandbox, lane: &str) -> (String, String) {
    let listing = sandbox.bindbench(&["list", "--json", "--lane", lane]).succeeds().json();
    let text = |field: &str| listing["lanes"][0][field].as_str().unwrap_or_default().to_owned();
    (text("state"), text("reason"))
}

/// The module that the build of `forge` left.
fn artifact(sandbox: &Sandbox) -> PathBuf {
    let listing = sandbox.bindbench(&["list", "--json", "--lane", "forge/made"]).succeeds().json();
    let out: &Value = &listing["lanes"][0]["worker"]["load"]["paths"][0];
    PathBuf::from(out.as_str().expect("the build's folder")).join("bindbench_forge.py")
}

#[test]
fn a_strategy_that_does_not_compile_is_skipped_and_the_rest_goes_on() {
    let sandbox = Sandbox::with("forge");
    let setup = sandbox.set_up("{forge,fragile}/*").succeeds();
    let log = sandbox.path().join("build/logs");
    let log = fs::read_dir(log).unwrap().map(|log| log.unwrap().path()).find(|log| log.to_string_lossy().contains("fragile@"));
    let log = log.expect("the compiler's log");
    assert!(fs::read_to_string(&log).unwrap().contains("no_such_variable"));
    let setup = setup.prints(&["fragile/c skipped: does not build", "no_such_variable", log.to_str().unwrap()]);
    assert!(setup.stdout().contains("ready"));
    let run = sandbox.run(&["--lane", "{forge,fragile}/*", "--rounds", "2"]).succeeds();
    run.prints(&["fragile/c", "does not build", "no_such_variable", log.to_str().unwrap()]);
    let recorded = sandbox.recorded();
    has_its_number(&recorded, "forge/made", 2);
    assert!(recorded.run.skipped.iter().any(|skipped| skipped.lane == "fragile/c"));
}

#[test]
fn only_what_does_not_compile_is_nothing_to_measure() {
    let sandbox = Sandbox::with("forge");
    // Nobody is told to build again what does not build.
    let refused = sandbox.run(&["--lane", "fragile/c"]).refuses_with(&["nothing selected is ready to be measured", "no_such_variable"]);
    assert!(!refused.stderr().contains("builds what is selected"), "{}", refused.stderr());
    sandbox.set_up("fragile/c").exits_with(4).says(&["exit status 4: asked for by name, and not ready: fragile/c"]);
    sandbox.bindbench(&["setup", "--help"]).succeeds().prints(&["Exit status:", "4  something asked for by name"]);
    assert!(!sandbox.path().join("runs").exists(), "a run that measured nothing left a folder");
}

#[test]
fn a_strategy_with_native_and_python_lanes_is_built_for_both() {
    let lane = |variant: &str, entry: &str| {
        format!(
            "[[lane]]\nvariant = '{variant}'\nsummary = 'One.'\ncomparison = 'as published'\nkernel = 'python'\ngil = 'held'\n\
             parallel = 'none'\ncopies = {{}}\n{entry}\n"
        )
    };
    let lanes = lane("native", "command = ['/bin/cat']\nworkloads = ['call']") + &lane("python", "modules = { call = 'math' }");
    let sandbox = Sandbox::with_manifest("both", &format!("name = 'both'\nbinding = 'none'\nsummary = 'One.'\n{lanes}"));
    sandbox.make_tools();
    sandbox.set_up("both/*").succeeds();
    for lane in ["both/native", "both/python"] {
        assert_eq!(state_of(&sandbox, lane).0, "ready", "{lane}");
    }
}

#[test]
fn a_package_without_a_wheel_costs_its_own_lane_only() {
    let sandbox = Sandbox::with("forge");
    sandbox.set_up("packaged/*").succeeds().prints(&["packaged/lost skipped: its packages can't be installed: No solution found"]);
    let (state, reason) = state_of(&sandbox, "packaged/lost");
    assert!(state == "skipped" && reason.contains("bindbench-tests-no-such-package"), "{state}: {reason}");
    sandbox.run(&["--lane", "packaged/*", "--rounds", "2"]).succeeds();
    has_its_number(&sandbox.recorded(), "packaged/alone", 2);
}

#[test]
fn an_artifact_that_is_not_the_one_of_the_receipt_is_not_measured() {
    let sandbox = Sandbox::with("forge");
    assert_eq!(state_of(&sandbox, "forge/made").0, "ready");
    let artifact = artifact(&sandbox);
    fs::write(&artifact, "def add(a, b):\n    return b + a\n").unwrap();
    let (state, reason) = state_of(&sandbox, "forge/made");
    assert_eq!(state, "stale");
    assert!(reason.contains(artifact.to_str().unwrap()) && reason.contains("SHA-256 differs"), "{reason}");
    sandbox.run(&["--lane", "forge/made"]).refuses_with(&["forge/made: stale", "SHA-256 differs", "bindbench setup"]);
    fs::remove_file(&artifact).unwrap();
    let (state, reason) = state_of(&sandbox, "forge/made");
    assert!(state == "stale" && reason.contains("can't be read now"), "{state}: {reason}");
    sandbox.set_up("forge/made").succeeds();
    sandbox.run(&["--lane", "forge/made", "--rounds", "2"]).succeeds();
    has_its_number(&sandbox.recorded(), "forge/made", 2);
}

#[test]
fn sources_that_changed_since_the_build_are_not_measured_under_its_receipt() {
    let sandbox = Sandbox::with("forge");
    let source = sandbox.path().join("forge/forge/make.py");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, text.replace("a + b", "a + b + 0")).unwrap();
    let (state, reason) = state_of(&sandbox, "forge/made");
    assert!(state == "stale" && reason.contains("have changed since"), "{state}: {reason}");
    sandbox.run(&["--lane", "forge/made"]).refuses_with(&["forge/made: stale", "have changed since"]);
    sandbox.set_up("forge/made").succeeds();
    assert_eq!(state_of(&sandbox, "forge/made").0, "ready");
    assert!(fs::read_to_string(artifact(&sandbox)).unwrap().contains("a + b + 0"));
}

#[test]
fn a_build_that_leaves_no_artifact_or_has_an_unknown_placeholder_says_so() {
    let sandbox = Sandbox::with("forge");
    let manifest = sandbox.path().join("forge/forge/strategy.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("artifacts = [\"bindbench_forge.py\"]", "artifacts = [\"elsewhere.py\"]")).unwrap();
    sandbox.set_up("forge/made").exits_with(4).prints(&["forge/made skipped", "left no elsewhere.py"]);
    fs::write(&manifest, text.replace("{source}", "{sauce}")).unwrap();
    sandbox.set_up("forge/made").exits_with(4).prints(&["unknown placeholder {sauce}", "source"]);
    fs::write(&manifest, text).unwrap();
    sandbox.set_up("forge/made").succeeds();
    assert_eq!(state_of(&sandbox, "forge/made").0, "ready");
}

#[test]
fn setup_builds_nothing_anew_when_nothing_changed() {
    let sandbox = Sandbox::with("forge");
    let built = || fs::metadata(artifact(&sandbox)).unwrap().modified().unwrap();
    let before = built();
    sandbox.set_up("forge/made").succeeds();
    assert_eq!(built(), before);
}

/// A checkout of that name within a sandbox, with its strategies and its tools.
fn checkout(sandbox: &Sandbox, name: &str) -> PathBuf {
    let folder = sandbox.path().join(name);
    ["harness", "build"].iter().for_each(|inside| fs::create_dir_all(folder.join(inside)).unwrap());
    for shared in ["harness/workloads", "impls", "pyscripts", "build/tools"] {
        symlink(sandbox.path().join(shared), folder.join(shared)).unwrap();
    }
    folder
}

fn inside(sandbox: &Sandbox, folder: &Path, arguments: &[&str]) -> Ended {
    Ended { output: sandbox.command(arguments).current_dir(folder).output().unwrap() }
}

#[test]
fn a_checkout_that_was_copied_does_not_measure_the_originals_builds() {
    let sandbox = Sandbox::with("forge");
    let copy = checkout(&sandbox, "copy");
    for part in ["receipts", "strategies", "pythons"] {
        let (from, to) = (sandbox.path().join("build").join(part), copy.join("build"));
        assert!(std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    }
    let selected = ["--preset", "smoke", "-w", "call.add", "-s", "forge/made"];
    let built = format!("forge/made stale: it was built in {}", sandbox.path().join("build/strategies/forge").display());
    inside(&sandbox, &copy, &["list", "-s", "forge/made"]).succeeds().prints(&[&built]);
    inside(&sandbox, &copy, &[&["run"], &selected[..]].concat()).refuses_with(&["stale: it was built in"]);
    inside(&sandbox, &copy, &[&["setup"], &selected[..]].concat()).succeeds();
    inside(&sandbox, &copy, &[&["run", "--generations", "1", "--rounds", "1"], &selected[..]].concat()).succeeds();
}

#[test]
fn a_checkout_whose_path_tools_would_misread_is_refused_before_anything_is_built() {
    let sandbox = Sandbox::new();
    for (name, character) in [("my \"lanes\"", "the character '\"'"), ("$HOME", "the character '$'"), ("a,b", "the character ','")] {
        let folder = checkout(&sandbox, name);
        let refused = inside(&sandbox, &folder, &["setup", "--lane", "python/pure"]);
        refused.refuses_with(&["nothing can be built in the checkout", character, "a folder whose whole path is without that"]);
        assert_eq!(fs::read_dir(folder.join("build")).unwrap().count(), 1);
    }
}

#[test]
fn a_checkout_may_have_any_other_name() {
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("witnesses");
    sandbox.make_tools();
    let folder = checkout(&sandbox, "é (a)&b c=e;f~g'h [i] {j} !k+l@m^n|o<p>q?r*s");
    let selected = ["--preset", "smoke", "-w", "kmp", "-s", "witnesses/held"];
    inside(&sandbox, &folder, &[&["setup"], &selected[..]].concat()).succeeds().prints(&["witnesses/held", "ready"]);
    inside(&sandbox, &folder, &[&["run", "--generations", "1", "--rounds", "1"], &selected[..]].concat()).succeeds();
}
