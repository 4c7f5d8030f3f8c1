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

#[test]
fn the_document_on_ci_has_the_job_of_this_repository() {
    let workflow = read(".github/workflows/ci.yml");
    let (_, job) = workflow.split_once("\n  gate:\n").unwrap();
    let job: String = job.lines().map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect();
    assert!(read("docs/ci.md").contains(&format!("```yaml\ngate:\n{job}```\n")), "docs/ci.md shows another job");
}
