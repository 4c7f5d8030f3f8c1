//! The `bindbench` program.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod cli;

use std::process::ExitCode;

use bindbench::cmd;
use clap::Parser;
use cli::{Cli, Command};

fn main() -> ExitCode {
    cmd::interrupt::outlive_full_files();
    let Cli { catalog, command } = Cli::parse();
    let done = match command {
        Command::BenchAll(args) => cmd::bench_all::run(&args, &catalog),
        Command::Doctor(args) => cmd::doctor::run(&args, &catalog),
        Command::Setup(args) => cmd::setup::run(&args, &catalog),
        Command::List(args) => cmd::list::run(&args, &catalog),
        Command::Run(args) => cmd::run::run(&args, &catalog),
        Command::Profile(args) => cmd::profile::run(&args, &catalog),
        Command::Debug(args) => cmd::debug::run(&args, &catalog),
        Command::Report(args) => cmd::report::run(&args),
        Command::Claims(args) => cmd::claims::run(&args, &catalog),
        Command::Compare(args) => cmd::compare::run(&args),
        Command::Export(args) => cmd::export::run(&args),
        Command::History(args) => cmd::history::run(&args),
        Command::Gate(args) => cmd::gate::run(&args, &catalog),
        Command::Clean => cmd::clean::run(),
        Command::Guard => cmd::guard::run(),
    };
    done.unwrap_or_else(|report| {
        cmd::say(&format!("{report:?}"));
        ExitCode::from(2)
    })
}
