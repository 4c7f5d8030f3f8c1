//! One run is one machine and one build: what is edited in its middle, or between its start and its end, is never mixed in.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use bindbench_model::{RunState, Status};

use crate::sandbox::{Ended, Sandbox, cell};

/// The module of `steady`, of which a call takes 20 ms.
const MODULE: &str = "steady/steady/bindbench_steady.py";

fn replace(path: PathBuf, old: &str, new: &str) {
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{old:?} is not in {}", path.display());
    fs::write(path, text.replace(old, new)).unwrap();
}

fn begin(sandbox: &Sandbox, more: &[&str]) -> Child {
    let arguments = [&["run", "--preset", "smoke", "-w", "call.add"], more].concat();
    sandbox.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(driver: Child) -> Ended {
    Ended { output: driver.wait_with_output().unwrap() }
}

fn resume(sandbox: &Sandbox) -> Ended {
    sandbox.bindbench(&["run", "--resume", sandbox.run_folder().to_str().unwrap()])
}

#[test]
fn an_edit_in_the_middle_reaches_no_later_generation_and_no_resumed_run() {
    let sandbox = Sandbox::with("steady");
    let driver = begin(&sandbox, &["-s", "steady/slow", "--generations", "3", "--rounds", "5"]);
    sandbox.wait_for_rows(2);
    // Quicker, and wrong: a worker that imported it would be found out by either.
    replace(sandbox.path().join(MODULE), "time.sleep(0.02)\n    return a + b", "return a - b");
    end(driver).succeeds();
    let recorded = sandbox.recorded();
    has_its_number_in_each(&recorded, 3, 5);
    assert!(recorded.samples.iter().all(|sample| sample.elapsed_ns >= 20_000_000 * sample.loops), "{:?}", recorded.samples);
    assert_eq!(
        recorded.run.lanes[0].receipts[0].imports.keys().collect::<Vec<_>>(),
        ["sources", "the interpreter's environment", "the worker's package"]
    );
    assert_eq!(fs::read_dir(sandbox.path().join("build/frozen")).unwrap().count(), 0, "the copy of the sources is still there");
    // Edited: not what was built. Set up again: built, and not what was begun with. As it was: the same.
    let before = fs::read(sandbox.run_folder().join("samples.csv")).unwrap();
    resume(&sandbox).refuses_with(&["steady/slow has been built anew since the run began, or is gone (stale: "]);
    sandbox.set_up("steady/*").succeeds();
    resume(&sandbox)
        .refuses_with(&["steady/slow: sources changed since the run began", "start a new run, or check out what it was begun with"]);
    assert_eq!(fs::read(sandbox.run_folder().join("samples.csv")).unwrap(), before);
    replace(sandbox.path().join(MODULE), "return a - b", "time.sleep(0.02)\n    return a + b");
    sandbox.set_up("steady/*").succeeds();
    resume(&sandbox).succeeds();
}

fn has_its_number_in_each(recorded: &bindbench_store::Recorded, generations: u32, rounds: u32) {
    assert_eq!(recorded.run.state, RunState::Finished);
    let cell = cell(recorded, "steady/slow");
    assert_eq!(cell.status, Status::Ok);
    let right = recorded.samples.iter().filter(|sample| sample.cell == cell.id && sample.digest_ok).count();
    assert_eq!(right, (generations * rounds) as usize);
}

#[test]
fn what_was_built_and_is_changed_in_the_middle_has_no_number() {
    let mut sandbox = Sandbox::with("forge");
    sandbox.add_catalog("steady");
    sandbox.set_up("steady/slow").succeeds();
    let driver = begin(&sandbox, &["-s", "steady/slow", "-s", "forge/made", "--generations", "2", "--rounds", "25"]);
    sandbox.wait_for_rows(2);
    let strategies = walkdir::WalkDir::new(sandbox.path().join("build/strategies/forge"));
    let module = strategies.into_iter().map(|entry| entry.unwrap().into_path()).find(|path| path.ends_with("bindbench_forge.py")).unwrap();
    fs::write(&module, "def add(a, b):\n    return b + a\n").unwrap();
    let ended = end(driver).exits_with(4);
    ended.says(&["exit status 4: forge/made: not one build"]).prints(&[&format!("{} was changed while the run went on", module.display())]);
    let recorded = sandbox.recorded();
    assert!(matches!(cell(&recorded, "forge/made").status, Status::Changed { .. }));
    has_its_number_in_each(&recorded, 2, 25);
}

/// Its later workers would import what it wrote, and nobody edited anything.
#[test]
fn a_lane_that_rewrites_the_runs_copy_of_itself_has_no_number() {
    let sandbox = Sandbox::with("steady");
    let quicker = "\nwith open(__file__, \"a\") as this:\n    this.write(\"\\ntime.sleep = lambda _: None\\n\")\n";
    let module = sandbox.path().join(MODULE);
    fs::write(&module, fs::read_to_string(&module).unwrap() + quicker).unwrap();
    sandbox.set_up("steady/*").succeeds();
    let ended = end(begin(&sandbox, &["-s", "steady/slow", "--generations", "2", "--rounds", "2"])).exits_with(4);
    ended.says(&["exit status 4: steady/slow: not one build"]).prints(&["this run's copy of", MODULE, "was changed while the run went on"]);
    assert!(fs::read_to_string(module).unwrap().ends_with(quicker), "the original is none of its business");
}

/// The folder of modules in the only interpreter's environment.
fn site_packages(sandbox: &Sandbox) -> PathBuf {
    let environments = walkdir::WalkDir::new(sandbox.path().join("build/pythons"));
    environments.into_iter().map(|entry| entry.unwrap().into_path()).find(|path| path.ends_with("site-packages")).unwrap()
}

#[test]
fn what_is_put_into_an_environment_is_neither_measured_nor_gone_on_with() {
    let sandbox = Sandbox::with("stranger");
    let kmp = ["run", "--preset", "smoke", "-w", "kmp", "--size", "1", "-s", "stranger/pure", "--generations", "1"];
    sandbox.bindbench(&kmp).succeeds();
    let module = site_packages(&sandbox).join("sitecustomize.py");
    fs::write(&module, "").unwrap();
    let what = format!("{} has come since the environment", module.display());
    resume(&sandbox).refuses_with(&[&what]);
    sandbox.bindbench(&kmp).refuses_with(&[&what]);
    sandbox.set_up("stranger/*").succeeds();
    assert!(!module.exists());
    resume(&sandbox).succeeds();
    // A script in the place of its program.
    let program = site_packages(&sandbox).join("../../../bin/python");
    let real = program.canonicalize().unwrap();
    fs::remove_file(&program).unwrap();
    fs::write(&program, format!("#!/bin/sh\nexec {} \"$@\"\n", real.display())).unwrap();
    resume(&sandbox).refuses_with(&["bin/python has changed since the environment"]);
}

#[test]
fn what_comes_into_an_environment_in_the_middle_is_found() {
    let sandbox = Sandbox::with("steady");
    let driver = begin(&sandbox, &["-s", "steady/slow", "--generations", "2", "--rounds", "25"]);
    sandbox.wait_for_rows(2);
    fs::write(site_packages(&sandbox).join("sitecustomize.py"), "").unwrap();
    end(driver).exits_with(4).prints(&["sitecustomize.py has come while the run went on"]);
}

#[test]
fn a_run_goes_on_with_the_variables_it_was_begun_with() {
    let sandbox = Sandbox::with("stranger");
    let kmp = ["run", "--preset", "smoke", "-w", "kmp", "--size", "1", "-s", "stranger/pure", "--generations", "1"];
    let with = |arguments: &[&str], threads: &str| Ended {
        output: sandbox.command(arguments).env("RAYON_NUM_THREADS", threads).output().unwrap(),
    };
    with(&kmp, "1").succeeds().prints(&["RAYON_NUM_THREADS=1 was set for the workers."]);
    let folder = sandbox.run_folder();
    let again = ["run", "--resume", folder.to_str().unwrap()];
    with(&again, "2").refuses_with(&["the variable RAYON_NUM_THREADS was \"1\" when the run began, and is \"2\" now"]);
    with(&again, "1").succeeds();
}

#[test]
fn a_run_does_not_go_on_on_another_machine_or_with_other_kernels() {
    let sandbox = Sandbox::with("stranger");
    sandbox.bindbench(&["run", "--preset", "smoke", "-w", "kmp", "--size", "1", "-s", "stranger/pure", "--generations", "1"]).succeeds();
    let path = sandbox.run_folder().join("run.json");
    let text = fs::read_to_string(&path).unwrap();
    let begun: serde_json::Value = serde_json::from_str(&text).unwrap();
    let with = |change: fn(&mut serde_json::Value)| {
        let mut edited = begun.clone();
        change(&mut edited);
        fs::write(&path, serde_json::to_string_pretty(&edited).unwrap()).unwrap();
        resume(&sandbox)
    };
    with(|run| run["environment"]["cpu"] = "Intel 4004".into()).refuses_with(&["the CPU was \"Intel 4004\" when the run began, and is"]);
    with(|run| run["environment"]["kernel_release"] = "2.4.0".into())
        .refuses_with(&["the system's kernel was \"2.4.0\" when the run began"]);
    with(|run| run["kernels_sha256"] = "ab".repeat(32).into()).refuses_with(&["the shared kernels library (impls/kernels)"]);
    with(|run| run["interpreters"][0]["version"] = "3.0".into()).refuses_with(&["is another build than when the run began: \"3.0\" then"]);
    with(|run| {
        let inputs = run["inputs"].as_object_mut().unwrap();
        inputs.values_mut().for_each(|digest| *digest = "0".repeat(64).into());
    })
    .refuses_with(&["has other contents than when the run began"]);
    with(|run| run["environment"]["aslr"] = 7.into()).succeeds().prints(&["When the run went on, kernel.randomize_va_space was"]);
    // An older bindbench kept no digests: that is said, and no reason not to go on.
    with(|run| drop(run["lanes"][0]["receipts"][0].as_object_mut().unwrap().remove("imports")))
        .succeeds()
        .prints(&["it was not known whether its lanes' sources were still the same"]);
}

#[test]
fn a_lane_that_is_asked_for_by_name_and_not_measured_is_no_success() {
    let mut sandbox = Sandbox::with("forge");
    sandbox.add_catalog("steady");
    sandbox.set_up("steady/slow").succeeds();
    replace(sandbox.path().join("forge/forge/make.py"), "a + b", "a + b + 0");
    let run = |lanes: &[&str]| {
        let lanes: Vec<&str> = lanes.iter().flat_map(|lane| ["-s", *lane]).collect();
        sandbox.bindbench(&[&["run", "--preset", "smoke", "-w", "call.add", "--generations", "1", "--rounds", "2"], &lanes[..]].concat())
    };
    for pattern in ["forge/made", "forge/*"] {
        let ended = run(&["steady/slow", pattern]).exits_with(4);
        let what = format!("asked for by name, and not measured: {pattern} (stale: ");
        let ended = ended.prints(&[&format!("Warning: {what}")]).says(&[&format!("exit status 4: {what}")]);
        assert!(ended.stdout().find("Warning: asked for by name") < ended.stdout().find("call.add, input"), "it is not said on top");
        let summary = fs::read_to_string(sandbox.path().join("reports/summary.md")).unwrap().replace('\\', "");
        assert!(summary.contains(&what), "{summary}");
    }
    run(&["{steady,forge}/*"]).succeeds().prints(&["Skipped:", "forge/made"]);
    let profile = ["profile", "--case", "call.add", "--pass", "gil", "-s", "steady/slow", "-s", "forge/made"];
    let looked_at = sandbox.bindbench(&profile).exits_with(4).prints(&["steady/slow"]);
    looked_at.says(&["exit status 4: asked for by name, and not looked at: forge/made (stale: "]);
}
