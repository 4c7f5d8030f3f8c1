//! Workers: how one is started, spoken to, watched and ended. The protocol itself is the crate `bindbench-protocol`.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod channel;
mod ending;
mod guard;
mod kin;
mod launch;
mod log;
mod memory;
mod process;
mod processes;
mod texts;
mod transport;

pub use ending::{Ending, PATIENCE, end_all};
pub use guard::{Guard, GuardList, perf_map_of, watch};
pub use launch::{Launch, telling_variables};
pub use log::LOGS;
pub use memory::{Tree, forget_the_peak, peak_bytes, tree};
pub use process::{Limits, Lost, Worker, signal_name};
pub use processes::descendants;
pub use transport::{Connection, Transport, Watch};
