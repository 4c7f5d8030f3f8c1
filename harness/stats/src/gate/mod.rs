//! A decision between two builds that is taken while they are measured: as soon as it is sure, and not before.
//!
//! Each generation gives a cell two numbers: the log-ratio of head to base, and that of base's twin to base, whose truth is 0. They are
//! looked at after 6, 9, 13, 18 … generations (see [`LOOKS`]). Looking often finds differences that are none, so each look may err
//! once in 20 × the number of looks only (Bonferroni); with many cells, their p-values at a look are adjusted by their false discovery
//! rate ([`super::adjusted`]). A cell
//!
//! - **passes** at a look that rules out a difference beyond the threshold; and in the end, when a slowdown at least is ruled out;
//! - is a **candidate** when the interval excludes 1, and the ratio is beyond the threshold and beyond the resolution, which is what the
//!   twins show. Then nothing that was measured so far counts any more: the cell is measured again, from its first generation on. Only when
//!   these generations say the same it is called slower, or faster. So both measurements have to err in the same way, by chance, for
//!   a verdict that is wrong; and the ratio that is reported is the second one, which was not chosen for being far from 1.
//!
//! What is neither when the time is up is open, with the reason.

mod generation;
mod look;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use super::discovery::{FALSE_DISCOVERY_RATE, adjusted};
use super::interval::Estimate;

use look::{Look, Way};

pub use generation::of_generation;
pub use look::LOOKS;

/// What became of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// Head takes longer, beyond the threshold, and a second measurement has confirmed it.
    Slower,
    /// Head takes less time, likewise.
    Faster,
    /// A slowdown beyond the threshold is ruled out.
    Pass,
    /// It is not known.
    Open(Why),
}

/// Why a cell is open.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// Too few generations for a first look.
    TooFew,
    /// A slowdown of up to this factor is not ruled out.
    MayBeSlower(f64),
    /// Base and its twin, which are the same build, can't be told apart from being this far apart, as a fraction.
    Coarse(f64),
    /// It seemed to be slower or faster by this factor, and a second measurement could not confirm it in time.
    Unconfirmed(f64),
    /// It seemed to be slower or faster by this factor, and a second measurement says that it is not.
    Contradicted(f64),
}

/// What is known of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// What became of it.
    pub finding: Finding,
    /// Head over base, by the measurement that decided; none without 3 generations.
    pub ratio: Option<Estimate>,
    /// What base and its twin show that can't be told apart, as a fraction.
    pub resolution: Option<f64>,
    /// Generations of the first measurement, and of the second.
    pub generations: (usize, usize),
}

/// A gate being decided.
#[derive(Clone, Debug)]
pub struct Gate {
    threshold: f64,
    cells: Vec<Cell>,
}

/// A cell's measurements, and where it stands.
#[derive(Clone, Debug, Default)]
struct Cell {
    first: Measurement,
    second: Measurement,
    stage: Stage,
}

/// Generations in the order in which they were taken.
#[derive(Clone, Debug, Default)]
struct Measurement {
    /// The log-ratios of head to base.
    ratios: Vec<f64>,
    /// The log-ratios of base's twin to base.
    twins: Vec<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Stage {
    /// The first measurement is under way.
    #[default]
    Searching,
    /// It found something; the second one is under way.
    Confirming(Way),
    /// The second one agrees.
    Confirmed(Way),
    /// The second one says otherwise.
    Contradicted(Way),
    /// A slowdown is ruled out.
    Passed,
}

impl Gate {
    /// A gate over so many cells, to which a slowdown of up to `threshold` (a fraction) is none.
    pub fn new(cells: usize, threshold: f64) -> Self {
        Self { threshold: threshold.ln_1p(), cells: vec![Cell::default(); cells] }
    }

    /// Whether a cell has to be measured further.
    pub fn is_undecided(&self, cell: usize) -> bool {
        matches!(self.cells[cell].stage, Stage::Searching | Stage::Confirming(_))
            && self.cells[cell].now().ratios.len() < LOOKS[LOOKS.len() - 1]
    }

    /// Takes a generation: for each cell the log-ratio of head to base, and that of base's twin to base, where both were measured.
    pub fn take(&mut self, generation: &[Option<(f64, f64)>]) {
        let mut looked_at = vec![false; self.cells.len()];
        for (at, numbers) in generation.iter().enumerate() {
            let finite = numbers.filter(|(ratio, twin)| ratio.is_finite() && twin.is_finite());
            if let Some((ratio, twin)) = finite.filter(|_| self.is_undecided(at)) {
                let now = self.cells[at].now_mut();
                now.ratios.push(ratio);
                now.twins.push(twin);
                looked_at[at] = LOOKS.contains(&now.ratios.len());
            }
        }
        self.search(&looked_at);
        self.confirm(&looked_at);
    }

    /// Cells whose first measurement has come to a look: do they pass, or have they to be measured again?
    fn search(&mut self, looked_at: &[bool]) {
        let looks: Vec<Option<Look>> = self.cells.iter().map(|cell| cell.first.look()).collect();
        let rates = adjusted(&looks.iter().map(|look| look.as_ref().map_or(1.0, Look::two_sided)).collect::<Vec<_>>());
        for (at, look) in looks.iter().enumerate() {
            let Some(look) = look.as_ref().filter(|_| looked_at[at] && self.cells[at].stage == Stage::Searching) else { continue };
            if rates[at] * LOOKS.len() as f64 <= FALSE_DISCOVERY_RATE && look.is_beyond(self.threshold) {
                self.cells[at].stage = Stage::Confirming(look.way());
            } else if look.rules_out_both(self.threshold) {
                self.cells[at].stage = Stage::Passed;
            }
        }
    }

    /// Candidates whose second measurement has come to a look. They have one side only to err on, and are compared among themselves.
    fn confirm(&mut self, looked_at: &[bool]) {
        let candidates: Vec<(usize, Way, Look)> = self
            .cells
            .iter()
            .enumerate()
            .filter_map(|(at, cell)| match cell.stage {
                Stage::Confirming(way) | Stage::Confirmed(way) => Some((at, way, cell.second.look()?)),
                _ => None,
            })
            .collect();
        let rates = adjusted(&candidates.iter().map(|(_, way, look)| look.one_sided(*way)).collect::<Vec<_>>());
        for ((at, way, look), rate) in candidates.into_iter().zip(rates) {
            if !looked_at[at] || self.cells[at].stage != Stage::Confirming(way) {
                continue;
            }
            if rate * LOOKS.len() as f64 <= FALSE_DISCOVERY_RATE && look.way() == way && look.is_beyond(self.threshold) {
                self.cells[at].stage = Stage::Confirmed(way);
            } else if look.contradicts(way, self.threshold) {
                self.cells[at].stage = Stage::Contradicted(way);
            }
        }
    }

    /// What is known of a cell by now; at the end, what became of it.
    pub fn known(&self, cell: usize) -> Known {
        let cell = &self.cells[cell];
        let (first, second) = (cell.first.look(), cell.second.look());
        let seemed = first.as_ref().map_or(1.0, |look| look.centre().exp());
        let finding = match cell.stage {
            Stage::Confirmed(Way::Slower) => Finding::Slower,
            Stage::Confirmed(Way::Faster) => Finding::Faster,
            Stage::Passed => Finding::Pass,
            // Whatever it is, it is not slower: the first measurement's interval is below 1 as a whole.
            Stage::Contradicted(Way::Faster) | Stage::Confirming(Way::Faster) => Finding::Pass,
            Stage::Contradicted(Way::Slower) => Finding::Open(Why::Contradicted(seemed)),
            Stage::Confirming(Way::Slower) => Finding::Open(Why::Unconfirmed(seemed)),
            Stage::Searching => match first.as_ref().filter(|_| cell.first.ratios.len() >= LOOKS[0]) {
                None => Finding::Open(Why::TooFew),
                Some(look) if look.rules_out(self.threshold) => Finding::Pass,
                Some(look) if look.highest() > self.threshold => Finding::Open(Why::MayBeSlower(look.highest().exp())),
                Some(look) => Finding::Open(Why::Coarse(look.resolution().exp_m1())),
            },
        };
        let deciding = if matches!(cell.stage, Stage::Confirmed(_) | Stage::Contradicted(_)) { second } else { first };
        Known {
            finding,
            ratio: deciding.as_ref().map(Look::estimate),
            resolution: deciding.as_ref().map(|look| look.resolution().exp_m1()),
            generations: (cell.first.ratios.len(), cell.second.ratios.len()),
        }
    }
}

impl Cell {
    fn now(&self) -> &Measurement {
        if self.stage == Stage::Searching { &self.first } else { &self.second }
    }

    fn now_mut(&mut self) -> &mut Measurement {
        if self.stage == Stage::Searching { &mut self.first } else { &mut self.second }
    }
}

impl Measurement {
    fn look(&self) -> Option<Look> {
        Look::at(&self.ratios, &self.twins)
    }
}
