//! The page in a browser, as readers have it: sorting, filtering, dark, flamegraphs, three widths, and names that are markup.
//!
//! Chromium is told to open a page that opens the report in frames and does to it what readers do (`driver.js`).

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bindbench_model::profile::{Activity, Profile, ProfiledCell, SCHEMA, Stacks};
use bindbench_model::{Case, Environment, Status, Unit};
use serde_json::Value;

const HOSTILE: &str = "<script>window.hacked = 1</script>/\"onload=x";

#[test]
#[ignore = "needs Chromium; `cargo test-all` runs it where there is one"]
fn readers_can_sort_filter_darken_and_look_into_flamegraphs() {
    let folder = tempfile::tempdir().unwrap();
    let page = report(folder.path());
    let seen = open_in_chromium(folder.path(), &page);
    let failed: Vec<&Value> = seen.iter().filter(|check| check["fine"] != Value::Bool(true)).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(seen.len() > 25, "only {} checks were made", seen.len());
}

/// A report on a recorded run, in which a lane has a name that is markup, and of which there is a flamegraph.
fn report(folder: &Path) -> String {
    let run = folder.join("run");
    fs::create_dir(&run).unwrap();
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs/declared");
    let renamed = fs::read_to_string(recorded.join("run.json")).unwrap().replace("pyo3/held", &HOSTILE.replace('"', "\\\""));
    fs::write(run.join("run.json"), renamed).unwrap();
    fs::copy(recorded.join("samples.csv"), run.join("samples.csv")).unwrap();
    let flamegraphs = folder.join("flamegraphs");
    fs::create_dir(&flamegraphs).unwrap();
    fs::write(flamegraphs.join("flame.svg"), include_str!("flame.svg")).unwrap();
    bindbench_store::profile::save(&profile(), &flamegraphs).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("bindbench"));
    command.arg("report").arg(&run).arg("--out").arg(folder.join("out")).arg("--flamegraphs").arg(&flamegraphs);
    let output = command.env_remove("GITHUB_STEP_SUMMARY").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(folder.join("out/index.html")).unwrap()
}

fn profile() -> Profile {
    let case = Case {
        id: 0,
        workload: "std".into(),
        operation: "std".into(),
        input: "ints".into(),
        form: None,
        size: Some(5000),
        unit: Unit::Items,
        threads: 1,
        net_of_loop: false,
    };
    let split = [(Activity::Kernel, 60), (Activity::ArgumentConversion, 30), (Activity::Interpreter, 10)].into();
    let stacks = Stacks { samples: 100, rooted: 100, split, picture: "flame.svg".into(), ..Stacks::default() };
    let cell = ProfiledCell {
        case,
        lane: HOSTILE.into(),
        interpreter: None,
        at: String::new(),
        status: Status::Ok,
        stacks: Some(stacks),
        gil: None,
        memory: None,
    };
    Profile {
        schema: SCHEMA,
        bindbench: "0".into(),
        command: vec!["bindbench".into(), "profile".into()],
        started: "2026-11-21T08:12:05Z".into(),
        environment: Environment::default(),
        interpreters: Vec::new(),
        lanes: Vec::new(),
        cells: vec![cell],
        differences: Vec::new(),
        skipped: Vec::new(),
        notes: Vec::new(),
    }
}

fn open_in_chromium(folder: &Path, page: &str) -> Vec<Value> {
    // `<` would end the script that holds the page.
    let text = serde_json::to_string(page).unwrap().replace('<', "\\u003c");
    let driver = include_str!("driver.js");
    let html = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><pre id=\"result\"></pre><script id=\"page\" type=\"text/plain\">{text}</script><script>{driver}</script>"
    );
    let opened = folder.join("opened.html");
    fs::write(&opened, html).unwrap();
    let mut chromium = Command::new(find_chromium());
    // No sandbox: CI is root in a container, and the page is our own.
    chromium.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--virtual-time-budget=60000",
    ]);
    chromium.arg(format!("--user-data-dir={}", folder.join("browser").display()));
    let output = chromium.arg("--dump-dom").arg(format!("file://{}", opened.display())).output().unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let result = dom.split_once("<pre id=\"result\">").and_then(|(_, rest)| rest.split_once("</pre>")).map(|(result, _)| result);
    let result = result.unwrap_or_default().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&result).unwrap_or_else(|error| panic!("{error}: {result}\n{}", String::from_utf8_lossy(&output.stderr)))
}

fn find_chromium() -> PathBuf {
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    names.iter().find_map(|name| which::which(name).ok()).expect("Chromium on PATH: `apt install chromium`")
}
