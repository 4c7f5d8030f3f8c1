//! The beginning of a gate: two builds and a session that measures them; or those of one that was stopped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bindbench_catalog::{Lane, matrix};
use bindbench_measure::instrument::Instrument;
use bindbench_measure::{Session, begin, environment, resume};
use bindbench_model::{GateRecord, Run};
use bindbench_report::gate::pairs;
use bindbench_setup::checkout::Worktree;
use bindbench_setup::interpreters::Interpreter;
use bindbench_setup::layout::Layout;
use bindbench_store::Recorded;
use miette::{Result, bail};

use super::Args;
use crate::cmd::again::command_line;
use crate::cmd::report;
use crate::cmd::run::once_each;
use crate::cmd::setup::set_up_in;
use crate::cmd::sides::{BothSides, Sides};

/// A gate that can be measured.
pub(super) struct Begun {
    /// Its run.
    pub session: Session,
    /// What base and head are, for people.
    pub names: BTreeMap<String, String>,
    /// What to know before trusting a comparison of the two.
    pub notes: Vec<String>,
    /// Lanes that can't be measured on both sides, with the reason.
    pub left_out: Vec<String>,
    /// A slowdown up to this is none, as a fraction.
    pub threshold: f64,
    /// More instructions up to this are none, as a fraction.
    pub instructions_threshold: f64,
    /// The options that named the two builds.
    pub sides: Sides,
    /// The folders given with `--catalog`.
    pub catalogs: Vec<PathBuf>,
    /// To be kept as long as the sources in them are needed.
    _worktrees: Vec<Worktree>,
}

/// Builds both sides, and lays out a run of what is selected. None when it was stopped meanwhile.
///
/// # Errors
/// When nothing can be measured on both sides, or the disk refuses.
pub(super) fn anew(args: &Args, catalogs: &[PathBuf], interrupt: &AtomicBool) -> Result<Option<Begun>> {
    let counters = once_each(&args.counters);
    // Better now than after two builds.
    Instrument::of(&counters)?;
    let BothSides { workshop, names, notes, record, worktrees } = args.sides.open(catalogs)?;
    let lonely = workshop.catalog.without_counterpart();
    let mut selection = args.selection.on_both_sides();
    selection.lanes.extend(lonely.iter().map(|lane| format!("!{lane}")));
    let spanned = matrix(&workshop.catalog, &selection, args.preset, environment::allowed_cpus().len())?;
    let mut workshop = set_up_in(workshop, &selection, &spanned.cases)?;
    workshop.lock_to_read()?;
    if interrupt.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let runs = args.runs(&workshop.layout);
    let mut session = begin(&workshop, &selection, spanned, &args.options(&counters), &runs, command_line())?;
    let left_out = left_out(&lonely, session.run());
    if pairs(session.run()).is_empty() {
        bail!(help = "a lane has to be built on both sides", "nothing can be measured on both sides\n{}", left_out.join("\n"));
    }
    session.put_down(GateRecord { threshold: args.threshold, instructions_threshold: args.instructions_threshold, ..record })?;
    let sides = args.sides.clone();
    Ok(Some(Begun {
        session,
        names,
        notes,
        left_out,
        threshold: args.threshold,
        instructions_threshold: args.instructions_threshold,
        sides,
        catalogs: catalogs.to_vec(),
        _worktrees: worktrees,
    }))
}

/// Opens a gate that was stopped, with the same two builds.
///
/// # Errors
/// When there is no such gate, or one of its builds is not what it was any more.
pub(super) fn again(args: &Args, name: &Path) -> Result<Begun> {
    let folder = report::find(Some(name), &args.runs(&Layout::find()))?;
    let run = Recorded::read(&folder)?.run;
    let Some(record) = run.gate else {
        bail!(help = "`bindbench run --resume` goes on with a run", "{} is no gate's, or one that had not begun", folder.display());
    };
    let sides = Sides::of(&record);
    let BothSides { mut workshop, names, notes, worktrees, .. } = sides.open(&record.catalogs)?;
    let catalog = workshop.catalog.clone();
    let lanes: Vec<&Lane> = run.lanes.iter().map(|known| catalog.lane(&known.id)).collect::<Result<_, _>>()?;
    let is_known = |found: &&Interpreter| run.interpreters.iter().any(|known| known.name == found.name);
    let interpreters: Vec<Interpreter> = workshop.found.iter().filter(is_known).cloned().collect();
    workshop.lock_to_change()?;
    workshop.set_up(&lanes, &interpreters)?;
    workshop.lock_to_read()?;
    let session = resume(&workshop, &folder, &args.options(&run.plan.counters))?;
    let left_out = left_out(&catalog.without_counterpart(), session.run());
    Ok(Begun {
        session,
        names,
        notes,
        left_out,
        threshold: record.threshold,
        instructions_threshold: record.instructions_threshold,
        sides,
        catalogs: record.catalogs,
        _worktrees: worktrees,
    })
}

/// Lanes that one side does not have, or that could not be built on one of them.
fn left_out(lonely: &[String], run: &Run) -> Vec<String> {
    let skipped = run.skipped.iter().filter(|skipped| skipped.operation.is_none());
    let lonely = lonely.iter().map(|lane| format!("{lane}: the other side has no such lane"));
    lonely.chain(skipped.map(|skipped| format!("{}: {}", skipped.lane, skipped.reason))).collect()
}
