//! The same cell with an input of another size: the cases of a profile have sizes for pictures, other passes need longer calls.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use bindbench_catalog::{Input, Recipe, Workload, passing};
use bindbench_model::Form;
use bindbench_setup::Workshop;
use bindbench_setup::inputs::{Pool, make_pool};
use bindbench_setup::oracle::{Expected, expected};
use miette::{Result, miette};

use super::subject::Subject;

/// The largest input that is made, bytes (items count as 8).
const LARGEST_BYTES: u64 = 64 << 20;

/// The largest text: there are not much more of it.
const LARGEST_TEXT_BYTES: u64 = 1 << 20;

/// Workload, operation, input, size.
type Key = (String, String, String, u64);

/// Inputs and the right answers to them.
type Made = (Arc<Pool>, Arc<Vec<Expected>>);

/// Makes inputs of other sizes, each once.
pub struct Sizes<'w> {
    workshop: &'w Workshop,
    made: RefCell<BTreeMap<Key, Made>>,
}

impl<'w> Sizes<'w> {
    /// None is made yet.
    pub fn new(workshop: &'w Workshop) -> Self {
        Self { workshop, made: RefCell::default() }
    }

    /// The largest size that an input of the subject's is made in; none where it has no size.
    pub fn largest(&self, subject: &Subject) -> Option<u64> {
        subject.case.size?;
        let input = self.definition(subject).ok()?.1;
        let is_text = input.arguments.iter().any(|recipe| matches!(recipe, Recipe::Text(_)));
        Some(if is_text { LARGEST_TEXT_BYTES } else { LARGEST_BYTES / subject.bytes_of_item() })
    }

    /// The subject with an input of that size.
    ///
    /// # Errors
    /// When the input can't be made.
    pub fn resize(&self, subject: &Subject, size: u64) -> Result<Subject> {
        if subject.case.size == Some(size) {
            return Ok(subject.clone());
        }
        let (workload, input) = self.definition(subject)?;
        let mut resized = subject.clone();
        resized.case.size = Some(size);
        let (pool, answers) = self.pool(&resized, workload, input)?;
        let lane = self.workshop.catalog.lane(&subject.cell.lane)?;
        let form = subject.case.form.and_then(|form| passing(lane, &workload.name, form));
        resized.contender.prepare.pool = pool.arguments(form);
        resized.contender.expected = answers;
        resized.contender.resident_bytes = pool.resident_bytes(form);
        resized.contender.once = None;
        Ok(resized)
    }

    /// The form in which the subject's lane gets the input, and the copies of it that its manifest declares.
    pub fn passing(&self, subject: &Subject) -> Option<(Form, u32)> {
        let lane = self.workshop.catalog.lane(&subject.cell.lane).ok()?;
        let form = passing(lane, &subject.case.workload, subject.case.form?)?;
        Some((form, *lane.copies.of(&subject.case.workload).get(&form)?))
    }

    fn definition(&self, subject: &Subject) -> Result<(&Workload, &Input)> {
        let case = &subject.case;
        let workload = self.workshop.catalog.workload(&case.workload);
        let found = workload.and_then(|workload| Some((workload, workload.inputs.get(&case.input)?)));
        found.ok_or_else(|| miette!("the catalog has no {} of {} (any more)", case.workload, case.input))
    }

    fn pool(&self, subject: &Subject, workload: &Workload, input: &Input) -> Result<Made> {
        let case = &subject.case;
        let key = (case.workload.clone(), case.operation.clone(), case.input.clone(), case.size.unwrap_or_default());
        if let Some(made) = self.made.borrow().get(&key) {
            return Ok(made.clone());
        }
        let pool = Arc::new(make_pool(&self.workshop.layout, input, case.size)?);
        let made = (Arc::clone(&pool), Arc::new(expected(workload.operations[&case.operation].oracle, &pool)?));
        self.made.borrow_mut().insert(key, made.clone());
        Ok(made)
    }
}
