//! Profiling by py-spy, which is only built in where it is asked for: `cargo test -p bindbench --features pyspy --test cli pyspy`.

use bindbench_inspect::Backend;

use crate::profile::{folder, nothing_is_left, say};
use crate::sandbox::{Ended, Sandbox};
use crate::truth::is_true_but_for_chance;
use crate::ways::{ASLEEP, denied};

/// Whether one process may look at another one here. If not, says which test was left out. A test may not look by itself: it is no
/// program that could be started again to be looked at.
fn allowed(sandbox: &Sandbox, test: &str) -> bool {
    let tried = sandbox.bindbench(&[&ASLEEP[..], &["--backend", "py-spy"]].concat());
    let is_refused = tried.output.status.code() == Some(2);
    if is_refused {
        say(&format!("left out: {test}: {}", tried.stderr()));
    }
    !is_refused
}

#[test]
fn a_refusal_to_stop_or_to_read_says_what_to_allow_and_what_is_lost() {
    let sandbox = Sandbox::with("steady");
    let arguments = [&ASLEEP[..], &["--backend", "py-spy"]].concat();
    let calls: &[&str] = if allowed(&sandbox, "a refusal of process_vm_readv") { &["ptrace", "process_vm_readv"] } else { &["ptrace"] };
    for call in calls {
        for errno in ["EPERM", "EACCES"] {
            let output = denied(&sandbox, errno, call, &arguments).output().unwrap();
            Ended { output }.refuses_with(&[
                &format!("the kernel refused {call}"),
                "kernel.yama.ptrace_scope",
                "--cap-add=SYS_PTRACE",
                "Without it Python's functions have no names on 3.11 and older",
            ]);
        }
    }
    assert!(sandbox.workers().is_empty());
}

#[test]
fn where_perf_events_are_refused_py_spy_looks_from_outside() {
    let sandbox = Sandbox::with("steady");
    if !allowed(&sandbox, "where_perf_events_are_refused_py_spy_looks_from_outside") {
        return;
    }
    let output = denied(&sandbox, "EPERM", "perf_event_open", &[&ASLEEP[..], &["--json"]].concat()).output().unwrap();
    let ended = Ended { output }.succeeds().says(&["samples are taken by py-spy instead", "the kernel refused perf_event_open"]);
    assert_eq!(ended.json()["cells"][0]["stacks"]["way"], "py-spy");
    let looked_at = ["doctor"];
    sandbox.bindbench(&looked_at).prints(&["ptrace, for py-spy", "allowed"]);
}

/// On 3.11, where no other way knows the names of Python's functions, and the oldest and the newest way that calls are marked.
fn shares_are_true_on(version: &str) {
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("truth");
    sandbox.make_tools();
    let set_up = ["setup", "--preset", "smoke", "--workload", "!bpe", "--lane", "truth*/*", "--python", version];
    let set_up = sandbox.bindbench(&set_up);
    if set_up.stderr().contains("matches no interpreter found") {
        say(&format!("left out: the truth of py-spy's shares on {version}: there is none here"));
        return;
    }
    set_up.succeeds();
    let arguments = ["profile", "--pass", "stacks", "--backend", "py-spy", "-w", "call.noop", "--seconds", "15", "--python", version, "-s"];
    sandbox.bindbench(&[&arguments[..], &["truth*/*"]].concat()).succeeds().prints(&["truth/ctypes", "index.html"]);
    sandbox.bindbench(&[&arguments[..], &["truth/{capi,ctypes}", "--threads", "2"]].concat()).succeeds();
    let found = bindbench_store::profile::read(&folder(&sandbox)).unwrap().unwrap();
    assert!(found.cells.len() >= 8, "{:?}", found.cells.iter().map(|cell| &cell.lane).collect::<Vec<_>>());
    for cell in &found.cells {
        let stacks = cell.stacks.as_ref().unwrap();
        say(&format!(
            "{version} {} x{}: {} samples at {} Hz, {} rooted, {} with Python",
            cell.lane, cell.case.threads, stacks.samples, stacks.hertz, stacks.rooted, stacks.with_python
        ));
        assert_eq!(stacks.way, "py-spy");
        // A worker is held for each sample, so they are few, the fewer the more processes there are.
        is_true_but_for_chance(&sandbox, cell, 3.0);
    }
    nothing_is_left(&sandbox);
}

#[test]
fn shares_are_true_on_3_11_with_the_names_of_python_functions() {
    shares_are_true_on("3.11");
}

#[test]
#[ignore = "four minutes more; cargo test -p bindbench --features pyspy --test cli -- --ignored py_spy"]
fn shares_are_true_by_py_spy_on_the_oldest_and_on_newer_ones() {
    for version in ["3.9", "3.10", "3.12", "3.13"] {
        shares_are_true_on(version);
    }
}

#[test]
fn a_way_that_is_built_in_is_no_reason_to_take_it() {
    // Others come first where they work: this one slows the worker more, and sees less.
    if let Ok(choice) = Backend::Sampler.choose(999, || panic!("nothing has to be built for that")) {
        let first = Backend::Auto.choose(999, || panic!("nothing has to be built for that")).unwrap();
        assert_eq!(first.way, choice.way);
    }
}
