//! bindbench compares the ways Python can reach native code.
//!
//! This crate is the command line: a file for each command. What commands do is done by the crates beside it: `catalog`, `setup`, `worker`,
//! `measure` and `inspect` run things, `analysis` (by `stats`) and `report` read what was run; they meet only in `model` and `store`.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cmd;
#[doc(hidden)]
pub mod fuzzing;
