//! The shared library that every controlled lane calls, built from `impls/kernels`.

use std::fs;
use std::path::Path;
use std::process::Command;

use miette::{Context, IntoDiagnostic, Result, bail};

use super::layout::Layout;
use super::needs::Tools;
use super::receipt::sha256_of;
use crate::atomic;

/// Builds the library, unless nothing changed. Cargo knows that better than we do, so it is always asked.
///
/// # Errors
/// When cargo is missing or fails.
pub fn build(layout: &Layout, tools: &Tools) -> Result<()> {
    let Some(cargo) = tools.program("cargo") else {
        bail!("the kernels can't be built: cargo is missing");
    };
    let target = layout.target("kernels", None);
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--locked", "--package", "bindbench-kernels", "--lib", "--target-dir"])
        .arg(&target)
        .current_dir(layout.root())
        .env_remove("RUSTFLAGS")
        .output()
        .into_diagnostic()
        .wrap_err("can't run cargo")?;
    if !output.status.success() {
        bail!("the kernels don't build:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let library = layout.kernels_library();
    let built = target.join("release").join(library.file_name().unwrap_or_default());
    install(&built, &library).into_diagnostic().wrap_err_with(|| format!("can't copy the kernels to {}", library.display()))
}

/// Replaces the library only when it differs: its digest is part of every receipt.
fn install(built: &Path, library: &Path) -> std::io::Result<()> {
    if sha256_of(library).is_ok_and(|old| sha256_of(built).is_ok_and(|new| old == new)) {
        return Ok(());
    }
    fs::create_dir_all(library.parent().unwrap_or(Path::new(".")))?;
    atomic::replace(library, &fs::read(built)?)
}
