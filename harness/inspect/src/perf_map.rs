//! `/tmp/perf-PID.map`: where an interpreter says which Python function each piece of code is that it made at run time. The format is
//! that of <https://github.com/torvalds/linux/blob/master/tools/perf/Documentation/jit-interface.txt>; CPython writes it from 3.12 on.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bindbench_worker::{GuardList, perf_map_of};

/// Pieces of code of one process, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PerfMap {
    pieces: Vec<(u64, u64, String)>,
}

impl PerfMap {
    /// Reads lines of `START SIZE NAME`, hexadecimal; what is no such line is left out (the last one may be cut).
    pub fn parse(text: &str) -> Self {
        let number = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
        let piece = |line: &str| {
            let mut words = line.splitn(3, ' ');
            let (start, size) = (number(words.next()?)?, number(words.next()?)?);
            Some((start, size, words.next()?.to_owned()))
        };
        let mut pieces: Vec<_> = text.lines().filter_map(piece).collect();
        // Stable: of two pieces at one address, the later one is what is there now.
        pieces.sort_by_key(|piece| piece.0);
        Self { pieces }
    }

    /// The name of the piece that an address is in.
    pub fn name(&self, address: u64) -> Option<&str> {
        let next = self.pieces.partition_point(|piece| piece.0 <= address);
        let (start, size, name) = self.pieces.get(next.checked_sub(1)?)?;
        (address - start < *size).then_some(name.as_str())
    }

    /// Whether the interpreter wrote anything.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

/// The files of several processes. They are removed when this is dropped: nobody else needs them, and they are named by numbers that
/// other processes will have. Until then they are on the guard's list, if there is one.
#[derive(Debug, Default)]
pub struct PerfMaps {
    files: BTreeMap<u32, PathBuf>,
    read: BTreeMap<u32, PerfMap>,
    guard: Option<GuardList>,
}

impl PerfMaps {
    /// None yet; the guard will know of each.
    pub fn guarded_by(guard: &GuardList) -> Self {
        Self { files: BTreeMap::new(), read: BTreeMap::new(), guard: Some(guard.clone()) }
    }

    /// Takes over the file of a process; it need not be there yet.
    pub fn own(&mut self, pid: u32) {
        if let Some(guard) = &self.guard {
            guard.add_perf_map(pid);
        }
        self.files.insert(pid, perf_map_of(pid));
    }

    /// Reads what is there by now.
    pub fn read(&mut self) {
        for (&pid, file) in &self.files {
            if let Ok(bytes) = fs::read(file) {
                self.read.insert(pid, PerfMap::parse(&String::from_utf8_lossy(&bytes)));
            }
        }
    }

    /// What a process wrote.
    pub fn of(&self, pid: u32) -> Option<&PerfMap> {
        self.read.get(&pid)
    }
}

impl Drop for PerfMaps {
    fn drop(&mut self) {
        for (&pid, file) in &self.files {
            // Most processes have none.
            fs::remove_file(file).ok();
            if let Some(guard) = &self.guard {
                guard.remove_perf_map(pid);
            }
        }
    }
}

/// A name that CPython wrote, `py::QUALNAME:FILE`, as function and file.
pub fn python_function(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("py::")?.split_once(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "7f1000 b py::f:/x/a.py\n7f1010 10 py::C.<locals>.g:/x/my file.py\n7f2000 0 empty\nnonsense\n7f30";

    #[test]
    fn an_address_is_in_the_piece_that_begins_before_it_and_ends_after_it() {
        let map = PerfMap::parse(MAP);
        assert_eq!(map.name(0x7f1000), Some("py::f:/x/a.py"));
        assert_eq!(map.name(0x7f100a), Some("py::f:/x/a.py"));
        assert_eq!(map.name(0x7f100b), None);
        assert_eq!(map.name(0x7f101f), Some("py::C.<locals>.g:/x/my file.py"));
        assert_eq!((map.name(0x7f2000), map.name(0), map.name(u64::MAX)), (None, None, None));
        assert!(PerfMap::parse("").is_empty());
    }

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(python_function("py::C.<locals>.g:/x/my file.py"), Some(("C.<locals>.g", "/x/my file.py")));
        assert_eq!(python_function("stub"), None);
    }

    #[test]
    fn files_are_gone_afterwards() {
        // No process has this number: the largest that Linux gives is 2^22.
        let pid = 4_194_305 + std::process::id();
        let file = PathBuf::from(format!("/tmp/perf-{pid}.map"));
        fs::write(&file, MAP).unwrap();
        let mut maps = PerfMaps::default();
        maps.own(pid);
        maps.own(pid + 1);
        maps.read();
        assert!(maps.of(pid).is_some_and(|map| !map.is_empty()) && maps.of(pid + 1).is_none());
        drop(maps);
        assert!(!file.exists());
    }
}
