//! Advisory locks: two drivers in one folder would write over each other. Whoever holds one is named in its file, so that the other can say
//! who that is and what to do.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use miette::Diagnostic;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::regular;

/// A driver that was killed has left its lock to its guard, which ends what the driver had started: that takes a moment.
const LAST_BREATH: Duration = Duration::from_secs(10);

/// A lock that can't be had.
#[derive(Debug, Error, Diagnostic)]
pub enum LockError {
    /// Others hold it.
    #[error("{what} is in use by {}", others(holders))]
    #[diagnostic(help("{}", remedy(holders)))]
    Held {
        /// The folder.
        what: String,
        /// Who.
        holders: Vec<Holder>,
    },
    /// The system refused.
    #[error("can't lock {path}")]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A process that holds a lock: a line of the lock's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// The machine it runs on.
    pub host: String,
    /// Since when, RFC 3339.
    pub since: String,
    /// Its command line.
    pub command: Vec<String>,
}

/// A lock that is held until this is dropped, or the process ends.
#[derive(Debug)]
pub struct Lock {
    /// None where the lock's file can't be written, and nobody else can write there either.
    file: Option<File>,
    path: PathBuf,
    what: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nobody else.
    Change,
    /// Others that only read, too.
    Read,
}

impl Lock {
    /// Takes a lock for oneself alone. `what` is what is locked, for people.
    ///
    /// # Errors
    /// When somebody else holds it, or the system refuses.
    pub fn to_change(path: &Path, what: &Path) -> Result<Self, LockError> {
        Self::take(path, what, Mode::Change)
    }

    /// Takes a lock together with others that only read.
    ///
    /// # Errors
    /// When somebody holds it alone, or the system refuses.
    pub fn to_read(path: &Path, what: &Path) -> Result<Self, LockError> {
        match Self::take(path, what, Mode::Read) {
            Err(LockError::Io { source, .. }) if matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
                Ok(Self { file: None, path: path.to_owned(), what: what.display().to_string() })
            }
            taken => taken,
        }
    }

    /// Goes on with others that only read.
    ///
    /// # Errors
    /// When somebody else came first, or the system refuses.
    pub fn share(&self) -> Result<(), LockError> {
        let Some(file) = &self.file else { return Ok(()) };
        match flock(file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(()),
            Err(Errno::WOULDBLOCK) => Err(LockError::Held { what: self.what.clone(), holders: holders(&self.path) }),
            Err(error) => Err(LockError::Io { path: self.path.clone(), source: error.into() }),
        }
    }

    /// Who else has it together with this one: those that had it before and still run, and all that came later, whether they still run or
    /// not.
    pub fn company(&self) -> Vec<Holder> {
        let text = regular::read_to_string(&self.path).unwrap_or_default();
        let named: Vec<Holder> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let is_ours = |holder: &Holder| holder.pid == std::process::id() && holder.host == host();
        let ours = named.iter().position(is_ours).unwrap_or(0);
        let others = named.into_iter().enumerate().filter(|(_, holder)| !is_ours(holder));
        others.filter(|(place, holder)| *place > ours || lives(holder.pid)).map(|(_, holder)| holder).collect()
    }

    /// A descriptor for another process: as long as it is open there, the lock is held, unless this one lets go of it.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn for_another_process(&self) -> io::Result<Option<OwnedFd>> {
        self.file.as_ref().map(|file| Ok(file.try_clone()?.into())).transpose()
    }

    fn take(path: &Path, what: &Path, mode: Mode) -> Result<Self, LockError> {
        let refused = |source| LockError::Io { path: path.to_owned(), source };
        let begun = Instant::now();
        loop {
            fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(refused)?;
            let mut file = regular::open_with(OpenOptions::new().read(true).append(true).create(true), path).map_err(refused)?;
            let tried = if mode == Mode::Change { file.try_lock() } else { file.try_lock_shared() };
            match tried {
                // Whoever held it last has removed the file meanwhile: the lock of a file that is gone keeps nobody out.
                Ok(()) if !is_at(&file, path) => {}
                Ok(()) => {
                    // Without its line, a lock is a lock: the disk may be full.
                    drop(sign(&mut file, mode));
                    return Ok(Self { file: Some(file), path: path.to_owned(), what: what.display().to_string() });
                }
                Err(TryLockError::WouldBlock) => {
                    let holders = holders(path);
                    if !holders.is_empty() || begun.elapsed() > LAST_BREATH {
                        return Err(LockError::Held { what: what.display().to_string(), holders });
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
                // Some network file systems have no locks.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported || is(&error, Errno::NOLCK) => {
                    return Ok(Self { file: None, path: path.to_owned(), what: what.display().to_string() });
                }
                Err(TryLockError::Error(source)) => return Err(refused(source)),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let Some(file) = &self.file else { return };
        // The last one tidies up. Nobody else can get the lock of this file any more, and whoever waits for it looks again.
        if flock(file, FlockOperation::NonBlockingLockExclusive).is_ok() && is_at(file, &self.path) {
            drop(fs::remove_file(&self.path));
        }
        flock(file, FlockOperation::Unlock).ok();
    }
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

/// Whether the path still leads to this file.
fn is_at(file: &File, path: &Path) -> bool {
    let same = |a: &fs::Metadata, b: &fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    file.metadata().is_ok_and(|ours| fs::metadata(path).is_ok_and(|theirs| same(&ours, &theirs)))
}

fn sign(file: &mut File, mode: Mode) -> io::Result<()> {
    if mode == Mode::Change {
        file.set_len(0)?;
    }
    let holder = Holder {
        pid: std::process::id(),
        host: host(),
        since: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
    };
    let mut line = serde_json::to_vec(&holder)?;
    line.push(b'\n');
    file.write_all(&line)
}

fn host() -> String {
    sysinfo::System::host_name().unwrap_or_default()
}

/// Those that the lock's file names and that are not known to have ended.
fn holders(path: &Path) -> Vec<Holder> {
    let text = regular::read_to_string(path).unwrap_or_default();
    let named = text.lines().filter_map(|line| serde_json::from_str::<Holder>(line).ok());
    named.filter(|holder| holder.host != host() || lives(holder.pid)).collect()
}

/// Whether a process of this machine still runs. One that has ended is a number until its parent asks for it.
fn lives(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X'])),
        Err(_) => Pid::from_raw(pid.cast_signed()).is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH)),
    }
}

fn others(holders: &[Holder]) -> String {
    if holders.is_empty() {
        return "another process".to_owned();
    }
    let other = |holder: &Holder| {
        let program = holder.command.first().map(|program| Path::new(program).file_name().unwrap_or_default().to_string_lossy());
        let words: Vec<&str> = program.as_deref().into_iter().chain(holder.command.iter().skip(1).map(String::as_str)).collect();
        format!("process {} on {}, since {}: `{}`", holder.pid, holder.host, holder.since, words.join(" "))
    };
    holders.iter().map(other).collect::<Vec<_>>().join("; ")
}

fn remedy(holders: &[Holder]) -> String {
    let here: Vec<String> = holders.iter().filter(|holder| holder.host == host()).map(|holder| holder.pid.to_string()).collect();
    let stop = if here.is_empty() { "stop it there".to_owned() } else { format!("stop it with Ctrl-C or `kill {}`", here.join(" ")) };
    format!("wait for its end, or {stop}; then try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_changes_is_alone_and_whoever_comes_is_told_who_that_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::to_change(&path, folder.path()).unwrap();
        for refused in [Lock::to_change(&path, folder.path()), Lock::to_read(&path, folder.path())] {
            let error = refused.unwrap_err();
            let words = error.to_string();
            assert!(words.contains(&format!("is in use by process {} on ", std::process::id())), "{words}");
            assert!(error.help().unwrap().to_string().contains(&format!("`kill {}`", std::process::id())));
        }
        lock.share().unwrap();
        let reader = Lock::to_read(&path, folder.path()).unwrap();
        assert!(Lock::to_change(&path, folder.path()).is_err());
        drop(lock);
        assert!(path.exists() && Lock::to_change(&path, folder.path()).is_err(), "the other reader still has it");
        drop(reader);
        assert!(!path.exists());
        drop(Lock::to_change(&path, folder.path()).unwrap());
    }

    #[test]
    fn a_file_that_the_dead_left_keeps_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let dead = Holder { pid: u32::MAX >> 1, host: host(), since: String::new(), command: vec!["x".to_owned()] };
        fs::write(&path, serde_json::to_string(&dead).unwrap() + "\nnonsense\n").unwrap();
        let lock = Lock::to_read(&path, folder.path()).unwrap();
        let named = holders(&path);
        assert_eq!(named.iter().map(|holder| holder.pid).collect::<Vec<_>>(), [std::process::id()]);
        drop(lock);
    }

    #[test]
    fn whoever_comes_later_is_company_though_it_is_gone_by_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let gone = |name: &str| {
            let gone = Holder { pid: u32::MAX >> 1, host: host(), since: String::new(), command: vec![name.to_owned()] };
            let mut file = OpenOptions::new().append(true).create(true).open(&path).unwrap();
            file.write_all(&[serde_json::to_vec(&gone).unwrap(), b"\n".to_vec()].concat()).unwrap();
        };
        gone("before");
        let lock = Lock::to_read(&path, folder.path()).unwrap();
        assert_eq!(lock.company(), []);
        gone("later");
        assert_eq!(lock.company().iter().map(|holder| holder.command[0].as_str()).collect::<Vec<_>>(), ["later"]);
    }

    #[test]
    fn a_pipe_in_its_place_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        for refused in [Lock::to_change(&path, folder.path()), Lock::to_read(&path, folder.path())] {
            assert!(matches!(refused, Err(LockError::Io { path: named, .. }) if named == path));
        }
    }

    #[test]
    fn another_process_can_hold_it_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = Lock::to_change(&path, folder.path()).unwrap();
        let inherited = lock.for_another_process().unwrap().unwrap();
        // As if the process had been killed: nothing is tidied up.
        std::mem::forget(lock);
        assert!(Lock::to_change(&path, folder.path()).is_err());
        drop(inherited);
    }
}
