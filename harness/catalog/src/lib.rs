//! What there is to measure: strategies, workloads, the selection grammar, and the matrix of cells they span.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod case;
mod error;
pub mod manifest;
mod matrix;
mod names;
mod rules;
mod selection;
mod sides;
pub mod workload;

use std::path::{Path, PathBuf};

pub use case::case_of;
pub use error::TomlFile;
pub use error::{CHECKOUT, CatalogError};
pub use manifest::{Build, Copies, Entry, Lane, Need, Strategy};
pub use matrix::{Matrix, Wanted, matrix, matrix_of_cases, matrix_to_profile, passing};
pub use rules::Rules;
pub use selection::nearest;
pub use selection::{Patterns, Selection};
pub use sides::Side;
pub use workload::{Corpus, Input, Operation, Oracle, Preset, Recipe, Size, Workload};

/// All strategies and workloads.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// Every strategy, in the order of the catalogs and of their folders' names.
    pub strategies: Vec<Strategy>,
    /// Every workload.
    pub workloads: Vec<Workload>,
}

/// One name, one strategy.
fn refuse_twice(strategies: &[Strategy], new: &Strategy) -> Result<(), CatalogError> {
    match strategies.iter().find(|other| other.name == new.name) {
        Some(first) => Err(CatalogError::Twice { name: new.name.clone(), first: first.folder.clone(), second: new.folder.clone() }),
        None => Ok(()),
    }
}

impl Catalog {
    /// Reads `impls/` and `harness/workloads/` below the root, and the strategies of further folders.
    ///
    /// # Errors
    /// When a manifest or workload is not as it should be, or a strategy is there twice.
    pub fn read(root: &Path, more: &[PathBuf]) -> Result<Self, CatalogError> {
        let workloads = workload::read_workloads(&root.join("harness/workloads"))?;
        let mut strategies: Vec<Strategy> = Vec::new();
        let own = root.join("impls");
        let folders = [(CHECKOUT, &own)].into_iter().chain(more.iter().map(|folder| ("--catalog", folder)));
        for (given, folder) in folders {
            for strategy in manifest::read_strategies(given, folder, Some(&workloads))? {
                refuse_twice(&strategies, &strategy)?;
                strategies.push(strategy);
            }
        }
        Ok(Self { strategies, workloads })
    }

    /// All lanes.
    pub fn lanes(&self) -> impl Iterator<Item = &Lane> {
        self.strategies.iter().flat_map(|strategy| &strategy.lanes)
    }

    /// The strategy a lane belongs to.
    pub fn strategy_of(&self, lane: &Lane) -> Option<&Strategy> {
        self.strategies.iter().find(|strategy| strategy.name == lane.strategy)
    }

    /// The workload of a name.
    pub fn workload(&self, name: &str) -> Option<&Workload> {
        self.workloads.iter().find(|workload| workload.name == name)
    }
}
