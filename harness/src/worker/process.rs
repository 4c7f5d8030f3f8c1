//! A worker process: requests in, replies out, and limits on its time and memory while it thinks.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bindbench_protocol::{REPLIES_FD, REQUESTS_FD, Reply, Request};
use command_fds::{CommandFdExt, FdMapping};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::memory::{descendants, resident_bytes};
use super::{Guard, Launch};

/// How often a worker's memory, its log and the user's Ctrl-C are looked at while it thinks.
const LOOK: Duration = Duration::from_millis(100);

/// A lane may print megabytes: its log is cut when it is longer than this.
const LONGEST_LOG: u64 = 4 << 20;

/// What a worker may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time for one request.
    pub time: Duration,
    /// Resident set of its process tree, bytes.
    pub memory: u64,
}

/// Why there is no reply: the worker is gone.
#[derive(Clone, Debug, PartialEq)]
pub enum Lost {
    /// It died of a signal.
    Crashed {
        /// Its number.
        signal: i32,
    },
    /// It ended by itself.
    Exited {
        /// Its exit status.
        code: i32,
    },
    /// It took too long and was killed.
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// It used too much and was killed.
    OutOfMemory {
        /// The limit, bytes.
        limit: u64,
    },
    /// It said something that is no reply.
    Garbled {
        /// What is wrong with it.
        message: String,
    },
    /// The user pressed Ctrl-C.
    Interrupted,
}

/// A running worker. It and everything it started are killed when this is dropped.
#[derive(Debug)]
pub struct Worker<'g> {
    child: Child,
    group: Pid,
    guard: &'g Guard,
    requests: File,
    replies: File,
    buffer: Vec<u8>,
    log: PathBuf,
    limits: Limits,
    looked: Instant,
    interrupt: &'g AtomicBool,
}

impl<'g> Worker<'g> {
    /// Starts a worker in a process group of its own; what it prints goes to the log.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(
        launch: &Launch,
        hash_seed: u32,
        log: &Path,
        limits: Limits,
        guard: &'g Guard,
        interrupt: &'g AtomicBool,
    ) -> io::Result<Self> {
        let (their_requests, our_requests) = pipe()?;
        let (our_replies, their_replies) = pipe()?;
        let printed = OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = launch.command(hash_seed);
        command
            .env(REQUESTS_FD, "3")
            .env(REPLIES_FD, "4")
            .current_dir(log.parent().unwrap_or(Path::new("/")))
            .stdin(Stdio::null())
            .stdout(printed.try_clone()?)
            .stderr(printed)
            .process_group(0)
            .fd_mappings(vec![FdMapping { parent_fd: their_requests, child_fd: 3 }, FdMapping { parent_fd: their_replies, child_fd: 4 }])
            .map_err(io::Error::other)?;
        let child = command.spawn()?;
        // A child's id is never 0.
        let group = Pid::from_child(&child);
        guard.list().add(group);
        // `command` holds the worker's ends of the pipes: it has to go, or the end of the worker would not be seen.
        drop(command);
        Ok(Self {
            child,
            group,
            guard,
            requests: our_requests.into(),
            replies: our_replies.into(),
            buffer: Vec::new(),
            log: log.to_owned(),
            limits,
            looked: Instant::now(),
            interrupt,
        })
    }

    /// Its process, which is its process group, too.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    /// When the worker is gone, or is killed for its use of time or memory.
    pub fn ask(&mut self, request: &Request) -> Result<Reply, Lost> {
        self.send(request)?;
        self.receive()
    }

    /// Sends a request; its reply is to be received before the next one is sent.
    ///
    /// # Errors
    /// When the worker is gone.
    pub fn send(&mut self, request: &Request) -> Result<(), Lost> {
        let mut line = serde_json::to_vec(request).map_err(|error| Lost::Garbled { message: error.to_string() })?;
        line.push(b'\n');
        match self.requests.write_all(&line) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.how_it_ended()),
        }
    }

    /// Waits for a reply.
    ///
    /// # Errors
    /// When the worker is gone, or is killed for its use of time or memory.
    pub fn receive(&mut self) -> Result<Reply, Lost> {
        let deadline = Instant::now() + self.limits.time;
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                // Quick samples never let a pause run out.
                if self.looked.elapsed() >= LOOK {
                    self.look()?;
                }
                return serde_json::from_slice(&line).map_err(|error| {
                    let line = String::from_utf8_lossy(&line);
                    Lost::Garbled { message: format!("its reply can't be understood: {error}: {:.200}", line.trim_end()) }
                });
            }
            self.wait_until(deadline)?;
            let mut block = [0; 1 << 16];
            match self.replies.read(&mut block) {
                Ok(0) => return Err(self.how_it_ended()),
                Ok(n) => self.buffer.extend_from_slice(&block[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(self.how_it_ended()),
            }
        }
    }

    /// Sleeps until there is something to read; meanwhile looks at the limits, ten times a second.
    fn wait_until(&mut self, deadline: Instant) -> Result<(), Lost> {
        loop {
            // Before every wait, however short: quick samples would never let the pause below run out.
            if self.interrupt.load(Ordering::Relaxed) {
                return Err(Lost::Interrupted);
            }
            let pause = Timespec { tv_sec: 0, tv_nsec: LOOK.subsec_nanos().into() };
            let ready = poll(&mut [PollFd::new(&self.replies.as_fd(), PollFlags::IN)], Some(&pause));
            match ready {
                Ok(0) | Err(Errno::INTR) => {}
                // An error shows itself when it is read.
                Ok(_) | Err(_) => return Ok(()),
            }
            self.look()?;
            if Instant::now() >= deadline {
                self.kill();
                return Err(Lost::TimedOut { after: self.limits.time });
            }
        }
    }

    /// Looks at its memory and its log.
    fn look(&mut self) -> Result<(), Lost> {
        self.looked = Instant::now();
        self.cut_log();
        if resident_bytes(self.child.id()).is_some_and(|bytes| bytes > self.limits.memory) {
            self.kill();
            return Err(Lost::OutOfMemory { limit: self.limits.memory });
        }
        Ok(())
    }

    fn cut_log(&self) {
        if std::fs::metadata(&self.log).is_ok_and(|log| log.len() > LONGEST_LOG) {
            // The worker appends: it goes on at the new end. A log that can't be cut is only long.
            drop(OpenOptions::new().write(true).open(&self.log).and_then(|log| log.set_len(0)));
        }
    }

    fn how_it_ended(&mut self) -> Lost {
        // It closed its descriptors: it is ending, or it will never speak again.
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(Some(status)) => return ended(status),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(_) => break,
            }
        }
        self.kill();
        Lost::Garbled { message: "it closed its descriptors and went on".to_owned() }
    }

    fn kill(&mut self) {
        // A process that made itself a session of its own is in no group of ours: it is only known by its parents.
        // (Once it has been waited for, its number may be somebody else's.)
        let lives = matches!(self.child.try_wait(), Ok(None));
        let others = if lives { descendants(self.child.id()) } else { Vec::new() };
        // They may be gone already; then there is nothing to kill.
        kill_process_group(self.group, Signal::KILL).ok();
        for other in others.into_iter().filter_map(|pid| Pid::from_raw(pid.cast_signed())) {
            kill_process(other, Signal::KILL).ok();
        }
        drop(self.child.wait());
    }

    /// The end of what it printed, for an error message.
    pub fn last_words(&self) -> Option<String> {
        let text = std::fs::read(&self.log).ok()?;
        let text = String::from_utf8_lossy(&text);
        text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| format!("{line:.300}"))
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.kill();
        self.guard.list().remove(self.group);
        self.cut_log();
    }
}

/// Both ends close on exec: one worker must not hold another one's pipes open.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((reader.into(), writer.into()))
}

fn ended(status: ExitStatus) -> Lost {
    match (status.signal(), status.code()) {
        (Some(signal), _) => Lost::Crashed { signal },
        (None, code) => Lost::Exited { code: code.unwrap_or(-1) },
    }
}

/// The usual name of a signal that ends a process.
pub fn signal_name(signal: i32) -> String {
    let named = [
        (Signal::SEGV, "SIGSEGV"),
        (Signal::BUS, "SIGBUS"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::FPE, "SIGFPE"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::TERM, "SIGTERM"),
        (Signal::INT, "SIGINT"),
    ];
    let name = named.iter().find(|(named, _)| named.as_raw() == signal);
    name.map_or_else(|| format!("signal {signal}"), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_their_usual_names() {
        assert_eq!(signal_name(11), "SIGSEGV");
        assert_eq!(signal_name(6), "SIGABRT");
        assert_eq!(signal_name(1000), "signal 1000");
    }
}
