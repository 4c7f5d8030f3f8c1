//! `talks.toml`: the tables that talks published. The only figures in bindbench that were typed in by hand.

use std::path::Path;
use std::sync::LazyLock;

use bindbench_catalog::{CatalogError, TomlFile};
use serde::Deserialize;

use crate::cell_names::{CaseName, CellName};

const TEXT: &str = include_str!("../../../talks.toml");

/// The talks, in the order of the file.
pub(super) static TALKS: LazyLock<Vec<TalkToml>> = LazyLock::new(|| read().expect("the file is part of the program, and a test reads it"));

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileToml {
    talk: Vec<TalkToml>,
}

/// A talk.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TalkToml {
    /// `T1`.
    pub(super) id: String,
    pub(super) title: String,
    /// On what the published numbers were measured, as far as it was said.
    pub(super) machine: String,
    /// What is wrong with the published code or table, and how it was mended here.
    #[serde(default)]
    pub(super) faults: Vec<String>,
    pub(super) table: Vec<TableToml>,
}

/// One of its tables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableToml {
    pub(super) title: String,
    /// What one of the published numbers is, in nanoseconds of one call.
    #[serde(default)]
    pub(super) unit_ns: Option<f64>,
    /// Cases to reproduce it in: the first one counts in which the first row was measured.
    #[serde(default)]
    pub(super) cases: Vec<CaseName>,
    /// Why no row can be reproduced.
    #[serde(default)]
    pub(super) missing: Option<String>,
    pub(super) row: Vec<RowToml>,
}

/// A row. The first one is what the others are compared with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowToml {
    pub(super) name: String,
    /// As printed in the talk, in the table's unit; none where no number survives.
    #[serde(default)]
    pub(super) published: Option<f64>,
    /// The lane that does what the talk did, faults mended.
    #[serde(default)]
    pub(super) as_published: Option<CellName>,
    /// The lane that has the one algorithm and kernel that are behind all rows.
    #[serde(default)]
    pub(super) controlled: Option<CellName>,
    /// Where a lane differs from what was published.
    #[serde(default)]
    pub(super) note: Option<String>,
}

pub(super) fn read() -> Result<Vec<TalkToml>, CatalogError> {
    parsed(TEXT)
}

/// The talks of a text.
///
/// # Errors
/// When it is not as it should be.
pub fn parsed(text: &str) -> Result<Vec<TalkToml>, CatalogError> {
    Ok(TomlFile::new(Path::new("harness/talks.toml"), text).parse::<FileToml>()?.talk)
}
