//! Workers: how one is started, spoken to, watched and ended. The protocol itself is the crate `bindbench-protocol`.

mod guard;
mod launch;
mod memory;
mod process;

pub use guard::{Guard, GuardList, perf_map_of, watch};
pub use launch::KEPT;
pub use launch::Launch;
pub use memory::{Tree, descendants, forget_the_peak, peak_bytes, tree};
pub use process::{Limits, Lost, Worker, signal_name};
