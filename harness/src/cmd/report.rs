//! `bindbench report`: everything there is to show of a run, made again from its folder.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bindbench_analysis::Analysis;
use bindbench_catalog::nearest;
use bindbench_files::{atomic, regular};
use bindbench_report::claims::Claims;
use bindbench_report::excerpt::{Chosen, excerpt};
use bindbench_report::ladder::Ladder;
use bindbench_report::page::{Extras, Flamegraph, Plots};
use bindbench_report::plots::Plot;
use bindbench_report::splice::splice;
use bindbench_report::terminal::Look;
use bindbench_report::{Report, claims, csv, instructions, json, markdown, page, png, talks, terminal};
use bindbench_setup::layout::Layout;
use bindbench_store::Recorded;
use bindbench_store::profile::Profiled;
use globset::GlobMatcher;
use miette::{Context, Diagnostic, IntoDiagnostic, bail};
use rayon::prelude::*;
use thiserror::Error;

use super::again::command_line;
use super::{print, say};

/// Name of the page's file.
const PAGE: &str = "index.html";

/// Prints the tables of a run, and writes index.html, summary.csv, summary.md and the plots.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The run: its folder, or its id under the folder of runs [default: the newest]
    run: Option<PathBuf>,
    /// Folder of runs [default: runs/ of the checkout]
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Folder that the report is written to [default: reports/ of the checkout]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print what one crossing costs, rung by rung, and whether the rungs add up, instead of the tables
    #[arg(long, conflicts_with_all = ["plot", "splice"])]
    ladder: bool,
    /// Folder of the profile and the flamegraphs to show [default: flamegraphs/ of the checkout]
    #[arg(long, value_name = "DIR")]
    flamegraphs: Option<PathBuf>,
    /// Write only the plots whose names match, and nothing else; repeatable
    #[arg(long, value_name = "GLOB", value_parser = glob, conflicts_with_all = ["splice", "json"])]
    plot: Vec<GlobMatcher>,
    /// Put the tables into a Markdown file, between a line `<!-- bindbench: begin -->` and a line `<!-- bindbench: end -->`
    #[arg(long, value_name = "FILE")]
    splice: Option<PathBuf>,
    /// Splice only these tables: std, std.std, std.std:ints or std.std:ints:5000; repeatable
    #[arg(long, value_name = "GLOB[:INPUT[:SIZE]]", requires = "splice")]
    tables: Vec<Chosen>,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Print the JSON Schema of what --json prints, and do nothing else
    #[arg(long, exclusive = true)]
    json_schema: bool,
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    globset::Glob::new(text).map(|glob| glob.compile_matcher()).map_err(|error| error.to_string())
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
    if args.json_schema {
        print(&json::schema().into_diagnostic()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let layout = Layout::find();
    let folder = find(args.run.as_deref(), &args.runs.clone().unwrap_or_else(|| layout.runs()))?;
    let recorded = Recorded::read(&folder)?;
    if args.ladder {
        return show_ladder(&recorded, args.json).map(|()| ExitCode::SUCCESS);
    }
    let out = args.out.clone().unwrap_or_else(|| layout.reports());
    let flamegraphs = args.flamegraphs.clone().unwrap_or_else(|| layout.flamegraphs());
    if !args.plot.is_empty() {
        draw_only(&recorded, &out, &flamegraphs, &args.plot)?;
        return Ok(ExitCode::SUCCESS);
    }
    let analysis = Analysis::new(&recorded);
    let report = Report::of(&recorded, &analysis);
    // What can't be done is said before anything is.
    let spliced = args.splice.as_ref().map(|file| Ok::<_, miette::Report>((file, spliced(file, &report, &args.tables)?))).transpose()?;
    show_all(&recorded, &analysis, &report, &out, &flamegraphs, args.json)?;
    if !args.json {
        print_path(&out)?;
    }
    if let Some((file, text)) = spliced {
        atomic::write(file, text.as_bytes()).into_diagnostic().with_context(|| format!("can't write {}", file.display()))?;
    }
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
pub(super) fn show(recorded: &Recorded, out: &Path, flamegraphs: &Path, json: bool) -> miette::Result<()> {
    let analysis = Analysis::new(recorded);
    show_all(recorded, &analysis, &Report::of(recorded, &analysis), out, flamegraphs, json)
}

fn show_all(recorded: &Recorded, analysis: &Analysis, report: &Report, out: &Path, flamegraphs: &Path, json: bool) -> miette::Result<()> {
    write(out, "summary.csv", &csv::render(report).into_diagnostic()?)?;
    let text = markdown::render(report);
    write(out, "summary.md", text.as_bytes())?;
    write_page(recorded, report, analysis, out, flamegraphs)?;
    step_summary(&text)?;
    let text = if json { json::render(report).into_diagnostic()? } else { terminal::render(report, look(&io::stdout())) };
    print(&text)
}

/// Writes the page and its plots again, with what has been profiled since.
///
/// # Errors
/// When something can't be written.
pub(super) fn renew_page(recorded: &Recorded, out: &Path, flamegraphs: &Path) -> miette::Result<()> {
    let analysis = Analysis::new(recorded);
    write_page(recorded, &Report::of(recorded, &analysis), &analysis, out, flamegraphs)
}

/// Says where the page is.
///
/// # Errors
/// When stdout can't be written.
pub(super) fn print_path(out: &Path) -> miette::Result<()> {
    print(&format!("\nThe page: {}\n", out.join(PAGE).display()))
}

fn write_page(recorded: &Recorded, report: &Report, analysis: &Analysis, out: &Path, flamegraphs: &Path) -> miette::Result<()> {
    let extras = extras(recorded, report, analysis, flamegraphs)?;
    let plots = Plots::of(report, analysis, &extras);
    write(out, PAGE, page::render(recorded, report, analysis, &plots, &extras).into_diagnostic()?.as_bytes())?;
    write_plots(&out.join("plots"), &plots.iter().collect::<Vec<_>>())
}

/// Writes some plots and nothing else.
fn draw_only(recorded: &Recorded, out: &Path, flamegraphs: &Path, wanted: &[GlobMatcher]) -> miette::Result<()> {
    let analysis = Analysis::new(recorded);
    let report = Report::of(recorded, &analysis);
    let plots = Plots::of(&report, &analysis, &extras(recorded, &report, &analysis, flamegraphs)?);
    let chosen: Vec<&Plot> = plots.iter().filter(|plot| wanted.iter().any(|glob| glob.is_match(&plot.name))).collect();
    if let Some(none) = wanted.iter().find(|glob| !plots.iter().any(|plot| glob.is_match(&plot.name))) {
        let names: Vec<String> = plots.iter().map(|plot| plot.name.clone()).collect();
        let text = none.glob().glob();
        bail!(
            help = format!("the nearest there are: {}", nearest(text, &names)),
            "--plot {text} matches no plot of run {}",
            recorded.run.id
        );
    }
    let folder = out.join("plots");
    write_plots(&folder, &chosen)?;
    chosen.iter().try_for_each(|plot| print(&format!("{}\n", folder.join(format!("{}.svg", plot.name)).display())))
}

/// The profile of a folder. A run is reported without it, too: where it can't be read, that is said.
pub(super) fn profile_in(flamegraphs: &Path) -> Option<Profiled> {
    Profiled::read(flamegraphs).unwrap_or_else(|error| {
        say(&format!("the report goes without a profile: {error}"));
        None
    })
}

/// The talks and the claims; and what `bindbench profile` left, which is no part of the run: when it can't be read, the page goes without.
fn extras(recorded: &Recorded, report: &Report, analysis: &Analysis, flamegraphs: &Path) -> miette::Result<Extras> {
    let profiled = profile_in(flamegraphs);
    let pictures = profiled.as_ref().map(|it| Flamegraph::of(&it.profile, |path| it.text(path))).unwrap_or_default();
    let claims = Claims::of(recorded, analysis, profiled.as_ref(), &claims::of_the_talks()?);
    let counted = report.instructions.as_ref().map(|counted| instructions::section(counted, &report.run));
    let talks = talks::section(&report.talks, &report.run);
    let sections = counted.into_iter().chain(talks).chain([claims::section(&claims)]).collect();
    Ok(Extras { profile: profiled.map(|it| it.profile), flamegraphs: pictures, sections })
}

/// Writes plots as SVG and PNG.
pub(super) fn write_plots(folder: &Path, plots: &[&Plot]) -> miette::Result<()> {
    if plots.is_empty() {
        return Ok(());
    }
    plots.par_iter().try_for_each(|plot| {
        write(folder, &format!("{}.svg", plot.name), plot.svg.as_bytes())?;
        match png::render(&plot.svg) {
            Some(png) => write(folder, &format!("{}.png", plot.name), &png),
            None => bail!("{} can't be made a PNG", plot.name),
        }
    })
}

/// Into the page that a CI shows of a job, where there is one.
pub(super) fn step_summary(text: &str) -> miette::Result<()> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from) else { return Ok(()) };
    let append = || fs::OpenOptions::new().append(true).create(true).open(&path)?.write_all(text.as_bytes());
    append().into_diagnostic().with_context(|| format!("can't write GITHUB_STEP_SUMMARY, {}", path.display()))
}

/// What a file becomes with the chosen tables in it.
fn spliced(file: &Path, report: &Report, chosen: &[Chosen]) -> miette::Result<String> {
    let name = file.display().to_string();
    let old = regular::read_to_string(file).into_diagnostic().with_context(|| format!("can't read {name}"))?;
    let part = markdown::part(report, &excerpt(report, chosen)?);
    let command = bindbench_model::shell(&command_line());
    Ok(splice(&name, &old, &part, &command)?)
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
    // Some terminals don't know their size, and say 0.
    let width = width.filter(|&width| width > 0);
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
