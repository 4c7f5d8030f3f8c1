//! Where py-spy is not built in, or the system is not known.

use super::refusal::Refused;
use super::sampling::{NoStacks, Sampled, Sampling};
use super::sitting::Studio;
use super::subject::Subject;

/// No samples.
///
/// # Errors
/// Always.
pub fn sample(_: &Subject, _: &Sampling, _: &Studio) -> Result<Sampled, NoStacks> {
    Err(NoStacks::Refused(reason()))
}

/// No samples.
///
/// # Errors
/// Always.
pub fn check() -> Result<(), Refused> {
    Err(reason())
}

fn reason() -> Refused {
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        Refused::NoPySpy
    } else {
        Refused::Elsewhere { way: "what is built around py-spy" }
    }
}
