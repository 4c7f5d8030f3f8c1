//! Opening what others may have left: a pipe in the place of a file would be waited for, for ever.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file, or one that links lead to, for reading.
///
/// # Errors
/// When it is something else, or can't be opened.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(OpenOptions::new().read(true), path)
}

/// The same in another way than for reading.
///
/// # Errors
/// As above.
pub fn open_with(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = checked(options, OFlags::empty(), path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) }
}

/// Reads a text from a regular file.
///
/// # Errors
/// As above.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text).map(|_| text)
}

/// Opens a regular file or a folder, and nothing that a link leads to.
pub(super) fn open_or_folder(path: &Path) -> io::Result<File> {
    let there = fs::symlink_metadata(path)?;
    if !there.is_file() && !there.is_dir() {
        return Err(no_file());
    }
    checked(OpenOptions::new().read(true), OFlags::NOFOLLOW, path)
}

fn checked(options: &mut OpenOptions, flags: OFlags, path: &Path) -> io::Result<File> {
    // It may be another thing by now than it was when somebody looked: so nothing is waited for.
    options.custom_flags((flags | OFlags::NONBLOCK).bits().cast_signed()).open(path)
}

fn no_file() -> io::Error {
    io::Error::other("it is no regular file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, file) = (folder.path().join("pipe"), folder.path().join("file"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        fs::write(&file, "text").unwrap();
        std::os::unix::fs::symlink(&file, folder.path().join("link")).unwrap();
        assert_eq!(read_to_string(&folder.path().join("link")).unwrap(), "text");
        for refused in [open(&pipe), open_with(OpenOptions::new().read(true).append(true), &pipe), open(folder.path())] {
            assert!(refused.unwrap_err().to_string().contains("no regular file"));
        }
        assert!(open_or_folder(folder.path()).is_ok() && open_or_folder(&folder.path().join("link")).is_err());
    }
}
