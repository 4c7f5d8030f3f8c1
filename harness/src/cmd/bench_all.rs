//! `bindbench bench-all`: the main job, from nothing to tables.

use std::path::PathBuf;
use std::process::ExitCode;

use miette::Result;

use super::{run, setup};

/// Sets up what is selected, measures it, and reports.
///
/// # Errors
/// As the commands it stands for.
pub fn run(args: &run::Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    setup::set_up(&args.selection, args.preset, catalogs)?;
    run::run(args, catalogs)
}
