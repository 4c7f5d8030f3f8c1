//! The matrix: which cases a preset and a selection span, and which lanes take part in each.

use std::collections::{BTreeMap, BTreeSet};

use super::axes::{Form, Parallel};
use super::error::CatalogError;
use super::selection::operation_names;
use super::workload::{Block, Preset, Size, Workload};
use super::{Catalog, Lane, Selection};
use crate::store::model::{Case, Skipped};

/// A cell that is wanted: a lane in a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Index in [`Matrix::cases`].
    pub case: u32,
    /// The lane's id.
    pub lane: String,
}

/// What is to be measured, for each interpreter anew.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    /// The cases.
    pub cases: Vec<Case>,
    /// The lanes in them.
    pub wanted: Vec<Wanted>,
    /// Lanes in the selection that can't take part in some operation, with the reason.
    pub skipped: Vec<Skipped>,
}

/// Spans the matrix of a preset and a selection; `cpus` is how many there are.
///
/// # Errors
/// When a pattern matches nothing, or all together leave nothing.
pub fn matrix(catalog: &Catalog, selection: &Selection, preset: Preset, cpus: usize) -> Result<Matrix, CatalogError> {
    let lanes = selection.lanes(catalog)?;
    let operations = selection.operation_patterns(catalog)?;
    let mut cases = Vec::new();
    for workload in &catalog.workloads {
        let selected = |operation: &str| operations.select(&operation_names(&workload.name, operation));
        for block in workload.presets.get(&preset).into_iter().flatten() {
            for case in cases_of_block(workload, block, selection, cpus) {
                if selected(&case.operation) && !cases.iter().any(|other| same(other, &case)) {
                    cases.push(Case { id: cases.len() as u32, ..case });
                }
            }
        }
    }
    if cases.is_empty() {
        let why = format!("the preset {preset} has no case of that workload, size and number of threads");
        return Err(CatalogError::Nothing { why });
    }
    let mut skipped = BTreeMap::new();
    let mut wanted = Vec::new();
    for case in &cases {
        for lane in &lanes {
            match takes(lane, case) {
                Ok(true) => wanted.push(Wanted { case: case.id, lane: lane.id.clone() }),
                Ok(false) => {}
                Err((operation, reason)) => {
                    skipped.insert((lane.id.clone(), operation), reason);
                }
            }
        }
    }
    if wanted.is_empty() {
        return Err(CatalogError::Nothing { why: "no selected lane has a selected operation".to_owned() });
    }
    let skipped = skipped
        .into_iter()
        .map(|((lane, operation), reason)| Skipped { lane, interpreter: None, operation: Some(operation), reason })
        .collect();
    Ok(Matrix { cases, wanted, skipped })
}

fn cases_of_block(workload: &Workload, block: &Block, selection: &Selection, cpus: usize) -> Vec<Case> {
    let sizes: Vec<Option<Size>> = match (block.sizes.is_empty(), selection.sizes.is_empty()) {
        (true, _) => vec![None],
        (false, true) => block.sizes.iter().copied().map(Some).collect(),
        (false, false) => selection.sizes.iter().copied().map(Some).collect(),
    };
    let threads: BTreeSet<u32> = if selection.threads.is_empty() {
        block.threads.iter().copied().filter(|&n| n as usize <= cpus).collect()
    } else {
        // Scaling is over one thread, so that is measured too.
        selection.threads.iter().copied().chain([1]).collect()
    };
    let mut cases = Vec::new();
    for operation in &block.operations {
        for name in &block.inputs {
            let input = &workload.inputs[name];
            for &size in &sizes {
                for &threads in &threads {
                    cases.push(Case {
                        id: 0,
                        workload: workload.name.clone(),
                        operation: operation.clone(),
                        input: name.clone(),
                        form: input.form,
                        size: size.map(|Size(size)| size),
                        unit: input.unit,
                        threads,
                        net_of_loop: workload.net_of_loop,
                    });
                }
            }
        }
    }
    cases
}

fn same(a: &Case, b: &Case) -> bool {
    Case { id: 0, ..a.clone() } == Case { id: 0, ..b.clone() }
}

/// Whether a lane takes part in a case; the error is the operation and the reason, for people. `false` is no loss to them: a lane
/// that is parallel by itself has no place in a case about threads.
fn takes(lane: &Lane, case: &Case) -> Result<bool, (String, String)> {
    let operation = format!("{}.{}", case.workload, case.operation);
    lane.has(&case.workload, &case.operation).map_err(|reason| (operation.clone(), reason))?;
    if let Some(form) = case.form
        && passing(lane, &case.workload, form).is_none()
    {
        let copies = lane.copies.of(&case.workload);
        let taken: Vec<String> = copies.keys().map(ToString::to_string).collect();
        return Err((format!("{operation} of a {form}"), format!("takes {} only", taken.join(", "))));
    }
    Ok(case.threads == 1 || lane.parallel == Parallel::None)
}

/// The form in which a lane gets an input of the given form: that form, or a mapped file instead of bytes or a buffer; none when
/// it takes neither.
pub fn passing(lane: &Lane, workload: &str, form: Form) -> Option<Form> {
    let copies = lane.copies.of(workload);
    let mapped = (form != Form::Boxed).then_some(Form::Mapped);
    [Some(form), mapped].into_iter().flatten().find(|form| copies.contains_key(form))
}
