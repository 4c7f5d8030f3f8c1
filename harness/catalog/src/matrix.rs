//! The matrix: which cases a preset and a selection span, and which lanes take part in each.

use std::collections::{BTreeMap, BTreeSet};

use bindbench_model::{Case, Form, Parallel, Skipped};
use clap::ValueEnum;

use super::error::CatalogError;
use super::selection::operation_names;
use super::workload::{Block, Preset, Size, Workload};
use super::{Catalog, Lane, Selection};

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

impl Matrix {
    /// Leaves out all but these lanes in these cases, and the cases that then have no lane.
    ///
    /// # Errors
    /// When that leaves nothing; `nothing` says of what.
    pub fn keep(&mut self, pairs: &BTreeSet<(u32, String)>, nothing: &str) -> Result<(), CatalogError> {
        self.wanted.retain(|wanted| pairs.contains(&(wanted.case, wanted.lane.clone())));
        if self.wanted.is_empty() {
            return Err(CatalogError::Nothing { why: nothing.to_owned() });
        }
        let kept: BTreeSet<u32> = self.wanted.iter().map(|wanted| wanted.case).collect();
        let numbers: BTreeMap<u32, u32> = kept.into_iter().zip(0..).collect();
        self.cases.retain(|case| numbers.contains_key(&case.id));
        for case in &mut self.cases {
            case.id = numbers[&case.id];
        }
        for wanted in &mut self.wanted {
            wanted.case = numbers[&wanted.case];
        }
        Ok(())
    }
}

/// Spans the matrix of a preset and a selection; `cpus` is how many there are.
///
/// # Errors
/// When a pattern matches nothing, or all together leave nothing.
pub fn matrix(catalog: &Catalog, selection: &Selection, preset: Preset, cpus: usize) -> Result<Matrix, CatalogError> {
    let blocks = |preset: Preset| move |workload: &Workload| workload.presets.get(&preset).cloned().unwrap_or_default();
    span(catalog, selection, blocks(preset), cpus, || {
        let has = |other: &&Preset| span(catalog, selection, blocks(**other), cpus, String::new).is_ok();
        let others: Vec<String> = Preset::value_variants().iter().filter(has).map(|other| format!("--preset {other}")).collect();
        let elsewhere = if others.is_empty() { "no preset has".to_owned() } else { format!("{} has", others.join(" or ")) };
        format!("the preset {preset} has no case of --workload {}; {elsewhere}", selection.workloads.join(" --workload "))
    })
}

/// The same over the few cases of each workload that `profile` looks at.
///
/// # Errors
/// As above.
pub fn matrix_to_profile(catalog: &Catalog, selection: &Selection, cpus: usize) -> Result<Matrix, CatalogError> {
    span(
        catalog,
        selection,
        |workload| workload.profile.clone(),
        cpus,
        || {
            let workloads = selection.workloads.join(" --workload ");
            format!("nothing of --workload {workloads} is profiled unless `--case` names a case, or `--preset` a preset that has some")
        },
    )
}

/// The same over cases that are named, `workload.operation[:input[:size]]`, each with the numbers of threads that are selected, or one.
///
/// # Errors
/// As above, and when nothing has a name in one of them.
pub fn matrix_of_cases(catalog: &Catalog, selection: &Selection, named: &[String]) -> Result<Matrix, CatalogError> {
    let threads = if selection.threads.is_empty() { &[1][..] } else { &selection.threads };
    let mut cases: Vec<Case> = Vec::new();
    for text in named {
        let case = catalog.case_for(text, None)?;
        for &threads in threads {
            let case = Case { threads, ..case.clone() };
            if !cases.iter().any(|other| same(other, &case)) {
                cases.push(Case { id: cases.len() as u32, ..case });
            }
        }
    }
    take_part(catalog, selection, cases)
}

fn span(
    catalog: &Catalog,
    selection: &Selection,
    blocks: impl Fn(&Workload) -> Vec<Block>,
    cpus: usize,
    nothing: impl Fn() -> String,
) -> Result<Matrix, CatalogError> {
    let operations = selection.operation_patterns(catalog)?;
    let mut cases = Vec::new();
    for workload in &catalog.workloads {
        let selected = |operation: &str| operations.select(&operation_names(&workload.name, operation));
        for block in blocks(workload) {
            for case in cases_of_block(workload, &block, selection, cpus) {
                if selected(&case.operation) && !cases.iter().any(|other| same(other, &case)) {
                    cases.push(Case { id: cases.len() as u32, ..case });
                }
            }
        }
    }
    if cases.is_empty() {
        return Err(CatalogError::Nothing { why: nothing() });
    }
    take_part(catalog, selection, cases)
}

/// The selected lanes, each in those of the cases in which it can take part.
fn take_part(catalog: &Catalog, selection: &Selection, cases: Vec<Case>) -> Result<Matrix, CatalogError> {
    let lanes = selection.contenders(catalog)?;
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
        let reasons: Vec<String> = skipped.iter().map(|((lane, operation), why)| format!("\n{lane} has no {operation}: {why}")).collect();
        return Err(CatalogError::Nothing { why: format!("no selected lane has a selected operation{}", reasons.concat()) });
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
/// that is parallel by itself has no place in a case about threads, nor one whose manifest does not speak of the workload.
fn takes(lane: &Lane, case: &Case) -> Result<bool, (String, String)> {
    if !lane.has(&case.workload, &case.operation)? {
        return Ok(false);
    }
    if let Some(form) = case.form
        && passing(lane, &case.workload, form).is_none()
    {
        let copies = lane.copies.of(&case.workload);
        let taken: Vec<String> = copies.keys().map(ToString::to_string).collect();
        let what = format!("{}.{} of a {form}", case.workload, case.operation);
        return Err((what, format!("takes {} only", taken.join(", "))));
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The catalog as it is in the repository: whatever is added to it, these hold.
    fn catalog() -> Catalog {
        Catalog::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")), &[]).unwrap()
    }

    fn select(workloads: &[&str], lanes: &[&str]) -> Selection {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Selection { workloads: texts(workloads), lanes: texts(lanes), ..Selection::default() }
    }

    #[test]
    fn every_preset_has_cases_and_no_case_twice() {
        for preset in [Preset::Smoke, Preset::Quick, Preset::Talk, Preset::Full] {
            let spanned = matrix(&catalog(), &Selection::default(), preset, 2).unwrap();
            assert!(spanned.cases.iter().enumerate().all(|(at, case)| case.id as usize == at));
            for (at, case) in spanned.cases.iter().enumerate() {
                assert!(!spanned.cases[..at].iter().any(|other| same(other, case)), "{case:?}");
                assert!(case.threads <= 2, "more threads than CPUs: {case:?}");
            }
            for workload in &catalog().workloads {
                assert!(spanned.cases.iter().any(|case| case.workload == workload.name), "{preset}: {}", workload.name);
            }
        }
    }

    #[test]
    fn what_is_kept_is_numbered_anew() {
        let mut spanned = matrix(&catalog(), &select(&["std"], &["python/pure", "capi/c"]), Preset::Smoke, 2).unwrap();
        let last = spanned.cases.last().unwrap().clone();
        assert!(spanned.keep(&BTreeSet::from([(last.id, "no/lane".into())]), "nothing of it").is_err());
        let mut spanned = matrix(&catalog(), &select(&["std"], &["python/pure", "capi/c"]), Preset::Smoke, 2).unwrap();
        spanned.keep(&BTreeSet::from([(last.id, "capi/c".into())]), "nothing of it").unwrap();
        assert_eq!(spanned.wanted, [Wanted { case: 0, lane: "capi/c".into() }]);
        assert_eq!(spanned.cases, [Case { id: 0, ..last }]);
    }

    #[test]
    fn every_workload_has_a_case_to_profile() {
        let catalog = catalog();
        let spanned = matrix_to_profile(&catalog, &Selection::default(), 2).unwrap();
        for workload in &catalog.workloads {
            assert!(spanned.cases.iter().any(|case| case.workload == workload.name), "{}", workload.name);
        }
    }

    #[test]
    fn a_size_of_the_users_replaces_the_presets_and_leaves_cases_without_size_alone() {
        let selection = Selection { sizes: vec![Size(77)], ..select(&["call"], &["python/pure"]) };
        let spanned = matrix(&catalog(), &selection, Preset::Smoke, 2).unwrap();
        assert!(spanned.cases.iter().any(|case| case.size.is_none()));
        assert!(spanned.cases.iter().any(|case| case.size == Some(77)));
        assert!(spanned.cases.iter().all(|case| case.size.is_none_or(|size| size == 77)));
    }

    #[test]
    fn threads_come_with_the_one_thread_that_they_are_compared_with() {
        let selection = Selection { threads: vec![8], ..select(&["call.noop"], &["python/pure"]) };
        let spanned = matrix(&catalog(), &selection, Preset::Smoke, 2).unwrap();
        assert_eq!(spanned.cases.iter().map(|case| case.threads).collect::<Vec<_>>(), [1, 8]);
    }

    #[test]
    fn a_lane_takes_part_where_it_has_the_operation_and_takes_the_form() {
        let mut catalog = catalog();
        let lane = catalog.strategies.iter_mut().flat_map(|strategy| &mut strategy.lanes).find(|lane| lane.id == "python/pure").unwrap();
        lane.without.insert("call.fail".into(), "never fails".into());
        let spanned = matrix(&catalog, &select(&["call.{fail,noop}"], &["python/pure"]), Preset::Smoke, 2).unwrap();
        let wanted: Vec<&str> = spanned.wanted.iter().map(|wanted| spanned.cases[wanted.case as usize].operation.as_str()).collect();
        assert_eq!(wanted, ["noop"]);
        let skipped =
            [Skipped { lane: "python/pure".into(), interpreter: None, operation: Some("call.fail".into()), reason: "never fails".into() }];
        assert_eq!(spanned.skipped, skipped);
        let nothing = matrix(&catalog, &select(&["call.fail"], &["python/pure"]), Preset::Smoke, 2);
        assert!(matches!(nothing, Err(CatalogError::Nothing { .. })), "{nothing:?}");
    }

    #[test]
    fn a_lane_that_teaches_takes_part_when_it_is_named_in_full() {
        let catalog = catalog();
        let teaching: Vec<&str> = catalog.lanes().filter(|lane| lane.teaching.is_some()).map(|lane| lane.id.as_str()).collect();
        assert_eq!(teaching, ["ctypes/pydll-leaky"]);
        let takes_part = |lanes: &[&str]| {
            let spanned = matrix(&catalog, &select(&["std.std"], lanes), Preset::Smoke, 2);
            spanned.is_ok_and(|spanned| spanned.wanted.iter().any(|wanted| wanted.lane == "ctypes/pydll-leaky"))
        };
        assert!(!takes_part(&[]) && !takes_part(&["ctypes/*"]) && !takes_part(&["*/pydll-leaky"]));
        assert!(takes_part(&["ctypes/pydll-leaky"]) && takes_part(&["python/pure", "ctypes/pydll-leaky"]));
        assert!(!takes_part(&["ctypes/pydll-leaky", "!ctypes/*", "python/pure"]));
        assert!(catalog.lanes().count() > select(&[], &[]).contenders(&catalog).unwrap().len());
    }

    #[test]
    fn a_mapped_file_stands_in_for_bytes_and_buffers_only() {
        let catalog = catalog();
        let mut lane = catalog.lanes().next().unwrap().clone();
        lane.copies = crate::Copies::All([(Form::Mapped, 0)].into());
        assert_eq!(passing(&lane, "kmp", Form::Bytes), Some(Form::Mapped));
        assert_eq!(passing(&lane, "std", Form::Buffer), Some(Form::Mapped));
        assert_eq!(passing(&lane, "std", Form::Boxed), None);
        lane.copies = crate::Copies::All([(Form::Mapped, 0), (Form::Bytes, 1)].into());
        assert_eq!(passing(&lane, "kmp", Form::Bytes), Some(Form::Bytes));
    }
}
