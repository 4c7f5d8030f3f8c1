//! Others that measure at the same time: each disturbs the other, and neither would know.

use std::path::PathBuf;

use bindbench_files::lock::Lock;
use bindbench_model::shell;

/// From now on others know. None where that can't be said, which is no reason not to measure.
pub(super) fn join() -> Option<Lock> {
    let of_session = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
    let folder = of_session.unwrap_or_else(|| PathBuf::from("/tmp"));
    let path = folder.join(format!("bindbench-{}-measures", rustix::process::getuid().as_raw()));
    Lock::to_read(&path, &path).ok()
}

/// Who measured meanwhile, a note each.
pub(super) fn notes(lock: &Lock) -> Vec<String> {
    let note = |other: bindbench_files::lock::Holder| {
        format!(
            "Another bindbench measured at the same time (process {}, since {}: `{}`): each disturbs the other.",
            other.pid,
            other.since,
            shell(&other.command)
        )
    };
    lock.company().into_iter().map(note).collect()
}
