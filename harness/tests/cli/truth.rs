//! Whether the shares that `profile` tells are true: on lanes of which it is known where their time goes.

use std::collections::BTreeMap;
use std::fs;

use bindbench_model::profile::{Activity, ProfiledCell, Stacks};

use crate::profile::{allowed, default_interpreter, folder, gives_names, nothing_is_left, say};
use crate::sandbox::{Ended, Sandbox};

/// How far a share may be from the truth.
const MARGIN: f64 = 0.03;

/// The fixture's own division of its time.
const TRUTH: [(&str, f64); 3] = [("truth_first", 0.3), ("truth_second", 0.5), ("python_loop", 0.2)];

/// So many samples tell a share to about a point.
const ENOUGH: u64 = 1_200;

/// Samples cells until there are enough, which takes longer where others want the CPUs, too.
pub fn profile(sandbox: &Sandbox, backend: &str, more: &[&str]) -> Ended {
    let mut ended = None;
    for seconds in ["2.5", "6", "20"] {
        let arguments = ["profile", "--pass", "stacks", "--backend", backend, "-w", "call.noop", "--seconds", seconds];
        ended = Some(sandbox.bindbench(&[&arguments[..], more].concat()).succeeds());
        let found = bindbench_store::profile::read(&folder(sandbox)).unwrap().unwrap();
        if found.cells.iter().all(|cell| cell.stacks.as_ref().is_some_and(|stacks| stacks.samples >= ENOUGH)) {
            break;
        }
    }
    ended.unwrap()
}

/// Folded stacks, and how often each was seen.
fn folded(sandbox: &Sandbox, stacks: &Stacks) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(folder(sandbox).join(&stacks.folded)).unwrap();
    let line = |line: &str| line.rsplit_once(' ').map(|(stack, count)| (stack.to_owned(), count.parse().unwrap())).unwrap();
    text.lines().map(line).collect()
}

/// Every share of a cell is near the truth. Of a pool, the processes that work are looked at, not the one that hands the work out.
pub fn is_true(sandbox: &Sandbox, cell: &ProfiledCell) {
    is_true_but_for_chance(sandbox, cell, 0.0);
}

/// The same of few samples, a hundred at least: beyond the margin, so many standard deviations of a share are allowed for.
pub fn is_true_but_for_chance(sandbox: &Sandbox, cell: &ProfiledCell, deviations: f64) {
    let stacks = cell.stacks.as_ref().unwrap();
    let all = folded(sandbox, stacks);
    let works = |stack: &str| !["truth/fork", "truth/spawn"].contains(&cell.lane.as_str()) || stack.starts_with("a process it started;");
    let count = |wanted: &dyn Fn(&str) -> bool| -> u64 {
        all.iter().filter(|(stack, _)| works(stack) && wanted(stack)).map(|(_, count)| count).sum()
    };
    let samples = count(&|_| true);
    let least = if deviations > 0.0 { 100 } else { ENOUGH / 2 };
    assert!(samples >= least, "{}: {samples} samples", cell.lane);
    for (function, share) in TRUTH {
        let seen = count(&|stack| stack.contains(function)) as f64 / samples as f64;
        let margin = MARGIN + deviations * (share * (1.0 - share) / samples as f64).sqrt();
        assert!((seen - share).abs() <= margin, "{} {function}: {seen:.3} instead of {share}, of {samples} samples", cell.lane);
    }
    // Where processes are forked, perf knows the root of theirs only, not of the one that forked them.
    let least = if stacks.way == "perf" { 0.9 } else { 0.95 };
    assert!(stacks.share(stacks.rooted) >= least, "{}: {} of {} rooted", cell.lane, stacks.rooted, stacks.samples);
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

/// The whole truth on one interpreter; on the one that is taken when none is named, unless another test has that.
fn shares_are_true_on(version: Option<&str>) {
    let test = format!("the truth of shares on {}", version.unwrap_or("the default interpreter"));
    if !allowed(&test) {
        return;
    }
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("truth");
    let interpreter = default_interpreter(&sandbox);
    let is_told_elsewhere = |interpreter: &str| TOLD_ON.iter().any(|version| interpreter.starts_with(&format!("{version}.")));
    if version.is_none() && (is_told_elsewhere(&interpreter) || !gives_names(&interpreter)) {
        say(&format!("left out: {test}, {interpreter}: another test has it, or its functions have no names"));
        return;
    }
    sandbox.make_tools();
    let python: Vec<&str> = version.iter().flat_map(|version| ["--python", version]).collect();
    let set_up = ["setup", "--preset", "smoke", "--workload", "!bpe", "--lane", "truth*/*"];
    let set_up = sandbox.bindbench(&[&set_up[..], &python].concat());
    if set_up.stderr().contains("matches no interpreter found") {
        say(&format!("left out: {test}: there is none here"));
        return;
    }
    set_up.succeeds();
    profile(&sandbox, "sampler", &[&["-s", "truth*/*"], &python[..]].concat()).prints(&["truth/ctypes", "index.html"]);
    profile(&sandbox, "sampler", &[&["-s", "truth/{capi,ctypes}", "--threads", "2"], &python[..]].concat());
    let found = bindbench_store::profile::read(&folder(&sandbox)).unwrap().unwrap();
    let lanes: Vec<(&str, u32)> = found.cells.iter().map(|cell| (cell.lane.as_str(), cell.case.threads)).collect();
    let single = ["truth/capi", "truth/ctypes", "truth/cython", "truth/fork", "truth/spawn", "truth_pyo3/held"].map(|lane| (lane, 1));
    for wanted in single.into_iter().chain([("truth/capi", 2), ("truth/ctypes", 2)]) {
        assert!(lanes.contains(&wanted), "{wanted:?} is not among {lanes:?}");
    }
    for cell in &found.cells {
        assert!(version.is_none_or(|version| cell.interpreter.as_deref().unwrap().starts_with(version)), "{:?}", cell.interpreter);
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

/// Interpreters whose trampolines are known to be crossed; a test has each.
const TOLD_ON: [&str; 2] = ["3.12", "3.13"];

#[test]
#[ignore = "two minutes more; cargo test -p bindbench --test cli -- --ignored shares_are_true"]
fn shares_are_true_on_3_12_through_every_binding_in_threads_and_in_processes() {
    shares_are_true_on(Some(TOLD_ON[0]));
}

#[test]
fn shares_are_true_on_3_13_through_every_binding_in_threads_and_in_processes() {
    shares_are_true_on(Some(TOLD_ON[1]));
}

#[test]
fn shares_are_true_on_the_default_interpreter_whatever_it_is() {
    shares_are_true_on(None);
}
