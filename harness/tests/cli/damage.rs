//! Run folders that were cut, edited or written by somebody else: `report` names the line, and reads the rest.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::sandbox::{Ended, Sandbox};

const ROUNDS: usize = 8;

/// A finished run of one lane and its twin.
fn measured() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::with("stranger");
    let rounds = ROUNDS.to_string();
    let arguments = ["run", "--preset", "smoke", "-w", "kmp", "--size", "1", "--lane", "stranger/pure", "--generations", "3"];
    let run = sandbox.bindbench(&[&arguments[..], &["--rounds", &rounds]].concat());
    run.succeeds();
    let folder = sandbox.run_folder();
    (sandbox, folder)
}

/// Changes a file of the run, as lines.
fn edit(file: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<String> = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(file, lines.join("\n") + "\n").unwrap();
}

fn report(sandbox: &Sandbox) -> Ended {
    sandbox.bindbench(&["report"])
}

#[test]
fn a_cut_file_of_samples_is_read_up_to_the_cut() {
    let (sandbox, folder) = measured();
    let samples = folder.join("samples.csv");
    let text = fs::read_to_string(&samples).unwrap();
    let lines = text.lines().count();
    fs::write(&samples, &text[..text.len() - 9]).unwrap();
    report(&sandbox).succeeds().prints(&[&format!("line {lines}:"), "samples.csv has 1 row that can't be used", "stranger/pure"]);
    // What is missing is measured again.
    let run = folder.to_str().unwrap();
    sandbox.bindbench(&["run", "--resume", run]).succeeds();
    let printed = report(&sandbox).succeeds().stdout();
    assert!(!printed.contains("can't be used"), "{printed}");
    assert_eq!(fs::read_to_string(&samples).unwrap().lines().count(), lines);
}

#[test]
fn edited_rows_are_named_by_their_lines_and_the_others_are_used() {
    let (sandbox, folder) = measured();
    let samples = folder.join("samples.csv");
    let whole = fs::read_to_string(&samples).unwrap();
    edit(&samples, |lines| {
        lines[3] = lines[3].replacen(char::is_numeric, "x", 1);
        let row: Vec<String> = lines[5].split(',').map(str::to_owned).collect();
        lines[5] = [&row[..3], &["999".to_owned()], &row[4..]].concat().join(",");
        lines[7] = "1,2,3".to_owned();
        lines.push(lines[1].clone());
    });
    let last = whole.lines().count() + 1;
    let says =
        ["samples.csv has 4 rows that can't be used", "line 4:", "line 6: cell 999 is not in run.json", "line 8: 3 fields instead of 8"];
    report(&sandbox).succeeds().prints(&says).prints(&[&format!("line {last}: cell"), "has a second sample", "stranger/pure"]);
}

#[test]
fn rows_outside_of_the_plan_are_not_used() {
    let (sandbox, folder) = measured();
    edit(&folder.join("samples.csv"), |lines| {
        let rest = lines[1].split_once(",0,").unwrap().1.to_owned();
        lines.push(format!("77,0,{rest}"));
        lines.push(format!("0,77,{rest}"));
    });
    report(&sandbox).succeeds().prints(&["samples.csv has 2 rows that can't be used", "generation 77", "round 77"]);
}

#[test]
fn a_missing_or_empty_file_of_samples_is_no_reason_to_fail() {
    let (sandbox, folder) = measured();
    let samples = folder.join("samples.csv");
    fs::write(&samples, "").unwrap();
    report(&sandbox).succeeds();
    fs::write(&samples, b"\xff\xfe\x00\n\x80,,,").unwrap();
    report(&sandbox).succeeds().prints(&["line 2:"]);
    fs::remove_file(&samples).unwrap();
    report(&sandbox).succeeds().prints(&["the file is missing"]);
}

#[test]
fn rows_that_are_gone_are_missed_on_top_of_every_form_of_report() {
    let (sandbox, folder) = measured();
    let samples = folder.join("samples.csv");
    let whole = fs::read_to_string(&samples).unwrap();
    let planned = whole.lines().count() - 1;
    // One row in five is kept, and each generation has some.
    edit(&samples, |lines| {
        let kept = lines.iter().enumerate().filter(|(at, _)| at % 5 == 0).map(|(_, line)| line.clone()).collect();
        *lines = kept;
    });
    let missing = planned - planned / 5;
    let what = format!("it is not whole: {missing} of the {planned} rows that it planned are not in samples.csv");
    let said = report(&sandbox).succeeds().prints(&[
        &format!("of which {missing} of {planned} rows are missing"),
        &format!("This run can NOT vouch for its 95 % intervals: {what}"),
        "bindbench run --resume",
    ]);
    assert!(said.stdout().find("is not whole") < said.stdout().find("kmp.find_all"), "it is not said on top");
    for form in ["summary.md", "index.html"] {
        let text = fs::read_to_string(sandbox.path().join("reports").join(form)).unwrap().replace('\\', "");
        assert!(text.contains(&what), "{form} does not say it");
    }
    let json = sandbox.bindbench(&["report", "--json"]).succeeds().json();
    assert_eq!(json["vouches"]["vouches"], false);
    assert!(json["vouches"]["reasons"].to_string().contains(&what), "{}", json["vouches"]);
    let name = folder.to_str().unwrap();
    sandbox.bindbench(&["compare", name, name]).exits_with(2);
    sandbox.bindbench(&["run", "--resume", name]).succeeds();
    assert_eq!(fs::read_to_string(&samples).unwrap().lines().count(), planned + 1);
    assert!(!report(&sandbox).succeeds().stdout().contains("not whole"));
}

#[test]
fn a_cut_run_json_refuses_with_its_line() {
    let (sandbox, folder) = measured();
    let path = folder.join("run.json");
    let text = fs::read_to_string(&path).unwrap();
    let half = &text[..text.len() / 2];
    fs::write(&path, half).unwrap();
    let line = format!("run.json, line {}, column", half.lines().count());
    report(&sandbox).refuses_with(&[&line, "EOF while parsing"]);
    sandbox.bindbench(&["run", "--resume", folder.to_str().unwrap()]).refuses_with(&[&line]);
    fs::write(&path, "").unwrap();
    report(&sandbox).refuses_with(&["run.json, line 1"]);
}

#[test]
fn an_edited_run_json_refuses_with_what_is_wrong() {
    let (sandbox, folder) = measured();
    let path = folder.join("run.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"case\": 0", "\"case\": 7", 1)).unwrap();
    report(&sandbox).refuses_with(&["run.json", "case 7"]);
    fs::write(&path, text.replacen("\"twin\": false", "\"twin\": \"no\"", 1)).unwrap();
    report(&sandbox).refuses_with(&["run.json, line", "expected a boolean"]);
}

#[test]
fn a_run_of_a_newer_bindbench_is_refused() {
    let (sandbox, folder) = measured();
    let path = folder.join("run.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"schema\": 1", "\"schema\": 2, \"unheard_of\": true", 1)).unwrap();
    report(&sandbox).refuses_with(&["has schema 2; this bindbench reads up to 1"]);
}

#[test]
fn a_schema_that_no_bindbench_wrote_is_refused() {
    let (sandbox, folder) = measured();
    let path = folder.join("run.json");
    let text = fs::read_to_string(&path).unwrap();
    for (schema, words) in
        [("0", "has schema 0, which no bindbench writes"), ("4294967297", "has schema 4294967297; this bindbench reads up to 1")]
    {
        fs::write(&path, text.replacen("\"schema\": 1", &format!("\"schema\": {schema}"), 1)).unwrap();
        report(&sandbox).refuses_with(&["run.json", words]);
    }
    fs::write(&path, &text).unwrap();
    let flamegraphs = sandbox.path().join("flamegraphs");
    fs::create_dir_all(&flamegraphs).unwrap();
    fs::write(flamegraphs.join("profile.json"), "{\"schema\": 0}").unwrap();
    report(&sandbox).succeeds().says(&["the report goes without a profile", "profile.json has schema 0"]);
}

/// Each of these was looked up in a list without a look at its length, or divided by.
#[test]
fn ids_and_numbers_that_cannot_be_are_refused_with_their_fields() {
    let (sandbox, folder) = measured();
    let path = folder.join("run.json");
    let whole: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let gate = json!({"threshold": 0.02, "instructions_threshold": 0.005, "catalogs": [], "base": "a", "base_rev": null, "base_commits": [],
        "head": "b", "used_s": 1.0, "live": [0, 99]});
    let call = json!([{"cell": 99, "elapsed_ns": 1}]);
    for (pointer, value, words) in [
        ("/workers/0/first_calls", call, "workers[0].first_calls[0].cell names cell 99"),
        ("/gate", gate, "gate.live[1] names cell 99"),
        ("/cases/0/size", json!(0), "cases[0].size is 0"),
        ("/cases/0/threads", json!(0), "cases[0].threads is 0"),
        ("/cells/0/loops", json!(u64::MAX), "cells[0].loops is 18446744073709551615"),
        ("/plan/generations", json!(u32::MAX), "plan.generations is 4294967295"),
        ("/cells/0/lane", json!("x"), "cells[0].lane is \"x\", which is not in lanes"),
        ("/interpreters", json!([]), "cells[0].interpreter is"),
        ("/workloads", json!([]), "cases[0].workload is \"kmp\", which is not in workloads"),
        ("/cases/0/input", json!("x"), "cases[0].input is \"x\""),
        ("/started", json!("yesterday"), "started is \"yesterday\""),
        ("/id", json!("../../etc/passwd"), "id is \"../../etc/passwd\""),
        ("/lanes/0/id", json!("stranger/\u{1b}[31m"), "lanes[].id has \"stranger/\\u{1b}[31m\""),
        ("/plan/budget_s", json!(-1.0), "plan.budget_s is -1"),
    ] {
        let mut run = whole.clone();
        run["gate"] = Value::Null;
        *run.pointer_mut(pointer).unwrap_or_else(|| panic!("the run has no {pointer}")) = value;
        fs::write(&path, run.to_string()).unwrap();
        report(&sandbox).refuses_with(&["run.json", words]);
    }
    let run = folder.to_str().unwrap();
    for command in [&["run", "--resume", run][..], &["compare", run, run], &["export", "--format", "pyperf", run], &["claims"]] {
        sandbox.bindbench(command).refuses_with(&["run.json", "plan.budget_s is -1"]);
    }
}

/// It would be waited for without end.
#[test]
fn a_pipe_in_place_of_a_file_is_refused() {
    let (sandbox, folder) = measured();
    let runs = folder.parent().unwrap().to_str().unwrap();
    for file in ["counts.csv", "samples.csv", "run.json"] {
        let path = folder.join(file);
        fs::remove_file(&path).ok();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        sandbox.bindbench(&["report", folder.to_str().unwrap()]).refuses_with(&[file, "it is no regular file"]);
        sandbox.bindbench(&["history", runs]).refuses_with(&[file, "it is no regular file"]);
    }
}
