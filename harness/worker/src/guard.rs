//! The guard: a process that outlives the driver for a moment, to end the workers that a killed driver could not, and to remove what
//! they wrote.
//!
//! It is this very program, reading from a pipe whose other end only the driver holds. When the driver ends, however it ends, the
//! pipe closes, and the guard kills every process that is still on its list or marked as a worker's, and removes every perf map and folder.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bindbench_files::lock::Lock;
use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::ending::Ending;
use super::kin::{Kin, MARK};
use super::processes::{Process, adopt, all, with_descendants};

/// How long the guard tries to end what a killed driver left.
const LAST_BREATH: Duration = Duration::from_secs(5);

/// What removes a killed process's shared memory may go on for so long.
pub(super) const TIDYING: Duration = Duration::from_secs(2);

/// The driver's end of the guard.
#[derive(Debug)]
pub struct Guard {
    list: GuardList,
    child: Child,
    /// Begins the mark of every worker of this guard.
    token: String,
    marked: AtomicU32,
    /// Numbers of the workers that have not ended.
    workers: Mutex<BTreeSet<u32>>,
    /// All processes, and how long that is good for.
    census: Mutex<Option<(Instant, Vec<Process>)>>,
    /// Workers' folder for temporary files.
    scratch: Option<TempDir>,
    notes: Mutex<Notes>,
}

/// What lanes left behind, a sentence each.
#[derive(Debug, Default)]
struct Notes {
    /// Those that nobody has taken yet.
    new: Vec<String>,
    /// One of a lane is enough: every generation leaves as much.
    lanes: BTreeSet<String>,
}

/// What the guard is told by. Whoever starts something that would be left behind has one; it is mute once the guard is gone.
#[derive(Clone, Debug)]
pub struct GuardList(Arc<Mutex<Told>>);

#[derive(Debug)]
struct Told {
    pipe: Option<ChildStdin>,
    strays: BTreeSet<(u32, u64)>,
}

/// A line the guard is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// How the marks of all workers begin.
    Token(String),
    /// A worker: its number, and when it started.
    Worker(u32, u64),
    WorkerEnded(u32),
    /// A process that has lost its parent.
    Stray(u32, u64),
    Group(u32),
    GroupEnded(u32),
    PerfMap(u32),
    PerfMapRemoved(u32),
    /// To be removed with all that is in it.
    Folder(PathBuf),
}

impl Guard {
    /// Starts it, in a process group of its own: Ctrl-C must not reach it. From now on this process is the parent of what workers leave.
    ///
    /// # Errors
    /// When this program can't be started again, or there is no room for temporary files.
    pub fn start() -> io::Result<Self> {
        Self::with_locks(&[])
    }

    /// The same, and these locks are held until it has ended what a killed driver left: nobody else begins before.
    ///
    /// # Errors
    /// As above.
    pub fn with_locks(locks: &[&Lock]) -> io::Result<Self> {
        let held: Vec<OwnedFd> = locks.iter().filter_map(|lock| lock.for_another_process().transpose()).collect::<io::Result<_>>()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("guard").process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mappings = held.into_iter().zip(3..).map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd }).collect();
        command.fd_mappings(mappings).map_err(io::Error::other)?;
        let mut child = command.spawn()?;
        let pipe = child.stdin.take();
        if let Some(pipe) = &pipe {
            // A guard that is stopped must not stop the driver. Lines are short: each goes into the pipe whole, or not at all.
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        let list = GuardList(Arc::new(Mutex::new(Told { pipe, strays: BTreeSet::new() })));
        let token = format!("{:016x}", rand::random::<u64>());
        list.say(&Line::Token(token.clone()));
        let scratch = tempfile::Builder::new().prefix("bindbench-").tempdir()?;
        list.say(&Line::Folder(scratch.path().to_owned()));
        adopt();
        let (marked, workers, census) = (AtomicU32::new(0), Mutex::default(), Mutex::default());
        Ok(Self { list, child, token, marked, workers, census, scratch: Some(scratch), notes: Mutex::default() })
    }

    /// Its list.
    pub fn list(&self) -> &GuardList {
        &self.list
    }

    /// A mark for a new worker. All are of the same length.
    pub(super) fn mark(&self) -> String {
        format!("{}-{:08x}", self.token, self.marked.fetch_add(1, Ordering::Relaxed))
    }

    /// The folder for temporary files of what it looks after. It goes with the driver.
    pub fn scratch(&self) -> Option<&Path> {
        self.scratch.as_ref().map(TempDir::path)
    }

    /// Knows of a worker from now on.
    pub(super) fn add(&self, kin: &Kin) {
        self.workers().insert(kin.pid);
        let started = Process::of(kin.pid).map_or(0, |process| process.started);
        self.list.say(&Line::Worker(kin.pid, started));
    }

    /// It and all its processes have ended.
    pub(super) fn remove(&self, kin: &Kin) {
        self.workers().remove(&kin.pid);
        self.list.say(&Line::WorkerEnded(kin.pid));
    }

    /// Keeps what is to be known of the end of a lane's worker.
    pub fn note(&self, lane: &str, ending: &Ending) {
        if let Some(note) = ending.note(lane) {
            let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            if notes.lanes.insert(lane.to_owned()) {
                notes.new.push(note);
            }
        }
    }

    /// The notes since the last time.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner).new)
    }

    pub(super) fn workers(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn census(&self) -> MutexGuard<'_, Option<(Instant, Vec<Process>)>> {
        self.census.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.sweep();
        drop(self.scratch.take());
        drop(self.list.told().pipe.take());
        let deadline = Instant::now() + LAST_BREATH + TIDYING;
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() >= deadline {
                // It has been stopped, for example.
                self.child.kill().ok();
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl GuardList {
    /// Puts a process group on the list.
    pub fn add(&self, group: Pid) {
        self.say(&Line::Group(group.as_raw_nonzero().get().cast_unsigned()));
    }

    /// Takes it off: it is gone.
    pub fn remove(&self, group: Pid) {
        self.say(&Line::GroupEnded(group.as_raw_nonzero().get().cast_unsigned()));
    }

    /// Puts the perf map of a process on the list; it need not be there yet.
    pub fn add_perf_map(&self, pid: u32) {
        self.say(&Line::PerfMap(pid));
    }

    /// Takes it off: its file is removed, and another process may get the number.
    pub fn remove_perf_map(&self, pid: u32) {
        self.say(&Line::PerfMapRemoved(pid));
    }

    /// Puts processes that lost their parents on the list. When the driver is gone nobody would know any more whose they are.
    pub(super) fn add_strays(&self, strays: &[Process]) {
        for stray in strays {
            if self.told().strays.insert((stray.pid, stray.started)) {
                self.say(&Line::Stray(stray.pid, stray.started));
            }
        }
    }

    fn say(&self, line: &Line) {
        let text = serde_json::to_string(line).unwrap_or_default();
        if let Some(pipe) = self.told().pipe.as_mut() {
            // In one piece: of a driver that is killed meanwhile, the guard must not read half a line.
            // A guard that is gone is no reason to stop measuring: it only matters if the driver is killed too.
            drop(pipe.write_all(format!("{text}\n").as_bytes()));
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a process's perf map is: where an interpreter writes down which Python function each piece of code is that it makes. The folder is
/// fixed in CPython's source, whatever TMPDIR says.
pub fn perf_map_of(pid: u32) -> PathBuf {
    PathBuf::from(format!("/tmp/perf-{pid}.map"))
}

/// The guard's own work: reads lines until the driver is gone, then ends what is left.
pub fn watch(lines: impl BufRead) {
    let left = Left::of(lines);
    left.end();
    for pid in left.perf_maps.iter().chain(left.workers.iter().map(|(pid, _)| pid)).chain(&left.groups) {
        // Most processes have none.
        std::fs::remove_file(perf_map_of(*pid)).ok();
        std::fs::remove_file(format!("/tmp/jit-{pid}.dump")).ok();
    }
    for folder in &left.folders {
        std::fs::remove_dir_all(folder).ok();
    }
}

/// What was on the list when the driver ended.
#[derive(Debug, Default, PartialEq)]
struct Left {
    token: Option<String>,
    workers: BTreeSet<(u32, u64)>,
    strays: BTreeSet<(u32, u64)>,
    groups: BTreeSet<u32>,
    perf_maps: BTreeSet<u32>,
    folders: BTreeSet<PathBuf>,
}

impl Left {
    fn of(lines: impl BufRead) -> Self {
        let mut left = Self::default();
        for line in lines.lines().map_while(Result::ok) {
            let Ok(line) = serde_json::from_str(&line) else { continue };
            match line {
                Line::Token(token) => left.token = Some(token),
                Line::Worker(pid, started) => drop(left.workers.insert((pid, started))),
                Line::WorkerEnded(ended) => left.workers.retain(|(pid, _)| *pid != ended),
                Line::Stray(pid, started) => drop(left.strays.insert((pid, started))),
                Line::Group(group) => drop(left.groups.insert(group)),
                Line::GroupEnded(group) => drop(left.groups.remove(&group)),
                Line::PerfMap(pid) => drop(left.perf_maps.insert(pid)),
                Line::PerfMapRemoved(pid) => drop(left.perf_maps.remove(&pid)),
                Line::Folder(folder) => drop(left.folders.insert(folder)),
            }
        }
        left
    }

    /// Kills it all. What removes shared memory is left until the others are gone, and for a moment after that.
    fn end(&self) {
        if all().is_empty() {
            // Where processes are not listed, groups are all there is to go by.
            for &pid in self.groups.iter().chain(self.workers.iter().map(|(pid, _)| pid)) {
                if let Some(group) = Pid::from_raw(pid.cast_signed()) {
                    // A group that is gone by now is what is wanted.
                    kill_process_group(group, Signal::KILL).ok();
                }
            }
        }
        let deadline = Instant::now() + LAST_BREATH;
        let mut patience = None;
        while Instant::now() < deadline {
            let members = self.members(&all());
            let (tidying, others): (Vec<&Process>, Vec<&Process>) = members.iter().partition(|process| process.tidies_up());
            if members.is_empty() {
                break;
            }
            others.iter().for_each(|process| process.kill());
            if others.is_empty() && Instant::now() > *patience.get_or_insert(Instant::now() + TIDYING) {
                tidying.iter().for_each(|process| process.kill());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Those that run.
    fn members(&self, all: &[Process]) -> Vec<Process> {
        // The number of a worker that is gone may be somebody else's; while others are in its session, it is nobody's.
        let is_known = |pid: u32| self.workers.iter().any(|(worker, _)| *worker == pid);
        let was_used_again = |pid| all.iter().any(|p| p.pid == pid && !self.workers.contains(&(pid, p.started)));
        let is_marked = |process: &Process| {
            let mark = self.token.as_ref().and_then(|token| Some((token, process.variable(MARK)?)));
            mark.is_some_and(|(token, mark)| mark.starts_with(token.as_str()))
        };
        let belongs = |process: &Process| {
            self.workers.contains(&(process.pid, process.started))
                || self.strays.contains(&(process.pid, process.started))
                || self.groups.contains(&process.group)
                || (is_known(process.session) && !was_used_again(process.session))
                || is_marked(process)
        };
        let own = std::process::id();
        with_descendants(all, belongs).into_iter().filter(|process| !process.ended && process.pid != own).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(lines: &[Line], more: &str) -> Left {
        let lines: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
        Left::of((lines.join("\n") + "\n" + more).as_bytes())
    }

    #[test]
    fn what_was_taken_off_is_left_alone() {
        use Line::{Folder, Group, GroupEnded, PerfMap, PerfMapRemoved, Stray, Token, Worker, WorkerEnded};
        let lines = [
            Token("t".into()),
            Group(10),
            Worker(30, 1),
            Worker(40, 2),
            PerfMap(10),
            PerfMap(12),
            Group(20),
            GroupEnded(10),
            PerfMapRemoved(12),
            WorkerEnded(30),
            Stray(50, 3),
            Folder("/a\nb".into()),
        ];
        let expected = Left {
            token: Some("t".into()),
            workers: [(40, 2)].into(),
            strays: [(50, 3)].into(),
            groups: [20].into(),
            perf_maps: [10].into(),
            folders: [PathBuf::from("/a\nb")].into(),
        };
        // A driver that is killed while it writes leaves a part of a line.
        assert_eq!(left(&lines, "nonsense\n{\"worker\":[7"), expected);
    }

    #[test]
    fn a_number_that_was_used_again_is_left_alone() {
        let process = |pid, started, session| Process { pid, started, parent: 1, group: session, session, ended: false };
        let left = left(&[Line::Worker(4_000_000, 10), Line::Worker(4_000_001, 10)], "");
        let all = [
            process(4_000_000, 10, 4_000_000),
            process(4_000_002, 11, 4_000_000),
            // The worker that had this number is gone, and so was all its session, or nobody could have got it.
            process(4_000_001, 99, 4_000_001),
            process(4_000_003, 99, 4_000_001),
            process(4_000_004, 9, 1),
        ];
        let pids: Vec<u32> = left.members(&all).iter().map(|process| process.pid).collect();
        assert_eq!(pids, [4_000_000, 4_000_002]);
    }
}
