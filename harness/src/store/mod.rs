//! A run on disk: its model, and the folder that holds it; and what profiling found.

mod folder;
pub mod gauges;
mod key;
pub mod model;
pub mod profile;

pub use folder::{Damage, Recorded, RunFolder, StoreError};
pub use key::CellKey;
