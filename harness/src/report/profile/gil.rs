//! The GIL: what a heartbeat told about each lane, beside what its manifest declares.

use super::split::Table;
use super::title;
use crate::report::format::{percent, time};
use crate::store::gauges::GilWatch;
use crate::store::model::{Case, LaneRecord};
use crate::store::profile::{Profile, ProfiledCell};

/// A table for each case that was watched.
pub fn tables(profile: &Profile) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for (cell, watch) in watched(profile) {
        let title = format!("The GIL during {}", title(&Case { size: None, ..cell.case.clone() }));
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
    let mut findings = Vec::new();
    for cell in &profile.cells {
        let case = title(&Case { size: None, ..cell.case.clone() });
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

fn lane<'p>(profile: &'p Profile, cell: &ProfiledCell) -> Option<&'p LaneRecord> {
    profile.lanes.iter().find(|lane| lane.id == cell.lane)
}
