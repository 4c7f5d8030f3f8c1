//! The passes `gil` and `memory` of `profile` on lanes whose truth is known, by the program as people run it.

use serde_json::Value;

use crate::sandbox::Sandbox;

/// What `profile` says of each lane of `witnesses`, by its variant.
fn profile(pass: &str, lanes: &str, more: &[&str]) -> (Sandbox, Value, String) {
    let sandbox = Sandbox::with("witnesses");
    let mut arguments = vec!["profile", "--pass", pass, "--workload", "kmp", "--size", "64KiB", "--lane", lanes, "--json"];
    arguments.extend(more);
    let found = sandbox.bindbench(&arguments).succeeds().json();
    sandbox.wait_for_the_end_of_workers();
    let written = std::fs::read_to_string(sandbox.path().join("flamegraphs/profile.md")).unwrap();
    (sandbox, found, written)
}

fn cell<'v>(found: &'v Value, lane: &str) -> &'v Value {
    let cells = found["cells"].as_array().expect("cells");
    cells.iter().find(|cell| cell["lane"] == format!("witnesses/{lane}")).unwrap_or_else(|| panic!("{lane} is not in {found:#}"))
}

#[test]
fn who_holds_the_gil_is_told_and_a_manifest_that_lies_is_found_out() {
    if cfg!(not(target_os = "linux")) {
        return; // Waits for a CPU can't be told from waits for the GIL.
    }
    let (_sandbox, found, written) = profile("gil", "witnesses/{held,released,liar,interpreter,half}", &[]);
    let class = |lane| cell(&found, lane)["gil"]["class"].as_str().unwrap_or_else(|| panic!("{found:#}")).to_owned();
    assert_eq!(
        ["held", "released", "liar", "interpreter", "half"].map(class),
        ["held", "released", "held", "interpreter", "mixed"],
        "{found:#}"
    );
    let finding = "witnesses/liar in kmp.find_all of talk";
    assert!(
        written.lines().any(|line| line.contains(finding) && line.contains("declares the GIL released, and it was seen held")),
        "{written}"
    );
    assert_eq!(written.matches("the manifest declares").count(), 1, "{written}");
}

#[test]
fn a_call_without_input_is_watched_where_it_takes_its_time() {
    let sandbox = Sandbox::with("steady");
    let arguments = ["profile", "--pass", "gil", "-w", "call.add", "-s", "steady/slow", "--json"];
    let found = sandbox.bindbench(&arguments).succeeds().json();
    // It sleeps.
    assert_eq!(found["cells"][0]["gil"]["class"], "released", "{found:#}");
}

#[test]
fn copies_and_leaks_are_found_where_they_are_and_nowhere_else() {
    if cfg!(not(target_os = "linux")) {
        return; // No other system tells what a process takes.
    }
    let (sandbox, found, written) = profile("memory", "witnesses/{frugal,wasteful,keeper}", &[]);
    let [frugal, wasteful] = ["frugal", "wasteful"].map(|lane| &cell(&found, lane)["memory"]);
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{found:#}"));
    let copies = |used: &Value| (number(&used["rise_bytes"]) - number(&used["kept_bytes"])) / number(&used["input_bytes"]);
    assert!(copies(frugal) < 0.3, "{frugal:#}");
    assert!((1.7..2.3).contains(&copies(wasteful)), "{wasteful:#}");
    // Three floats of 32 bytes, and three places in a list, which grows in steps.
    let blocks = &wasteful["leak"]["blocks"]["point"];
    assert!((2.9..3.1).contains(&number(blocks)), "{wasteful:#}");
    let bytes = number(&wasteful["leak"]["bytes"]["point"]);
    assert!((96.0..180.0).contains(&bytes), "{wasteful:#}");
    assert!(number(&frugal["leak"]["blocks"]["point"]).abs() < 0.1, "{frugal:#}");
    for words in ["witnesses/wasteful in kmp.find_all of talk", "leaks", "declares 0 copies of the input, and memory rose by 2.0 of it"] {
        assert!(written.contains(words), "{words}: {written}");
    }
    assert!(!written.contains("frugal in kmp"), "{written}");

    // No memory is needed to keep a reference.
    let kept = |lane| &cell(&found, lane)["memory"]["leak"]["references"];
    assert!((0.99..1.01).contains(&number(&kept("keeper")["arguments"]["point"])), "{found:#}");
    for (lane, referred) in [("keeper", "functions"), ("frugal", "arguments"), ("frugal", "functions")] {
        assert!(number(&kept(lane)[referred]["point"]).abs() < 0.01, "{lane}: {found:#}");
    }
    assert!(number(&cell(&found, "keeper")["memory"]["leak"]["blocks"]["point"]).abs() < 0.1, "{found:#}");
    assert_eq!(written.matches("keeps a reference to its arguments in every call (1.00 a call").count(), 1, "{written}");

    let fails = |lane| sandbox.bindbench(&["profile", "--pass", "memory", "-w", "kmp", "--size", "1KiB", "-s", lane, "--fail-on", "leak"]);
    fails("witnesses/keeper").exits_with(1).prints(&["keeps a reference to its arguments"]);
    fails("witnesses/frugal").succeeds();
    sandbox.bindbench(&["profile", "--pass", "gil", "--fail-on", "leak"]).refuses_with(&["--pass memory"]);
}
