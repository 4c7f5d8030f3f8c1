//! A worker that sits for one cell: started, loaded, checked, and then told to call over and over.

use std::path::PathBuf;
use std::time::Duration;

use bindbench_measure::Watch;
use bindbench_measure::trouble::Trouble;
use bindbench_measure::worker_session::{WorkerSession, double_loops};
use bindbench_model::Status;
use bindbench_protocol::{Loaded, Reply, Request, Sample, Sampled};
use bindbench_worker::{Guard, Launch, Limits, PATIENCE, Transport, Worker};

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
    session: WorkerSession<'a, Worker<'a>>,
    guard: &'a Guard,
    first: usize,
    told_cpus: bool,
}

impl<'a> Sitting<'a> {
    /// Starts a worker. It has loaded nothing yet: one thread, no child.
    ///
    /// # Errors
    /// The status of a cell whose worker can't be started.
    pub fn start(subject: &'a Subject, launch: &'a Launch, studio: &Studio<'a>) -> Result<Self, Trouble> {
        let log = studio.logs.join(format!("{}.log", subject.cell.lane.replace('/', "-")));
        let worker = studio
            .watch
            .start(launch, HASH_SEED, &log, studio.limits)
            .map_err(|error| Trouble::Cell(Status::Raised { detail: format!("the worker can't be started: {error}") }))?;
        let guard = studio.watch.guard;
        Ok(Self { subject, launch, session: WorkerSession::new(worker, None), guard, first: 0, told_cpus: false })
    }

    /// The worker's process.
    pub fn pid(&self) -> u32 {
        self.session.worker.id()
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
        self.session.load(&self.launch.load)
    }

    /// Makes the inputs.
    ///
    /// # Errors
    /// As above.
    pub fn give_inputs(&mut self) -> Result<(), Trouble> {
        self.session.prepare(&self.subject.contender)
    }

    /// Checks the answer to the first input.
    ///
    /// # Errors
    /// As above.
    pub fn check_first(&mut self) -> Result<(), Trouble> {
        self.session.verify(&self.subject.contender, 0, 1).map(drop)
    }

    /// Doubles the number of calls in a loop until the loop lasts long enough.
    ///
    /// # Errors
    /// As above.
    pub fn calibrate(&mut self, long_enough: Duration) -> Result<u64, Trouble> {
        double_loops(long_enough, MOST_LOOPS, |loops| Ok(self.sample(loops)?.elapsed_ns)).map(|(loops, _)| loops)
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
        let (sampled, verdict) = self.session.sample(contender, request)?;
        verdict.map(|()| sampled).map_err(Trouble::Cell)
    }

    /// Sends any request and waits for its reply.
    ///
    /// # Errors
    /// The status of a cell whose worker refused, or is gone.
    pub fn ask(&mut self, request: &Request) -> Result<Reply, Trouble> {
        self.session.ask(request)
    }

    /// Lets the worker end in peace, and waits until it has: what it writes at its very end is there then.
    pub fn finish(self) {
        // By dropping it.
    }
}

impl Drop for Sitting<'_> {
    fn drop(&mut self) {
        let is_lost = self.session.is_lost();
        let worker = &mut self.session.worker;
        let finished = !is_lost && worker.finish().is_ok() && worker.receive().is_ok();
        let mut ending = worker.end(if finished { PATIENCE } else { Duration::ZERO });
        ending.left_behind.extend(self.guard.sweep());
        self.guard.note(&self.subject.cell.lane, &ending);
    }
}
