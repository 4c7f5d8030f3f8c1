//! Virtual environments: one with the tools from PyPI, one per interpreter in which its workers run.
//!
//! The tools are pinned by a lock with hashes. Environments of interpreters are empty and made by uv, because some interpreters
//! (Debian's among them) can't make their own. What is in one is kept with it: a module that somebody puts there changes what is measured.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use bindbench_files::{atomic, regular};
use bindbench_model::shortened;
use miette::{Context, IntoDiagnostic, Result, bail, miette};
use sha2::{Digest, Sha256};

use super::child;
use super::inputs::to_hex;
use super::interpreters::Interpreter;
use super::receipt::{artifacts, listing, sha256_of};
use super::without_python_variables;

/// Makes the environment with the tools, unless it is there and made from this very lock. Needs some interpreter that can make
/// environments, or uv on PATH; the newest will do.
///
/// # Errors
/// When there is neither, or PyPI can't be reached.
pub fn make_tools(folder: &Path, lock: &Path, found: &[Interpreter]) -> Result<()> {
    let digest = sha256_of(lock).into_diagnostic().wrap_err_with(|| format!("can't read {}", lock.display()))?;
    let marker = folder.join("made-from-lock");
    // Its programs begin with the path of its interpreter: those of a copy are the original's.
    let made = || Some(format!("{digest}\n{}", folder.canonicalize().ok()?.display()));
    if regular::read_to_string(&marker).is_ok_and(|made_from| Some(made_from) == made()) {
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
    atomic::replace(&marker, made().unwrap_or_default().as_bytes())
        .into_diagnostic()
        .wrap_err_with(|| format!("can't write {}", marker.display()))
}

/// Makes the empty environment of an interpreter, unless it is there, of this very interpreter, and as it was made. Returns its program.
///
/// # Errors
/// When uv can't make it.
pub fn make_for(interpreter: &Interpreter, folder: &Path, uv: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    if as_made(interpreter, folder).is_ok() {
        return Ok(python);
    }
    clear(folder)?;
    run(Command::new(uv).args(["venv", "--quiet", "--no-project", "--no-config", "--python"]).arg(&interpreter.program).arg(folder))?;
    let write = || atomic::replace(&folder.join(MADE_FOR), [vec![identity(interpreter)], contents(folder)?].concat().join("\n").as_bytes());
    write().into_diagnostic().wrap_err_with(|| format!("can't write {}", folder.join(MADE_FOR).display()))?;
    Ok(python)
}

/// File of an environment that says for which interpreter it was made, and what was in it then.
const MADE_FOR: &str = "made-for";

fn identity(interpreter: &Interpreter) -> String {
    format!("{} {}", interpreter.program.display(), interpreter.description)
}

/// Whether an interpreter's environment is there, and is what was made.
///
/// # Errors
/// Why not.
pub fn as_made(interpreter: &Interpreter, folder: &Path) -> Result<(), String> {
    let name = &interpreter.name;
    let Ok(made) = regular::read_to_string(&folder.join(MADE_FOR)) else { return Err(format!("Python {name} has no environment")) };
    let mut made = made.lines().map(str::to_owned);
    if made.next() != Some(identity(interpreter)) {
        return Err(format!("the environment of Python {name} was made for another interpreter"));
    }
    differs(folder, &made.collect::<Vec<_>>()).map_or(Ok(()), |what| Err(format!("{what} since the environment of Python {name} was made")))
}

/// What workers find in an environment: its program, its settings, and all that can be imported from it; a line each.
pub(super) fn contents(folder: &Path) -> io::Result<Vec<String>> {
    let program = folder.join("bin/python").canonicalize()?;
    let file = fs::metadata(&program)?;
    // It is large, and whoever installs another one does not keep its times.
    let identity = format!("{} {} {}.{}", program.display(), file.len(), file.mtime(), file.mtime_nsec());
    let program = format!("bin/python {}", to_hex(&Sha256::digest(identity)));
    let of_user = |path: &Path| path.file_name().is_none_or(|name| name != "__pycache__");
    let settings = artifacts(&folder.join("pyvenv.cfg"), |_| true, |_| true)?;
    let modules = artifacts(&folder.join("lib"), of_user, |_| true)?;
    Ok([vec![program], listing(&settings, folder), listing(&modules, folder)].concat())
}

/// What of an environment is not as it was; none when all is.
pub(super) fn differs(folder: &Path, then: &[String]) -> Option<String> {
    let now = match contents(folder) {
        Ok(now) if now == then => return None,
        Ok(now) => now,
        Err(error) => return Some(format!("{} can't be read any more ({error})", folder.display())),
    };
    let (then, now): (BTreeSet<&String>, BTreeSet<&String>) = (then.iter().collect(), now.iter().collect());
    let one = then.symmetric_difference(&now).next().and_then(|line| line.rsplit_once(' ')).map_or("", |(name, _)| name);
    let has = |lines: &BTreeSet<&String>| lines.iter().any(|line| line.rsplit_once(' ').is_some_and(|(name, _)| name == one));
    let what = match (has(&then), has(&now)) {
        (true, false) => "has gone",
        (false, true) => "has come",
        _ => "has changed",
    };
    Some(format!("{} {what}", folder.join(one).display()))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is in a folder is told apart by one file's name.
    #[test]
    fn what_comes_into_an_environment_goes_or_changes_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, text) in
            [("bin/python", "program"), ("pyvenv.cfg", "home = /usr/bin"), ("lib/python3.13/site-packages/_virtualenv.pth", "")]
        {
            fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            fs::write(path(name), text).unwrap();
        }
        let made = contents(folder.path()).unwrap();
        assert_eq!(differs(folder.path(), &made), None);
        let said = || differs(folder.path(), &made).unwrap();
        let module = path("lib/python3.13/site-packages/sitecustomize.py");
        fs::write(&module, "").unwrap();
        assert_eq!(said(), format!("{} has come", module.display()));
        fs::remove_file(&module).unwrap();
        // What an interpreter keeps of what it compiled is no module.
        fs::create_dir(module.with_file_name("__pycache__")).unwrap();
        fs::write(module.with_file_name("__pycache__").join("a.pyc"), "").unwrap();
        assert_eq!(differs(folder.path(), &made), None);
        fs::rename(path("bin/python"), path("bin/real")).unwrap();
        assert!(said().contains("can't be read any more"), "{}", said());
        fs::write(path("bin/python"), "#!/bin/sh\nexec bin/real\n").unwrap();
        assert_eq!(said(), format!("{} has changed", path("bin/python").display()));
        fs::rename(path("bin/real"), path("bin/python")).unwrap();
        fs::remove_file(path("lib/python3.13/site-packages/_virtualenv.pth")).unwrap();
        assert_eq!(said(), format!("{} has gone", path("lib/python3.13/site-packages/_virtualenv.pth").display()));
    }
}
