//! The fairness ledger: what each lane takes, copies and checks, as its manifest says, and what it takes to build and keep it.

use std::collections::{BTreeMap, BTreeSet};

use bindbench_analysis::Analysis;
use bindbench_model::{BuildRecord, Comparison, Form, Gil, LaneRecord, Parallel, Run};
use bindbench_stats::{median, six_digits};
use globset::Glob;
use schemars::JsonSchema;
use serde::Serialize;

use super::format::significant;
use super::tables::{Row, Table};

/// A lane, and all that a reader may want to hold against its numbers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entry {
    /// The lane's id.
    pub lane: String,
    /// One line.
    pub summary: String,
    /// Which tables it stands in.
    pub comparison: Comparison,
    /// How Python reaches the kernel.
    pub binding: String,
    /// The code that does the work.
    pub kernel: String,
    /// What happens to the GIL meanwhile.
    pub gil: Gil,
    /// Parallelism of its own.
    pub parallel: Parallel,
    /// Workload → form of input it takes → copies its binding makes; empty where the run does not say.
    pub copies: BTreeMap<String, BTreeMap<Form, u32>>,
    /// Checks of the contract that it leaves out: operation → which.
    pub unchecked: BTreeMap<String, String>,
    /// What it takes to build and to keep it, one for each interpreter.
    pub lives: Vec<Life>,
}

/// A lane's life outside of the timed loop, for one interpreter.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Life {
    /// Name of the interpreter; none for a native lane.
    pub interpreter: Option<String>,
    /// Seconds to build its strategy from nothing; none where that was not timed.
    pub clean_build_s: Option<f64>,
    /// Seconds to build it after a change; likewise.
    pub incremental_build_s: Option<f64>,
    /// Size of what the strategy's build left, bytes; none where the run does not say.
    pub artifact_bytes: Option<u64>,
    /// Median time to import its modules, nanoseconds.
    pub import_ns: Option<f64>,
    /// Workload → how much longer a worker's first call in it takes than a later one, nanoseconds: the median over the workers. Empty
    /// where the run does not say.
    pub first_call_ns: BTreeMap<String, f64>,
    /// The largest resident set of its workers, bytes.
    pub peak_resident_bytes: Option<u64>,
    /// Lines of the strategy's own kernels.
    pub kernel_lines: Option<u64>,
    /// Lines between Python and a kernel.
    pub glue_lines: Option<u64>,
    /// Of both, inside `unsafe`; none where the language has no such word.
    pub unsafe_lines: Option<u64>,
    /// What a wheel of its strategy is good for.
    pub wheels: Wheels,
    /// Versions of Python it supports, as PEP 440 writes them; empty: any, or not said.
    pub python: String,
    /// Implementations of Python it supports.
    pub implementations: Vec<String>,
}

/// How many builds it takes to serve all interpreters of one system, by the names of what a build left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wheels {
    /// Nothing is compiled for it: one wheel for everybody.
    Pure,
    /// The stable ABI: one for each system.
    Abi3,
    /// A library that no version of Python is compiled into: one for each system.
    PerSystem,
    /// One for each version of Python on each system.
    PerPython,
    /// No Python is involved.
    NoPython,
}

/// All lanes of a run, in its order.
pub fn ledger(run: &Run, analysis: &Analysis) -> Vec<Entry> {
    let mut imports: BTreeMap<(&str, Option<&str>), Vec<f64>> = BTreeMap::new();
    let mut peaks: BTreeMap<(&str, Option<&str>), u64> = BTreeMap::new();
    for worker in &run.workers {
        let key = (worker.lane.as_str(), worker.interpreter.as_deref());
        imports.entry(key).or_default().push(worker.import_ns as f64);
        if let Some(bytes) = worker.peak_resident_bytes {
            let peak = peaks.entry(key).or_default();
            *peak = bytes.max(*peak);
        }
    }
    let entry = |lane: &LaneRecord| Entry {
        lane: lane.id.clone(),
        summary: lane.summary.clone(),
        comparison: lane.comparison,
        binding: lane.binding.clone(),
        kernel: lane.kernel.clone(),
        gil: lane.gil,
        parallel: lane.parallel,
        copies: lane.declared.copies.clone(),
        unchecked: lane.declared.unchecked.clone(),
        lives: lane
            .receipts
            .iter()
            .map(|receipt| {
                let key = (lane.id.as_str(), receipt.interpreter.as_deref());
                let build: Option<&BuildRecord> = receipt.build.as_ref();
                Life {
                    interpreter: receipt.interpreter.clone(),
                    clean_build_s: build.and_then(|build| build.clean_s),
                    incremental_build_s: build.and_then(|build| build.incremental_s),
                    artifact_bytes: build.map(|build| build.artifact_bytes),
                    import_ns: imports.get(&key).and_then(|times| median(&mut times.clone())).map(six_digits),
                    first_call_ns: first_calls(run, analysis, key),
                    peak_resident_bytes: peaks.get(&key).copied(),
                    kernel_lines: build.map(|build| build.lines.kernel),
                    glue_lines: build.map(|build| build.lines.glue),
                    unsafe_lines: build.and_then(|build| build.lines.unsafe_rust),
                    wheels: wheels(receipt.interpreter.is_some(), receipt.artifacts.keys()),
                    python: lane.declared.python.clone(),
                    implementations: lane.declared.implementations.clone(),
                }
            })
            .collect(),
    };
    run.lanes.iter().map(entry).collect()
}

/// By how much the first calls of a lane's workers exceed the median of the same cells' samples: the median for each workload, none
/// below zero.
fn first_calls(run: &Run, analysis: &Analysis, (lane, interpreter): (&str, Option<&str>)) -> BTreeMap<String, f64> {
    let mut excess: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let workers = run.workers.iter().filter(|worker| worker.lane == lane && worker.interpreter.as_deref() == interpreter);
    for first in workers.flat_map(|worker| &worker.first_calls) {
        let case = run.cells.get(first.cell as usize).and_then(|cell| run.cases.get(cell.case as usize));
        if let (Some(case), Some(later)) = (case, analysis.time(first.cell)) {
            excess.entry(&case.workload).or_default().push((first.elapsed_ns as f64 - later.point()).max(0.0));
        }
    }
    let medians = excess.into_iter().filter_map(|(workload, mut times)| Some((workload.to_owned(), six_digits(median(&mut times)?))));
    medians.collect()
}

fn wheels<'a>(python: bool, artifacts: impl Iterator<Item = &'a String>) -> Wheels {
    let names: Vec<&String> = artifacts.collect();
    let any = |parts: &[&str]| names.iter().any(|name| parts.iter().any(|part| name.contains(part)));
    match () {
        () if !python => Wheels::NoPython,
        () if any(&[".cpython-", ".pypy", ".graalpy"]) => Wheels::PerPython,
        () if any(&[".abi3."]) => Wheels::Abi3,
        () if names.is_empty() => Wheels::Pure,
        () => Wheels::PerSystem,
    }
}

/// How the input of a case is passed to a lane: as the case says, or as a mapped file in its place.
pub fn passing(lane: &LaneRecord, workload: &str, form: Form) -> Form {
    let taken = lane.declared.copies.get(workload);
    let mapped = taken.is_some_and(|taken| !taken.contains_key(&form) && taken.contains_key(&Form::Mapped));
    if mapped { Form::Mapped } else { form }
}

/// How many times as fast the lane of a row is on inputs that it has seen, where that was found.
pub fn remembers(run: &Run, row: &Row) -> Option<f64> {
    run.cells.get(row.cell as usize)?.remembers
}

/// What is not like for like in a table, lane by lane: another form of input than the others', more or fewer copies of it than the
/// baseline makes, a check that is left out, answers that are remembered.
pub fn unlike(run: &Run, table: &Table) -> BTreeMap<String, Vec<String>> {
    let record = |id: &str| run.lanes.iter().find(|lane| lane.id == id);
    let names: BTreeSet<&str> = table.rows.iter().map(|row| row.lane.as_str()).collect();
    let baseline = table.rows.iter().find_map(|row: &Row| row.baseline.as_deref()).and_then(record);
    let copies = |lane: &LaneRecord| {
        let form = passing(lane, &table.workload, table.form?);
        lane.declared.copies.get(&table.workload)?.get(&form).copied()
    };
    let mut unlike: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for lane in names.into_iter().filter_map(record) {
        let mut reasons = Vec::new();
        if let Some(form) = table.form.filter(|&form| passing(lane, &table.workload, form) != form) {
            reasons.push(format!("gets the input as {} where others get {form}", passing(lane, &table.workload, form)));
        }
        if let (Some(own), Some((theirs, base))) = (copies(lane), baseline.and_then(|base| Some((copies(base)?, base))))
            && own != theirs
        {
            let count = |n: u32| if n == 1 { "1 copy".to_owned() } else { format!("{n} copies") };
            reasons.push(format!("makes {} of the input where {} makes {}", count(own), base.id, count(theirs)));
        }
        let operation = format!("{}.{}", table.workload, table.operation);
        let excuses: BTreeSet<&str> =
            lane.declared.unchecked.iter().filter(|(checks, _)| about(checks, &operation)).map(|(_, why)| why.as_str()).collect();
        reasons.extend(excuses.into_iter().map(|why| format!("is excused from a part of the contract: {why}")));
        let own = table.rows.iter().filter(|row| row.lane == lane.id).filter_map(|row| remembers(run, row)).reduce(f64::max);
        reasons.extend(
            own.map(|times| format!("is {} times as fast on inputs that it has seen before, as those of samples are", significant(times))),
        );
        if !reasons.is_empty() {
            unlike.insert(lane.id.clone(), reasons);
        }
    }
    unlike
}

/// Whether checks that a lane leaves out are checks of an operation: `call.add`, `call.add(None first)`, `*(an unknown keyword)`.
fn about(checks: &str, operation: &str) -> bool {
    let operations = checks.split_once('(').map_or(checks, |(operations, _)| operations);
    Glob::new(operations).is_ok_and(|glob| glob.compile_matcher().is_match(operation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_model::{FirstCall, WorkerRecord};
    use bindbench_store::synthetic::Synthetic;

    #[test]
    fn checks_left_out_are_those_of_an_operation_or_of_several() {
        for (checks, operation, expected) in [
            ("call.add", "call.add", true),
            ("call.add", "call.add_all", false),
            ("call.add(None first)", "call.add", true),
            ("call.add(None first)", "call.noop", false),
            ("*(an unknown keyword)", "std.sum", true),
            ("std.*(a list that lies)", "std.sum", true),
            ("std.*", "call.add", false),
            ("[(", "call.add", false),
        ] {
            assert_eq!(about(checks, operation), expected, "{checks} of {operation}");
        }
    }

    #[test]
    fn a_first_call_is_told_by_what_it_takes_beyond_a_later_one() {
        let mut made = Synthetic::new(3, 5);
        made.interpreter("3.13.0", &[]);
        made.lane("a/b", Comparison::AsPublished);
        let case = made.case("std.sum", "ints", Some(Form::Boxed), Some(10), 1);
        let cell = made.cell(case, "a/b", Some("3.13.0"), 1000.0);
        made.twin(cell, 1.0);
        let worker = |generation, elapsed_ns| WorkerRecord {
            generation,
            lane: "a/b".into(),
            interpreter: Some("3.13.0".into()),
            twin: false,
            hash_seed: 1,
            import_ns: 5,
            peak_resident_bytes: None,
            first_calls: vec![FirstCall { cell, elapsed_ns }],
        };
        made.run.workers = vec![worker(0, 51_000), worker(1, 900_000), worker(2, 41_000)];
        let recorded = made.recorded(0.0);
        let entries = ledger(&recorded.run, &Analysis::new(&recorded));
        let excess = entries[0].lives[0].first_call_ns["std"];
        assert!((excess - 50_000.0).abs() < 1.0, "{excess}");
    }

    #[test]
    fn a_lane_that_remembers_its_inputs_has_a_footnote_and_a_warning() {
        let mut made = Synthetic::new(3, 5);
        made.interpreter("3.13.0", &[]);
        made.lane("a/b", Comparison::AsPublished);
        made.lane("a/c", Comparison::AsPublished);
        let case = made.case("std.sum", "ints", Some(Form::Boxed), Some(1000), 1);
        let cell = made.cell(case, "a/b", Some("3.13.0"), 100.0);
        made.cell(case, "a/c", Some("3.13.0"), 9000.0);
        made.run.cells[cell as usize].remembers = Some(87.4);
        let recorded = made.recorded(0.0);
        let report = crate::Report::new(&recorded);
        let unlike = &report.tables[0].unlike;
        assert_eq!(unlike.keys().collect::<Vec<_>>(), ["a/b"]);
        assert!(unlike["a/b"][0].contains("87.4 times as fast on inputs that it has seen"), "{unlike:?}");
        let warning = report.warnings.iter().find(|warning| warning.what.contains("seen before")).unwrap();
        let place = format!("a/b in std.sum of ints, {} (3.13.0): 87.4 times", crate::format::grouped(1000));
        assert!(warning.what.contains(&place) && !warning.what.contains("a/c"), "{warning:?}");
        let look = crate::terminal::Look { width: None, colour: false };
        for shown in [crate::markdown::render(&report), crate::terminal::render(&report, look)] {
            // Markdown has its stars behind backslashes.
            assert!(shown.replace('\\', "").contains("a/b *") && shown.contains("87.4 times as fast"), "{shown}");
        }
    }

    #[test]
    fn wheels_are_told_by_the_names_of_artifacts() {
        let of = |python, names: &[&str]| wheels(python, names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>().iter());
        assert_eq!(of(true, &["x.cpython-313-x86_64-linux-gnu.so"]), Wheels::PerPython);
        assert_eq!(of(true, &["x.abi3.so"]), Wheels::Abi3);
        assert_eq!(of(true, &["libx.so"]), Wheels::PerSystem);
        assert_eq!(of(true, &[]), Wheels::Pure);
        assert_eq!(of(false, &["x"]), Wheels::NoPython);
    }
}
