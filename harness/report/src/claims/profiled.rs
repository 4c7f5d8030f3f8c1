//! What a profile tells about a claim: evidence that no sample of a run has.

use bindbench_model::gauges::{GilClass, GilShare, GilWatch};
use bindbench_model::profile::{Profile, ProfiledCell};
use bindbench_model::{Run, shell};
use bindbench_stats::{Estimate, Standing};
use bindbench_store::profile::Profiled;
use globset::GlobSet;

use crate::cell_names::CellName;
use crate::finder::{Missing, Setting, named};
use crate::format;

use super::quantity::{Quantity, Unit};
use super::relation::Seen;

/// A share of samples is as right as this: the bar that sampling is held to where the truth is known (METHODOLOGY.md, Profiling).
const FINEST_SHARE: f64 = 0.03;

/// A profile, which counts where it was made of the very builds that a run measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looked<'a> {
    pub(super) run: &'a Run,
    pub(super) profiled: Option<&'a Profiled>,
}

impl<'a> Looked<'a> {
    /// What was seen of the GIL while a lane ran an operation.
    ///
    /// # Errors
    /// What is missing.
    pub(super) fn gil(&self, name: &CellName, claimed: Seen, setting: Setting) -> Result<Quantity, Missing> {
        let (profiled, cell, lane) = self.cell(name, setting, "gil", |cell| cell.gil.is_some())?;
        self.same_build(&profiled.profile, cell)?;
        match &cell.gil {
            Some(GilWatch::Told(share)) => gil(lane, cell, share, claimed),
            Some(GilWatch::TooShort { call_ns, .. }) => {
                Err(format!("calls of {lane} take {}, too short for a heartbeat", format::time(*call_ns as f64)).into())
            }
            Some(GilWatch::NotWatched { reason }) => Err(format!("the GIL was not watched: {reason}").into()),
            None => Err(format!("nobody watched the GIL of {lane}").into()),
        }
    }

    /// The share of the samples that have one of these functions on their stacks.
    ///
    /// # Errors
    /// What is missing.
    pub(super) fn share(&self, name: &CellName, functions: &GlobSet, setting: Setting) -> Result<Quantity, Missing> {
        let (profiled, cell, lane) = self.cell(name, setting, "stacks", |cell| cell.stacks.is_some())?;
        self.same_build(&profiled.profile, cell)?;
        let folded = cell.stacks.as_ref().and_then(|stacks| profiled.text(&stacks.folded));
        let folded = folded.ok_or_else(|| format!("the folded stacks of {lane} can't be read"))?;
        let (mut within, mut all): (u64, u64) = (0, 0);
        for (stack, samples) in folded.lines().filter_map(|line| line.rsplit_once(' ')) {
            let samples: u64 = samples.parse().map_err(|_| format!("the folded stacks of {lane} are damaged"))?;
            all = all.saturating_add(samples);
            if stack.split(';').any(|function| functions.is_match(function)) {
                within = within.saturating_add(samples);
            }
        }
        let measured = Estimate::of_share(within, all).ok_or_else(|| format!("{lane} has no samples"))?;
        let what = format!("{} of {} of {lane} in {}", format::grouped(within), format::count(all as usize, "sample"), operation(cell));
        // As a fraction, like that of a ratio.
        let resolution = Some(FINEST_SHARE / measured.point().max(FINEST_SHARE));
        Ok(Quantity { what, unit: Unit::Share, measured, resolution, standing: None })
    }

    /// The cell of that name that a pass looked at. Its size is the profile's own.
    fn cell<'n>(
        &self,
        name: &'n CellName,
        setting: Setting<'n>,
        pass: &str,
        looked: impl Fn(&ProfiledCell) -> bool,
    ) -> Result<(&'a Profiled, &'a ProfiledCell, &'n str), Missing> {
        let (lane, case, python) = match name {
            CellName::Missing(why) => return Err(why.clone().into()),
            CellName::Lane { lane, case, python, .. } => (lane, case.as_ref().or(setting.case), python),
        };
        let interpreter = match python {
            Some(glob) => Some(named(self.run, glob).ok_or_else(|| format!("no interpreter {glob} was measured"))?),
            None => setting.interpreter,
        };
        let case = case.ok_or_else(|| format!("no case is named for {lane}"))?;
        let case_name = case.to_string();
        let words = ["bindbench", "profile", "--pass", pass, "--case", &case_name, "-s", lane];
        let python = interpreter.iter().flat_map(|name| ["-p", name]);
        let words: Vec<String> = words.into_iter().chain(python).map(str::to_owned).collect();
        let command = format!("`{}` does", shell(&words));
        let profiled = self.profiled.ok_or_else(|| format!("nobody has looked: {command}"))?;
        let here = |cell: &&ProfiledCell| {
            let same = (&*cell.case.workload, &*cell.case.operation) == (&*case.workload, &*case.operation);
            let input = case.input.as_ref().is_none_or(|input| *input == cell.case.input);
            let in_it = cell.interpreter.is_none() || cell.interpreter.as_deref() == interpreter;
            cell.lane == *lane && in_it && same && input && looked(cell)
        };
        let cell = profiled.profile.cells.iter().find(here);
        let cell = cell.ok_or_else(|| format!("nobody has looked at {lane} in {}: {command}", case.of_operation()))?;
        Ok((profiled, cell, lane))
    }

    fn same_build(&self, profile: &Profile, cell: &ProfiledCell) -> Result<(), Missing> {
        let lane = self.run.lanes.iter().find(|lane| lane.id == cell.lane);
        let receipt = lane.and_then(|lane| lane.receipts.iter().find(|receipt| receipt.interpreter == cell.interpreter));
        let same = receipt.zip(profile.receipt(cell)).is_some_and(|(measured, looked)| measured.artifacts == looked.artifacts);
        if same { Ok(()) } else { Err(format!("the profile is of another build of {} than this run", cell.lane).into()) }
    }
}

fn operation(cell: &ProfiledCell) -> String {
    format!("{}.{}", cell.case.workload, cell.case.operation)
}

fn gil(lane: &str, cell: &ProfiledCell, share: &GilShare, claimed: Seen) -> Result<Quantity, Missing> {
    let standing = match (claimed, share.class) {
        (Seen::Held, GilClass::Held) | (Seen::Released, GilClass::Released) => Standing::Inside,
        (Seen::Held, GilClass::Released) | (Seen::Released, GilClass::Held | GilClass::Interpreter) => Standing::Outside,
        (_, GilClass::Mixed) | (Seen::Held, GilClass::Interpreter) => Standing::Unclear,
    };
    let measured = Estimate::of_values(&[share.held]).ok_or_else(|| format!("the GIL's share in {lane} is no number"))?;
    let calls = format::count(share.calls as usize, "call");
    let what = format!("the GIL during {calls} of {lane} in {}, by a heartbeat: {}", operation(cell), share.class);
    Ok(Quantity { what, unit: Unit::GilHeld, measured, resolution: None, standing: Some(standing) })
}
