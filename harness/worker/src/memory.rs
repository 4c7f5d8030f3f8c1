//! A worker and all processes it started: which they are, and the memory they take.

/// What a process and all that it started take at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Proportional sets, summed up: a page shared by n processes counts one n-th in each of them. Bytes.
    pub proportional_bytes: u64,
    /// Resident sets, summed up: shared pages count in each. Bytes.
    pub resident_bytes: u64,
    /// How many processes.
    pub processes: usize,
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;

    use super::Tree;
    use crate::processes::descendants;

    /// Resident set of a process, pages that it shares counted in. None where the system does not tell, or when it is gone.
    pub fn resident_bytes(pid: u32) -> Option<u64> {
        let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        Some(statm.split(' ').nth(1)?.parse::<u64>().ok()? * rustix::param::page_size() as u64)
    }

    /// What a process tree takes now, counted page by page, which takes a while. None where the system does not tell.
    pub fn tree(pid: u32) -> Option<Tree> {
        let mut tree = Tree::default();
        for process in std::iter::once(pid).chain(descendants(pid)) {
            // A child may end meanwhile.
            let Ok(rollup) = fs::read_to_string(format!("/proc/{process}/smaps_rollup")) else { continue };
            tree.proportional_bytes += kibibytes(&rollup, "Pss:").unwrap_or_default();
            tree.resident_bytes += kibibytes(&rollup, "Rss:").unwrap_or_default();
            tree.processes += 1;
        }
        (tree.processes > 0).then_some(tree)
    }

    /// The peak of a process's resident set since it was forgotten last, bytes.
    pub fn peak_bytes(pid: u32) -> Option<u64> {
        kibibytes(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmHWM:")
    }

    /// Begins that peak anew. False where the system can't.
    pub fn forget_the_peak(pid: u32) -> bool {
        fs::write(format!("/proc/{pid}/clear_refs"), "5").is_ok()
    }

    fn kibibytes(text: &str, name: &str) -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
    }
}

/// No other system is asked yet.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::Tree;

    pub fn resident_bytes(_pid: u32) -> Option<u64> {
        None
    }

    pub fn tree(_pid: u32) -> Option<Tree> {
        None
    }

    pub fn peak_bytes(_pid: u32) -> Option<u64> {
        None
    }

    pub fn forget_the_peak(_pid: u32) -> bool {
        false
    }
}

pub(super) use system::resident_bytes;
pub use system::{forget_the_peak, peak_bytes, tree};

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_footprint() {
        let own = std::process::id();
        let tree = tree(own).unwrap();
        assert!(tree.processes >= 1 && tree.proportional_bytes > 0 && tree.proportional_bytes <= tree.resident_bytes, "{tree:?}");
        assert!(peak_bytes(own).unwrap() > 0);
        assert_eq!(super::tree(u32::MAX), None);
        assert_eq!(peak_bytes(u32::MAX), None);
    }
}
