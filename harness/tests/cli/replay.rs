//! Recorded runs give the report that they gave before, to the byte: those of today, and those of the first bindbench.
//!
//! `BINDBENCH_REPLAY=write cargo test -p bindbench --test cli replay` writes the expected files anew; `git diff` shows what changed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;

const FILES: [&str; 3] = ["index.html", "summary.csv", "summary.md"];

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs").join(name)
}

#[track_caller]
fn replay(name: &str) {
    let sandbox = Sandbox::new();
    let folder = recorded(name);
    sandbox.bindbench(&["report", folder.to_str().unwrap(), "--out", "out"]).succeeds();
    for file in FILES {
        let made = fs::read_to_string(sandbox.path().join("out").join(file)).unwrap();
        let expected = folder.join("report").join(file);
        if std::env::var_os("BINDBENCH_REPLAY").is_some_and(|value| value == "write") {
            fs::create_dir_all(expected.parent().unwrap()).unwrap();
            fs::write(&expected, &made).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap();
        let differing = made.lines().zip(expected.lines()).position(|(a, b)| a != b);
        assert!(made == expected, "{name}: {file} differs, first in line {:?} (from 0)", differing);
    }
}

#[test]
fn a_run_of_today_gives_the_same_report() {
    replay("declared");
}

/// Recorded before runs kept what manifests say of copies and checks, and how builds went.
#[test]
fn a_run_of_the_first_bindbench_gives_the_same_report() {
    replay("first");
}

#[test]
fn a_plot_is_drawn_again_by_its_name() {
    let sandbox = Sandbox::new();
    let folder = recorded("declared");
    let run = folder.to_str().unwrap();
    sandbox.bindbench(&["report", run, "--out", "all"]).succeeds();
    let names: Vec<String> =
        fs::read_dir(sandbox.path().join("all/plots")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let ratios = names.iter().find(|name| name.ends_with("-ratios.svg")).unwrap();
    assert!(names.contains(&ratios.replace(".svg", ".png")), "{names:?}");
    sandbox.bindbench(&["report", run, "--out", "one", "--plot", ratios.trim_end_matches(".svg")]).succeeds().prints(&[ratios]);
    let read = |out: &str| fs::read(sandbox.path().join(out).join("plots").join(ratios)).unwrap();
    assert_eq!(read("all"), read("one"));
    assert_eq!(fs::read_dir(sandbox.path().join("one")).unwrap().count(), 1);
    sandbox.bindbench(&["report", run, "--plot", "*-ratio"]).refuses_with(&[
        "--plot *-ratio matches no plot",
        "the nearest there are",
        "-ratios",
    ]);
}

#[test]
fn tables_are_spliced_into_somebodys_markdown() {
    let sandbox = Sandbox::new();
    let folder = recorded("declared");
    let readme = sandbox.path().join("README.md");
    let arguments = ["report", folder.to_str().unwrap(), "--out", "out", "--splice", "README.md", "--tables", "std.*"];
    fs::write(&readme, "# Mine\n").unwrap();
    sandbox.bindbench(&arguments).exits_with(2).says(&["README.md has 0 lines `<!-- bindbench: begin -->`; it takes one"]);
    fs::write(&readme, "# Mine\n<!-- bindbench: begin -->\nwhat was there\n<!-- bindbench: end -->\nend\n").unwrap();
    sandbox.bindbench(&arguments).succeeds();
    let text = fs::read_to_string(&readme).unwrap();
    assert!(text.starts_with("# Mine\n<!-- bindbench: begin -->\n<!-- made by: bindbench report "), "{text}");
    assert!(
        text.contains("--tables 'std.*' -->") && text.contains("## std.") && !text.contains("## call.") && !text.contains("what was there"),
        "{text}"
    );
    assert!(text.ends_with("<!-- bindbench: end -->\nend\n"));
    let one_case = [&arguments[..6], &["--tables", "std.std:ints:10"]].concat();
    sandbox.bindbench(&one_case).succeeds();
    let short = fs::read_to_string(&readme).unwrap();
    assert!(short.contains("input ints") && !short.contains("input floats") && !short.contains("5,000"), "{short}");
    assert!(short.lines().count() < text.lines().count());
    sandbox.bindbench(&[&arguments[..6], &["--tables", "kmp"]].concat()).succeeds();
    assert!(fs::read_to_string(&readme).unwrap().contains("## kmp.find_all"), "a workload stands for its operations");
    sandbox.bindbench(&[&arguments[..6], &["--tables", "std.std:ints:many"]].concat()).refuses_with(&["--tables", "unknown unit"]);
}

/// What stands in somebody's document is never replaced by nothing; and what can't be done is said before anything is.
#[test]
fn what_can_t_be_spliced_changes_nothing_and_prints_nothing() {
    let sandbox = Sandbox::new();
    let folder = recorded("declared");
    let readme = sandbox.path().join("README.md");
    let whole = "# Mine\n<!-- bindbench: begin -->\nwhat was there\n<!-- bindbench: end -->\n";
    let refused = |text: &str, file: &str, more: &[&str], words: &[&str]| {
        fs::write(&readme, text).unwrap();
        let arguments = [&["report", folder.to_str().unwrap(), "--out", "out", "--splice", file], more].concat();
        let ended = sandbox.bindbench(&arguments).refuses_with(words);
        assert_eq!(ended.stdout(), "");
        assert_eq!(fs::read_to_string(&readme).unwrap(), text);
        assert!(!sandbox.path().join("out").exists());
    };
    refused(whole, "README.md", &["--tables", "kmp.*", "--tables", "std.stdd"], &["--tables std.stdd matches nothing", "nearest: std.std"]);
    refused(whole, "README.md", &["--tables", "std.std:ints:5001"], &["--tables std.std:ints:5001 matches nothing", "std.std:ints:5000"]);
    refused(whole, "READMY.md", &[], &["can't read READMY.md"]);
    refused("# Mine\n", "README.md", &[], &["README.md has 0 lines"]);
    refused(whole, "README.md", &["--ladder"], &["cannot be used with"]);
    refused(whole, "README.md", &["--plot", "*"], &["cannot be used with"]);
}

/// A part of a run for somebody else's document, the ladder and other tools' layouts: none is without what its tables are below.
#[test]
fn caveats_of_a_run_go_wherever_its_numbers_go() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().join("busy");
    fs::create_dir(&folder).unwrap();
    fs::copy(recorded("declared").join("samples.csv"), folder.join("samples.csv")).unwrap();
    let mut run: serde_json::Value = serde_json::from_slice(&fs::read(recorded("declared").join("run.json")).unwrap()).unwrap();
    run["state"] = "interrupted".into();
    run["environment"]["load_before"] = 64.5.into();
    fs::write(folder.join("run.json"), run.to_string()).unwrap();
    let readme = sandbox.path().join("README.md");
    fs::write(&readme, "<!-- bindbench: begin -->\n<!-- bindbench: end -->\n").unwrap();
    let says =
        ["can NOT vouch for its 95 % intervals: it is not complete", "Warning: the machine was busy before the first sample: load 64.5"];
    let name = folder.to_str().unwrap();
    sandbox.bindbench(&["report", name, "--out", "out", "--splice", "README.md", "--tables", "std"]).succeeds().prints(&says);
    let text = fs::read_to_string(&readme).unwrap();
    assert!(says.iter().all(|words| text.contains(words)), "{text}");
    sandbox.bindbench(&["report", name, "--ladder"]).succeeds().prints(&says).prints(&[run["id"].as_str().unwrap()]);
    for format in ["pyperf", "bencher", "github-action-benchmark"] {
        let ended = sandbox.bindbench(&["export", name, "--format", format]).succeeds().says(&says);
        assert!(!ended.stdout().contains("Warning"));
    }
}

#[test]
fn a_ci_that_shows_a_summary_of_a_step_gets_the_tables() {
    let sandbox = Sandbox::new();
    let folder = recorded("declared");
    let summary = sandbox.path().join("step.md");
    fs::write(&summary, "before\n").unwrap();
    let mut command = sandbox.command(&["report", folder.to_str().unwrap(), "--out", "out"]);
    assert!(command.env("GITHUB_STEP_SUMMARY", &summary).output().unwrap().status.success());
    let text = fs::read_to_string(&summary).unwrap();
    assert_eq!(text, format!("before\n{}", fs::read_to_string(sandbox.path().join("out/summary.md")).unwrap()));
}

#[test]
fn the_page_says_nothing_of_the_machine_it_was_made_on() {
    let sandbox = Sandbox::new();
    sandbox.bindbench(&["report", recorded("declared").to_str().unwrap(), "--out", "out"]).succeeds();
    let page = fs::read_to_string(sandbox.path().join("out/index.html")).unwrap();
    assert!(!page.contains(sandbox.path().to_str().unwrap()) && !page.contains(env!("CARGO_MANIFEST_DIR")));
    assert!(
        !page.contains("http://")
            || page.matches("http://").count()
                == page.matches("http://www.w3.org/2000/svg").count() + page.matches("http://github.com/jonhoo/inferno").count()
    );
}
