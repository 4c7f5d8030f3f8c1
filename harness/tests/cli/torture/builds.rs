//! Build steps that go wrong: the other lanes are built, the reason is told, and nothing is left.

use std::fs;
use std::time::Duration;

use toml::{Table, Value};

use super::hostile::moves_the_cursor;
use crate::sandbox::Sandbox;
use crate::tally::{Tally, end};
use crate::traces::Traces;

/// Name, shell command, and a part of the reason that is given; none where the build is good.
const BUILDS: [(&str, &str, Option<&str>); 15] = [
    ("is-right", "true", None),
    ("fails", "echo no licence >&2; exit 3", Some("no licence")),
    ("kills-itself", "kill -9 $$", Some("signal")),
    ("is-not-there", "exec /nowhere/cc", Some("/nowhere/cc")),
    ("leaves-nothing", "rm {out}/made", Some("made")),
    ("leaves-a-folder", "rm {out}/made; mkdir {out}/made", Some("made")),
    ("leaves-no-end", "ln -sf /dev/zero {out}/made", Some("made")),
    ("leaves-a-pipe", "rm {out}/made; mkfifo {out}/made", Some("made")),
    ("floods", "yes no end | head -c 50000000; exit 1", Some("no end")),
    ("prints-escapes", r"printf '\033[2J\033[31m\342\200\256\377\000<script>alert(1)</script>\n'; exit 1", Some("alert(1)")),
    ("says-one-long-line", "head -c 20000000 /dev/zero | tr '\\0' x; exit 1", Some("xxx")),
    ("asks", "read answer || exit 4", Some("4")),
    ("leaves-a-daemon", "(setsid sleep 1000 > /dev/null 2>&1 &)", None),
    ("leaves-a-child", "sleep 1000 &", None),
    ("leaves-a-talker", "(setsid sh -c 'while :; do echo noise; sleep 0.01; done' &)", None),
];

/// A strategy whose build makes a file, and then does what is asked.
fn manifest(name: &str, script: &str) -> String {
    let mut manifest: Table = toml::from_str(
        r#"
        binding = "none"
        summary = "Builds"
        [build]
        artifacts = ["made"]
        [[lane]]
        variant = "lane"
        summary = "Built"
        comparison = "as published"
        kernel = "python"
        gil = "held"
        parallel = "none"
        copies = {}
        modules = { call = "made" }
        "#,
    )
    .unwrap();
    manifest.insert("name".to_owned(), name.into());
    let step = vec!["/bin/sh".to_owned(), "-c".to_owned(), format!("echo made > {{out}}/made; {script}")];
    manifest["build"].as_table_mut().unwrap().insert("steps".to_owned(), vec![Value::from(step)].into());
    toml::to_string(&manifest).unwrap()
}

#[test]
fn builds_that_go_wrong() {
    let mut tally = Tally::new("hostile builds");
    let mut sandbox = Sandbox::new();
    for (name, script, _) in BUILDS {
        sandbox.add_manifest("builds", name, &manifest(name, script));
    }
    sandbox.make_tools();
    let selected: Vec<&str> = BUILDS.iter().flat_map(|(name, ..)| ["-s", name]).collect();
    let lanes: Vec<String> = selected.iter().map(|word| if *word == "-s" { "-s".to_owned() } else { format!("{word}/lane") }).collect();
    let lanes: Vec<&str> = lanes.iter().map(String::as_str).collect();
    let traces = Traces::new(&sandbox);
    let setup =
        traces.run_for(Duration::from_secs(90), sandbox.command(&[&["setup", "--preset", "smoke", "-w", "call"][..], &lanes].concat()));
    tally.add(BUILDS.len());
    for left in traces.left() {
        tally.fail(format!("left after a set-up: {left}"));
    }
    tally.demand(
        setup.status.is_some_and(|status| status.code() == Some(4)),
        format!("set-up ended with {:?}:\n{}", setup.status, setup.stderr),
    );
    let found = moves_the_cursor(&setup.stdout);
    tally.demand(found.is_empty(), format!("what set-up prints has {found:?}"));
    let listed = traces.run_for(Duration::from_secs(60), sandbox.command(&[&["list", "--json"][..], &lanes].concat()));
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap_or_default();
    for (name, _, reason) in BUILDS {
        let lane = listed["lanes"].as_array().into_iter().flatten().find(|lane| lane["lane"] == format!("{name}/lane"));
        let (state, told) = lane.map_or(("", ""), |lane| (lane["state"].as_str().unwrap_or(""), lane["reason"].as_str().unwrap_or("")));
        match reason {
            None => tally.demand(state == "ready", format!("{name} is {state:?}: {told:.300}")),
            Some(reason) => {
                let fine = state == "skipped" && told.contains(reason);
                tally.demand(fine, format!("{name} is {state:?}, not skipped for {reason:?}: {told:.300}"));
                tally.demand(told.len() < 16 << 10, format!("{name} has a reason of {} bytes", told.len()));
            }
        }
    }
    for log in fs::read_dir(sandbox.path().join("build/logs")).into_iter().flatten().filter_map(Result::ok) {
        let bytes = log.metadata().map_or(0, |log| log.len());
        tally.demand(bytes < 64 << 20, format!("{} has {bytes} bytes", log.path().display()));
    }
    end(&[tally]);
}
