//! Libraries that take samples inside a worker. They are not part of the usual set-up: few machines need them.

use std::path::PathBuf;

use miette::Result;

use super::cargo_library;
use super::layout::Layout;
use super::needs::Tools;

/// Builds the library around pprof, unless nothing changed. Returns its path.
///
/// # Errors
/// When cargo is missing or fails.
pub fn pprof(layout: &Layout, tools: &Tools) -> Result<PathBuf> {
    let library = layout.sampler("pprof");
    cargo_library::build(layout, tools, &layout.root().join("samplers/pprof/Cargo.toml"), "bindbench-pprof", &library)?;
    Ok(library)
}
