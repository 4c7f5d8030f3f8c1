//! What has to be measured to judge claims.

use std::collections::BTreeSet;

use bindbench_model::Case;

use crate::cell_names::{CaseName, CellName};

use super::file::{Claim, Test};
use super::relation::Relation;

/// Ids of the cases that the claims need, with the lanes in them. Of a test's alternative cases it is the first that there is.
pub fn needed(claims: &[Claim], cases: &[Case]) -> BTreeSet<(u32, String)> {
    claims.iter().flat_map(|claim| &claim.tests).flat_map(|test| of_test(test, cases)).collect()
}

fn of_test(test: &Test, cases: &[Case]) -> Vec<(u32, String)> {
    let there = |name: &&CaseName| cases.iter().any(|case| is_of(name, case));
    let chosen: Vec<&CaseName> = match test.relation {
        Relation::NoWinner { .. } => test.cases.iter().collect(),
        _ => test.cases.iter().find(there).into_iter().collect(),
    };
    let mut needed = Vec::new();
    for cell in test.relation.cells() {
        let CellName::Lane { lane, case, threads, .. } = cell else { continue };
        let names = case.as_ref().map_or_else(|| chosen.clone(), |case| vec![case]);
        let wanted = |case: &&Case| {
            // Scaling is over one thread.
            let scaled = matches!(test.relation, Relation::Scaling { .. }) && case.threads == 1;
            names.iter().any(|name| is_of(name, case)) && (case.threads == threads.unwrap_or(test.threads) || scaled)
        };
        let all = cases.iter().filter(wanted).map(|case| (case.id, lane.clone()));
        // What a profile tells is no matter of size; one case is enough to know the lane's build by.
        let most = if matches!(test.relation, Relation::Gil { .. } | Relation::Share { .. }) { 1 } else { usize::MAX };
        needed.extend(all.take(most));
    }
    needed
}

/// Whether a name stands for a case, whatever its threads; without a size it stands for all sizes.
fn is_of(name: &CaseName, case: &Case) -> bool {
    (&*name.workload, &*name.operation) == (&*case.workload, &*case.operation)
        && name.input.as_ref().is_none_or(|input| *input == case.input)
        && (name.size.is_none() || name.size == case.size)
}
