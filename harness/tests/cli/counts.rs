//! Instructions, counted by valgrind. What needs it is run by `cargo test -p bindbench --test cli -- --ignored counts::` only: it takes minutes.

use std::fs;
use std::process::Command;

use bindbench_model::Count;

use crate::sandbox::{Sandbox, cell};

/// A sandbox with a copy of the catalog `work`.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("work");
    sandbox.make_tools();
    sandbox
}

#[test]
fn without_valgrind_the_packages_are_named_before_anything_is_built() {
    let sandbox = sandbox();
    let gate = |more: &[&str]| {
        let mut command = sandbox.command(&[&["gate", "--base", "work", "--counter", "instructions"][..], more].concat());
        let output = command.env("PATH", sandbox.path()).output().unwrap();
        crate::sandbox::Ended { output }
    };
    gate(&[]).refuses_with(&[
        "instructions are counted by valgrind, and there is none here",
        "apt install valgrind",
        "dnf install valgrind",
    ]);
    assert!(!sandbox.path().join("build/pythons").exists());
    gate(&["--instructions-threshold", "few"]).refuses_with(&["is no number of per cent"]);
}

#[test]
#[ignore = "needs valgrind and two minutes of CPU"]
fn a_hundredth_more_work_is_red_and_the_same_work_is_green() {
    let sandbox = sandbox();
    let (base, head) = (sandbox.path().join("work"), sandbox.path().join("head"));
    assert!(Command::new("cp").arg("-r").arg(&base).arg(&head).status().unwrap().success());
    let module = head.join("work/bindbench_work_changed.py");
    let text = fs::read_to_string(&module).unwrap();
    fs::write(&module, text.replace("range(1000)", "range(1010)")).unwrap();
    let sides = ["--base", base.to_str().unwrap(), "--head", head.to_str().unwrap()];
    let lanes = ["-s", "work/changed", "-s", "work/same", "-s", "work/threads", "-w", "call.add"];
    let red = sandbox.bindbench(&[&["gate", "--counter", "instructions"][..], &sides, &lanes].concat()).exits_with(1).prints(&[
        "FAIL work/changed call.add:pair 3.",
        ": more instructions, × 1.0",
        "a call); threshold 0.50 %",
        "flamegraph of the difference: bindbench profile",
        "work/threads call.add:pair 3.",
        "its instructions are not counted: its threads take turns",
        "FAIL: of 2 cells 1 failed, 1 passed (0 faster, 0 with fewer instructions), 0 inconclusive. Its samples: ",
    ]);
    assert!(!red.stdout().contains("95 %") && !red.stdout().contains("FAIL work/same"), "{}", red.stdout());
}

#[test]
#[ignore = "needs valgrind, and half a minute of CPU"]
fn lanes_that_do_not_work_are_in_the_tables_of_instructions() {
    let sandbox = Sandbox::with("misfits");
    let lanes = ["healthy", "wrong", "segfaults", "hangs"].map(|variant| format!("misfits/{variant}"));
    let lanes: Vec<&str> = lanes.iter().flat_map(|lane| ["-s", lane.as_str()]).collect();
    let what = ["run", "--counter", "instructions", "--preset", "smoke", "-w", "call.add", "--generations", "2", "--timeout", "20"];
    let run = sandbox.bindbench(&[&what[..], &lanes].concat()).exits_with(1);
    let run = run.says(&[
        "misfits/hangs: timed out after 20 s (1 cell)",
        "misfits/segfaults: crashed (1 cell)",
        "exit status 1: ",
        "misfits/wrong: wrong (1 cell)",
    ]);
    for lane in ["misfits/healthy", "misfits/wrong", "misfits/segfaults", "misfits/hangs"] {
        let printed = run.stdout();
        let row = printed.lines().find(|line| line.trim_start().starts_with(lane)).unwrap_or_else(|| panic!("no row of {lane}"));
        assert_eq!(row.contains(" ok"), lane == "misfits/healthy", "{row}");
    }
    let json = sandbox.bindbench(&["report", "--json"]).succeeds().json();
    assert_eq!(json["instructions"]["tables"][0]["rows"].as_array().unwrap().len(), 4, "{json}");
}

#[test]
#[ignore = "needs valgrind and two minutes of CPU"]
fn a_run_has_counts_that_are_alike_in_every_process() {
    let sandbox = sandbox();
    sandbox.set_up("work/*").succeeds();
    let lanes = ["-s", "work/same", "-s", "work/changed", "-s", "work/clock"];
    let what = ["run", "--counter", "instructions", "--preset", "smoke", "-w", "call.add", "--generations", "2"];
    let run = sandbox.bindbench(&[&what[..], &lanes].concat()).succeeds();
    run.prints(&[
        "instructions only",
        "Of 2 counts ",
        "they don't see caches",
        "call.add, input pair, Python 3.",
        "work/clock call.add (3.",
        "the clock was read",
    ]);
    let recorded = sandbox.recorded();
    assert!(recorded.samples.is_empty());
    let counts = |lane: &str| -> Vec<Count> {
        let id = cell(&recorded, lane).id;
        recorded.counts.iter().filter(|count| count.cell == id).map(|count| Count { generation: 0, cell: 0, ..count.clone() }).collect()
    };
    let (same, changed) = (counts("work/same"), counts("work/changed"));
    assert_eq!((same.len(), changed.len()), (2, 2));
    // Another process, another lane, and the same code. (They are mostly the same to the last instruction; METHODOLOGY.md says when not.)
    for count in [&same[1], &changed[0], &changed[1]] {
        assert!((count.of_a_call() / same[0].of_a_call() - 1.0).abs() < 0.001, "{same:?} {changed:?}");
    }
    let report = fs::read_to_string(sandbox.path().join("reports/index.html")).unwrap();
    assert!(report.contains("id=\"instructions\"") && report.contains("work&#x2f;same"), "the page has no counts");
    // A run is the same as itself, and nothing of callgrind's is left.
    let folder = sandbox.run_folder();
    let name = folder.to_str().unwrap();
    sandbox
        .bindbench(&["compare", name, name])
        .succeeds()
        .prints(&["2 counts: 0 more (by more than 0.50 %), 0 fewer, 2 no more, 0 inconclusive"]);
    let mut files: Vec<String> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, ["counts.csv", "logs", "run.json", "samples.csv"]);
}
