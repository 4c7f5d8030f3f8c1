//! `cargo bench --bench verdicts -- --counts`: are counts of instructions the same in twenty processes, for every binding; and does a gate find
//! a hundredth more work in each?
//!
//! The first is a run with twenty generations. For the second the binding's own source gets a loop with so many turns as are a hundredth of what
//! `std.std` of 1,000 items executes, in a worktree of the last commit, and `gate --counter instructions` compares that commit with it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use bindbench_analysis::instructions;
use bindbench_model::CellKey;
use bindbench_setup::checkout::Worktree;
use bindbench_store::Recorded;
use miette::{Context, IntoDiagnostic, Result, bail, miette};
use serde::{Deserialize, Serialize};

use super::builds::Yard;
use super::journal;

/// Processes that count.
const PROCESSES: usize = 20;

/// What is counted.
const CALLS: [&str; 8] = ["-w", "call.add", "-w", "std.std", "--size", "1000", "--preset", "smoke"];

/// What gets more work.
const CHANGED: &str = "std.std";

/// A binding, and how its source gets more work: `TURNS` turns of a loop.
struct Binding {
    lane: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// Instructions that a turn takes, more or less. What is built in in the end is counted.
    of_a_turn: f64,
}

const IN_C: &str = "for (int turn = 0; turn < TURNS; turn++) __asm__ volatile(\"\");";
const IN_PYTHON: &str = "for _ in range(TURNS):\n        pass";

/// One lane of each binding.
const BINDINGS: [Binding; 8] = [
    Binding {
        lane: "python/pure",
        file: "impls/python/bindbench_python/pure/std.py",
        from: "    return math.sqrt(var(data))",
        to: IN_PYTHON,
        of_a_turn: 93.0,
    },
    Binding {
        lane: "ctypes/rust",
        file: "impls/ctypes/bindbench_ctypes/rust/std.py",
        from: "    return _moment(library.bb_std, data)",
        to: IN_PYTHON,
        of_a_turn: 93.0,
    },
    Binding {
        lane: "cython/compiled",
        file: "impls/cython/std.pxi",
        from: "    return moment_of(bb_std, data)",
        to: "cdef volatile int turn = 0\n    while turn < TURNS:\n        turn += 1",
        of_a_turn: 6.0,
    },
    Binding {
        lane: "cython/rust",
        file: "impls/cython/std.pxi",
        from: "    return moment_of(bb_std, data)",
        to: "cdef volatile int turn = 0\n    while turn < TURNS:\n        turn += 1",
        of_a_turn: 6.0,
    },
    Binding { lane: "capi/c", file: "impls/capi/std.c", from: "    return moment_of(bb_std, data);", to: IN_C, of_a_turn: 2.0 },
    Binding { lane: "capi/rust", file: "impls/capi/std.c", from: "    return moment_of(bb_std, data);", to: IN_C, of_a_turn: 2.0 },
    Binding {
        lane: "pyo3/held",
        file: "impls/pyo3/src/held.rs",
        from: "    Ok(ffi::std(data.view()?)?)",
        to: "for turn in 0..TURNS {\n        core::hint::black_box(turn);\n    }",
        of_a_turn: 4.0,
    },
    Binding {
        lane: "native/rust",
        file: "impls/native/src/kernels.rs",
        from: "        moment(self.std, data)",
        to: "for turn in 0..TURNS {\n        core::hint::black_box(turn);\n    }",
        of_a_turn: 2.0,
    },
];

/// What was counted of a binding.
#[derive(Serialize, Deserialize)]
struct Counted {
    lane: String,
    /// By case: the fewest and the most instructions of a call, in so many processes.
    counts: Vec<(String, f64, f64, usize)>,
    found: Found,
}

/// What a gate said of the binding with more work.
#[derive(Serialize, Deserialize)]
struct Found {
    /// Of this case, which has the most instructions of its operation: the work is a hundredth of them.
    case: String,
    /// Turns of the loop that is the work.
    turns: u64,
    /// Head over base.
    ratio: f64,
    verdict: String,
}

/// Counts what is not in the journal yet, and prints all of it. A journal of another commit is to be removed by hand.
///
/// # Errors
/// When something can't be built or counted.
pub fn count(yard: &Yard, journal: &Path) -> Result<()> {
    let mut all: Vec<Counted> = journal::lines(journal)?;
    for binding in &BINDINGS {
        if all.iter().all(|counted| counted.lane != binding.lane) {
            let counted = binding.count(yard)?;
            journal::append(journal, &counted)?;
            all.push(counted);
        }
    }
    println!("{}", table(&all));
    Ok(())
}

impl Binding {
    fn count(&self, yard: &Yard) -> Result<Counted> {
        let runs = tempfile::tempdir_in(yard.layout.build()).into_diagnostic()?;
        let counts = self.repeated(yard, runs.path())?;
        let changed = counts.iter().filter(|(case, ..)| case.starts_with(CHANGED)).max_by(|(_, a, ..), (_, b, ..)| a.total_cmp(b));
        let (case, count, ..) = changed.ok_or_else(|| miette!("{} has no {CHANGED}", self.lane))?;
        let turns = (count / 100.0 / self.of_a_turn).round().max(1.0) as u64;
        let found = self.found(yard, runs.path(), case, turns)?;
        Ok(Counted { lane: self.lane.to_owned(), counts, found })
    }

    /// One lane, counted by many processes.
    fn repeated(&self, yard: &Yard, runs: &Path) -> Result<Vec<(String, f64, f64, usize)>> {
        let mut command = bindbench(yard, "run");
        command.args(CALLS).args(["-s", self.lane, "-p", &yard.version, "--generations", &PROCESSES.to_string()]);
        command.arg("--runs").arg(runs).arg("--out").arg(runs.join("report"));
        ended_well(&mut command, &[0])?;
        let folder = fs::read_dir(runs).into_diagnostic()?.flatten().map(|entry| entry.path()).find(|path| path.join("run.json").exists());
        let recorded = Recorded::read(&folder.ok_or_else(|| miette!("{} has not been counted", self.lane))?)?;
        let counts = recorded.run.cells.iter().filter_map(|cell| {
            let count = instructions(cell.id, &recorded.counts)?;
            Some((CellKey::of(cell, &recorded.run).case(), count.low, count.high, count.processes))
        });
        Ok(counts.collect())
    }

    /// What a gate says of the binding with more work.
    fn found(&self, yard: &Yard, runs: &Path, case: &str, turns: u64) -> Result<Found> {
        let worktree = Worktree::add(yard.layout.root(), "HEAD")?;
        let head = worktree.of(yard.layout.root())?;
        let source = head.join(self.file);
        let text = fs::read_to_string(&source).into_diagnostic()?;
        let indent = " ".repeat(self.from.len() - self.from.trim_start().len());
        let work = format!("{indent}{}\n{}", self.to.replace("TURNS", &turns.to_string()), self.from);
        // The operation is the last one of its kind in its file.
        let at = text.rfind(self.from).ok_or_else(|| miette!("{} has no line {:?} any more", self.file, self.from))?;
        fs::write(&source, format!("{}{work}{}", &text[..at], &text[at + self.from.len()..])).into_diagnostic()?;
        let mut command = bindbench(yard, "gate");
        command.args(["--json", "-w", CHANGED, "--size", "1000", "-s", self.lane, "-p", &yard.version, "--base-rev", "HEAD", "--head"]);
        let printed = ended_well(command.arg(&head).arg("--runs").arg(runs.join("gates")), &[0, 1, 3])?;
        let gated: serde_json::Value = serde_json::from_slice(&printed).into_diagnostic()?;
        let cells = gated["cells"].as_array().map_or(&[][..], Vec::as_slice);
        let cell = cells.iter().find(|cell| cell["case"] == case).ok_or_else(|| miette!("the gate says nothing of {case}: {gated}"))?;
        let ratio = &cell["by_instructions"]["ratio"];
        let found = ratio["low"].as_f64().zip(ratio["high"].as_f64()).zip(cell["verdict"].as_str());
        let ((low, high), verdict) = found.ok_or_else(|| miette!("the gate says something else: {cell}"))?;
        Ok(Found { case: case.to_owned(), turns, ratio: f64::midpoint(low, high), verdict: verdict.to_owned() })
    }
}

fn bindbench(yard: &Yard, command: &str) -> Command {
    let mut bindbench = Command::new(env!("CARGO_BIN_EXE_bindbench"));
    bindbench.current_dir(yard.layout.root()).args([command, "--counter", "instructions"]);
    bindbench
}

/// What it printed; one of these statuses is well.
fn ended_well(command: &mut Command, well: &[i32]) -> Result<Vec<u8>> {
    let output = command.output().into_diagnostic().wrap_err_with(|| format!("can't run {}", command.get_program().display()))?;
    if !output.status.code().is_some_and(|code| well.contains(&code)) {
        bail!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}

/// A row for each binding and case.
fn table(all: &[Counted]) -> String {
    let mut text =
        "| lane | case | instructions of a call | processes | alike | with a hundredth more work |\n|---|---|---|---|---|---|\n".to_owned();
    for Counted { lane, counts, found } in all {
        for (case, low, high, processes) in counts {
            let alike = if low == high { "all".to_owned() } else { format!("within {:.3} %", (high / low - 1.0) * 100.0) };
            let found =
                if *case == found.case { format!("{:+.2} %: {}", (found.ratio - 1.0) * 100.0, found.verdict) } else { "–".to_owned() };
            writeln!(text, "| {lane} | {case} | {low:.1} | {processes} | {alike} | {found} |").ok();
        }
    }
    text
}
