//! A worker that was started, as everybody who measures or looks uses it: it loads its lane, is given inputs, is asked for answers and for
//! samples, and whatever goes wrong becomes the status of a cell.

use std::time::{Duration, Instant};

use bindbench_model::Status;
use bindbench_protocol::{Answer, Load, Loaded, Reply, Request, Sample, Sampled};
use bindbench_setup::frozen::Frozen;
use bindbench_worker::Connection;

use super::contender::Contender;
use super::trouble::{Trouble, check, describe, trouble, unexpected};

/// A worker, and whether it still answers.
pub struct WorkerSession<'a, W> {
    /// The worker.
    pub worker: W,
    /// The copy that it imports its sources from; what it says of them is said of the originals.
    frozen: Option<&'a Frozen>,
    is_lost: bool,
}

impl<'a, W: Connection> WorkerSession<'a, W> {
    /// One that was started and has loaded nothing yet.
    pub fn new(worker: W, frozen: Option<&'a Frozen>) -> Self {
        Self { worker, frozen, is_lost: false }
    }

    /// It does not answer any more.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Sends any request and waits for its reply.
    ///
    /// # Errors
    /// The status of a cell whose worker refused, or is gone.
    pub fn ask(&mut self, request: &Request) -> Result<Reply, Trouble> {
        let as_original = |text: String| self.frozen.map_or_else(|| text.clone(), |frozen| frozen.as_original(&text));
        match self.worker.ask(request) {
            Ok(Reply::Failed(raised)) => Err(Trouble::Cell(Status::Raised { detail: as_original(describe(&raised)) })),
            Ok(reply) => Ok(reply),
            Err(lost) => {
                self.is_lost = true;
                Err(trouble(lost, self.worker.last_words().map(as_original)))
            }
        }
    }

    /// Has it load its lane.
    ///
    /// # Errors
    /// As above.
    pub fn load(&mut self, load: &Load) -> Result<Loaded, Trouble> {
        match self.ask(&Request::Load(load.clone()))? {
            Reply::Loaded(loaded) => Ok(loaded),
            other => Err(unexpected(&other)),
        }
    }

    /// Has it make a cell's inputs.
    ///
    /// # Errors
    /// As above.
    pub fn prepare(&mut self, contender: &Contender) -> Result<(), Trouble> {
        self.ask(&Request::Prepare(contender.prepare.clone())).map(drop)
    }

    /// The answers to some items of a cell's pool, which are right, and the nanoseconds of the first of these calls.
    ///
    /// # Errors
    /// The status of a cell that raises or is wrong.
    pub fn verify(&mut self, contender: &Contender, first: usize, count: usize) -> Result<Option<u64>, Trouble> {
        match self.ask(&Request::Verify { cell: contender.prepare.cell, first, count: Some(count) })? {
            Reply::Verified { answers, first_ns } => check_all(contender, first, count, answers).map(|()| first_ns),
            other => Err(unexpected(&other)),
        }
    }

    /// One timed loop, and the status that its last answers give the cell if they are wrong.
    ///
    /// # Errors
    /// The status of a cell that has no sample.
    pub fn sample(&mut self, contender: &Contender, sample: Sample) -> Result<(Sampled, Result<(), Status>), Trouble> {
        match self.ask(&Request::Sample(sample))? {
            Reply::Sampled(sampled) if !sampled.answers.is_empty() => {
                let verdict = sampled.answers.iter().try_for_each(|last| check(contender, last.item, &last.answer));
                Ok((sampled, verdict))
            }
            other => Err(unexpected(&other)),
        }
    }
}

/// Checks the answers to some items of a pool.
///
/// # Errors
/// As [`WorkerSession::verify`].
pub fn check_all(contender: &Contender, first: usize, count: usize, answers: Vec<Answer>) -> Result<(), Trouble> {
    if answers.len() != count {
        return Err(unexpected(&Reply::Verified { answers, first_ns: None }));
    }
    answers.iter().enumerate().try_for_each(|(at, answer)| check(contender, first + at, answer)).map_err(Trouble::Cell)
}

/// Doubles the calls in a loop until it lasts long enough, or has as many calls as it may: their number, and the loop's nanoseconds. `sample`
/// takes a sample of so many calls.
///
/// # Errors
/// Those of `sample`.
pub fn double_loops<E>(long_enough: Duration, most_loops: u64, mut sample: impl FnMut(u64) -> Result<u64, E>) -> Result<(u64, u64), E> {
    let mut loops = 1;
    loop {
        let asked = Instant::now();
        // No sample takes longer than its round trip, whatever a worker says.
        let elapsed_ns = sample(loops)?.clamp(1, asked.elapsed().as_nanos().max(1) as u64);
        if u128::from(elapsed_ns) >= long_enough.as_nanos() || loops * 2 > most_loops {
            return Ok((loops, elapsed_ns));
        }
        loops *= 2;
    }
}
