//! Verification and calibration: every answer once, then doubling loops until a sample is long enough; then they are frozen.

use bindbench_model::Cell;
use bindbench_protocol::{Reply, Request, Sample};
use bindbench_worker::Transport;
use std::time::{Duration, Instant};

use super::contender::Once;
use super::crew::Crew;
use super::trouble::{Trouble, unexpected};
use super::worker_session::{check_all, double_loops};

/// A sample lasts at least this long.
const LONG_ENOUGH: Duration = Duration::from_millis(5);

/// Inputs of slow cells are not all tried before the first sample.
const LONGEST_VERIFICATION: Duration = Duration::from_millis(100);

/// A first call that takes longer stands for a sample: it may have done what later ones need not do, but hardly for that long.
const SO_LONG: Duration = Duration::from_secs(1);

/// Never more than this many calls in a sample: their inputs' list stays within 32 MiB.
const MOST_LOOPS: u64 = 1 << 22;

/// Checks a cell's answers and finds its number of loops and the time of one sample, in nanoseconds.
///
/// # Errors
/// The status of a cell that has no number.
pub fn calibrate(crew: &mut Crew<impl Transport>, cell: &Cell) -> Result<(u64, u64), Trouble> {
    let first_ns = verify(crew, cell)?;
    let contender = &crew.gear.contenders[cell.id as usize];
    if first_ns >= SO_LONG.as_nanos() as u64 && contender.prepare.threads == 1 {
        return Ok((1, first_ns));
    }
    let most_loops = contender.once.map_or(MOST_LOOPS, Once::most_loops);
    double_loops(LONG_ENOUGH, most_loops, |loops| sample(crew, cell, loops))
}

/// Takes one sample with loops frozen before (fewer where the pool has not as many items): their number, and the time it lasts.
///
/// # Errors
/// As above.
pub fn adopt(crew: &mut Crew<impl Transport>, cell: &Cell, loops: u64) -> Result<(u64, u64), Trouble> {
    verify(crew, cell)?;
    let loops = crew.gear.contenders[cell.id as usize].once.map_or(loops, |once| loops.min(once.most_loops()));
    Ok((loops, sample(crew, cell, loops)?))
}

/// Checks the answers to the inputs of the pool: to all of them, or to as many as a tenth of a second allows, in steps that double.
/// (Every sample checks its last answer again, and each begins at another input.) Returns the nanoseconds of the first call.
fn verify(crew: &mut Crew<impl Transport>, cell: &Cell) -> Result<u64, Trouble> {
    let contender = &crew.gear.contenders[cell.id as usize];
    let (mut first, mut count, mut took_ns) = (0, 1, 0);
    crew.ready(cell)?;
    let asked = Instant::now();
    while first < contender.expected.len() && asked.elapsed() < LONGEST_VERIFICATION {
        count = count.min(contender.expected.len() - first);
        match crew.ask(cell, &Request::Verify { cell: cell.id, first, count: Some(count) })? {
            Reply::Verified { answers, first_ns } => {
                if first == 0 {
                    // No call takes longer than its round trip, whatever a worker says.
                    took_ns = first_ns.unwrap_or(0).min(asked.elapsed().as_nanos() as u64);
                }
                check_all(contender, first, count, answers)?;
            }
            other => return Err(unexpected(&other)),
        }
        first += count;
        count *= 2;
    }
    Ok(took_ns)
}

fn sample(crew: &mut Crew<impl Transport>, cell: &Cell, loops: u64) -> Result<u64, Trouble> {
    crew.ready(cell)?;
    let request = Request::Sample(Sample { cell: cell.id, loops, first: 0, empty: false, cpus: crew.move_to(cell) });
    let asked = Instant::now();
    match crew.ask(cell, &request)? {
        // No sample takes longer than its round trip, whatever a worker says.
        Reply::Sampled(sampled) => Ok(sampled.elapsed_ns.clamp(1, asked.elapsed().as_nanos() as u64)),
        other => Err(unexpected(&other)),
    }
}
