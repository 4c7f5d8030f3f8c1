//! The fairness ledger and the table of life cycles, as text.

use crate::Report;
use crate::format;
use crate::ledger::{Entry, Life, Wheels};

use super::section::SectionTable;

/// What each lane takes, copies, and leaves unchecked.
pub(super) fn ledger(report: &Report) -> SectionTable {
    let titles = ["Lane", "Comparison", "Binding", "Kernel", "GIL", "Parallel", "Takes (copies)", "Leaves unchecked"];
    let row = |entry: &Entry| {
        vec![
            entry.lane.clone(),
            entry.comparison.to_string(),
            entry.binding.clone(),
            entry.kernel.clone(),
            entry.gil.to_string(),
            entry.parallel.to_string(),
            takes(entry),
            entry.unchecked.iter().map(|(operation, check)| format!("{operation}: {check}")).collect::<Vec<_>>().join("; "),
        ]
    };
    SectionTable {
        title: "Fairness ledger".into(),
        notes: vec![
            "From the manifests. In parentheses: copies of the input that the binding makes before the kernel sees it. A lane that gets \
             another form of input than the others, makes another number of copies than the baseline, or is excused from a check has a \
             star in the tables."
                .into(),
            "Results are like for like: every lane gives back what its operation's contract says, and every sample's answer was \
             compared with the expected one."
                .into(),
        ],
        columns: titles.map(|title| (title.to_owned(), false)).to_vec(),
        rows: report.lanes.iter().map(row).collect(),
    }
}

/// `kmp, std: bytes (0), buffer (0); call: boxed list (1)`: workloads with the same forms and copies once.
fn takes(entry: &Entry) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (workload, copies) in &entry.copies {
        let forms: Vec<String> = copies.iter().map(|(form, copies)| format!("{form} ({copies})")).collect();
        let forms = forms.join(", ");
        match groups.iter_mut().find(|(known, _)| *known == forms) {
            Some((_, workloads)) => workloads.push(workload),
            None => groups.push((forms, vec![workload])),
        }
    }
    groups.iter().map(|(forms, workloads)| format!("{}: {forms}", workloads.join(", "))).collect::<Vec<_>>().join("; ")
}

/// What it takes to build, ship and keep each lane.
pub(super) fn lives(report: &Report) -> SectionTable {
    let columns = [
        ("Lane", false),
        ("Python", false),
        ("Clean build", true),
        ("Rebuild", true),
        ("Artifacts", true),
        ("Import", true),
        ("First call", true),
        ("Peak memory", true),
        ("Kernel lines", true),
        ("Glue lines", true),
        ("Unsafe lines", true),
        ("Wheels", false),
        ("Supports", false),
    ];
    let rows = report.lanes.iter().flat_map(|entry| entry.lives.iter().map(move |life| row(entry, life)));
    SectionTable {
        title: "Life cycle".into(),
        notes: vec![
            "Builds, artifacts and lines are the strategy's, which its lanes share; lines are neither blank nor comment only. A build's \
             time is there once `cargo bindbench setup --time-builds` has measured it. Import time is the median over the run's workers. \
             First call: how much longer a worker's first call takes than a later one, in the workload where that is most; peak memory is the worker's own resident set, with the inputs of all its cells."
                .into(),
        ],
        columns: columns.map(|(title, number)| (title.to_owned(), number)).to_vec(),
        rows: rows.collect(),
    }
}

fn row(entry: &Entry, life: &Life) -> Vec<String> {
    let seconds = |seconds: Option<f64>| seconds.map(|seconds| format::time(seconds * 1e9)).unwrap_or_default();
    let count = |count: Option<u64>| count.map(format::grouped).unwrap_or_default();
    let wheels = match life.wheels {
        Wheels::Pure => "one for all",
        Wheels::Abi3 => "abi3: one for each system",
        Wheels::PerSystem => "one for each system",
        Wheels::PerPython => "one for each Python and system",
        Wheels::NoPython => "none",
    };
    let supports = [life.implementations.join(", "), life.python.clone()].join(" ");
    vec![
        entry.lane.clone(),
        life.interpreter.clone().unwrap_or_default(),
        seconds(life.clean_build_s),
        seconds(life.incremental_build_s),
        life.artifact_bytes.filter(|bytes| *bytes > 0).map(bytes).unwrap_or_default(),
        life.import_ns.map(format::time).unwrap_or_default(),
        first_call(life),
        life.peak_resident_bytes.map(bytes).unwrap_or_default(),
        count(life.kernel_lines),
        count(life.glue_lines),
        count(life.unsafe_lines),
        wheels.to_owned(),
        supports.trim().to_owned(),
    ]
}

/// `+1.23 ms (bpe)`.
fn first_call(life: &Life) -> String {
    let most = life.first_call_ns.iter().max_by(|a, b| a.1.total_cmp(b.1));
    most.map(|(workload, excess)| format!("+{} ({workload})", format::time(*excess))).unwrap_or_default()
}

/// `1.23 MB`.
fn bytes(bytes: u64) -> String {
    format::throughput(bytes as f64, bindbench_model::Unit::Bytes).trim_end_matches("/s").to_owned()
}
