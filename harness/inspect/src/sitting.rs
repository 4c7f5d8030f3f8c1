//! A worker that sits for one cell: started, loaded, checked, and then told to call over and over.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bindbench_measure::Watch;
use bindbench_measure::crew::{Trouble, check, describe, trouble};
use bindbench_model::{Status, shortened};
use bindbench_protocol::{Loaded, Reply, Request, Sample, Sampled};
use bindbench_worker::{Guard, Launch, Limits, PATIENCE, Worker};

use super::subject::Subject;

/// Never more than this many calls in a loop: their inputs' list stays within 32 MiB.
const MOST_LOOPS: u64 = 1 << 22;

/// The same for all workers of a profile: sets and dicts of str are in the same order in all of them.
const HASH_SEED: u32 = 0;

/// What every worker is started in.
#[derive(Clone)]
pub struct Studio<'a> {
    /// Limits on each request.
    pub limits: Limits,
    /// Folder for what workers print.
    pub logs: PathBuf,
    /// What looks after workers.
    pub watch: Watch<'a>,
}

/// A worker and the cell it sits for. The worker is told to end when this is dropped, and killed if it does not.
pub struct Sitting<'a> {
    subject: &'a Subject,
    launch: &'a Launch,
    worker: Worker<'a>,
    guard: &'a Guard,
    first: usize,
    told_cpus: bool,
    /// It does not answer any more.
    is_lost: bool,
}

impl<'a> Sitting<'a> {
    /// Starts a worker. It has loaded nothing yet: one thread, no child.
    ///
    /// # Errors
    /// The status of a cell whose worker can't be started.
    pub fn start(subject: &'a Subject, launch: &'a Launch, studio: &Studio<'a>) -> Result<Self, Trouble> {
        let log = studio.logs.join(format!("{}.log", subject.cell.lane.replace('/', "-")));
        let Watch { guard, interrupt } = studio.watch;
        let worker = Worker::start(launch, HASH_SEED, &log, studio.limits, guard, interrupt)
            .map_err(|error| raised(format!("the worker can't be started: {error}")))?;
        Ok(Self { subject, launch, worker, guard, first: 0, told_cpus: false, is_lost: false })
    }

    /// The worker's process.
    pub fn pid(&self) -> u32 {
        self.worker.id()
    }

    /// Loads the lane, makes the inputs, and checks the answer to the first one.
    ///
    /// # Errors
    /// The status of a cell that can't be looked at.
    pub fn load(&mut self) -> Result<Loaded, Trouble> {
        let loaded = self.import()?;
        self.give_inputs()?;
        self.check_first()?;
        Ok(loaded)
    }

    /// Loads the lane.
    ///
    /// # Errors
    /// As above.
    pub fn import(&mut self) -> Result<Loaded, Trouble> {
        match self.ask(&Request::Load(self.launch.load.clone()))? {
            Reply::Loaded(loaded) => Ok(loaded),
            other => Err(unexpected(&other)),
        }
    }

    /// Makes the inputs.
    ///
    /// # Errors
    /// As above.
    pub fn give_inputs(&mut self) -> Result<(), Trouble> {
        self.ask(&Request::Prepare(self.subject.contender.prepare.clone())).map(drop)
    }

    /// Checks the answer to the first input.
    ///
    /// # Errors
    /// As above.
    pub fn check_first(&mut self) -> Result<(), Trouble> {
        match self.ask(&Request::Verify { cell: self.subject.cell.id, first: 0, count: Some(1) })? {
            Reply::Verified { answers, .. } if answers.len() == 1 => check(&self.subject.contender, 0, &answers[0]).map_err(Trouble::Cell),
            other => Err(unexpected(&other)),
        }
    }

    /// Doubles the number of calls in a loop until the loop lasts long enough.
    ///
    /// # Errors
    /// As above.
    pub fn calibrate(&mut self, long_enough: Duration) -> Result<u64, Trouble> {
        let mut loops = 1;
        loop {
            let asked = Instant::now();
            let sampled = self.sample(loops)?;
            // No sample takes longer than its round trip, whatever a worker says.
            if u128::from(sampled.elapsed_ns).min(asked.elapsed().as_nanos()) >= long_enough.as_nanos() || loops * 2 > MOST_LOOPS {
                return Ok(loops);
            }
            loops *= 2;
        }
    }

    /// One loop over the pool, which is walked around and around; the last answers are checked.
    ///
    /// # Errors
    /// As above.
    pub fn sample(&mut self, loops: u64) -> Result<Sampled, Trouble> {
        let contender = &self.subject.contender;
        let cpus = if self.told_cpus { None } else { contender.cpus.clone() };
        self.told_cpus = true;
        let items = contender.expected.len().max(1);
        let request = Sample { cell: self.subject.cell.id, loops, first: self.first, empty: false, cpus };
        self.first = (self.first + loops as usize) % items;
        match self.ask(&Request::Sample(request))? {
            Reply::Sampled(sampled) if !sampled.answers.is_empty() => {
                let right = sampled.answers.iter().try_for_each(|last| check(&self.subject.contender, last.item, &last.answer));
                right.map(|()| sampled).map_err(Trouble::Cell)
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Sends any request and waits for its reply.
    ///
    /// # Errors
    /// The status of a cell whose worker refused, or is gone.
    pub fn ask(&mut self, request: &Request) -> Result<Reply, Trouble> {
        match self.worker.ask(request) {
            Ok(Reply::Failed(failed)) => Err(raised(describe(&failed))),
            Ok(reply) => Ok(reply),
            Err(lost) => {
                self.is_lost = true;
                Err(trouble(lost, self.worker.last_words()))
            }
        }
    }

    /// Lets the worker end in peace, and waits until it has: what it writes at its very end is there then.
    pub fn finish(self) {
        // By dropping it.
    }
}

impl Drop for Sitting<'_> {
    fn drop(&mut self) {
        let finished = !self.is_lost && self.worker.finish().is_ok() && self.worker.receive().is_ok();
        let mut ending = self.worker.end(if finished { PATIENCE } else { Duration::ZERO });
        ending.left_behind.extend(self.guard.sweep());
        self.guard.note(&self.subject.cell.lane, &ending);
    }
}

fn raised(detail: String) -> Trouble {
    Trouble::Cell(Status::Raised { detail })
}

/// The trouble with a reply to another request.
pub(super) fn unexpected(reply: &Reply) -> Trouble {
    raised(format!("the worker's reply does not fit the request: {}", shortened(&format!("{reply:?}"), 200)))
}
