//! Files replaced whole or not at all: nobody reads half of one, and what was there stays until the new one is on the disk.
//!
//! A process that is killed meanwhile leaves what it had begun. Whoever begins something holds a lock on it (`flock`), which ends with
//! the process: what is begun and not locked is nobody's any more, and is removed by the next one.

use std::collections::HashSet;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use tempfile::{Builder, NamedTempFile, TempDir};

use super::regular;

/// Names of what is begun start with this.
const BEGUN: &str = ".bindbench-";

/// Writes to what a person named. A file is replaced as below, at the end of links; into anything else, such as a pipe, a terminal or
/// `/dev/null`, it is written, for it is not ours to replace.
///
/// # Errors
/// As below; into what is no file, when it can't be opened or takes no more.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // `/dev/stdout` leads to whatever was opened, which may have no name any more.
    let is_open = ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"].iter().any(|opened| path.starts_with(opened));
    if is_open || fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return File::options().append(true).open(path)?.write_all(bytes);
    }
    replace(path, bytes)
}

/// Writes a file beside its place and moves it there. The mode of an older one is kept, and its owner where the system allows; of a link to
/// a file, that file is replaced. Whatever else is at the place goes.
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
    let old = fs::metadata(path).ok().filter(fs::Metadata::is_file);
    let path = &match &old {
        Some(_) => fs::canonicalize(path)?,
        None => end_of_links(path.to_owned()),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sweep_once(folder);
    let mut file = begin(folder)?;
    write(file.as_file_mut())?;
    if let Some(old) = old {
        // Before the mode: another owner takes away a part of it.
        fchown(file.as_file(), Some(old.uid()), Some(old.gid())).ok();
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_data()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Where a file is to be made whose name may be a link that leads nowhere yet.
fn end_of_links(mut path: PathBuf) -> PathBuf {
    // As many as the system follows.
    for _ in 0..40 {
        if path.exists() {
            // No file, and not ours to look through.
            break;
        }
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
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
        // Whoever left something else there did not begin it here.
        let Ok(lock) = regular::open_or_folder(&path) else { continue };
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
    use std::os::unix::fs::symlink;

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

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, nowhere] = ["file", "link", "nowhere"].map(|name| folder.path().join(name));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        symlink("file", &link).unwrap();
        symlink("made", &nowhere).unwrap();
        for write in [write, replace] {
            for link in [&link, &nowhere] {
                write(link, b"new").unwrap();
                assert!(link.is_symlink());
            }
            assert_eq!(fs::read_to_string(&file).unwrap(), "new");
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
            assert!(folder.path().join("made").is_file());
        }
    }

    #[test]
    fn what_is_no_file_is_written_to_where_a_person_named_it() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, link) = (folder.path().join("pipe"), folder.path().join("null"));
        mkfifo(&pipe);
        symlink("/dev/null", &link).unwrap();
        write(&link, b"nothing").unwrap();
        write(Path::new("/dev/null"), b"nothing").unwrap();
        assert!(link.is_symlink() && !fs::metadata("/dev/null").unwrap().is_file());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        write(&pipe, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), "through");
        // A pipe in the place of a file of ours would stop whoever writes to it.
        replace(&pipe, b"ours").unwrap();
        assert_eq!(fs::read_to_string(&pipe).unwrap(), "ours");
        replace(&link, b"ours").unwrap();
        assert!(!link.is_symlink() && !fs::metadata("/dev/null").unwrap().is_file());
    }

    fn mkfifo(path: &Path) {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[test]
    fn what_is_no_file_is_neither_opened_nor_swept() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, link) = (folder.path().join(".bindbench-pipe"), folder.path().join(".bindbench-link"));
        mkfifo(&pipe);
        symlink(&pipe, &link).unwrap();
        sweep(folder.path());
        assert!(pipe.exists() && link.is_symlink());
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
