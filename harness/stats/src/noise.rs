//! Noise like that of real machines, made up for the simulations that show what the statistics are worth.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::interval::median;

/// Rounds of a generation.
const ROUNDS: usize = 9;

/// How the log-time of one sample is made up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Noise {
    /// Samples differ, generations don't. One sample in eight is late, by up to several times.
    HeavyTails,
    /// The same, and each generation of workers has a speed of its own.
    Generations,
    /// Generations differ, some of them by far: Student's t with 3 degrees of freedom.
    WildGenerations,
    /// The machine gets 10 % slower from the first sample to the last.
    Drift,
    /// Half of the generations of each lane are 5 % slower: two address layouts.
    TwoModes,
    /// The same, one generation in ten.
    RareMode,
    /// Each generation has a speed of its own that resembles the one of the generation before: their correlation is a half.
    Resembling,
}

impl Noise {
    /// Those whose generations are independent, as intervals take them to be.
    pub(super) const ALL: [Self; 6] =
        [Self::HeavyTails, Self::Generations, Self::WildGenerations, Self::Drift, Self::TwoModes, Self::RareMode];

    /// Those that a gate has to bear.
    pub(super) const OF_GATES: [Self; 7] =
        [Self::HeavyTails, Self::Generations, Self::WildGenerations, Self::Drift, Self::TwoModes, Self::RareMode, Self::Resembling];

    /// A lane has two speeds, and who has met only one of them can't know of the other.
    pub(super) fn has_two_speeds(self) -> bool {
        matches!(self, Self::TwoModes | Self::RareMode)
    }

    /// What a generation of workers adds to the log-times of one lane.
    fn of_generation(self, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::HeavyTails | Self::Drift => 0.0,
            Self::Generations | Self::Resembling => 0.02 * normal(rng),
            Self::WildGenerations => 0.01 * normal(rng) / ((0..3).map(|_| normal(rng).powi(2)).sum::<f64>() / 3.0).sqrt(),
            Self::TwoModes => {
                if rng.random_bool(0.5) {
                    0.05
                } else {
                    0.0
                }
            }
            Self::RareMode => {
                if rng.random_bool(0.1) {
                    0.05
                } else {
                    0.0
                }
            }
        }
    }

    /// What the moment adds to all lanes; `progress` runs from 0 to 1 over the run.
    fn of_moment(self, progress: f64) -> f64 {
        if self == Self::Drift { 0.1 * progress } else { 0.0 }
    }
}

/// What a made-up run measured.
pub(super) struct Measured {
    /// Each generation's median of paired log-ratios of two lanes that are truly equal.
    pub(super) ratios: Vec<f64>,
    /// Each generation's median of the first lane's log-times.
    pub(super) times: Vec<f64>,
}

/// A run of two lanes.
pub(super) fn run(noise: Noise, generations: usize, rng: &mut ChaCha8Rng) -> Measured {
    let (ratios, times) = (0..generations)
        .map(|generation| {
            let (a, b) = (noise.of_generation(rng), noise.of_generation(rng));
            let (mut ratios, mut times) = ([0.0; ROUNDS], [0.0; ROUNDS]);
            for round in 0..ROUNDS {
                let progress = (generation * ROUNDS + round) as f64 / (generations * ROUNDS - 1) as f64;
                let moment = noise.of_moment(progress) + 0.01 * normal(rng);
                times[round] = a + moment + of_sample(rng);
                ratios[round] = times[round] - (b + moment + of_sample(rng));
            }
            (median(&mut ratios).unwrap(), median(&mut times).unwrap())
        })
        .unzip();
    Measured { ratios, times }
}

fn of_sample(rng: &mut ChaCha8Rng) -> f64 {
    let late = if rng.random_bool(0.125) { -0.4 * (1.0 - rng.random::<f64>()).ln() } else { 0.0 };
    0.005 * normal(rng) + late
}

/// Box and Muller's transform.
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Base, head and base's twin, generation by generation.
pub(super) struct Trio {
    noise: Noise,
    /// What the generation before added to each.
    before: Option<[f64; 3]>,
    generations: usize,
}

impl Trio {
    pub(super) fn new(noise: Noise) -> Self {
        Self { noise, before: None, generations: 0 }
    }

    /// The next generation's median log-ratios: of head, whose truth is `shift`, and of the twin, whose truth is 0, to base.
    pub(super) fn generation(&mut self, shift: f64, rng: &mut ChaCha8Rng) -> (f64, f64) {
        let mut offsets = [(); 3].map(|()| self.noise.of_generation(rng));
        if let (Noise::Resembling, Some(before)) = (self.noise, self.before) {
            // Half of the one before; the rest is new, and as much as keeps the spread what it is.
            offsets.iter_mut().zip(before).for_each(|(offset, before)| *offset = 0.5 * before + 0.75_f64.sqrt() * *offset);
        }
        self.before = Some(offsets);
        let (mut heads, mut twins) = ([0.0; ROUNDS], [0.0; ROUNDS]);
        for round in 0..ROUNDS {
            // A drifting machine is a tenth slower after 20 generations; what it adds within a round is what pairs can't take out.
            let progress = (self.generations * ROUNDS + round) as f64 / (20 * ROUNDS) as f64;
            let [base, head, twin] =
                [0.0, 1.0, 2.0].map(|place| self.noise.of_moment(progress + place / (60 * ROUNDS) as f64) + of_sample(rng));
            heads[round] = shift + offsets[1] + head - offsets[0] - base;
            twins[round] = offsets[2] + twin - offsets[0] - base;
        }
        self.generations += 1;
        let middle = |ratios: &mut [f64]| median(ratios).expect("there are rounds");
        (middle(&mut heads), middle(&mut twins))
    }
}
