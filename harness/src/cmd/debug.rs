//! `bindbench debug`: one lane's worker by itself, as a command line for a shell, or under gdb.

use std::path::PathBuf;
use std::process::ExitCode;

use bindbench_inspect::debug::{Gdb, Script, breakpoint};
use bindbench_setup::Workshop;
use bindbench_setup::build::State;
use bindbench_setup::launch::launch;
use bindbench_setup::layout::Layout;
use clap::Parser;
use miette::{IntoDiagnostic, Result, WrapErr, miette};

use super::again::{again, pasted, with_path};
use super::print;

/// Which lane, and what it is to do.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    /// The lane: `ctypes/rust`
    lane: String,
    /// What it is to do, `workload.operation[:input[:size]]`: `kmp.find_all`, `std.std:float64:5000`
    case: String,
    /// Interpreter: a version, or a program's path
    #[arg(short = 'p', long = "python", value_name = "VERSION")]
    python: Option<String>,
    /// Call it so many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1 << 22))]
    calls: u64,
    /// Run it under gdb up to the kernel's first line, and print the native and the Python frames that led there
    #[arg(long)]
    gdb: bool,
    /// Leave gdb afterwards
    #[arg(long, requires = "gdb")]
    batch: bool,
    /// Stop at this function instead
    #[arg(long = "break", value_name = "FUNCTION", requires = "gdb")]
    function: Option<String>,
}

/// Prints the command line, or becomes gdb.
///
/// # Errors
/// When there is no such lane or case, it is not ready, or gdb is missing.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    let workshop = Workshop::open(Layout::find(), catalogs)?;
    let lane = workshop.catalog.lane(&args.lane)?;
    let case = workshop.catalog.case(&args.case, lane)?;
    let wanted: Vec<String> = args.python.iter().cloned().collect();
    let interpreters = if lane.is_native() { Vec::new() } else { workshop.interpreters(&wanted, &[lane])? };
    let interpreter = interpreters.first();
    let receipt = match workshop.state(lane, interpreter) {
        State::Ready(receipt) => receipt,
        State::Skipped(reason) => {
            return Err(miette!(help = "`bindbench doctor` says what is missing here", "{} is skipped: {reason}", lane.id));
        }
        State::Failed(reason) => return Err(args.not_ready(catalogs, &format!("failed to build: {reason}"))),
        State::Stale(reason) => return Err(args.not_ready(catalogs, &format!("is stale: {reason}"))),
        State::Unbuilt => return Err(args.not_ready(catalogs, "is not set up")),
    };
    let launch = launch(&workshop, lane, interpreter, &receipt)?;
    let operation =
        &workshop.catalog.workload(&case.workload).ok_or_else(|| miette!("there is no {}", case.workload))?.operations[&case.operation];
    let function = match &args.function {
        Some(function) => Some(function.clone()),
        None if args.gdb => Some(breakpoint(lane, &case, operation)?),
        None => None,
    };
    let script = Script::write(&workshop, lane, &case, &launch, args.calls)?;
    let Some(function) = function else {
        print(&script.for_a_shell())?;
        return Ok(ExitCode::SUCCESS);
    };
    let gdb = Gdb::new(script, function, args.batch)?;
    Err(gdb.exec()).into_diagnostic().wrap_err("can't start gdb")
}

impl Args {
    fn not_ready(&self, catalogs: &[PathBuf], how: &str) -> miette::Report {
        let mut words = again("setup");
        words.extend(["-s".to_owned(), self.lane.clone()]);
        words.extend(self.python.iter().flat_map(|python| ["-p".to_owned(), python.clone()]));
        catalogs.iter().for_each(|catalog| with_path(&mut words, "--catalog", catalog));
        miette!(help = format!("`{}` builds it", pasted(&words)), "{} {how}", self.lane)
    }
}
