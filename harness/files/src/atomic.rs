//! Files replaced whole or not at all: nobody reads half of one, and what was there stays until the new one is on the disk.
//!
//! A process that is killed meanwhile leaves what it had begun. Whoever begins something holds a lock on it (`flock`), which ends with
//! the process: what is begun and not locked is nobody's any more, and is removed by the next one.

use std::collections::HashSet;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use tempfile::{Builder, NamedTempFile, TempDir};

/// Names of what is begun start with this.
const BEGUN: &str = ".bindbench-";

/// Writes a file beside its place and moves it there.
///
/// # Errors
/// When the disk refuses; an older file is then still there.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |file| file.write_all(bytes))
}

/// The same for a file that is written piece by piece.
///
/// # Errors
/// As above.
pub fn replace_with(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sweep_once(folder);
    let mut file = begin(folder)?;
    write(file.as_file_mut())?;
    file.as_file().sync_data()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn begin(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        // A temporary file is for its owner only; what people make with a command is for whoever their umask allows.
        let file = Builder::new().prefix(BEGUN).permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
        if hold(file.as_file())? {
            return Ok(file);
        }
    }
}

/// A folder for what need not outlive this process, and its lock.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes one inside of a folder.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn inside(parent: &Path) -> io::Result<Self> {
        sweep_once(parent);
        loop {
            let folder = Builder::new().prefix(BEGUN).tempdir_in(parent)?;
            let lock = File::open(folder.path())?;
            if hold(&lock)? {
                return Ok(Self { folder, _lock: lock });
            }
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Locks what was just made. False when somebody swept it away before it was locked.
fn hold(file: &File) -> io::Result<bool> {
    // Some file systems have no locks. There, nothing is swept either.
    Ok(file.lock().is_err() || file.metadata()?.nlink() > 0)
}

/// Removes what processes that are gone have begun in a folder and not ended. What can't be removed is only in the way.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        if !entry.file_name().to_string_lossy().starts_with(BEGUN) {
            continue;
        }
        let path = entry.path();
        let Ok(lock) = File::open(&path) else { continue };
        if lock.try_lock().is_ok() {
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.ok();
        }
    }
}

/// The same, before the first thing is written into a folder.
fn sweep_once(folder: &Path) {
    static SWEPT: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);
    if SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned()) {
        sweep(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_file_replaces_the_old_one_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        for text in ["long text", "short"] {
            replace(&path, text.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "short");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        replace(&path, b"old").unwrap();
        let failed = replace_with(&path, |file| {
            file.write_all(b"half of the n")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_dead_process_has_begun_is_swept_away_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            entries.collect::<Vec<_>>()
        };
        // Locks end with the process that has them: whoever is dead has none.
        fs::write(folder.path().join(".bindbench-abc123"), "half").unwrap();
        fs::create_dir_all(folder.path().join(".bindbench-def456/deep")).unwrap();
        fs::write(folder.path().join(".gitignore"), "").unwrap();
        let (file, scratch) = (begin(folder.path()).unwrap(), Scratch::inside(folder.path()).unwrap());
        fs::write(scratch.path().join("a"), "").unwrap();
        sweep(folder.path());
        assert!(file.path().exists() && scratch.path().join("a").exists(), "{:?}", names());
        assert_eq!(names().len(), 3, "{:?}", names());
        drop((file, scratch));
        assert_eq!(names(), [".gitignore"]);
    }

    #[test]
    fn the_first_file_written_into_a_folder_sweeps_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".bindbench-abc123"), "half").unwrap();
        replace(&folder.path().join("whole"), b"whole").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// A sweeper may find a file between its making and its lock.
    #[test]
    fn what_is_swept_before_it_is_locked_is_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let gone = NamedTempFile::new_in(folder.path()).unwrap();
        fs::remove_file(gone.path()).unwrap();
        assert!(!hold(gone.as_file()).unwrap());
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let folder = folder.path().to_owned();
                std::thread::spawn(move || {
                    for _ in 0..200 {
                        sweep(&folder);
                        replace(&folder.join(format!("file-{n}")), b"whole").unwrap();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
