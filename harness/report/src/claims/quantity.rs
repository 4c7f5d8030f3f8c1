//! What a test measures: one positive quantity, from the cells it names.

use bindbench_analysis::Analysis;
use bindbench_model::Cell;
use bindbench_stats::{Bounds, Estimate, NoRatio, Standing};
use serde::Serialize;

use crate::cell_names::{CaseName, CellName};
use crate::finder::{Finder, Missing, Setting};

use super::profiled::Looked;
use super::relation::Relation;

/// What a quantity is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A time over a time, or such a ratio over another.
    Ratio,
    /// Throughput with several threads over that with one.
    Scaling,
    /// Nanoseconds for each byte.
    NanosecondsPerByte,
    /// Nanoseconds for each item.
    NanosecondsPerItem,
    /// Share of calls' time during which the GIL is held, 0 to 1.
    GilHeld,
    /// Share of a profile's samples, 0 to 1.
    Share,
}

/// A quantity, and what it rests on.
#[derive(Debug)]
pub(super) struct Quantity {
    pub(super) what: String,
    pub(super) unit: Unit,
    pub(super) measured: Estimate,
    /// What the run can't tell apart here, as a fraction.
    pub(super) resolution: Option<f64>,
    /// Where it is clear without bounds.
    pub(super) standing: Option<Standing>,
}

/// Measures what a relation is about, in one setting.
#[derive(Debug)]
pub(super) struct Gauge<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) finder: Finder<'a>,
    pub(super) looked: Looked<'a>,
}

impl<'a> Gauge<'a> {
    /// One quantity for each relation, but for an order, which has one for each two neighbours.
    ///
    /// # Errors
    /// What is missing.
    pub(super) fn quantities(&self, relation: &Relation, cases: &[CaseName], setting: Setting) -> Result<Vec<Quantity>, Missing> {
        // What nothing measures yet says more than whatever else is missing.
        if let Some(CellName::Missing(why)) = relation.cells().into_iter().find(|cell| matches!(cell, CellName::Missing(_))) {
            return Err(why.clone().into());
        }
        let cell = |name: &CellName| self.finder.find(name, setting);
        Ok(match relation {
            Relation::Ratio { of, to, per_item } => vec![self.ratio(cell(of)?, cell(to)?, *per_item)?],
            Relation::RatioOfRatios { cells } => {
                let [of, to, against_of, against_to] = &**cells;
                vec![self.ratio_of_ratios((cell(of)?, cell(to)?), (cell(against_of)?, cell(against_to)?))?]
            }
            Relation::Scaling { of } => {
                let one = self.finder.find(&with_one_thread(of), Setting { threads: 1, ..setting })?;
                vec![self.scaling(one, cell(of)?)?]
            }
            Relation::TimePerItem { of } => vec![self.time_per_item(cell(of)?)?],
            Relation::Order { cells } => {
                let cells: Vec<&Cell> = cells.iter().map(cell).collect::<Result<_, _>>()?;
                cells.windows(2).map(|two| self.ratio(two[0], two[1], false)).collect::<Result<_, String>>()?
            }
            Relation::NoWinner { lanes } => vec![self.no_winner(lanes, cases, setting)?],
            Relation::Gil { of, seen } => vec![self.looked.gil(of, *seen, setting)?],
            Relation::Share { of, functions } => vec![self.looked.share(of, functions, setting)?],
        })
    }

    fn ratio(&self, of: &Cell, to: &Cell, per_item: bool) -> Result<Quantity, String> {
        if of.id == to.id {
            return Err(format!("{} would be compared with itself", of.lane));
        }
        let mut measured = self.analysis.ratio(of.id, to.id).map_err(|error| no_ratio(error, of, to))?;
        let mut what = self.two(of, to);
        if per_item {
            let size = |cell: &Cell| self.finder.case_of(cell).size.ok_or_else(|| format!("{} has no size", self.place(cell)));
            measured = measured.times(size(to)? as f64 / size(of)? as f64);
            what += ", each over its size";
        }
        Ok(Quantity { what, unit: Unit::Ratio, measured, resolution: self.resolution([of, to]), standing: None })
    }

    fn ratio_of_ratios(&self, first: (&Cell, &Cell), second: (&Cell, &Cell)) -> Result<Quantity, String> {
        let ids = |(of, to): (&Cell, &Cell)| (of.id, to.id);
        let measured = self.analysis.ratio_of_ratios(ids(first), ids(second)).map_err(|error| no_ratio(error, first.0, second.0))?;
        // Each ratio may be off by its own resolution.
        let (above, below) = (self.resolution([first.0, first.1]), self.resolution([second.0, second.1]));
        Ok(Quantity {
            what: format!("({}) / ({})", self.two(first.0, first.1), self.two(second.0, second.1)),
            unit: Unit::Ratio,
            measured,
            resolution: above.zip(below).map(|(above, below)| (1.0 + above) * (1.0 + below) - 1.0),
            standing: None,
        })
    }

    fn scaling(&self, one: &Cell, many: &Cell) -> Result<Quantity, String> {
        let threads = self.finder.case_of(many).threads;
        let measured = self.analysis.scaling(one.id, many.id, threads).map_err(|error| no_ratio(error, many, one))?;
        let what = format!("throughput of {} over that of one", self.place(many));
        Ok(Quantity { what, unit: Unit::Scaling, measured, resolution: self.resolution([one, many]), standing: None })
    }

    fn time_per_item(&self, of: &Cell) -> Result<Quantity, String> {
        let case = self.finder.case_of(of);
        let size = case.size.ok_or_else(|| format!("{} has no size", self.place(of)))?;
        let time = self.analysis.time(of.id).ok_or_else(|| format!("{} has no number", of.lane))?;
        let unit = match case.unit {
            bindbench_model::Unit::Bytes => Unit::NanosecondsPerByte,
            bindbench_model::Unit::Items => Unit::NanosecondsPerItem,
        };
        let measured = time.times(1.0 / size as f64);
        Ok(Quantity { what: self.place(of), unit, measured, resolution: self.resolution([of]), standing: None })
    }

    /// How much the best fixed choice loses where it loses most. It holds that there is no winner when every lane is beaten by another
    /// in some case; it doesn't when one lane beats all others in all cases.
    fn no_winner(&self, lanes: &[CellName], cases: &[CaseName], setting: Setting) -> Result<Quantity, Missing> {
        let rows = cases.iter().map(|case| {
            let setting = Setting { case: Some(case), ..setting };
            lanes.iter().map(|lane| self.finder.find(lane, setting)).collect::<Result<Vec<&Cell>, Missing>>()
        });
        let rows: Vec<Vec<&Cell>> = rows.collect::<Result<_, _>>()?;
        let slower = Bounds { above: Some(1.0), below: None };
        let (mut all_beaten, mut winner) = (true, false);
        let mut best: Option<Quantity> = None;
        for lane in 0..lanes.len() {
            let mut worst: Option<Quantity> = None;
            let (mut beaten, mut beats_all) = (false, true);
            for row in &rows {
                for other in (0..lanes.len()).filter(|&other| other != lane) {
                    let duel = self.ratio(row[lane], row[other], false)?;
                    let standing = duel.resolution.map_or(Standing::Unclear, |resolution| slower.stand(&duel.measured, resolution));
                    beaten |= standing == Standing::Inside;
                    beats_all &= standing == Standing::Outside;
                    worst = Some(match worst {
                        Some(worst) if worst.measured.centre() >= duel.measured.centre() => worst,
                        _ => duel,
                    });
                }
            }
            all_beaten &= beaten;
            winner |= beats_all;
            best = match (best, worst) {
                (Some(best), Some(worst)) if best.measured.centre() <= worst.measured.centre() => Some(best),
                (_, worst) => worst,
            };
        }
        let best = best.ok_or_else(|| "there is nothing to choose from".to_owned())?;
        let standing = match (all_beaten, winner) {
            (true, _) => Standing::Inside,
            (_, true) => Standing::Outside,
            _ => Standing::Unclear,
        };
        Ok(Quantity { what: format!("worst case of the best fixed choice: {}", best.what), standing: Some(standing), ..best })
    }

    fn resolution<const N: usize>(&self, cells: [&Cell; N]) -> Option<f64> {
        self.analysis.coarsest_resolution(cells.map(|cell| cell.case))
    }

    /// `python/pure / capi/c, std.std of ints, 5,000`; where the cases differ, each with its own.
    fn two(&self, of: &Cell, to: &Cell) -> String {
        let (one, other) = (self.finder.case_of(of), self.finder.case_of(to));
        if one.id == other.id && of.interpreter == to.interpreter {
            return format!("{} / {}, {}", of.lane, to.lane, self.finder.describe(one));
        }
        let differ = of.interpreter != to.interpreter && of.interpreter.is_some() && to.interpreter.is_some();
        let named = |cell: &Cell| match cell.interpreter.as_deref().filter(|_| differ) {
            Some(interpreter) => format!("{}, Python {interpreter}", self.place(cell)),
            None => self.place(cell),
        };
        if one.id == other.id {
            return match differ {
                true => format!("{} / {}", named(of), named(to)),
                false => format!("{} / {}, {}", of.lane, to.lane, self.finder.describe(one)),
            };
        }
        format!("{} / {}", named(of), named(to))
    }

    /// `capi/c, std.std of ints, 5,000`.
    fn place(&self, cell: &Cell) -> String {
        format!("{}, {}", cell.lane, self.finder.describe(self.finder.case_of(cell)))
    }
}

fn with_one_thread(cell: &CellName) -> CellName {
    match cell.clone() {
        CellName::Lane { lane, case, python, .. } => CellName::Lane { lane, case, threads: None, python },
        missing => missing,
    }
}

fn no_ratio(error: NoRatio, of: &Cell, to: &Cell) -> String {
    match error {
        NoRatio::NoNumber => format!("{} or {} has no number", of.lane, to.lane),
        NoRatio::NearZero => format!("{} or {} takes no more time than the empty loop", of.lane, to.lane),
        NoRatio::NoCommonRound => format!("{} and {} were never sampled in the same round", of.lane, to.lane),
    }
}
