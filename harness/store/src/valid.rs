//! Whether a run that was read can be what a bindbench wrote: everybody downstream looks things up by its ids, and counts on its numbers
//! being ones that can be counted with.

use std::collections::BTreeSet;
use std::fmt::Display;

use bindbench_model::{Run, is_unseen};

/// More generations or rounds than anybody measures; the options allow fewer.
const MOST_REPETITIONS: u32 = 1_000_000;
/// More threads than anybody calls from; the option allows fewer.
const MOST_THREADS: u32 = 1 << 16;
/// More calls than a sample ever has.
const MOST_LOOPS: u64 = 1 << 32;
/// Longer than any sample or budget: a year. The options allow no longer ones.
const LONGEST_NS: u64 = 365 * 24 * 3600 * 1_000_000_000;
const LONGEST_S: f64 = (LONGEST_NS / 1_000_000_000) as f64;

/// Checks a run.
///
/// # Errors
/// What is wrong, with the name of the field.
pub fn check(run: &Run) -> Result<(), String> {
    the_run_itself(run)?;
    plan(run)?;
    names(run)?;
    cases(run)?;
    cells(run)?;
    for (at, lane) in run.lanes.iter().enumerate() {
        let of = lane.receipts.iter().map(|receipt| receipt.interpreter.as_deref().unwrap_or("null"));
        unique(&format!("lanes[{at}].receipts"), of)?;
    }
    for (at, worker) in run.workers.iter().enumerate() {
        known_lane(run, &worker.lane, || format!("workers[{at}].lane"))?;
        known_interpreter(run, &worker.interpreter, || format!("workers[{at}].interpreter"))?;
        for (place, first) in worker.first_calls.iter().enumerate() {
            there(run, first.cell, || format!("workers[{at}].first_calls[{place}].cell"))?;
        }
    }
    if let Some(counting) = &run.counting {
        at_most("counting.generations", counting.generations, MOST_REPETITIONS)?;
        counting.uncounted.keys().try_for_each(|&cell| there(run, cell, || "counting.uncounted".to_owned()))?;
    }
    if let Some(gate) = &run.gate {
        gate.live.iter().enumerate().try_for_each(|(at, &cell)| there(run, cell, || format!("gate.live[{at}]")))?;
        gate.took.keys().try_for_each(|&cell| there(run, cell, || "gate.took".to_owned()))?;
        within("gate.used_s", gate.used_s, LONGEST_S)?;
        within("gate.threshold", gate.threshold, 1e6)?;
        within("gate.instructions_threshold", gate.instructions_threshold, 1e6)?;
    }
    Ok(())
}

fn plan(run: &Run) -> Result<(), String> {
    at_most("plan.generations", run.plan.generations, MOST_REPETITIONS)?;
    at_most("plan.rounds", run.plan.rounds, MOST_REPETITIONS)?;
    run.plan.resumed.iter().enumerate().try_for_each(|(at, when)| moment(|| format!("plan.resumed[{at}]"), when))?;
    within("plan.budget_s", run.plan.budget_s, LONGEST_S)
}

/// The id is the name of the folder the run was made in. That may be called otherwise since; but commands are made with it.
fn the_run_itself(run: &Run) -> Result<(), String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !run.id.starts_with(|c: char| c.is_ascii_alphanumeric()) || !run.id.chars().all(fine) {
        return Err(format!("id is {:?}, and has to be letters, digits, `_`, `-` and `.`, beginning with a letter or digit", run.id));
    }
    moment(|| "started".to_owned(), &run.started)
}

fn moment(field: impl FnOnce() -> String, text: &str) -> Result<(), String> {
    let read = text.parse::<jiff::Timestamp>();
    read.map(drop).map_err(|_| format!("{} is {text:?}, and has to be a moment such as 2026-11-21T08:12:05Z", field()))
}

/// What others are looked up by. No name holds what is not shown but acted upon: it stands in file names, pictures and on terminals.
fn names(run: &Run) -> Result<(), String> {
    unique("lanes", run.lanes.iter().map(|lane| &lane.id))?;
    unique("interpreters", run.interpreters.iter().map(|interpreter| &interpreter.name))?;
    unique("workloads", run.workloads.iter().map(|workload| &workload.name))?;
    shown("lanes[].id", run.lanes.iter().map(|lane| &lane.id))?;
    shown("interpreters[].name", run.interpreters.iter().map(|interpreter| &interpreter.name))?;
    shown("workloads[].name", run.workloads.iter().map(|workload| &workload.name))?;
    shown("cases[].operation", run.cases.iter().map(|case| &case.operation))?;
    shown("cases[].input", run.cases.iter().map(|case| &case.input))
}

fn shown<'n>(field: &str, mut names: impl Iterator<Item = &'n String>) -> Result<(), String> {
    match names.find(|name| name.chars().any(is_unseen)) {
        Some(name) => Err(format!("{field} has {name:?}, and no name holds characters that can't be seen")),
        None => Ok(()),
    }
}

fn cases(run: &Run) -> Result<(), String> {
    for (at, case) in run.cases.iter().enumerate() {
        if case.id as usize != at {
            return Err(format!("case {} stands in the place of case {at}", case.id));
        }
        let Some(workload) = run.workloads.iter().find(|workload| workload.name == case.workload) else {
            return Err(format!("cases[{at}].workload is {:?}, which is not in workloads", case.workload));
        };
        if case.operation.is_empty() {
            return Err(format!("cases[{at}].operation is empty"));
        }
        // Older runs don't say which inputs there are.
        if !workload.inputs.is_empty() && !workload.inputs.contains_key(&case.input) {
            return Err(format!("cases[{at}].input is {:?}, which is not in the inputs of workload {}", case.input, workload.name));
        }
        if case.size == Some(0) {
            return Err(format!("cases[{at}].size is 0"));
        }
        if !(1..=MOST_THREADS).contains(&case.threads) {
            return Err(format!("cases[{at}].threads is {}", case.threads));
        }
    }
    Ok(())
}

fn cells(run: &Run) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (at, cell) in run.cells.iter().enumerate() {
        if cell.id as usize != at {
            return Err(format!("cell {} stands in the place of cell {at}", cell.id));
        }
        if cell.case as usize >= run.cases.len() {
            return Err(format!("cell {at} is of case {}, and there are {} cases", cell.case, run.cases.len()));
        }
        known_lane(run, &cell.lane, || format!("cells[{at}].lane"))?;
        known_interpreter(run, &cell.interpreter, || format!("cells[{at}].interpreter"))?;
        if !seen.insert((cell.case, &cell.lane, &cell.interpreter, cell.twin)) {
            return Err(format!("cell {at} is {} in case {} a second time", cell.lane, cell.case));
        }
        at_most(&format!("cells[{at}].rounds"), cell.rounds, MOST_REPETITIONS)?;
        at_most(&format!("cells[{at}].loops"), cell.loops, MOST_LOOPS)?;
        at_most(&format!("cells[{at}].sample_ns"), cell.sample_ns, LONGEST_NS)?;
    }
    Ok(())
}

fn there(run: &Run, cell: u32, field: impl FnOnce() -> String) -> Result<(), String> {
    match run.cells.get(cell as usize) {
        Some(_) => Ok(()),
        None => Err(format!("{} names cell {cell}, and there are {} cells", field(), run.cells.len())),
    }
}

fn known_lane(run: &Run, lane: &str, field: impl FnOnce() -> String) -> Result<(), String> {
    match run.lanes.iter().any(|known| known.id == lane) {
        true => Ok(()),
        false => Err(format!("{} is {lane:?}, which is not in lanes", field())),
    }
}

fn known_interpreter(run: &Run, interpreter: &Option<String>, field: impl FnOnce() -> String) -> Result<(), String> {
    match interpreter.as_ref().filter(|name| !run.interpreters.iter().any(|known| known.name == **name)) {
        None => Ok(()),
        Some(name) => Err(format!("{} is {name:?}, which is not in interpreters", field())),
    }
}

fn unique<T: Ord + Display>(field: &str, names: impl Iterator<Item = T>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if let Some(name) = seen.replace(name) {
            return Err(format!("{field} has {name} twice"));
        }
    }
    Ok(())
}

fn at_most<T: PartialOrd + Display>(field: &str, number: T, most: T) -> Result<(), String> {
    if number <= most { Ok(()) } else { Err(format!("{field} is {number}, and {most} is the most there can be")) }
}

/// What a row of `samples.csv` may say.
///
/// # Errors
/// When it is more, with the name of the column.
pub fn sample_at_most_a_year(column: &str, nanoseconds: u64) -> Result<(), String> {
    at_most(column, nanoseconds, LONGEST_NS)
}

fn within(field: &str, number: f64, most: f64) -> Result<(), String> {
    if (0.0..=most).contains(&number) { Ok(()) } else { Err(format!("{field} is {number}, and has to be within 0 and {most}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::Synthetic;
    use bindbench_model::{Case, Comparison, Counting, FirstCall, GateRecord, ReceiptRecord, WorkerRecord};

    /// Two lanes of one case.
    fn run() -> Run {
        let mut made = Synthetic::new(2, 3);
        made.workload("call", &[], &[]);
        let case = made.case("call.noop", "nothing", None, Some(10), 1);
        made.interpreter("3.13.0", &[]);
        made.lane("a/a", Comparison::AsPublished);
        made.lane("b/b", Comparison::AsPublished);
        made.cell(case, "a/a", Some("3.13.0"), 10.0);
        made.cell(case, "b/b", Some("3.13.0"), 12.0);
        made.run
    }

    fn worker(cell: u32) -> WorkerRecord {
        WorkerRecord {
            generation: 0,
            lane: "a/a".into(),
            interpreter: None,
            twin: false,
            hash_seed: 1,
            import_ns: 1,
            peak_resident_bytes: None,
            first_calls: vec![FirstCall { cell: 0, elapsed_ns: 1 }, FirstCall { cell, elapsed_ns: 1 }],
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        assert_eq!(check(&run()), Ok(()));
        let refused = |change: &dyn Fn(&mut Run), words: &str| {
            let mut run = run();
            change(&mut run);
            let message = check(&run).expect_err(words);
            assert!(message.contains(words), "{message}");
        };
        refused(&|run| run.cases[0].id = 1, "case 1 stands in the place of case 0");
        refused(&|run| run.cases[0].size = Some(0), "cases[0].size is 0");
        refused(&|run| run.cases[0].threads = 0, "cases[0].threads is 0");
        refused(&|run| run.cells[1].id = 0, "cell 0 stands in the place of cell 1");
        refused(&|run| run.cells[1].case = 1, "cell 1 is of case 1, and there are 1 cases");
        refused(&|run| run.cells[1].lane = "a/a".into(), "cell 1 is a/a in case 0 a second time");
        refused(&|run| run.cells[1].loops = u64::MAX, "cells[1].loops is 18446744073709551615");
        refused(&|run| run.cells[1].sample_ns = u64::MAX, "cells[1].sample_ns");
        refused(&|run| run.cells[0].rounds = u32::MAX, "cells[0].rounds");
        refused(&|run| run.lanes[1].id = "a/a".into(), "lanes has a/a twice");
        refused(&|run| run.interpreters.extend(run.interpreters.clone()), "interpreters has 3.13.0 twice");
        refused(&|run| run.workloads.extend(run.workloads.clone()), "workloads has call twice");
        let receipt: ReceiptRecord = serde_json::from_str(r#"{"interpreter": "3.13.0", "artifacts": {}, "kernels_sha256": null}"#).unwrap();
        refused(&|run| run.lanes[1].receipts = vec![receipt.clone(); 2], "lanes[1].receipts has 3.13.0 twice");
        refused(&|run| run.workers.push(worker(99)), "workers[0].first_calls[1].cell names cell 99, and there are 2 cells");
        refused(&|run| run.id = "../../etc/passwd".into(), "id is \"../../etc/passwd\"");
        refused(&|run| run.started = "yesterday".into(), "started is \"yesterday\"");
        refused(&|run| run.plan.resumed.push("today".into()), "plan.resumed[0] is \"today\"");
        refused(&|run| run.cells[0].lane = "x".into(), "cells[0].lane is \"x\", which is not in lanes");
        refused(&|run| run.interpreters.clear(), "cells[0].interpreter is \"3.13.0\", which is not in interpreters");
        refused(&|run| run.cells[1].interpreter = Some("3".into()), "cells[1].interpreter is \"3\", which is not in interpreters");
        refused(&|run| run.workloads.clear(), "cases[0].workload is \"call\", which is not in workloads");
        refused(&|run| run.cases[0].operation.clear(), "cases[0].operation is empty");
        let inputs = || [("ints".to_owned(), "10 ints".to_owned())].into();
        refused(&|run| run.workloads[0].inputs = inputs(), "cases[0].input is \"nothing\", which is not in the inputs of workload call");
        refused(&|run| run.workers.push(WorkerRecord { lane: "c".into(), ..worker(0) }), "workers[0].lane is \"c\"");
        for unseen in ["a/\u{1b}[31m", "a/\u{202e}"] {
            refused(&|run| run.lanes[0].id = unseen.into(), "lanes[].id has \"a/\\u{");
        }
        let took = || GateRecord { took: [(2, 1)].into(), ..GateRecord::default() };
        refused(&|run| run.gate = Some(took()), "gate.took names cell 2");
        refused(&|run| run.gate = Some(GateRecord { live: vec![1, 2], ..GateRecord::default() }), "gate.live[1] names cell 2");
        refused(&|run| run.gate = Some(GateRecord { used_s: -1.0, ..GateRecord::default() }), "gate.used_s is -1");
        refused(&|run| run.plan.generations = u32::MAX, "plan.generations is 4294967295");
        refused(&|run| run.plan.rounds = u32::MAX, "plan.rounds is 4294967295");
        refused(&|run| run.plan.budget_s = f64::NAN, "plan.budget_s is NaN");
        refused(
            &|run| {
                let uncounted = [(2, String::new())].into();
                run.counting = Some(Counting { tool: String::new(), fixed_layout: true, generations: 2, uncounted });
            },
            "counting.uncounted names cell 2",
        );
    }

    #[test]
    fn a_twin_is_its_lane_once_more_and_another_case_too() {
        let mut run = run();
        run.cases.push(Case { id: 1, size: Some(20), ..run.cases[0].clone() });
        let (mut twin, mut other) = (run.cells[0].clone(), run.cells[0].clone());
        (twin.id, twin.twin, other.id, other.case) = (2, true, 3, 1);
        run.cells.extend([twin, other]);
        assert_eq!(check(&run), Ok(()));
    }
}
