//! The talks' tables as text in columns.

use bindbench_stats::Verdict;

use crate::format;
use crate::grid::{Grid, GridRow, Tone};
use crate::page::{Section, SectionTable};

use super::{Ours, Talk, TalkRow, TalkTable};

const COLUMNS: [(&str, bool); 8] = [
    ("Row", false),
    ("", false),
    ("Lane", false),
    ("Time", true),
    ("Ratio", true),
    ("95 %", false),
    ("Over the talk's", true),
    ("95 %", false),
];

/// The talks as a part of a run's page; none when no row was measured.
pub fn section(talks: &[Talk], run: &str) -> Option<Section> {
    let tables = |talk: &Talk| {
        let mut tables: Vec<SectionTable> =
            talk.tables.iter().map(|table| SectionTable::new(table.title(), table.notes(), table.grid())).collect();
        if let Some(first) = tables.first_mut() {
            first.notes.splice(0..0, [talk.title()].into_iter().chain(talk.about()));
        }
        tables
    };
    (!talks.is_empty()).then(|| Section {
        id: "talks".to_owned(),
        title: "The talks' tables".to_owned(),
        lead: vec![
            "What talks have published, beside what was measured here: as published, with faults mended, and controlled.".to_owned(),
        ],
        tables: talks.iter().flat_map(tables).collect(),
        command: format!("cargo bindbench report {run}"),
    })
}

impl Talk {
    /// `T1: Boosting …`.
    pub fn title(&self) -> String {
        format!("{}: {}", self.id, self.name)
    }

    /// What to know about the published numbers, a line each.
    pub fn about(&self) -> Vec<String> {
        let machine = format!("Published numbers: {}", self.machine);
        let reading = "ratio = time / time of the table's first row; over the talk's = that / the same of the published numbers: 1 is as \
                       the talk had it";
        let faults = self.faults.iter().map(|fault| format!("Fault: {fault}"));
        [machine, reading.to_owned()].into_iter().chain(faults).collect()
    }
}

impl TalkTable {
    /// `T2, sum: std.sum of ints, 5,000, Python 3.13.0`.
    pub fn title(&self) -> String {
        let mut title = format!("{}, {}", self.talk, self.name);
        if let Some(case) = &self.case {
            title += &format!(": {case}");
        }
        if let Some(interpreter) = &self.interpreter {
            title += &format!(", Python {interpreter}");
        }
        title
    }

    /// Three lines for a row: the talk's, as published, controlled. What can't be reproduced at all has only the first.
    pub fn grid(&self) -> Grid {
        let mut rows = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            rows.push(published(row));
            if self.missing.is_none() {
                let kinds = [("as published", &row.as_published), ("controlled", &row.controlled)];
                rows.extend(kinds.map(|(kind, ours)| ours_line(kind, ours, at == 0)));
            }
        }
        Grid { columns: COLUMNS.to_vec(), rows }
    }

    /// What can't be reproduced and why, and where lanes differ from what was published.
    pub fn notes(&self) -> Vec<String> {
        if let Some(why) = &self.missing {
            return vec![format!("not reproduced: {why}")];
        }
        let mut notes = Vec::new();
        for row in &self.rows {
            for (kind, ours) in [("as published", &row.as_published), ("controlled", &row.controlled)] {
                notes.extend(ours.missing.iter().map(|why| format!("{}, {kind}: {why}", row.name)));
            }
            notes.extend(row.note.iter().map(|note| format!("{}: {note}", row.name)));
        }
        notes
    }
}

fn published(row: &TalkRow) -> GridRow {
    let time = row.published_ns.map_or_else(|| "not told".to_owned(), format::time);
    let ratio = row.published_ratio.map(format::ratio).unwrap_or_default();
    let mut cells = vec![row.name.clone(), "the talk".to_owned(), String::new(), time, ratio];
    cells.resize(COLUMNS.len(), String::new());
    GridRow { cells, new_case: true, tone: Tone::Plain, values: Vec::new() }
}

fn ours_line(kind: &str, ours: &Ours, first: bool) -> GridRow {
    let interval = |estimate: Option<bindbench_stats::Estimate>| estimate.map(|e| format::ratio_interval(&e)).unwrap_or_default();
    let lane = match (&ours.lane, &ours.missing) {
        (Some(lane), _) => lane.clone(),
        _ => "none".to_owned(),
    };
    let ratio = match (ours.ratio.map(|ratio| format::ratio(ratio.point())), ours.verdict) {
        (Some(ratio), Some(Verdict::Same)) => format!("≈ {ratio}"),
        (Some(ratio), Some(Verdict::Undecided)) => format!("? {ratio}"),
        (Some(ratio), _) => ratio,
        (None, _) if first && ours.time_ns.is_some() => "1.00".to_owned(),
        (None, _) => String::new(),
    };
    GridRow {
        cells: vec![
            String::new(),
            kind.to_owned(),
            lane,
            ours.time_ns.map(|time| format::time(time.point())).unwrap_or_default(),
            ratio,
            interval(ours.ratio),
            ours.over_published.map(|over| format::ratio(over.point())).unwrap_or_default(),
            interval(ours.over_published),
        ],
        new_case: false,
        values: Vec::new(),
        tone: match ours.verdict {
            Some(Verdict::Faster) => Tone::Faster,
            Some(Verdict::Slower) => Tone::Slower,
            _ => Tone::Plain,
        },
    }
}
