//! A worker process: requests in, replies out, and limits on its time and memory while it thinks.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bindbench_model::shortened;
use bindbench_protocol::{REPLIES_FD, REQUESTS_FD, Reply, Request};
use command_fds::{CommandFdExt, FdMapping};
use process_wrap::std::{CommandWrap, CommandWrapper, ProcessSession};
use rustix::process::{Pid, Signal};

use super::channel::{Broken, Channel};
use super::ending::{Ending, PATIENCE, end_all};
use super::kin::{Kin, MARK};
use super::log::Log;
use super::memory::resident_bytes;
use super::{Guard, Launch, texts};

/// How often a worker's memory, its log and the user's Ctrl-C are looked at while it thinks.
const LOOK: Duration = Duration::from_millis(100);

/// A worker that has closed its descriptors is ending. It may take so long.
const CLOSED: Duration = Duration::from_secs(2);

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
    pub(super) child: Child,
    pub(super) group: Pid,
    pub(super) kin: Kin,
    pub(super) guard: &'g Guard,
    pub(super) has_ended: bool,
    channel: Channel,
    log: Log,
    limits: Limits,
    /// Of the request that has been sent.
    deadline: Option<Instant>,
    looked: Instant,
    interrupt: &'g AtomicBool,
}

impl<'g> Worker<'g> {
    /// Starts a worker in a session of its own; what it prints goes to the log.
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
        let (their_requests, our_requests) = io::pipe()?;
        let (our_replies, their_replies) = io::pipe()?;
        let channel = Channel::new(our_requests.into(), our_replies.into())?;
        let folder = log.parent().unwrap_or(Path::new("/"));
        let (log, printed) = Log::open(log)?;
        let mark = guard.mark();
        let mut command = launch.command(hash_seed);
        command
            .env(REQUESTS_FD, "3")
            .env(REPLIES_FD, "4")
            .env(MARK, &mark)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(printed.try_clone()?)
            .stderr(printed)
            .fd_mappings(vec![
                FdMapping { parent_fd: their_requests.into(), child_fd: 3 },
                FdMapping { parent_fd: their_replies.into(), child_fd: 4 },
            ])
            .map_err(io::Error::other)?;
        if let Some(scratch) = guard.scratch() {
            command.env("TMPDIR", scratch);
        }
        // A process can leave its group for another one of its session, but no session for another one: in a session of its own it can't
        // hide among the driver's processes, nor be reached from the terminal or reach it.
        ProcessSession.pre_spawn(&mut command, &CommandWrap::from(Command::new("")))?;
        let child = command.spawn()?;
        // A child's id is never 0.
        let group = Pid::from_child(&child);
        let kin = Kin { pid: child.id(), mark };
        guard.add(&kin);
        // `command` holds the worker's ends of the pipes: it has to go, or the end of the worker would not be seen.
        drop(command);
        Ok(Self { child, group, kin, guard, has_ended: false, channel, log, limits, deadline: None, looked: Instant::now(), interrupt })
    }

    /// Its process, which is its session, too.
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

    /// Sends a request; its reply is to be received before the next one is sent. Time is counted from here.
    ///
    /// # Errors
    /// When the worker is gone, does not read, or has said something that nobody asked for.
    pub fn send(&mut self, request: &Request) -> Result<(), Lost> {
        let mut line = serde_json::to_vec(request).map_err(|error| Lost::Garbled { message: error.to_string() })?;
        line.push(b'\n');
        let deadline = Instant::now() + self.limits.time;
        if self.channel.has_more() {
            self.kill();
            return Err(Lost::Garbled { message: "it wrote to the driver's descriptor without being asked".to_owned() });
        }
        let mut unsent = &line[..];
        while !unsent.is_empty() {
            let sent = self.channel.send_some(&mut unsent, LOOK);
            sent.map_err(|broken| self.how_it_ended(broken))?;
            self.check(deadline)?;
        }
        self.deadline = Some(deadline);
        Ok(())
    }

    /// Waits for a reply.
    ///
    /// # Errors
    /// When the worker is gone, or is killed for its use of time or memory.
    pub fn receive(&mut self) -> Result<Reply, Lost> {
        let deadline = self.deadline.take().unwrap_or_else(|| Instant::now() + self.limits.time);
        loop {
            if let Some(line) = self.channel.line() {
                let reply = serde_json::from_slice(&line);
                let mut reply = reply.map_err(|error| {
                    let (error, line) = (error.to_string(), String::from_utf8_lossy(&line));
                    Lost::Garbled {
                        message: format!("its reply can't be understood: {}: {}", shortened(&error, 200), shortened(&line, 200)),
                    }
                })?;
                texts::cut(&mut reply, &self.log);
                return Ok(reply);
            }
            // Before every wait, however short: quick samples would never let a pause run out, and a reply may trickle for ever.
            self.check(deadline)?;
            let received = self.channel.receive_some(LOOK);
            received.map_err(|broken| self.how_it_ended(broken))?;
        }
    }

    /// Waits until a worker that has answered [`Request::Finish`] has ended, but not longer than that.
    pub fn end(&mut self, patience: Duration) -> Ending {
        end_all(&mut [self], patience).pop().unwrap_or_default()
    }

    /// Sends the last request. Its reply is not worth waiting for as long as for others.
    ///
    /// # Errors
    /// As above.
    pub fn finish(&mut self) -> Result<(), Lost> {
        self.limits.time = self.limits.time.min(PATIENCE);
        self.send(&Request::Finish)
    }

    /// How it ended, if it has.
    pub(super) fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ctrl-C, the limits, and the log.
    fn check(&mut self, deadline: Instant) -> Result<(), Lost> {
        if self.interrupt.load(Ordering::Relaxed) {
            return Err(Lost::Interrupted);
        }
        if self.looked.elapsed() >= LOOK {
            self.look()?;
        }
        if Instant::now() >= deadline {
            self.kill();
            return Err(Lost::TimedOut { after: self.limits.time });
        }
        Ok(())
    }

    /// Looks at the memory of all its processes, and at its log.
    fn look(&mut self) -> Result<(), Lost> {
        self.looked = Instant::now();
        self.log.cut();
        let Some(own) = resident_bytes(self.child.id()) else { return Ok(()) };
        let others: u64 = self.guard.kin_lately(&self.kin).into_iter().filter_map(resident_bytes).sum();
        if own + others > self.limits.memory {
            self.kill();
            return Err(Lost::OutOfMemory { limit: self.limits.memory });
        }
        Ok(())
    }

    fn how_it_ended(&mut self, broken: Broken) -> Lost {
        let message = match broken {
            Broken::TooLong => Broken::too_long(),
            Broken::Closed => {
                // It closed its descriptors: it is ending, or it will never speak again.
                let deadline = Instant::now() + CLOSED;
                while Instant::now() < deadline {
                    if let Some(status) = self.status() {
                        return ended(status);
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                "it closed its descriptors and went on".to_owned()
            }
        };
        self.kill();
        Lost::Garbled { message }
    }

    fn kill(&mut self) {
        end_all(&mut [self], Duration::ZERO);
    }

    /// What it printed last, for an error message.
    pub fn last_words(&self) -> Option<String> {
        self.log.last_words()
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.kill();
        }
        self.log.cut();
    }
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
