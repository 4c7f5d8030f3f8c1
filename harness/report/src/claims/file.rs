//! A claims file: `[[claim]]` with its `[[claim.test]]`s, read and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bindbench_catalog::{Catalog, CatalogError, TomlFile, nearest};
use bindbench_model::Run;
use serde::Deserialize;
use toml::Spanned;

use crate::cell_names::{CaseName, CellName};

use super::relation::{Limits, Relation, TestToml};

/// The claims of the talks.
const TALKS: &str = include_str!("../../../claims.toml");

/// A claim that measurements can confirm or refute.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Unique.
    pub id: String,
    /// Who claims it.
    pub source: String,
    /// The claim, a sentence.
    pub says: String,
    /// What to know to understand a verdict on it.
    pub note: Option<String>,
    /// CPUs without which nothing can be told.
    pub cpus: usize,
    /// It is about the GIL: nothing can be told where that is off.
    pub gil: bool,
    /// No verdict is wanted on it.
    pub reported: bool,
    /// Why nothing can be measured about it yet.
    pub missing: Option<String>,
    /// What has to hold, all of it.
    pub tests: Vec<Test>,
}

impl Claim {
    /// Every cell in it names its interpreter: it says the same whichever one is looked at.
    pub(super) fn names_its_interpreters(&self) -> bool {
        let lanes = self.tests.iter().flat_map(|test| test.relation.cells());
        let mut named =
            lanes.filter_map(|cell| if let CellName::Lane { python, .. } = cell { Some(python.is_some()) } else { None }).peekable();
        named.peek().is_some() && named.all(|named| named)
    }
}

/// One thing that has to hold.
#[derive(Clone, Debug)]
pub struct Test {
    /// What, where a claim has several.
    pub says: Option<String>,
    /// Cases that cells are of: the first one counts in which all have numbers.
    pub cases: Vec<CaseName>,
    /// Python threads that call at the same time.
    pub threads: u32,
    /// How the cells are related.
    pub relation: Relation,
    /// What the measured quantity has to keep to.
    pub limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileToml {
    claim: Vec<ClaimToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimToml {
    id: Spanned<String>,
    source: String,
    says: String,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    cpus: usize,
    #[serde(default)]
    gil: bool,
    #[serde(default)]
    reported: bool,
    #[serde(default)]
    missing: Option<String>,
    #[serde(default)]
    test: Vec<TestToml>,
}

/// The talks' claims.
///
/// # Errors
/// None in a program that passed its tests: the file is part of it.
pub fn of_the_talks() -> Result<Vec<Claim>, CatalogError> {
    claims(&TomlFile::new(Path::new("harness/claims.toml"), TALKS), None)
}

/// The claims of a file of the user's.
///
/// # Errors
/// Where it can't be read, is not as it should be, or names what nobody knows.
pub fn read(path: &Path, known: &Known) -> Result<Vec<Claim>, CatalogError> {
    claims(&TomlFile::read(path)?, Some(known))
}

/// The claims of a text; names are checked where they are known.
///
/// # Errors
/// When it is not as it should be.
pub fn parsed(text: &str, known: Option<&Known>) -> Result<Vec<Claim>, CatalogError> {
    claims(&TomlFile::new(Path::new("mine.toml"), text), known)
}

/// The claims of the talks, their names checked, for tests.
#[cfg(test)]
pub(super) fn of_the_talks_checked(known: &Known) -> Result<Vec<Claim>, CatalogError> {
    parsed(TALKS, Some(known))
}

/// Puts files' claims together.
///
/// # Errors
/// When two have one id.
pub fn joined(files: Vec<Vec<Claim>>) -> Result<Vec<Claim>, CatalogError> {
    let mut ids = BTreeSet::new();
    let all: Vec<Claim> = files.into_iter().flatten().collect();
    match all.iter().find(|claim| !ids.insert(claim.id.clone())) {
        Some(twice) => Err(CatalogError::ClaimTwice { id: twice.id.clone() }),
        None => Ok(all),
    }
}

fn claims(file: &TomlFile, known: Option<&Known>) -> Result<Vec<Claim>, CatalogError> {
    let mut ids = BTreeSet::new();
    let mut claims = Vec::new();
    for claim in file.parse::<FileToml>()?.claim {
        let span = claim.id.span();
        let id = claim.id.into_inner();
        if !ids.insert(id.clone()) {
            return Err(file.fault(span, format!("the claim {id:?} is there twice")));
        }
        let fine = if claim.test.is_empty() { claim.missing.is_some() || claim.reported } else { claim.missing.is_none() };
        if !fine {
            let message =
                format!("the claim {id:?} needs a [[claim.test]], or else says why there is none: `missing`, or `reported = true`");
            return Err(file.fault(span, message));
        }
        let several = claim.test.len() > 1;
        let mut tests = Vec::new();
        for test in claim.test {
            let span = test.relation.span();
            if several && test.says.is_none() {
                return Err(file.fault(span, format!("the claim {id:?} has several tests: each needs `says`, a sentence of its own")));
            }
            if let Some(known) = known {
                known.check(file, &test)?;
            }
            tests.push(test.checked(claim.reported).map_err(|message| file.fault(span, message))?);
        }
        claims.push(Claim {
            id,
            source: claim.source,
            says: claim.says,
            note: claim.note,
            cpus: claim.cpus,
            gil: claim.gil,
            reported: claim.reported,
            missing: claim.missing,
            tests,
        });
    }
    Ok(claims)
}

/// The names that a file can use: those of a run and of the catalog.
#[derive(Debug, Default)]
pub struct Known {
    lanes: BTreeSet<String>,
    /// `std.std` → its inputs.
    operations: BTreeMap<String, BTreeSet<String>>,
}

impl Known {
    /// All names of a run and a catalog.
    pub fn new(run: &Run, catalog: &Catalog) -> Self {
        let measured = run.lanes.iter().map(|lane| &lane.id).chain(run.skipped.iter().map(|skip| &skip.lane));
        let lanes = measured.chain(catalog.lanes().map(|lane| &lane.id)).cloned().collect();
        let mut operations: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for case in &run.cases {
            operations.entry(format!("{}.{}", case.workload, case.operation)).or_default().insert(case.input.clone());
        }
        for workload in &catalog.workloads {
            for block in workload.presets.values().flatten() {
                for operation in &block.operations {
                    operations.entry(format!("{}.{operation}", workload.name)).or_default().extend(block.inputs.iter().cloned());
                }
            }
        }
        Self { lanes, operations }
    }

    fn check(&self, file: &TomlFile, test: &TestToml) -> Result<(), CatalogError> {
        let fault = |span, message| Err(file.fault(span, message));
        for cell in test.cells() {
            if let CellName::Lane { lane, case, .. } = cell.get_ref() {
                if !self.lanes.contains(lane) {
                    return fault(cell.span(), format!("no lane {lane}; nearest: {}", nearest(lane, self.lanes.iter())));
                }
                if let Some(message) = case.as_ref().and_then(|case| self.unknown(case)) {
                    return fault(cell.span(), message);
                }
            }
        }
        match test.cases().find_map(|case| Some((case.span(), self.unknown(case.get_ref())?))) {
            Some((span, message)) => fault(span, message),
            None => Ok(()),
        }
    }

    fn unknown(&self, case: &CaseName) -> Option<String> {
        let operation = case.of_operation();
        let Some(inputs) = self.operations.get(&operation) else {
            return Some(format!("no operation {operation}; nearest: {}", nearest(&operation, self.operations.keys())));
        };
        let input = case.input.as_ref().filter(|input| !inputs.contains(*input))?;
        Some(format!("{operation} has no input {input}; nearest: {}", nearest(input, inputs.iter())))
    }
}
