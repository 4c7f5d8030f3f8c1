//! Shared libraries of the repository's own that cargo builds.

use std::fs;
use std::path::Path;
use std::process::Command;

use bindbench_files::atomic;
use miette::{Context, IntoDiagnostic, Result, bail, miette};

use super::child;
use super::layout::Layout;
use super::needs::Tools;
use super::receipt::sha256_of;

/// Builds the library of a package, unless nothing changed, and copies it to its place. Cargo knows that better than we do, so it is
/// always asked.
///
/// # Errors
/// When cargo is missing or fails.
pub fn build(layout: &Layout, tools: &Tools, manifest: &Path, package: &str, library: &Path) -> Result<()> {
    let Some(cargo) = tools.program("cargo") else {
        bail!("{package} can't be built: cargo is missing");
    };
    let file = library.file_name().ok_or_else(|| miette!("{} is no file", library.display()))?;
    let target = layout.target(package.trim_start_matches("bindbench-"), None);
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--release", "--locked", "--lib", "--package", package, "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target)
        .current_dir(layout.root())
        .env_remove("RUSTFLAGS");
    let output = child::output(&mut command).into_diagnostic().wrap_err("can't run cargo")?;
    if !output.status.success() {
        bail!("{package} does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let built = target.join("release").join(file);
    install(&built, library).into_diagnostic().wrap_err_with(|| format!("can't copy {package} to {}", library.display()))
}

/// Replaces the library only when it differs: the digest of the kernels is part of every receipt.
fn install(built: &Path, library: &Path) -> std::io::Result<()> {
    if sha256_of(library).is_ok_and(|old| sha256_of(built).is_ok_and(|new| old == new)) {
        return Ok(());
    }
    fs::create_dir_all(library.parent().unwrap_or(Path::new(".")))?;
    atomic::replace(library, &fs::read(built)?)
}
