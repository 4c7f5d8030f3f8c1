//! The ways to take samples of stacks.

use std::fmt;

use clap::ValueEnum;

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// The first of the others that works here
    Auto,
    /// The sampler of this program
    Sampler,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The sampler of this program.
    Builtin,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Builtin => "the built-in sampler",
        })
    }
}
