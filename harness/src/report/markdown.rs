//! A report as Markdown: `summary.md`.

use super::Report;
use super::format::one_line;
use super::grid::{Grid, footnotes, notes, title};
use super::tables::Table;

/// The report as Markdown.
pub fn render(report: &Report) -> String {
    let mut text = format!("# bindbench: run {}\n\n", report.run);
    let about = report.about.iter().cloned();
    list(&mut text, about.chain([format!("**{}**", report.vouches.sentence())]).chain(report.vouches.resolution()));
    if !report.warnings.is_empty() {
        text.push_str("\n## Warnings\n\n");
        list(&mut text, report.warnings.iter().map(|warning| format!("{}; {}", warning.what, warning.advice)));
    }
    if !report.notes.is_empty() {
        text.push_str("\n## Notes\n\n");
        list(&mut text, report.notes.iter().cloned());
    }
    for table in &report.tables {
        section(&mut text, table);
    }
    if let Some(counted) = &report.instructions {
        text.push_str("\n## Instructions\n\n");
        let uncounted = counted.uncounted.iter().map(|group| format!("Not counted: {}: {}", group.what.join(", "), group.reason));
        list(&mut text, counted.about.iter().cloned().chain(uncounted));
        for table in &counted.tables {
            text += &format!("\n### {}\n\n", one_line(&table.title()));
            list(&mut text, [table.note().to_owned()].into_iter());
            text.push('\n');
            lay_out(&mut text, &table.grid());
        }
    }
    for talk in &report.talks {
        text += &format!("\n## {}\n\n", one_line(&talk.title()));
        list(&mut text, talk.about().into_iter());
        for table in &talk.tables {
            text += &format!("\n### {}\n\n", one_line(&table.title()));
            lay_out(&mut text, &table.grid());
            text.push('\n');
            list(&mut text, table.notes().into_iter());
        }
    }
    if !report.skipped.is_empty() {
        text.push_str("\n## Skipped\n\n");
        list(&mut text, report.skipped.iter().map(|group| format!("{}: {}", group.what.join(", "), group.reason)));
    }
    text
}

/// What was measured where, and some tables; for a document of somebody else's.
pub fn part(report: &Report, tables: &[Table]) -> String {
    let mut text = String::new();
    let about = report.about.iter().cloned();
    list(&mut text, about.chain([report.vouches.sentence()]).chain(report.vouches.resolution()));
    tables.iter().for_each(|table| section(&mut text, table));
    text
}

fn section(text: &mut String, table: &Table) {
    *text += &format!("\n## {}: {}\n\n", title(table), table.kind());
    list(text, notes(table).into_iter());
    text.push('\n');
    lay_out(text, &Grid::new(table));
    let footnotes = footnotes(table);
    if !footnotes.is_empty() {
        text.push('\n');
        list(text, footnotes.into_iter().map(|note| note.replacen('*', "\\*", 1)));
    }
}

/// Adds a table.
pub(super) fn lay_out(text: &mut String, grid: &Grid) {
    row(text, grid.columns.iter().map(|(title, _)| *title));
    row(text, grid.columns.iter().map(|(_, number)| if *number { "---:" } else { "---" }));
    for line in &grid.rows {
        row(text, line.cells.iter().map(String::as_str));
    }
}

/// Adds a list.
pub(super) fn list(text: &mut String, items: impl Iterator<Item = String>) {
    for item in items {
        *text += &format!("- {}\n", one_line(&item));
    }
}

fn row<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    for cell in cells {
        *text += &format!("| {} ", one_line(cell).replace('|', "\\|"));
    }
    text.push_str("|\n");
}
