//! How lanes grow with the size of the input: cost of the call, slope from size to size, who overtakes whom, and where the binding
//! stops to matter.

use std::collections::BTreeMap;

use bindbench_analysis::Analysis;
use bindbench_stats::{Compared, Estimate, Onset, onset};
use schemars::JsonSchema;
use serde::Serialize;

use super::tables::{Row, Table};

/// More sizes than this are thinned: nobody reads more columns.
const MOST_SIZES: usize = 8;

/// The binding's share of the time is below 5 % when the time is less than this many times the native lane's.
const FIVE_PERCENT: f64 = 1.0 / 0.95;

/// How the lanes of a table grow, with one thread.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Growth {
    /// The sizes compared, ascending.
    pub sizes: Vec<u64>,
    /// Lane by lane, in the order of their names.
    pub lanes: Vec<LaneGrowth>,
    /// Who falls behind whom: by lane, then by where.
    pub overtakes: Vec<Overtake>,
}

/// How one lane grows.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LaneGrowth {
    /// The lane's id.
    pub lane: String,
    /// Time of a call on nothing, nanoseconds: the first slope, continued to size 0.
    pub call_ns: Option<Estimate>,
    /// From size to size.
    pub slopes: Vec<Slope>,
    /// From which size on less than 5 % of the time is not the native lane's; none where there is no native lane to compare with.
    pub binding_below_5_percent: Option<Onset>,
}

/// Nanoseconds for each further unit of size, in a range of sizes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Slope {
    /// Where the range begins.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// Nanoseconds per unit.
    pub ns: Estimate,
}

/// A lane that is slower than others at one size, and faster at a larger one and from there on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Overtake {
    /// The lane.
    pub lane: String,
    /// Those it beats, each with the size at which the lines through the estimates meet.
    pub beats: Vec<(String, u64)>,
    /// The last size at which it is slower than each of them.
    pub slower_at: u64,
    /// The first size after that at which it is faster.
    pub faster_at: u64,
}

/// The rows of a table with one thread, lane by lane, by size.
pub fn by_lane(table: &Table) -> BTreeMap<&str, Vec<(u64, &Row)>> {
    let mut lanes: BTreeMap<&str, Vec<(u64, &Row)>> = BTreeMap::new();
    for row in table.rows.iter().filter(|row| row.threads == 1 && row.time_ns.is_some() && !row.near_zero) {
        if let Some(size) = row.size {
            lanes.entry(&row.lane).or_default().push((size, row));
        }
    }
    lanes
}

/// How a table's lanes grow; none where there is one size only.
pub fn growth(table: &Table, analysis: &Analysis) -> Option<Growth> {
    let mut lanes = by_lane(table);
    let mut sizes: Vec<u64> = lanes.values().flatten().map(|(size, _)| *size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.len() < 2 {
        return None;
    }
    thin(&mut sizes, MOST_SIZES);
    lanes.values_mut().for_each(|rows| rows.retain(|(size, _)| sizes.contains(size)));
    let native = lanes.values().find(|rows| rows.first().is_some_and(|(_, row)| row.native)).cloned();
    let lane_growth = |(lane, rows): (&&str, &Vec<(u64, &Row)>)| {
        let curve = analysis.curve(&rows.iter().map(|(size, row)| (*size, row.cell)).collect::<Vec<_>>());
        let share = native.as_ref().filter(|_| !rows[0].1.native);
        LaneGrowth {
            lane: (*lane).to_owned(),
            call_ns: curve.call_ns,
            slopes: curve.pieces.into_iter().map(|piece| Slope { from: piece.from, to: piece.to, ns: piece.slope_ns }).collect(),
            binding_below_5_percent: share.map(|native| onset(&compare(rows, native, analysis), FIVE_PERCENT)),
        }
    };
    Some(Growth { lanes: lanes.iter().map(lane_growth).collect(), overtakes: overtakes(&lanes, analysis), sizes })
}

/// Keeps so many of the sizes, evenly spread, the first and the last among them.
fn thin(sizes: &mut Vec<u64>, most: usize) {
    if sizes.len() > most {
        let last = sizes.len() - 1;
        *sizes = (0..most).map(|at| sizes[at * last / (most - 1)]).collect();
    }
}

/// Ratios at the sizes that both have.
fn compare(rows: &[(u64, &Row)], others: &[(u64, &Row)], analysis: &Analysis) -> Vec<Compared> {
    rows.iter()
        .filter_map(|(size, row)| {
            let (_, other) = others.iter().find(|(other, _)| other == size)?;
            let ratio = analysis.ratio(row.cell, other.cell).ok()?;
            Some(Compared { size: *size, ratio, resolution: row.resolution.clone() })
        })
        .collect()
}

fn overtakes(lanes: &BTreeMap<&str, Vec<(u64, &Row)>>, analysis: &Analysis) -> Vec<Overtake> {
    let mut overtakes = Vec::new();
    for (lane, rows) in lanes {
        let mut beaten: BTreeMap<(u64, u64), Vec<(String, u64)>> = BTreeMap::new();
        for (other, others) in lanes.iter().filter(|(other, _)| *other != lane) {
            if let Onset::Between { above_at, below_at, about } = onset(&compare(rows, others, analysis), 1.0) {
                beaten.entry((above_at, below_at)).or_default().push(((*other).to_owned(), about));
            }
        }
        overtakes.extend(beaten.into_iter().map(|((slower_at, faster_at), beats)| Overtake {
            lane: (*lane).to_owned(),
            beats,
            slower_at,
            faster_at,
        }));
    }
    overtakes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_both_ends() {
        let mut sizes: Vec<u64> = (1..=2000).collect();
        thin(&mut sizes, 8);
        assert_eq!((sizes.len(), sizes[0], sizes[7]), (8, 1, 2000));
        let mut few = vec![1, 2, 3];
        thin(&mut few, 8);
        assert_eq!(few, [1, 2, 3]);
    }
}
