//! The disk is full, or would be: what was written before stays readable, and nothing is begun that has no room.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::sandbox::{Ended, Sandbox, not_tested};

/// Runs the command in a name space of its own, in which the folder is a small disk. Afterwards the disk's files are in the folder.
const ON_A_SMALL_DISK: &str = r#"
    disk=$1 size=$2; shift 2
    mount -t tmpfs -o size="$size" tmpfs "$disk" || exit 99
    "$@"; status=$?
    mkdir "$disk.copy" && cp -r "$disk/." "$disk.copy" && umount "$disk" && cp -r "$disk.copy/." "$disk" || exit 98
    exit $status
"#;

/// Runs the program where the folder is a disk of that size. None where that can't be tried, which is said.
fn on_a_small_disk(sandbox: &Sandbox, folder: &str, size: &str, arguments: &[&str]) -> Option<Ended> {
    let disk = sandbox.path().join(folder);
    fs::create_dir_all(&disk).unwrap();
    let run = sandbox.command(arguments);
    let mut small = Command::new("unshare");
    small.current_dir(sandbox.path()).args(["--map-root-user", "--mount", "sh", "-c", ON_A_SMALL_DISK, "sh"]);
    small.arg(&disk).arg(size).arg(run.get_program()).args(run.get_args());
    match small.output() {
        Ok(output) if output.status.code() != Some(99) && output.status.code() != Some(1) => Some(Ended { output }),
        other => {
            not_tested(&format!("a small disk. No user and mount name spaces here: {other:?}"));
            None
        }
    }
}

/// A signal that nobody expects would be the end without a word.
#[test]
fn a_file_that_may_not_get_longer_is_an_error_that_names_it() {
    let sandbox = Sandbox::with("forge");
    let run = sandbox.command(&["run", "--preset", "smoke", "-w", "call.add", "--lane", "forge/made", "--generations", "1"]);
    let mut limited = Command::new("bash");
    limited.current_dir(sandbox.path()).args(["-c", "ulimit -f 1; exec \"$@\"", "bash"]).arg(run.get_program()).args(run.get_args());
    Ended { output: limited.output().unwrap() }.refuses_with(&["can't copy", "bindbench_worker", "File too large"]);
}

#[test]
fn a_full_disk_is_a_clear_error_and_every_round_before_it_can_be_read() {
    let sandbox = Sandbox::with("forge");
    let arguments = ["run", "--preset", "smoke", "-w", "call.add", "--lane", "forge/made", "--generations", "1", "--rounds", "1000"];
    let Some(ended) = on_a_small_disk(&sandbox, "runs", "48k", &arguments) else { return };
    ended.refuses_with(&["no space left on the disk", "samples.csv", "go on with `bindbench run --resume"]);
    sandbox.wait_for_the_end_of_workers();
    let recorded = sandbox.recorded();
    assert!(recorded.samples.len() > 20, "{} samples", recorded.samples.len());
    assert!(recorded.damage.len() <= 1, "{:?}", recorded.damage);
    assert!(!names(&sandbox.run_folder()).iter().any(|name| name.starts_with('.')), "{:?}", names(&sandbox.run_folder()));
    sandbox.bindbench(&["report"]).succeeds().prints(&["not complete", "forge/made"]);
}

#[test]
fn a_run_that_cannot_be_begun_leaves_no_folder() {
    let sandbox = Sandbox::with("forge");
    let arguments = ["run", "--preset", "smoke", "-w", "call.add", "--lane", "forge/made", "--generations", "1", "--rounds", "2"];
    let Some(ended) = on_a_small_disk(&sandbox, "runs", "4k", &arguments) else { return };
    ended.refuses_with(&["no space left on the disk", "run.json"]);
    assert_eq!(names(&sandbox.path().join("runs")), Vec::<String>::new());
}

#[test]
fn a_report_that_cannot_be_written_does_not_cost_the_run() {
    let sandbox = Sandbox::with("forge");
    fs::write(sandbox.path().join("a-file"), "").unwrap();
    let run = sandbox.run(&["--lane", "forge/made", "--rounds", "2", "--out", "a-file"]);
    run.refuses_with(&["can't make a-file"]);
    sandbox.bindbench(&["report"]).succeeds().prints(&["forge/made"]);
}

/// Files and folders in one, by name.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
fn inputs_that_have_no_room_are_refused_before_anything_is_written() {
    let sandbox = Sandbox::with("stranger");
    let inputs = sandbox.path().join("build/inputs");
    let before = names(&inputs);
    let smoke = ["--preset", "smoke"];
    for (command, more, size) in [
        ("run", &smoke[..], "9999999GiB"),
        ("run", &smoke, "18446744073709551615"),
        ("setup", &smoke, "17179869183GiB"),
        ("profile", &["--pass", "gil"], "2305843009213693952"),
    ] {
        let arguments = [&[command, "-w", "kmp", "--lane", "stranger/pure", "--size", size], more].concat();
        sandbox.bindbench(&arguments).refuses_with(&["kmp.find_all:talk:", "available", "`--size`", "-w '!kmp.find_all'"]);
    }
    sandbox.bindbench(&["debug", "stranger/pure", "kmp.find_all:talk:9999999GiB"]).refuses_with(&["available", "`--size`"]);
    assert_eq!(names(&inputs), before);
    assert!(!sandbox.path().join("runs").exists());
}

#[test]
fn inputs_larger_than_the_disk_are_refused_with_what_is_free() {
    let sandbox = Sandbox::with("stranger");
    let arguments = ["run", "--preset", "smoke", "-w", "kmp", "--lane", "stranger/pure", "--size", "64KiB", "--size", "40MiB"];
    let Some(ended) = on_a_small_disk(&sandbox, "build/inputs", "32m", &arguments) else { return };
    ended.refuses_with(&["32.0 MiB are free", "the largest are those of kmp.find_all:", ":40MiB", "`--size`", "free some space"]);
    let inputs = names(&sandbox.path().join("build/inputs"));
    // What set-up made is under the small disk.
    assert!(!inputs.iter().any(|name| name.contains("41943040") || name.starts_with('.')), "{inputs:?}");
}

#[test]
fn what_a_killed_process_had_begun_is_removed_by_the_next() {
    let sandbox = Sandbox::with("forge");
    let left = |folder: &str, name: &str| {
        let path = sandbox.path().join(folder).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "half of it").unwrap();
        path
    };
    let begun = [
        left("build/inputs", ".bindbench-abc123"),
        left("build", ".bindbench-logs/worker.log"),
        left("runs/20260101T000000Z-0001", ".bindbench-abc123"),
        left("reports", ".bindbench-abc123"),
        left("reports/plots", ".bindbench-abc123"),
    ];
    let kept = [left("build/inputs", "notes"), left("runs/20260101T000000Z-0001", "notes"), left("reports", ".gitkeep")];
    sandbox.run(&["--lane", "forge/made", "--rounds", "2"]).succeeds();
    assert!(begun.iter().all(|path| !path.exists()), "{begun:?}");
    assert!(kept.iter().all(|path| path.exists()), "{kept:?}");
}

#[test]
fn numbers_at_their_ends_are_measured_with_or_refused() {
    let sandbox = Sandbox::with("forge");
    for (option, values) in [
        ("--timeout", &["0", "-1", "NaN", "inf", "1e300", "31536001"][..]),
        ("--budget", &["0", "1e19", "1e-30"]),
        ("--rounds", &["0", "100001", "-1", "4294967296"]),
        ("--generations", &["0", "1001", "18446744073709551616"]),
        ("--threads", &["0", "1025", "4294967297"]),
        ("--seed", &["-1", "18446744073709551616"]),
        ("--memory", &["0", "-1", "18446744073709551616", "17179869184GiB"]),
        ("--size", &["0", "1.5", "18446744073709551616"]),
    ] {
        for value in values {
            sandbox.bindbench(&["run", "--preset", "smoke", &format!("{option}={value}")]).refuses_with(&[option, value]);
        }
    }
    let fine = ["--lane", "forge/made", "--rounds", "1", "--timeout", "31536000", "--budget", "31536000"];
    sandbox.run(&[&fine[..], &["--seed", "18446744073709551615", "--memory", "18446744073709551615"]].concat()).succeeds();
}
