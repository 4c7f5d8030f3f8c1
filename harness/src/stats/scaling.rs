//! How throughput grows with threads.

use super::interval::Estimate;
use super::pairs::{NoRatio, Samples};

/// Throughput of `threads` threads over that of one: each thread makes every call of the loop, so it is threads · t₁ / tₙ, paired by
/// round. 1 is no gain, `threads` is perfect, below 1 the threads hinder each other.
///
/// # Errors
/// As [`Samples::ratio`].
pub fn scaling(samples: &Samples, one: u32, many: u32, threads: u32) -> Result<Estimate, NoRatio> {
    Ok(samples.ratio(one, many)?.times(f64::from(threads)))
}
