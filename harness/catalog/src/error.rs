//! Faults in what people write: manifests, workloads, selections. Each names the place and says what to do.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use serde::de::DeserializeOwned;
use thiserror::Error;

/// What names a folder that no option does.
pub const CHECKOUT: &str = "this checkout's";

/// What a folder has to hold that an option names.
fn holds(given: &str) -> String {
    match given {
        CHECKOUT => "the checkout is not whole: start bindbench in one that has impls/ and harness/workloads/".to_owned(),
        "--base" | "--head" => {
            format!("{given} takes a checkout of bindbench, or a folder that holds one folder per strategy, each with a strategy.toml")
        }
        _ => format!("{given} takes a folder that holds one folder per strategy, each with a strategy.toml"),
    }
}

/// The catalog can't be read, or nothing in it is selected.
#[derive(Debug, Error, Diagnostic)]
pub enum CatalogError {
    /// A file that is not as it should be.
    #[error("{file}, line {line}: {message}")]
    Fault {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong and what was expected.
        message: String,
        /// The file's text.
        #[source_code]
        source_code: Arc<NamedSource<String>>,
        /// Where in it.
        #[label("here")]
        span: SourceSpan,
    },
    /// A file that can't be read.
    #[error("can't read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder that can't be listed.
    #[error("{given} {folder}: the folder can't be listed")]
    #[diagnostic(help("{}", holds(given)))]
    NoFolder {
        /// The option that named it, or [`CHECKOUT`].
        given: &'static str,
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A catalog without a strategy.
    #[error("{given} {folder}: there is no strategy in it")]
    #[diagnostic(help("{}", holds(given)))]
    NoStrategy {
        /// The option that named it, or [`CHECKOUT`].
        given: &'static str,
        /// The folder.
        folder: PathBuf,
    },
    /// One lane id, two strategies.
    #[error("the strategy {name} is in two catalogs: {first} and {second}")]
    #[diagnostic(help("rename one of them: its folder and the `name` in its strategy.toml"))]
    Twice {
        /// The strategy.
        name: String,
        /// One folder.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// One id, two claims, in two files.
    #[error("the claim {id:?} is in two files")]
    #[diagnostic(help("give yours another `id`; the talks' have numbers"))]
    ClaimTwice {
        /// The id.
        id: String,
    },
    /// A pattern that is not a glob.
    #[error("{option} {pattern}: not a pattern: {message}")]
    #[diagnostic(help("`*` and `?` stand for anything, `{{a,b}}` for one of several, a leading `!` excludes"))]
    Pattern {
        /// The option.
        option: &'static str,
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// A pattern that matches nothing.
    #[error("{option} {pattern} matches nothing{side}")]
    #[diagnostic(help("nearest: {nearest}"))]
    NoMatch {
        /// The option.
        option: &'static str,
        /// What was given.
        pattern: String,
        /// ` in base` or ` in head`, where there are two builds.
        side: &'static str,
        /// Names that are near to it.
        nearest: String,
    },
    /// A name of a lane, workload, operation or input that nothing has.
    #[error("there is no {what} {name}")]
    #[diagnostic(help("nearest: {nearest}\n`bindbench list` shows what there is"))]
    Unknown {
        /// `lane`, `workload` …
        what: &'static str,
        /// What was given.
        name: String,
        /// Names that are near to it.
        nearest: String,
    },
    /// A case in words that are none.
    #[error("{text} is no case: {message}")]
    #[diagnostic(help("a case is workload.operation[:input[:size]], such as `kmp.find_all`, `std.std:float64` or `std.std:ints:5000`"))]
    NoCase {
        /// What was given.
        text: String,
        /// What is wrong with it.
        message: String,
    },
    /// A combination of patterns that leaves nothing.
    #[error("the selection leaves nothing to do: {why}")]
    #[diagnostic(help("`bindbench list` shows what there is"))]
    Nothing {
        /// Which part left nothing.
        why: String,
    },
}

/// A TOML file with its text, so that faults can show the place.
pub struct TomlFile {
    path: PathBuf,
    text: String,
}

impl TomlFile {
    /// A file of this path and text, whether it is on the disk or not.
    pub fn new(path: &Path, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The file of this path.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn read(path: &Path) -> Result<Self, CatalogError> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self { path: path.to_owned(), text }),
            Err(source) => Err(CatalogError::Unreadable { path: path.to_owned(), source }),
        }
    }

    /// What it says.
    ///
    /// # Errors
    /// What was expected, and where.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, CatalogError> {
        toml::from_str(&self.text).map_err(|error| self.fault(error.span().unwrap_or(0..0), error.message().to_owned()))
    }

    pub(super) fn unreadable(&self, source: io::Error) -> CatalogError {
        CatalogError::Unreadable { path: self.path.clone(), source }
    }

    /// A fault at a place in it, in bytes from its beginning.
    pub fn fault(&self, span: Range<usize>, message: String) -> CatalogError {
        let name = self.path.display().to_string();
        let line = self.text.bytes().take(span.start).filter(|&byte| byte == b'\n').count() + 1;
        CatalogError::Fault {
            file: name.clone(),
            line,
            message,
            source_code: Arc::new(NamedSource::new(name, self.text.clone())),
            span: span.into(),
        }
    }
}
