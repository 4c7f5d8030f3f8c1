//! `debug`: the command line that it prints is a worker's, and gdb stops where the kernel begins.

use std::process::Command;

use crate::sandbox::Sandbox;

const CASE: &str = "kmp.find_all:talk:4KiB";

#[test]
fn what_is_printed_runs_in_a_shell_and_calls_the_lane() {
    let sandbox = Sandbox::with("witnesses");
    let printed = sandbox.bindbench(&["debug", "witnesses/held", CASE, "--calls", "3"]).succeeds().stdout();
    let ran = Command::new("sh").arg("-c").arg(&printed).current_dir("/").output().unwrap();
    assert!(ran.status.success(), "{ran:?}\n{printed}");
    let replies = String::from_utf8(ran.stdout).unwrap();
    let replies: Vec<&str> = replies.lines().collect();
    let kinds = ["loaded", "prepared", "sampled", "finished"];
    assert_eq!(replies.len(), kinds.len(), "{replies:?}");
    assert!(replies.iter().zip(kinds).all(|(reply, kind)| reply.starts_with(&format!("{{\"{kind}\""))), "{replies:?}");
}

#[test]
fn names_that_nothing_has_are_refused_with_the_nearest() {
    let sandbox = Sandbox::with("witnesses");
    let debug = |lane: &str, case: &str| sandbox.bindbench(&["debug", lane, case]);
    debug("witnesses/hold", CASE).refuses_with(&["there is no lane witnesses/hold", "nearest: witnesses/held"]);
    debug("witnesses/held", "kmp.find").refuses_with(&["there is no operation find", "nearest: find_all"]);
    debug("witnesses/held", "kmp").refuses_with(&["kmp is no case", "workload.operation[:input[:size]]"]);
    debug("witnesses/held", "call.noop").refuses_with(&["witnesses/held has no call"]);
    debug("capi/rust", CASE).refuses_with(&["capi/rust is not set up", "bindbench setup -s capi/rust"]);
    let gdb = |lane: &str| sandbox.bindbench(&["debug", lane, CASE, "--gdb", "--batch"]);
    gdb("witnesses/interpreter").refuses_with(&["names no native function", "--break FUNCTION"]);
}

#[test]
fn gdb_shows_native_and_python_frames_in_one_stack() {
    if which::which("gdb").is_err() {
        eprintln!("skipped: gdb is not on PATH");
        return;
    }
    let sandbox = Sandbox::with("witnesses");
    let ended = sandbox.bindbench(&["debug", "witnesses/held", CASE, "--gdb", "--batch"]);
    let said = format!("{}{}", ended.stdout(), ended.stderr());
    if said.contains("Operation not permitted") || said.contains("ptrace") {
        eprintln!("skipped: this machine forbids to trace processes");
        return;
    }
    let native = said.split("native frames, innermost first").nth(1).unwrap_or_else(|| panic!("{said}"));
    assert!(native.contains("witness_spin (rounds=1638400)") && native.contains("witness.c"), "{said}");
    let python = said.split("Python frames, innermost first").nth(1).unwrap_or_else(|| panic!("{said}"));
    assert!(python.contains("find_all") || python.contains("no Python frames"), "{said}");
    sandbox.wait_for_the_end_of_workers();
}
