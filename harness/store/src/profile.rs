//! `profile.json`: what the passes found out, replaced whole.

use std::io;
use std::path::{Path, PathBuf};

use bindbench_files::{atomic, regular};
use bindbench_model::profile::{Profile, SCHEMA};
use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;

/// The file's name.
pub const FILE: &str = "profile.json";

/// A profile, and the folder in which its files are.
#[derive(Clone, Debug)]
pub struct Profiled {
    /// What was found.
    pub profile: Profile,
    /// Where it was read from.
    pub folder: PathBuf,
}

impl Profiled {
    /// Reads the profile of a folder; none where there is none.
    ///
    /// # Errors
    /// When it can't be read, is damaged or newer than this program.
    pub fn read(folder: &Path) -> Result<Option<Self>, ProfileError> {
        Ok(read(folder)?.map(|profile| Self { profile, folder: folder.to_owned() }))
    }

    /// A file of the profile as text; none where it can't be read. Its path comes from a file that anybody may have written, and may
    /// lead anywhere: only names below the folder are followed.
    pub fn text(&self, path: &Path) -> Option<String> {
        let inside = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        inside.then(|| regular::read_to_string(&self.folder.join(path)).ok()).flatten()
    }
}

/// `profile.json` can't be written or read.
#[derive(Debug, Error, Diagnostic)]
pub enum ProfileError {
    /// The system refused.
    #[error("can't {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can't be understood.
    #[error("{path}, line {line}, column {column}: {message}")]
    #[diagnostic(help("it was damaged or edited: remove it, and `bindbench profile` writes a new one"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was expected.
        message: String,
    },
    /// Written by a newer bindbench.
    #[error("{path} has schema {found}; this bindbench reads up to {SCHEMA}")]
    #[diagnostic(help("use the bindbench that wrote it, or a newer one, or another folder: --out DIR"))]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u64,
    },
    /// Written by nobody.
    #[error("{path} has schema 0, which no bindbench writes")]
    #[diagnostic(help("it was damaged or edited: remove it, and `bindbench profile` writes a new one"))]
    NoSchema {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the profile of a folder; none when there is none yet.
///
/// # Errors
/// When there is one that can't be read.
pub fn read(folder: &Path) -> Result<Option<Profile>, ProfileError> {
    let path = folder.join(FILE);
    let text = match regular::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ProfileError::Io { action: "read", path, source }),
    };
    let unreadable = |error: serde_json::Error| ProfileError::Unreadable {
        path: path.clone(),
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    };
    // The schema is looked at before the rest: a newer layout would otherwise fail on some field, which helps nobody.
    #[derive(Deserialize)]
    struct Header {
        schema: u64,
    }
    let header: Header = serde_json::from_str(&text).map_err(unreadable)?;
    match header.schema {
        0 => return Err(ProfileError::NoSchema { path }),
        found if found > SCHEMA.into() => return Err(ProfileError::Newer { path, found }),
        _ => {}
    }
    serde_json::from_str(&text).map(Some).map_err(unreadable)
}

/// Replaces the profile of a folder.
///
/// # Errors
/// When the disk refuses; the old one is then still there.
pub fn save(profile: &Profile, folder: &Path) -> Result<(), ProfileError> {
    let path = folder.join(FILE);
    let io_error = |source| ProfileError::Io { action: "replace", path: path.clone(), source };
    let mut text = serde_json::to_vec_pretty(profile).map_err(|error| io_error(error.into()))?;
    text.push(b'\n');
    atomic::replace(&path, &text).map_err(io_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        let cell = r#"{"case": {"id": 0, "workload": "w", "operation": "o", "input": "i", "form": null, "size": 5, "unit": "items",
            "threads": 1, "net_of_loop": false}, "lane": "a/b", "interpreter": null, "at": "", "status": {"status": "ok"}}"#;
        Profile {
            schema: SCHEMA,
            bindbench: "0".into(),
            command: Vec::new(),
            started: String::new(),
            environment: Default::default(),
            interpreters: Vec::new(),
            lanes: Vec::new(),
            cells: vec![serde_json::from_str(cell).unwrap()],
            differences: Vec::new(),
            skipped: Vec::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        let written = profile();
        save(&written, folder.path()).unwrap();
        assert_eq!(read(folder.path()).unwrap(), Some(written));
    }

    #[test]
    fn a_newer_or_damaged_file_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "{\"schema\": 99}").unwrap();
        assert!(matches!(read(folder.path()), Err(ProfileError::Newer { found: 99, .. })));
        std::fs::write(folder.path().join(FILE), "{\"schema\": 1,\n\"cells\": 7}").unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("profile.json, line 2"), "{error}");
    }
}
