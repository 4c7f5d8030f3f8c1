//! Plots of a report, as SVG: each a function from the report's model to a picture, with a text for people who can't see it.

mod axis;
mod canvas;
mod history;
mod ratios;
mod samples;
mod sizes;
mod split;
mod threads;

pub(super) use ratios::tick_text;

use bindbench_analysis::Analysis;
use bindbench_model::profile::Profile;
use bindbench_stats::Scale;

use super::grid::title;
use super::history::History;
use super::tables::{Row, Table};

/// More lanes than this make a plot nobody reads.
const MOST_LANES: usize = 28;

/// A picture and what goes with it.
#[derive(Debug)]
pub struct Plot {
    /// Its file's name, without an end; unique in a report.
    pub name: String,
    /// What it shows, in a few words.
    pub heading: String,
    /// What is to be seen in it, for people who can't see it.
    pub says: String,
    /// How to read it.
    pub caption: String,
    /// The picture.
    pub svg: String,
}

/// All plots of a table, in the order in which a page shows them.
pub fn of_table(table: &Table, analysis: &Analysis) -> Vec<Plot> {
    let case = table.representative();
    [
        ratios::plot(table, &case),
        sizes::plot(table),
        threads::plot(table),
        samples::distribution(table, &case, analysis),
        samples::drift(table, &case, analysis),
    ]
    .into_iter()
    .flatten()
    .map(|plot| Plot { name: format!("{}-{}", table_name(table), plot.name), ..plot })
    .collect()
}

/// The stacked split of the time, one plot for each operation and interpreter that was profiled.
pub fn of_profile(profile: &Profile) -> Vec<(String, Plot)> {
    split::plots(profile)
}

/// How cells went over many runs, one plot for each that two runs or more have.
pub fn of_history(history: &History) -> Vec<Plot> {
    history::plots(history)
}

/// A name for a table that is a file's name wherever it comes from: a run's folder may have been written by anybody.
pub fn table_name(table: &Table) -> String {
    let form = table.form.map(|form| form.to_string()).unwrap_or_default();
    let interpreter = table.interpreter.as_deref().unwrap_or("native");
    let parts = [&table.workload, &table.operation, &table.input, &form, interpreter, &table.kind()];
    let parts: Vec<String> = parts.iter().filter(|part| !part.is_empty()).map(|part| file_name(part)).collect();
    parts.join("-")
}

/// A text with nothing in it that means something to a file system or a shell.
pub fn file_name(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_ascii_alphanumeric() || "._".contains(c) { c } else { '_' }).collect();
    plain.trim_start_matches('.').to_owned()
}

/// `std.sum, input ints as a boxed list, Python 3.13.0, controlled, 5,000 items`.
fn heading(table: &Table, row: Option<&Row>) -> String {
    let mut text = format!("{}, {}", title(table), table.kind());
    let Some(row) = row else { return text };
    if let Some(size) = row.size {
        text += &format!(", size {}", super::format::size(size, table.unit));
    }
    if row.threads > 1 {
        text += &format!(", {} threads", row.threads);
    }
    text
}

/// Lanes that have a time one can put on a logarithmic axis, the first so many.
fn measurable<'r>(rows: &[&'r Row]) -> Vec<&'r Row> {
    let usable = |row: &&&Row| !row.near_zero && row.time_ns.is_some_and(|time| time.scale() == Scale::Log);
    rows.iter().filter(usable).take(MOST_LANES).copied().collect()
}
