//! What was found so far: a line for each comparison, on the disk before the next one begins.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bindbench_files::atomic;
use miette::{Context, IntoDiagnostic, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::builds::Truth;
use super::judge::Said;

/// One comparison by one tool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// Its part's name.
    pub part: String,
    /// The tool's name.
    pub tool: String,
    /// Seconds that the tool was given.
    pub given_s: f64,
    /// Seconds that it took, from its start to its verdict.
    pub took_s: f64,
    /// What it said.
    pub said: Said,
    /// By how much head is slower, as it says: 1.02.
    pub ratio: Option<f64>,
    /// What had been built into head.
    pub truth: Truth,
    /// Load average of the machine, over one minute, when it began.
    pub load: f64,
    /// The CPU's model.
    pub cpu: String,
    /// When it ended, RFC 3339.
    pub at: String,
}

/// The file, and what is in it.
pub struct Journal {
    path: PathBuf,
    trials: Vec<Trial>,
}

impl Journal {
    /// Opens it, or begins one. Who was killed in the middle of a line has left half of one: it goes.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn open(path: &Path) -> Result<Self> {
        let trials = lines(path)?;
        Ok(Self { path: path.to_owned(), trials })
    }

    /// Everything.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// How often a tool has done a part.
    pub fn count(&self, part: &str, tool: &str, given: Duration) -> usize {
        self.trials.iter().filter(|trial| trial.part == part && trial.tool == tool && trial.given_s == given.as_secs_f64()).count()
    }

    /// What was built into head when the part was begun: one part is one pair of builds.
    pub fn truth(&self, part: &str) -> Option<Truth> {
        self.trials.iter().find(|trial| trial.part == part).map(|trial| trial.truth)
    }

    /// Writes one more.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add(&mut self, trial: Trial) -> Result<()> {
        append(&self.path, &trial)?;
        self.trials.push(trial);
        Ok(())
    }
}

/// What the lines of a file say; nothing where there is none. Half a line at its end is taken away.
///
/// # Errors
/// When the disk refuses.
pub fn lines<T: Serialize + DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let read = || -> std::io::Result<Vec<T>> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            other => other?,
        };
        let found: Vec<T> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if found.len() < text.lines().count() || !(text.is_empty() || text.ends_with('\n')) {
            atomic::replace(path, found.iter().map(line).collect::<std::io::Result<String>>()?.as_bytes())?;
        }
        Ok(found)
    };
    read().into_diagnostic().wrap_err_with(|| format!("can't read {}", path.display()))
}

/// Adds a line; it is on the disk then.
///
/// # Errors
/// When the disk refuses.
pub fn append(path: &Path, what: &impl Serialize) -> Result<()> {
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        file.write_all(line(what)?.as_bytes())?;
        file.sync_data()
    };
    write().into_diagnostic().wrap_err_with(|| format!("can't write to {}", path.display()))
}

fn line(what: &impl Serialize) -> std::io::Result<String> {
    Ok(serde_json::to_string(what)? + "\n")
}
