//! `bindbench bench-all`: the main job, from nothing to tables and pictures.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use miette::Result;

use super::{profile, run, setup};
use crate::catalog::Preset;

/// What to set up, to measure and to profile.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    #[command(flatten)]
    run: run::Args,
    /// Leave out the flamegraphs and all else of `profile`, which the presets talk and full end with
    #[arg(long)]
    no_profile: bool,
}

/// Sets up what is selected, measures it, reports, and looks at where the time goes.
///
/// # Errors
/// As the commands it stands for. What can't be profiled does not spoil what was measured: it is said, and the exit status is the run's.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    setup::set_up(&args.run.selection, args.run.preset, catalogs)?;
    let measured = run::run(&args.run, catalogs)?;
    let is_profiled = !args.no_profile && matches!(args.run.preset, Preset::Talk | Preset::Full);
    if !is_profiled || measured == ExitCode::from(run::INTERRUPTED) {
        return Ok(measured);
    }
    match profile::look(&args.profile(), catalogs, !args.run.json) {
        Ok(interrupted) if interrupted == ExitCode::from(run::INTERRUPTED) => Ok(interrupted),
        Ok(_) => Ok(measured),
        Err(report) => {
            eprintln!("{:?}", report.wrap_err("the run is complete and reported, but nothing was profiled"));
            Ok(measured)
        }
    }
}

impl Args {
    /// The same selection, with what `profile` does by default.
    fn profile(&self) -> profile::Args {
        profile::Args {
            selection: self.run.selection.clone(),
            timeout: self.run.timeout,
            out: self.run.out.as_ref().map(|folder| folder.join("flamegraphs")),
            ..profile::Args::parse_from(["profile"])
        }
    }
}
