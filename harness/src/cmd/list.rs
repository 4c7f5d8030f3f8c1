//! `bindbench list`: lanes and workloads with their state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use bindbench_catalog::{Lane, Selection};
use bindbench_model::{Comparison, Form, Gil, Parallel};
use bindbench_report::seen;
use bindbench_setup::build::State;
use bindbench_setup::definitions::Undefined;
use bindbench_setup::interpreters::Interpreter;
use bindbench_setup::launch::launch;
use bindbench_setup::layout::Layout;
use bindbench_setup::{Workshop, definitions};
use bindbench_worker::Launch;
use clap::Parser;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, LineStyle, Table};
use miette::{IntoDiagnostic, Result};
use serde::Serialize;

use super::print;

/// What to show; everything when nothing is selected.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Print JSON: for every lane its axes, its state, and how to start its worker
    #[arg(long)]
    json: bool,
}

/// Shows the selected lanes.
///
/// # Errors
/// When a selection matches nothing.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    show(&Workshop::open(Layout::find(), catalogs)?, &args.selection, args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// A lane for an interpreter, and where it stands.
#[derive(Debug, Serialize)]
struct Row<'a> {
    lane: &'a str,
    /// Name of the interpreter; null for a native lane.
    interpreter: Option<&'a str>,
    /// `ready`, `skipped`, `stale`, `not set up`.
    state: &'static str,
    reason: Option<String>,
    /// Skipped because its build failed, not because something is missing here.
    broken: bool,
    summary: &'a str,
    comparison: Comparison,
    kernel: &'a str,
    binding: &'a str,
    gil: Gil,
    parallel: Parallel,
    /// Workload → form of input → copies of it the binding makes.
    copies: BTreeMap<&'a str, BTreeMap<Form, u32>>,
    operations: Vec<String>,
    /// Operation that the manifest declares, and the module does not define → the module's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    undefined: Option<&'a BTreeMap<String, String>>,
    /// Operation or workload → why the lane does not have it.
    without: &'a BTreeMap<String, String>,
    unchecked: &'a BTreeMap<String, String>,
    /// What a lane with a fault on purpose is there to teach; null for all others.
    teaching: Option<&'a str>,
    /// How to start its worker; null when it is not ready.
    worker: Option<Launch>,
}

#[derive(Debug, Serialize)]
struct Listing<'a> {
    lanes: Vec<Row<'a>>,
}

/// Prints the selected lanes for the selected interpreters, with their state.
///
/// # Errors
/// When a selection matches nothing.
pub fn show(workshop: &Workshop, selection: &Selection, json: bool) -> Result<()> {
    let lanes = selection.lanes(&workshop.catalog)?;
    let interpreters = workshop.interpreters(&selection.pythons, &lanes)?;
    let undefined = definitions::undefined(workshop, &lanes);
    let mut rows = Vec::new();
    for lane in &lanes {
        if lane.is_native() {
            rows.push(row(workshop, lane, None, &undefined)?);
        } else {
            for interpreter in &interpreters {
                rows.push(row(workshop, lane, Some(interpreter), &undefined)?);
            }
        }
    }
    if json {
        print(&(serde_json::to_string_pretty(&Listing { lanes: rows }).into_diagnostic()? + "\n"))
    } else {
        print(&text(workshop, &rows))
    }
}

fn row<'a>(workshop: &'a Workshop, lane: &'a Lane, interpreter: Option<&'a Interpreter>, undefined: &'a Undefined) -> Result<Row<'a>> {
    let stands = workshop.state(lane, interpreter);
    let broken = matches!(stands, State::Failed(_));
    let (state, reason, worker) = match stands {
        State::Ready(receipt) => ("ready", None, Some(launch(workshop, lane, interpreter, &receipt)?)),
        State::Skipped(reason) | State::Failed(reason) => ("skipped", Some(reason), None),
        State::Stale(reason) => ("stale", Some(reason), None),
        State::Unbuilt => ("not set up", None, None),
    };
    let workloads = &workshop.catalog.workloads;
    let operations = workloads.iter().flat_map(|workload| {
        let has = workload.operations.keys().filter(|operation| lane.has(&workload.name, operation) == Ok(true));
        has.map(|operation| format!("{}.{operation}", workload.name))
    });
    Ok(Row {
        lane: &lane.id,
        interpreter: interpreter.map(|interpreter| interpreter.name.as_str()),
        state,
        reason,
        broken,
        summary: &lane.summary,
        comparison: lane.comparison,
        kernel: &lane.kernel,
        binding: &lane.binding,
        gil: lane.gil,
        parallel: lane.parallel,
        copies: workloads.iter().map(|workload| (workload.name.as_str(), lane.copies.of(&workload.name))).collect(),
        operations: operations.collect(),
        undefined: undefined.get(&lane.id).filter(|operations| !operations.is_empty()),
        without: &lane.without,
        unchecked: &lane.unchecked,
        teaching: lane.teaching.as_deref(),
        worker,
    })
}

fn text(workshop: &Workshop, rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    // Some terminals don't know their size, and say 0.
    if table.width() != Some(0) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    let mut header = vec!["lane", "python", "comparison", "GIL", "parallel"];
    let workloads: Vec<(&str, usize)> =
        workshop.catalog.workloads.iter().map(|workload| (workload.name.as_str(), workload.operations.len())).collect();
    header.extend(workloads.iter().map(|(name, _)| *name));
    header.push("state");
    table.set_header(header);
    for row in rows {
        let mut cells = vec![row.lane.to_owned(), row.interpreter.unwrap_or("–").to_owned(), row.comparison.to_string()];
        cells.extend([row.gil.to_string(), row.parallel.to_string()]);
        for (workload, all) in &workloads {
            let of_it = |operation: &&String| operation.split('.').next() == Some(*workload);
            let defined = |operation: &&String| row.undefined.is_none_or(|undefined| !undefined.contains_key(*operation));
            let has = row.operations.iter().filter(of_it).filter(defined).count();
            cells.push(if has == *all {
                "all".to_owned()
            } else if has == 0 {
                "–".to_owned()
            } else {
                format!("{has} of {all}")
            });
        }
        cells.push(row.state.to_owned());
        table.add_row(cells);
    }
    // The lanes of a strategy have one build, and one reason.
    let mut same: Vec<((&str, &String), Vec<&str>)> = Vec::new();
    for row in rows {
        let Some(reason) = &row.reason else { continue };
        match same.iter_mut().find(|(known, _)| *known == (row.state, reason)) {
            Some((_, lanes)) if lanes.contains(&row.lane) => {}
            Some((_, lanes)) => lanes.push(row.lane),
            None => same.push(((row.state, reason), vec![row.lane])),
        }
    }
    let reasons = same.iter().map(|((state, reason), lanes)| format!("{} {state}: {}", lanes.join(", "), seen(reason)));
    let missing = rows.iter().flat_map(|row| row.without.iter().map(|(what, why)| format!("{} has no {what}: {why}", row.lane)));
    let undefined = rows.iter().flat_map(|row| {
        let mut files: BTreeMap<&String, Vec<&str>> = BTreeMap::new();
        row.undefined.into_iter().flatten().for_each(|(operation, file)| files.entry(file).or_default().push(operation));
        files.into_iter().map(|(file, operations)| format!("{} declares {}, which {file} does not define", row.lane, operations.join(", ")))
    });
    let teaching = rows.iter().filter_map(|row| Some(format!("{} is measured only by its full name: {}", row.lane, row.teaching?)));
    let mut notes: Vec<String> = reasons.chain(missing).chain(undefined).chain(teaching).collect();
    // A lane has a row for each interpreter.
    let mut seen = BTreeSet::new();
    notes.retain(|note| seen.insert(note.clone()));
    format!("{table}\n{}{}", notes.join("\n"), if notes.is_empty() { "" } else { "\n" })
}
