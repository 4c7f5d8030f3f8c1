//! What was found so far: a line for each comparison, on the disk before the next one begins.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use bindbench::atomic;
use miette::{Context, IntoDiagnostic, Result};
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
    file: File,
    trials: Vec<Trial>,
}

impl Journal {
    /// Opens it, or begins one. Who was killed in the middle of a line has left half of one: it goes.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn open(path: &Path) -> Result<Self> {
        let open = || -> std::io::Result<Self> {
            let text = match fs::read_to_string(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
                other => other?,
            };
            let trials: Vec<Trial> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            if trials.len() < text.lines().count() || !(text.is_empty() || text.ends_with('\n')) {
                let lines = trials.iter().map(line).collect::<std::io::Result<String>>()?;
                atomic::replace(path, lines.as_bytes())?;
            }
            fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            Ok(Self { file: OpenOptions::new().append(true).create(true).open(path)?, trials })
        };
        open().into_diagnostic().wrap_err_with(|| format!("can't open {}", path.display()))
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
        let mut write = || self.file.write_all(line(&trial)?.as_bytes()).and_then(|()| self.file.sync_data());
        write().into_diagnostic().wrap_err("can't write to the journal")?;
        self.trials.push(trial);
        Ok(())
    }
}

fn line(trial: &Trial) -> std::io::Result<String> {
    Ok(serde_json::to_string(trial)? + "\n")
}
