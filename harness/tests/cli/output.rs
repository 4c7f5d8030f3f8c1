//! What is printed: for people, for programs, and nothing else.

use std::fs;
use std::process::Command;

use crate::sandbox::{Ended, Sandbox, has_its_number};

#[test]
fn a_strategy_of_twenty_lines_from_outside_is_measured_beside_the_others() {
    let sandbox = Sandbox::with("stranger");
    sandbox.set_up("{stranger,python}/pure").succeeds();
    let arguments = ["-w", "kmp", "--size", "1000", "--lane", "{stranger,python}/pure", "--generations", "3", "--rounds", "2"];
    let run = sandbox.bindbench(&[&["run", "--preset", "smoke"], &arguments[..]].concat()).succeeds();
    let run = run.prints(&["stranger/pure", "python/pure", "as published", "kmp.find_all"]);
    assert_eq!(run.stderr(), "", "no terminal, no progress");
    let recorded = sandbox.recorded();
    assert_eq!(recorded.run.cells.iter().filter(|cell| cell.lane == "stranger/pure" && !cell.twin).count(), 2);
    assert!(recorded.run.cells.iter().all(|cell| cell.status.has_number()));
}

#[test]
fn report_prints_the_very_tables_that_run_printed() {
    let sandbox = Sandbox::with("forge");
    let run = sandbox.run(&["--lane", "forge/made", "--rounds", "3"]).succeeds();
    let summaries =
        || ["summary.csv", "summary.md"].map(|name| fs::read_to_string(sandbox.path().join("reports").join(name)).unwrap_or_default());
    // The reports' folder is beside impls/ and harness/: it is this sandbox's own.
    let written = summaries();
    assert!(written.iter().all(|text| text.contains("forge/made")));
    let report = sandbox.bindbench(&["report"]).succeeds();
    assert_eq!(report.stdout(), run.stdout());
    assert_eq!(summaries(), written);
    let folder = sandbox.run_folder();
    for name in [folder.to_str().unwrap(), folder.file_name().unwrap().to_str().unwrap()] {
        assert_eq!(sandbox.bindbench(&["report", name]).succeeds().stdout(), run.stdout());
    }
    has_its_number(&sandbox.recorded(), "forge/made", 3);
}

#[test]
fn json_is_json_and_the_same_from_run_and_report() {
    let sandbox = Sandbox::with("forge");
    let run = sandbox.run(&["--lane", "{forge,fragile}/*", "--rounds", "2", "--json"]).succeeds();
    assert_eq!(run.json()["tables"][0]["rows"][0]["lane"], "forge/made");
    assert_eq!(sandbox.bindbench(&["report", "--json"]).succeeds().stdout(), run.stdout());
    let listing = sandbox.bindbench(&["list", "--json"]).succeeds().json();
    let states: Vec<&str> = listing["lanes"].as_array().unwrap().iter().map(|lane| lane["state"].as_str().unwrap()).collect();
    assert!(states.contains(&"ready") && states.contains(&"skipped") && states.contains(&"not set up"), "{states:?}");
}

#[test]
fn one_seed_is_one_order_and_loops_can_be_taken_over() {
    let sandbox = Sandbox::with("steady");
    let order = |runs: &str, more: &[&str]| {
        let arguments = ["--lane", "steady/*", "--rounds", "6", "--seed", "7", "--runs", runs];
        sandbox.run(&[&arguments[..], more].concat()).succeeds();
        let run = fs::read_dir(sandbox.path().join(runs)).unwrap().next().unwrap().unwrap().path();
        let recorded = bindbench_store::Recorded::read(&run).unwrap();
        let order: Vec<_> = recorded.samples.iter().map(|s| (s.round, s.position, s.loops)).collect();
        (order, run)
    };
    let (first, run) = order("one", &[]);
    let (second, _) = order("two", &["--loops-from", run.to_str().unwrap()]);
    assert_eq!(first, second);
}

#[test]
fn no_escape_codes_where_no_terminal_is() {
    let sandbox = Sandbox::with("misfits");
    let plain = |ended: Ended| {
        assert!(!ended.output.stdout.contains(&0x1b), "stdout: {:?}", ended.stdout());
        assert!(!ended.output.stderr.contains(&0x1b), "stderr: {:?}", ended.stderr());
        ended
    };
    plain(sandbox.run(&["--lane", "misfits/{healthy,wrong,raises}", "--rounds", "2"])).exits_with(1);
    plain(sandbox.bindbench(&["report"])).succeeds();
    plain(sandbox.bindbench(&["list"])).succeeds();
    plain(sandbox.bindbench(&["doctor"])).succeeds();
    plain(sandbox.set_up("misfits/*")).succeeds();
    plain(sandbox.bindbench(&["list", "--lane", "nothing"])).exits_with(2);
    plain(sandbox.bindbench(&["run", "--size", "nothing"])).exits_with(2);
}

#[test]
fn no_colour_is_honoured_on_a_terminal() {
    let sandbox = Sandbox::with("misfits");
    sandbox.run(&["--lane", "misfits/{healthy,wrong}", "--rounds", "2"]).exits_with(1);
    for arguments in [&["report"][..], &["list", "--lane", "nothing"]] {
        assert!(on_a_terminal(&sandbox, arguments, None).contains("\x1b["), "{arguments:?}: no colour at all");
        let plain = on_a_terminal(&sandbox, arguments, Some("1"));
        assert!(!plain.contains('\x1b'), "{arguments:?}: {plain:?}");
    }
}

/// All that a command prints when its streams are a terminal. Python has what that takes.
fn on_a_terminal(sandbox: &Sandbox, arguments: &[&str], no_color: Option<&str>) -> String {
    let listing = sandbox.bindbench(&["list", "--json", "--lane", "misfits/healthy"]).succeeds().json();
    let python = listing["lanes"][0]["worker"]["command"][0].as_str().unwrap();
    let inner = sandbox.command(arguments);
    let mut outer = Command::new(python);
    outer.args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])"]).arg(inner.get_program()).args(inner.get_args());
    outer.current_dir(sandbox.path()).env("TERM", "xterm-256color").env_remove("NO_COLOR").env_remove("CI");
    outer.envs(no_color.map(|value| ("NO_COLOR", value)));
    String::from_utf8(outer.output().unwrap().stdout).unwrap()
}

#[test]
fn help_says_every_exit_status() {
    let sandbox = Sandbox::new();
    let help = sandbox.bindbench(&["--help"]).succeeds();
    let help = help.prints(&["Exit status:"]).stdout();
    for status in ["0  fine", "1  something measured is bad", "2  usage", "4  some cells have no number", "130  "] {
        assert!(help.contains(status), "{status}");
    }
    sandbox.bindbench(&["--version"]).succeeds().prints(&["bindbench"]);
    sandbox.bindbench(&["frobnicate"]).refuses_with(&["unrecognized subcommand"]);
    sandbox.bindbench(&[]).exits_with(2);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sandbox = Sandbox::new();
    let list = sandbox.command(&["list"]);
    let mut shell = Command::new("sh");
    shell
        .current_dir(sandbox.path())
        .args(["-c", "{ \"$@\"; echo $? >status; } | true", "sh"])
        .arg(list.get_program())
        .args(list.get_args());
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(fs::read_to_string(sandbox.path().join("status")).unwrap().trim(), "0");
}

#[test]
fn the_machines_noise_is_measured_with_nothing_but_python() {
    let sandbox = Sandbox::new();
    let said =
        sandbox.bindbench(&["doctor", "--noise"]).succeeds().prints(&["generations × rounds", "call.noop", "std.std of ints, 5,000"]);
    let text = said.stdout();
    // A band that is as wide as the ratio itself is one of a factor. A busy machine may not get to all cells in the time there is.
    let bands = |line: &str| line.matches('±').count() + line.matches("×÷").count();
    let rows: Vec<usize> = text.lines().map(bands).filter(|&bands| bands > 0).collect();
    assert!(!rows.is_empty() && rows.iter().all(|&bands| bands == 3), "{text}");
    assert!(text.contains("disturbs measuring"), "{text}");
}

/// Streams that are closed, full, or whose reader is gone: what can't be said is not said, and the status says how it went.
#[test]
fn streams_that_take_nothing_are_no_reason_to_panic() {
    let sandbox = Sandbox::new();
    let run = |script: &str, arguments: &[&str]| {
        let command = sandbox.command(arguments);
        let mut shell = Command::new("bash");
        shell.current_dir(sandbox.path()).args(["-c", script, "bash"]).arg(command.get_program()).args(command.get_args());
        Ended { output: shell.output().unwrap() }
    };
    let unknown = ["list", "--lane", "nobody/*"];
    for script in ["\"$@\" 2>/dev/full", "\"$@\" 2>&-", "\"$@\" 2>&- >&- <&-", "set -o pipefail; \"$@\" 2>&1 | true"] {
        run(script, &unknown).exits_with(2);
        run(script, &["report", "--runs", "nowhere"]).exits_with(2);
        run(script, &["no-such-command"]).exits_with(2);
    }
    for script in ["\"$@\" >&-", "set -o pipefail; \"$@\" | head -1", "set -o pipefail; \"$@\" | true"] {
        for arguments in [&["list"][..], &["list", "--json"], &["report", "--json-schema"], &["--help"], &["--version"]] {
            let ended = run(script, arguments).exits_with(0);
            assert_eq!(ended.stderr(), "");
        }
    }
    // A disk that is full is another matter: somebody counts on what is printed.
    for arguments in [&["list"][..], &["list", "--json"], &["report", "--json-schema"]] {
        run("\"$@\" >/dev/full", arguments).exits_with(2).says(&["can't print", "No space left"]);
    }
}
