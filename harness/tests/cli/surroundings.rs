//! What surrounds the program: variables, limits, tools that do not work. It says which of them is in the way, in their own words.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::sandbox::{Ended, Sandbox, has_its_number, not_tested};

/// The command in a shell that has set something up before.
fn after(sandbox: &Sandbox, before: &str, arguments: &[&str]) -> Ended {
    let command = sandbox.command(arguments);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\"")).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Ended { output: shell.output().unwrap() }
}

#[test]
fn pythons_own_variables_are_of_no_effect() {
    let sandbox = Sandbox::with("forge");
    let before = "export PYTHONHOME=/nowhere PYTHONPATH=/nowhere PYTHONSTARTUP=/nowhere PYTHONWARNINGS=error";
    let run = ["run", "--preset", "smoke", "-w", "call.add", "--generations", "1", "--rounds", "2", "-s", "forge/made"];
    after(&sandbox, before, &run).succeeds();
    has_its_number(&sandbox.recorded(), "forge/made", 2);
}

/// `list` where rustc is this script.
fn with_rustc(sandbox: &Sandbox, script: &str) -> Ended {
    let folder: PathBuf = sandbox.path().join("bin");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("rustc"), format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(folder.join("rustc"), fs::Permissions::from_mode(0o755)).unwrap();
    after(sandbox, &format!("PATH={}:$PATH", folder.display()), &["list", "-s", "forge/made"]).succeeds()
}

#[test]
fn a_tool_that_does_not_work_says_why_and_makes_nothing_stale() {
    let sandbox = Sandbox::with("forge");
    let broken = with_rustc(&sandbox, "echo rustc is out of order >&2; exit 1");
    assert!(!broken.stdout().contains("stale"), "{}", broken.stdout());
    broken.prints(&["rustc does not work: ", "says: rustc is out of order"]);
    // A new version is another matter.
    with_rustc(&sandbox, "echo rustc 0.1").prints(&["stale", "a tool has changed since it was built", "is rustc 0.1"]);
}

/// The program's command where another program starts it: in a name space, say. None where that can't be had here, which is said.
fn started_by(sandbox: &Sandbox, starter: &[&str], arguments: &[&str]) -> Option<Ended> {
    let there = |command: &Command| {
        let mut inside = Command::new(starter[0]);
        inside.args(&starter[1..]).arg(command.get_program()).args(command.get_args()).current_dir(sandbox.path());
        inside.output()
    };
    if !there(&Command::new("true")).is_ok_and(|output| output.status.success()) {
        not_tested(&format!("under {starter:?}, which is not permitted here"));
        return None;
    }
    Some(Ended { output: there(&sandbox.command(arguments)).unwrap() })
}

/// As in a container that `docker exec` enters: the session, the process group and the parent have no numbers there.
#[test]
fn a_session_outside_of_the_name_space_is_nothing_unusual() {
    let container = ["unshare", "--map-root-user", "--fork", "--pid", "--mount-proc"];
    let sandbox = Sandbox::with("forge");
    let run = ["run", "--preset", "smoke", "-w", "call.add", "--generations", "1", "--rounds", "2", "-s", "forge/made"];
    for arguments in [&["setup", "-s", "forge/made"][..], &run] {
        let Some(ended) = started_by(&sandbox, &container, arguments) else { return };
        ended.succeeds();
    }
    has_its_number(&sandbox.recorded(), "forge/made", 2);
}

#[test]
fn what_the_system_refuses_is_said_when_no_interpreter_runs() {
    let sandbox = Sandbox::with_manifest("mine", "name = 'mine'\nbinding = 'none'\nsummary = 'One.'\nlane = []\n");
    let ended = after(&sandbox, "ulimit -n 6", &["list", "-s", "python/pure"]);
    ended.exits_with(2).says(&["can be run:", "Too many open files", "ulimit -a"]);
}
