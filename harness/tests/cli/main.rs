//! The program as people run it, on bad input and with bad luck. Each test has a checkout of its own, see [`sandbox`].

// A test fails by panicking; clippy lets `#[test]` functions do so, but not what they call.
#![allow(clippy::unwrap_used)]

mod builds;
mod claims;
mod compare;
mod counts;
mod damage;
mod debug;
mod disk;
mod documents;
mod export;
mod gate;
mod gauges;
mod history;
mod input;
mod interruptions;
mod leftovers;
mod locks;
mod misfits;
mod mutants;
mod one_build;
mod output;
mod profile;
#[cfg(feature = "pyspy")]
mod pyspy;
mod replay;
mod sandbox;
mod surroundings;
mod tally;
#[cfg(target_os = "linux")]
mod torture;
#[cfg(target_os = "linux")]
mod traces;
mod truth;
mod ways;
