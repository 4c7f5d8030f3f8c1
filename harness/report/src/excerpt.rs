//! A part of a report, for a document of somebody else's: chosen tables, or chosen cases of them.

use std::str::FromStr;

use bindbench_catalog::Size;
use globset::{Glob, GlobMatcher};

use super::Report;
use super::tables::{Row, Table};

/// Which tables, as `workload.operation`, `workload.operation:input` or `workload.operation:input:size`; the first two are globs.
#[derive(Clone, Debug)]
pub struct Chosen {
    operation: GlobMatcher,
    input: Option<GlobMatcher>,
    size: Option<u64>,
}

impl FromStr for Chosen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let glob = |text: &str| Glob::new(text).map(|glob| glob.compile_matcher()).map_err(|error| error.to_string());
        let mut parts = text.split(':');
        let operation = glob(parts.next().unwrap_or_default())?;
        let input = parts.next().map(glob).transpose()?;
        let size = parts.next().map(|size| size.parse::<Size>().map(|Size(size)| size)).transpose()?;
        match parts.next() {
            None => Ok(Self { operation, input, size }),
            Some(_) => Err("a table is chosen as workload.operation:input:size".to_owned()),
        }
    }
}

impl Chosen {
    fn has(&self, table: &Table, row: &Row) -> bool {
        self.operation.is_match(format!("{}.{}", table.workload, table.operation))
            && self.input.as_ref().is_none_or(|input| input.is_match(&table.input))
            && (self.size.is_none() || self.size == row.size)
    }
}

/// The chosen tables with their chosen rows; all of them when nothing is chosen.
pub fn excerpt(report: &Report, chosen: &[Chosen]) -> Vec<Table> {
    let taken = |table: &Table| {
        let mut taken = table.clone();
        taken.rows.retain(|row| chosen.is_empty() || chosen.iter().any(|chosen| chosen.has(table, row)));
        if taken.rows.len() < table.rows.len() {
            taken.growth = None;
        }
        (!taken.rows.is_empty()).then_some(taken)
    };
    report.tables.iter().filter_map(taken).collect()
}
