//! `bindbench export`: a run in the layout of another tool.

use std::path::PathBuf;
use std::process::ExitCode;

use bindbench_catalog::Selection;
use bindbench_model::CellKey;
use bindbench_report::choice::Choice;
use bindbench_report::export::export;
use bindbench_report::{Report, export};
use bindbench_setup::layout::Layout;
use bindbench_store::Recorded;
use miette::{IntoDiagnostic, Result, miette};

use super::compare::write;
use super::{print, report, say};

/// Prints a run in the layout of another tool, or writes it to a file.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The run: its folder, or its id under the folder of runs [default: the newest]
    run: Option<PathBuf>,
    /// The layout
    #[arg(long, value_enum)]
    format: export::Layout,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// Folder of runs [default: runs/ of the checkout]
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
}

/// Exports the run that the arguments name.
///
/// # Errors
/// When there is no such run, it has no time to export, or the file can't be written.
pub fn run(args: &Args) -> Result<ExitCode> {
    let runs = args.runs.clone().unwrap_or_else(|| Layout::find().runs());
    let recorded = Recorded::read(&report::find(args.run.as_deref(), &runs)?)?;
    let keys: Vec<CellKey> = recorded.run.cells.iter().map(|cell| CellKey::of(cell, &recorded.run)).collect();
    let choice = Choice::new(&args.selection, &keys.iter().collect::<Vec<_>>())?;
    let exported = export(&recorded, &choice, args.format).into_diagnostic()?;
    let chosen = recorded.run.cells.iter().zip(&keys).filter(|(cell, key)| !cell.twin && choice.has(key)).count();
    if chosen == exported.left_out.len() {
        let reasons = exported.left_out.join("\n");
        return Err(miette!(help = "choose other cells, or another run", "nothing of run {} can be exported\n{reasons}", recorded.run.id));
    }
    // The layouts have no place for it.
    let report = Report::new(&recorded);
    if !report.vouches.vouches {
        say(&format!("Run {}: {}", report.run, report.vouches.sentence()));
    }
    report.warnings.iter().for_each(|warning| say(&warning.to_string()));
    exported.left_out.iter().for_each(|cell| say(&format!("left out: {cell}")));
    match &args.output {
        Some(file) => write(file, exported.text.as_bytes())?,
        None => print(&exported.text)?,
    }
    Ok(ExitCode::SUCCESS)
}
