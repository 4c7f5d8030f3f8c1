//! `bindbench history`: how cells went over many runs, and where they changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bindbench_catalog::Selection;
use bindbench_report::choice::Choice;
use bindbench_report::history::{History, keys, terminal};
use bindbench_report::plots;
use bindbench_setup::layout::Layout;
use bindbench_store::Recorded;
use miette::{Context, IntoDiagnostic, Result, bail};

use super::compare::percent;
use super::{print, report, say};

/// Shows how cells went over many runs, and where their level changed; draws a plot of each.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Args {
    /// Runs, or folders of runs [default: all of the folder of runs]
    #[arg(value_name = "RUN")]
    of: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// Changes up to this many per cent are not shown
    #[arg(long, value_name = "PERCENT", default_value = "1", value_parser = percent)]
    threshold: f64,
    /// Folder of runs [default: runs/ of the checkout]
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Folder that the plots are written to [default: reports/history/ of the checkout]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

const EXIT_STATUS: &str = "Exit status:
  0  all runs are shown
  2  usage, or a run that was named can't be read
  4  a run in a folder can't be read, and is left out";

/// Exit status of a history without some of the runs in a folder.
const LEFT_OUT: u8 = 4;

/// Shows the history of the runs that the arguments name.
///
/// # Errors
/// When one can't be read, or a plot can't be written.
pub fn run(args: &Args) -> Result<ExitCode> {
    let layout = Layout::find();
    let folder = args.runs.clone().unwrap_or_else(|| layout.runs());
    let named = if args.of.is_empty() { std::slice::from_ref(&folder) } else { &args.of[..] };
    let (mut runs, mut left_out): (Vec<Recorded>, Vec<String>) = (Vec::new(), Vec::new());
    for name in named {
        for run in runs_of(name, &folder, &mut left_out)? {
            // Named twice, or in a folder and by itself: a run is one run.
            if runs.iter().all(|other| other.run.id != run.run.id) {
                runs.push(run);
            }
        }
    }
    let unread = left_out.len();
    left_out.iter().for_each(|run| say(&format!("left out: {run}")));
    let keys = keys(&runs);
    let choice = Choice::new(&args.selection, &keys.iter().collect::<Vec<_>>())?;
    let mut history = History::new(runs, &choice, args.threshold);
    history.left_out.splice(..0, left_out);
    let out = args.out.clone().unwrap_or_else(|| layout.reports().join("history"));
    let plots = plots::of_history(&history);
    report::write_plots(&out, &plots.iter().collect::<Vec<_>>())?;
    if args.json {
        print(&(serde_json::to_string_pretty(&history).into_diagnostic()? + "\n"))?;
    } else {
        print(&terminal(&history, report::look(&io::stdout())))?;
        if !plots.is_empty() {
            print(&format!("\nThe plots: {}\n", out.display()))?;
        }
    }
    Ok(if unread == 0 { ExitCode::SUCCESS } else { ExitCode::from(LEFT_OUT) })
}

/// The run of that name, or all in a folder of that name that can be read; the others are added to those left out.
fn runs_of(name: &Path, folder: &Path, left_out: &mut Vec<String>) -> Result<Vec<Recorded>> {
    if name != folder && (!name.is_dir() || name.join("run.json").is_file()) {
        return Ok(vec![Recorded::read(&report::find(Some(name), folder)?)?]);
    }
    if !name.exists() {
        bail!(
            help = "`bindbench run` makes one; `--runs DIR` looks elsewhere",
            "there is no run in {}: the folder is not there",
            name.display()
        );
    }
    let entries = fs::read_dir(name).into_diagnostic().with_context(|| format!("can't list {}", name.display()))?;
    let mut inside: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.join("run.json").exists()).collect();
    inside.sort();
    if inside.is_empty() {
        bail!(help = "`bindbench run` makes one; `--runs DIR` looks elsewhere", "there is no run in {}", name.display());
    }
    let (read, unread): (Vec<_>, Vec<_>) = inside.iter().map(|run| (run, Recorded::read(run))).partition(|(_, read)| read.is_ok());
    left_out.extend(unread.into_iter().filter_map(|(run, read)| {
        let report = miette::Report::new(read.err()?);
        // What can't be read says where itself.
        Some(format!("run {}: {}", run.display(), report.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")))
    }));
    if read.is_empty() {
        bail!(help = "name runs that can be read", "no run in {} can be read\n{}", name.display(), left_out.join("\n"));
    }
    Ok(read.into_iter().filter_map(|(_, read)| read.ok()).collect())
}
