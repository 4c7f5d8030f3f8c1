//! `bindbench bench-all`: the main job, from nothing to tables, pictures and verdicts.

use std::path::PathBuf;
use std::process::ExitCode;

use bindbench_catalog::Preset;
use bindbench_setup::layout::Layout;
use clap::Parser;
use miette::Result;

use super::interrupt::INTERRUPTED;
use super::{claims, print, profile, report, run, say, setup};

/// What to set up, to measure and to profile.
#[derive(Clone, Debug, Parser)]
#[group(id = "bench_all")]
pub struct Args {
    #[command(flatten)]
    run: run::Args,
    /// Leave out the flamegraphs and all else of `profile`, which the presets talk and full have
    #[arg(long)]
    no_profile: bool,
}

/// Sets up what is selected, measures it, reports, looks at where the time goes, judges the talks' claims, and makes a page of it all.
///
/// # Errors
/// As the commands it stands for. What can't be profiled does not spoil what was measured: it is said, and the exit status is the run's.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    setup::set_up(&args.run.selection, args.run.preset, catalogs)?;
    let (status, recorded) = run::measured(&args.run, catalogs)?;
    let Some(recorded) = recorded else { return Ok(status) };
    let (layout, quiet) = (Layout::find(), args.run.json);
    let flamegraphs = args.flamegraphs(&layout);
    if !args.no_profile && matches!(args.run.preset, Preset::Talk | Preset::Full) {
        match profile::look(&args.profile(flamegraphs.clone()), catalogs, !quiet) {
            Ok(interrupted) if interrupted == ExitCode::from(INTERRUPTED) => return Ok(interrupted),
            Ok(_) => {}
            Err(report) => say(&format!("{:?}", report.wrap_err("the run is complete and reported, but nothing was profiled"))),
        }
    }
    let out = args.run.out(&layout);
    if !quiet {
        print("\n")?;
    }
    // One JSON document is all that `--json` may print: the report's.
    claims::of_the_talks(&recorded, &out, &flamegraphs, quiet)?;
    report::renew_page(&recorded, &out, &flamegraphs)?;
    if !quiet {
        report::print_path(&out)?;
    }
    Ok(status)
}

impl Args {
    fn flamegraphs(&self, layout: &Layout) -> PathBuf {
        self.run.out.as_ref().map_or_else(|| layout.flamegraphs(), |folder| folder.join("flamegraphs"))
    }

    /// The same selection, with what `profile` does by default.
    fn profile(&self, out: PathBuf) -> profile::Args {
        profile::Args {
            selection: self.run.selection.clone(),
            timeout: self.run.timeout,
            out: Some(out),
            ..profile::Args::parse_from(["profile"])
        }
    }
}
