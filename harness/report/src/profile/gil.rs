//! The GIL: what a heartbeat told about each lane, beside what its manifest declares.

use std::collections::BTreeMap;

use bindbench_model::gauges::GilWatch;
use bindbench_model::profile::{Profile, ProfiledCell};
use bindbench_model::{Case, LaneRecord};

use super::split::Table;
use super::title;
use crate::format::{percent, time};

/// A table for each case in which something is known of a lane.
pub fn tables(profile: &Profile) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let told: Vec<String> =
        watched(profile).filter(|(_, watch)| matches!(watch, GilWatch::Told(_))).map(|(cell, _)| without_size(cell)).collect();
    for (cell, watch) in watched(profile).filter(|(cell, _)| told.contains(&without_size(cell))) {
        let title = format!("The GIL during {}", without_size(cell));
        if tables.last().is_none_or(|table| table.title != title) {
            let header = ["lane", "python", "seen", "declared", "held", "time of a call", "calls"];
            tables.push(Table { title, header: header.map(str::to_owned).into(), rows: Vec::new() });
        }
        if let Some(table) = tables.last_mut() {
            table.rows.push(row(profile, cell, watch));
        }
    }
    tables
}

/// The case whatever its size: calls are watched at sizes that make them long enough.
fn without_size(cell: &ProfiledCell) -> String {
    title(&Case { size: None, ..cell.case.clone() })
}

/// The cells that were watched, or would have been if their calls were longer.
fn watched(profile: &Profile) -> impl Iterator<Item = (&ProfiledCell, &GilWatch)> {
    let cells = profile.cells.iter().filter_map(|cell| Some((cell, cell.gil.as_ref()?)));
    cells.filter(|(_, watch)| !matches!(watch, GilWatch::NotWatched { .. }))
}

fn row(profile: &Profile, cell: &ProfiledCell, watch: &GilWatch) -> Vec<String> {
    let declared = lane(profile, cell).map(|lane| lane.gil.to_string()).unwrap_or_default();
    let mut row = vec![cell.lane.clone(), cell.interpreter.clone().unwrap_or_else(|| "–".to_owned())];
    row.extend(match watch {
        GilWatch::Told(share) => {
            [share.class.to_string(), declared, percent(share.held), time(share.call_ns as f64), share.calls.to_string()]
        }
        GilWatch::TooShort { call_ns, .. } => {
            ["too short to tell".to_owned(), declared, String::new(), time(*call_ns as f64), String::new()]
        }
        GilWatch::NotWatched { .. } => [const { String::new() }; 5],
    });
    row
}

/// Lanes that do other than their manifest says, and what was not looked at.
pub fn findings(profile: &Profile) -> Vec<String> {
    let mut findings = too_short(profile);
    for cell in &profile.cells {
        let case = without_size(cell);
        let python = cell.interpreter.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
        match (&cell.gil, lane(profile, cell)) {
            (Some(GilWatch::Told(share)), Some(lane)) => {
                if let Some(words) = share.class.contradicts(lane.gil, lane.parallel) {
                    findings.push(format!("{} in {case}{python}: {words} (for {} of the time)", cell.lane, percent(share.held)));
                }
                if !share.queues_known {
                    findings.push(format!(
                        "{} in {case}{python}: the system does not tell how long threads wait for a CPU; on a busy machine that looks like \
                         waiting for the GIL",
                        cell.lane
                    ));
                }
            }
            (Some(GilWatch::NotWatched { reason }), _) => {
                let words = format!("the GIL was not watched in {case} ({})", reason);
                if !findings.contains(&words) {
                    findings.push(words);
                }
            }
            _ => {}
        }
    }
    findings
}

/// The cases in which no lane's calls are long enough, and how long they are.
fn too_short(profile: &Profile) -> Vec<String> {
    let mut cases: BTreeMap<String, Vec<Option<u64>>> = BTreeMap::new();
    for (cell, watch) in watched(profile) {
        let call_ns = if let GilWatch::TooShort { call_ns, .. } = watch { Some(*call_ns) } else { None };
        cases.entry(without_size(cell)).or_default().push(call_ns);
    }
    let sentence = |(case, times): (String, Vec<Option<u64>>)| {
        let times: Vec<u64> = times.into_iter().collect::<Option<_>>()?;
        let (shortest, longest) = (time(*times.iter().min()? as f64), time(*times.iter().max()? as f64));
        let take = if shortest == longest { shortest } else { format!("{shortest} to {longest}") };
        Some(format!("the GIL can't be told in {case}: calls take {take}, too short for a heartbeat"))
    };
    cases.into_iter().filter_map(sentence).collect()
}

fn lane<'p>(profile: &'p Profile, cell: &ProfiledCell) -> Option<&'p LaneRecord> {
    profile.lanes.iter().find(|lane| lane.id == cell.lane)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_model::gauges::{GilClass, GilShare};
    use bindbench_model::profile::SCHEMA;
    use bindbench_model::{Environment, Status, Unit};

    fn profile(watches: Vec<(&str, GilWatch)>) -> Profile {
        let case = Case {
            id: 0,
            workload: "call".into(),
            operation: "noop".into(),
            input: "nothing".into(),
            form: None,
            size: None,
            unit: Unit::Items,
            threads: 1,
            net_of_loop: true,
        };
        let cell = |(lane, watch): (&str, GilWatch)| ProfiledCell {
            case: case.clone(),
            lane: lane.into(),
            interpreter: None,
            at: String::new(),
            status: Status::Ok,
            stacks: None,
            gil: Some(watch),
            memory: None,
        };
        Profile {
            schema: SCHEMA,
            bindbench: String::new(),
            command: Vec::new(),
            started: String::new(),
            environment: Environment::default(),
            interpreters: Vec::new(),
            lanes: Vec::new(),
            cells: watches.into_iter().map(cell).collect(),
            differences: Vec::new(),
            skipped: Vec::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn calls_that_are_too_short_are_said_to_be_with_their_time() {
        let short = |call_ns| GilWatch::TooShort { call_ns, size: None };
        let only_short = profile(vec![("a/a", short(20)), ("b/b", short(4_000_000))]);
        assert!(tables(&only_short).is_empty());
        let words = ["the GIL can't be told in call.noop of nothing: calls take 20.0 ns to 4.00 ms, too short for a heartbeat"];
        assert_eq!(findings(&only_short), words);
        let share = GilShare { class: GilClass::Held, held: 1.0, handed_over: None, calls: 9, call_ns: 1, size: None, queues_known: true };
        let one_told = profile(vec![("a/a", short(20)), ("b/b", GilWatch::Told(share))]);
        assert_eq!((tables(&one_told)[0].rows.len(), findings(&one_told)), (2, Vec::new()));
    }
}
