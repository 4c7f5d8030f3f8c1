//! What was asked for by name and could not be measured: that is no success.

use std::collections::BTreeSet;

use bindbench_catalog::{Catalog, CatalogError, Lane, Selection};
use bindbench_model::Skipped;
use bindbench_setup::interpreters::Interpreter;

/// What was asked for by name and is not among these lanes and interpreters, with the reason: a lane, or all that a pattern matches; and a lane that is named in full, for
/// an interpreter that is named.
pub(super) fn unmet(
    selection: &Selection,
    catalog: &Catalog,
    interpreters: &[Interpreter],
    posts: &BTreeSet<(String, Option<String>)>,
    skipped: &[Skipped],
) -> Result<Vec<String>, CatalogError> {
    let named_pythons = !selection.pythons.is_empty() && !selection.pythons.iter().any(|name| name == "all" || name.starts_with('!'));
    let pythons: Vec<Option<&String>> = interpreters.iter().filter(|_| named_pythons).map(|interpreter| Some(&interpreter.name)).collect();
    let mut unmet = Vec::new();
    for pattern in selection.lanes.iter().filter(|pattern| !pattern.starts_with('!')) {
        let only = Selection { lanes: vec![pattern.clone()], ..Selection::default() };
        let (meant, chosen) = (only.lanes(catalog)?, selection.contenders(catalog)?);
        let lanes: Vec<&Lane> = meant.into_iter().filter(|lane| chosen.iter().any(|other| other.id == lane.id)).collect();
        let has_cell = |python: Option<&String>| {
            let here = |interpreter: &Option<String>| python.is_none() || interpreter.is_none() || interpreter.as_ref() == python;
            posts.iter().any(|(id, interpreter)| here(interpreter) && lanes.iter().any(|lane| lane.id == *id))
        };
        let exact = lanes.iter().any(|lane| lane.id == *pattern);
        let wanted = if exact && has_cell(None) { pythons.clone() } else { vec![None] };
        for python in wanted.into_iter().filter(|&python| !lanes.is_empty() && !has_cell(python)) {
            let why = |skip: &&Skipped| {
                let here = python.is_none() || skip.interpreter.is_none() || skip.interpreter.as_ref() == python;
                here && lanes.iter().any(|lane| lane.id == skip.lane)
            };
            let reasons: BTreeSet<&str> = skipped.iter().filter(why).map(|skip| skip.reason.as_str()).collect();
            let reasons = if reasons.is_empty() { BTreeSet::from(["it has no operation that is selected"]) } else { reasons };
            let python = python.map(|name| format!(" for Python {name}")).unwrap_or_default();
            unmet.push(format!("{pattern}{python} ({})", reasons.into_iter().collect::<Vec<_>>().join("; ")));
        }
    }
    Ok(unmet)
}
