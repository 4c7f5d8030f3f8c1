//! Files that a sampled CPython and `perf inject` leave in `/tmp`, which is fixed in CPython's source: `jit-PID.dump`, and beside it
//! `jitted-PID-N.so` for each piece of code in that. They are large, and nobody else needs them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The files of some processes. They are removed when this is dropped.
#[derive(Debug, Default)]
pub struct JitDumps {
    pids: BTreeSet<u32>,
}

impl JitDumps {
    /// Takes over the files of a process; they need not be there yet.
    pub fn own(&mut self, pid: u32) {
        self.pids.insert(pid);
    }

    fn remove_from(&self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if process(&entry.file_name().to_string_lossy()).is_some_and(|pid| self.pids.contains(&pid)) {
                // One that is gone by now is what is wanted.
                fs::remove_file(entry.path()).ok();
            }
        }
    }
}

impl Drop for JitDumps {
    fn drop(&mut self) {
        self.remove_from(Path::new("/tmp"));
    }
}

/// The process that a file is of.
fn process(name: &str) -> Option<u32> {
    let dump = name.strip_prefix("jit-").and_then(|rest| rest.strip_suffix(".dump"));
    let code = || name.strip_prefix("jitted-")?.strip_suffix(".so")?.split_once('-').map(|(pid, _)| pid);
    dump.or_else(code)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_processes_are_removed_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["jit-7.dump", "jitted-7-0.so", "jitted-7-12.so", "jit-77.dump", "jitted-70-1.so", "perf-7.map", "jit-x.dump"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        // Not dropped: that would look into /tmp for these made-up numbers.
        let dumps = std::mem::ManuallyDrop::new(JitDumps { pids: [7].into() });
        dumps.remove_from(folder.path());
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["jit-77.dump", "jit-x.dump", "jitted-70-1.so", "perf-7.map"]);
    }
}
