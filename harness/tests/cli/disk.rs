//! The disk is full: what was written before stays readable.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{self, Write};
use std::process::Command;

use crate::sandbox::{Ended, Sandbox};

/// Runs the command in a name space of its own, in which the folder is a small disk. Afterwards the disk's files are in the folder.
const ON_A_SMALL_DISK: &str = r#"
    disk=$1 size=$2; shift 2
    mount -t tmpfs -o size="$size" tmpfs "$disk" || exit 99
    "$@"; status=$?
    mkdir "$disk.copy" && cp -r "$disk/." "$disk.copy" && umount "$disk" && cp -r "$disk.copy/." "$disk" || exit 98
    exit $status
"#;

#[test]
fn a_full_disk_is_a_clear_error_and_every_round_before_it_can_be_read() {
    let sandbox = Sandbox::with("forge");
    let disk = sandbox.path().join("runs");
    fs::create_dir(&disk).unwrap();
    let run =
        sandbox.command(&["run", "--preset", "smoke", "-w", "call.add", "--lane", "forge/made", "--generations", "1", "--rounds", "1000"]);
    let mut small = Command::new("unshare");
    small.current_dir(sandbox.path()).args(["--map-root-user", "--mount", "sh", "-c", ON_A_SMALL_DISK, "sh"]);
    small.arg(&disk).arg("48k").arg(run.get_program()).args(run.get_args());
    let ended = match small.output() {
        Ok(output) if output.status.code() != Some(99) && output.status.code() != Some(1) => Ended { output },
        other => {
            // Written to the stream itself: a test that passes would keep it to itself otherwise.
            writeln!(io::stderr(), "NOT TESTED: a full disk. No user and mount name spaces here: {other:?}").unwrap();
            return;
        }
    };
    ended.refuses_with(&["no space left on the disk", "samples.csv", "go on with `bindbench run --resume"]);
    sandbox.wait_for_the_end_of_workers();
    let recorded = sandbox.recorded();
    assert!(recorded.samples.len() > 20, "{} samples", recorded.samples.len());
    assert!(recorded.damage.len() <= 1, "{:?}", recorded.damage);
    sandbox.bindbench(&["report"]).succeeds().prints(&["not complete", "forge/made"]);
}

#[test]
fn a_report_that_cannot_be_written_does_not_cost_the_run() {
    let sandbox = Sandbox::with("forge");
    fs::write(sandbox.path().join("a-file"), "").unwrap();
    let run = sandbox.run(&["--lane", "forge/made", "--rounds", "2", "--out", "a-file"]);
    run.refuses_with(&["can't make a-file"]);
    sandbox.bindbench(&["report"]).succeeds().prints(&["forge/made"]);
}
