//! A run's folder: `run.json`, replaced whole and atomically; `samples.csv`, appended to as rounds end; `counts.csv`, replaced whole.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bindbench_files::lock::{Lock, LockError};
use bindbench_files::{atomic, regular};
use bindbench_model::{Cell, Count, GateRecord, Run, SCHEMA, Sample};
use miette::Diagnostic;
use thiserror::Error;

use super::counts;
use super::counts::COUNTS;
use super::lacking::took_part;
use super::valid;

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
    #[diagnostic(help(
        "free some space, then go on with `bindbench run --resume {run}` (`bindbench gate --resume {run}`, where a gate was stopped); every \
         round written before is safe"
    ))]
    Full {
        /// The file that could not grow.
        path: PathBuf,
        /// The run's folder, as a shell takes it.
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
    /// `counts.csv` can't be understood.
    #[error("{path}, line {line}: {message}")]
    #[diagnostic(help("counts.csv was damaged or edited; without the file, the run is reported without its counts"))]
    Counts {
        /// The file.
        path: PathBuf,
        /// Line, from 1 (the header).
        line: u64,
        /// What is wrong with it.
        message: String,
    },
    /// `run.json` contradicts itself.
    #[error("{path}: {message}")]
    #[diagnostic(help("run.json was damaged or edited; without it the samples have no names"))]
    Inconsistent {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        message: String,
    },
    /// Another driver writes to it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Locked(#[from] LockError),
    /// Written by a newer bindbench.
    #[error("{path} has schema {found}; this bindbench reads up to {SCHEMA}")]
    #[diagnostic(help("use the bindbench that wrote it, or a newer one"))]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u64,
    },
    /// Written by nobody.
    #[error("{path} has schema 0, which no bindbench writes")]
    #[diagnostic(help("run.json was damaged or edited; the first schema was 1"))]
    NoSchema {
        /// The file.
        path: PathBuf,
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
    /// `counts.csv`.
    pub counts: Vec<Count>,
}

impl Recorded {
    /// Reads a run's folder.
    ///
    /// # Errors
    /// When there is no readable `run.json`, or `counts.csv` is damaged. Damaged rows of `samples.csv` are no error: they are listed in
    /// [`Recorded::damage`].
    pub fn read(folder: &Path) -> Result<Self, StoreError> {
        let run = read_run(folder)?;
        let (samples, damage) = read_samples(&folder.join("samples.csv"), &run)?;
        let counts = counts::read(folder, &run)?;
        Ok(Self { folder: folder.to_owned(), run, samples, damage, counts })
    }
}

fn read_run(folder: &Path) -> Result<Run, StoreError> {
    let path = folder.join("run.json");
    let text = match regular::read_to_string(&path) {
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
        schema: u64,
    }
    let header: Header = serde_json::from_str(&text).map_err(unreadable)?;
    match header.schema {
        0 => return Err(StoreError::NoSchema { path }),
        found if found > SCHEMA.into() => return Err(StoreError::Newer { path, found }),
        _ => {}
    }
    let run: Run = serde_json::from_str(&text).map_err(unreadable)?;
    valid::check(&run).map_err(|message| StoreError::Inconsistent { path, message })?;
    Ok(run)
}

/// The usable rows, and the others with what is wrong with them.
fn read_samples(path: &Path, run: &Run) -> Result<(Vec<Sample>, Vec<Damage>), StoreError> {
    let file = match regular::open(path) {
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
    if sample.generation >= run.plan.generations {
        return Err(format!("there is no generation {} in the plan of {}", sample.generation, run.plan.generations));
    }
    if sample.round >= cell.rounds {
        return Err(format!("there is no round {} for cell {} in the plan of {}", sample.round, cell.id, cell.rounds));
    }
    if sample.loops != cell.loops {
        return Err(format!("cell {} was frozen at {} loops, this row says {}", cell.id, cell.loops, sample.loops));
    }
    if sample.elapsed_ns == 0 {
        return Err("a sample that took 0 ns".to_owned());
    }
    valid::sample_at_most_a_year("elapsed_ns", sample.elapsed_ns)?;
    valid::sample_at_most_a_year("empty_ns", sample.empty_ns.unwrap_or(0))
}

/// A run's folder open for writing.
#[derive(Debug)]
pub struct RunFolder {
    folder: PathBuf,
    samples: File,
    /// Nobody else writes there.
    lock: Lock,
}

impl RunFolder {
    /// Makes `runs/<id>/` with its `run.json` and an empty `samples.csv`.
    ///
    /// # Errors
    /// When the folder exists already or the disk refuses.
    pub fn create(runs: &Path, run: &Run) -> Result<Self, StoreError> {
        let folder = runs.join(&run.id);
        fs::create_dir_all(runs).map_err(io_error("make", runs))?;
        for other in fs::read_dir(runs).into_iter().flatten().filter_map(Result::ok) {
            atomic::sweep(&other.path());
        }
        fs::create_dir(&folder).map_err(io_error("make", &folder))?;
        // Half a run is none.
        Self::begin(&folder, run).inspect_err(|_| drop(fs::remove_dir_all(&folder)))
    }

    fn begin(folder: &Path, run: &Run) -> Result<Self, StoreError> {
        let lock = Self::lock(folder)?;
        replace(&folder.join("run.json"), run)?;
        let path = folder.join("samples.csv");
        let mut samples = OpenOptions::new().append(true).create_new(true).open(&path).map_err(io_error("make", &path))?;
        write_and_sync(&mut samples, HEADER.as_bytes(), &path)?;
        Ok(Self { folder: folder.to_owned(), samples, lock })
    }

    /// Opens a run to go on with it. Rows of rounds that are not complete are dropped, so that no sample is there twice.
    ///
    /// # Errors
    /// When there is no readable run, or the disk refuses.
    pub fn resume(folder: &Path) -> Result<(Self, Recorded), StoreError> {
        Self::resume_locked(folder, Self::lock(folder)?)
    }

    /// Keeps other drivers from writing to a run.
    ///
    /// # Errors
    /// When one does, or the disk refuses.
    pub fn lock(folder: &Path) -> Result<Lock, StoreError> {
        match Lock::to_change(&folder.join("lock"), folder) {
            Err(LockError::Io { path, source }) => Err(io_error("lock", &path)(source)),
            locked => Ok(locked?),
        }
    }

    /// As [`RunFolder::resume`], with the folder's lock in hand.
    ///
    /// # Errors
    /// As above.
    pub fn resume_locked(folder: &Path, lock: Lock) -> Result<(Self, Recorded), StoreError> {
        let mut recorded = Recorded::read(folder)?;
        let complete = match &recorded.run.gate {
            Some(gate) => complete_rounds_of_a_gate(&recorded, gate),
            None => complete_rounds(&recorded),
        };
        recorded.samples.retain(|sample| complete.contains(&(sample.generation, sample.round)));
        let path = folder.join("samples.csv");
        atomic::replace(&path, &to_csv(&recorded.samples, true)).map_err(io_error("replace", &path))?;
        let samples = OpenOptions::new().append(true).open(&path).map_err(io_error("open", &path))?;
        Ok((Self { folder: folder.to_owned(), samples, lock }, recorded))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Keeps others from writing to it.
    pub fn its_lock(&self) -> &Lock {
        &self.lock
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

    /// Replaces `counts.csv`.
    ///
    /// # Errors
    /// When the disk refuses; the old file is then still there.
    pub fn save_counts(&self, counts: &[Count]) -> Result<(), StoreError> {
        let path = self.folder.join(COUNTS);
        counts::to_csv(counts).and_then(|text| atomic::replace(&path, &text)).map_err(io_error("replace", &path))
    }
}

const HEADER: &str = "generation,round,position,cell,loops,elapsed_ns,empty_ns,digest_ok\n";

/// Rounds that have a sample of every cell that takes part in them. Cells without a number are none too few: it is not samples that
/// they lack.
fn complete_rounds(recorded: &Recorded) -> HashSet<(u32, u32)> {
    let mut live: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for sample in &recorded.samples {
        let has_number = recorded.run.cells[sample.cell as usize].status.has_number();
        *live.entry((sample.generation, sample.round)).or_default() += usize::from(has_number);
    }
    let takes_part = |round: u32| recorded.run.cells.iter().filter(move |cell| cell.status.has_number() && round < cell.rounds).count();
    live.into_iter().filter(|&((_, round), there)| there == takes_part(round)).map(|(place, _)| place).collect()
}

/// The same of a gate, in which cells rest as soon as they are decided.
fn complete_rounds_of_a_gate(recorded: &Recorded, gate: &GateRecord) -> HashSet<(u32, u32)> {
    let took = took_part(&recorded.run, gate, &recorded.samples);
    let mut rounds: BTreeMap<(u32, u32), HashSet<u32>> = BTreeMap::new();
    for sample in &recorded.samples {
        rounds.entry((sample.generation, sample.round)).or_default().insert(sample.cell);
    }
    let is_whole = |&((generation, round), there): &((u32, u32), &HashSet<u32>)| {
        let takes_part = |cell: &&Cell| {
            let generations = took.get(&cell.id).copied().unwrap_or(0);
            cell.status.has_number() && generation < generations && round < cell.rounds
        };
        recorded.run.cells.iter().filter(takes_part).all(|cell| there.contains(&cell.id))
    };
    rounds.iter().map(|(&place, there)| (place, there)).filter(is_whole).map(|(place, _)| place).collect()
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
            let folder = path.parent().unwrap_or(&path).to_string_lossy();
            let run = shlex::try_quote(&folder).map_or_else(|_| folder.to_string(), |quoted| quoted.into_owned());
            StoreError::Full { path, run }
        }
        _ => StoreError::Io { action, path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_model::{Environment, Status};
    use proptest::prelude::*;

    const CELLS: u32 = 4;
    const GENERATIONS: u32 = 2;
    const ROUNDS: u32 = 3;

    /// Four cells: the second is slow and takes part in the first round only, the last one has no number.
    fn run() -> Run {
        let cell = |id: u32| {
            let status = if id == 3 { Status::Exited { code: 1, said: None } } else { Status::Ok };
            serde_json::json!({"id": id, "case": 0, "lane": format!("a/{id}"), "interpreter": "3.13.0", "twin": false, "loops": 8,
                "sample_ns": 5_000_000, "rounds": if id == 1 { 1 } else { ROUNDS }, "alone": false, "status": status})
        };
        let lane = |id: u32| {
            serde_json::json!({"id": format!("a/{id}"), "summary": "", "comparison": "as published", "kernel": "c", "binding": "c", "gil": "held",
                "parallel": "none", "receipts": []})
        };
        let interpreter = serde_json::json!({"name": "3.13.0", "implementation": "cpython", "version": "3.13.0", "flags": [],
            "libpython": null, "gil_enabled": true});
        let workload = serde_json::json!({"name": "w", "summary": "", "baseline_controlled": [], "baseline_published": []});
        serde_json::from_value(serde_json::json!({
            "schema": SCHEMA, "bindbench": "0", "id": "r", "command": [], "preset": "quick", "seed": 1, "started": "2026-11-21T08:12:05Z", "state": "running",
            "plan": {"generations": GENERATIONS, "rounds": ROUNDS, "budget_s": 1.0}, "environment": Environment::default(),
            "interpreters": [interpreter], "kernels_sha256": null, "workloads": [workload], "lanes": (0..CELLS).map(lane).collect::<Vec<_>>(), "skipped": [], "notes": [],
            "cases": [{"id": 0, "workload": "w", "operation": "o", "input": "i", "form": null, "size": null, "unit": "items",
                "threads": 1, "net_of_loop": true}],
            "cells": (0..CELLS).map(cell).collect::<Vec<_>>(),
        }))
        .expect("a run")
    }

    fn round_of(generation: u32, round: u32) -> Vec<Sample> {
        let sample = |cell: u32| Sample {
            generation,
            round,
            position: 0,
            cell,
            loops: 8,
            elapsed_ns: u64::from(1 + cell + 100 * generation),
            empty_ns: (cell == 0).then_some(7),
            digest_ok: true,
        };
        [0, 1, 2].into_iter().filter(|&cell| cell != 1 || round == 0).map(sample).collect()
    }

    /// A folder with all rounds, and its samples.
    fn measured(runs: &Path) -> (PathBuf, Vec<Sample>) {
        let mut folder = RunFolder::create(runs, &run()).unwrap();
        let mut samples = Vec::new();
        for place in 0..GENERATIONS * ROUNDS {
            let round = round_of(place / ROUNDS, place % ROUNDS);
            folder.append_round(&round).unwrap();
            samples.extend(round);
        }
        (folder.path().to_owned(), samples)
    }

    #[test]
    fn what_was_written_is_read_back() {
        let runs = tempfile::tempdir().unwrap();
        let (folder, samples) = measured(runs.path());
        let recorded = Recorded::read(&folder).unwrap();
        assert_eq!((recorded.run, recorded.samples, recorded.damage), (run(), samples, Vec::new()));
        assert!(RunFolder::create(runs.path(), &run()).is_err(), "a run was written over");
    }

    #[test]
    fn a_row_of_more_than_a_year_is_damage() {
        let runs = tempfile::tempdir().unwrap();
        let (folder, samples) = measured(runs.path());
        let long = [Sample { elapsed_ns: 1 << 63, ..samples[0].clone() }, Sample { empty_ns: Some(1 << 63), ..samples[1].clone() }];
        fs::write(folder.join("samples.csv"), to_csv(&[&long, &samples[2..]].concat(), true)).unwrap();
        let recorded = Recorded::read(&folder).unwrap();
        assert_eq!(recorded.samples, samples[2..]);
        let said: Vec<String> = recorded.damage.iter().map(|damage| format!("{}: {}", damage.line, damage.message)).collect();
        assert!(said[0].starts_with("2: elapsed_ns is 9223372036854775808") && said[1].starts_with("3: empty_ns is"), "{said:?}");
    }

    #[test]
    fn a_pipe_is_no_file_of_a_run() {
        let runs = tempfile::tempdir().unwrap();
        let (folder, _) = measured(runs.path());
        for file in [COUNTS, "samples.csv", "run.json"] {
            let path = folder.join(file);
            fs::remove_file(&path).ok();
            assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
            let error = Recorded::read(&folder).unwrap_err();
            assert!(matches!(&error, StoreError::Io { path: named, .. } if *named == path), "{file}: {error:?}");
        }
    }

    #[test]
    fn a_hole_in_the_middle_costs_its_round_only() {
        let runs = tempfile::tempdir().unwrap();
        let (folder, samples) = measured(runs.path());
        let kept: Vec<Sample> = samples.iter().filter(|s| (s.generation, s.round, s.cell) != (0, 1, 2)).cloned().collect();
        fs::write(folder.join("samples.csv"), to_csv(&kept, true)).unwrap();
        let (_, recorded) = RunFolder::resume(&folder).unwrap();
        let expected: Vec<Sample> = samples.into_iter().filter(|s| (s.generation, s.round) != (0, 1)).collect();
        assert_eq!(recorded.samples, expected);
    }

    #[test]
    fn a_round_in_which_a_lane_died_is_complete() {
        let runs = tempfile::tempdir().unwrap();
        let mut folder = RunFolder::create(runs.path(), &run()).unwrap();
        let mut round = round_of(0, 0);
        round.push(Sample { cell: 3, digest_ok: false, ..round[0].clone() });
        folder.append_round(&round).unwrap();
        let path = folder.path().to_owned();
        drop(folder);
        let (_, recorded) = RunFolder::resume(&path).unwrap();
        assert_eq!(recorded.samples, round);
    }

    #[test]
    fn a_gate_s_rounds_are_whole_without_the_cells_that_rest() {
        let runs = tempfile::tempdir().unwrap();
        let gate = Run { gate: Some(GateRecord { live: vec![2], ..GateRecord::default() }), ..run() };
        let mut folder = RunFolder::create(runs.path(), &gate).unwrap();
        let only = |generation, round, cell| round_of(generation, round).into_iter().filter(|s| s.cell == cell).collect::<Vec<_>>();
        // In generation 0 all take part, in generation 1 cell 2 alone.
        let kept = [round_of(0, 0), round_of(0, 1), only(1, 0, 2), only(1, 1, 2)].concat();
        folder.append_round(&kept).unwrap();
        let path = folder.path().to_owned();
        assert!(matches!(RunFolder::resume(&path), Err(StoreError::Locked(_))), "two write to one run");
        drop(folder);
        assert_eq!(RunFolder::resume(&path).unwrap().1.samples, kept);
        // Rounds of which only a part is there go; so does the first one of a generation in which another cell was to take part.
        let last = [round_of(0, 0), only(0, 1, 0), only(1, 0, 0)].concat();
        fs::write(path.join("samples.csv"), to_csv(&last, true)).unwrap();
        assert_eq!(RunFolder::resume(&path).unwrap().1.samples, round_of(0, 0));
    }

    #[test]
    fn a_gate_s_rounds_are_not_whole_when_all_rows_of_a_cell_are_gone() {
        let runs = tempfile::tempdir().unwrap();
        let took = [(0, 2), (1, 2), (2, 2)].into();
        let gate = Run { gate: Some(GateRecord { took, ..GateRecord::default() }), ..run() };
        let mut folder = RunFolder::create(runs.path(), &gate).unwrap();
        let without_2 = |round| round_of(1, round).into_iter().filter(|s| s.cell != 2).collect::<Vec<_>>();
        folder.append_round(&[round_of(0, 0), without_2(0), without_2(1)].concat()).unwrap();
        let path = folder.path().to_owned();
        drop(folder);
        assert_eq!(RunFolder::resume(&path).unwrap().1.samples, round_of(0, 0));
    }

    #[test]
    fn a_full_disk_is_told_from_other_troubles() {
        let full = io_error("write", Path::new("my runs/r/samples.csv"))(io::ErrorKind::StorageFull.into());
        assert!(matches!(&full, StoreError::Full { run, .. } if run == "'my runs/r'"), "{full}");
        let other = io_error("write", Path::new("runs/r/samples.csv"))(io::ErrorKind::PermissionDenied.into());
        assert!(matches!(other, StoreError::Io { .. }), "{other}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// Wherever the file of samples ends: the rounds that were whole are all there, nothing else is, and what is measured again
        /// makes the run complete, with each sample once.
        #[test]
        fn a_file_cut_anywhere_is_resumed_to_whole_rounds(cut in 0.0..1.0) {
            let runs = tempfile::tempdir().unwrap();
            let (folder, samples) = measured(runs.path());
            let path = folder.join("samples.csv");
            let whole = fs::read(&path).unwrap();
            let cut = (whole.len() as f64 * cut) as usize;
            fs::write(&path, &whole[..cut]).unwrap();
            let (mut resumed, recorded) = RunFolder::resume(&folder).unwrap();
            let rounds: Vec<(u32, u32)> = (0..GENERATIONS * ROUNDS).map(|place| (place / ROUNDS, place % ROUNDS)).collect();
            let is_there = |&(generation, round): &(u32, u32)| recorded.samples.iter().any(|s| (s.generation, s.round) == (generation, round));
            let there: Vec<_> = rounds.iter().copied().filter(is_there).collect();
            prop_assert_eq!(&there, &rounds[..there.len()]);
            let expected: Vec<Sample> = there.iter().flat_map(|&(generation, round)| round_of(generation, round)).collect();
            prop_assert_eq!(&recorded.samples, &expected);
            // The first round that is lost was not whole. (Without its line's end, a row may still be.)
            let next: Vec<Sample> = rounds.iter().take(there.len() + 1).flat_map(|&(generation, round)| round_of(generation, round)).collect();
            prop_assert!(there.len() == rounds.len() || cut < to_csv(&next, true).len());
            for &(generation, round) in &rounds[there.len()..] {
                resumed.append_round(&round_of(generation, round)).unwrap();
            }
            let complete = Recorded::read(&folder).unwrap();
            prop_assert_eq!((complete.samples, complete.damage), (samples, Vec::new()));
        }
    }
}
