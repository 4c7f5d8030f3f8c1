//! Recorded runs compared: `before` and `after` are of the same machine, and in between `capi/c` was built anew with more to do.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs").join(name)
}

/// `before` and `after`, for arguments.
fn both() -> [String; 2] {
    ["before", "after"].map(|name| recorded(name).display().to_string())
}

/// A copy of a recorded run, in which a text of `run.json` is replaced.
fn edited(sandbox: &Sandbox, name: &str, old: &str, new: &str) -> String {
    let (from, to) = (recorded(name), sandbox.path().join(format!("edited-{name}")));
    fs::create_dir_all(&to).unwrap();
    fs::copy(from.join("samples.csv"), to.join("samples.csv")).unwrap();
    let text = fs::read_to_string(from.join("run.json")).unwrap();
    assert!(text.contains(old), "{old:?} is not in run.json");
    fs::write(to.join("run.json"), text.replace(old, new)).unwrap();
    to.display().to_string()
}

#[test]
fn a_lane_that_became_slower_is_told_and_the_others_are_not() {
    let sandbox = Sandbox::new();
    let [before, after] = both();
    let ended = sandbox.bindbench(&["compare", &before, &after, "-s", "capi/c", "-w", "std", "--threshold", "10"]).exits_with(1);
    let ended =
        ended.prints(&["built anew: capi/c", "over native/rust, which is the same build in both", "2 slower (2 by more than 10 %)"]);
    assert_eq!(ended.stderr(), "");
    // The other way round the same lane became faster, which is no failure.
    sandbox.bindbench(&["compare", &after, &before, "-s", "capi/c", "-w", "std", "--threshold", "10"]).succeeds().prints(&["2 faster"]);
    let json = sandbox.bindbench(&["compare", &before, &after, "--json", "--threshold", "10"]).json();
    let slower: Vec<&str> = json["cells"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|cell| cell["verdict"] == "slower" && cell["beyond"] == true)
        .map(|cell| cell["lane"].as_str().unwrap())
        .collect();
    assert!(!slower.is_empty() && slower.iter().all(|lane| *lane == "capi/c"), "{json:#}");
}

#[test]
fn a_run_compared_with_itself_is_no_different() {
    let sandbox = Sandbox::new();
    let [before, _] = both();
    sandbox
        .bindbench(&["compare", &before, &before, "--threshold", "100"])
        .succeeds()
        .prints(&[" 0 slower (0 by more than 100 %), 0 faster", " 0 inconclusive"]);
    // What can't be ruled out is not said to be the same.
    sandbox.bindbench(&["compare", &before, &before, "--threshold", "0"]).exits_with(3).prints(&["Why some are inconclusive"]);
}

#[test]
fn what_can_t_be_compared_is_refused_unless_it_is_wanted() {
    let sandbox = Sandbox::new();
    let [before, _] = both();
    let other = edited(&sandbox, "after", "\"cpu\": \"AMD EPYC\"", "\"cpu\": \"Imaginary 9000\"");
    let refused = sandbox.bindbench(&["compare", &before, &other]);
    refused.refuses_with(&["can't be compared", "CPU model: AMD EPYC → Imaginary 9000", "`--anyway` compares them all the same"]);
    sandbox.bindbench(&["compare", &before, &other, "--anyway", "--threshold", "10"]).exits_with(1).prints(&["Compared although"]);
    let other = edited(&sandbox, "after", "\"state\": \"finished\"", "\"state\": \"interrupted\"");
    sandbox.bindbench(&["compare", &before, &other]).refuses_with(&["was not finished", "--resume"]);
    sandbox.bindbench(&["compare", &before, "nowhere"]).refuses_with(&["there is no run nowhere"]);
    sandbox.bindbench(&["compare", &before, &before, "-s", "pyo4/*"]).refuses_with(&["--lane pyo4/* matches nothing"]);
    sandbox.bindbench(&["compare", &before, &before, "--threshold", "-1"]).exits_with(2);
}

#[test]
fn verdicts_are_written_as_junit() {
    let sandbox = Sandbox::new();
    let [before, after] = both();
    sandbox.bindbench(&["compare", &before, &after, "--threshold", "10", "--junit", "ci/verdicts.xml"]).exits_with(1);
    let text = fs::read_to_string(sandbox.path().join("ci/verdicts.xml")).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let failures = cases.iter().filter(|case| case.children().any(|child| child.has_tag_name("failure")));
    let failed: Vec<&str> = failures.map(|case| case.attribute("classname").unwrap()).collect();
    assert!(!failed.is_empty() && failed.iter().all(|lane| *lane == "capi/c"), "{text}");
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    assert_eq!(suite.attribute("tests"), Some(cases.len().to_string().as_str()));
    assert_eq!(suite.attribute("failures"), Some(failed.len().to_string().as_str()));
}
