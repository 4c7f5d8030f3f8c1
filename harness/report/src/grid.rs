//! A table as text in columns, before a terminal or Markdown lays it out. Columns with nothing to say are left out.

use bindbench_model::{Comparison, Form, Unit};
use bindbench_stats::{Estimate, Verdict};

use super::format;
use super::tables::{Kernel, Row, Table};

/// What a row's ratio looks like where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to point out.
    Plain,
    /// Faster than the baseline.
    Faster,
    /// Slower than the baseline.
    Slower,
    /// No number.
    Failed,
}

/// The text of a table.
#[derive(Debug)]
pub struct Grid {
    /// Column titles, and whether a column holds numbers.
    pub columns: Vec<(&'static str, bool)>,
    /// Rows, as many cells as columns.
    pub rows: Vec<GridRow>,
}

/// The text of a row.
#[derive(Debug)]
pub struct GridRow {
    /// One text for each column.
    pub cells: Vec<String>,
    /// Begins a new size or number of threads.
    pub new_case: bool,
    /// How to colour it.
    pub tone: Tone,
    /// What to sort by, column by column; none sorts by the text.
    pub values: Vec<Option<f64>>,
}

/// Title, whether it holds numbers, the text of a row, and the number behind it: a column.
type Column = (&'static str, bool, fn(&Table, &Row) -> String, fn(&Row) -> Option<f64>);

const COLUMNS: [Column; 11] = [
    ("Size", true, |table, row| row.size.map(|size| format::size(size, table.unit)).unwrap_or_default(), |row| Some(row.size? as f64)),
    ("Threads", true, |_, row| row.threads.to_string(), |row| Some(f64::from(row.threads))),
    ("Lane", false, lane, |_| None),
    ("Time", true, |_, row| row.time_ns.map(|time| format::time(time.point())).unwrap_or_default(), |row| Some(row.time_ns?.point())),
    ("95 %", true, |_, row| row.time_ns.map(|time| format::spread(&time)).unwrap_or_default(), |row| row.time_ns?.half_width()),
    ("Ratio", true, |_, row| ratio(row), |row| if row.is_baseline() { Some(1.0) } else { Some(row.ratio?.point()) }),
    ("95 %", false, |_, row| ratio_interval(row), |row| Some(row.ratio?.interval()?.0)),
    ("Throughput", true, |table, row| throughput(table, row, Unit::Bytes), |row| row.throughput_per_s),
    ("Items/s", true, |table, row| throughput(table, row, Unit::Items), |row| row.throughput_per_s),
    ("Scaling", true, |_, row| row.scaling.map(|scaling| scaling_text(&scaling)).unwrap_or_default(), |row| Some(row.scaling?.point())),
    ("Status", false, |_, row| short_status(row), |_| None),
];

impl Grid {
    /// Lays out a table. What a case's rows have in common is said once.
    pub fn new(table: &Table) -> Self {
        let mut grid = Self::of_whole_rows(table);
        // The case's own columns come first.
        let own = grid.columns.iter().take_while(|(title, _)| *title != "Lane").count();
        grid.rows.iter_mut().filter(|row| !row.new_case).for_each(|row| row.cells[..own].fill(String::new()));
        grid
    }

    /// The same with everything in every row, for where rows can be put into another order.
    pub fn of_whole_rows(table: &Table) -> Self {
        let one_thread = table.rows.iter().all(|row| row.threads == 1);
        let kept: Vec<&Column> = COLUMNS
            .iter()
            .filter(|(title, _, text, _)| match *title {
                "Threads" => !one_thread,
                _ => table.rows.iter().any(|row| !text(table, row).is_empty()),
            })
            .collect();
        let mut previous = None;
        let rows = table.rows.iter().map(|row| GridRow {
            new_case: previous.replace((row.size, row.threads)) != Some((row.size, row.threads)),
            cells: kept.iter().map(|(_, _, text, _)| text(table, row)).collect(),
            values: kept.iter().map(|(.., value)| value(row)).collect(),
            tone: tone(row),
        });
        Self { rows: rows.collect(), columns: kept.iter().map(|(title, numbers, ..)| (*title, *numbers)).collect() }
    }
}

/// With a star where a footnote says what is not like for like.
fn lane(table: &Table, row: &Row) -> String {
    let star = if table.unlike.contains_key(&row.lane) { " *" } else { "" };
    format!("{}{star}", row.lane)
}

fn ratio(row: &Row) -> String {
    if row.is_baseline() {
        return "1.00".to_owned();
    }
    let Some(ratio) = row.ratio.map(|ratio| format::ratio(ratio.point())) else { return String::new() };
    match row.verdict {
        Some(Verdict::Same) => format!("≈ {ratio}"),
        Some(Verdict::Undecided) => format!("? {ratio}"),
        _ => ratio,
    }
}

fn ratio_interval(row: &Row) -> String {
    match &row.ratio {
        _ if row.is_baseline() => "baseline".to_owned(),
        Some(ratio) => format::ratio_interval(ratio),
        None => String::new(),
    }
}

fn throughput(table: &Table, row: &Row, unit: Unit) -> String {
    let rate = row.throughput_per_s.filter(|_| table.unit == unit);
    rate.map(|rate| format::throughput(rate, unit)).unwrap_or_default()
}

fn scaling_text(scaling: &Estimate) -> String {
    format!("{} {}", format::ratio(scaling.point()), format::ratio_interval(scaling)).trim_end().to_owned()
}

/// What fits a column; the whole text stands below the table.
fn short_status(row: &Row) -> String {
    if row.near_zero {
        return "no more than the loop".to_owned();
    }
    shortened(&row.status).to_owned()
}

/// A status that fits a column.
pub(super) fn shortened(status: &str) -> &str {
    if fits_column(status) { status } else { status.split(':').next().unwrap_or_default() }
}

fn fits_column(status: &str) -> bool {
    status.chars().count() <= 24
}

fn tone(row: &Row) -> Tone {
    match (&row.time_ns, row.verdict) {
        (None, _) => Tone::Failed,
        (_, Some(Verdict::Faster)) => Tone::Faster,
        (_, Some(Verdict::Slower)) => Tone::Slower,
        _ => Tone::Plain,
    }
}

/// `kmp.find_all, input talk as bytes, Python 3.13.0`.
pub fn title(table: &Table) -> String {
    title_of(&format!("{}.{}", table.workload, table.operation), &table.input, table.form, table.interpreter.as_deref())
}

/// The same of another table that is about an operation on an input.
pub(super) fn title_of(operation: &str, input: &str, form: Option<Form>, interpreter: Option<&str>) -> String {
    let mut title = operation.to_owned();
    if !input.is_empty() {
        title += &format!(", input {input}");
    }
    if let Some(form) = form {
        title += &format!(" {}", format::form(form));
    }
    match interpreter {
        Some(name) => title + &format!(", Python {name}"),
        None => title + ", no Python",
    }
}

/// What to know to read the table, a line each.
pub fn notes(table: &Table) -> Vec<String> {
    let mut notes = vec![comparison(table)];
    let mut reading = String::new();
    if let Some(baselines) = baselines(table) {
        reading = format!("ratio = time / time of {baselines}: below 1 is faster. ");
    }
    reading += if table.net_of_loop { "Times are net of the empty loop." } else { "Times include the empty loop." };
    notes.push(reading);
    notes.push(resolutions(table));
    notes
}

fn comparison(table: &Table) -> String {
    match &table.kernel {
        Kernel::OfTheirOwn => format!("{}: each lane has a kernel of its own", Comparison::AsPublished),
        Kernel::Shared(Some(sha256)) => {
            format!("{}: one kernel ({}) behind every binding", Comparison::Controlled, format::digest(sha256))
        }
        Kernel::Shared(None) => {
            format!("{}: one kernel behind every binding, as far as this system tells", Comparison::Controlled)
        }
        Kernel::Differs(lanes) => {
            let lanes: Vec<String> =
                lanes.iter().map(|(lane, sha256)| format!("{lane} ({})", sha256.as_deref().map_or("none", format::digest))).collect();
            format!("NOT controlled: another kernel is behind {}", lanes.join(", "))
        }
    }
}

/// The baseline, or, when sizes have different ones, each with where it begins.
fn baselines(table: &Table) -> Option<String> {
    let mut cases: Vec<(&str, &Row)> = Vec::new();
    for row in &table.rows {
        if let Some(baseline) = row.baseline.as_deref()
            && cases.last().is_none_or(|(last, _)| *last != baseline)
        {
            cases.push((baseline, row));
        }
    }
    let (first, others) = cases.split_first()?;
    let mut text = first.0.to_owned();
    for (baseline, row) in others {
        let size = row.size.map(|size| format::size(size, table.unit)).unwrap_or_default();
        text += &format!(", from {} of {baseline}", [size, format::count(row.threads as usize, "thread")].join(" in ").trim());
    }
    Some(text)
}

/// The resolution of the table's cases, each when there are few.
fn resolutions(table: &Table) -> String {
    let mut cases: Vec<&Row> = Vec::new();
    for row in &table.rows {
        if cases.last().is_none_or(|last| (last.size, last.threads) != (row.size, row.threads)) {
            cases.push(row);
        }
    }
    let known: Vec<&&Row> = cases.iter().filter(|row| row.resolution.is_some()).collect();
    if known.is_empty() {
        return "? no resolution is known, so there are no verdicts".to_owned();
    }
    let one_thread = cases.iter().all(|row| row.threads == 1);
    let texts = known.iter().filter_map(|row| {
        let resolution = row.resolution.as_ref()?;
        let mut text = format::band(resolution.fraction);
        if let Some(size) = row.size.filter(|_| cases.len() > 1) {
            text += &format!(" at {}", format::size(size, table.unit));
        }
        if !one_thread {
            text += &format!(" with {}", format::count(row.threads as usize, "thread"));
        }
        if resolution.borrowed {
            text += " (from another case)";
        }
        Some(text)
    });
    format!("≈ not told apart from the baseline; resolution {}", texts.collect::<Vec<_>>().join(", "))
}

/// What is below a table: what the stars stand for, then why rows have no number.
pub fn footnotes(table: &Table) -> Vec<String> {
    let stars = table.unlike.iter().map(|(lane, reasons)| format!("* {lane} {}", reasons.join(", and ")));
    let rows = table.rows.iter().map(|row| (row.lane.as_str(), row.size, row.status.as_str()));
    stars.chain(failures(rows, table.unit)).collect()
}

/// Why rows have no number, where that doesn't fit a column; the same text once: `capi/c at 4 KiB: wrong: expected …`.
pub(super) fn failures<'r>(rows: impl Iterator<Item = (&'r str, Option<u64>, &'r str)>, unit: Unit) -> Vec<String> {
    let mut groups: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for (lane, size, status) in rows.filter(|(.., status)| !fits_column(status)) {
        let size = size.map(|size| format::size(size, unit));
        match groups.iter_mut().find(|(known, same, _)| *known == lane && *same == status) {
            Some((.., sizes)) => sizes.extend(size),
            None => groups.push((lane, status, size.into_iter().collect())),
        }
    }
    groups
        .into_iter()
        .map(|(lane, status, mut sizes)| {
            sizes.dedup();
            let at = if sizes.is_empty() { String::new() } else { format!(" at {}", sizes.join(", ")) };
            format!("{lane}{at}: {status}")
        })
        .collect()
}
