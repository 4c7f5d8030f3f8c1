//! A report on a terminal, or in a file that was made by redirecting it.

use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table as Laid, TableStyle};

use super::Report;
use super::format::one_line;
use super::grid::{Grid, Tone, footnotes, notes, title};

/// How wide to lay out, and whether to colour.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Columns of the terminal; none where lines may be of any length.
    pub width: Option<u16>,
    /// Colours may be used.
    pub colour: bool,
}

/// The report as text.
pub fn render(report: &Report, look: Look) -> String {
    let mut text = String::new();
    let mut line = |words: &str| line(&mut text, words);
    report.about.iter().for_each(|about| line(about));
    report.caveats().iter().for_each(|caveat| line(caveat));
    for table in &report.tables {
        line("");
        line(&title(table));
        notes(table).iter().for_each(|note| line(&format!("  {note}")));
        line(&lay_out(&Grid::new(table), look));
        footnotes(table).iter().for_each(|note| line(&format!("  {}", one_line(note))));
    }
    if let Some(counted) = &report.instructions {
        line("");
        counted.about.iter().for_each(|about| line(about));
        for table in &counted.tables {
            line("");
            line(&table.title());
            line(&format!("  {}", table.note()));
            line(&lay_out(&table.grid(), look));
            table.footnotes().iter().for_each(|note| line(&format!("  {}", one_line(note))));
        }
        if !counted.uncounted.is_empty() {
            line("\nNot counted:");
            counted.uncounted.iter().for_each(|group| line(&format!("  {}: {}", group.what.join(", "), one_line(&group.reason))));
        }
    }
    for talk in &report.talks {
        line("");
        line(&talk.title());
        talk.about().iter().for_each(|about| line(&format!("  {}", one_line(about))));
        for table in &talk.tables {
            line("");
            line(&table.title());
            line(&lay_out(&table.grid(), look));
            table.notes().iter().for_each(|note| line(&format!("  {}", one_line(note))));
        }
    }
    if !report.skipped.is_empty() {
        line("\nSkipped:");
        for group in &report.skipped {
            line(&format!("  {}: {}", group.what.join(", "), one_line(&group.reason)));
        }
    }
    text
}

/// Adds a line.
pub(super) fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Lays a table out.
pub(super) fn lay_out(grid: &Grid, look: Look) -> String {
    let mut laid = Laid::new();
    laid.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    laid.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    if let Some(width) = look.width {
        laid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    if look.colour {
        laid.enforce_styling();
    }
    let align = |text: &str, number: bool| Cell::new(text).set_alignment(if number { CellAlignment::Right } else { CellAlignment::Left });
    laid.set_header(grid.columns.iter().map(|&(title, number)| align(title, number)));
    for (i, row) in grid.rows.iter().enumerate() {
        if row.new_case && i > 0 {
            laid.add_row(vec![""; grid.columns.len()]);
        }
        let cells = row.cells.iter().zip(&grid.columns).map(|(text, &(title, number))| {
            let cell = align(text, number);
            // Blue and yellow: told apart by everybody, and only where there is a verdict.
            match row.tone {
                Tone::Faster if ["Ratio", "Verdict"].contains(&title) => cell.fg(Color::Blue),
                Tone::Slower if ["Ratio", "Verdict"].contains(&title) => cell.fg(Color::DarkYellow),
                Tone::Failed if title == "Status" => cell.fg(Color::DarkYellow),
                _ => cell,
            }
        });
        laid.add_row(cells);
    }
    laid.trim_fmt()
}
