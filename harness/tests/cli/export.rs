//! Recorded runs in the layouts of other tools; pyperf reads what it is given.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::Sandbox;

fn recorded(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs").join(name);
    folder.display().to_string()
}

#[test]
fn what_is_no_file_is_written_to_and_a_link_stays() {
    let sandbox = Sandbox::new();
    let export = |to: &str| sandbox.bindbench(&["export", &recorded("before"), "--format", "pyperf", "-o", to, "-w", "std"]).succeeds();
    export("/dev/null");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let printed = export("/dev/stdout").stdout();
    fs::write(sandbox.path().join("file"), "").unwrap();
    std::os::unix::fs::symlink("file", sandbox.path().join("link")).unwrap();
    export("link");
    assert!(sandbox.path().join("link").is_symlink());
    assert!(printed.contains(fs::read_to_string(sandbox.path().join("file")).unwrap().trim()), "{printed}");
}

#[test]
fn pyperf_compares_what_it_is_given_and_so_do_we() {
    let sandbox = Sandbox::new();
    sandbox.make_tools();
    for name in ["before", "after"] {
        let file = format!("{name}.json");
        sandbox.bindbench(&["export", &recorded(name), "--format", "pyperf", "-o", &file, "-w", "std"]).succeeds();
    }
    let python = sandbox.path().join("build/tools/bin/python");
    let arguments = ["-m", "pyperf", "compare_to", "before.json", "after.json", "-v"];
    let output = Command::new(&python).current_dir(sandbox.path()).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("capi/c std.std:") && text.contains("slower"), "{text}");
    // Without twins and without a floor, and still no doubt of it.
    sandbox.bindbench(&["compare", "before.json", "after.json", "--threshold", "10"]).exits_with(1).prints(&[
        "A: before.json, written by pyperf",
        "capi/c std.std:",
        "slower",
    ]);
    // A run and a file of it are the same thing.
    sandbox.bindbench(&["compare", &recorded("before"), "before.json", "--threshold", "200"]).prints(&[" 0 slower"]);
    fs::write(sandbox.path().join("none.json"), "{\"benchmarks\": 3}").unwrap();
    sandbox.bindbench(&["compare", "none.json", "before.json"]).refuses_with(&["none.json, line 1", "a file that pyperf wrote"]);
}

#[test]
fn the_others_get_their_layouts() {
    let sandbox = Sandbox::new();
    let export = |format: &str| sandbox.bindbench(&["export", &recorded("before"), "--format", format]).succeeds().json();
    let github = export("github-action-benchmark");
    let bencher = export("bencher");
    let entries = github.as_array().unwrap();
    assert!(!entries.is_empty());
    assert_eq!(entries.len(), bencher.as_object().unwrap().len());
    for entry in entries {
        let latency = &bencher[entry["name"].as_str().unwrap()]["latency"];
        assert_eq!(entry["value"], latency["value"]);
        assert!(latency["lower_value"].as_f64().unwrap() <= latency["value"].as_f64().unwrap());
        assert_eq!(entry["unit"], "ns");
    }
}

#[test]
fn nothing_to_export_is_refused() {
    let sandbox = Sandbox::new();
    let export = |more: &[&str]| sandbox.bindbench(&[&["export", &recorded("before")], more].concat());
    export(&["--format", "pyperf", "--size", "7"]).refuses_with(&["--size 7 matches nothing", "nearest: 5000"]);
    export(&["--format", "pyperf", "--threads", "2"]).refuses_with(&["--threads 2 matches nothing", "nearest: 1"]);
    export(&["--format", "pyperf", "-s", "capi/c", "-s", "!capi/c"]).refuses_with(&["nothing of run", "can be exported"]);
    export(&["--format", "excel"]).exits_with(2).says(&["possible values: pyperf, github-action-benchmark, bencher"]);
    export(&[]).exits_with(2).says(&["--format"]);
}
