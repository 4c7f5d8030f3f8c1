//! The guard: a process that outlives the driver for a moment, to end the workers that a killed driver could not.
//!
//! It is this very program, reading from a pipe whose other end only the driver holds. When the driver ends, however it ends, the
//! pipe closes, and the guard kills every process group that is still on its list.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

/// The driver's end of the guard.
#[derive(Debug)]
pub struct Guard {
    pipe: Mutex<Option<ChildStdin>>,
    child: Child,
}

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
        Ok(Self { pipe: Mutex::new(child.stdin.take()), child })
    }

    /// Puts a process group on the list.
    pub(super) fn add(&self, group: Pid) {
        self.say('+', group);
    }

    /// Takes it off: it is gone.
    pub(super) fn remove(&self, group: Pid) {
        self.say('-', group);
    }

    fn say(&self, sign: char, group: Pid) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipe) = pipe.as_mut() {
            // A guard that is gone is no reason to stop measuring: it only matters if the driver is killed too.
            drop(writeln!(pipe, "{sign}{}", group.as_raw_nonzero()));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.pipe.lock().unwrap_or_else(PoisonError::into_inner).take());
        drop(self.child.wait());
    }
}

/// The guard's own work: reads `+GROUP` and `-GROUP` lines until the driver is gone, then kills what is left.
pub fn watch(lines: impl BufRead) {
    let mut groups = BTreeSet::new();
    for line in lines.lines().map_while(Result::ok) {
        if let Some(group) = line.strip_prefix('+') {
            groups.insert(group.to_owned());
        } else if let Some(group) = line.strip_prefix('-') {
            groups.remove(group);
        }
    }
    for group in groups.iter().filter_map(|group| Pid::from_raw(group.parse().ok()?)) {
        // A group that is gone by now is what is wanted.
        kill_process_group(group, Signal::KILL).ok();
        // A worker that was profiled has one of these; they are named by the process, which is the group's first.
        for file in [format!("/tmp/perf-{}.map", group.as_raw_nonzero()), format!("/tmp/jit-{}.dump", group.as_raw_nonzero())] {
            std::fs::remove_file(file).ok();
        }
    }
}
