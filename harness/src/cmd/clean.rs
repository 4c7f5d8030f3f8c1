//! `bindbench clean`: removes what setup made. Runs and reports stay.

use std::process::ExitCode;

use miette::{Context, IntoDiagnostic, Result};

use crate::setup::layout::Layout;

/// Removes `build/`.
///
/// # Errors
/// When the disk refuses.
pub fn run() -> Result<ExitCode> {
    let build = Layout::find().build();
    crate::setup::clean(&build).into_diagnostic().wrap_err_with(|| format!("can't remove {}", build.display()))?;
    Ok(ExitCode::SUCCESS)
}
