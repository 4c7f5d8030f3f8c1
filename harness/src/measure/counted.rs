//! A worker with callgrind around it, and what it counts of a sample.

use std::path::Path;

use bindbench_protocol::{Load, Reply, Request, Sample};
use tempfile::TempDir;

use super::Watch;
use super::callgrind::{Callgrind, Dumps};
use super::contender::Contender;
use super::crew::{Gear, Trouble, check, describe, trouble};
use crate::store::model::{Cell, Status};
use crate::worker::{Launch, Worker};

/// A worker with callgrind around it.
pub struct Counted<'g> {
    worker: Worker<'g>,
    dumps: Dumps,
    /// Where the dumps go; removed with it.
    _folder: TempDir,
}

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
            Trouble::Cell(Status::Crashed { signal }) if signal == "SIGILL" => {
                Self::Because("valgrind does not know an instruction that it executes (SIGILL): AVX-512, for example".to_owned())
            }
            Trouble::Cell(status) => Self::Because(format!("under valgrind: {status}")),
        }
    }
}

impl<'g> Counted<'g> {
    /// Starts the worker of a cell and has it load its lane; dumps go to a folder inside of `scratch`.
    ///
    /// # Errors
    /// When it can't be started, or its lane not loaded.
    pub fn start(cell: &Cell, gear: &Gear, callgrind: &Callgrind, scratch: &Path, watch: Watch<'g>) -> Result<Self, NoCount> {
        let because = |error: std::io::Error| NoCount::Because(format!("its worker can't be started: {error}"));
        let folder = tempfile::tempdir_in(scratch).map_err(because)?;
        let launch: &Launch = &gear.launches[&(cell.lane.clone(), cell.interpreter.clone())];
        let (launch, dumps) = callgrind.around(launch, folder.path());
        let of = cell.interpreter.as_ref().map(|name| format!("-{name}")).unwrap_or_default();
        let log = gear.logs.join(format!("{}{of}-counted.log", cell.lane.replace('/', "-")));
        // 0: without hash randomisation.
        let worker = Worker::start(&launch, 0, &log, gear.limits, watch.guard, watch.interrupt).map_err(because)?;
        let mut counted = Self { worker, dumps, _folder: folder };
        match counted.ask(&Request::Load(Load { timeless: true, ..launch.load.clone() }))? {
            Reply::Loaded(_) => Ok(counted),
            other => Err(misfit(&other)),
        }
    }

    /// Asks it.
    ///
    /// # Errors
    /// When it refuses, or is gone.
    pub fn ask(&mut self, request: &Request) -> Result<Reply, NoCount> {
        match self.worker.ask(request) {
            Ok(Reply::Failed(raised)) => Err(NoCount::Because(format!("under valgrind: raised {}", describe(&raised)))),
            Ok(reply) => Ok(reply),
            Err(lost) => Err(trouble(lost, self.worker.last_words()).into()),
        }
    }

    /// Instructions of a loop with so many calls, and of the empty loop where times are net of it.
    ///
    /// # Errors
    /// As above; when its answer is wrong, or the loop can't be told from other readings of the clock.
    pub fn sample(&mut self, contender: &Contender, loops: u64) -> Result<(u64, Option<u64>), NoCount> {
        let unreadable = |error: std::io::Error| NoCount::Because(format!("callgrind's dumps can't be read: {error}"));
        self.dumps.take().map_err(unreadable)?;
        let (cell, empty) = (contender.prepare.cell, contender.net_of_loop);
        let sampled = match self.ask(&Request::Sample(Sample { cell, loops, first: 0, empty, cpus: None }))? {
            Reply::Sampled(sampled) if !sampled.answers.is_empty() => sampled,
            other => return Err(misfit(&other)),
        };
        sampled.answers.iter().try_for_each(|last| check(contender, last.item, &last.answer)).map_err(Trouble::Cell)?;
        // The first dump is of what was before the loop; the third, of what was between the two loops.
        match (&self.dumps.take().map_err(unreadable)?[..], empty) {
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

fn misfit(reply: &Reply) -> NoCount {
    let text = format!("{reply:?}");
    NoCount::Because(format!("the worker's reply does not fit the request: {text:.200}"))
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
        assert!(of(Status::Crashed { signal: "SIGILL".into() }).contains("AVX-512"));
        assert_eq!(of(Status::TimedOut { after_s: 300.0 }), "under valgrind: timed out after 300 s");
        assert_eq!(NoCount::from(Trouble::Interrupted), NoCount::Interrupted);
    }
}
