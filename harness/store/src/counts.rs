//! `counts.csv`: the instructions that were counted.

use std::io;
use std::path::Path;

use bindbench_files::regular;
use bindbench_model::{Count, Run};

use super::StoreError;

/// Name of the file with the counts.
pub const COUNTS: &str = "counts.csv";

/// Reads the counts of a run; none where nothing was counted.
///
/// # Errors
/// When the file can't be read, or is damaged: it is always written whole.
pub(super) fn read(folder: &Path, run: &Run) -> Result<Vec<Count>, StoreError> {
    let path = folder.join(COUNTS);
    let file = match regular::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(StoreError::Io { action: "read", path, source }),
    };
    let damaged = |line: u64, message: String| StoreError::Counts { path: path.clone(), line, message };
    let at = |error: csv::Error| damaged(error.position().map_or(1, csv::Position::line), error.to_string());
    let mut counts = Vec::new();
    for (place, row) in csv::Reader::from_reader(file).deserialize().enumerate() {
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
    use crate::synthetic::Synthetic;

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
