//! Where the built-in sampler does not know the system.

use super::refusal::Refused;
use super::sampling::{NoStacks, Sampled, Sampling};
use super::sitting::Studio;
use super::subject::Subject;

/// No samples.
///
/// # Errors
/// Always.
pub fn sample(_: &Subject, _: &Sampling, _: &Studio) -> Result<Sampled, NoStacks> {
    Err(NoStacks::Refused(elsewhere()))
}

/// No samples.
///
/// # Errors
/// Always.
pub fn check(_: u64) -> Result<(), Refused> {
    Err(elsewhere())
}

fn elsewhere() -> Refused {
    Refused::Elsewhere { way: "the built-in sampler" }
}
