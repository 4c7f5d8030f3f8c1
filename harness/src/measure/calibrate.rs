//! Verification and calibration: every answer once, then doubling loops until a sample is long enough; then they are frozen.

use bindbench_protocol::{Reply, Request, Sample};
use std::time::{Duration, Instant};

use super::crew::{Crew, Trouble, check};
use crate::store::model::{Cell, Status};

/// A sample lasts at least this long.
const LONG_ENOUGH: Duration = Duration::from_millis(5);

/// Never more than this many calls in a sample: their inputs' list stays within 32 MiB.
const MOST_LOOPS: u64 = 1 << 22;

/// Checks a cell's answers and finds its number of loops and the time of one sample, in nanoseconds.
///
/// # Errors
/// The status of a cell that has no number.
pub fn calibrate(crew: &mut Crew, cell: &Cell) -> Result<(u64, u64), Trouble> {
    verify(crew, cell)?;
    let mut loops = 1;
    loop {
        let elapsed_ns = sample(crew, cell, loops)?;
        if u128::from(elapsed_ns) >= LONG_ENOUGH.as_nanos() || loops >= MOST_LOOPS {
            return Ok((loops, elapsed_ns));
        }
        loops *= 2;
    }
}

/// Takes one sample with loops frozen before: the time it lasts.
///
/// # Errors
/// As above.
pub fn adopt(crew: &mut Crew, cell: &Cell, loops: u64) -> Result<u64, Trouble> {
    verify(crew, cell)?;
    sample(crew, cell, loops)
}

fn verify(crew: &mut Crew, cell: &Cell) -> Result<(), Trouble> {
    let contender = &crew.gear.contenders[cell.id as usize];
    match crew.ask(cell, &Request::Verify { cell: cell.id })? {
        Reply::Verified { answers } if answers.len() == contender.expected.len() => {
            answers.iter().enumerate().try_for_each(|(item, answer)| check(contender, item, answer)).map_err(Trouble::Cell)
        }
        other => Err(unexpected(&other)),
    }
}

fn sample(crew: &mut Crew, cell: &Cell, loops: u64) -> Result<u64, Trouble> {
    let cpus = crew.gear.contenders[cell.id as usize].cpus.clone();
    let request = Request::Sample(Sample { cell: cell.id, loops, first: 0, empty: false, cpus });
    let asked = Instant::now();
    match crew.ask(cell, &request)? {
        // No sample takes longer than its round trip, whatever a worker says.
        Reply::Sampled(sampled) => Ok(sampled.elapsed_ns.clamp(1, asked.elapsed().as_nanos() as u64)),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(reply: &Reply) -> Trouble {
    let text = format!("{reply:?}");
    Trouble::Cell(Status::Raised { detail: format!("the worker's reply does not fit the request: {text:.200}") })
}
