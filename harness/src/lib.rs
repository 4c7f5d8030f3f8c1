//! bindbench compares the ways Python can reach native code.
//!
//! Data runs one way: catalog → setup → measure → store → analysis → report. One wing runs things (`bindbench_catalog`, `setup`,
//! `bindbench_worker`, `measure`, `profile`, `debug`), one reads what was run (`analysis` by `bindbench_stats`, `report`); they meet only in
//! `bindbench_model`, `bindbench_store` and under `cmd`.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod analysis;
pub mod cmd;
pub mod debug;
#[doc(hidden)]
pub mod fuzzing;
pub mod measure;
pub mod profile;
pub mod report;
pub mod setup;
