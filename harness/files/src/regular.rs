//! Files that others left: what looks like one may be a pipe that nobody writes to, which would be waited for without end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a file to read it.
///
/// # Errors
/// When the system refuses, or when it is a pipe, a device, a folder or whatever else is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    // Looked at once it is open, so that nobody can put another one there meanwhile; and opened without waiting for a writer.
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")) }
}

/// The text of a file.
///
/// # Errors
/// As [`open`], and when it is no text.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn only_a_regular_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let [file, pipe, link] = ["file", "pipe", "link"].map(|name| folder.path().join(name));
        std::fs::write(&file, "text").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!([&file, &link].map(|path| read_to_string(path).unwrap()), ["text", "text"]);
        for path in [&pipe, Path::new("/dev/zero"), folder.path()] {
            assert_eq!(read_to_string(path).unwrap_err().to_string(), "it is no regular file", "{}", path.display());
        }
        assert_eq!(open(&folder.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
