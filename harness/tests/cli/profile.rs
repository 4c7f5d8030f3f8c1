//! Profiling: stopped in the polite way and in the other one, where the kernel does not let itself be asked, and what it costs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bindbench::profile::{Backend, Sampling};
use bindbench::store::profile::Profile;
use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Ended, Sandbox};

/// Whether perf events are allowed here. If not, says which test was left out.
pub fn allowed(test: &str) -> bool {
    let sampling = Sampling { backend: Backend::Sampler, hertz: 999, span: Duration::from_secs(1) };
    match sampling.check() {
        Ok(()) => true,
        Err(refused) => {
            say(&format!("left out: {test}: {refused}"));
            false
        }
    }
}

/// Not by a macro: what those print is shown of tests that fail only.
pub fn say(words: &str) {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "{words}").unwrap();
}

/// On the default interpreter, without PyO3, which takes longer to be built.
fn truth() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("truth");
    sandbox.make_tools();
    sandbox.set_up("truth/*").succeeds();
    sandbox
}

pub fn folder(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join("flamegraphs")
}

/// Whether an interpreter tells the names of Python functions: from 3.12 on.
pub fn gives_names(interpreter: &str) -> bool {
    let minor = interpreter.strip_prefix("3.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    minor.is_none_or(|minor| minor >= 12)
}

/// The interpreter that is taken when none is named.
pub fn default_interpreter(sandbox: &Sandbox) -> String {
    let listed = sandbox.bindbench(&["list", "--lane", "truth/capi", "--json"]).succeeds().json();
    listed["lanes"][0]["interpreter"].as_str().unwrap().to_owned()
}

/// Perf maps of a sandbox's processes; other tests have theirs.
fn perf_maps(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mark = sandbox.path().display().to_string();
    let is_ours = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text.contains(&mark));
    let maps = fs::read_dir("/tmp").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    maps.filter(|path| path.extension().is_some_and(|end| end == "map") && is_ours(path)).collect()
}

pub fn nothing_is_left(sandbox: &Sandbox) {
    sandbox.wait_for_the_end_of_workers();
    assert_eq!(perf_maps(sandbox), Vec::<PathBuf>::new());
}

#[test]
fn ctrl_c_keeps_what_was_found_and_leaves_nothing_else() {
    if !allowed("ctrl_c_keeps_what_was_found_and_leaves_nothing_else") {
        return;
    }
    let sandbox = truth();
    let arguments = ["profile", "--pass", "stacks", "-w", "call.noop", "-s", "truth/{capi,fork}", "--seconds", "3"];
    let driver = sandbox.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let first = folder(&sandbox).join("call/truth/capi");
    sandbox.wait_until("the first picture is there", || first.is_dir().then_some(()));
    sandbox.wait_until("the second lane has processes", || (sandbox.workers().len() >= 3).then_some(()));
    kill_process(Pid::from_child(&driver), Signal::INT).unwrap();
    let ended = Ended { output: driver.wait_with_output().unwrap() };
    ended.exits_with(130).says(&["what was found of 1 of 2 cells"]);
    let found = Profile::read(&folder(&sandbox)).unwrap().unwrap();
    assert_eq!(found.cells.iter().map(|cell| cell.lane.as_str()).collect::<Vec<_>>(), ["truth/capi"]);
    nothing_is_left(&sandbox);
}

#[test]
fn a_killed_driver_leaves_neither_workers_nor_perf_maps() {
    if !allowed("a_killed_driver_leaves_neither_workers_nor_perf_maps") {
        return;
    }
    let sandbox = truth();
    let interpreter = default_interpreter(&sandbox);
    if !gives_names(&interpreter) {
        say(&format!("left out: a_killed_driver_leaves_neither_workers_nor_perf_maps: Python {interpreter} writes no perf maps"));
        return;
    }
    for lane in ["truth/fork", "truth/spawn"] {
        let arguments = ["profile", "--pass", "stacks", "-w", "call.noop", "-s", lane, "--seconds", "60"];
        let mut driver = sandbox.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The worker's own, and those of the two processes that it started.
        sandbox.wait_until("all have perf maps", || (perf_maps(&sandbox).len() >= 3).then_some(()));
        driver.kill().unwrap();
        driver.wait().unwrap();
        sandbox.wait_for_the_end_of_workers();
        sandbox.wait_until("the perf maps are gone", || perf_maps(&sandbox).is_empty().then_some(()));
    }
}

/// Runs the command where a system call is refused: for EPERM as a container's filter does it, for EACCES as the kernel's setting does.
fn denied(sandbox: &Sandbox, errno: &str, arguments: &[&str]) -> Ended {
    let filter = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deny.py");
    let inner = sandbox.command(arguments);
    let mut command = Command::new("python3");
    command.current_dir(sandbox.path()).arg(filter).args([errno, "perf_event_open"]).arg(inner.get_program()).args(inner.get_args());
    Ended { output: command.output().unwrap() }
}

#[test]
fn a_refusal_says_what_was_refused_what_to_allow_and_what_is_lost() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return;
    }
    let sandbox = Sandbox::with("steady");
    for errno in ["EPERM", "EACCES"] {
        let arguments = ["profile", "--pass", "stacks", "-w", "call.add", "-s", "steady/slow", "--preset", "smoke"];
        denied(&sandbox, errno, &arguments).refuses_with(&[
            "the kernel refused perf_event_open",
            "kernel.perf_event_paranoid",
            "seccomp=unconfined",
            "Without it there are no flamegraphs and no split of the time",
        ]);
        assert!(sandbox.workers().is_empty());
    }
}

#[test]
fn no_perf_program_is_needed() {
    if !allowed("no_perf_program_is_needed") {
        return;
    }
    let sandbox = Sandbox::with("steady");
    let mut command = sandbox.command(&["profile", "--pass", "stacks", "-w", "call.add", "-s", "steady/slow", "--preset", "smoke"]);
    // Nor is there a Python on this PATH.
    let python = sandbox.path().join("build/tools/bin/python").canonicalize().unwrap();
    let output = command.env("PATH", "/nowhere").arg("--python").arg(python).args(["--seconds", "0.5", "--json"]).output().unwrap();
    let found = Ended { output }.succeeds().json();
    assert_eq!(found["cells"][0]["stacks"]["way"], "the built-in sampler");
}

#[test]
fn two_lanes_are_laid_upon_each_other() {
    if !allowed("two_lanes_are_laid_upon_each_other") {
        return;
    }
    let sandbox = truth();
    let arguments = ["profile", "--diff", "truth/ctypes", "truth/capi", "-w", "call.noop", "--seconds", "1"];
    sandbox.bindbench(&arguments).succeeds().prints(&["truth/capi against truth/ctypes, call.noop"]);
    let found = Profile::read(&folder(&sandbox)).unwrap().unwrap();
    let [difference] = &found.differences[..] else { panic!("{:?}", found.differences) };
    let svg = fs::read_to_string(folder(&sandbox).join(&difference.picture)).unwrap();
    assert!(svg.contains("the binding") && svg.contains("takes longer in truth/capi"));
    let index = fs::read_to_string(folder(&sandbox).join("index.html")).unwrap();
    assert!(index.contains("truth/capi against truth/ctypes"));
    // A call takes 10 ms of CPU in both; what samples see of them is near it.
    let text = fs::read_to_string(folder(&sandbox).join(&difference.folded)).unwrap();
    let sums = text.lines().fold([0.0, 0.0], |sums, line| {
        let mut columns = line.rsplitn(3, ' ').map(|column| column.parse().unwrap_or(0.0));
        let (second, first): (f64, f64) = (columns.next().unwrap(), columns.next().unwrap());
        [sums[0] + first / 1e9, sums[1] + second / 1e9]
    });
    assert!(sums.iter().all(|ms| (8.0..13.0).contains(ms)), "milliseconds a call: {sums:?}");
}

#[test]
fn sampling_hardly_slows_what_is_sampled() {
    if !allowed("sampling_hardly_slows_what_is_sampled") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.make_tools();
    sandbox.set_up("python/pure").succeeds();
    let ns_a_call = |hertz: &str| {
        let arguments = ["profile", "--pass", "stacks", "-w", "call.take_list", "-s", "python/pure", "--seconds", "0.4", "--hertz", hertz];
        let found = sandbox.bindbench(&[&arguments[..], &["--json"]].concat()).succeeds().json();
        let stacks = &found["cells"][0]["stacks"];
        stacks["elapsed_ns"].as_f64().unwrap() / stacks["calls"].as_f64().unwrap()
    };
    // The quickest of each, in turns: the machine is as busy for one as for the other.
    let (mut seldom, mut often) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..4 {
        seldom = seldom.min(ns_a_call("1"));
        often = often.min(ns_a_call("999"));
    }
    let ratio = often / seldom;
    say(&format!("999 samples a second make a call {:.1} % slower", 100.0 * (ratio - 1.0)));
    // 2 to 4 % on a quiet machine; what is to be found out here is a sampler that stops the worker.
    assert!(ratio < 1.25, "{ratio}");
}
