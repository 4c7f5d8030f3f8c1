//! `bindbench profile`: looks at cells while they run, pass by pass, and shows where the time goes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use indicatif::ProgressBar;
use miette::{Context, IntoDiagnostic, Report, Result};

use super::print;
use super::run::{INTERRUPTED, listen, seconds};
use crate::catalog::{Preset, Selection};
use crate::measure::crew::Trouble;
use crate::measure::{Watch, environment};
use crate::profile::{Backend, Sampling, Sizes, Studio, Subject, begin, gil, memory, stacks};
use crate::report::profile as shown;
use crate::setup::layout::Layout;
use crate::setup::{Workshop, bar_style};
use crate::store::model::Status;
use crate::store::profile::{Profile, ProfiledCell};
use crate::worker::{Guard, Limits};

/// What to look at, and how.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    #[command(flatten)]
    pub(super) selection: Selection,
    /// All cases of a preset, instead of the few at the talks' sizes that workloads name for this
    #[arg(long, value_enum)]
    pub(super) preset: Option<Preset>,
    /// What to find out; repeatable [default: everything]
    #[arg(long = "pass", value_enum, value_name = "PASS")]
    pub(super) passes: Vec<Pass>,
    /// How to take samples of stacks
    #[arg(long, value_enum, default_value_t = Backend::Auto)]
    pub(super) backend: Backend,
    /// Samples a second, of each running thread
    #[arg(long, value_name = "N", default_value_t = 999, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    pub(super) hertz: u64,
    /// Take samples of each cell for this long
    #[arg(long, value_name = "SECONDS", default_value = "1.5", value_parser = seconds)]
    pub(super) seconds: Duration,
    /// Kill a worker that takes longer for one request
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// Folder for pictures and tables [default: flamegraphs/ of the checkout]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Print what was found as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// A way of looking at a cell. Each has workers of its own, and none of them is a timed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pass {
    /// Flamegraphs, and the split of the time
    Stacks,
    /// Who holds the GIL during calls
    Gil,
    /// How far calls raise memory, what they copy, and what leaks
    Memory,
}

/// Looks at what is selected, writes the folder of the pictures, and shows the tables.
///
/// # Errors
/// When nothing selected is ready, the kernel refuses the only pass there is, or the disk does.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    let workshop = Workshop::open(Layout::find(), catalogs)?;
    let out = args.out.clone().unwrap_or_else(|| workshop.layout.flamegraphs());
    let limits = Limits { time: args.timeout, memory: environment::available_memory() / 5 * 4 };
    let (mut profile, subjects) = begin(&workshop, &args.selection, args.preset, limits, std::env::args().collect())?;
    fs::create_dir_all(&out).into_diagnostic().with_context(|| format!("can't make {}", out.display()))?;
    let older = Profile::read(&out)?;
    let mut passes = if args.passes.is_empty() { Pass::value_variants().to_vec() } else { args.passes.clone() };
    if let Some(refusal) = passes.contains(&Pass::Stacks).then(|| args.sampling().check().err()).flatten() {
        passes.retain(|pass| *pass != Pass::Stacks);
        if passes.is_empty() {
            return Err(refusal.into());
        }
        eprintln!("{:?}", Report::new_boxed(Box::new(refusal)).wrap_err("no flamegraphs and no split of the time"));
        profile.notes.push("The kernel refused to be asked for samples: no flamegraphs and no split of the time.".to_owned());
    }
    let interrupt = listen()?;
    let guard = Guard::start().into_diagnostic().wrap_err("can't start the guard")?;
    let logs = tempfile::tempdir_in(workshop.layout.build()).into_diagnostic().wrap_err("can't make a folder for what workers print")?;
    let watch = Watch { guard: &guard, interrupt: &interrupt };
    let studio = Studio { limits, logs: logs.path().to_owned(), watch };
    let sizes = Sizes::new(&workshop);
    let bar = ProgressBar::new(subjects.len() as u64).with_style(bar_style("cells, {msg}"));
    let mut interrupted = false;
    for subject in &subjects {
        bar.set_message(format!("{} {}", subject.cell.lane, subject.title()));
        let mut cell = subject.unseen();
        let looked = passes.iter().try_for_each(|pass| args.look(*pass, subject, &sizes, &studio, &out, &mut cell));
        match looked {
            Ok(()) => {}
            Err(Stopped::Cell(status)) => cell.status = status,
            Err(Stopped::Interrupted) => {
                interrupted = true;
                break;
            }
            Err(Stopped::Everything(report)) => return Err(report),
        }
        profile.cells.push(cell);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let found = profile.clone();
    if let Some(older) = older {
        profile.absorb(older);
    }
    profile.save(&out)?;
    shown::write(&profile, &out).into_diagnostic().with_context(|| format!("can't write to {}", out.display()))?;
    if interrupted {
        eprintln!("stopped; what was found of {} of {} cells is in {}", found.cells.len(), subjects.len(), out.display());
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let text = if args.json { shown::json(&found).into_diagnostic()? } else { shown::text(&found, &out) };
    print(&text)?;
    Ok(ExitCode::from(exit_status(&found)))
}

/// Why a pass has no result.
enum Stopped {
    /// The cell can't be looked at; others may.
    Cell(Status),
    /// The user pressed Ctrl-C.
    Interrupted,
    /// It is no use to go on.
    Everything(Report),
}

impl From<Trouble> for Stopped {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Cell(status) => Self::Cell(status),
            Trouble::Interrupted => Self::Interrupted,
        }
    }
}

impl From<gil::NoWord> for Stopped {
    fn from(error: gil::NoWord) -> Self {
        match error {
            gil::NoWord::Trouble(trouble) => trouble.into(),
            gil::NoWord::Everything(report) => Self::Everything(report),
        }
    }
}

impl Args {
    fn sampling(&self) -> Sampling {
        Sampling { backend: self.backend, hertz: self.hertz, span: self.seconds }
    }

    /// One pass over one cell.
    fn look(
        &self,
        pass: Pass,
        subject: &Subject,
        sizes: &Sizes,
        studio: &Studio,
        out: &Path,
        cell: &mut ProfiledCell,
    ) -> Result<(), Stopped> {
        match pass {
            Pass::Stacks => {
                let taken = stacks::take(subject, self.sampling(), studio, out);
                cell.stacks = Some(taken.map_err(|error| match error {
                    stacks::NoStacks::Trouble(trouble) => trouble.into(),
                    other => Stopped::Everything(other.into()),
                })?);
            }
            Pass::Gil => cell.gil = Some(gil::take(subject, sizes, studio)?),
            Pass::Memory => cell.memory = Some(memory::take(subject, sizes, studio)?),
        }
        Ok(())
    }
}

/// 1 when a lane was wrong, 4 when a cell could not be looked at, 0 when all is fine.
fn exit_status(profile: &Profile) -> u8 {
    if profile.cells.iter().any(|cell| matches!(cell.status, Status::Wrong { .. })) {
        1
    } else if profile.cells.iter().any(|cell| !cell.status.has_number()) {
        4
    } else {
        0
    }
}
