//! What the samples of a run say, and how sure: [`bindbench_stats`] on a [`Recorded`]. Nothing here starts a process or prints.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod points;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bindbench_model::{Run, RunState};
use bindbench_stats::{Curve, Estimate, FEWEST_GENERATIONS, NoRatio, Resolution, Samples, Twin, WIDEST, widening};
use bindbench_store::{Lacking, Recorded};

pub use points::{instructions, of_generation, samples};

/// Why a run can't vouch for its intervals.
#[derive(Clone, Debug, PartialEq)]
pub enum Doubt {
    /// Fewer generations than an interval takes.
    FewGenerations {
        /// How many there are samples of.
        generations: usize,
    },
    /// No lane has two numbers, so nothing shows what the run can tell apart.
    NoTwin {
        /// How many lanes were to be measured twice, by case.
        planned: usize,
    },
    /// The twins disagree by more than widening can honestly mend.
    TooWide {
        /// The factor it would take.
        factor: f64,
    },
    /// It was not finished.
    Incomplete,
    /// It was finished, and rows that were planned are not in its files.
    Missing {
        /// Which file.
        file: &'static str,
        /// How many, of how many.
        lacking: Lacking,
    },
    /// Nothing was timed.
    Untimed,
}

/// The statistics of one run.
#[derive(Debug)]
pub struct Analysis {
    samples: Samples,
    /// Cells of which a sample had a wrong answer: no number of theirs counts.
    wrong: Vec<bool>,
    generations: usize,
    widening: f64,
    twins: usize,
    excluding: usize,
    resolutions: HashMap<u32, Resolution>,
    doubts: Vec<Doubt>,
}

impl Analysis {
    /// Analyses a run.
    pub fn new(recorded: &Recorded) -> Self {
        let run = &recorded.run;
        let samples = samples(run, &recorded.samples);
        let twins = twins(run, &samples);
        let factor = widening(&twins);
        let excluding = twins.iter().filter(|twin| excludes_one(&twin.ratio)).count();
        let generations = recorded.samples.iter().map(|sample| sample.generation).collect::<BTreeSet<_>>().len();
        let mut doubts = Vec::new();
        if run.state != RunState::Finished {
            doubts.push(Doubt::Incomplete);
        } else {
            let files = [("samples.csv", Lacking::samples(recorded)), ("counts.csv", Lacking::counts(recorded))];
            doubts.extend(
                files.into_iter().filter(|(_, lacking)| lacking.missing > 0).map(|(file, lacking)| Doubt::Missing { file, lacking }),
            );
        }
        if !run.is_timed() {
            doubts.push(Doubt::Untimed);
        } else if generations == 0 && !doubts.is_empty() {
            // Nothing was looked at yet, and that is all there is to say.
        } else {
            if generations < FEWEST_GENERATIONS {
                doubts.push(Doubt::FewGenerations { generations });
            }
            if twins.is_empty() {
                doubts.push(Doubt::NoTwin { planned: run.cells.iter().filter(|cell| cell.twin).count() });
            }
        }
        if factor > WIDEST {
            doubts.push(Doubt::TooWide { factor });
        }
        let resolutions = resolutions(run, &twins, factor);
        Self {
            samples,
            wrong: points::wrong(run, &recorded.samples),
            generations,
            widening: factor,
            twins: twins.iter().filter(|twin| twin.ratio.half_width().is_some()).count(),
            excluding,
            resolutions,
            doubts,
        }
    }

    /// Time of one call of a cell, in nanoseconds.
    pub fn time(&self, cell: u32) -> Option<Estimate> {
        self.samples.value(cell).map(|time| time.widened(self.widening))
    }

    /// Time of `cell` over time of `base`.
    ///
    /// # Errors
    /// When there is nothing to divide, or nothing to divide by.
    pub fn ratio(&self, cell: u32, base: u32) -> Result<Estimate, NoRatio> {
        self.samples.ratio(cell, base).map(|ratio| ratio.widened(self.widening))
    }

    /// Throughput of cell `many` with `threads` threads over that of cell `one` with one.
    ///
    /// # Errors
    /// As [`Analysis::ratio`].
    pub fn scaling(&self, one: u32, many: u32, threads: u32) -> Result<Estimate, NoRatio> {
        self.samples.scaling(one, many, threads).map(|scaling| scaling.widened(self.widening))
    }

    /// A sum of cells' times, each so many times, in nanoseconds: negative weights make differences. See [`Samples::combination`].
    pub fn combination(&self, terms: &[(f64, u32)]) -> Option<Estimate> {
        self.samples.combination(terms).map(|sum| sum.widened(self.widening))
    }

    /// The ratio of the first two cells over the ratio of the other two.
    ///
    /// # Errors
    /// As [`Analysis::ratio`].
    pub fn ratio_of_ratios(&self, first: (u32, u32), second: (u32, u32)) -> Result<Estimate, NoRatio> {
        self.samples.ratio_of_ratios(first, second).map(|ratio| ratio.widened(self.widening))
    }

    /// What this run can't tell apart between cells of several cases: the coarsest of their resolutions, as a fraction; none when one
    /// of them has none.
    pub fn coarsest_resolution(&self, cases: impl IntoIterator<Item = u32>) -> Option<f64> {
        cases.into_iter().try_fold(0.0_f64, |coarsest, case| Some(coarsest.max(self.resolution(case)?.fraction)))
    }

    /// How a lane's time grows over cells of ascending sizes: pairs of size and cell.
    pub fn curve(&self, points: &[(u64, u32)]) -> Curve {
        Curve::through(&self.samples, points).widened(self.widening)
    }

    /// What this run can't tell apart in a case; none when no twin of the case's workload is usable.
    pub fn resolution(&self, case: u32) -> Option<&Resolution> {
        self.resolutions.get(&case)
    }

    /// The smallest and the largest resolution.
    pub fn resolutions(&self) -> Option<(f64, f64)> {
        let fractions = || self.resolutions.values().map(|resolution| resolution.fraction);
        Some((fractions().reduce(f64::min)?, fractions().reduce(f64::max)?))
    }

    /// The samples.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// A sample of this cell had a wrong answer.
    pub fn is_wrong(&self, cell: u32) -> bool {
        self.wrong[cell as usize]
    }

    /// How many generations there are samples of.
    pub fn generations(&self) -> usize {
        self.generations
    }

    /// The factor ≥ 1 by which all intervals were widened.
    pub fn widening(&self) -> f64 {
        self.widening
    }

    /// How many twins have an interval, and how many of their intervals exclude 1 before any widening.
    pub fn twins(&self) -> (usize, usize) {
        (self.twins, self.excluding)
    }

    /// Why the run can't vouch for its intervals; empty when it can.
    pub fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }
}

fn excludes_one(ratio: &Estimate) -> bool {
    ratio.half_width().is_some_and(|half| ratio.centre().abs() > half)
}

/// Each twin's ratio to the cell of the same lane, interpreter and case, where both have numbers.
fn twins(run: &Run, samples: &Samples) -> Vec<Twin> {
    let usable = |cell: &&bindbench_model::Cell| cell.status.has_number();
    let originals: HashMap<_, u32> = run
        .cells
        .iter()
        .filter(|cell| !cell.twin)
        .filter(usable)
        .map(|cell| ((cell.case, cell.lane.as_str(), cell.interpreter.as_deref()), cell.id))
        .collect();
    run.cells
        .iter()
        .filter(|cell| cell.twin)
        .filter(usable)
        .filter_map(|cell| {
            let original = originals.get(&(cell.case, cell.lane.as_str(), cell.interpreter.as_deref()))?;
            let ratio = samples.ratio(cell.id, *original).ok()?;
            Some(Twin { case: cell.case, ratio })
        })
        .collect()
}

/// The resolution of each case: that of its own twin, the coarsest if it has several; else the coarsest of its workload.
fn resolutions(run: &Run, twins: &[Twin], widening: f64) -> HashMap<u32, Resolution> {
    let mut own: HashMap<u32, Resolution> = HashMap::new();
    for twin in twins {
        if let Some(resolution) = Resolution::of_twin(&twin.ratio.widened(widening)) {
            let kept = own.entry(twin.case).or_insert_with(|| resolution.clone());
            kept.fraction = kept.fraction.max(resolution.fraction);
        }
    }
    let mut coarsest: BTreeMap<&str, f64> = BTreeMap::new();
    for (&case, resolution) in &own {
        let kept = coarsest.entry(&run.cases[case as usize].workload).or_insert(0.0);
        *kept = kept.max(resolution.fraction);
    }
    run.cases
        .iter()
        .filter_map(|case| {
            let borrowed = || {
                let &fraction = coarsest.get(case.workload.as_str())?;
                Some(Resolution { fraction, borrowed: true })
            };
            Some((case.id, own.get(&case.id).cloned().or_else(borrowed)?))
        })
        .collect()
}
