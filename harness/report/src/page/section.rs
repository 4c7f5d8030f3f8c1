//! Parts of the page that are made elsewhere: talks, claims.

use serde::Serialize;

use crate::grid::Grid;

/// A part of the page. All of it is text: the page escapes it and lays it out.
#[derive(Debug, Default, Serialize)]
pub struct Section {
    /// Its anchor: letters and hyphens.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What to know first, a paragraph each.
    pub lead: Vec<String>,
    /// Its tables.
    pub tables: Vec<SectionTable>,
    /// The command that makes it again.
    pub command: String,
}

/// A table of such a part.
#[derive(Debug, Default, Serialize)]
pub struct SectionTable {
    /// Its heading.
    pub title: String,
    /// What to know to read it, a line each.
    pub notes: Vec<String>,
    /// Titles of the columns, and whether they hold numbers.
    pub columns: Vec<(String, bool)>,
    /// Rows, as many texts as columns.
    pub rows: Vec<Vec<String>>,
}

impl SectionTable {
    /// A table that is laid out already.
    pub(crate) fn new(title: String, notes: Vec<String>, grid: Grid) -> Self {
        let columns = grid.columns.into_iter().map(|(title, number)| (title.to_owned(), number)).collect();
        Self { title, notes, columns, rows: grid.rows.into_iter().map(|row| row.cells).collect() }
    }
}
