//! A run's folder: `run.json`, replaced whole and atomically; `samples.csv`, appended to as rounds end.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::model::{Run, SCHEMA, Sample};
use crate::atomic;

/// A file of a run that can't be written or read.
#[derive(Debug, Error, Diagnostic)]
pub enum StoreError {
    /// The system refused.
    #[error("can't {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk is full. What was written before stays readable.
    #[error("no space left on the disk for {path}")]
    #[diagnostic(help("free some space, then go on with `bindbench run --resume {run}`; every round written before is safe"))]
    Full {
        /// The file that could not grow.
        path: PathBuf,
        /// The run's folder.
        run: String,
    },
    /// There is no run there.
    #[error("{path} is not a run's folder: it has no run.json")]
    #[diagnostic(help("name a folder under runs/, or leave it out for the newest one"))]
    NoRun {
        /// The folder named.
        path: PathBuf,
    },
    /// `run.json` can't be understood.
    #[error("{path}, line {line}, column {column}: {message}")]
    #[diagnostic(help("run.json was damaged or edited; without it the samples have no names"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was expected.
        message: String,
    },
    /// Written by a newer bindbench.
    #[error("{path} has schema {found}; this bindbench reads up to {SCHEMA}")]
    #[diagnostic(help("use the bindbench that wrote it, or a newer one"))]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
    },
}

/// A row of `samples.csv` that can't be used. The others can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Line in `samples.csv`, from 1 (the header).
    pub line: u64,
    /// What is wrong with it.
    pub message: String,
}

/// A run as read back from its folder.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The folder.
    pub folder: PathBuf,
    /// `run.json`.
    pub run: Run,
    /// The usable rows of `samples.csv`, in the order they were written.
    pub samples: Vec<Sample>,
    /// The rows that are not usable.
    pub damage: Vec<Damage>,
}

impl Recorded {
    /// Reads a run's folder.
    ///
    /// # Errors
    /// When there is no readable `run.json`. Damaged rows of `samples.csv` are no error: they are listed in [`Recorded::damage`].
    pub fn read(folder: &Path) -> Result<Self, StoreError> {
        let run = read_run(folder)?;
        let (samples, damage) = read_samples(&folder.join("samples.csv"), &run)?;
        Ok(Self { folder: folder.to_owned(), run, samples, damage })
    }
}

fn read_run(folder: &Path) -> Result<Run, StoreError> {
    let path = folder.join("run.json");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(StoreError::NoRun { path: folder.to_owned() }),
        Err(source) => return Err(StoreError::Io { action: "read", path, source }),
    };
    let unreadable = |error: serde_json::Error| StoreError::Unreadable {
        path: path.clone(),
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    };
    // The schema is looked at before the rest: a newer layout would otherwise fail on some field, which helps nobody.
    #[derive(serde::Deserialize)]
    struct Header {
        schema: u32,
    }
    let header: Header = serde_json::from_str(&text).map_err(unreadable)?;
    if header.schema > SCHEMA {
        return Err(StoreError::Newer { path, found: header.schema });
    }
    serde_json::from_str(&text).map_err(unreadable)
}

/// The usable rows, and the others with what is wrong with them.
fn read_samples(path: &Path, run: &Run) -> Result<(Vec<Sample>, Vec<Damage>), StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = "the file is missing".to_owned();
            return Ok((Vec::new(), vec![Damage { line: 1, message }]));
        }
        Err(source) => return Err(StoreError::Io { action: "read", path: path.to_owned(), source }),
    };
    let mut reader = csv::ReaderBuilder::new().from_reader(io::BufReader::new(file));
    let (mut samples, mut damage) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    let header = match reader.byte_headers() {
        Ok(header) => header.clone(),
        Err(error) => return Ok((samples, vec![Damage { line: 1, message: error.to_string() }])),
    };
    let mut row = csv::ByteRecord::new();
    loop {
        let line = reader.position().line();
        let read = match reader.read_byte_record(&mut row) {
            Ok(false) => break,
            Ok(true) => row.deserialize::<Sample>(Some(&header)).map_err(|error| cause(&error)),
            Err(error) => Err(cause(&error)),
        };
        // `position` was taken before the record: blank lines would be counted to it, and the writer writes none.
        let line = row.position().map_or(line, csv::Position::line);
        match read.and_then(|sample| plausible(&sample, run).map(|()| sample)) {
            Ok(sample) if seen.insert((sample.generation, sample.round, sample.cell)) => samples.push(sample),
            Ok(sample) => damage.push(Damage {
                line,
                message: format!("cell {} has a second sample in round {} of generation {}", sample.cell, sample.round, sample.generation),
            }),
            Err(message) => damage.push(Damage { line, message }),
        }
    }
    Ok((samples, damage))
}

fn cause(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("{len} fields instead of {expected_len}"),
        _ => error.to_string(),
    }
}

fn plausible(sample: &Sample, run: &Run) -> Result<(), String> {
    let Some(cell) = run.cells.get(sample.cell as usize) else {
        return Err(format!("cell {} is not in run.json", sample.cell));
    };
    if sample.loops != cell.loops {
        return Err(format!("cell {} was frozen at {} loops, this row says {}", cell.id, cell.loops, sample.loops));
    }
    if sample.elapsed_ns == 0 {
        return Err("a sample that took 0 ns".to_owned());
    }
    Ok(())
}

/// A run's folder open for writing.
#[derive(Debug)]
pub struct RunFolder {
    folder: PathBuf,
    samples: File,
}

impl RunFolder {
    /// Makes `runs/<id>/` with its `run.json` and an empty `samples.csv`.
    ///
    /// # Errors
    /// When the folder exists already or the disk refuses.
    pub fn create(runs: &Path, run: &Run) -> Result<Self, StoreError> {
        let folder = runs.join(&run.id);
        fs::create_dir_all(runs).map_err(io_error("make", runs))?;
        fs::create_dir(&folder).map_err(io_error("make", &folder))?;
        replace(&folder.join("run.json"), run)?;
        let path = folder.join("samples.csv");
        let mut samples = OpenOptions::new().append(true).create_new(true).open(&path).map_err(io_error("make", &path))?;
        write_and_sync(&mut samples, HEADER.as_bytes(), &path)?;
        Ok(Self { folder, samples })
    }

    /// Opens a run to go on with it. Rows after the last complete round are cut off, so that no sample is taken twice.
    ///
    /// # Errors
    /// When there is no readable run, or the disk refuses.
    pub fn resume(folder: &Path) -> Result<(Self, Recorded), StoreError> {
        let mut recorded = Recorded::read(folder)?;
        let complete = complete_rounds(&recorded);
        recorded.samples.retain(|sample| complete.contains(&(sample.generation, sample.round)));
        let path = folder.join("samples.csv");
        atomic::replace(&path, &to_csv(&recorded.samples, true)).map_err(io_error("replace", &path))?;
        let samples = OpenOptions::new().append(true).open(&path).map_err(io_error("open", &path))?;
        Ok((Self { folder: folder.to_owned(), samples }, recorded))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Replaces `run.json`.
    ///
    /// # Errors
    /// When the disk refuses; the old file is then still there.
    pub fn save(&self, run: &Run) -> Result<(), StoreError> {
        replace(&self.folder.join("run.json"), run)
    }

    /// Appends the samples of one round and waits until they are on the disk.
    ///
    /// # Errors
    /// When the disk refuses; rounds written before are still readable.
    pub fn append_round(&mut self, round: &[Sample]) -> Result<(), StoreError> {
        write_and_sync(&mut self.samples, &to_csv(round, false), &self.folder.join("samples.csv"))
    }
}

const HEADER: &str = "generation,round,position,cell,loops,elapsed_ns,empty_ns,digest_ok\n";

/// Rounds of which no later row is missing: all but the last one of the file, and the last one too when it is whole.
fn complete_rounds(recorded: &Recorded) -> HashSet<(u32, u32)> {
    let mut cells_in: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for sample in &recorded.samples {
        *cells_in.entry((sample.generation, sample.round)).or_default() += 1;
    }
    // A round with fewer samples than live cells is complete too when lanes died in it; only the one being written at the
    // moment of the kill is in doubt, and a round is written in one go.
    let torn_at_end = !recorded.damage.is_empty();
    if let (Some(last), true) = (recorded.samples.last(), torn_at_end) {
        cells_in.remove(&(last.generation, last.round));
    }
    cells_in.into_keys().collect()
}

fn to_csv(samples: &[Sample], header: bool) -> Vec<u8> {
    let mut text = if header { HEADER.as_bytes().to_vec() } else { Vec::new() };
    for s in samples {
        let empty = s.empty_ns.map(|ns| ns.to_string()).unwrap_or_default();
        let row =
            format!("{},{},{},{},{},{},{},{}\n", s.generation, s.round, s.position, s.cell, s.loops, s.elapsed_ns, empty, s.digest_ok);
        text.extend_from_slice(row.as_bytes());
    }
    text
}

fn replace(path: &Path, run: &Run) -> Result<(), StoreError> {
    let mut text = serde_json::to_vec_pretty(run).map_err(|error| io_error("write", path)(error.into()))?;
    text.push(b'\n');
    atomic::replace(path, &text).map_err(io_error("replace", path))
}

fn write_and_sync(file: &mut File, bytes: &[u8], path: &Path) -> Result<(), StoreError> {
    file.write_all(bytes).and_then(|()| file.sync_data()).map_err(io_error("write", path))
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            let run = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
            StoreError::Full { path, run }
        }
        _ => StoreError::Io { action, path, source },
    }
}
