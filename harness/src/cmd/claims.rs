//! `bindbench claims`: what a run says about the talks' claims, and about one's own.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bindbench_catalog::Catalog;
use bindbench_report::claims;
use bindbench_report::claims::{Claims, Known};
use bindbench_setup::layout::Layout;
use bindbench_store::Recorded;
use miette::{IntoDiagnostic, Result};

use super::{print, report};

/// Prints what a run says about each claim, and writes claims.md.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The run: its folder, or its id under the folder of runs [default: the newest]
    run: Option<PathBuf>,
    /// A file with further claims; repeatable
    #[arg(long, value_name = "FILE")]
    claims: Vec<PathBuf>,
    /// Folder of runs [default: runs/ of the checkout]
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Folder of the profile that some claims are judged by [default: flamegraphs/ of the checkout]
    #[arg(long, value_name = "DIR")]
    flamegraphs: Option<PathBuf>,
    /// Folder that claims.md is written to [default: reports/ of the checkout]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// Judges the claims by the run that the arguments name.
///
/// # Errors
/// When there is no such run, a file of claims is not as it should be, or claims.md can't be written.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    let layout = Layout::find();
    let folder = report::find(args.run.as_deref(), &args.runs.clone().unwrap_or_else(|| layout.runs()))?;
    let recorded = Recorded::read(&folder)?;
    let known = Known::new(&recorded.run, &Catalog::read(layout.root(), catalogs)?);
    let mut files = vec![claims::of_the_talks()?];
    for path in &args.claims {
        files.push(claims::read(path, &known)?);
    }
    let profiled = report::profile_in(&args.flamegraphs.clone().unwrap_or_else(|| layout.flamegraphs()));
    let claims = Claims::new(&recorded, profiled.as_ref(), &claims::joined(files)?);
    write(&claims, &args.out.clone().unwrap_or_else(|| layout.reports()))?;
    if args.json {
        print(&(serde_json::to_string_pretty(&claims).into_diagnostic()? + "\n"))?;
    } else {
        print_tables(&claims)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what a run says about the talks' claims, and writes claims.md.
///
/// # Errors
/// When something can't be written.
pub(super) fn of_the_talks(recorded: &Recorded, out: &Path, flamegraphs: &Path, quiet: bool) -> Result<()> {
    let profiled = report::profile_in(flamegraphs);
    let claims = Claims::new(recorded, profiled.as_ref(), &claims::of_the_talks()?);
    write(&claims, out)?;
    if quiet { Ok(()) } else { print_tables(&claims) }
}

fn write(claims: &Claims, out: &Path) -> Result<()> {
    report::write(out, "claims.md", claims::markdown(claims).as_bytes())
}

fn print_tables(claims: &Claims) -> Result<()> {
    print(&claims::terminal(claims, report::look(&io::stdout())))
}
