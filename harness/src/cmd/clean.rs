//! `bindbench clean`: removes what setup made. Runs and reports stay.

use std::process::ExitCode;

use miette::Result;

use crate::setup::layout::Layout;

/// Removes `build/`.
///
/// # Errors
/// When a driver is at work there, or the disk refuses.
pub fn run() -> Result<ExitCode> {
    crate::setup::clean(&Layout::find())?;
    Ok(ExitCode::SUCCESS)
}
