//! The looking itself: pass by pass, cell by cell.

use bindbench_inspect::sampling::NoStacks;
use bindbench_inspect::{Sampling, Sizes, Studio, Subject, difference, gil, memory, stacks};
use bindbench_measure::trouble::Trouble;
use bindbench_model::profile::ProfiledCell;
use bindbench_model::{Skipped, Status};
use bindbench_setup::bar_style;
use indicatif::ProgressBar;
use miette::{Report, miette};

use super::{Gathered, Pass};

/// All that looking at cells takes.
pub struct Session<'a> {
    /// What is looked at, in this order.
    pub passes: &'a [Pass],
    /// There, when one of the passes is [`Pass::Stacks`].
    pub sampling: Option<&'a Sampling>,
    /// Other sizes of the cells' inputs.
    pub sizes: &'a Sizes<'a>,
    /// Where workers sit.
    pub studio: &'a Studio<'a>,
}

impl Session<'_> {
    /// All passes over all cells.
    ///
    /// # Errors
    /// When it is no use to go on, or the user pressed Ctrl-C; cells before that are saved.
    pub fn look_at_all(&self, subjects: &[Subject], gathered: &mut Gathered) -> Result<(), Stopped> {
        let bar = ProgressBar::new(subjects.len() as u64).with_style(bar_style("cells, {msg}"));
        for subject in subjects {
            bar.set_message(format!("{} {}", subject.cell.lane, subject.title()));
            let mut cell = subject.unseen();
            match self.passes.iter().try_for_each(|pass| self.look(*pass, subject, gathered, &mut cell)) {
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

    /// One pass over one cell.
    fn look(&self, pass: Pass, subject: &Subject, gathered: &mut Gathered, cell: &mut ProfiledCell) -> Result<(), Stopped> {
        match (pass, self.sampling) {
            (Pass::Stacks, Some(sampling)) => {
                if let Some(reason) = sampling.way.excuse(subject) {
                    let operation = Some(format!("{}.{}", subject.case.workload, subject.case.operation));
                    let (lane, reason) = (subject.cell.lane.clone(), format!("no flamegraph: {reason}"));
                    gathered.found.skipped.push(Skipped { lane, interpreter: None, operation, reason });
                    return Ok(());
                }
                cell.stacks = Some(stacks::take(subject, sampling, self.studio, gathered.out).map_err(without_stacks)?);
            }
            (Pass::Stacks, None) => {}
            (Pass::Gil, _) => cell.gil = Some(gil::take(subject, self.sizes, self.studio)?),
            (Pass::Memory, _) => cell.memory = Some(memory::take(subject, self.sizes, self.studio)?),
        }
        Ok(())
    }
}

/// Two lanes in every case that both have, with every interpreter. A native lane has none, and is compared with each.
///
/// # Errors
/// As above, and when they have no case in common.
pub fn compare(
    first: &str,
    second: &str,
    sampling: &Sampling,
    subjects: &[Subject],
    studio: &Studio,
    gathered: &mut Gathered,
) -> Result<(), Stopped> {
    let of = |lane: &str| subjects.iter().filter(move |subject| subject.cell.lane == lane).collect::<Vec<_>>();
    let fits = |a: &Subject, b: &Subject| {
        let (x, y) = (&a.cell.interpreter, &b.cell.interpreter);
        a.cell.case == b.cell.case && (x == y || x.is_none() || y.is_none())
    };
    let (before, after) = (of(first), of(second));
    if let Some(reason) = before.iter().chain(&after).find_map(|subject| sampling.way.excuse(subject)) {
        return Err(Stopped::Everything(miette!("{first} and {second} can't be compared: {reason}")));
    }
    let pairs = before.iter().flat_map(|a| after.iter().filter(|b| fits(a, b)).map(move |b| (*a, *b)));
    for (a, b) in pairs {
        let taken = difference::take(a, b, sampling, studio, gathered.out).map_err(without_stacks).map_err(|stopped| match stopped {
            Stopped::Cell(status) => Stopped::Everything(miette!("{first} and {second} can't be compared in {}: {status}", a.title())),
            other => other,
        })?;
        gathered.found.differences.push(taken);
        gathered.save().map_err(|error| Stopped::Everything(error.into()))?;
    }
    if gathered.found.differences.is_empty() {
        let skipped = gathered.found.skipped.iter().filter(|skipped| [first, second].contains(&skipped.lane.as_str()));
        let reasons: Vec<String> = skipped.map(|skipped| format!("{}: {}", skipped.lane, skipped.reason)).collect();
        let reasons = if reasons.is_empty() { String::new() } else { format!("\n{}", reasons.join("\n")) };
        let help = "`--case` names one that both have; `bindbench list` shows what each has";
        return Err(Stopped::Everything(miette!(help = help, "{first} and {second} have no case in common that is ready{reasons}")));
    }
    Ok(())
}

/// Why a pass has no result.
pub enum Stopped {
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

fn without_stacks(error: NoStacks) -> Stopped {
    match error {
        NoStacks::Trouble(trouble) => trouble.into(),
        other => Stopped::Everything(other.into()),
    }
}
