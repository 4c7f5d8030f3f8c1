//! A run on disk: its model, and the folder that holds it.

mod folder;
pub mod model;
pub mod profile;

pub use folder::{Damage, Recorded, RunFolder, StoreError};
