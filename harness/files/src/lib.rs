//! Files that nobody reads half of, and folders that two processes never write to at the same time.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod atomic;
pub mod lock;
pub mod regular;
