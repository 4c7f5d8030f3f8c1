//! The resident set of a worker and of all processes it started.

/// Resident set of a process tree in bytes: the sum over its processes, pages they share counted in each. None where the system
/// does not tell, or when the process is gone.
#[cfg(target_os = "linux")]
pub(super) fn resident_bytes(pid: u32) -> Option<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    let mut bytes = pages * rustix::param::page_size() as u64;
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok) {
        // CONFIG_PROC_CHILDREN is on in the distributions' kernels; where it is not, only the worker itself is seen.
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            bytes += resident_bytes(child).unwrap_or(0);
        }
    }
    Some(bytes)
}

/// See above: no other system is asked yet.
#[cfg(not(target_os = "linux"))]
pub(super) fn resident_bytes(_pid: u32) -> Option<u64> {
    None
}
