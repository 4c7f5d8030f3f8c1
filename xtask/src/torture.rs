//! `cargo xtask torture`: what no sensible person would do to a benchmark, many times over, and how often it went wrong.
//!
//! The parts are tests of the driver, most of which are ignored otherwise. Some append what they counted to a file; all of it is said in
//! the end.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::{Parser, ValueEnum};

use crate::cargo;

/// What is tortured, and how long.
#[derive(Debug, Parser)]
pub struct Torture {
    /// Seed of everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 20_261_128)]
    seed: u64,
    /// How many drivers are killed: half of them in a run, a quarter each in a gate and in a set-up
    #[arg(long, value_name = "N", default_value_t = 200)]
    kills: u64,
    /// How often each fuzz target is executed
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    fuzz: u64,
    /// Of the hostile lanes only those whose names begin so, as in `ends` or `ends.exits_3,waits`
    #[arg(long, value_name = "NAMES", default_value = "")]
    lanes: String,
    /// Only this part; repeatable
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Lanes with wrong answers, on every input of every operation
    Mutants,
    /// Lanes, and builds of lanes, that go wrong in every way there is
    Lanes,
    /// Drivers that are killed at any moment
    Kills,
    /// Files and replies that are changed at random
    Fuzz,
}

/// A command that belongs to a part.
struct Job {
    /// Arguments of cargo.
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    /// A line of the table, for what does not count itself: it is one thing, tried so many times.
    counted: Option<(String, u64)>,
    /// How it is repeated by itself.
    again: String,
}

/// A line of the table.
struct Line {
    what: String,
    tried: String,
    failed: String,
    limits: String,
}

impl Torture {
    /// Runs the parts one after the other: each needs the machine for itself.
    pub fn run(&self, root: &Path) -> ExitCode {
        let (mut lines, mut failures) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        let is_wanted = |part: &&Part| self.only.is_empty() || self.only.contains(part);
        for job in Part::value_variants().iter().filter(is_wanted).flat_map(|part| self.jobs(*part, root)) {
            println!("\n=== {}", job.again);
            // Beside this program: where cargo puts what it builds.
            let report = env::current_exe().unwrap_or_default().with_file_name("torture.txt");
            // One of an earlier job is not of this one; mostly there is none.
            fs::remove_file(&report).ok();
            let passed = command(&job, root, &report).status().is_ok_and(|status| status.success());
            let (mut counted, mut told) = read(&fs::read_to_string(&report).unwrap_or_default());
            counted.extend(job.counted.map(|(what, tried)| Line {
                what,
                tried: tried.to_string(),
                failed: u8::from(!passed).to_string(),
                limits: String::new(),
            }));
            if !passed && told.is_empty() {
                told.push("FAILED: see above".to_owned());
            }
            if !told.is_empty() {
                told.push(format!("    repeat it with: {}", job.again));
            }
            lines.extend(counted);
            failures.extend(told);
        }
        println!("\n=== torture, seed {}, {:.0} s", self.seed, begun.elapsed().as_secs_f64());
        println!("{:<28} {:>9} {:>7} {:>13}", "", "tried", "failed", "known limits");
        for Line { what, tried, failed, limits } in &lines {
            println!("{what:<28} {tried:>9} {failed:>7} {limits:>13}");
        }
        if failures.is_empty() {
            return ExitCode::SUCCESS;
        }
        println!("\n{}", failures.join("\n"));
        ExitCode::FAILURE
    }

    fn jobs(&self, part: Part, root: &Path) -> Vec<Job> {
        let again = |own: String| format!("cargo xtask torture --only {own}");
        let in_cli = |own: &[&str]| -> Vec<String> {
            let test = ["test", "--package", "bindbench", "--locked", "--test", "cli", "--", "--nocapture"];
            test.iter().chain(own).map(|word| (*word).to_owned()).collect()
        };
        match part {
            Part::Mutants => {
                vec![Job { arguments: in_cli(&["mutants::"]), environment: Vec::new(), counted: None, again: again("mutants".to_owned()) }]
            }
            Part::Lanes => {
                let lanes = Job {
                    arguments: in_cli(&["--ignored", "--exact", "torture::hostile::all_hostile_lanes"]),
                    environment: vec![("BINDBENCH_TORTURE_LANES", self.lanes.clone())],
                    counted: None,
                    again: again(if self.lanes.is_empty() { "lanes".to_owned() } else { format!("lanes --lanes {}", self.lanes) }),
                };
                let builds = Job {
                    arguments: in_cli(&["--exact", "torture::builds::builds_that_go_wrong"]),
                    environment: Vec::new(),
                    counted: None,
                    again: again("lanes".to_owned()),
                };
                if self.lanes.is_empty() { vec![lanes, builds] } else { vec![lanes] }
            }
            Part::Kills => vec![Job {
                arguments: in_cli(&["--ignored", "--exact", "torture::kills::all_kills"]),
                environment: vec![("BINDBENCH_TORTURE_SEED", self.seed.to_string()), ("BINDBENCH_TORTURE_KILLS", self.kills.to_string())],
                counted: None,
                again: again(format!("kills --kills {} --seed {}", self.kills, self.seed)),
            }],
            Part::Fuzz => targets(root).iter().map(|target| self.fuzz(target)).collect(),
        }
    }

    fn fuzz(&self, target: &str) -> Job {
        let test =
            ["test", "--package", "bindbench", "--locked", "--lib", "--", "--nocapture", "--ignored", "--exact", "fuzzing::tests::many"];
        let asked = format!("{target}:{}:{}", self.fuzz, self.seed);
        Job {
            arguments: test.map(str::to_owned).to_vec(),
            counted: Some((format!("fuzz target {target}"), self.fuzz)),
            again: format!("BINDBENCH_FUZZ={asked} cargo {}", test.join(" ")),
            environment: vec![("BINDBENCH_FUZZ", asked)],
        }
    }
}

/// The fuzz targets: each has a folder in the corpus.
fn targets(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("fuzz/corpus")).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn command(job: &Job, root: &Path, report: &PathBuf) -> Command {
    let mut command = Command::new(cargo());
    command.current_dir(root).args(&job.arguments).envs(job.environment.iter().cloned()).env("BINDBENCH_TORTURE_REPORT", report);
    command
}

/// What a job wrote: a line with counts for each thing it tried, after it a line that begins with `!` for each line of a failure.
fn read(report: &str) -> (Vec<Line>, Vec<String>) {
    let (failures, counts): (Vec<&str>, Vec<&str>) = report.lines().partition(|line| line.starts_with('!'));
    let line = |text: &str| {
        let mut fields = text.split('\t').map(str::to_owned);
        let mut next = || fields.next().unwrap_or_default();
        Line { what: next(), tried: next(), failed: next(), limits: next() }
    };
    (counts.into_iter().map(line).collect(), failures.into_iter().map(|failure| format!("FAILED: {}", &failure[1..])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_line_by_line() {
        let (lines, failures) = read("kills of run\t100\t1\t0\n!two rows\n!of one sample\nkills of gate\t50\t0\t0\n");
        let told: Vec<[&str; 3]> = lines.iter().map(|line| [line.what.as_str(), line.tried.as_str(), line.failed.as_str()]).collect();
        assert_eq!(told, [["kills of run", "100", "1"], ["kills of gate", "50", "0"]]);
        assert_eq!(failures, ["FAILED: two rows", "FAILED: of one sample"]);
    }
}
