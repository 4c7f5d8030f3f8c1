//! Profiling: stopped in the polite way and in the other one, what it writes, and what it costs.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use bindbench_inspect::Backend;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::sandbox::{Ended, Sandbox};

/// Whether perf events are allowed here. If not, says which test was left out.
pub fn allowed(test: &str) -> bool {
    match Backend::Sampler.choose(999, || panic!("nothing has to be built for that")) {
        Ok(_) => true,
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
pub fn truth() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("truth");
    sandbox.make_tools();
    sandbox.set_up("truth/*").succeeds();
    sandbox
}

pub fn folder(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join("flamegraphs")
}

/// Whether an interpreter is CPython 3.`least` or newer, or none of CPython's.
pub fn is_at_least(interpreter: &str, least: u32) -> bool {
    let minor = interpreter.strip_prefix("3.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    minor.is_none_or(|minor| minor >= least)
}

/// Whether an interpreter tells the names of Python functions.
pub fn gives_names(interpreter: &str) -> bool {
    is_at_least(interpreter, 12)
}

/// The interpreter that is taken when none is named.
pub fn default_interpreter(sandbox: &Sandbox) -> String {
    let listed = sandbox.bindbench(&["list", "--lane", "truth/capi", "--json"]).succeeds().json();
    listed["lanes"][0]["interpreter"].as_str().unwrap().to_owned()
}

/// What a sandbox's processes wrote into /tmp with this end, perf maps or what perf reads; other tests have theirs.
fn written(sandbox: &Sandbox, end: &str) -> Vec<PathBuf> {
    let mark = sandbox.path().display().to_string().into_bytes();
    let is_ours = |path: &Path| fs::read(path).is_ok_and(|bytes| bytes.windows(mark.len()).any(|window| window == mark));
    let files = fs::read_dir("/tmp").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|other| other == end) && is_ours(path)).collect()
}

pub fn nothing_is_left(sandbox: &Sandbox) {
    sandbox.wait_for_the_end_of_workers();
    for end in ["map", "dump", "so"] {
        assert_eq!(written(sandbox, end), Vec::<PathBuf>::new());
    }
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
    let found = bindbench_store::profile::read(&folder(&sandbox)).unwrap().unwrap();
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
        sandbox.wait_until("all have perf maps", || (written(&sandbox, "map").len() >= 3).then_some(()));
        driver.kill().unwrap();
        driver.wait().unwrap();
        sandbox.wait_for_the_end_of_workers();
        sandbox.wait_until("the perf maps are gone", || written(&sandbox, "map").is_empty().then_some(()));
    }
}

#[test]
fn samples_are_written_one_by_one_for_the_firefox_profiler() {
    if !allowed("samples_are_written_one_by_one_for_the_firefox_profiler") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.make_tools();
    sandbox.set_up("python/pure").succeeds();
    let arguments = ["profile", "--pass", "stacks", "-w", "call.take_list", "-s", "python/pure", "--seconds", "0.3"];
    sandbox.bindbench(&[&arguments[..], &["--firefox"]].concat()).succeeds();
    let stacks = || bindbench_store::profile::read(&folder(&sandbox)).unwrap().unwrap().cells[0].stacks.clone().unwrap();
    let (found, index) = (stacks(), || fs::read_to_string(folder(&sandbox).join("index.html")).unwrap());
    let written = found.firefox.unwrap();
    assert!(index().contains(&format!("href=\"{}\"", written.display())));
    let packed = File::open(folder(&sandbox).join(&written)).unwrap();
    let profile: Value = serde_json::from_reader(flate2::read::GzDecoder::new(packed)).unwrap();
    let threads = profile["threads"].as_array().unwrap();
    let samples: u64 = threads.iter().map(|thread| thread["samples"]["length"].as_u64().unwrap()).sum();
    assert_eq!(samples, found.samples);
    let names: Vec<&str> = threads.iter().flat_map(|thread| thread["stringArray"].as_array().unwrap()).filter_map(Value::as_str).collect();
    assert!(names.contains(&"worker") && names.iter().any(|name| name.contains("the timed loop") || name.contains("PyEval")), "{names:?}");
    // A picture of other samples has none of these beside it.
    sandbox.bindbench(&arguments).succeeds();
    assert_eq!(stacks().firefox, None);
    assert!(!folder(&sandbox).join(&written).exists() && !index().contains("json.gz"));
}

#[test]
fn two_lanes_are_laid_upon_each_other() {
    if !allowed("two_lanes_are_laid_upon_each_other") {
        return;
    }
    let sandbox = truth();
    let arguments = ["profile", "--diff", "truth/ctypes", "truth/capi", "-w", "call.noop", "--seconds", "1"];
    sandbox.bindbench(&arguments).succeeds().prints(&["truth/capi against truth/ctypes, call.noop"]);
    let found = bindbench_store::profile::read(&folder(&sandbox)).unwrap().unwrap();
    let [difference] = &found.differences[..] else { panic!("{:?}", found.differences) };
    let svg = fs::read_to_string(folder(&sandbox).join(&difference.picture)).unwrap();
    assert!(svg.contains("the binding") && svg.contains("takes longer in truth/capi"));
    let index = fs::read_to_string(folder(&sandbox).join("index.html")).unwrap();
    assert!(index.contains("truth/capi against truth/ctypes"));
    // A call takes 10 ms of CPU in both, so the lines are in nanoseconds; what samples see of them is near it.
    let text = fs::read_to_string(folder(&sandbox).join(&difference.folded)).unwrap();
    let sums = text.lines().fold([0.0, 0.0], |sums, line| {
        let mut columns = line.rsplitn(3, ' ').map(|column| column.parse().unwrap_or(0.0));
        let (second, first): (f64, f64) = (columns.next().unwrap(), columns.next().unwrap());
        [sums[0] + first / 1e6, sums[1] + second / 1e6]
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
    // 2 to 4 % on a quiet machine; what is to be found out here is a sampler that stops the worker. The quickest of each, in turns, until
    // both had a quiet moment: other tests want the CPU, too.
    const MOST: f64 = 1.25;
    let (mut seldom, mut often) = (f64::INFINITY, f64::INFINITY);
    for turn in 0..15 {
        seldom = seldom.min(ns_a_call("1"));
        often = often.min(ns_a_call("999"));
        if turn >= 3 && often < MOST * seldom {
            break;
        }
    }
    let ratio = often / seldom;
    say(&format!("999 samples a second make a call {:.1} % slower", 100.0 * (ratio - 1.0)));
    assert!(ratio < MOST, "{ratio}");
}
