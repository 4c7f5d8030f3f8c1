//! The guard: a process that outlives the driver for a moment, to end the workers that a killed driver could not, and to remove what
//! they wrote.
//!
//! It is this very program, reading from a pipe whose other end only the driver holds. When the driver ends, however it ends, the
//! pipe closes, and the guard kills every process group that is still on its list, and removes every perf map.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::memory::is_running;

/// A killed process may be about to make its perf map: how long the guard waits for its end.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// The driver's end of the guard.
#[derive(Debug)]
pub struct Guard {
    list: GuardList,
    child: Child,
}

/// What the guard is told by. Whoever starts something that would be left behind has one; it is mute once the guard is gone.
#[derive(Clone, Debug)]
pub struct GuardList(Arc<Mutex<Option<ChildStdin>>>);

impl Guard {
    /// Starts it, in a process group of its own: Ctrl-C must not reach it.
    ///
    /// # Errors
    /// When this program can't be started again.
    pub fn start() -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("guard")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { list: GuardList(Arc::new(Mutex::new(child.stdin.take()))), child })
    }

    /// Its list.
    pub fn list(&self) -> &GuardList {
        &self.list
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.list.pipe().take());
        drop(self.child.wait());
    }
}

impl GuardList {
    /// Puts a process group on the list.
    pub(super) fn add(&self, group: Pid) {
        self.say(&format!("+group {}", group.as_raw_nonzero()));
    }

    /// Takes it off: it is gone.
    pub(super) fn remove(&self, group: Pid) {
        self.say(&format!("-group {}", group.as_raw_nonzero()));
    }

    /// Puts the perf map of a process on the list; it need not be there yet.
    pub fn add_perf_map(&self, pid: u32) {
        self.say(&format!("+perf_map {pid}"));
    }

    /// Takes it off: its file is removed, and another process may get the number.
    pub fn remove_perf_map(&self, pid: u32) {
        self.say(&format!("-perf_map {pid}"));
    }

    fn say(&self, line: &str) {
        if let Some(pipe) = self.pipe().as_mut() {
            // In one piece: of a driver that is killed meanwhile, the guard must not read half a number.
            // A guard that is gone is no reason to stop measuring: it only matters if the driver is killed too.
            drop(pipe.write_all(format!("{line}\n").as_bytes()));
        }
    }

    fn pipe(&self) -> std::sync::MutexGuard<'_, Option<ChildStdin>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a process's perf map is: where an interpreter writes down which Python function each piece of code is that it makes. The folder is
/// fixed in CPython's source, whatever TMPDIR says.
pub fn perf_map_of(pid: u32) -> PathBuf {
    PathBuf::from(format!("/tmp/perf-{pid}.map"))
}

/// The guard's own work: reads `+WHAT NUMBER` and `-WHAT NUMBER` lines until the driver is gone, then ends what is left.
pub fn watch(lines: impl BufRead) {
    let (groups, perf_maps) = left_on_the_list(lines);
    for group in groups.iter().filter_map(|&group| Pid::from_raw(group.cast_signed())) {
        // A group that is gone by now is what is wanted.
        kill_process_group(group, Signal::KILL).ok();
    }
    let deadline = Instant::now() + LAST_BREATH;
    // A worker is its group's first process.
    for pid in perf_maps.union(&groups) {
        while is_running(*pid) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Most processes have none.
        std::fs::remove_file(perf_map_of(*pid)).ok();
        std::fs::remove_file(format!("/tmp/jit-{pid}.dump")).ok();
    }
}

/// Process groups, and processes that may have perf maps.
fn left_on_the_list(lines: impl BufRead) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let (mut groups, mut perf_maps) = (BTreeSet::new(), BTreeSet::new());
    for line in lines.lines().map_while(Result::ok) {
        let Some((what, number)) = line.split_once(' ').and_then(|(what, number)| Some((what, number.parse().ok()?))) else { continue };
        match what {
            "+group" => drop(groups.insert(number)),
            "-group" => drop(groups.remove(&number)),
            "+perf_map" => drop(perf_maps.insert(number)),
            "-perf_map" => drop(perf_maps.remove(&number)),
            _ => {}
        }
    }
    (groups, perf_maps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_off_is_left_alone() {
        let lines = "+group 10\n+perf_map 10\n+perf_map 12\n+group 20\n-group 10\n-perf_map 12\nnonsense\n+group\n";
        assert_eq!(left_on_the_list(lines.as_bytes()), ([20].into(), [10].into()));
    }
}
