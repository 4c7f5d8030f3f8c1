//! The commands, one file each; every one reads like the sentence that describes it.

pub mod bench_all;
pub mod clean;
pub mod doctor;
pub mod guard;
pub mod list;
pub mod report;
pub mod run;
pub mod setup;
