//! Instructions that were counted: how, which is part of `run.json`, and the rows of `counts.csv`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::model::Run;

/// Name of the file with the counts.
pub const COUNTS: &str = "counts.csv";

/// What is measured of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Counter {
    /// How long a call takes
    Time,
    /// How many instructions it executes, counted by valgrind: the same every time
    Instructions,
    /// How many instructions it executes, counted by the CPU: much quicker, and nearly the same every time
    Hardware,
}

/// How instructions were counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counting {
    /// What counted: `valgrind-3.19.0`.
    pub tool: String,
    /// Address space layout randomisation was off for what was counted. It can't be switched off everywhere.
    pub fixed_layout: bool,
    /// How often each cell is counted, in fresh processes: what is exact is the same in all of them.
    pub generations: u32,
    /// Cells that can't be counted → why.
    #[serde(default)]
    pub uncounted: BTreeMap<u32, String>,
}

/// A row of `counts.csv`: the instructions of a cell's loop, with some calls and with twice as many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Which set of fresh workers.
    pub generation: u32,
    /// The cell's id.
    pub cell: u32,
    /// Calls in the shorter loop.
    pub loops: u64,
    /// Instructions from one reading of the clock to the other, in the loop with `loops` calls.
    pub instructions: u64,
    /// In the loop with twice as many.
    pub instructions_twice: u64,
    /// The same of the loop without the call; none where times include the loop.
    pub empty: Option<u64>,
    /// Likewise, twice as long.
    pub empty_twice: Option<u64>,
}

impl Count {
    /// Instructions of one call: what twice as many calls execute more, (c(2N) − c(N)) / N, so that whatever a loop does once drops out.
    /// Net of the empty loop, where that was counted.
    pub fn of_a_call(&self) -> f64 {
        let more = self.instructions_twice as f64 - self.instructions as f64;
        let empty = self.empty_twice.zip(self.empty).map_or(0.0, |(twice, once)| twice as f64 - once as f64);
        (more - empty) / self.loops as f64
    }
}

/// Reads the counts of a run; none where nothing was counted.
///
/// # Errors
/// When the file can't be read, or is damaged: it is always written whole.
pub(super) fn read(folder: &Path, run: &Run) -> Result<Vec<Count>, StoreError> {
    let path = folder.join(COUNTS);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let damaged = |line: u64, message: String| StoreError::Counts { path: path.clone(), line, message };
    let at = |error: csv::Error| damaged(error.position().map_or(1, csv::Position::line), error.to_string());
    let mut counts = Vec::new();
    for (place, row) in csv::Reader::from_path(&path).map_err(at)?.deserialize().enumerate() {
        let count: Count = row.map_err(at)?;
        if count.cell as usize >= run.cells.len() || count.loops == 0 {
            return Err(damaged(place as u64 + 2, format!("cell {} with {} calls is not of this run", count.cell, count.loops)));
        }
        counts.push(count);
    }
    Ok(counts)
}

/// The file with these counts.
///
/// # Errors
/// Never in practice: it is made in memory.
pub(super) fn to_csv(counts: &[Count]) -> std::io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    counts.iter().try_for_each(|count| writer.serialize(count))?;
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::synthetic::Synthetic;

    fn count(cell: u32) -> Count {
        Count { generation: 1, cell, loops: 4, instructions: 1030, instructions_twice: 1430, empty: None, empty_twice: None }
    }

    fn run() -> Run {
        let mut made = Synthetic::new(1, 1);
        let case = made.case("call.noop", "nothing", None, None, 1);
        made.cell(case, "a/a", None, 10.0);
        made.run
    }

    #[test]
    fn a_call_is_what_more_calls_execute_more() {
        assert_eq!(count(0).of_a_call(), 100.0);
        assert_eq!(Count { empty: Some(60), empty_twice: Some(80), ..count(0) }.of_a_call(), 95.0);
    }

    #[test]
    fn counts_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path(), &run()).unwrap(), []);
        let counts = [count(0), Count { generation: 0, empty: Some(7), empty_twice: Some(9), ..count(0) }];
        std::fs::write(folder.path().join(COUNTS), to_csv(&counts).unwrap()).unwrap();
        assert_eq!(read(folder.path(), &run()).unwrap(), counts);
    }

    #[test]
    fn a_damaged_file_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |text: &[u8]| {
            std::fs::write(folder.path().join(COUNTS), text).unwrap();
            read(folder.path(), &run()).unwrap_err().to_string()
        };
        let unknown = refused(&to_csv(&[count(0), count(9)]).unwrap());
        assert!(unknown.contains("counts.csv, line 3: cell 9"), "{unknown}");
        let cut = refused(&to_csv(&[count(0)]).unwrap()[..84]);
        assert!(cut.contains("counts.csv, line 2"), "{cut}");
    }
}
