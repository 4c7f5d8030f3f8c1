//! A month of runs: copies of two recorded ones, each with noise of its own.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs").join(name)
}

/// A folder with seven runs like `before` and seven like `after`, a day apart, each with a commit of its own. From run to run all times
/// vary by some per mille, as on a machine that has better and worse days.
fn month(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.path().join("month");
    for day in 0..14_u64 {
        let from = recorded(if day < 7 { "before" } else { "after" });
        let to = folder.join(format!("run-{day:02}"));
        fs::create_dir_all(&to).unwrap();
        let text = fs::read_to_string(from.join("run.json")).unwrap();
        let mut run: serde_json::Value = serde_json::from_str(&text).unwrap();
        run["id"] = format!("run-{day:02}").into();
        run["started"] = format!("2026-10-{:02}T08:00:00Z", day + 1).into();
        run["lanes"].as_array_mut().unwrap().iter_mut().for_each(|lane| lane["commit"] = format!("{day:040}").into());
        fs::write(to.join("run.json"), run.to_string()).unwrap();
        let rows = fs::read_to_string(from.join("samples.csv")).unwrap();
        let vary = |row: &str| {
            let mut fields: Vec<String> = row.split(',').map(str::to_owned).collect();
            let cell: u64 = fields[3].parse().unwrap();
            let elapsed: u64 = fields[5].parse().unwrap();
            fields[5] = (elapsed + elapsed * ((day * 7 + cell * 5) % 11) / 2000).to_string();
            fields.join(",")
        };
        let header = rows.lines().next().unwrap().to_owned();
        let lines: Vec<String> = std::iter::once(header).chain(rows.lines().skip(1).map(vary)).collect();
        fs::write(to.join("samples.csv"), lines.join("\n") + "\n").unwrap();
    }
    folder
}

#[test]
fn a_change_is_found_with_the_commits_between() {
    let sandbox = Sandbox::new();
    let month = month(&sandbox);
    let arguments = ["history", month.to_str().unwrap(), "-s", "capi/c", "--threshold", "10", "--out", "plots"];
    let ended = sandbox.bindbench(&arguments).succeeds().prints(&[
        "14 runs, 2026-10-01T08:00:00Z to 2026-10-14T08:00:00Z",
        "2 cells changed their level by more than 10 %",
        "from run run-06 to run run-07, commits 000000000000..000000000000",
        "The plots: plots",
    ]);
    assert!(ended.stdout().contains("capi/c std.std:"), "{}", ended.stdout());
    let files: Vec<String> =
        fs::read_dir(sandbox.path().join("plots")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(files.iter().any(|file| file.starts_with("capi_c_std.std") && file.ends_with(".svg")), "{files:?}");
    assert_eq!(files.iter().filter(|file| file.ends_with(".svg")).count() * 2, files.len());
    let json = sandbox.bindbench(&[&arguments[..], &["--json"]].concat()).succeeds().json();
    for series in json["series"].as_array().unwrap() {
        let changes = series["changes"].as_array().unwrap();
        assert_eq!((series["lane"].as_str(), changes.len(), changes[0]["at"].as_u64()), (Some("capi/c"), 1, Some(7)), "{series:#}");
        assert!(changes[0]["factor"].as_f64().unwrap() > 1.2, "{series:#}");
    }
}

#[test]
fn runs_may_be_named_one_by_one_and_few_show_no_change() {
    let sandbox = Sandbox::new();
    let [before, after] = ["before", "after"].map(|name| recorded(name).display().to_string());
    let ended = sandbox.bindbench(&["history", &after, &before, &after, "--out", "plots"]).succeeds();
    let ended = ended.prints(&["2 runs", "No cell has 10 runs: no change was looked for"]);
    assert!(!ended.stdout().contains("changed its level"), "{}", ended.stdout());
    sandbox.bindbench(&["history"]).refuses_with(&["there is no run in", "the folder is not there"]);
    fs::create_dir(sandbox.path().join("runs")).unwrap();
    sandbox.bindbench(&["history"]).refuses_with(&["there is no run in"]);
}

#[test]
fn a_run_that_can_t_be_read_is_left_out_and_the_others_are_shown() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().join("some");
    for name in ["before", "after", "damaged"] {
        fs::create_dir_all(folder.join(name)).unwrap();
        for file in ["run.json", "samples.csv"] {
            fs::copy(recorded(if name == "damaged" { "after" } else { name }).join(file), folder.join(name).join(file)).unwrap();
        }
    }
    fs::write(folder.join("damaged/run.json"), "{\"schema\": 1,").unwrap();
    let arguments = ["history", folder.to_str().unwrap(), "--out", "plots"];
    let ended = sandbox.bindbench(&arguments).exits_with(4).prints(&["2 runs", "Left out:", "some/damaged"]);
    ended.says(&["left out: run", "some/damaged", "run.json, line 1"]);
    // One that is named is asked for, and so are the only ones that there are.
    sandbox.bindbench(&["history", folder.join("damaged").to_str().unwrap()]).refuses_with(&["run.json, line 1"]);
    ["before", "after"].iter().for_each(|name| fs::write(folder.join(name).join("run.json"), "{").unwrap());
    sandbox.bindbench(&arguments).refuses_with(&["no run in", "can be read", "some/before"]);
}
