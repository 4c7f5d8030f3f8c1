//! Virtual environments: one with the tools from PyPI, one per interpreter in which its workers run.
//!
//! The tools are pinned by a lock with hashes. Environments of interpreters are empty and made by uv, because some interpreters
//! (Debian's among them) can't make their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bindbench_files::{atomic, regular};
use bindbench_model::shortened;
use miette::{Context, IntoDiagnostic, Result, bail, miette};

use super::child;
use super::interpreters::Interpreter;
use super::receipt::sha256_of;
use super::without_python_variables;

/// Makes the environment with the tools, unless it is there and made from this very lock. Needs some interpreter that can make
/// environments, or uv on PATH; the newest will do.
///
/// # Errors
/// When there is neither, or PyPI can't be reached.
pub fn make_tools(folder: &Path, lock: &Path, found: &[Interpreter]) -> Result<()> {
    let digest = sha256_of(lock).into_diagnostic().wrap_err_with(|| format!("can't read {}", lock.display()))?;
    let marker = folder.join("made-from-lock");
    if regular::read_to_string(&marker).is_ok_and(|made_from| made_from == digest) {
        return Ok(());
    }
    clear(folder)?;
    let python = folder.join("bin/python");
    // Free-threaded and alternative interpreters have fewer wheels.
    let maker = found.iter().find(|i| i.has_venv && i.implementation == "cpython" && !i.is_free_threaded());
    if let Some(maker) = maker {
        run(Command::new(&maker.program).args(["-m", "venv"]).arg(folder))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:", "-r"]).arg(lock))?;
    } else if let (Ok(uv), Some(maker)) = (which::which("uv"), found.first()) {
        run(Command::new(&uv).args(["venv", "--quiet", "--python"]).arg(&maker.program).arg(folder))?;
        run(Command::new(&uv)
            .args(["pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:", "--python"])
            .arg(&python)
            .arg("-r")
            .arg(lock))?;
    } else {
        return Err(miette!(
            help = "Debian, Ubuntu: apt install python3-venv; or install uv, which makes environments for any interpreter",
            "no interpreter here can make a virtual environment (the module venv or ensurepip is missing)"
        ));
    }
    atomic::replace(&marker, digest.as_bytes()).into_diagnostic().wrap_err_with(|| format!("can't write {}", marker.display()))
}

/// Makes the empty environment of an interpreter, unless it is there and of this very interpreter. Returns its program.
///
/// # Errors
/// When uv can't make it.
pub fn make_for(interpreter: &Interpreter, folder: &Path, uv: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let marker = folder.join("made-for");
    let identity = format!("{} {}", interpreter.program.display(), interpreter.description);
    if python.exists() && regular::read_to_string(&marker).is_ok_and(|made_for| made_for == identity) {
        return Ok(python);
    }
    clear(folder)?;
    run(Command::new(uv).args(["venv", "--quiet", "--no-project", "--no-config", "--python"]).arg(&interpreter.program).arg(folder))?;
    atomic::replace(&marker, identity.as_bytes()).into_diagnostic().wrap_err_with(|| format!("can't write {}", marker.display()))?;
    Ok(python)
}

fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).into_diagnostic().wrap_err_with(|| format!("can't clear {}", folder.display()))?;
    }
    let parent = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).into_diagnostic().wrap_err_with(|| format!("can't make {}", parent.display()))
}

fn run(command: &mut Command) -> Result<()> {
    // The user's own settings of pip's index are theirs to keep; those of Python are not meant for this.
    let output = child::output(without_python_variables(command));
    let output = output.into_diagnostic().wrap_err_with(|| format!("can't run {command:?}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        let last: Vec<&str> = said.lines().rev().take(12).collect();
        let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
        let last = shortened(&last, 4000);
        bail!(help = "the first set-up needs PyPI; after that, none of this is done again", "{command:?} failed:\n{last}");
    }
    Ok(())
}
