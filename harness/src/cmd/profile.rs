//! `bindbench profile`: looks at cells while they run, pass by pass, and shows where the time goes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use indicatif::ProgressBar;
use miette::{Context, IntoDiagnostic, Report, Result, miette};

use super::print;
use super::run::{INTERRUPTED, listen, seconds};
use super::setup::set_up_in;
use super::sides::{BothSides, Sides};
use crate::catalog::{Preset, Selection};
use crate::measure::crew::Trouble;
use crate::measure::{Watch, environment};
use crate::profile::{Backend, Sampling, Sizes, Studio, Subject, begin, difference, gil, memory, stacks};
use crate::report::profile as shown;
use crate::setup::checkout::Worktree;
use crate::setup::layout::Layout;
use crate::setup::{Workshop, bar_style};
use crate::store::model::Status;
use crate::store::profile::{Profile, ProfileError, ProfiledCell};
use crate::worker::{Guard, Limits};

/// What to look at, and how.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    #[command(flatten)]
    pub(super) selection: Selection,
    #[command(flatten)]
    pub(super) sides: Sides,
    /// All cases of a preset, instead of the few at the talks' sizes that workloads name for this
    #[arg(long, value_enum)]
    pub(super) preset: Option<Preset>,
    /// What to find out; repeatable [default: everything]
    #[arg(long = "pass", value_enum, value_name = "PASS")]
    pub(super) passes: Vec<Pass>,
    /// A differential flamegraph of two lanes instead, for each case that both have: scaled by the call, red where B takes longer
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["passes", "lanes"])]
    pub(super) diff: Option<Vec<String>>,
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
    look(args, catalogs, true)
}

/// The same; what was found is printed or not.
///
/// # Errors
/// As above.
pub(super) fn look(args: &Args, catalogs: &[PathBuf], prints: bool) -> Result<ExitCode> {
    let selection = Selection { lanes: args.diff.clone().unwrap_or_else(|| args.selection.lanes.clone()), ..args.selection.clone() };
    // From here on Ctrl-C does not end this process on the spot, so that a worktree never stays behind.
    let interrupt = listen()?;
    let (workshop, _kept) = args.workshop(&selection, catalogs)?;
    let out = args.out.clone().unwrap_or_else(|| workshop.layout.flamegraphs());
    let limits = Limits { time: args.timeout, memory: environment::available_memory() / 5 * 4 };
    let (profile, subjects) = begin(&workshop, &selection, args.preset, limits, std::env::args().collect())?;
    fs::create_dir_all(&out).into_diagnostic().with_context(|| format!("can't make {}", out.display()))?;
    let mut gathered = Gathered { older: Profile::read(&out)?, found: profile, out: &out };
    let mut passes = if args.passes.is_empty() { Pass::value_variants().to_vec() } else { args.passes.clone() };
    if let Some(refusal) = passes.contains(&Pass::Stacks).then(|| args.sampling().check().err()).flatten() {
        passes.retain(|pass| *pass != Pass::Stacks);
        if passes.is_empty() {
            return Err(refusal.into());
        }
        eprintln!("{:?}", Report::new_boxed(Box::new(refusal)).wrap_err("no flamegraphs and no split of the time"));
        gathered.found.notes.push("The kernel refused to be asked for samples: no flamegraphs and no split of the time.".to_owned());
    }
    let guard = Guard::start().into_diagnostic().wrap_err("can't start the guard")?;
    let logs = tempfile::tempdir_in(workshop.layout.build()).into_diagnostic().wrap_err("can't make a folder for what workers print")?;
    let watch = Watch { guard: &guard, interrupt: &interrupt };
    let studio = Studio { limits, logs: logs.path().to_owned(), watch };
    let stopped = match args.diff.as_deref() {
        Some([first, second]) => args.compare(first, second, &subjects, &studio, &mut gathered),
        _ => args.look_at_all(&passes, &subjects, &Sizes::new(&workshop), &studio, &mut gathered),
    };
    let interrupted = match stopped {
        Ok(()) => false,
        Err(Stopped::Interrupted) => true,
        Err(Stopped::Cell(status)) => return Err(miette!("{status}")),
        Err(Stopped::Everything(report)) => return Err(report),
    };
    shown::write(&gathered.save()?, &out).into_diagnostic().with_context(|| format!("can't write to {}", out.display()))?;
    let found = gathered.found;
    if interrupted {
        eprintln!("stopped; what was found of {} of {} cells is in {}", found.cells.len(), subjects.len(), out.display());
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let text = if args.json { shown::json(&found).into_diagnostic()? } else { shown::text(&found, &out) };
    if prints {
        print(&text)?;
    }
    Ok(ExitCode::from(exit_status(&found)))
}

fn without_stacks(error: stacks::NoStacks) -> Stopped {
    match error {
        stacks::NoStacks::Trouble(trouble) => trouble.into(),
        other => Stopped::Everything(other.into()),
    }
}

/// What this invocation has found so far, and what earlier ones left.
struct Gathered<'a> {
    found: Profile,
    older: Option<Profile>,
    out: &'a Path,
}

impl Gathered<'_> {
    /// Writes it all, after every cell: nothing that was found is lost. Returns it.
    fn save(&self) -> Result<Profile, ProfileError> {
        let mut all = self.found.clone();
        if let Some(older) = self.older.clone() {
            all.absorb(older);
        }
        all.save(self.out)?;
        Ok(all)
    }
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
    /// The workshop; of two builds, where two are named, built if need be. The worktrees are to be kept until the end.
    fn workshop(&self, selection: &Selection, catalogs: &[PathBuf]) -> Result<(Workshop, Vec<Worktree>)> {
        if !self.sides.are_named() {
            return Ok((Workshop::open(Layout::find(), catalogs)?, Vec::new()));
        }
        let BothSides { workshop, worktrees, .. } = self.sides.open(catalogs)?;
        Ok((set_up_in(workshop, selection, self.preset.unwrap_or(Preset::Smoke))?, worktrees))
    }

    fn sampling(&self) -> Sampling {
        Sampling { backend: self.backend, hertz: self.hertz, span: self.seconds }
    }

    /// All passes over all cells.
    fn look_at_all(
        &self,
        passes: &[Pass],
        subjects: &[Subject],
        sizes: &Sizes,
        studio: &Studio,
        gathered: &mut Gathered,
    ) -> Result<(), Stopped> {
        let bar = ProgressBar::new(subjects.len() as u64).with_style(bar_style("cells, {msg}"));
        for subject in subjects {
            bar.set_message(format!("{} {}", subject.cell.lane, subject.title()));
            let mut cell = subject.unseen();
            match passes.iter().try_for_each(|pass| self.look(*pass, subject, sizes, studio, gathered.out, &mut cell)) {
                Ok(()) => {}
                Err(Stopped::Cell(status)) => cell.status = status,
                Err(other) => return Err(other),
            }
            gathered.found.cells.push(cell);
            gathered.save().map_err(|error| Stopped::Everything(error.into()))?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Two lanes in every case that both have, with every interpreter. A native lane has none, and is compared with each.
    fn compare(&self, first: &str, second: &str, subjects: &[Subject], studio: &Studio, gathered: &mut Gathered) -> Result<(), Stopped> {
        let of = |lane: &str| subjects.iter().filter(move |subject| subject.cell.lane == lane).collect::<Vec<_>>();
        let fits = |a: &Subject, b: &Subject| {
            let (x, y) = (&a.cell.interpreter, &b.cell.interpreter);
            a.cell.case == b.cell.case && (x == y || x.is_none() || y.is_none())
        };
        let (before, after) = (of(first), of(second));
        let pairs = before.iter().flat_map(|a| after.iter().filter(|b| fits(a, b)).map(move |b| (*a, *b)));
        for (a, b) in pairs {
            let taken = difference::take(a, b, self.sampling(), studio, gathered.out).map_err(without_stacks)?;
            gathered.found.differences.push(taken);
            gathered.save().map_err(|error| Stopped::Everything(error.into()))?;
        }
        if gathered.found.differences.is_empty() {
            return Err(Stopped::Everything(miette!("{first} and {second} have no case in common that is ready")));
        }
        Ok(())
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
                cell.stacks = Some(stacks::take(subject, self.sampling(), studio, out).map_err(without_stacks)?);
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
