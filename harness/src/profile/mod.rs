//! Profiling: where the time of a cell goes, as flamegraphs with Python, binding, kernel and operating system in one stack.
//!
//! Data run one way here too: the worker is sampled (`sampler`, `record`), stacks are unwound (`image`, `unwind`), named (`perf_map`,
//! `names`, `class`), folded (`fold`), and drawn (`picture`, `index`). A profiled pass is never a timed one.

mod class;
mod fold;
mod image;
mod names;
mod perf_map;
mod record;
mod refusal;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod sampler;
mod unwind;
