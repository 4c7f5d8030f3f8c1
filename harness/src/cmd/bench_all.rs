//! `bindbench bench-all`: the main job, from nothing to tables and verdicts.

use std::path::PathBuf;
use std::process::ExitCode;

use miette::Result;

use super::{claims, print, run, setup};
use crate::setup::layout::Layout;

/// Sets up what is selected, measures it, reports, and judges the talks' claims.
///
/// # Errors
/// As the commands it stands for.
pub fn run(args: &run::Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    setup::set_up(&args.selection, args.preset, catalogs)?;
    let (status, recorded) = run::measured(args, catalogs)?;
    if let Some(recorded) = recorded {
        if !args.json {
            print("\n")?;
        }
        // One JSON document is all that `--json` may print: the report's.
        claims::of_the_talks(&recorded, &args.out(&Layout::find()), args.json)?;
    }
    Ok(status)
}
