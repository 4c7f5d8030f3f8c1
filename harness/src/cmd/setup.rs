//! `bindbench setup`: environments, builds, receipts.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use miette::Result;

use super::list;
use crate::catalog::Selection;
use crate::setup::Workshop;
use crate::setup::layout::Layout;

/// What to set up; everything when nothing is selected.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
}

/// Sets up the selected lanes for the selected interpreters and shows where they stand.
///
/// # Errors
/// When a selection matches nothing, or environments can't be made.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    let workshop = set_up(&args.selection, catalogs)?;
    list::show(&workshop, &args.selection, false)?;
    Ok(ExitCode::SUCCESS)
}

/// The set-up itself.
///
/// # Errors
/// As above.
pub fn set_up(selection: &Selection, catalogs: &[PathBuf]) -> Result<Workshop> {
    let mut workshop = Workshop::open(Layout::find(), catalogs)?;
    let catalog = workshop.catalog.clone();
    let lanes = selection.lanes(&catalog)?;
    let interpreters = workshop.interpreters(&selection.pythons, &lanes)?;
    workshop.set_up(&lanes, &interpreters)?;
    Ok(workshop)
}
