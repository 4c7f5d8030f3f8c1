//! The end of workers: they are given time for it, and what they leave is ended with them.

use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process_group};

use super::guard::TIDYING;
use super::kin::Kin;
use super::process::{Worker, signal_name};
use super::processes::Process;

/// How long a worker may take to end when it is told to: exit handlers run, pools are closed.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What a worker started ends with it, by itself; it may take so long.
const GRACE: Duration = Duration::from_secs(1);

/// How long to go on killing: a killed process is gone at once, unless a system call keeps it.
const KILLING: Duration = Duration::from_secs(5);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// How a worker ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// It had time to end by itself, and did not take it.
    pub had_to_be_killed: bool,
    /// The signal it died of after it had said that it was done.
    pub crashed: Option<String>,
    /// Names of the processes that it had started and that it left behind.
    pub left_behind: Vec<String>,
}

impl Ending {
    /// What is to be known of it, in a sentence that begins with the lane's name; none of an end as it should be.
    pub fn note(&self, lane: &str) -> Option<String> {
        let left = self.left_behind.len();
        let mut names = self.left_behind.clone();
        names.sort();
        names.dedup();
        names.truncate(4);
        match (&self.crashed, left) {
            (Some(signal), _) => Some(format!("{lane} crashed ({signal}) when it was told to end, after all its samples.")),
            (None, 0) if self.had_to_be_killed => Some(format!("{lane} did not end when it was told to, and was killed.")),
            (None, 0) => None,
            (None, 1) => Some(format!("{lane} left 1 process behind ({}), which was killed.", names.join(", "))),
            (None, _) => Some(format!("{lane} left {left} processes behind ({}), which were killed.", names.join(", "))),
        }
    }
}

/// Ends workers of one guard, all at the same time. They have so long to end by themselves; then they are killed, and all they started.
pub fn end_all(workers: &mut [&mut Worker], patience: Duration) -> Vec<Ending> {
    let Some(guard) = workers.first().map(|worker| worker.guard) else { return Vec::new() };
    wait_for(patience, || workers.iter_mut().all(|worker| worker.status().is_some()));
    let mut endings = vec![Ending::default(); workers.len()];
    if !patience.is_zero() {
        let by_themselves: Vec<bool> = workers.iter_mut().map(|worker| worker.status().is_some()).collect();
        let others = |processes: Vec<Process>| processes.into_iter().filter(|process| !process.tidies_up()).collect::<Vec<_>>();
        let mut left: Vec<Vec<Process>> = Vec::new();
        wait_for(GRACE, || {
            let kin = guard.kin(&kin(workers));
            left = kin.into_iter().zip(&by_themselves).map(|(kin, ended)| if *ended { others(kin) } else { Vec::new() }).collect();
            left.iter().all(Vec::is_empty)
        });
        for (((ending, worker), ended), left) in endings.iter_mut().zip(workers.iter_mut()).zip(by_themselves).zip(left) {
            ending.had_to_be_killed = !ended;
            ending.crashed = worker.status().and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status)).map(signal_name);
            ending.left_behind = left.iter().map(Process::name).collect();
        }
    }
    kill_all(workers);
    endings
}

/// Kills workers and all that they started, until none of it is there.
fn kill_all(workers: &mut [&mut Worker]) {
    let Some(guard) = workers.first().map(|worker| worker.guard) else { return };
    let mut tidying_until = None;
    wait_for(KILLING, || {
        for worker in workers.iter_mut().filter_map(|worker| worker.status().is_none().then_some(worker)) {
            if !cfg!(target_os = "linux") {
                // Where processes are not listed, its group is all there is to go by. As long as nobody has asked for its status, its
                // number is its own.
                kill_process_group(worker.group, Signal::KILL).ok();
            }
            worker.child.kill().ok();
        }
        let (tidying, others): (Vec<Process>, Vec<Process>) = guard.kin(&kin(workers)).concat().into_iter().partition(Process::tidies_up);
        others.iter().for_each(Process::kill);
        let others_are_gone = others.is_empty() && workers.iter_mut().all(|worker| worker.status().is_some());
        // What removes shared memory does so when all others that could use it have ended.
        if others_are_gone && Instant::now() >= *tidying_until.get_or_insert_with(|| Instant::now() + TIDYING) {
            tidying.iter().for_each(Process::kill);
        }
        others_are_gone && tidying.is_empty()
    });
    for worker in workers.iter_mut() {
        // One that can't be killed stays on the guard's list.
        if worker.status().is_some() {
            guard.remove(&worker.kin);
        }
        worker.has_ended = true;
    }
}

fn kin<'a>(workers: &'a [&mut Worker]) -> Vec<&'a Kin> {
    workers.iter().map(|worker| &worker.kin).collect()
}

/// Asks again and again until it is so, but not longer than that.
fn wait_for(patience: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !is_so() && Instant::now() < deadline {
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_is_not_as_it_should_be_is_told() {
        let left = |names: &[&str]| Ending { left_behind: names.iter().map(|name| (*name).to_owned()).collect(), ..Ending::default() };
        assert_eq!(Ending::default().note("a/b"), None);
        assert_eq!(left(&["sh"]).note("a/b").as_deref(), Some("a/b left 1 process behind (sh), which was killed."));
        let several = left(&["sleep", "sh", "sleep"]).note("a/b");
        assert_eq!(several.as_deref(), Some("a/b left 3 processes behind (sh, sleep), which were killed."));
        let crashed = Ending { crashed: Some("SIGSEGV".into()), ..Ending::default() };
        assert!(crashed.note("a/b").is_some_and(|note| note.contains("crashed (SIGSEGV)")));
        let killed = Ending { had_to_be_killed: true, ..Ending::default() };
        assert!(killed.note("a/b").is_some_and(|note| note.contains("did not end")));
    }
}
