//! The evidence: do 95 % intervals contain the truth 95 times in 100, on noise like that of real machines?
//!
//! The truth of a model is what infinitely many generations would give: the mean of the generations' log-ratios.
//! `cargo test -p bindbench --lib simulation -- --nocapture` prints the tables.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::interval::Estimate;
use super::noise::{Noise, normal, run};
use super::resolution::{Resolution, Twin, Verdict, verdict, widening};

const REPEATS: usize = 2_000;
const RUNS: usize = 100;

/// The bootstrap that this crate does not use: percentiles of the mean over generations drawn with replacement.
fn percentile_bootstrap(generations: &[f64], rng: &mut ChaCha8Rng) -> (f64, f64) {
    let n = generations.len();
    let mut means: Vec<f64> = (0..400).map(|_| (0..n).map(|_| generations[rng.random_range(0..n)]).sum::<f64>() / n as f64).collect();
    means.sort_by(f64::total_cmp);
    (means[10], means[389])
}

/// Share of runs whose interval contains `truth`.
fn coverage(repeats: usize, truth: f64, mut interval: impl FnMut() -> (f64, f64)) -> f64 {
    let inside = (0..repeats).filter(|_| {
        let (low, high) = interval();
        low <= truth && truth <= high
    });
    inside.count() as f64 / repeats as f64
}

fn student(generations: &[f64]) -> (f64, f64) {
    let estimate = Estimate::of_values(generations).unwrap();
    estimate.interval().unwrap()
}

#[test]
fn intervals_of_ratios_keep_their_coverage() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    println!("{:16} {:>11} {:>9}", "ratio, noise", "generations", "coverage");
    for noise in Noise::ALL {
        for generations in [3, 5, 10, 15] {
            let covered = coverage(REPEATS, 0.0, || student(&run(noise, generations, &mut rng).ratios));
            println!("{:16} {generations:11} {covered:9.3}", format!("{noise:?}"));
            // One standard deviation of 2,000 repeats is 0.005. An interval that always holds the truth would be too wide to be of use.
            assert!((0.93..0.99).contains(&covered), "{noise:?}, {generations} generations: {covered}");
        }
    }
}

/// A time, unlike a ratio to an equal lane, has a skewed distribution when a lane has two speeds: with few generations, all of them may
/// have met the same one, and no statistics can know of the other.
#[test]
fn intervals_of_times_keep_their_coverage_but_for_speeds_not_met() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    println!("{:16} {:>11} {:>9}", "time, noise", "generations", "coverage");
    for noise in Noise::ALL {
        let many: Vec<f64> = (0..REPEATS).flat_map(|_| run(noise, 15, &mut rng).times).collect();
        let truth = many.iter().sum::<f64>() / many.len() as f64;
        for generations in [3, 5, 10, 15] {
            let covered = coverage(REPEATS, truth, || student(&run(noise, generations, &mut rng).times));
            println!("{:16} {generations:11} {covered:9.3}", format!("{noise:?}"));
            let least = match (noise, generations) {
                // All three in the same mode: one run in four.
                (Noise::TwoModes, 3) => 0.72,
                (Noise::TwoModes, 5) => 0.91,
                (Noise::RareMode, _) => 0.70,
                _ => 0.925,
            };
            assert!(covered >= least, "{noise:?}, {generations} generations: {covered}");
        }
    }
}

/// Why there is no bootstrap: it needs more generations than anybody waits for.
#[test]
fn a_percentile_bootstrap_over_generations_covers_less() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut draws = ChaCha8Rng::seed_from_u64(4);
    println!("{:16} {:>11} {:>9} {:>9}", "ratio, noise", "generations", "student", "bootstrap");
    for noise in Noise::ALL {
        for generations in [5, 10, 15, 30] {
            let t = coverage(REPEATS / 2, 0.0, || student(&run(noise, generations, &mut rng).ratios));
            let bootstrap = coverage(REPEATS / 2, 0.0, || percentile_bootstrap(&run(noise, generations, &mut rng).ratios, &mut draws));
            println!("{:16} {generations:11} {t:9.3} {bootstrap:9.3}", format!("{noise:?}"));
            assert!(bootstrap < t, "{noise:?}, {generations} generations: {bootstrap} is not below {t}");
        }
    }
}

/// Runs of 40 equal pairs, each beside its case's twin: how often is a difference claimed that isn't there?
#[test]
fn equal_lanes_get_no_verdict() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    println!("{:16} {:>11} {:>9} {:>14} {:>17}", "A/A, noise", "generations", "widening", "false verdicts", "runs with over 1");
    for noise in Noise::ALL {
        for generations in [3, 5, 10, 15] {
            let (mut total, mut runs_over_one, mut factors) = (0, 0, 0.0);
            for _ in 0..RUNS {
                let mut pair = || Estimate::of_logarithms(&run(noise, generations, &mut rng).ratios).unwrap();
                let twins: Vec<Twin> = (0..40).map(|case| Twin { case, ratio: pair() }).collect();
                let factor = widening(&twins);
                let claimed = twins.iter().filter(|twin| {
                    let resolution = Resolution::of_twin(&twin.ratio.widened(factor));
                    verdict(&pair().widened(factor), resolution.as_ref()) != Verdict::Same
                });
                let claimed = claimed.count();
                (total, factors) = (total + claimed, factors + factor);
                runs_over_one += usize::from(claimed > 1);
            }
            let rate = total as f64 / (40 * RUNS) as f64;
            let factor = factors / RUNS as f64;
            println!("{:16} {generations:11} {factor:9.2} {rate:14.4} {runs_over_one:13}/{RUNS}", format!("{noise:?}"));
            assert!(rate < 0.005 && runs_over_one <= 3, "{noise:?}, {generations} generations: {rate}, {runs_over_one} runs");
        }
    }
}

/// A lane with noise that its generations don't show: the twins disagree, the run is widened, and coverage comes back.
#[test]
fn widening_mends_intervals_that_are_too_narrow() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let (mut plain, mut mended, mut factors) = (0, 0, 0.0);
    for _ in 0..RUNS {
        // An offset that stays the same over all generations of a cell and differs between twins.
        let mut pair = || {
            let offset = 0.01 * normal(&mut rng);
            let generations: Vec<f64> = run(Noise::HeavyTails, 5, &mut rng).ratios.iter().map(|x| x + offset).collect();
            Estimate::of_logarithms(&generations).unwrap()
        };
        let twins: Vec<Twin> = (0..40).map(|case| Twin { case, ratio: pair() }).collect();
        let factor = widening(&twins);
        let one = pair();
        let holds = |estimate: Estimate| estimate.centre().abs() <= estimate.half_width().unwrap();
        plain += usize::from(holds(one));
        mended += usize::from(holds(one.widened(factor)));
        factors += factor;
    }
    println!("hidden offsets: {plain} of {RUNS} intervals hold 1; widened by {:.2}: {mended}", factors / RUNS as f64);
    assert!(plain < RUNS * 8 / 10 && mended > RUNS * 8 / 10);
}
