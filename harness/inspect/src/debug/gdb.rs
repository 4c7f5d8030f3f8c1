//! The worker under gdb: stopped where the kernel begins, with all that led there.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use bindbench_catalog::{Lane, Operation};
use bindbench_model::{Case, Comparison, Parallel};
use miette::{Diagnostic, Result, miette};
use thiserror::Error;

use super::Script;

/// There is no function to stop at.
#[derive(Debug, Error, Diagnostic)]
pub enum NoBreakpoint {
    /// Neither the workload nor the lane names one.
    #[error("{lane} names no native function that does {operation}: a kernel in Python has none, and a package's names are its own")]
    #[diagnostic(help("`--break FUNCTION` stops at any function; a manifest names its lane's under `symbols`"))]
    Unnamed {
        /// The lane.
        lane: String,
        /// The operation.
        operation: String,
    },
    /// The kernel runs elsewhere.
    #[error("{lane} does its work in processes that it starts, and gdb would wait in the one that only waits for them")]
    #[diagnostic(help(
        "run the printed command line with a large `--calls`, and attach to a child: gdb -p PID; or name a function of the parent with `--break`"
    ))]
    Elsewhere {
        /// The lane.
        lane: String,
    },
}

/// The function that does an operation's work: the one the lane names, or the shared library's for a lane that calls it.
///
/// # Errors
/// When there is none to stop at.
pub fn breakpoint(lane: &Lane, case: &Case, operation: &Operation) -> Result<String, NoBreakpoint> {
    if lane.parallel == Parallel::Processes {
        return Err(NoBreakpoint::Elsewhere { lane: lane.id.clone() });
    }
    let shared = || operation.kernel.clone().filter(|_| lane.comparison == Comparison::Controlled);
    lane.symbol(&case.workload, &case.operation)
        .or_else(shared)
        .ok_or_else(|| NoBreakpoint::Unnamed { lane: lane.id.clone(), operation: format!("{}.{}", case.workload, case.operation) })
}

/// A session of gdb.
#[derive(Clone, Debug)]
pub struct Gdb {
    program: PathBuf,
    script: Script,
    function: String,
    batch: bool,
}

/// gdb may have no Python of its own, and the interpreter no extension for it: both are said, and neither is an end.
const PYTHON_FRAMES: &str = "python\ntry:\n    gdb.execute('py-bt')\nexcept gdb.error as error:\n    \
    print('no Python frames:', error, '- the interpreter has no extension for gdb (Debian: python3-dbg)')";

impl Gdb {
    /// Stops the script's worker at a function. In a batch gdb prints where it is and ends, otherwise it stays.
    ///
    /// # Errors
    /// When there is no gdb.
    pub fn new(script: Script, function: String, batch: bool) -> Result<Self> {
        let program = which::which("gdb")
            .map_err(|_| miette!(help = "Debian and Ubuntu: apt-get install gdb; Fedora: dnf install gdb", "gdb is not on PATH"))?;
        Ok(Self { program, script, function, batch })
    }

    /// What gdb is told, in order.
    fn commands(&self) -> Vec<String> {
        let mut commands = vec![
            "set confirm off".to_owned(),
            "set pagination off".to_owned(),
            "set debuginfod enabled off".to_owned(),
            // The function's library is loaded later.
            "set breakpoint pending on".to_owned(),
        ];
        for (name, value) in &self.script.environment {
            commands.push(match value {
                Some(value) => format!("set environment {name} = {value}"),
                None => format!("unset environment {name}"),
            });
        }
        // A shell starts the program, and opens the worker's descriptors.
        commands.push(format!("set args {}", self.script.arguments("/dev/null")));
        commands.push(format!("break {}", self.function));
        commands.push("run".to_owned());
        commands.push(r"echo \nnative frames, innermost first\n".to_owned());
        commands.push("backtrace".to_owned());
        commands.push(r"echo \nPython frames, innermost first\n".to_owned());
        commands.push(PYTHON_FRAMES.to_owned());
        if self.batch {
            commands.push("kill".to_owned());
        }
        commands
    }

    /// The whole command.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-q").arg("-nx").env("SHELL", "/bin/sh");
        if self.batch {
            command.arg("-batch");
        }
        if let Some(home) = self.script.home() {
            command.arg("-iex").arg(format!("add-auto-load-safe-path {}", home.display()));
        }
        for line in self.commands() {
            command.arg("-ex").arg(line);
        }
        command.arg(self.script.program());
        command
    }

    /// Becomes gdb: Ctrl-C is its affair from now on.
    pub fn exec(&self) -> std::io::Error {
        self.command().exec()
    }
}
