//! What all targets share.

use std::path::Path;
use std::sync::LazyLock;

use tempfile::TempDir;

/// The folder that a target may write to: in memory, where there is such a one.
pub fn folder() -> &'static Path {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
        let memory = tempfile::Builder::new().prefix("bindbench-fuzz-").tempdir_in("/dev/shm");
        memory.or_else(|_| tempfile::tempdir()).expect("a folder for temporary files")
    });
    FOLDER.path()
}
