//! `bindbench clean`: removes what setup made. Runs and reports stay.

use std::process::ExitCode;

use bindbench_setup::layout::Layout;
use miette::Result;

/// Removes `build/`.
///
/// # Errors
/// When a driver is at work there, or the disk refuses.
pub fn run() -> Result<ExitCode> {
    bindbench_setup::clean(&Layout::find())?;
    Ok(ExitCode::SUCCESS)
}
