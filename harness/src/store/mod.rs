//! A run on disk: its model, and the folder that holds it; what profiling found; and pyperf's files.

pub mod counts;
mod folder;
pub mod gauges;
mod key;
mod lacking;
pub mod model;
pub mod profile;
pub mod pyperf;
mod valid;

pub use folder::{Damage, Recorded, RunFolder, StoreError};
pub use key::{CellKey, case_name};
pub use lacking::Lacking;
