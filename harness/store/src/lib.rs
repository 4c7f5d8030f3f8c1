//! Runs and profiles on disk: written as rounds end, read whole or refused with the place of the fault; and the files of pyperf.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod counts;
mod folder;
mod lacking;
pub mod profile;
pub mod pyperf;
#[cfg(any(test, feature = "synthetic"))]
pub mod synthetic;
mod valid;

pub use counts::COUNTS;
pub use folder::{Damage, Recorded, RunFolder, StoreError};
pub use lacking::Lacking;
