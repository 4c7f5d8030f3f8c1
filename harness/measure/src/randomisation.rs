//! Address space layout randomisation, off: the same instructions then lie at the same addresses in every process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program that switches address space layout randomisation off. Containers may forbid the system call.
pub fn setarch() -> Option<PathBuf> {
    let works = |setarch: &PathBuf| {
        let tried = Command::new(setarch).args(["-R", "true"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    which::which("setarch").ok().filter(works)
}

/// The words before a command that has the same layout every time, where that is possible.
pub fn without_randomisation(setarch: Option<&Path>) -> Vec<String> {
    setarch.map_or_else(Vec::new, |setarch| vec![setarch.display().to_string(), "-R".to_owned()])
}
