//! From runs to one series for each cell.

use std::collections::{BTreeMap, BTreeSet};

use bindbench_analysis::{Analysis, Doubt};
use bindbench_model::{Cell, CellKey};
use bindbench_stats::{Estimate, Scale, six_digits};
use bindbench_store::Recorded;

use crate::choice::Choice;
use crate::format::count;
use crate::tables::floors;
use crate::warnings::reason;

use super::{Point, Series};

/// All series, and what could not be made one.
pub(super) struct Assembled {
    pub(super) series: Vec<Series>,
    pub(super) left_out: Vec<String>,
}

/// A cell in one run, with all lanes that it can be measured by.
struct Seen {
    run: usize,
    time: Estimate,
    floors: Vec<(String, Estimate)>,
    commit: Option<String>,
    made_of: Option<String>,
}

pub(super) fn assemble(runs: &[Recorded], choice: &Choice) -> Assembled {
    let mut cells: BTreeMap<CellKey, Vec<Seen>> = BTreeMap::new();
    let mut left_out = Vec::new();
    for (at, recorded) in runs.iter().enumerate() {
        let analysis = Analysis::new(recorded);
        if let Some(doubt) = analysis
            .doubts()
            .iter()
            .find(|doubt| matches!(doubt, Doubt::Incomplete | Doubt::Missing { .. } | Doubt::Untimed | Doubt::FewGenerations { .. }))
        {
            left_out.push(format!("run {}: {}", recorded.run.id, reason(doubt)));
            continue;
        }
        for cell in recorded.run.cells.iter().filter(|cell| !cell.twin) {
            let key = CellKey::of(cell, &recorded.run);
            if choice.has(&key) {
                cells.entry(key).or_default().extend(seen(cell, at, recorded, &analysis));
            }
        }
    }
    let mut series = Vec::new();
    for (key, mut seen) in cells {
        let all = seen.len();
        let newest = seen.last().and_then(|newest| newest.made_of.clone());
        seen.retain(|seen| seen.made_of == newest);
        if seen.len() < all {
            left_out.push(format!("{key}: its input was other data in {}", count(all - seen.len(), "earlier run")));
        }
        match series_of(&key, &seen, runs) {
            Ok(made) => series.push(made),
            Err(why) => left_out.push(format!("{key}: {why}")),
        }
    }
    Assembled { series, left_out }
}

fn seen(cell: &Cell, run: usize, recorded: &Recorded, analysis: &Analysis) -> Option<Seen> {
    let time = analysis.time(cell.id).filter(|time| cell.status.has_number() && time.scale() == Scale::Log)?;
    let floors = floors(cell, &recorded.run).into_iter();
    let lane = recorded.run.lanes.iter().find(|lane| lane.id == cell.lane);
    Some(Seen {
        run,
        time,
        floors: floors.filter_map(|floor| Some((floor.lane.clone(), analysis.ratio(cell.id, floor.id).ok()?))).collect(),
        commit: lane.and_then(|lane| lane.commit.clone()),
        made_of: recorded.run.made_of(&recorded.run.cases[cell.case as usize]).cloned(),
    })
}

fn series_of(key: &CellKey, seen: &[Seen], runs: &[Recorded]) -> Result<Series, String> {
    let Some(newest) = seen.last() else { return Err("it has no time above 0 in any run".to_owned()) };
    // The floor that most runs have; of equally many, the best one.
    let having = |lane: &str| seen.iter().filter(|seen| seen.floors.iter().any(|(other, _)| other == lane)).count();
    let mut floor: Option<(&str, usize)> = None;
    for (lane, _) in &newest.floors {
        let count = having(lane);
        if floor.is_none_or(|(_, most)| count > most) {
            floor = Some((lane, count));
        }
    }
    let floor = floor.map(|(lane, _)| lane);
    let machines: BTreeSet<&String> = seen.iter().map(|seen| &runs[seen.run].run.environment.cpu).collect();
    if floor.is_none() && machines.len() > 1 {
        return Err(format!("no other lane of its case was measured, and the runs are of {} CPU models", machines.len()));
    }
    let value = |seen: &Seen| match floor {
        Some(floor) => seen.floors.iter().find(|(lane, _)| lane == floor).map(|(_, ratio)| *ratio),
        None => Some(seen.time),
    };
    let point = |seen: &Seen| {
        Some(Point { run: seen.run, value: value(seen)?, time_ns: six_digits(seen.time.point()), commit: seen.commit.clone() })
    };
    Ok(Series {
        name: key.to_string(),
        lane: key.lane.clone(),
        case: key.case(),
        interpreter: key.interpreter.clone(),
        floor: floor.map(str::to_owned),
        points: seen.iter().filter_map(point).collect(),
        changes: Vec::new(),
    })
}
