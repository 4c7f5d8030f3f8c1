//! The words of a run as types: cases, cells, lanes, statuses, and what `run.json`, `samples.csv`, `counts.csv` and `profile.json` hold.
//!
//! Data only. Files are read and written elsewhere; nothing here knows a strategy or a workload by name.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod axes;
mod command;
mod counts;
pub mod gauges;
mod key;
pub mod profile;
mod run;
mod shortened;
mod unseen;

pub use axes::{Comparison, Form, Gil, Parallel};
pub use command::{quoted, shell};
pub use counts::{Count, Counter, Counting};
pub use key::{CellKey, case_name};
pub use run::{
    BuildRecord, Case, Cell, Declared, Environment, FirstCall, GateRecord, Interpreter, LaneRecord, Lines, Plan, ReceiptRecord, Run,
    RunState, SCHEMA, Sample, Skipped, Status, Unit, WorkerRecord, WorkloadRecord, time_only,
};
pub use shortened::shortened;
pub use unseen::is_unseen;
