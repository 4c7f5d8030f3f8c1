//! Samples assembled into the numbers of one cell, and into the paired ratio of two cells.
//!
//! Both are per generation first: the median over its rounds, which one slow moment can't move. A ratio is the median of the paired
//! log-ratios of the same round: what slows the machine down slows both, and drops out.

use std::collections::BTreeMap;

use crate::store::model::{Run, Sample};

use super::interval::{Estimate, median};

/// One sample, reduced to what statistics need.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    generation: u32,
    round: u32,
    /// Of one call; net of the empty loop where the case asks for it.
    nanoseconds: f64,
    /// The empty loop's share of one call; 0 where it was not measured.
    empty: f64,
}

/// All samples of a run, by cell.
#[derive(Clone, Debug)]
pub struct Samples {
    points: Vec<Point>,
    /// Where the points of a cell begin; one more at the end.
    begins: Vec<usize>,
    /// Cells of which a sample had a wrong answer: no number of theirs counts.
    wrong: Vec<bool>,
}

/// Why two cells have no ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRatio {
    /// One of them has no number.
    NoNumber,
    /// Net of the empty loop, one of them takes no measurable time: a ratio to it would be a ratio to noise.
    NearZero,
    /// They were never sampled in the same round.
    NoCommonRound,
}

impl Samples {
    /// Sorts a run's samples by cell, generation and round, whatever order they come in. O(samples) when they come in order.
    pub fn new(run: &Run, samples: &[Sample]) -> Self {
        let mut begins = vec![0; run.cells.len() + 1];
        let mut wrong = vec![false; run.cells.len()];
        for sample in samples {
            begins[sample.cell as usize + 1] += 1;
            wrong[sample.cell as usize] |= !sample.digest_ok;
        }
        for cell in 0..run.cells.len() {
            begins[cell + 1] += begins[cell];
        }
        let mut next = begins.clone();
        let mut points = vec![Point { generation: 0, round: 0, nanoseconds: 0.0, empty: 0.0 }; samples.len()];
        for sample in samples {
            let cell = sample.cell as usize;
            let calls = sample.loops.max(1) as f64;
            points[next[cell]] = Point {
                generation: sample.generation,
                round: sample.round,
                nanoseconds: sample.elapsed_ns as f64 / calls,
                empty: sample.empty_ns.unwrap_or(0) as f64 / calls,
            };
            next[cell] += 1;
        }
        for (cell, record) in run.cells.iter().enumerate() {
            let points = &mut points[begins[cell]..begins[cell + 1]];
            if !points.is_sorted_by_key(|point| (point.generation, point.round)) {
                points.sort_by_key(|point| (point.generation, point.round));
            }
            if run.cases[record.case as usize].net_of_loop {
                subtract_loop(points);
            }
        }
        Self { points, begins, wrong }
    }

    fn of(&self, cell: u32) -> &[Point] {
        let cell = cell as usize;
        if self.wrong[cell] { &[] } else { &self.points[self.begins[cell]..self.begins[cell + 1]] }
    }

    /// A sample of this cell had a wrong answer.
    pub fn is_wrong(&self, cell: u32) -> bool {
        self.wrong[cell as usize]
    }

    /// How many samples the cell has.
    pub fn count(&self, cell: u32) -> usize {
        self.of(cell).len()
    }

    /// How many generations there are samples of.
    pub fn generations(&self) -> usize {
        let mut seen: Vec<u32> = self.points.iter().map(|point| point.generation).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    }

    /// The time of one call of a cell, in nanoseconds: the geometric mean of the generations' medians, or, when it can't be told
    /// from the empty loop, their plain mean.
    pub fn time(&self, cell: u32) -> Option<Estimate> {
        let medians = self.medians(cell);
        if near_zero(&medians) {
            return Estimate::of_values(&medians);
        }
        Estimate::of_logarithms(&medians.iter().map(|ns| ns.ln()).collect::<Vec<_>>())
    }

    /// Time of `cell` over time of `base`.
    ///
    /// # Errors
    /// When there is nothing to divide, or nothing to divide by.
    pub fn ratio(&self, cell: u32, base: u32) -> Result<Estimate, NoRatio> {
        let generations: Vec<f64> = self.log_ratios(cell, base)?.into_iter().map(|(_, ratio)| ratio).collect();
        // Rounds may be at or below 0 although the medians are not; when they are so many that a median is infinite, it's noise.
        Estimate::of_logarithms(&generations).ok_or(NoRatio::NearZero)
    }

    /// The ratio of the first two cells over the ratio of the other two, paired by generation.
    ///
    /// # Errors
    /// As [`Samples::ratio`]; also when the two ratios have no generation in common.
    pub fn ratio_of_ratios(&self, first: (u32, u32), second: (u32, u32)) -> Result<Estimate, NoRatio> {
        let below = self.log_ratios(second.0, second.1)?;
        let above = self.log_ratios(first.0, first.1)?;
        let same = |generation: u32| below.iter().find(|(other, _)| *other == generation).map(|(_, ratio)| ratio);
        let both: Vec<f64> = above.iter().filter_map(|(generation, ratio)| Some(ratio - same(*generation)?)).collect();
        if both.is_empty() {
            return Err(NoRatio::NoCommonRound);
        }
        Estimate::of_logarithms(&both).ok_or(NoRatio::NearZero)
    }

    /// The logarithm of each generation's median time. None without a number, or where a time can't be told from the empty loop.
    pub fn log_times(&self, cell: u32) -> Option<Vec<f64>> {
        let medians = self.medians(cell);
        (!medians.is_empty() && !near_zero(&medians)).then(|| medians.iter().map(|ns| ns.ln()).collect())
    }

    /// Each generation's median log-ratio of `cell` to `base`.
    ///
    /// # Errors
    /// As [`Samples::ratio`].
    pub fn log_ratios_by_generation(&self, cell: u32, base: u32) -> Result<Vec<f64>, NoRatio> {
        let ratios: Vec<f64> = self.log_ratios(cell, base)?.into_iter().map(|(_, ratio)| ratio).collect();
        if ratios.iter().all(|ratio| ratio.is_finite()) { Ok(ratios) } else { Err(NoRatio::NearZero) }
    }

    /// Generations with the median log-ratio of each.
    fn log_ratios(&self, cell: u32, base: u32) -> Result<Vec<(u32, f64)>, NoRatio> {
        let (above, below) = (self.medians(cell), self.medians(base));
        if above.is_empty() || below.is_empty() {
            return Err(NoRatio::NoNumber);
        }
        if near_zero(&above) || near_zero(&below) {
            return Err(NoRatio::NearZero);
        }
        let generations = paired_log_ratios(self.of(cell), self.of(base));
        if generations.is_empty() {
            return Err(NoRatio::NoCommonRound);
        }
        Ok(generations)
    }

    /// A sum of cells' times, each so many times: the mean over the generations in which all of them have a median. None without a
    /// generation, or when one of the cells has no number.
    pub fn combination(&self, terms: &[(f64, u32)]) -> Option<Estimate> {
        let mut sums: BTreeMap<u32, (usize, f64)> = BTreeMap::new();
        for &(weight, cell) in terms {
            for (generation, ns) in self.by_generation(cell) {
                let (count, sum) = sums.entry(generation).or_default();
                *count += 1;
                *sum += weight * ns;
            }
        }
        let whole: Vec<f64> = sums.values().filter(|(count, _)| *count == terms.len()).map(|(_, sum)| *sum).collect();
        Estimate::of_values(&whole)
    }

    fn medians(&self, cell: u32) -> Vec<f64> {
        self.by_generation(cell).map(|(_, ns)| ns).collect()
    }

    /// Each generation's median time of one call of a cell, in nanoseconds; in the order of the generations.
    pub fn medians_by_generation(&self, cell: u32) -> Vec<(u32, f64)> {
        self.by_generation(cell).collect()
    }

    /// Each generation and its median.
    fn by_generation(&self, cell: u32) -> impl Iterator<Item = (u32, f64)> {
        let mut times = Vec::new();
        self.of(cell).chunk_by(|a, b| a.generation == b.generation).filter_map(move |generation| {
            times.clear();
            times.extend(generation.iter().map(|point| point.nanoseconds));
            Some((generation.first()?.generation, median(&mut times)?))
        })
    }

    /// A cell's times of one call in nanoseconds, generation by generation, in the order in which they were measured.
    pub fn times_by_generation(&self, cell: u32) -> impl Iterator<Item = (u32, Vec<f64>)> {
        let generations = self.of(cell).chunk_by(|a, b| a.generation == b.generation);
        generations.map(|points| (points[0].generation, points.iter().map(|point| point.nanoseconds).collect()))
    }
}

/// Subtracts from every sample of a cell the median of its generation's empty loops. The loop costs the same in every round; the
/// empty loop next to a sample may have been the one that something else interrupted, and then their difference is below 0.
fn subtract_loop(points: &mut [Point]) {
    let mut empties = Vec::new();
    for generation in points.chunk_by_mut(|a, b| a.generation == b.generation) {
        empties.clear();
        empties.extend(generation.iter().map(|point| point.empty));
        let empty = median(&mut empties).unwrap_or(0.0);
        generation.iter_mut().for_each(|point| point.nanoseconds -= empty);
    }
}

/// Times net of the empty loop that can't be told from it: a generation's median is at or below 0, where there is no logarithm.
fn near_zero(medians: &[f64]) -> bool {
    medians.iter().any(|&ns| ns <= 0.0)
}

/// The median log-ratio of each generation in which the two have a round in common. Both slices are sorted.
fn paired_log_ratios(above: &[Point], below: &[Point]) -> Vec<(u32, f64)> {
    let (mut i, mut j) = (0, 0);
    let mut generations = Vec::new();
    let mut ratios = Vec::new();
    let mut current = None;
    while i < above.len() && j < below.len() {
        let (a, b) = (above[i], below[j]);
        match (a.generation, a.round).cmp(&(b.generation, b.round)) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                if current != Some(a.generation) {
                    generations.extend(current.zip(median(&mut ratios)));
                    ratios.clear();
                    current = Some(a.generation);
                }
                ratios.extend(log_ratio(a.nanoseconds, b.nanoseconds));
                (i, j) = (i + 1, j + 1);
            }
        }
    }
    generations.extend(current.zip(median(&mut ratios)));
    generations
}

/// A time at or below 0 is smaller than any positive one; two of them can't be compared.
fn log_ratio(above: f64, below: f64) -> Option<f64> {
    match (above > 0.0, below > 0.0) {
        (true, true) => Some((above / below).ln()),
        (true, false) => Some(f64::INFINITY),
        (false, true) => Some(f64::NEG_INFINITY),
        (false, false) => None,
    }
}
