//! The ten facts of a run that matter most, in plain words. Each comes from a rule over the tables; none is typed in.

mod fastest;
mod growing;

use bindbench_analysis::Analysis;
use bindbench_model::{Comparison, Gil, Parallel};
use bindbench_stats::Verdict;
use bindbench_store::Recorded;
use serde::Serialize;

use crate::Report;
use crate::format;
use crate::ledger::Entry;
use crate::tables::{Kernel, Row, Table};

/// As many as there are shown.
const MOST: usize = 10;

/// A sentence or two, and where the numbers stand.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Fact {
    text: String,
    /// Anchor of the table; none for what is about the whole run.
    table: Option<String>,
}

/// The facts of a run, the most important first.
pub(super) fn facts(recorded: &Recorded, report: &Report, analysis: &Analysis) -> Vec<Fact> {
    let facts = Facts { report, analysis };
    let mut found: Vec<Fact> = Vec::new();
    found.extend(facts.failures());
    found.extend(facts.crossing());
    found.extend(facts.releasing());
    for workload in facts.workloads() {
        found.extend(facts.binding(workload));
        found.extend(facts.fastest(workload));
    }
    found.extend(facts.scaling());
    found.extend(facts.overtaking());
    found.extend(facts.share());
    found.extend(facts.told_apart());
    found.extend(checked(recorded));
    found.extend(facts.importing());
    found.truncate(MOST);
    found
}

struct Facts<'a> {
    report: &'a Report,
    analysis: &'a Analysis,
}

impl<'a> Facts<'a> {
    fn tables(&self, comparison: Comparison) -> impl Iterator<Item = (usize, &'a Table)> {
        self.report.tables.iter().enumerate().filter(move |(_, table)| table.comparison == comparison)
    }

    fn workloads(&self) -> Vec<&'a str> {
        let mut workloads: Vec<&str> =
            self.report.tables.iter().filter(|table| !table.net_of_loop).map(|table| table.workload.as_str()).collect();
        workloads.dedup();
        workloads
    }

    fn entry(&self, lane: &str) -> Option<&'a Entry> {
        self.report.lanes.iter().find(|entry| entry.lane == lane)
    }

    /// Lanes that compute in their caller's process and thread, with a time; the fastest first.
    fn direct(&self, rows: Vec<&'a Row>) -> Vec<(&'a Row, f64)> {
        let direct =
            |row: &&Row| !row.native && !row.near_zero && self.entry(&row.lane).is_some_and(|entry| entry.parallel == Parallel::None);
        rows.into_iter().filter(direct).filter_map(|row| Some((row, row.time_ns?.point()))).collect()
    }

    fn failures(&self) -> Option<Fact> {
        let failed: Vec<(usize, &Row)> = self
            .report
            .tables
            .iter()
            .enumerate()
            .flat_map(|(at, table)| table.rows.iter().map(move |row| (at, row)))
            .filter(|(_, row)| row.time_ns.is_none())
            .collect();
        let (at, first) = failed.first()?;
        let text = format!(
            "{} no number; the first is {}: {}.",
            has(failed.len(), "row"),
            first.lane,
            first.status.split(':').next().unwrap_or_default()
        );
        Some(fact(text, *at))
    }

    /// What the cheapest and the dearest binding take to call nothing at all.
    fn crossing(&self) -> Option<Fact> {
        let (at, table) =
            self.tables(Comparison::Controlled).find(|(_, table)| table.net_of_loop && table.rows.iter().all(|row| row.size.is_none()))?;
        let lanes = self.direct(table.representative());
        let ((cheapest, low), (dearest, high)) = (lanes.first()?, lanes.last()?);
        if cheapest.lane == dearest.lane || !(told(cheapest) || told(dearest)) {
            return None;
        }
        let text = format!(
            "Calling native code that does nothing ({}) takes {} through {} and {} through {}, {} times as long.",
            name(table),
            format::time(*low),
            cheapest.lane,
            format::time(*high),
            dearest.lane,
            format::ratio(high / low)
        );
        Some(fact(text, at))
    }

    /// What releasing the GIL adds: two lanes that differ in nothing else.
    fn releasing(&self) -> Option<Fact> {
        self.tables(Comparison::Controlled).chain(self.tables(Comparison::AsPublished)).filter(|(_, table)| table.net_of_loop).find_map(
            |(at, table)| {
                let lanes = self.direct(table.representative());
                let with = |gil: Gil| {
                    lanes.iter().filter_map(move |(row, time)| Some((self.entry(&row.lane).filter(|entry| entry.gil == gil)?, *row, *time)))
                };
                with(Gil::Held).find_map(|(held, held_row, held_ns)| {
                    let same = |other: &Entry| {
                        (&other.binding, &other.kernel) == (&held.binding, &held.kernel) && strategy(&other.lane) == strategy(&held.lane)
                    };
                    let (_, released_row, released_ns) = with(Gil::Released).find(|(other, ..)| same(other))?;
                    let apart = held_row.time_ns?.interval()?.1 < released_row.time_ns?.interval()?.0;
                    let text = format!(
                        "Releasing and taking back the GIL adds {} to a call ({}: {} over {}).",
                        format::time(released_ns - held_ns),
                        name(table),
                        released_row.lane,
                        held_row.lane
                    );
                    apart.then(|| fact(text, at))
                })
            },
        )
    }

    /// How much the binding matters when the kernel is the same.
    fn binding(&self, workload: &str) -> Option<Fact> {
        let (at, table) = self.widest(workload, Comparison::Controlled).filter(|(_, table)| matches!(table.kernel, Kernel::Shared(_)))?;
        let rows = table.representative();
        let same = rows.iter().filter(|row| row.verdict == Some(Verdict::Same)).count();
        let judged = rows.iter().filter(|row| row.ratio.is_some()).count();
        let baseline = rows.iter().find_map(|row| row.baseline.clone())?;
        let lanes = self.direct(rows.clone());
        let ((fastest, low), (slowest, high)) = (lanes.first()?, lanes.last()?);
        if fastest.lane == slowest.lane {
            return None;
        }
        let case = case(table, fastest);
        // A factor between lanes that the run can't tell apart would be one of chance.
        let text = if !told(fastest) && !told(slowest) {
            format!(
                "{case} takes {} to {} through every binding of the same kernel: no difference that this run can see.",
                format::time(*low),
                format::time(*high)
            )
        } else {
            format!(
                "The same kernel, {case}, takes {} through {} and {} through {}, a factor of {}; {same} of {judged} lanes can't be told apart from {baseline}.",
                format::time(*low),
                fastest.lane,
                format::time(*high),
                slowest.lane,
                format::ratio(high / low)
            )
        };
        Some(fact(text, at))
    }

    /// The table with the most ratios, the first of several.
    fn widest(&self, workload: &str, comparison: Comparison) -> Option<(usize, &'a Table)> {
        let tables: Vec<(usize, &Table)> = self.tables(comparison).filter(|(_, table)| table.workload == workload).collect();
        tables.into_iter().rev().max_by_key(|(_, table)| table.rows.iter().filter(|row| row.ratio.is_some()).count())
    }

    fn told_apart(&self) -> Option<Fact> {
        let verdicts: Vec<Verdict> = self.report.tables.iter().flat_map(|table| &table.rows).filter_map(|row| row.verdict).collect();
        let same = verdicts.iter().filter(|verdict| **verdict == Verdict::Same).count();
        let undecided = verdicts.iter().filter(|verdict| **verdict == Verdict::Undecided).count();
        if verdicts.is_empty() || undecided == verdicts.len() {
            return None;
        }
        let text = format!(
            "Of {} to a baseline, {same} can't be told from 1 within this run's resolution.",
            format::count(verdicts.len(), "ratio")
        );
        Some(Fact { text, table: None })
    }

    fn importing(&self) -> Option<Fact> {
        let mut imports: Vec<(&str, f64)> = self
            .report
            .lanes
            .iter()
            .flat_map(|entry| entry.lives.iter().filter_map(|life| Some((entry.lane.as_str(), life.import_ns?))))
            .collect();
        imports.sort_by(|a, b| a.1.total_cmp(&b.1));
        let ((quickest, low), (slowest, high)) = (imports.first()?, imports.last()?);
        if quickest == slowest {
            return None;
        }
        let text = format!("Importing takes from {} ({quickest}) to {} ({slowest}).", format::time(*low), format::time(*high));
        Some(Fact { text, table: None })
    }
}

fn checked(recorded: &Recorded) -> Option<Fact> {
    let samples = recorded.samples.len();
    let wrong = recorded.samples.iter().filter(|sample| !sample.digest_ok).count();
    let verdict = match wrong {
        0 => "all were right".to_owned(),
        1 => "1 was wrong, and its lane has no number".to_owned(),
        n => format!("{n} were wrong, and their lanes have no number"),
    };
    let text = format!("Every one of {} had an answer checked; {verdict}.", format::count(samples, "sample"));
    (samples > 0).then_some(Fact { text, table: None })
}

fn fact(text: String, table: usize) -> Fact {
    Fact { text, table: Some(format!("table-{}", table + 1)) }
}

fn has(n: usize, thing: &str) -> String {
    format!("{} {}", format::count(n, thing), if n == 1 { "has" } else { "have" })
}

fn name(table: &Table) -> String {
    format!("{}.{}", table.workload, table.operation)
}

/// The run tells it apart from the baseline.
fn told(row: &Row) -> bool {
    matches!(row.verdict, Some(Verdict::Faster | Verdict::Slower))
}

fn strategy(lane: &str) -> &str {
    lane.split('/').next().unwrap_or(lane)
}

/// `kmp.find_all of 64 KiB`.
fn case(table: &Table, row: &Row) -> String {
    match row.size {
        Some(size) if table.unit == bindbench_model::Unit::Items => {
            format!("{} of {} items", name(table), format::size(size, table.unit))
        }
        Some(size) => format!("{} of {}", name(table), format::size(size, table.unit)),
        None => name(table),
    }
}
