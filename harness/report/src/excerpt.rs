//! A part of a report, for a document of somebody else's: chosen tables, or chosen cases of them.

use std::str::FromStr;

use bindbench_catalog::{Size, nearest};
use globset::{Glob, GlobMatcher};
use miette::Diagnostic;
use thiserror::Error;

use super::Report;
use super::tables::{Row, Table};

/// Which tables, as `workload`, `workload.operation`, `workload.operation:input` or `workload.operation:input:size`; names are globs.
#[derive(Clone, Debug)]
pub struct Chosen {
    text: String,
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
            None => Ok(Self { text: text.to_owned(), operation, input, size }),
            Some(_) => Err("a table is chosen as workload.operation:input:size".to_owned()),
        }
    }
}

impl Chosen {
    fn has(&self, table: &Table, row: &Row) -> bool {
        let operation =
            self.operation.is_match(&table.workload) || self.operation.is_match(format!("{}.{}", table.workload, table.operation));
        operation && self.input.as_ref().is_none_or(|input| input.is_match(&table.input)) && (self.size.is_none() || self.size == row.size)
    }

    /// The name of a row, told as closely as this choice tells one.
    fn beside(&self, table: &Table, row: &Row) -> String {
        let mut name = format!("{}.{}", table.workload, table.operation);
        if self.input.is_some() {
            name += &format!(":{}", table.input);
        }
        if let Some(size) = row.size.filter(|_| self.size.is_some()) {
            name += &format!(":{}", Size(size));
        }
        name
    }
}

/// Nothing to show: what stood in somebody's document would be replaced by nothing.
#[derive(Debug, PartialEq, Eq, Error, Diagnostic)]
pub enum ExcerptError {
    /// A choice that no table answers to.
    #[error("--tables {chosen} matches nothing in run {run}")]
    #[diagnostic(help("nearest: {nearest}"))]
    NoMatch {
        /// What was given.
        chosen: String,
        /// The run's id.
        run: String,
        /// Tables that there are.
        nearest: String,
    },
    /// The run has none.
    #[error("run {run} has no table of times")]
    #[diagnostic(help("only tables of times are spliced: name a run that took some"))]
    NoTable {
        /// The run's id.
        run: String,
    },
}

/// The chosen tables with their chosen rows; all of them when nothing is chosen.
///
/// # Errors
/// When there is no table, or none for one of the choices.
pub fn excerpt(report: &Report, chosen: &[Chosen]) -> Result<Vec<Table>, ExcerptError> {
    let rows = || report.tables.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row)));
    if rows().next().is_none() {
        return Err(ExcerptError::NoTable { run: report.run.clone() });
    }
    if let Some(none) = chosen.iter().find(|chosen| !rows().any(|(table, row)| chosen.has(table, row))) {
        let names: Vec<String> = rows().map(|(table, row)| none.beside(table, row)).collect();
        return Err(ExcerptError::NoMatch { chosen: none.text.clone(), run: report.run.clone(), nearest: nearest(&none.text, &names) });
    }
    let taken = |table: &Table| {
        let mut taken = table.clone();
        taken.rows.retain(|row| chosen.is_empty() || chosen.iter().any(|chosen| chosen.has(table, row)));
        if taken.rows.len() < table.rows.len() {
            taken.growth = None;
        }
        (!taken.rows.is_empty()).then_some(taken)
    };
    Ok(report.tables.iter().filter_map(taken).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_model::Comparison;
    use bindbench_store::synthetic::Synthetic;

    fn report() -> Report {
        let mut made = Synthetic::new(3, 4);
        made.interpreter("3.13.0", &[]);
        made.lane("a/a", Comparison::Controlled);
        for (operation, input, size) in [("std.std", "ints", 10), ("std.std", "ints", 5000), ("kmp.find_all", "talk", 4096)] {
            let case = made.case(operation, input, None, Some(size), 1);
            made.cell(case, "a/a", Some("3.13.0"), 10.0);
        }
        Report::new(&made.recorded(0.01))
    }

    fn taken(chosen: &[&str]) -> Result<usize, String> {
        let chosen: Vec<Chosen> = chosen.iter().map(|text| text.parse().unwrap()).collect();
        let tables = excerpt(&report(), &chosen).map_err(|error| format!("{error}; {}", error.help().unwrap()))?;
        Ok(tables.iter().map(|table| table.rows.len()).sum())
    }

    #[test]
    fn a_choice_is_a_workload_an_operation_an_input_or_a_size() {
        for (chosen, rows) in
            [(&[][..], 3), (&["kmp"], 1), (&["std"], 2), (&["std.std"], 2), (&["*:ints:5000"], 1), (&["kmp", "std.std:ints:10"], 2)]
        {
            assert_eq!(taken(chosen), Ok(rows), "{chosen:?}");
        }
    }

    #[test]
    fn a_choice_that_matches_nothing_is_refused_whatever_the_others_match() {
        for (chosen, near) in [("std.stdd", "std.std"), ("std.std:ins", "std.std:ints"), ("std.std:ints:5001", "std.std:ints:5000")] {
            let said = taken(&["kmp", chosen]).unwrap_err();
            assert!(said.contains(&format!("--tables {chosen} matches nothing")) && said.contains(&format!("nearest: {near}")), "{said}");
        }
        let nothing = Report { tables: Vec::new(), ..report() };
        assert!(matches!(excerpt(&nothing, &[]), Err(ExcerptError::NoTable { .. })));
    }
}
