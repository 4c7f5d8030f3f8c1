//! Profiling: where the time of a cell goes, as flamegraphs with Python, binding, kernel and operating system in one stack.
//!
//! Data run one way here too: a worker sits for a cell (`subject`, `sitting`), it is sampled (`builtin`, `sampler`, `record`), stacks are
//! unwound (`image`, `unwind`), named (`perf_map`, `names`, `class`), folded (`fold`), split by what was done (`split`), and drawn
//! (`picture`, `difference`, `firefox`). A profiled pass is never a timed one. Other ways to take samples are `perf`, `pyspy` and `pprof`.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]
// What only the built-in sampler uses is compiled everywhere, so that its tests run everywhere.
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64")), allow(dead_code))]

#[cfg_attr(not(all(target_os = "linux", target_arch = "x86_64")), path = "builtin_elsewhere.rs")]
mod builtin;
mod choice;
mod class;
pub mod debug;
pub mod difference;
mod firefox;
mod fold;
pub mod gil;
mod image;
#[cfg_attr(not(feature = "pyspy"), allow(dead_code))]
mod interleave;
mod maps;
pub mod memory;
mod names;
pub mod perf;
pub mod perf_map;
mod picture;
pub mod pprof;
#[cfg_attr(not(all(feature = "pyspy", target_os = "linux", target_arch = "x86_64")), path = "pyspy_elsewhere.rs")]
mod pyspy;
pub mod record;
mod refusal;
pub mod rhythm;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod sampler;
pub mod sampling;
mod sitting;
mod sizes;
mod split;
pub mod stacks;
mod subject;
mod unwind;
mod way;

pub use choice::{Backend, Choice};
pub use refusal::Refused;
pub use sampling::Sampling;
pub use sitting::{Sitting, Studio};
pub use sizes::Sizes;
pub use subject::{Begun, Cases, Subject, begin};
pub use way::Way;
