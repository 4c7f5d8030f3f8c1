//! A worker's log: what it prints. It may print anything, and as much as it likes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bindbench_files::regular;
use bindbench_model::shortened;

/// A log that is longer is cut.
const LONGEST: u64 = 16 << 20;

/// What is kept of its beginning and of its end.
const KEPT: u64 = 1 << 20;

/// Name of the folder of a run's logs.
pub const LOGS: &str = "logs";

/// Last words are looked for in so much of its end.
const END: u64 = 16 << 10;

/// A log, which several workers may have, one after the other.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    /// Where this worker's part begins.
    begin: u64,
}

impl Log {
    /// Goes on with a log, or begins it; the file that a worker is to append to.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn open(path: &Path) -> io::Result<(Self, File)> {
        let file = regular::open_with(OpenOptions::new().create(true).append(true), path)?;
        Ok((Self { path: path.to_owned(), begin: file.metadata()?.len() }, file))
    }

    /// Where to find it in its run's folder; none of one that is removed when the command ends.
    pub fn in_its_run(&self) -> Option<String> {
        let folder = self.path.parent()?.file_name().filter(|folder| *folder == LOGS)?;
        Some(format!("{}/{}", folder.to_string_lossy(), self.path.file_name()?.to_string_lossy()))
    }

    /// Cuts it, if it is too long. One that can't be cut is only long.
    pub fn cut(&self) {
        if std::fs::metadata(&self.path).is_ok_and(|log| log.len() > LONGEST) {
            self.keep_both_ends().ok();
        }
    }

    fn keep_both_ends(&self) -> io::Result<()> {
        let mut log = regular::open_with(OpenOptions::new().read(true).append(true), &self.path)?;
        let length = log.seek(SeekFrom::End(-(KEPT.cast_signed())))?;
        let mut end = Vec::new();
        Read::by_ref(&mut log).take(KEPT).read_to_end(&mut end)?;
        // Whoever appends meanwhile goes on at the new end.
        log.set_len(KEPT)?;
        write!(log, "\n[{} bytes left out]\n", length.saturating_sub(KEPT))?;
        log.write_all(&end)
    }

    /// What this worker printed last, on one line, and where to read the rest; none when it printed nothing.
    pub fn last_words(&self) -> Option<String> {
        let words = self.words()?;
        Some(self.in_its_run().map_or_else(|| words.clone(), |log| format!("{words} ({log})")))
    }

    fn words(&self) -> Option<String> {
        let mut log = regular::open(&self.path).ok()?;
        let length = log.metadata().ok()?.len();
        // It may have been cut since then.
        let begin = if self.begin > length { 0 } else { self.begin };
        log.seek(SeekFrom::Start(begin.max(length.saturating_sub(END)))).ok()?;
        let mut text = Vec::new();
        log.take(END).read_to_end(&mut text).ok()?;
        words(&String::from_utf8_lossy(&text))
    }
}

/// The line that says what happened.
fn words(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // The interpreter's last message comes before the stacks of all threads.
    let fatal = lines.iter().rfind(|line| line.starts_with("Fatal Python error"));
    let last = lines.iter().rfind(|line| !line.starts_with("note: run with `RUST_BACKTRACE"));
    Some(shortened(fatal.or(last)?, 600).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_this_workers_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        std::fs::write(&path, "another one's\n").unwrap();
        let (log, mut file) = Log::open(&path).unwrap();
        assert_eq!((log.last_words(), log.in_its_run()), (None, None));
        file.write_all(b"first\n  ValueError: 3 \n\n").unwrap();
        assert_eq!(log.last_words().as_deref(), Some("ValueError: 3"));
        file.set_len(0).unwrap();
        file.write_all(b"4\n").unwrap();
        assert_eq!(log.last_words().as_deref(), Some("4"));
        let kept = folder.path().join(LOGS);
        std::fs::create_dir(&kept).unwrap();
        assert_eq!(Log::open(&kept.join("a.log")).unwrap().0.in_its_run().as_deref(), Some("logs/a.log"));
    }

    #[test]
    fn what_happened_is_not_always_on_the_last_line() {
        let fatal = "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1:\n  File \"a.py\", line 3 in f\nExtension modules: a (total: 1)\n";
        assert_eq!(words(fatal).as_deref(), Some("Fatal Python error: Segmentation fault"));
        let panic = "thread 'main' panicked at src/lib.rs:1:1:\nno such thing\nnote: run with `RUST_BACKTRACE=1` environment variable\n";
        assert_eq!(words(panic).as_deref(), Some("no such thing"));
        assert!(words(&"x".repeat(5000)).unwrap().contains("characters left out"));
    }

    #[test]
    fn both_ends_of_a_long_log_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let (log, mut file) = Log::open(&path).unwrap();
        let chunk = vec![b'.'; 1 << 20];
        file.write_all(b"begin").unwrap();
        (0..16).for_each(|_| file.write_all(&chunk).unwrap());
        log.cut();
        file.write_all(b"end").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("begin.") && text.ends_with(".end") && text.len() < 3 << 20, "{} bytes", text.len());
        assert!(text.contains(&format!("\n[{} bytes left out]\n", (14 << 20) + 5)));
    }
}
