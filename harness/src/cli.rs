//! The command line: definitions only.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use bindbench::cmd;

/// Measures the ways Python can reach native code, with error bars, proofs of equality and pictures.
#[derive(Debug, Parser)]
#[command(name = "bindbench", version, propagate_version = true, after_help = EXIT_STATUS)]
pub struct Cli {
    /// A further folder with strategies, one folder each; repeatable
    #[arg(long, global = true, value_name = "DIR")]
    pub catalog: Vec<PathBuf>,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_STATUS: &str = "Exit status:
  0  fine
  1  something measured is bad: a wrong answer, a lane that became slower, a leak (`profile --fail-on leak`)
  2  usage or configuration
  3  a comparison or a gate that is inconclusive
  4  some cells have no number: a crash, a time-out, out of memory; or a lane asked for by name was not measured or built; or
     some runs of a history can't be read
  130  stopped by Ctrl-C; what was printed goes on, where something was measured";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set up, measure, report, profile, judge the claims: everything, in one go
    BenchAll(cmd::bench_all::Args),
    /// Say what is here, what is missing, and the command that installs it
    Doctor(cmd::doctor::Args),
    /// Make environments, inputs, builds and receipts
    Setup(cmd::setup::Args),
    /// Show lanes and workloads with their state
    List(cmd::list::Args),
    /// Measure what is set up
    Run(cmd::run::Args),
    /// Show where the time goes: flamegraphs, and the split of the time
    Profile(cmd::profile::Args),
    /// Print the command line of one lane's worker, or run it under gdb
    Debug(cmd::debug::Args),
    /// Print a run's tables and write them to reports/
    Report(cmd::report::Args),
    /// Judge the talks' claims, and your own, by a run
    Claims(cmd::claims::Args),
    /// Say what became slower or faster from one run to another
    Compare(cmd::compare::Args),
    /// Give a run the layout of another tool
    Export(cmd::export::Args),
    /// Show how cells went over many runs, and where they changed
    History(cmd::history::Args),
    /// Say whether a build is slower than another one; for CI
    Gate(cmd::gate::Args),
    /// Remove what setup made
    Clean,
    /// End the workers of a driver that was killed; started by the driver itself
    #[command(hide = true)]
    Guard,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_command_contradicts_itself() {
        Cli::command().debug_assert();
    }
}
