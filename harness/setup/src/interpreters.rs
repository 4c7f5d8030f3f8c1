//! Interpreters: which ones there are on this machine, and which of them a user means.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bindbench_catalog::Strategy;
use bindbench_model::shortened;
use miette::{Diagnostic, Result};
use pep440_rs::Version;
use rayon::prelude::*;
use serde::Deserialize;
use thiserror::Error;

/// Older ones are found and named by `doctor`, not measured.
const OLDEST: &str = "3.9";

/// A Python program, as it describes itself (`pyscripts/probe.py`).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Interpreter {
    /// Short name, unique on this machine: `3.13.0`, `3.14.2t` (free-threaded), `pypy3.11.17`.
    #[serde(skip)]
    pub name: String,
    /// The program, links resolved.
    pub program: PathBuf,
    /// `cpython`, `pypy`.
    pub implementation: String,
    /// Version of the language.
    pub version: Version,
    /// Version of PyPy itself.
    pub pypy: Option<String>,
    /// `sys.version` on one line.
    pub description: String,
    /// Build flags that change speed.
    pub flags: Vec<String>,
    /// Shared libpython it runs from.
    pub libpython: Option<String>,
    /// Folder with `Python.h`; none when it is not installed.
    pub include: Option<PathBuf>,
    /// End of extension modules' names.
    pub ext_suffix: String,
    /// It can make virtual environments by itself (Debian's can't without a further package).
    pub has_venv: bool,
}

impl Interpreter {
    /// The build runs without the GIL.
    pub fn is_free_threaded(&self) -> bool {
        self.flags.iter().any(|flag| flag == "free-threaded")
    }

    /// Whether a strategy supports it; if not, why.
    ///
    /// # Errors
    /// The reason, a sentence.
    pub fn supported_by(&self, strategy: &Strategy) -> Result<(), String> {
        if !strategy.implementations.contains(&self.implementation) {
            return Err(format!("{} supports {} only", strategy.name, strategy.implementations.join(", ")));
        }
        // "3.15.0rc1" is meant to be in ">=3.9, <3.16" too, and pre-releases never are in PEP 440.
        let release = Version::new(self.version.release());
        if !strategy.python.contains(&release) {
            return Err(format!("{} supports Python {}", strategy.name, strategy.python));
        }
        Ok(())
    }

    fn named(mut self) -> Self {
        let suffix = match (self.is_free_threaded(), self.flags.iter().any(|flag| flag == "debug")) {
            (true, _) => "t",
            (false, true) => "d",
            (false, false) => "",
        };
        let prefix = if self.implementation == "cpython" { "" } else { self.implementation.as_str() };
        self.name = format!("{prefix}{}{suffix}", self.version);
        self
    }
}

/// An interpreter asked for is not there.
#[derive(Debug, Error, Diagnostic)]
pub enum InterpreterError {
    /// None at all.
    #[error("no CPython {OLDEST} or newer found")]
    #[diagnostic(help(
        "Debian, Ubuntu: apt install python3-dev python3-venv; Fedora: dnf install python3-devel; macOS: brew install python"
    ))]
    None,
    /// There are some, and none is taken unless it is named.
    #[error("no CPython {OLDEST} or newer with a GIL found")]
    #[diagnostic(help("found: {found}; `--python` takes one of these"))]
    NoUsual {
        /// What there is.
        found: String,
    },
    /// What was asked for leaves none.
    #[error("--python {wanted} leaves no interpreter")]
    #[diagnostic(help("found: {found}"))]
    NoneLeft {
        /// What was asked for.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// No interpreter of that version.
    #[error("--python {wanted} matches no interpreter found")]
    #[diagnostic(help(
        "found: {found}\nlooked on PATH, in pyenv's and uv's folders, in the active virtual environment; a program's path works too"
    ))]
    NoMatch {
        /// What was asked for.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// There may be some, but the system refuses to run them.
    #[error("no CPython {OLDEST} or newer can be run:\n  {}", .reasons.join("\n  "))]
    #[diagnostic(help("see what limits this shell has (`ulimit -a`), and whether one of these runs by itself"))]
    NoneRuns {
        /// What happened when each was run.
        reasons: Vec<String>,
    },
    /// A path that is no interpreter.
    #[error("--python {program}: {message}")]
    #[diagnostic(help("name a Python program, such as /usr/bin/python3"))]
    NotPython {
        /// What was asked for.
        program: String,
        /// What happened when it was run.
        message: String,
    },
}

/// Programs that look like interpreters; more of them that don't run are not named.
const MOST_REASONS: usize = 5;

/// What is said of a program that could not be started at all.
const REFUSED: &str = "can't be run";

/// The error of a machine on which none was found: what was refused, if anything was.
pub fn none(probe: &Path) -> InterpreterError {
    let (candidates, mut reasons) = candidates();
    // As when they were looked for: one at a time they may be no trouble.
    let candidates: Vec<PathBuf> = candidates.into_iter().rev().collect();
    let asked: Vec<String> = candidates
        .par_iter()
        .filter_map(|program| Some(format!("{} {}", program.display(), shortened(&ask(program, probe).err()?, 400))))
        .collect();
    // Older Pythons are of less interest than those that the system refuses to run.
    let (refused, others): (Vec<String>, Vec<String>) = asked.into_iter().partition(|reason| reason.contains(REFUSED));
    reasons.extend(refused.into_iter().chain(others));
    reasons.truncate(MOST_REASONS);
    if reasons.is_empty() { InterpreterError::None } else { InterpreterError::NoneRuns { reasons } }
}

/// Every interpreter found, newest first; CPython before others of the same version.
pub fn find(probe: &Path) -> Vec<Interpreter> {
    let candidates: Vec<PathBuf> = candidates().0.into_iter().collect();
    let oldest: Version = OLDEST.parse().unwrap_or_else(|_| Version::new([3, 9]));
    let mut found: Vec<Interpreter> = candidates.par_iter().filter_map(|program| ask(program, probe).ok()).collect();
    found.retain(|interpreter| interpreter.version >= oldest);
    found.sort_by(|a, b| {
        let key = |i: &Interpreter| (i.version.clone(), i.implementation == "cpython", !i.is_free_threaded(), i.program.clone());
        key(b).cmp(&key(a))
    });
    found.dedup_by(|a, b| a.program == b.program);
    make_unique(found)
}

/// Two programs of the same version get names of their own.
fn make_unique(mut found: Vec<Interpreter>) -> Vec<Interpreter> {
    for at in 1..found.len() {
        let plain = found[at].name.clone();
        let twins = found[..at].iter().filter(|other| other.name.split('+').next() == Some(&plain)).count();
        if twins > 0 {
            found[at].name = format!("{plain}+{}", twins + 1);
        }
    }
    found
}

/// Programs that look like interpreters, and the folders in which the system refuses to look.
fn candidates() -> (BTreeSet<PathBuf>, Vec<String>) {
    let home = env::home_dir().unwrap_or_default();
    let in_env = |name: &str| env::var_os(name).map(PathBuf::from);
    let mut folders: Vec<PathBuf> = env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    folders.extend(in_env("VIRTUAL_ENV").map(|folder| folder.join("bin")));
    let pyenv = in_env("PYENV_ROOT").unwrap_or_else(|| home.join(".pyenv")).join("versions");
    let uv = in_env("UV_PYTHON_INSTALL_DIR").unwrap_or_else(|| home.join(".local/share/uv/python"));
    for installed in [pyenv, uv].iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().filter_map(Result::ok) {
        folders.push(installed.path().join("bin"));
    }
    let mut refused = Vec::new();
    let mut look = |folder: &PathBuf| match fs::read_dir(folder) {
        Ok(files) => Some(files),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied) => None,
        Err(error) => {
            refused.push(format!("can't look into {}: {error}", folder.display()));
            None
        }
    };
    let found = folders
        .iter()
        .filter_map(&mut look)
        .flatten()
        .filter_map(Result::ok)
        .filter(|file| file.file_name().to_str().is_some_and(is_python))
        .map(|file| file.path())
        // pyenv's shims are scripts that run whichever version is active: it is found in its own folder.
        .filter(|program| !program.parent().is_some_and(|folder| folder.ends_with("shims")))
        .map(|program| program.canonicalize().unwrap_or(program))
        .collect();
    (found, refused)
}

/// `python`, `python3`, `python3.13`, `python3.14t`, `pypy3`, `pypy3.11`.
fn is_python(name: &str) -> bool {
    let rest = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
    rest.is_some_and(|rest| {
        let version = rest.strip_suffix('t').unwrap_or(rest);
        version.is_empty() || version == "3" || version.strip_prefix("3.").is_some_and(|minor| minor.parse::<u32>().is_ok())
    })
}

fn ask(program: &Path, probe: &Path) -> Result<Interpreter, String> {
    let output =
        Command::new(program).args(["-I", "-S"]).arg(probe).stdin(Stdio::null()).output().map_err(|error| format!("{REFUSED}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let words = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it failed without a word");
        return Err(format!("is no Python {OLDEST} or newer: {}", shortened(words, 400)));
    }
    serde_json::from_slice(&output.stdout).map(Interpreter::named).map_err(|error| format!("is no Python: {error}"))
}

/// The interpreters a user means: versions (`3.13`: the newest of them), names, paths, `all`; a leading `!` excludes. With none
/// named: the newest CPython with a GIL that has its headers and that all the strategies support, or else the newest.
///
/// # Errors
/// When one that is asked for is not there, or nothing is left.
pub fn pick(
    found: &[Interpreter],
    wanted: &[String],
    strategies: &[&Strategy],
    probe: &Path,
) -> Result<Vec<Interpreter>, InterpreterError> {
    let names = || found.iter().map(|interpreter| interpreter.name.as_str()).collect::<Vec<_>>().join(", ");
    if wanted.is_empty() {
        let none = || if found.is_empty() { InterpreterError::None } else { InterpreterError::NoUsual { found: names() } };
        return default(found, strategies).map(|interpreter| vec![interpreter.clone()]).ok_or_else(none);
    }
    let mut picked: Vec<Interpreter> = if wanted[0].starts_with('!') { found.to_vec() } else { Vec::new() };
    for text in wanted {
        if let Some(excluded) = text.strip_prefix('!') {
            picked.retain(|interpreter| !is_meant(interpreter, excluded));
            continue;
        }
        let chosen = if text.contains('/') {
            let message = |message| InterpreterError::NotPython { program: text.clone(), message };
            vec![ask(Path::new(text), probe).map_err(message)?]
        } else if text == "all" {
            found.to_vec()
        } else {
            found.iter().find(|interpreter| is_meant(interpreter, text)).cloned().into_iter().collect()
        };
        if chosen.is_empty() {
            return Err(InterpreterError::NoMatch { wanted: text.clone(), found: names() });
        }
        for mut interpreter in chosen {
            // A path to a known program keeps the name it is known by.
            if let Some(known) = found.iter().find(|known| known.program == interpreter.program) {
                interpreter.name.clone_from(&known.name);
            }
            if !picked.iter().any(|other| other.program == interpreter.program) {
                picked.push(interpreter);
            }
        }
    }
    match picked.is_empty() {
        false => Ok(picked),
        true if found.is_empty() => Err(InterpreterError::None),
        true => Err(InterpreterError::NoneLeft { wanted: wanted.join(" --python "), found: names() }),
    }
}

/// `3.13` means 3.13.x and not 3.1; `3.14` does not mean 3.14t.
fn is_meant(interpreter: &Interpreter, text: &str) -> bool {
    if interpreter.name == text || interpreter.implementation == text {
        return true;
    }
    let (wanted, free_threaded) = match text.strip_suffix('t') {
        Some(version) => (version, true),
        None => (text, false),
    };
    let prefix = if interpreter.implementation == "cpython" { "" } else { interpreter.implementation.as_str() };
    let version = format!("{prefix}{}", interpreter.version);
    free_threaded == interpreter.is_free_threaded() && (version == wanted || version.starts_with(&format!("{wanted}.")))
}

fn default<'f>(found: &'f [Interpreter], strategies: &[&Strategy]) -> Option<&'f Interpreter> {
    let mut usual = found.iter().filter(|i| i.implementation == "cpython" && !i.is_free_threaded());
    usual
        .clone()
        .find(|interpreter| interpreter.include.is_some() && strategies.iter().all(|strategy| interpreter.supported_by(strategy).is_ok()))
        .or_else(|| usual.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interpreter(implementation: &str, version: &str, flags: &[&str], program: &str) -> Interpreter {
        Interpreter {
            name: String::new(),
            program: program.into(),
            implementation: implementation.into(),
            version: version.parse().expect("a version"),
            pypy: None,
            description: version.into(),
            flags: flags.iter().map(ToString::to_string).collect(),
            libpython: None,
            include: Some("/include".into()),
            ext_suffix: ".so".into(),
            has_venv: true,
        }
        .named()
    }

    fn machine() -> Vec<Interpreter> {
        make_unique(vec![
            interpreter("cpython", "3.14.2", &["free-threaded"], "/a"),
            interpreter("cpython", "3.14.1", &["jit"], "/b"),
            interpreter("cpython", "3.13.0", &[], "/c"),
            interpreter("cpython", "3.11.7", &[], "/d"),
            interpreter("cpython", "3.11.7", &[], "/e"),
            interpreter("pypy", "3.11.15", &[], "/f"),
        ])
    }

    fn names(wanted: &[&str]) -> Vec<String> {
        let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let picked = pick(&machine(), &wanted, &[], Path::new("probe.py")).expect("something is picked");
        picked.into_iter().map(|interpreter| interpreter.name).collect()
    }

    #[test]
    fn a_version_means_its_newest_release_and_no_other_build() {
        assert_eq!(names(&["3.14"]), ["3.14.1"]);
        assert_eq!(names(&["3.14t"]), ["3.14.2t"]);
        assert_eq!(names(&["3.11", "pypy"]), ["3.11.7", "pypy3.11.15"]);
        assert_eq!(names(&["pypy3.11"]), ["pypy3.11.15"]);
        assert_eq!(names(&["3.11.7+2"]), ["3.11.7+2"]);
    }

    #[test]
    fn without_a_wish_it_is_the_newest_with_a_gil() {
        assert_eq!(names(&[]), ["3.14.1"]);
    }

    #[test]
    fn exclusions_start_from_all() {
        assert_eq!(names(&["!3.14t", "!3.11", "!pypy", "!3.11.7+2"]), ["3.14.1", "3.13.0"]);
    }

    #[test]
    fn what_is_not_there_is_an_error_that_names_what_is() {
        let error = pick(&machine(), &["3.1".into()], &[], Path::new("probe.py")).expect_err("there is no 3.1");
        assert_eq!(error.to_string(), "--python 3.1 matches no interpreter found");
    }

    #[test]
    fn programs_are_told_by_their_names() {
        assert!(["python", "python3", "python3.13", "python3.14t", "pypy3", "pypy3.11"].iter().all(|name| is_python(name)));
        assert!(!["python-config", "python3.13-config", "python2.7", "pythonw"].iter().any(|name| is_python(name)));
    }
}
