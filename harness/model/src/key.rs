//! What makes a cell of one run the same as one of another.

use std::fmt;

use super::run::{Case, Cell, Run, Unit};

/// A lane, a case and an interpreter, by their names. Twins have the key of their originals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    /// `ctypes/rust`.
    pub lane: String,
    /// `std`.
    pub workload: String,
    /// `std`.
    pub operation: String,
    /// `ints`.
    pub input: String,
    /// None where the operation has no size.
    pub size: Option<u64>,
    /// The size counts bytes.
    pub bytes: bool,
    /// Python threads that call at the same time.
    pub threads: u32,
    /// Name of the interpreter; none for a native lane.
    pub interpreter: Option<String>,
}

impl CellKey {
    /// The key of a cell.
    pub fn of(cell: &Cell, run: &Run) -> Self {
        let case = &run.cases[cell.case as usize];
        Self {
            lane: cell.lane.clone(),
            workload: case.workload.clone(),
            operation: case.operation.clone(),
            input: case.input.clone(),
            size: case.size,
            bytes: case.unit == Unit::Bytes,
            threads: case.threads,
            interpreter: cell.interpreter.clone(),
        }
    }

    /// The case as one names it: `std.std:ints:5000`, `kmp.find_all:talk:64KiB ×2` with two threads.
    pub fn case(&self) -> String {
        name(&self.workload, &self.operation, &self.input, (self.size, self.bytes), self.threads)
    }
}

/// A case as [`CellKey::case`] names it.
pub fn case_name(case: &Case) -> String {
    name(&case.workload, &case.operation, &case.input, (case.size, case.unit == Unit::Bytes), case.threads)
}

fn name(workload: &str, operation: &str, input: &str, (size, bytes): (Option<u64>, bool), threads: u32) -> String {
    let mut text = format!("{workload}.{operation}:{input}");
    if let Some(size) = size {
        let binary = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let unit = binary.iter().find(|(factor, _)| bytes && size >= *factor && size.is_multiple_of(*factor));
        text += ":";
        text += &unit.map_or_else(|| size.to_string(), |(factor, name)| format!("{}{name}", size / factor));
    }
    if threads > 1 {
        text += &format!(" ×{threads}");
    }
    text
}

/// `ctypes/rust std.std:ints:5000 3.13.0`: what the cell is called in other tools' files.
impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.lane, self.case())?;
        self.interpreter.iter().try_for_each(|interpreter| write!(f, " {interpreter}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_called_by_its_lane_case_and_interpreter() {
        let mut key = CellKey {
            lane: "pyo3/held".into(),
            workload: "kmp".into(),
            operation: "find_all".into(),
            input: "talk".into(),
            size: Some(64 << 10),
            bytes: true,
            threads: 2,
            interpreter: Some("3.13.0".into()),
        };
        assert_eq!(key.to_string(), "pyo3/held kmp.find_all:talk:64KiB ×2 3.13.0");
        (key.bytes, key.threads, key.interpreter) = (false, 1, None);
        assert_eq!(key.to_string(), "pyo3/held kmp.find_all:talk:65536");
        key.size = None;
        assert_eq!(key.case(), "kmp.find_all:talk");
    }
}
