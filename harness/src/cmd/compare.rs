//! `bindbench compare`: what became slower or faster from one run to another.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bindbench_catalog::Selection;
use bindbench_files::atomic;
use bindbench_report::choice::Choice;
use bindbench_report::compare::{Comparison, Side, Verdict, junit, terminal};
use bindbench_setup::layout::Layout;
use bindbench_stats::Change;
use bindbench_store::Recorded;
use bindbench_store::pyperf::Suite;
use miette::{Context, IntoDiagnostic, Result};

use super::{print, report};

/// Compares two runs cell by cell: A is what ratios refer to.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Args {
    /// The first run: its folder, its id under the folder of runs, or a file that pyperf wrote
    a: PathBuf,
    /// The second run
    b: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// A slowdown up to this many per cent is no failure
    #[arg(long, value_name = "PERCENT", default_value = "5", value_parser = percent)]
    threshold: f64,
    /// More instructions up to this many per cent are no failure, where both runs counted them
    #[arg(long, value_name = "PERCENT", default_value = "0.5", value_parser = percent)]
    instructions_threshold: f64,
    /// Compare what should not be compared: other machines, other builds of an interpreter, other inputs, damaged or unfinished runs
    #[arg(long)]
    anyway: bool,
    /// Write the verdicts as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Folder of runs [default: runs/ of the checkout]
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

const EXIT_STATUS: &str = "Exit status:
  0  no cell is slower, or has more instructions, by more than the threshold
  1  a cell is, or has
  2  the two can't be compared
  3  no cell is known to be, and of some it can't be ruled out";

/// Exit status of a question that was not settled.
pub(super) const INCONCLUSIVE: u8 = 3;

/// A share from 0 up, given in per cent, as a fraction.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number: f64 = text.trim_end_matches('%').trim().parse().map_err(|_| format!("{text:?} is no number of per cent"))?;
    if (0.0..1e6).contains(&number) { Ok(number / 100.0) } else { Err("has to be 0 or more".to_owned()) }
}

/// Compares the two runs that the arguments name.
///
/// # Errors
/// When one can't be read, they can't be compared, or something can't be written.
pub fn run(args: &Args) -> Result<ExitCode> {
    let runs = args.runs.clone().unwrap_or_else(|| Layout::find().runs());
    let (mut before, mut after) = (side(&args.a, &runs)?, side(&args.b, &runs)?);
    let choice = Choice::new(&args.selection, &[before.keys(), after.keys()].concat())?;
    before.keep(&choice);
    after.keep(&choice);
    let comparison =
        Comparison::new(&before, &after, args.threshold, args.anyway)?.with_instructions_threshold(args.instructions_threshold);
    if let Some(file) = &args.junit {
        write(file, junit(&comparison).as_bytes())?;
    }
    if args.json {
        print(&(serde_json::to_string_pretty(&comparison).into_diagnostic()? + "\n"))?;
    } else {
        print(&terminal(&comparison, report::look(&io::stdout())))?;
    }
    Ok(ExitCode::from(status(&comparison)))
}

/// A run, or a file that pyperf wrote.
fn side(name: &Path, runs: &Path) -> Result<Side> {
    if name.is_file() {
        let shown = name.file_name().unwrap_or_default().to_string_lossy();
        return Ok(Side::of_pyperf(&shown, &Suite::read(name)?));
    }
    Ok(Side::of_run(&Recorded::read(&report::find(Some(name), runs)?)?))
}

fn status(comparison: &Comparison) -> u8 {
    if comparison.slower().next().is_some() || comparison.changed(Change::More) > 0 {
        1
    } else if comparison.count(Verdict::Inconclusive) + comparison.changed(Change::Unknown) > 0 {
        INCONCLUSIVE
    } else {
        0
    }
}

/// Writes a file wherever its folder is; the folder is made if need be.
pub(super) fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        atomic::write(file, bytes)
    };
    write().into_diagnostic().with_context(|| format!("can't write {}", file.display()))
}
