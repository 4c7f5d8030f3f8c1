//! `bindbench guard`: the driver starts it, nobody else.

use std::process::ExitCode;

use miette::Result;

/// Waits for the end of the driver, then kills the workers it left.
///
/// # Errors
/// None.
pub fn run() -> Result<ExitCode> {
    bindbench_worker::watch(std::io::stdin().lock());
    Ok(ExitCode::SUCCESS)
}
