//! The split of the time: a table for each case, a row for each lane.

use bindbench_model::profile::{Activity, Profile, ProfiledCell, Stacks};
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table as Laid, TableStyle};

use super::title;
use crate::markdown::row as row_of;

/// The lanes of one case.
pub struct Table {
    /// The case.
    pub title: String,
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A table for each case that was sampled.
pub fn tables(profile: &Profile) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for (cell, stacks) in sampled(profile) {
        let title = title(&cell.case);
        if tables.last().is_none_or(|table| table.title != title) {
            tables.push(Table { title, header: header(), rows: Vec::new() });
        }
        if let Some(table) = tables.last_mut() {
            table.rows.push(row(cell, stacks));
        }
    }
    tables
}

/// The cells that have samples, case by case.
pub fn sampled(profile: &Profile) -> Vec<(&ProfiledCell, &Stacks)> {
    let mut cells: Vec<_> =
        profile.cells.iter().filter_map(|cell| Some((cell, cell.stacks.as_ref().filter(|stacks| stacks.samples > 0)?))).collect();
    // Stable: cells of a case stay in their order.
    cells.sort_by_cached_key(|(cell, _)| (cell.case.workload.clone(), title(&cell.case)));
    cells
}

/// A heading that is narrow enough for ten of them.
pub fn short(activity: Activity) -> &'static str {
    match activity {
        Activity::Interpreter => "interp.",
        Activity::ArgumentConversion => "args",
        Activity::ResultBoxing => "boxing",
        Activity::BindingGlue => "glue",
        Activity::Kernel => "kernel",
        Activity::Copying => "copying",
        Activity::Allocation => "alloc",
        Activity::Gil => "GIL",
        Activity::System => "OS",
        Activity::Other => "other",
    }
}

fn header() -> Vec<String> {
    let names = ["lane", "python"].into_iter().chain(Activity::ALL.map(short)).chain(["samples", "rooted", "no name"]);
    names.map(str::to_owned).collect()
}

/// Shares in per cent.
fn row(cell: &ProfiledCell, stacks: &Stacks) -> Vec<String> {
    let mut row = vec![cell.lane.clone(), cell.interpreter.clone().unwrap_or_else(|| "–".to_owned())];
    row.extend(Activity::ALL.map(|activity| match stacks.split.get(&activity) {
        None | Some(0) => "–".to_owned(),
        Some(&samples) => format!("{:.1}", 100.0 * stacks.share(samples)),
    }));
    row.push(stacks.samples.to_string());
    row.extend([stacks.rooted, stacks.unknown].map(|samples| format!("{:.1}", 100.0 * stacks.share(samples))));
    row
}

impl Table {
    /// For a terminal.
    pub fn laid_out(&self) -> String {
        let mut laid = Laid::new();
        laid.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
        laid.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
        let align =
            |(at, text): (usize, &String)| Cell::new(text).set_alignment(if at < 2 { CellAlignment::Left } else { CellAlignment::Right });
        laid.set_header(self.header.iter().enumerate().map(align));
        for row in &self.rows {
            laid.add_row(row.iter().enumerate().map(align));
        }
        laid.trim_fmt()
    }

    /// As Markdown; shares are in per cent.
    pub fn markdown(&self) -> String {
        let rule: Vec<String> = (0..self.header.len()).map(|at| if at < 2 { "---" } else { "---:" }.to_owned()).collect();
        let mut text = String::new();
        for cells in [&self.header, &rule].into_iter().chain(&self.rows) {
            row_of(&mut text, cells.iter().map(String::as_str));
        }
        text
    }
}
