//! `bindbench report`: the tables of a run, made again from its folder.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use miette::{Context, Diagnostic, IntoDiagnostic};
use thiserror::Error;

use super::print;
use crate::atomic;
use crate::report::ladder::Ladder;
use crate::report::terminal::Look;
use crate::report::{Report, csv, json, markdown, terminal};
use crate::setup::layout::Layout;
use crate::stats::Analysis;
use crate::store::Recorded;

/// Prints the tables of a run, and writes summary.csv and summary.md.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The run: its folder, or its id under the folder of runs [default: the newest]
    run: Option<PathBuf>,
    /// Folder of runs [default: runs/ of the checkout]
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Folder that summary.csv and summary.md are written to [default: reports/ of the checkout]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print what one crossing costs, rung by rung, and whether the rungs add up, instead of the tables
    #[arg(long)]
    ladder: bool,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// No run to report on.
#[derive(Debug, Error, Diagnostic)]
pub(super) enum NoRun {
    #[error("there is no run in {runs}")]
    #[diagnostic(help("`bindbench run` makes one; `--runs DIR` looks elsewhere"))]
    Nowhere { runs: PathBuf },
    #[error("there is no run {name}: neither a folder of that name, nor one in {runs}")]
    #[diagnostic(help("{nearest}"))]
    Unknown { name: String, runs: PathBuf, nearest: String },
}

/// Reports on the run that the arguments name.
///
/// # Errors
/// When there is no such run, it can't be read, or the report can't be written.
pub fn run(args: &Args) -> miette::Result<ExitCode> {
    let layout = Layout::find();
    let folder = find(args.run.as_deref(), &args.runs.clone().unwrap_or_else(|| layout.runs()))?;
    if args.ladder {
        return show_ladder(&Recorded::read(&folder)?, args.json).map(|()| ExitCode::SUCCESS);
    }
    show(&Recorded::read(&folder)?, &args.out.clone().unwrap_or_else(|| layout.reports()), args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what one crossing costs, and writes nothing.
fn show_ladder(recorded: &Recorded, json: bool) -> miette::Result<()> {
    let ladder = Ladder::new(recorded, &Analysis::new(recorded));
    let text = if json { serde_json::to_string_pretty(&ladder).into_diagnostic()? + "\n" } else { ladder.text() };
    print(&text)
}

/// Prints a run's tables on stdout, and writes the files of its report.
///
/// # Errors
/// When something can't be written.
pub fn show(recorded: &Recorded, out: &Path, json: bool) -> miette::Result<()> {
    let report = Report::new(recorded);
    write(out, "summary.csv", &csv::render(&report).into_diagnostic()?)?;
    write(out, "summary.md", markdown::render(&report).as_bytes())?;
    let stdout = io::stdout();
    let text = if json { json::render(&report).into_diagnostic()? } else { terminal::render(&report, look(&stdout)) };
    print(&text)
}

/// Writes a file of a report into its folder, which is made if need be.
pub(super) fn write(out: &Path, name: &str, bytes: &[u8]) -> miette::Result<()> {
    fs::create_dir_all(out).into_diagnostic().with_context(|| format!("can't make {}", out.display()))?;
    let path = out.join(name);
    atomic::replace(&path, bytes).into_diagnostic().with_context(|| format!("can't write {}", path.display()))
}

/// Colours and a width only where a person looks; NO_COLOR and its relatives are honoured.
pub(super) fn look(stdout: &io::Stdout) -> Look {
    let width = if stdout.is_terminal() { comfy_table::Table::new().width() } else { None };
    Look { width, colour: anstream::AutoStream::choice(stdout) != anstream::ColorChoice::Never }
}

/// A folder of that name, else a run of that id, else the newest. Ids begin with their time, so the newest is the last one.
pub(super) fn find(wanted: Option<&Path>, runs: &Path) -> Result<PathBuf, NoRun> {
    let mut ids: Vec<String> = fs::read_dir(runs)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| folder.join("run.json").is_file())
        .filter_map(|folder| Some(folder.file_name()?.to_string_lossy().into_owned()))
        .collect();
    ids.sort();
    let Some(wanted) = wanted else {
        return ids.last().map(|id| runs.join(id)).ok_or_else(|| NoRun::Nowhere { runs: runs.to_owned() });
    };
    if wanted.is_dir() {
        return Ok(wanted.to_owned());
    }
    let inside = runs.join(wanted);
    if inside.is_dir() {
        return Ok(inside);
    }
    let name = wanted.to_string_lossy().into_owned();
    ids.sort_by(|a, b| strsim::jaro_winkler(b, &name).total_cmp(&strsim::jaro_winkler(a, &name)));
    let nearest = match ids.get(..ids.len().min(3)) {
        Some([]) | None => "`bindbench run` makes one; `--runs DIR` looks elsewhere".to_owned(),
        Some(nearest) => format!("the nearest there are: {}", nearest.join(", ")),
    };
    Err(NoRun::Unknown { name, runs: runs.to_owned(), nearest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_folder_an_id_or_the_newest() {
        let runs = tempfile::tempdir().unwrap();
        assert!(matches!(find(None, runs.path()), Err(NoRun::Nowhere { .. })));
        for id in ["20261121T081205Z-9f3a", "20261120T235959Z-ffff"] {
            fs::create_dir(runs.path().join(id)).unwrap();
            fs::write(runs.path().join(id).join("run.json"), "{}").unwrap();
        }
        fs::create_dir(runs.path().join("zz-no-run")).unwrap();
        let newest = runs.path().join("20261121T081205Z-9f3a");
        assert_eq!(find(None, runs.path()).unwrap(), newest);
        assert_eq!(find(Some(&newest), Path::new("nowhere")).unwrap(), newest);
        assert_eq!(find(Some(Path::new("20261121T081205Z-9f3a")), runs.path()).unwrap(), newest);
        let error = find(Some(Path::new("20261121T081205Z-9f3b")), runs.path()).unwrap_err();
        let help = error.help().unwrap().to_string();
        assert!(help.starts_with("the nearest there are: 20261121T081205Z-9f3a"), "{help}");
    }
}
