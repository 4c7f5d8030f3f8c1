//! A cell as it is measured: what its worker is told, and what it has to answer.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use bindbench_protocol::Prepare;
use miette::{Result, miette};

use crate::catalog::axes::{Form, Parallel};
use crate::catalog::{Catalog, Oracle, passing};
use crate::setup::inputs::{Pool, make_pool};
use crate::setup::oracle::{Expected, expected};
use crate::store::model::{Case, Cell, Run};

/// What belongs to a cell while it is measured. In the order of the run's cells.
#[derive(Clone, Debug)]
pub struct Contender {
    /// The request that makes its inputs.
    pub prepare: Prepare,
    /// The right answers, in the order of its pool; cells of one case share them.
    pub expected: Rc<Vec<Expected>>,
    /// Memory its inputs take in the worker, bytes.
    pub resident_bytes: u64,
    /// CPUs to stay on; none where workers can't be pinned.
    pub cpus: Option<Vec<usize>>,
    /// Times are net of the empty loop, which is measured with every sample.
    pub net_of_loop: bool,
}

/// The pools of a run's cases, made once.
#[derive(Debug, Default)]
pub struct Pools {
    made: BTreeMap<u32, (Rc<Pool>, Rc<Vec<Expected>>)>,
}

impl Pools {
    /// The pool of a case and the right answers to it.
    ///
    /// # Errors
    /// When its files can't be written or read.
    fn of(&mut self, case: &Case, catalog: &Catalog, folder: &Path) -> Result<(Rc<Pool>, Rc<Vec<Expected>>)> {
        if let Some(made) = self.made.get(&case.id) {
            return Ok(made.clone());
        }
        let (workload, input, oracle) = definition(case, catalog)?;
        let pool = Rc::new(make_pool(folder, &workload.inputs[input], case.size)?);
        let made = (Rc::clone(&pool), Rc::new(expected(oracle, &pool)?));
        self.made.insert(case.id, made.clone());
        Ok(made)
    }

    /// All of them.
    pub fn all(&self) -> Vec<&Pool> {
        self.made.values().map(|(pool, _)| pool.as_ref()).collect()
    }
}

fn definition<'c>(case: &'c Case, catalog: &'c Catalog) -> Result<(&'c crate::catalog::Workload, &'c String, Oracle)> {
    let workload = catalog.workload(&case.workload);
    let found = workload.and_then(|workload| {
        let oracle = workload.operations.get(&case.operation)?.oracle;
        workload.inputs.contains_key(&case.input).then_some((workload, &case.input, oracle))
    });
    found.ok_or_else(|| miette!("the catalog has no {}.{} of {} (any more)", case.workload, case.operation, case.input))
}

/// What belongs to a cell.
///
/// # Errors
/// When the catalog does not know its lane or case, or its inputs can't be made.
pub fn contender(cell: &Cell, run: &Run, catalog: &Catalog, pools: &mut Pools, folder: &Path) -> Result<Contender> {
    let case = &run.cases[cell.case as usize];
    let lane =
        catalog.lanes().find(|lane| lane.id == cell.lane).ok_or_else(|| miette!("the catalog has no lane {} (any more)", cell.lane))?;
    let (pool, expected) = pools.of(case, catalog, folder)?;
    let form: Option<Form> = case.form.and_then(|form| passing(lane, &case.workload, form));
    let prepare = Prepare {
        cell: cell.id,
        workload: case.workload.clone(),
        operation: case.operation.clone(),
        pool: pool.arguments(form),
        threads: case.threads as usize,
        raises: expected.first().is_some_and(|expected| matches!(expected, Expected::Raises(_))),
    };
    let allowed = &run.environment.cpus;
    let wanted = if lane.parallel == Parallel::None { case.threads as usize } else { allowed.len() };
    // The last ones: interrupts and the rest of the system prefer the first.
    let cpus = run.environment.pinned.then(|| allowed[allowed.len().saturating_sub(wanted)..].to_vec());
    Ok(Contender { prepare, resident_bytes: pool.resident_bytes(form), expected, cpus, net_of_loop: case.net_of_loop })
}
