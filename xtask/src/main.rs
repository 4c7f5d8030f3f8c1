//! `cargo test-all`: every lint and every test, with all the set-up they need; and `cargo xtask torture`.
//!
//! `test-all` is a list of steps, one after the other. One that fails does not keep the next from being tried, unless it needs what the failed
//! one should have made; a summary with times comes last.

mod steps;
mod torture;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;

use steps::{Step, steps};
use torture::Torture;

/// Things that only people who change bindbench need.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo")]
enum Task {
    /// Run every lint and test, with all the set-up they need
    TestAll(TestAll),
    /// Measure lanes that go wrong in every way, and kill drivers at any moment: minutes
    Torture(Torture),
}

/// What `test-all` is to cover.
#[derive(Debug, Parser)]
struct TestAll {
    /// Run the conformance suite on every interpreter found, not only on the default one
    #[arg(long)]
    all_pythons: bool,
}

/// How a step ended.
#[derive(Debug, PartialEq)]
enum Outcome {
    Passed(Duration),
    Failed(Duration),
    /// It needs what the step of this name should have made.
    NotTried(&'static str),
    /// This machine lacks what it takes.
    LeftOut(&'static str),
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    match Task::parse() {
        Task::TestAll(task) => test_all(&task, root),
        Task::Torture(task) => task.run(root),
    }
}

/// The cargo that runs this.
fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

fn test_all(task: &TestAll, root: &Path) -> ExitCode {
    let mut outcomes: Vec<(&'static str, Outcome)> = Vec::new();
    for step in steps(root, task.all_pythons) {
        let failed = |needed: &&str| {
            outcomes.iter().any(|(name, outcome)| name == needed && !matches!(outcome, Outcome::Passed(_) | Outcome::LeftOut(_)))
        };
        let outcome = match (step.needs.iter().copied().find(failed), step.lacks) {
            (Some(needed), _) => Outcome::NotTried(needed),
            (None, Some(lacking)) => Outcome::LeftOut(lacking),
            (None, None) => run(&step, root),
        };
        outcomes.push((step.name, outcome));
    }
    println!("\n=== summary");
    for (name, outcome) in &outcomes {
        match outcome {
            Outcome::Passed(time) => println!("passed     {:>6.1} s  {name}", time.as_secs_f64()),
            Outcome::Failed(time) => println!("FAILED     {:>6.1} s  {name}", time.as_secs_f64()),
            Outcome::NotTried(needed) => println!("NOT TRIED            {name}: {needed} failed"),
            Outcome::LeftOut(lacking) => println!("LEFT OUT             {name}: {lacking}"),
        }
    }
    if outcomes.iter().all(|(_, outcome)| matches!(outcome, Outcome::Passed(_) | Outcome::LeftOut(_))) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(step: &Step, root: &Path) -> Outcome {
    println!("\n=== {}\n$ {}", step.name, step.shown());
    let started = Instant::now();
    let ended = command(step, root).and_then(|mut command| command.status());
    let time = started.elapsed();
    let passed = match ended {
        Ok(status) => status.success(),
        Err(error) => {
            println!("can't run {}: {error}", step.program.display());
            false
        }
    };
    if !passed {
        println!("{}", step.advice);
    }
    println!("=== {}: {} in {:.1} s", step.name, if passed { "passed" } else { "FAILED" }, time.as_secs_f64());
    if passed { Outcome::Passed(time) } else { Outcome::Failed(time) }
}

fn command(step: &Step, root: &Path) -> std::io::Result<Command> {
    // What a step prints itself must not come before what was said about it.
    std::io::stdout().flush()?;
    let mut command = Command::new(&step.program);
    if std::env::var_os("CI").is_some() {
        // Nothing is compiled a second time there.
        command.env("CARGO_INCREMENTAL", "0");
    }
    command.args(&step.arguments).envs(step.environment.iter().cloned()).current_dir(root).stdin(Stdio::null());
    if let Some(output) = &step.output {
        if let Some(folder) = output.parent() {
            fs::create_dir_all(folder)?;
        }
        command.stdout(File::create(output)?);
    }
    Ok(command)
}
