//! The commands that documents name are commands that there are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap()
}

/// Words of the command that a line consists of, without a prompt, a list's dash, and what a shell does with its output and its status.
fn command(line: &str) -> Option<Vec<String>> {
    let line = line.trim().trim_start_matches(['$', '-', ' ']).trim_start_matches("run: ");
    let line = line.split(" || ").next()?.split(" > ").next()?;
    let words = shlex::split(line)?;
    let (program, words) = words.split_at_checked(2)?;
    (program == ["cargo", "bindbench"]).then(|| words.to_vec())
}

#[test]
fn commands_in_documents_are_understood() {
    let sandbox = Sandbox::new();
    for (document, at_least) in [("README.md", 15), ("CONTRIBUTING.md", 5), ("docs/ci.md", 8), ("docs/debugging.md", 3)] {
        let text = read(document);
        let commands: Vec<Vec<String>> = text.lines().filter_map(command).collect();
        assert!(commands.len() >= at_least, "{document} has {} commands only", commands.len());
        for words in commands {
            // clap looks at all words before the one that asks for help.
            let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
            let ended = sandbox.bindbench(&arguments);
            assert!(ended.output.status.success(), "{document}: {}\n{}", words.join(" "), ended.stderr());
        }
    }
}

#[test]
fn a_command_that_there_is_not_is_seen() {
    let words = command("      - cargo bindbench gate --bass-rev main || status=$?").unwrap();
    assert_eq!(words, ["gate", "--bass-rev", "main"]);
    let sandbox = Sandbox::new();
    sandbox.bindbench(&["gate", "--bass-rev", "main", "--help"]).exits_with(2);
}

/// How many claims a report confirms and refutes on 3.13, and how many it judges there: `## Python 3.13.0: 33 claims: 14 confirmed, …`.
fn tally(report: &str) -> [u32; 3] {
    let heading = |title: &str| {
        let mut after = report.split(title).skip(1).map(|rest| rest.split(['<', '\n']).next().unwrap());
        after.find(|heading| heading.contains(" claim")).map(str::to_owned)
    };
    let number = |text: &str, what: &str| {
        let before = text.split_once(what).map(|(before, _)| before.to_owned());
        before.map_or(0, |before| before.rsplit([' ', ':']).next().unwrap().parse::<u32>().unwrap())
    };
    let of_python = heading("Python 3.13.0: ").expect("claims judged on 3.13");
    let by_name = heading("Claims that name their interpreters: ").unwrap_or_default();
    [" confirmed", " refuted", " claim"].map(|what| number(&of_python, what) + number(&by_name, what))
}

#[test]
fn the_readme_says_of_the_claims_what_the_reports_say_and_by_which_run() {
    let readme = read("README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let run_of = |report: &str| report.split_once("run ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let claims = read("reports/claims.md");
    let [confirmed, refuted, all] = tally(&claims);
    for words in [
        format!("judged by a second run, {},", run_of(&claims)),
        format!("on 3.13 [{confirmed} of the {all} claims are confirmed, {refuted} refuted"),
        format!("a verdict on each of {all} claims"),
    ] {
        assert!(readme.contains(&words), "the README does not say: {words}");
    }
    let (page, run) = (read("reports/index.html"), run_of(&read("reports/summary.md")));
    let [confirmed, refuted, of_page] = tally(&page);
    let words = format!(
        "judges them by the first run, {run}, which had fewer rounds for each: there {confirmed} are confirmed and {refuted} refuted"
    );
    assert!(readme.contains(&words), "the README does not say: {words}");
    assert!(page.contains(&run) && of_page == all && readme.contains(&format!("- Run {run}, preset")), "{run}, {of_page} claims");
}

#[test]
fn the_document_on_ci_has_the_job_of_this_repository() {
    let workflow = read(".github/workflows/ci.yml");
    let (_, job) = workflow.split_once("\n  gate:\n").unwrap();
    let job: String = job.lines().map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect();
    assert!(read("docs/ci.md").contains(&format!("```yaml\ngate:\n{job}```\n")), "docs/ci.md shows another job");
}
