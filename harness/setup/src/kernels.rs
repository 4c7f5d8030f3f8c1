//! The shared library that every controlled lane calls, built from `impls/kernels`.

use miette::Result;

use super::cargo_library;
use super::layout::Layout;
use super::needs::Tools;

/// Builds the library, unless nothing changed. Cargo knows that better than we do, so it is always asked.
///
/// # Errors
/// When cargo is missing or fails.
pub fn build(layout: &Layout, tools: &Tools) -> Result<()> {
    cargo_library::build(layout, tools, &layout.root().join("Cargo.toml"), "bindbench-kernels", &layout.kernels_library())
}
