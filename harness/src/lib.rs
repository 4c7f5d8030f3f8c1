//! bindbench compares the ways Python can reach native code.
//!
//! Data runs one way: catalog → setup → measure → store → stats → report. One wing runs things (`catalog`, `setup`, `worker`,
//! `measure`, `profile`, `debug`), one reads what was run (`stats`, `report`); they meet only in `store` and under `cmd`.

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

pub mod worker;
