//! Whose process is whose: a worker has a session and a mark of its own, and the driver adopts what loses its parent.
//!
//! What a worker starts is below it until a parent in between ends; then it is the driver's child, and still in the worker's session,
//! unless it made itself a session of its own, and still with the worker's mark in its environment, unless it was started without. None of
//! these can leave the driver's descendants, and none can get into the driver's session: so at the end nobody is missed.

use std::time::{Duration, Instant};

use super::Guard;
use super::processes::{Process, adopted, all, descendants, lists_children, own_session, with_descendants};

/// Variable with a worker's mark.
pub const MARK: &str = "BINDBENCH_WORKER";

/// Where children are not listed, all processes are looked at: so often at most, and for a twentieth of the time.
const CENSUS: Duration = Duration::from_millis(200);

/// What is left when no worker is: how long it may take to end.
const SWEEP: Duration = Duration::from_secs(2);

/// What the processes of one worker are known by.
#[derive(Clone, Debug)]
pub struct Kin {
    /// The worker's number, which is its session's, too.
    pub pid: u32,
    /// Value of [`MARK`] in its environment.
    pub mark: String,
}

impl Kin {
    fn owns(&self, stray: &Process) -> bool {
        stray.session == self.pid || stray.variable(MARK).as_ref() == Some(&self.mark)
    }
}

impl Guard {
    /// What runs of each of these workers' processes, but the workers themselves.
    pub(super) fn kin(&self, of: &[&Kin]) -> Vec<Vec<Process>> {
        self.kin_among(&all(), of)
    }

    fn kin_among(&self, all: &[Process], of: &[&Kin]) -> Vec<Vec<Process>> {
        let strays = self.strays(all);
        let owned: Vec<(u32, Option<usize>)> = strays.iter().map(|stray| (stray.pid, of.iter().position(|kin| kin.owns(stray)))).collect();
        let of_one = |(at, kin): (usize, &&Kin)| {
            let seed = |process: &Process| process.pid == kin.pid || owned.contains(&(process.pid, Some(at)));
            let running = with_descendants(all, seed).into_iter().filter(|process| !process.ended && process.pid != kin.pid);
            running.collect()
        };
        of.iter().enumerate().map(of_one).collect()
    }

    /// Numbers of the processes that belong to a worker, without itself: quickly, and perhaps as they were a moment ago.
    pub(super) fn kin_lately(&self, kin: &Kin) -> Vec<u32> {
        if lists_children() {
            let strays: Vec<Process> = adopted().into_iter().filter_map(Process::of).collect();
            let owned = self.strays(&strays).into_iter().filter(|stray| kin.owns(stray));
            let below = |pid| std::iter::once(pid).chain(descendants(pid));
            return descendants(kin.pid).into_iter().chain(owned.flat_map(|stray| below(stray.pid))).collect();
        }
        let mut census = self.census();
        if census.as_ref().is_none_or(|(outdated, _)| Instant::now() >= *outdated) {
            let begun = Instant::now();
            let all = all();
            *census = Some((Instant::now() + CENSUS.max(20 * begun.elapsed()), all));
        }
        let all = census.as_ref().map_or(&[][..], |(_, all)| all);
        self.kin_among(all, &[kin]).concat().iter().map(|process| process.pid).collect()
    }

    /// Those of a list that came to the driver when their parents ended, and that run. Those that don't are taken note of.
    fn strays(&self, all: &[Process]) -> Vec<Process> {
        let (own, session) = (std::process::id(), own_session());
        let workers = self.workers();
        // What the driver started for itself is in its own session.
        let adopted = all.iter().filter(|process| process.parent == own && process.session != session && !workers.contains(&process.pid));
        let (ended, strays): (Vec<Process>, Vec<Process>) = adopted.partition(|stray| stray.ended);
        ended.iter().for_each(Process::reap);
        self.list().add_strays(&strays);
        strays
    }

    /// Ends what is left of workers that are gone, once all of them are. Returns the programs' names.
    pub fn sweep(&self) -> Vec<String> {
        let mut names = Vec::new();
        let deadline = Instant::now() + SWEEP;
        while self.workers().is_empty() && Instant::now() < deadline {
            let all = all();
            let strays = self.strays(&all);
            let left = with_descendants(&all, |process| strays.iter().any(|stray| stray.pid == process.pid));
            let left: Vec<Process> = left.into_iter().filter(|process| !process.ended).collect();
            if left.is_empty() {
                break;
            }
            if names.is_empty() {
                names = left.iter().map(Process::name).collect();
            }
            left.iter().for_each(Process::kill);
            std::thread::sleep(Duration::from_millis(5));
        }
        names
    }
}
