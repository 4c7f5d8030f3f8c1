//! The talks' tables beside this run's: as published (each row's own algorithm, faults mended) and controlled (one kernel).
//!
//! Absolute times are another machine's. What compares are ratios: of each row to its table's first, and of this run's to the talk's.

mod file;
mod show;

#[cfg(test)]
mod tests;

use bindbench_analysis::Analysis;
use bindbench_model::Cell;
use bindbench_stats::{Estimate, Verdict, six_digits, verdict};
use bindbench_store::Recorded;
use schemars::JsonSchema;
use serde::Serialize;

use super::cell_names::{CaseName, CellName};
use super::finder::{Finder, Setting};

use file::{RowToml, TALKS, TableToml, TalkToml};

pub use file::parsed;
pub use show::section;

/// A talk.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Talk {
    /// `T1`.
    pub id: String,
    /// Its title.
    pub name: String,
    /// On what the published numbers were measured, as far as it was said.
    pub machine: String,
    /// What is wrong with the published code or table, and how it was mended here.
    pub faults: Vec<String>,
    /// Its tables, for each interpreter anew.
    pub tables: Vec<TalkTable>,
}

/// A published table and what this run has to set beside it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TalkTable {
    /// The talk's id.
    pub talk: String,
    /// What was measured.
    pub name: String,
    /// Name of the interpreter; none when only native lanes were measured.
    pub interpreter: Option<String>,
    /// The case that it was reproduced in, in words; none where nothing of it was measured.
    pub case: Option<String>,
    /// Why no row can be reproduced.
    pub missing: Option<String>,
    /// The rows, in the talk's order.
    pub rows: Vec<TalkRow>,
}

impl TalkTable {
    /// A row of it was measured.
    fn is_measured(&self) -> bool {
        self.rows.iter().any(|row| row.as_published.time_ns.or(row.controlled.time_ns).is_some())
    }
}

/// A row.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TalkRow {
    /// As the talk calls it.
    pub name: String,
    /// Time of one call in the talk, in nanoseconds; none where no number survives.
    pub published_ns: Option<f64>,
    /// That over the time of the first row.
    pub published_ratio: Option<f64>,
    /// What the talk did, faults mended.
    pub as_published: Ours,
    /// The same work with one kernel behind all rows.
    pub controlled: Ours,
    /// Where a lane differs from what was published.
    pub note: Option<String>,
}

/// What this run has for a row.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Ours {
    /// The lane.
    pub lane: Option<String>,
    /// Time of one call, in nanoseconds.
    pub time_ns: Option<Estimate>,
    /// That over the time of the first row's lane.
    pub ratio: Option<Estimate>,
    /// What the ratio says; none for the first row.
    pub verdict: Option<Verdict>,
    /// The ratio over the talk's own: 1 is as the talk had it, above 1 is slower against the first row than there.
    pub over_published: Option<Estimate>,
    /// Why there is no number.
    pub missing: Option<String>,
}

/// The talks of which a row was measured, each table for each interpreter; all there are where none that can be measured is missing.
pub fn talks(recorded: &Recorded, analysis: &Analysis) -> Vec<Talk> {
    of(&TALKS, recorded, analysis)
}

/// The same for talks that may be others.
pub fn of(written: &[TalkToml], recorded: &Recorded, analysis: &Analysis) -> Vec<Talk> {
    let run = &recorded.run;
    let finder = Finder::new(run, analysis);
    let names = run.interpreters.iter().map(|interpreter| Some(interpreter.name.as_str()));
    let interpreters: Vec<Option<&str>> = if run.interpreters.is_empty() { vec![None] } else { names.collect() };
    let maker = Maker { analysis, finder };
    let talks: Vec<(bool, Talk)> = written.iter().map(|talk| maker.talk(talk, &interpreters)).collect();
    // What nothing here measures completes the picture where all that can be measured was; else it is no part of what was asked for.
    let reproducible = |talk: &TalkToml| talk.table.iter().any(|table| table.missing.is_none());
    let all = talks.iter().zip(written).all(|((measured, _), talk)| *measured || !reproducible(talk));
    talks.into_iter().filter(|(measured, _)| *measured || all).map(|(_, talk)| talk).collect()
}

struct Maker<'a> {
    analysis: &'a Analysis,
    finder: Finder<'a>,
}

impl<'a> Maker<'a> {
    /// A talk, and whether a row of it was measured.
    fn talk(&self, talk: &TalkToml, interpreters: &[Option<&str>]) -> (bool, Talk) {
        let mut tables = Vec::new();
        for table in talk.table.iter().filter(|table| table.missing.is_none()) {
            tables.extend(interpreters.iter().map(|interpreter| self.table(&talk.id, table, *interpreter)).filter(TalkTable::is_measured));
        }
        let measured = !tables.is_empty();
        let missing = talk.table.iter().filter(|table| table.missing.is_some());
        tables.extend(missing.map(|table| self.table(&talk.id, table, None)));
        let (id, name) = (talk.id.clone(), talk.title.clone());
        (measured, Talk { id, name, machine: talk.machine.clone(), faults: talk.faults.clone(), tables })
    }

    fn table(&self, talk: &str, table: &TableToml, interpreter: Option<&str>) -> TalkTable {
        let case = self.case(table, interpreter);
        let setting = Setting { case, threads: 1, interpreter };
        let first = table.row.first();
        let reference = |name: fn(&RowToml) -> &Option<CellName>| first.and_then(|row| self.cell(name(row), table, setting).ok());
        let references = (reference(|row| &row.as_published), reference(|row| &row.controlled));
        let rows = table.row.iter().map(|row| {
            let published_ratio = row.published.zip(first.and_then(|first| first.published)).map(|(this, first)| this / first);
            TalkRow {
                name: row.name.clone(),
                published_ns: row.published.zip(table.unit_ns).map(|(number, unit)| six_digits(number * unit)),
                published_ratio: published_ratio.map(six_digits),
                as_published: self.ours(self.cell(&row.as_published, table, setting), references.0, published_ratio),
                controlled: self.ours(self.cell(&row.controlled, table, setting), references.1, published_ratio),
                note: row.note.clone(),
            }
        });
        let rows: Vec<TalkRow> = rows.collect();
        let measured = [references.0, references.1].into_iter().flatten().next();
        TalkTable {
            talk: talk.to_owned(),
            name: table.title.clone(),
            interpreter: interpreter.map(str::to_owned),
            case: measured.map(|cell| self.finder.describe(self.finder.case_of(cell))),
            missing: table.missing.clone(),
            rows,
        }
    }

    /// The first case in which the first row was measured; else the first there is, so that rows can say what is missing.
    fn case<'t>(&self, table: &'t TableToml, interpreter: Option<&str>) -> Option<&'t CaseName> {
        let first = table.row.first()?;
        let measured = |case: &&CaseName| {
            let setting = Setting { case: Some(*case), threads: 1, interpreter };
            [&first.as_published, &first.controlled].into_iter().any(|cell| self.cell(cell, table, setting).is_ok())
        };
        table.cases.iter().find(measured).or(table.cases.first())
    }

    fn cell(&self, name: &Option<CellName>, table: &TableToml, setting: Setting) -> Result<&'a Cell, String> {
        match (name, &table.missing) {
            (_, Some(why)) => Err(why.clone()),
            (None, None) => Err("no lane does this".to_owned()),
            (Some(name), None) => self.finder.find(name, setting).map_err(|missing| missing.why),
        }
    }

    fn ours(&self, cell: Result<&Cell, String>, reference: Option<&Cell>, published: Option<f64>) -> Ours {
        let cell = match cell {
            Ok(cell) => cell,
            Err(why) => return Ours { missing: Some(why), ..Ours::default() },
        };
        let reference = reference.filter(|reference| reference.id != cell.id);
        let ratio = reference.and_then(|reference| self.analysis.ratio(cell.id, reference.id).ok());
        Ours {
            lane: Some(cell.lane.clone()),
            time_ns: self.analysis.time(cell.id),
            ratio,
            verdict: ratio.map(|ratio| verdict(&ratio, self.analysis.resolution(cell.case))),
            over_published: ratio.zip(published).map(|(ratio, published)| ratio.times(1.0 / published)),
            missing: None,
        }
    }
}
