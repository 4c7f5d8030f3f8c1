//! Profiling, on lanes of which it is known where their time goes, and where the kernel does not let itself be asked.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use bindbench::profile::Backend;
use bindbench::store::profile::{Activity, Profile, ProfiledCell, Stacks};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::sandbox::{Ended, Sandbox};

/// How far a share may be from the truth.
const MARGIN: f64 = 0.03;

/// The fixture's own division of its time.
const TRUTH: [(&str, f64); 3] = [("truth_first", 0.3), ("truth_second", 0.5), ("python_loop", 0.2)];

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

pub fn truth() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("truth");
    sandbox.make_tools();
    sandbox.set_up("truth/*").succeeds();
    sandbox
}

pub fn profile(sandbox: &Sandbox, backend: &str, more: &[&str]) -> Ended {
    let mut arguments = vec!["profile", "--pass", "stacks", "--backend", backend, "-w", "call.noop", "--seconds", "2.5"];
    arguments.extend(more);
    sandbox.bindbench(&arguments)
}

pub fn folder(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join("flamegraphs")
}

/// Folded stacks, and how often each was seen.
fn folded(sandbox: &Sandbox, stacks: &Stacks) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(folder(sandbox).join(&stacks.folded)).unwrap();
    let line = |line: &str| line.rsplit_once(' ').map(|(stack, count)| (stack.to_owned(), count.parse().unwrap())).unwrap();
    text.lines().map(line).collect()
}

/// Every share of a cell is near the truth. Of a pool, the processes that work are looked at, not the one that hands the work out.
pub fn is_true(sandbox: &Sandbox, cell: &ProfiledCell) {
    let stacks = cell.stacks.as_ref().unwrap();
    let all = folded(sandbox, stacks);
    let works = |stack: &str| !["truth/fork", "truth/spawn"].contains(&cell.lane.as_str()) || stack.starts_with("a process it started;");
    let count = |wanted: &dyn Fn(&str) -> bool| -> u64 {
        all.iter().filter(|(stack, _)| works(stack) && wanted(stack)).map(|(_, count)| count).sum()
    };
    let samples = count(&|_| true);
    assert!(samples > 300, "{}: {samples} samples", cell.lane);
    for (function, share) in TRUTH {
        let seen = count(&|stack| stack.contains(function)) as f64 / samples as f64;
        assert!((seen - share).abs() <= MARGIN, "{} {function}: {seen:.3} instead of {share}, of {samples} samples", cell.lane);
    }
    assert!(stacks.share(stacks.rooted) >= 0.95, "{}: {} of {} rooted", cell.lane, stacks.rooted, stacks.samples);
    let is_native = |stack: &str| stack.contains("truth_first") || stack.contains("truth_second");
    let native = count(&is_native);
    let glue = match cell.lane.as_str() {
        "truth/ctypes" => ";ffi_call;",
        "truth/cython" => ";__pyx_p",
        "truth_pyo3/held" => ";pyo3::impl_::trampoline::",
        _ => ";glue_",
    };
    let chained = count(&|stack| match (stack.find("noop ("), stack.find(glue), stack.rfind("truth_")) {
        (Some(python), Some(glue), Some(native)) => is_native(stack) && python < glue && glue < native,
        _ => false,
    });
    assert!(chained as f64 >= 0.9 * native as f64, "{}: Python → glue → native in {chained} of {native} samples", cell.lane);
    let split: u64 = stacks.split.values().sum();
    assert_eq!(split, stacks.samples, "{}: every sample is one of the split's", cell.lane);
    assert!(stacks.split[&Activity::Kernel] > stacks.samples / 2, "{}: {:?}", cell.lane, stacks.split);
}

/// Whether the cell's interpreter tells the names of Python functions: from 3.12 on.
fn gives_names(cell: &ProfiledCell) -> bool {
    is_at_least(cell, 12)
}

/// Whether the cell's interpreter is CPython 3.`least` or newer.
pub fn is_at_least(cell: &ProfiledCell, least: u32) -> bool {
    let minor = |name: &str| name.strip_prefix("3.")?.split('.').next()?.parse::<u32>().ok();
    cell.interpreter.as_deref().is_none_or(|name| minor(name).is_none_or(|minor| minor >= least))
}

pub fn nothing_is_left(sandbox: &Sandbox) {
    sandbox.wait_for_the_end_of_workers();
    let mark = b"bindbench_truth";
    let marked = |path: &Path| fs::read(path).is_ok_and(|bytes| bytes.windows(mark.len()).any(|window| window == mark));
    let maps: Vec<PathBuf> = fs::read_dir("/tmp").unwrap().filter_map(Result::ok).map(|entry| entry.path()).collect();
    let ours = |path: &Path| ["map", "dump", "so"].iter().any(|end| path.extension().is_some_and(|other| other == *end)) && marked(path);
    let maps: Vec<&PathBuf> = maps.iter().filter(|path| ours(path)).collect();
    assert!(maps.is_empty(), "{maps:?}");
}

#[test]
fn shares_are_true_through_every_binding_in_threads_and_in_processes() {
    if !allowed("shares_are_true_through_every_binding_in_threads_and_in_processes") {
        return;
    }
    let sandbox = truth();
    sandbox.set_up("truth_pyo3/*").succeeds();
    profile(&sandbox, "sampler", &["-s", "truth*/*"]).succeeds().prints(&["truth/ctypes", "index.html"]);
    profile(&sandbox, "sampler", &["-s", "truth/{capi,ctypes}", "--threads", "2"]).succeeds();
    let found = Profile::read(&folder(&sandbox)).unwrap().unwrap();
    let lanes: Vec<(&str, u32)> = found.cells.iter().map(|cell| (cell.lane.as_str(), cell.case.threads)).collect();
    let single = ["truth/capi", "truth/ctypes", "truth/cython", "truth/fork", "truth/spawn", "truth_pyo3/held"].map(|lane| (lane, 1));
    for wanted in single.into_iter().chain([("truth/capi", 2), ("truth/ctypes", 2)]) {
        assert!(lanes.contains(&wanted), "{wanted:?} is not among {lanes:?}");
    }
    let unnamed = found.cells.iter().find(|cell| !gives_names(cell));
    if let Some(interpreter) = unnamed.and_then(|cell| cell.interpreter.as_ref()) {
        say(&format!("left out: shares_are_true…: Python {interpreter} gives its functions no names; 3.12 and newer do"));
        return;
    }
    for cell in &found.cells {
        is_true(&sandbox, cell);
    }
    let index = fs::read_to_string(folder(&sandbox).join("index.html")).unwrap();
    for cell in &found.cells {
        let picture = cell.stacks.as_ref().unwrap().picture.to_str().unwrap();
        assert!(index.contains(&format!("href=\"{picture}\"")), "{picture} is not in the index");
        let svg = fs::read_to_string(folder(&sandbox).join(picture)).unwrap();
        assert!(svg.contains("mixed stacks") && svg.contains("truth_second"), "{picture}");
    }
    assert!(fs::read_to_string(folder(&sandbox).join("profile.md")).unwrap().contains("| truth/capi |"));
    nothing_is_left(&sandbox);
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
fn samples_are_written_one_by_one_for_the_firefox_profiler() {
    if !allowed("samples_are_written_one_by_one_for_the_firefox_profiler") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.make_tools();
    sandbox.set_up("python/pure").succeeds();
    let arguments = ["profile", "--pass", "stacks", "-w", "call.take_list", "-s", "python/pure", "--seconds", "0.3"];
    sandbox.bindbench(&[&arguments[..], &["--firefox"]].concat()).succeeds();
    let stacks = || Profile::read(&folder(&sandbox)).unwrap().unwrap().cells[0].stacks.clone().unwrap();
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
