//! Profiling where not everything is allowed, or there: which way of taking samples is taken, and what is said of the others.

use std::path::{Path, PathBuf};
use std::process::Command;

use bindbench_inspect::Backend;

use crate::profile::{allowed, folder, is_at_least, nothing_is_left, say, truth};
use crate::sandbox::{Ended, Sandbox};
use crate::truth::{is_true, profile};

/// A cell that sleeps, as short as it can be profiled.
pub const ASLEEP: [&str; 11] =
    ["profile", "--pass", "stacks", "-w", "call.add", "-s", "steady/slow", "--preset", "smoke", "--seconds", "0.3"];

/// Runs the command where system calls are refused: for EPERM as a container's filter does it, for EACCES as the kernel's setting does.
pub fn denied(sandbox: &Sandbox, errno: &str, calls: &str, arguments: &[&str]) -> Command {
    let filter = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deny.py");
    let inner = sandbox.command(arguments);
    let mut command = Command::new(python(sandbox));
    command.current_dir(sandbox.path()).arg(filter).args([errno, calls]).arg(inner.get_program()).args(inner.get_args());
    command
}

/// The Python that is set up: where nothing is on the PATH, it has to be named.
fn python(sandbox: &Sandbox) -> PathBuf {
    let mut environments = std::fs::read_dir(sandbox.path().join("build/pythons")).unwrap();
    environments.next().unwrap().unwrap().path().join("bin/python").canonicalize().unwrap()
}

/// Runs the command where there is neither perf nor cargo.
fn lonely(sandbox: &Sandbox, mut command: Command) -> Ended {
    Ended { output: command.env("PATH", "/nowhere").env_remove("CARGO").arg("--python").arg(python(sandbox)).output().unwrap() }
}

#[test]
fn a_refusal_says_what_was_refused_what_to_allow_and_what_is_lost() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return;
    }
    let sandbox = Sandbox::with("steady");
    for errno in ["EPERM", "EACCES"] {
        let arguments = [&ASLEEP[..], &["--backend", "sampler"]].concat();
        let output = denied(&sandbox, errno, "perf_event_open", &arguments).output().unwrap();
        Ended { output }.refuses_with(&[
            "the kernel refused perf_event_open",
            "kernel.perf_event_paranoid",
            "seccomp=unconfined",
            "Without it there are no flamegraphs and no split of the time",
        ]);
        assert!(sandbox.workers().is_empty());
    }
    // The other ones need programs.
    let command = |backend| sandbox.command(&[&ASLEEP[..], &["--backend", backend]].concat());
    lonely(&sandbox, command("perf")).refuses_with(&["there is no program `perf` on the PATH", "apt install linux-perf"]);
    lonely(&sandbox, command("pprof")).refuses_with(&["pprof's library can't be built", "cargo is missing", "bindbench run"]);
    if !cfg!(feature = "pyspy") {
        let builds_it = "cargo run --release --package bindbench --features pyspy -- profile --backend py-spy";
        sandbox
            .bindbench(&[&ASLEEP[..], &["--backend", "py-spy"]].concat())
            .refuses_with(&["py-spy is not built into this program", builds_it]);
    }
    // And where nothing is left, all of that is said.
    lonely(&sandbox, denied(&sandbox, "EPERM", "perf_event_open,ptrace", &ASLEEP)).refuses_with(&[
        "no way to take samples of stacks works here",
        "the kernel refused perf_event_open",
        "there is no program `perf` on the PATH",
        if cfg!(feature = "pyspy") { "the kernel refused ptrace" } else { "py-spy is not built into this program" },
        "pprof's library can't be built",
    ]);
    assert!(sandbox.workers().is_empty());
}

#[test]
fn no_perf_program_is_needed() {
    if !allowed("no_perf_program_is_needed") {
        return;
    }
    let sandbox = Sandbox::with("steady");
    let found = lonely(&sandbox, sandbox.command(&[&ASLEEP[..], &["--json"]].concat())).succeeds().json();
    assert_eq!(found["cells"][0]["stacks"]["way"], "the built-in sampler");
}

#[test]
fn where_perf_events_and_ptrace_are_refused_pprof_looks_from_inside() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return;
    }
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("truth");
    sandbox.make_tools();
    sandbox.share_pprof();
    sandbox.set_up("truth/*").succeeds();
    let arguments =
        ["profile", "--pass", "stacks", "-w", "call.noop", "-s", "truth/{capi,ctypes}", "--seconds", "2", "--firefox", "--json"];
    let output = denied(&sandbox, "EPERM", "perf_event_open,ptrace", &arguments).output().unwrap();
    let ended =
        Ended { output }.succeeds().says(&["samples are taken by pprof inside the worker instead", "the kernel refused perf_event_open"]);
    let found = ended.json();
    assert!(found["notes"].to_string().contains("no Python function has a name"), "{}", found["notes"]);
    for cell in found["cells"].as_array().unwrap() {
        let (lane, stacks) = (cell["lane"].as_str().unwrap(), &cell["stacks"]);
        assert_eq!(stacks["way"], "pprof inside the worker");
        let samples = stacks["samples"].as_f64().unwrap();
        assert!(samples > 25.0, "{lane}: {samples} samples");
        assert_eq!((stacks["with_python"].as_u64(), stacks["with_kernel"].as_bool()), (Some(0), Some(false)));
        assert!(stacks["rooted"].as_f64().unwrap() >= 0.95 * samples, "{lane}: {} of {samples} rooted", stacks["rooted"]);
        let text = std::fs::read_to_string(folder(&sandbox).join(stacks["folded"].as_str().unwrap())).unwrap();
        // Few samples, the fewer the busier the machine is: they are taken when the system's clock ticks. Four standard deviations.
        for (function, share) in [("truth_first", 0.3_f64), ("truth_second", 0.5)] {
            let counts =
                text.lines().filter(|line| line.contains(function)).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
            let seen = counts.sum::<f64>() / samples;
            let margin = 0.03 + 4.0 * (share * (1.0 - share) / samples).sqrt();
            assert!((seen - share).abs() < margin, "{lane} {function}: {seen:.3} instead of {share}, of {samples} samples");
        }
        assert!(!text.contains("perf_signal_handler") && text.lines().all(|line| line.starts_with("worker;")), "{text}");
    }
    let index = std::fs::read_to_string(folder(&sandbox).join("index.html")).unwrap();
    assert!(index.contains("native stacks, no Python function has a name") && index.contains("json.gz"));
    assert!(sandbox.workers().is_empty());
}

/// Samples lanes by perf, and demands that it tells the truth of each.
fn perf_sees_the_same_of(test: &str, lanes: &str, count: usize) {
    if let Err(refused) = Backend::Perf.choose(999, || panic!("nothing has to be built for that")) {
        say(&format!("left out: {test}: {refused}"));
        return;
    }
    let sandbox = truth();
    profile(&sandbox, "perf", &["-s", lanes]);
    let found = bindbench_store::profile::read(&folder(&sandbox)).unwrap().unwrap();
    assert_eq!(found.cells.len(), count);
    for cell in &found.cells {
        assert_eq!(cell.stacks.as_ref().unwrap().way, "perf");
        if !is_at_least(cell.interpreter.as_deref().unwrap_or_default(), 13) {
            say(&format!("left out: {test}: CPython writes unwind tables for perf from 3.13 on"));
            return;
        }
        is_true(&sandbox, cell);
    }
    nothing_is_left(&sandbox);
}

#[test]
fn perf_sees_the_same() {
    // One lane: it takes a tenth of the samples that the built-in sampler takes, and longer to read them.
    perf_sees_the_same_of("perf_sees_the_same", "truth/cython", 1);
}

#[test]
#[ignore = "two minutes more; cargo test -p bindbench --test cli -- --ignored perf_sees"]
fn perf_sees_the_same_of_every_binding_and_of_processes() {
    perf_sees_the_same_of("perf_sees_the_same_of_every_binding_and_of_processes", "truth/*", 5);
}
