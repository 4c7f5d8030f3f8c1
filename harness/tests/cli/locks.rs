//! Two drivers at a time: in one run's folder, in `build/`; and what a killed set-up leaves running.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Ended, Sandbox};

fn begin(sandbox: &Sandbox, arguments: &[&str]) -> Child {
    sandbox.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn two_runs_at_the_same_time_know_of_each_other() {
    let sandbox = Sandbox::with("steady");
    let lane = ["run", "--preset", "smoke", "-w", "call.add", "-s", "steady/slow", "--generations", "1"];
    let driver = begin(&sandbox, &[&lane[..], &["--rounds", "60"]].concat());
    sandbox.wait_for_rows(1);
    let other = sandbox.bindbench(&[&lane[..], &["--rounds", "1", "--runs", "others"]].concat()).succeeds();
    other.prints(&[&format!("Another bindbench measured at the same time (process {}", driver.id())]);
    Ended { output: driver.wait_with_output().unwrap() }.succeeds().prints(&["Another bindbench measured", "--runs others"]);
    assert!(!fs::read_dir(sandbox.path()).unwrap().any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with("-measures")));
}

#[test]
fn a_run_that_is_measured_keeps_others_from_its_folder_and_from_what_was_built() {
    let sandbox = Sandbox::with("steady");
    let arguments = ["run", "--preset", "smoke", "-w", "call.add", "-s", "steady/slow", "--generations", "2", "--rounds", "5000"];
    let driver = begin(&sandbox, &arguments);
    sandbox.wait_for_rows(1);
    let folder = sandbox.run_folder();
    let said = format!("is in use by process {} on ", driver.id());
    let stop = format!("`kill {}`", driver.id());
    sandbox.bindbench(&["run", "--resume", folder.to_str().unwrap()]).refuses_with(&[
        folder.to_str().unwrap(),
        &said,
        "`bindbench run --preset smoke",
        &stop,
    ]);
    let build = sandbox.path().join("build");
    for command in [&["setup", "-s", "steady/*"][..], &["clean"][..]] {
        sandbox.bindbench(command).refuses_with(&[build.to_str().unwrap(), &said, &stop]);
    }
    // Those who only read are welcome.
    sandbox.bindbench(&["report"]).succeeds().prints(&["not complete"]);
    kill_process(Pid::from_child(&driver), Signal::INT).unwrap();
    Ended { output: driver.wait_with_output().unwrap() }.exits_with(130);
    let recorded = sandbox.recorded();
    assert_eq!((recorded.samples.len() % 2, recorded.damage.len()), (0, 0), "a lane and its twin, in whole rounds");
    let rounds: BTreeSet<u32> = recorded.samples.iter().map(|sample| sample.round).collect();
    assert!(rounds.iter().copied().eq(0..rounds.len() as u32), "rounds are missing: {rounds:?}");
    let mut files: Vec<String> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, ["logs", "run.json", "samples.csv"]);
    sandbox.bindbench(&["clean"]).succeeds();
    assert!(!build.exists());
}

/// A build step that waits in a process of its own until it may go on, and says who both are: in hidden files, which are no sources.
const WAIT: &str = r#"
import os, subprocess, sys, time
here = os.path.dirname(os.path.abspath(__file__))
child = subprocess.Popen(["sleep", "600"])
with open(os.path.join(here, ".pids"), "w") as pids:
    pids.write(f"{os.getpid()} {child.pid}\n")
while not os.path.exists(os.path.join(here, ".go")):
    time.sleep(0.05)
child.kill()
child.wait()
open(sys.argv[1], "w").close()
"#;

const MANIFEST: &str = r#"
name = "waits"
binding = "none"
summary = "Its build takes until it may go on."
[build]
steps = [["{python}", "{source}/wait.py", "{out}/bindbench_waits.py"]]
artifacts = ["bindbench_waits.py"]
[[lane]]
variant = "a"
summary = "It has nothing"
comparison = "as published"
kernel = "python"
gil = "held"
parallel = "none"
copies = {}
modules = { call = "bindbench_waits" }
"#;

fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// The processes of the build step, once they are there.
fn processes(sandbox: &Sandbox, folder: &Path) -> Vec<String> {
    sandbox.wait_until("the build step runs", || {
        let text = fs::read_to_string(folder.join(".pids")).ok().filter(|text| text.ends_with('\n'))?;
        Some(text.split_whitespace().map(str::to_owned).collect())
    })
}

#[test]
fn one_set_up_at_a_time_and_a_killed_one_leaves_nothing_running() {
    let sandbox = Sandbox::with_manifest("waits", MANIFEST);
    sandbox.make_tools();
    let folder = sandbox.path().join("written/waits");
    fs::write(folder.join("wait.py"), WAIT).unwrap();
    let arguments = ["setup", "--preset", "smoke", "-w", "call", "-s", "waits/a"];
    let driver = begin(&sandbox, &arguments);
    let step = processes(&sandbox, &folder);
    assert!(step.len() == 2 && step.iter().all(|pid| is_running(pid)));
    let second = sandbox.bindbench(&arguments);
    second.refuses_with(&["build is in use by process", &driver.id().to_string(), "`bindbench setup --preset smoke", "wait for its end"]);
    kill_process(Pid::from_child(&driver), Signal::KILL).unwrap();
    drop(driver.wait_with_output().unwrap());
    fs::write(folder.join(".go"), "").unwrap();
    // The next one begins when all that the first one started is gone.
    sandbox.bindbench(&arguments).succeeds().prints(&["ready"]);
    assert!(!step.iter().any(|pid| is_running(pid)), "{step:?} of the killed set-up still run");
    assert_ne!(processes(&sandbox, &folder), step);
}
