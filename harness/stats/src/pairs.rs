//! Samples assembled into the value of one series, and into the paired ratio of two.
//!
//! Both are per generation first: the median over its rounds, which one slow moment can't move. A ratio is the median of the paired
//! log-ratios of the same round: what slows the machine down slows both, and drops out.

use std::collections::BTreeMap;

use super::interval::{Estimate, median};

/// One sample of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// The set of fresh processes in which it was taken. They are independent of each other; samples of one are not.
    pub generation: u32,
    /// The moment: what was sampled in the same round of a generation can be paired.
    pub round: u32,
    /// What was measured: nanoseconds of one call, say.
    pub value: f64,
    /// What measuring itself costs, in the same unit, where that is to be taken off: the loop around the call, say.
    pub overhead: Option<f64>,
}

/// All samples, by series: a series is all that was measured of one thing.
#[derive(Clone, Debug)]
pub struct Samples {
    points: Vec<Point>,
    /// Where the points of a series begin; one more at the end.
    begins: Vec<usize>,
}

/// Why two series have no ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRatio {
    /// One of them has no sample.
    NoNumber,
    /// Net of its overhead, one of them is nothing that can be measured: a ratio to it would be a ratio to noise.
    NearZero,
    /// They were never sampled in the same round.
    NoCommonRound,
}

impl Samples {
    /// Sorts samples by series, generation and round, whatever order they come in, and takes overheads off. `series` is how many there are: they
    /// are numbered from 0, and one may have no samples. O(samples) when each series' come in order.
    ///
    /// # Panics
    /// When a sample is of no such series.
    pub fn new(series: usize, samples: impl Iterator<Item = (u32, Point)> + Clone) -> Self {
        let mut begins = vec![0; series + 1];
        samples.clone().for_each(|(of, _)| begins[of as usize + 1] += 1);
        for at in 0..series {
            begins[at + 1] += begins[at];
        }
        let mut next = begins.clone();
        let mut points = vec![Point::default(); begins[series]];
        for (of, point) in samples {
            points[next[of as usize]] = point;
            next[of as usize] += 1;
        }
        for at in 0..series {
            let points = &mut points[begins[at]..begins[at + 1]];
            if !points.is_sorted_by_key(|point| (point.generation, point.round)) {
                points.sort_by_key(|point| (point.generation, point.round));
            }
            subtract_overhead(points);
        }
        Self { points, begins }
    }

    fn of(&self, series: u32) -> &[Point] {
        let series = series as usize;
        &self.points[self.begins[series]..self.begins[series + 1]]
    }

    /// How many samples a series has.
    pub fn count(&self, series: u32) -> usize {
        self.of(series).len()
    }

    /// The value of a series: the geometric mean of the generations' medians, or, when it can't be told from its overhead, their plain mean.
    pub fn value(&self, series: u32) -> Option<Estimate> {
        let medians = self.medians(series);
        if near_zero(&medians) {
            return Estimate::of_values(&medians);
        }
        Estimate::of_logarithms(&medians.iter().map(|value| value.ln()).collect::<Vec<_>>())
    }

    /// The value of `series` over that of `base`.
    ///
    /// # Errors
    /// When there is nothing to divide, or nothing to divide by.
    pub fn ratio(&self, series: u32, base: u32) -> Result<Estimate, NoRatio> {
        let generations: Vec<f64> = self.log_ratios(series, base)?.into_iter().map(|(_, ratio)| ratio).collect();
        // Rounds may be at or below 0 although the medians are not; when they are so many that a median is infinite, it's noise.
        Estimate::of_logarithms(&generations).ok_or(NoRatio::NearZero)
    }

    /// The ratio of the first two series over the ratio of the other two, paired by generation.
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

    /// How throughput grows with threads: that of `threads` threads over that of one. Each thread makes every call of the loop, so it is
    /// threads · t₁ / tₙ, paired by round. 1 is no gain, `threads` is perfect, below 1 the threads hinder each other.
    ///
    /// # Errors
    /// As [`Samples::ratio`].
    pub fn scaling(&self, one: u32, many: u32, threads: u32) -> Result<Estimate, NoRatio> {
        Ok(self.ratio(one, many)?.times(f64::from(threads)))
    }

    /// The logarithm of each generation's median. None without a sample, or where a median can't be told from the overhead.
    pub fn log_values(&self, series: u32) -> Option<Vec<f64>> {
        let medians = self.medians(series);
        (!medians.is_empty() && !near_zero(&medians)).then(|| medians.iter().map(|value| value.ln()).collect())
    }

    /// Each generation's median log-ratio of `series` to `base`.
    ///
    /// # Errors
    /// As [`Samples::ratio`].
    pub fn log_ratios_by_generation(&self, series: u32, base: u32) -> Result<Vec<f64>, NoRatio> {
        let ratios: Vec<f64> = self.log_ratios(series, base)?.into_iter().map(|(_, ratio)| ratio).collect();
        if ratios.iter().all(|ratio| ratio.is_finite()) { Ok(ratios) } else { Err(NoRatio::NearZero) }
    }

    /// Generations with the median log-ratio of each.
    fn log_ratios(&self, series: u32, base: u32) -> Result<Vec<(u32, f64)>, NoRatio> {
        let (above, below) = (self.medians(series), self.medians(base));
        if above.is_empty() || below.is_empty() {
            return Err(NoRatio::NoNumber);
        }
        if near_zero(&above) || near_zero(&below) {
            return Err(NoRatio::NearZero);
        }
        let generations = paired_log_ratios(self.of(series), self.of(base));
        if generations.is_empty() {
            return Err(NoRatio::NoCommonRound);
        }
        Ok(generations)
    }

    /// A sum of values, each so many times: the mean over the generations in which all of them have a median. None without a
    /// generation, or when one of the series has no number.
    pub fn combination(&self, terms: &[(f64, u32)]) -> Option<Estimate> {
        let mut sums: BTreeMap<u32, (usize, f64)> = BTreeMap::new();
        for &(weight, series) in terms {
            for (generation, value) in self.by_generation(series) {
                let (count, sum) = sums.entry(generation).or_default();
                *count += 1;
                *sum += weight * value;
            }
        }
        let whole: Vec<f64> = sums.values().filter(|(count, _)| *count == terms.len()).map(|(_, sum)| *sum).collect();
        Estimate::of_values(&whole)
    }

    fn medians(&self, series: u32) -> Vec<f64> {
        self.by_generation(series).map(|(_, value)| value).collect()
    }

    /// Each generation's median; in the order of the generations.
    pub fn medians_by_generation(&self, series: u32) -> Vec<(u32, f64)> {
        self.by_generation(series).collect()
    }

    /// Each generation and its median.
    fn by_generation(&self, series: u32) -> impl Iterator<Item = (u32, f64)> {
        let mut values = Vec::new();
        self.of(series).chunk_by(|a, b| a.generation == b.generation).filter_map(move |generation| {
            values.clear();
            values.extend(generation.iter().map(|point| point.value));
            Some((generation.first()?.generation, median(&mut values)?))
        })
    }

    /// A series' values, generation by generation, in the order in which they were measured.
    pub fn values_by_generation(&self, series: u32) -> impl Iterator<Item = (u32, Vec<f64>)> {
        let generations = self.of(series).chunk_by(|a, b| a.generation == b.generation);
        generations.map(|points| (points[0].generation, points.iter().map(|point| point.value).collect()))
    }
}

/// Subtracts from every sample of a series the median of its generation's overheads. A loop costs the same in every round; the empty loop next to
/// a sample may have been the one that something else interrupted, and then their difference is below 0.
fn subtract_overhead(points: &mut [Point]) {
    let mut overheads = Vec::new();
    for generation in points.chunk_by_mut(|a, b| a.generation == b.generation) {
        overheads.clear();
        overheads.extend(generation.iter().filter_map(|point| point.overhead));
        let overhead = median(&mut overheads).unwrap_or(0.0);
        generation.iter_mut().for_each(|point| point.value -= overhead);
    }
}

/// Values net of an overhead that can't be told from it: a generation's median is at or below 0, where there is no logarithm.
fn near_zero(medians: &[f64]) -> bool {
    medians.iter().any(|&value| value <= 0.0)
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
                ratios.extend(log_ratio(a.value, b.value));
                (i, j) = (i + 1, j + 1);
            }
        }
    }
    generations.extend(current.zip(median(&mut ratios)));
    generations
}

/// A value at or below 0 is smaller than any positive one; two of them can't be compared.
fn log_ratio(above: f64, below: f64) -> Option<f64> {
    match (above > 0.0, below > 0.0) {
        (true, true) => Some((above / below).ln()),
        (true, false) => Some(f64::INFINITY),
        (false, true) => Some(f64::NEG_INFINITY),
        (false, false) => None,
    }
}
