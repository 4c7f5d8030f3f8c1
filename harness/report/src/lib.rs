//! From a recorded run to what people see. One model ([`Report`]), several ways to show it; none of them starts a process.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod cell_names;
pub mod choice;
pub mod claims;
pub mod compare;
pub mod csv;
pub mod excerpt;
pub mod export;
mod finder;
mod format;
pub mod gate;
mod grid;
pub mod growth;
pub mod history;
pub mod instructions;
pub mod json;
mod junit;
pub mod ladder;
pub mod ledger;
pub mod markdown;
pub mod noise;
pub mod page;
pub mod plots;
pub mod png;
pub mod profile;
pub mod splice;
mod table;
pub mod tables;
pub mod talks;
pub mod terminal;
pub mod warnings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bindbench_analysis::{Analysis, Doubt};
use bindbench_model::{Run, Skipped};
use bindbench_stats::{allowed, six_digits};
use bindbench_store::Recorded;
use schemars::JsonSchema;
use serde::Serialize;

pub use format::seen;
use instructions::Counted;
use tables::Table;
use talks::Talk;
use warnings::Warning;

/// Version of the layout that `--json` prints.
pub const JSON_SCHEMA: u32 = 2;

/// Everything a report shows.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// [`JSON_SCHEMA`].
    pub schema: u32,
    /// The run's id.
    pub run: String,
    /// What was measured, when, on what: a line each.
    pub about: Vec<String>,
    /// Whether the intervals can be trusted.
    pub vouches: Vouches,
    /// What to know, and do, before trusting a number.
    pub warnings: Vec<Warning>,
    /// What the run noted.
    pub notes: Vec<String>,
    /// The tables.
    pub tables: Vec<Table>,
    /// Instructions, where they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<Counted>,
    /// The talks' tables of which a row was measured.
    pub talks: Vec<Talk>,
    /// What was asked for and has no cell, the same reason once.
    pub skipped: Vec<SkippedGroup>,
    /// The lanes: what they take, copy and check, and what it takes to build them.
    pub lanes: Vec<ledger::Entry>,
}

/// Whether a run can vouch for its intervals, and what that rests on.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Vouches {
    /// It can.
    pub vouches: bool,
    /// Why not; empty when it can.
    pub reasons: Vec<String>,
    /// Lanes measured twice under two names, by case.
    pub twins: usize,
    /// Twins whose interval excluded 1 before widening.
    pub twins_excluding_one: usize,
    /// How many may do so by chance.
    pub twins_allowed: usize,
    /// The factor by which all intervals were widened; 1 is not at all.
    pub widening: f64,
    /// The finest resolution of a case, as a fraction.
    pub finest_resolution: Option<f64>,
    /// The coarsest.
    pub coarsest_resolution: Option<f64>,
}

/// Lanes and operations skipped for one reason.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SkippedGroup {
    /// Why.
    pub reason: String,
    /// Which: `ctypes/pydll`, `capi/c call.call_back (3.9.18)`.
    pub what: Vec<String>,
}

impl Report {
    /// Makes the report of a run.
    pub fn new(recorded: &Recorded) -> Self {
        Self::of(recorded, &Analysis::new(recorded))
    }

    /// The same from statistics that are there already.
    pub fn of(recorded: &Recorded, analysis: &Analysis) -> Self {
        let mut tables = tables::tables(recorded, analysis);
        let instructions = instructions::counted(recorded, &tables);
        let timed = recorded.run.is_timed();
        if !timed {
            tables.clear();
        }
        Self {
            schema: JSON_SCHEMA,
            run: recorded.run.id.clone(),
            about: about(&recorded.run, analysis),
            vouches: vouches(analysis),
            warnings: warnings::warnings(recorded, analysis, &tables),
            notes: resumed(&recorded.run.plan.resumed).into_iter().chain(recorded.run.notes.iter().cloned()).collect(),
            tables,
            instructions,
            talks: if timed { talks::talks(recorded, analysis) } else { Vec::new() },
            skipped: skipped(&recorded.run.skipped),
            lanes: ledger::ledger(&recorded.run, analysis),
        }
    }
}

impl Report {
    /// What to know before any number is trusted, a line each. Whatever shows numbers of a run shows these above them.
    pub fn caveats(&self) -> Vec<String> {
        let warnings = self.warnings.iter().map(Warning::to_string);
        let notes = self.notes.iter().map(|note| format!("Note: {note}"));
        std::iter::once(self.vouches.sentence()).chain(self.vouches.resolution()).chain(warnings).chain(notes).collect()
    }
}

impl Vouches {
    /// One sentence or two.
    pub fn sentence(&self) -> String {
        let mut text = if self.vouches {
            "This run vouches for its 95 % intervals.".to_owned()
        } else {
            format!("This run can NOT vouch for its 95 % intervals: {}.", self.reasons.join("; "))
        };
        if self.twins > 0 {
            let differ = match self.twins_excluding_one {
                0 => "none differs".to_owned(),
                1 => "1 differs".to_owned(),
                n => format!("{n} differ"),
            };
            text += &format!(
                " Of {} (one lane measured under two names) {differ}; chance allows {}.",
                format::count(self.twins, "twin"),
                self.twins_allowed
            );
        }
        if self.widening > 1.0 {
            text += &format!(" All intervals are widened {} times to mend it.", format::significant(self.widening));
        }
        text
    }

    /// How finely the run sees; none when it can't tell.
    pub fn resolution(&self) -> Option<String> {
        let (finest, coarsest) = (format::band(self.finest_resolution?), format::band(self.coarsest_resolution?));
        Some(if finest == coarsest {
            format!("Resolution: {finest} around 1. No verdict is given on a ratio whose interval touches that.")
        } else {
            format!("Resolution: {finest} to {coarsest} around 1. No verdict is given on a ratio whose interval touches its case's.")
        })
    }
}

fn vouches(analysis: &Analysis) -> Vouches {
    let (twins, twins_excluding_one) = analysis.twins();
    let reasons: Vec<String> = analysis.doubts().iter().map(warnings::reason).collect();
    let (finest, coarsest) = analysis.resolutions().unzip();
    Vouches {
        vouches: reasons.is_empty(),
        reasons,
        twins,
        twins_excluding_one,
        twins_allowed: allowed(twins),
        widening: six_digits(analysis.widening()),
        finest_resolution: finest.map(six_digits),
        coarsest_resolution: coarsest.map(six_digits),
    }
}

fn about(run: &Run, analysis: &Analysis) -> Vec<String> {
    let environment = &run.environment;
    let measured = analysis.generations();
    let generations = if measured == run.plan.generations as usize {
        format::count(measured, "generation")
    } else {
        format!("{measured} of {}", format::count(run.plan.generations as usize, "generation"))
    };
    let extent = if run.is_timed() {
        let lost = analysis.doubts().iter().find_map(|doubt| match doubt {
            Doubt::Missing { file: "samples.csv", lacking } => {
                Some(format!(", of which {} of {} rows are missing", lacking.missing, lacking.planned))
            }
            _ => None,
        });
        format!("{generations} × {}{}", format::count(run.plan.rounds as usize, "round"), lost.unwrap_or_default())
    } else {
        "instructions only".to_owned()
    };
    let mut lines = vec![
        format!("Run {}, preset {}: {extent}, seed {}, begun {}", run.id, run.preset, run.seed, run.started),
        format!(
            "On {}, {}, {} GiB, {} {} {}; workers {}",
            environment.cpu,
            format::count(environment.cpus.len(), "CPU"),
            environment.memory_bytes >> 30,
            environment.os,
            environment.kernel_release,
            environment.arch,
            if environment.pinned { "pinned" } else { "not pinned" }
        ),
    ];
    lines.extend(run.interpreters.iter().map(|interpreter| {
        let gil = match interpreter.gil_enabled {
            Some(true) => "GIL on",
            Some(false) => "GIL off",
            None => "GIL not told",
        };
        let flags: Vec<&str> = interpreter.flags.iter().map(String::as_str).chain([gil]).collect();
        format!("Python {}: {} ({})", interpreter.name, interpreter.implementation, flags.join(", "))
    }));
    lines
}

/// Generations of two sittings are compared with each other, and a machine has its days.
fn resumed(moments: &[String]) -> Option<String> {
    let times = match moments.len() {
        0 => return None,
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    };
    Some(format!("This run was resumed {times}: on {}.", moments.join(", ")))
}

/// The same reason once, in the order in which reasons first come.
fn skipped(skipped: &[Skipped]) -> Vec<SkippedGroup> {
    let mut groups: Vec<SkippedGroup> = Vec::new();
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    for skip in skipped {
        let &mut at = index.entry(&skip.reason).or_insert_with(|| {
            groups.push(SkippedGroup { reason: skip.reason.clone(), what: Vec::new() });
            groups.len() - 1
        });
        let mut what = skip.lane.clone();
        what.extend(skip.operation.iter().flat_map(|operation| [" ", operation]));
        what.extend(skip.interpreter.iter().flat_map(|interpreter| [" (", interpreter, ")"]));
        groups[at].what.push(what);
    }
    groups
}
