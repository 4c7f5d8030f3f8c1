//! The programs that set-up starts: compilers, installers. They end with it, and what they have started does, too.
//!
//! Each is the first of a process group of its own, on the list of a guard: were the driver killed, pip and cargo would go on, and write
//! into `build/` what the next set-up clears.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use bindbench_files::lock::Lock;
use bindbench_worker::Guard;
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

static GUARD: OnceLock<Guard> = OnceLock::new();
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// From now on what is started is ended with this process; until that is done, the lock is held.
///
/// # Errors
/// When the guard can't be started.
pub fn guard(lock: &Lock) -> io::Result<()> {
    if GUARD.get().is_none() {
        // Whoever came first has started one as good.
        drop(GUARD.set(Guard::with_locks(&[lock])?));
    }
    Ok(())
}

/// Interrupts all that run now: Ctrl-C reaches the terminal's process group only, and they are not in that.
pub fn interrupt_all() {
    for group in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(|&group| Pid::from_raw(group)) {
        // It may have ended by now.
        kill_process_group(group, Signal::INT).ok();
    }
}

/// Ends what commands left running in sessions of their own, once all of them have ended. Returns the programs' names.
pub fn end_what_is_left() -> Vec<String> {
    GUARD.get().map(Guard::sweep).unwrap_or_default()
}

/// Runs a command to its end, and returns what it printed.
///
/// # Errors
/// When it can't be started.
pub fn output(command: &mut Command) -> io::Result<Output> {
    let mut started = Started::new(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let mut errors = started.child.stderr.take();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| -> io::Result<()> {
        let errors = scope.spawn(|| errors.as_mut().map_or(Ok(0), |pipe| pipe.read_to_end(&mut stderr)));
        if let Some(mut pipe) = started.child.stdout.take() {
            pipe.read_to_end(&mut stdout)?;
        }
        errors.join().unwrap_or(Ok(0)).map(drop)
    })?;
    Ok(Output { status: started.wait()?, stdout, stderr })
}

/// Runs a command to its end.
///
/// # Errors
/// When it can't be started.
pub fn status(command: &mut Command) -> io::Result<ExitStatus> {
    Started::new(command)?.wait()
}

/// A program that runs, on the guard's list.
struct Started {
    child: Child,
    group: Pid,
}

impl Started {
    fn new(command: &mut Command) -> io::Result<Self> {
        // A compiler that is killed does not remove its temporary files.
        if let Some(scratch) = GUARD.get().and_then(Guard::scratch) {
            command.env("TMPDIR", scratch);
        }
        let child = command.process_group(0).spawn()?;
        let group = Pid::from_child(&child);
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).insert(group.as_raw_nonzero().get());
        GUARD.get().iter().for_each(|guard| guard.list().add(group));
        Ok(Self { child, group })
    }

    /// Waits for its end. What it left running in its group ends with it: as long as nobody has asked for its status, the number is its own.
    fn wait(&mut self) -> io::Result<ExitStatus> {
        retry_on_intr(|| waitid(WaitId::Pid(self.group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT))?;
        kill_process_group(self.group, Signal::KILL).ok();
        self.child.wait()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.group.as_raw_nonzero().get());
        GUARD.get().iter().for_each(|guard| guard.list().remove(self.group));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_printed_and_how_it_ended_is_returned() {
        let printed = output(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).unwrap();
        assert_eq!((&printed.stdout[..], &printed.stderr[..], printed.status.code()), (&b"out\n"[..], &b"err\n"[..], Some(3)));
        assert!(status(&mut Command::new("true")).unwrap().success());
        assert!(output(&mut Command::new("/nonexistent")).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_it_left_in_its_group_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        assert!(status(Command::new("sh").args(["-c", "sleep 1000 & echo $! > \"$0\""]).arg(&file)).unwrap().success());
        let pid: i32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        let begun = std::time::Instant::now();
        // Killed, it is a number until somebody asks for its status, which may be this process or another.
        let runs = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"));
        while runs() && begun.elapsed().as_secs() < 30 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(!runs());
    }
}
