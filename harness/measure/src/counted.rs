//! A worker whose instructions are counted, and the count of a sample.

use std::path::Path;

use bindbench_model::{Cell, Status};
use bindbench_protocol::{Load, Reply, Request, Sample};
use bindbench_worker::{Connection, Launch, Transport};
use tempfile::TempDir;

use super::callgrind::Dumps;
use super::contender::Contender;
use super::crew::Gear;
use super::hardware::CpuCounter;
use super::instrument::{Instrument, Reading};
use super::trouble::Trouble;
use super::worker_session::WorkerSession;

/// The CPU's counter is asked so often; interruptions only add to it, so the least counts.
const TIMES: usize = 5;

/// A worker whose instructions are counted.
pub struct Counted<'g, W> {
    session: WorkerSession<'g, W>,
    reading: Option<Reading>,
    /// Where the dumps go; removed with it.
    _folder: TempDir,
}

/// What the reason begins with where a cell went wrong while it was counted, and not before.
pub const WHILE_COUNTED: &str = "while it was counted: ";

/// Why a cell has no count.
#[derive(Debug, PartialEq, Eq)]
pub enum NoCount {
    /// The user pressed Ctrl-C.
    Interrupted,
    /// For this reason.
    Because(String),
}

impl From<Trouble> for NoCount {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Interrupted => Self::Interrupted,
            Trouble::Cell(Status::Crashed { signal, .. }) if signal == "SIGILL" => {
                Self::Because("valgrind does not know an instruction that it executes (SIGILL): AVX-512, for example".to_owned())
            }
            Trouble::Cell(status) => Self::Because(format!("{WHILE_COUNTED}{status}")),
        }
    }
}

impl<'g, W: Connection> Counted<'g, W> {
    /// Starts the worker of a cell and has it load its lane; dumps go to a folder inside of `scratch`.
    ///
    /// # Errors
    /// When it can't be started, or its lane not loaded.
    pub fn start(
        cell: &Cell,
        gear: &'g Gear,
        instrument: &Instrument,
        scratch: &Path,
        transport: impl Transport<Worker = W>,
    ) -> Result<Self, NoCount> {
        let because = |error: std::io::Error| NoCount::Because(format!("its worker can't be started: {error}"));
        let folder = tempfile::tempdir_in(scratch).map_err(because)?;
        gear.verify(&cell.lane, cell.interpreter.as_ref()).map_err(Trouble::Cell)?;
        let launch: &Launch = &gear.launches[&(cell.lane.clone(), cell.interpreter.clone())];
        let (launch, dumps) = instrument.around(launch, folder.path());
        let of = cell.interpreter.as_ref().map(|name| format!("-{name}")).unwrap_or_default();
        let log = gear.logs.join(format!("{}{of}-counted.log", cell.lane.replace('/', "-")));
        // 0: without hash randomisation.
        let worker = transport.start(&launch, 0, &log, gear.limits).map_err(because)?;
        let reading = match dumps {
            Some(dumps) => Reading::Dumps(dumps),
            // Before it has threads: those that it starts are counted, too.
            None => Reading::Cpu(CpuCounter::of(worker.id()).map_err(uncounted)?),
        };
        let mut counted = Self { session: WorkerSession::new(worker, Some(&gear.frozen)), reading: Some(reading), _folder: folder };
        counted.session.load(&Load { timeless: true, ..launch.load.clone() })?;
        match (&counted.reading, instrument.slowly()) {
            (Some(Reading::Dumps(dumps)), Some(slowly)) if !dumps.switch_on(counted.session.worker.id()).map_err(because)? => {
                drop(counted);
                Self::start(cell, gear, &slowly, scratch, transport)
            }
            _ => Ok(counted),
        }
    }

    /// Asks it.
    ///
    /// # Errors
    /// When it refuses, or is gone.
    pub fn ask(&mut self, request: &Request) -> Result<Reply, NoCount> {
        Ok(self.session.ask(request)?)
    }

    /// Instructions of a loop with so many calls, and of the empty loop where times are net of it.
    ///
    /// # Errors
    /// As above; when its answer is wrong, or the loop can't be told from other readings of the clock.
    pub fn sample(&mut self, contender: &Contender, loops: u64) -> Result<(u64, Option<u64>), NoCount> {
        // Whoever reads asks this worker meanwhile. After an error nobody asks it any more.
        let Some(mut reading) = self.reading.take() else { return Err(NoCount::Because("its counter is lost".to_owned())) };
        let counted = match &mut reading {
            Reading::Dumps(dumps) => self.sample_by_dumps(dumps, contender, loops),
            Reading::Cpu(counter) => self.sample_by_cpu(counter, contender, loops),
        };
        self.reading = Some(reading);
        counted
    }

    /// All that the worker does with the request is counted; what does not depend on the number of calls drops out in a difference, and what
    /// does, putting the inputs together and the loop itself, is done once more when the empty loop is asked for, too.
    fn sample_by_cpu(&mut self, counter: &mut CpuCounter, contender: &Contender, loops: u64) -> Result<(u64, Option<u64>), NoCount> {
        let mut least = [u64::MAX; 2];
        for _ in 0..TIMES {
            for (least, empty) in least.iter_mut().zip([false, true]) {
                let (count, answered) = counter.during(|| self.run_loop(contender, loops, empty)).map_err(uncounted)?;
                answered?;
                *least = count.min(*least);
            }
        }
        let [calls, with_empty] = least;
        Ok((calls, Some(with_empty.saturating_sub(calls))))
    }

    /// Has it run the loop, and checks its answer.
    fn run_loop(&mut self, contender: &Contender, loops: u64, empty: bool) -> Result<(), NoCount> {
        let sample = Sample { cell: contender.prepare.cell, loops, first: 0, empty, cpus: None };
        let (_, verdict) = self.session.sample(contender, sample)?;
        Ok(verdict.map_err(Trouble::Cell)?)
    }

    /// Counts between readings of the clock.
    fn sample_by_dumps(&mut self, dumps: &mut Dumps, contender: &Contender, loops: u64) -> Result<(u64, Option<u64>), NoCount> {
        let unreadable = |error: std::io::Error| NoCount::Because(format!("callgrind's dumps can't be read: {error}"));
        dumps.take().map_err(unreadable)?;
        let empty = contender.net_of_loop;
        self.run_loop(contender, loops, empty)?;
        // The first dump is of what was before the loop; the third, of what was between the two loops.
        match (&dumps.take().map_err(unreadable)?[..], empty) {
            (&[_, calls], false) => Ok((calls, None)),
            (&[_, calls, _, without], true) => Ok((calls, Some(without))),
            ([], _) => Err(NoCount::Because("callgrind does not see it read the clock by clock_gettime".to_owned())),
            (others, _) => {
                let own = if empty { 4 } else { 2 };
                let times = others.len();
                Err(NoCount::Because(format!(
                    "the clock was read {times} times in a sample, {own} of them by the loop: it can't be told apart"
                )))
            }
        }
    }
}

fn uncounted(error: std::io::Error) -> NoCount {
    NoCount::Because(format!("the CPU's counter can't be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_that_valgrind_does_not_know_is_named() {
        let of = |status| match NoCount::from(Trouble::Cell(status)) {
            NoCount::Because(why) => why,
            NoCount::Interrupted => panic!("nobody pressed anything"),
        };
        assert!(of(Status::Crashed { signal: "SIGILL".into(), said: None }).contains("AVX-512"));
        assert_eq!(of(Status::TimedOut { after_s: 300.0 }), "while it was counted: timed out after 300 s");
        assert_eq!(NoCount::from(Trouble::Interrupted), NoCount::Interrupted);
    }
}
