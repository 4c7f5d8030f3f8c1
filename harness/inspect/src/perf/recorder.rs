//! `perf record`, told over a pipe when to take samples.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::geteuid;

use super::{failed, perf};
use crate::refusal::Refused;

/// perf answers after it has read all about its processes; it writes its buffers when it ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// Copies of stacks: as large as the built-in sampler's.
const CALL_GRAPH: &str = "dwarf,32768";

/// Ring buffer for each CPU where memory for it is not limited: perf's own, of half a mebibyte, holds 16 samples.
const BUFFER: &str = "4M";

/// perf at work. It is killed when this is dropped.
#[derive(Debug)]
pub struct Recorder {
    program: PathBuf,
    child: Child,
    orders: File,
    acknowledged: File,
    recording: PathBuf,
    log: PathBuf,
}

impl Recorder {
    /// Attaches to processes, and to what they start from now on. It takes no samples yet. All that it writes goes into a folder.
    ///
    /// # Errors
    /// When it can't be started, or ends at once.
    pub fn start(program: &Path, pids: &[u32], hertz: u64, folder: &Path) -> Result<Self, Refused> {
        let mut recorder = Self::spawn(program, pids, hertz, folder).map_err(|error| failed(program, &error.to_string()))?;
        recorder.order("ping")?;
        Ok(recorder)
    }

    fn spawn(program: &Path, pids: &[u32], hertz: u64, folder: &Path) -> io::Result<Self> {
        let (recording, log) = (folder.join("perf.data"), folder.join("record.log"));
        let (their_orders, orders) = io::pipe()?;
        let (acknowledged, their_acknowledgements) = io::pipe()?;
        let said = File::create(&log)?;
        let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
        let mut command = perf(program, folder, "record");
        // The clock is the one that CPython's dumps have.
        command.args(["--quiet", "--clockid", "CLOCK_MONOTONIC", "--event", "cpu-clock", "--freq", &hertz.to_string()]);
        command.args(["--call-graph", CALL_GRAPH, "--no-buildid", "--no-buildid-cache", "--delay=-1", "--control", "fd:3,4"]);
        if geteuid().is_root() {
            command.args(["--mmap-pages", BUFFER]);
        }
        command.arg("--pid").arg(pids.join(",")).arg("--output").arg(&recording);
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        // Ctrl-C is for the driver, which ends perf.
        command.process_group(0);
        let mappings = vec![
            FdMapping { parent_fd: their_orders.into(), child_fd: 3 },
            FdMapping { parent_fd: their_acknowledgements.into(), child_fd: 4 },
        ];
        let child = command.fd_mappings(mappings).map_err(io::Error::other)?.spawn()?;
        let (orders, acknowledged) = (File::from(std::os::fd::OwnedFd::from(orders)), File::from(std::os::fd::OwnedFd::from(acknowledged)));
        Ok(Self { program: program.to_owned(), child, orders, acknowledged, recording, log })
    }

    /// Switches sampling on or off.
    ///
    /// # Errors
    /// When perf has ended.
    pub fn switch(&mut self, on: bool) -> Result<(), Refused> {
        self.order(if on { "enable" } else { "disable" })
    }

    /// Ends it, and returns its recording.
    ///
    /// # Errors
    /// When it does not end, or leaves none.
    pub fn finish(mut self) -> Result<PathBuf, Refused> {
        self.order("stop")?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() && self.recording.exists() => return Ok(self.recording.clone()),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Ok(Some(_)) | Err(_) => return Err(self.why()),
            }
        }
        Err(failed(&self.program, "it did not end"))
    }

    /// Gives an order, and waits until it is carried out.
    fn order(&mut self, word: &str) -> Result<(), Refused> {
        let carried_out = self.orders.write_all(format!("{word}\n").as_bytes()).and_then(|()| self.is_acknowledged());
        match carried_out {
            Ok(true) => Ok(()),
            Ok(false) => Err(failed(&self.program, &format!("it did not answer for {} s", PATIENCE.as_secs()))),
            Err(_) => Err(self.why()),
        }
    }

    fn is_acknowledged(&mut self) -> io::Result<bool> {
        let begun = Instant::now();
        while let Some(left) = PATIENCE.checked_sub(begun.elapsed()) {
            let pause = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            if poll(&mut [PollFd::new(&self.acknowledged.as_fd(), PollFlags::IN)], Some(&pause))? == 0 {
                break;
            }
            // `ack`, a line feed, and a NUL byte, which may come with the next one.
            let mut bytes = [0; 64];
            match self.acknowledged.read(&mut bytes)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read if bytes[..read].contains(&b'\n') => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Why it has ended.
    fn why(&self) -> Refused {
        failed(&self.program, &String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Most often it has ended by now.
        self.child.kill().ok();
        drop(self.child.wait());
    }
}
