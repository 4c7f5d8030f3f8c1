//! A worker and all processes it started: which they are, and their resident set.

/// Resident set of a process tree in bytes: the sum over its processes, pages they share counted in each. None where the system
/// does not tell, or when the process is gone.
#[cfg(target_os = "linux")]
pub(super) fn resident_bytes(pid: u32) -> Option<u64> {
    let own = |pid: u32| -> Option<u64> {
        let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        statm.split(' ').nth(1)?.parse().ok()
    };
    let pages: u64 = own(pid)? + descendants(pid).into_iter().filter_map(own).sum::<u64>();
    Some(pages * rustix::param::page_size() as u64)
}

/// The processes that a process started, and those that they started, as far as the system tells.
#[cfg(target_os = "linux")]
pub(super) fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok) {
        // CONFIG_PROC_CHILDREN is on in the distributions' kernels; where it is not, only the worker itself is seen.
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            found.push(child);
            found.extend(descendants(child));
        }
    }
    found
}

/// See above: no other system is asked yet.
#[cfg(not(target_os = "linux"))]
pub(super) fn resident_bytes(_pid: u32) -> Option<u64> {
    None
}

/// See above.
#[cfg(not(target_os = "linux"))]
pub(super) fn descendants(_pid: u32) -> Vec<u32> {
    Vec::new()
}
