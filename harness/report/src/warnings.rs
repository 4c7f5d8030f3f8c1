//! Every warning of a report, in words that say what to do.

use std::fmt;

use bindbench_analysis::{Analysis, Doubt};
use bindbench_model::{Cell, Environment, Run, RunState};
use bindbench_stats::{FEWEST_GENERATIONS, WIDEST};
use bindbench_store::{Lacking, Recorded};
use schemars::JsonSchema;
use serde::Serialize;

use super::format::{count, digest, significant, size};
use super::tables::{Kernel, Table};

/// Something that can make numbers wrong or absent.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Warning {
    /// What is the matter.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Warning: {}; {}", self.what, self.advice)
    }
}

pub(super) fn warning(what: impl Into<String>, advice: impl Into<String>) -> Warning {
    Warning { what: what.into(), advice: advice.into() }
}

/// All warnings of a run, the gravest first.
pub fn warnings(recorded: &Recorded, analysis: &Analysis, tables: &[Table]) -> Vec<Warning> {
    let unmet = recorded.run.unmet.iter();
    let unmet = unmet.map(|what| {
        warning(
            format!("asked for by name, and not measured: {what}"),
            "`bindbench setup` builds what is stale, `bindbench doctor` says what is missing",
        )
    });
    // That nothing was timed is how it was asked for; and no count is wrong on a busy machine.
    let told = analysis.doubts().iter().filter(|doubt| **doubt != Doubt::Untimed);
    let mut warnings: Vec<Warning> = unmet.chain(told.map(|doubt| advice(doubt, &recorded.run))).collect();
    warnings.extend(kernels(tables));
    warnings
        .extend(remembering(&recorded.run).map(|what| {
            warning(what, "read such a time as that of a repeated input; METHODOLOGY.md, Verification, says how it was found")
        }));
    warnings.extend(damage(recorded));
    let widening = analysis.widening();
    if widening > 1.0 && widening <= WIDEST {
        warnings.push(warning(
            format!("twins differ more than chance allows, so all intervals are {} times as wide", significant(widening)),
            "for narrower ones: stop other programs, take more generations (`--generations`)",
        ));
    }
    if recorded.run.is_timed() {
        warnings.extend(machine(&recorded.run.environment));
    }
    for interpreter in recorded.run.interpreters.iter().filter(|i| i.flags.iter().any(|flag| flag == "debug")) {
        warnings.push(warning(
            format!("Python {} is a debug build: its times say nothing about a release build", interpreter.name),
            "choose another one with `-p`",
        ));
    }
    warnings
}

/// A doubt as the reason in a sentence.
pub fn reason(doubt: &Doubt) -> String {
    match doubt {
        Doubt::Incomplete => "it is not complete".to_owned(),
        Doubt::Missing { file, lacking: Lacking { missing, planned } } => {
            format!("it is not whole: {missing} of the {} that it planned are not in {file}", count(*planned, "row"))
        }
        Doubt::FewGenerations { generations } => {
            format!("it has {}, and an interval takes {FEWEST_GENERATIONS}", count(*generations, "generation"))
        }
        Doubt::Untimed => "it has no times, instructions were counted only".to_owned(),
        Doubt::NoTwin { planned: 0 } => "no lane was measured twice".to_owned(),
        Doubt::NoTwin { planned } => {
            format!("of {} (a lane measured under two names) none has two numbers to compare", count(*planned, "twin"))
        }
        Doubt::TooWide { factor } => {
            format!("its twins differ so much that intervals would have to be {} times as wide", significant(*factor))
        }
    }
}

fn advice(doubt: &Doubt, run: &Run) -> Warning {
    let again = format!("{} --resume {}", if run.gate.is_some() { "gate" } else { "run" }, run.id);
    let more = run.plan.generations as usize >= FEWEST_GENERATIONS;
    let advice = match doubt {
        Doubt::Incomplete => format!("`bindbench {again}` goes on where it stopped"),
        Doubt::FewGenerations { .. } if more => format!("`bindbench {again}` takes those that were planned"),
        Doubt::Missing { .. } => format!("somebody or something has removed them; `bindbench {again}` measures them again"),
        Doubt::FewGenerations { .. } => format!("run with `--generations {FEWEST_GENERATIONS}` or more"),
        Doubt::Untimed => "`--counter time --counter instructions` takes times, too".to_owned(),
        Doubt::NoTwin { planned: 0 } => "run it again with a selection that keeps the twins".to_owned(),
        Doubt::NoTwin { .. } if run.state != RunState::Finished => format!("`bindbench {again}` goes on where it stopped"),
        Doubt::NoTwin { .. } => "the tables say which lanes have no number, and why".to_owned(),
        Doubt::TooWide { .. } => "stop other programs, then run it again".to_owned(),
    };
    let mut what = reason(doubt);
    if let Some(rest) = what.strip_prefix("it ") {
        what = format!("the run {rest}");
    }
    warning(what, advice)
}

fn kernels(tables: &[Table]) -> Option<Warning> {
    let mut differing: Vec<String> = tables
        .iter()
        .filter_map(|table| match &table.kernel {
            Kernel::Differs(lanes) => Some(lanes),
            _ => None,
        })
        .flatten()
        .map(|(lane, sha256)| match sha256 {
            Some(sha256) => format!("{lane} loads {}", digest(sha256)),
            None => format!("{lane} loads none"),
        })
        .collect();
    differing.sort();
    differing.dedup();
    let what = format!("lanes declared controlled don't load the shared kernels library: {}", differing.join(", "));
    (!differing.is_empty()).then(|| warning(what, "build them again with `bindbench setup`"))
}

/// Lanes that are by far the quicker ones on inputs that they have seen: the first few, then their number.
pub fn remembering(run: &Run) -> Option<String> {
    let place = |cell: &Cell| {
        let (times, case) = (cell.remembers?, run.cases.get(cell.case as usize)?);
        let length = case.size.map(|length| format!(", {}", size(length, case.unit))).unwrap_or_default();
        let python = cell.interpreter.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let case = format!("{}.{} of {}{length}", case.workload, case.operation, case.input);
        Some(format!("{} in {case}{python}: {} times", cell.lane, significant(times)))
    };
    let mut places: Vec<String> = run.cells.iter().filter(|cell| !cell.twin && cell.status.has_number()).filter_map(place).collect();
    let rest = places.len().saturating_sub(5);
    places.truncate(5);
    if rest > 0 {
        places.push(format!("and {rest} more"));
    }
    let what = format!("faster on inputs seen before than on new ones, so answers may be remembered, not computed: {}", places.join("; "));
    (!places.is_empty()).then_some(what)
}

/// Where `samples.csv` is damaged: the first few lines, then their number.
fn damage(recorded: &Recorded) -> Option<Warning> {
    let (shown, rest) = recorded.damage.split_at(recorded.damage.len().min(5));
    let mut lines: Vec<String> = shown.iter().map(|damage| format!("line {}: {}", damage.line, damage.message)).collect();
    if !rest.is_empty() {
        lines.push(format!("and {} more", rest.len()));
    }
    let rows = count(recorded.damage.len(), "row");
    let what = format!("samples.csv has {rows} that can't be used ({})", lines.join("; "));
    (!lines.is_empty()).then(|| warning(what, "all others were used; run again if these matter"))
}

/// What on the machine makes numbers noisy or untypical.
pub(super) fn machine(environment: &Environment) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let cpus = environment.cpus.len();
    if let Some(load) = environment.load_before.filter(|&load| load > 0.5 * cpus as f64) {
        let what = format!("the machine was busy before the first sample: load {load:.1} on {}", count(cpus, "CPU"));
        warnings.push(warning(what, "stop other programs, then run again"));
    }
    if let Some(governor) = environment.governor.as_deref().filter(|&governor| governor != "performance") {
        let what = format!("the CPU frequency governor is `{governor}`: clocks change while it measures");
        warnings.push(warning(what, "`sudo cpupower frequency-set -g performance`"));
    }
    if environment.aslr == Some(0) {
        let what = "address space layout randomisation is off: all generations share one layout, which may be a lucky one";
        warnings.push(warning(what, "`sudo sysctl kernel.randomize_va_space=2`"));
    }
    warnings
}
