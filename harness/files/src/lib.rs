//! Files that nobody reads half of, and folders that two processes never write to at the same time.

pub mod atomic;
pub mod lock;
