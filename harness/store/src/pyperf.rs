//! pyperf's JSON files, version 1.0 (psf/pyperf, `pyperf/_bench.py`): what `pyperf compare_to` reads, and `compare` too.
//!
//! A file has benchmarks, a benchmark has runs, a run is one process with several values in seconds. So a run is what a generation is here.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io};

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

/// Names of metadata → values: numbers and texts.
pub type Metadata = BTreeMap<String, Value>;

/// A file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suite {
    /// The benchmarks.
    pub benchmarks: Vec<Benchmark>,
    /// What all runs of all benchmarks have in common.
    #[serde(default)]
    pub metadata: Metadata,
    /// `1.0`.
    pub version: String,
}

/// A benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Benchmark {
    /// What its runs have in common.
    #[serde(default)]
    pub metadata: Metadata,
    /// The processes it was measured in.
    pub runs: Vec<Process>,
}

/// One process; pyperf calls it a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// What is its own.
    #[serde(default)]
    pub metadata: Metadata,
    /// Seconds of one iteration each; empty where it only calibrated.
    #[serde(default)]
    pub values: Vec<f64>,
}

/// A file that can't be read, or is none of pyperf's.
#[derive(Debug, Error, Diagnostic)]
pub enum PyperfError {
    /// The system refused.
    #[error("can't read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what pyperf writes.
    #[error("{path}, line {line}, column {column}: {message}")]
    #[diagnostic(help("`compare` takes a run's folder, or a file that pyperf wrote with `-o`"))]
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
    /// Something in it can't be compared.
    #[error("{path}: {message}")]
    #[diagnostic(help("times written by pyperf 1.0 or newer can be compared; `pyperf convert` makes a new file of an old one"))]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What.
        message: String,
    },
}

impl Suite {
    /// Reads a file, compressed if its name ends in `.gz`.
    ///
    /// # Errors
    /// When it can't be read, was written by a pyperf before 1.0, or counts something other than seconds.
    pub fn read(path: &Path) -> Result<Self, PyperfError> {
        let failed = |source| PyperfError::Io { path: path.to_owned(), source };
        let mut bytes = fs::read(path).map_err(failed)?;
        if path.extension().is_some_and(|end| end == "gz") {
            let mut text = Vec::new();
            flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).map_err(failed)?;
            bytes = text;
        }
        let suite: Self = serde_json::from_slice(&bytes).map_err(|error| PyperfError::Unreadable {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
        })?;
        suite.check().map_err(|message| PyperfError::Unfit { path: path.to_owned(), message })?;
        Ok(suite)
    }

    fn check(&self) -> Result<(), String> {
        if self.version != "1.0" {
            return Err(format!("its layout has version {:?}, and 1.0 is understood", self.version));
        }
        for benchmark in &self.benchmarks {
            let name = self.name(benchmark);
            match self.of(benchmark, "unit").and_then(Value::as_str) {
                None | Some("second") => {}
                Some(unit) => return Err(format!("{name} is measured in {unit}s, not in seconds")),
            }
            if let Some(value) = benchmark.runs.iter().flat_map(|run| &run.values).find(|value| value.is_nan() || **value <= 0.0) {
                return Err(format!("{name} has a value of {value} s"));
            }
        }
        Ok(())
    }

    /// The name of a benchmark.
    pub fn name(&self, benchmark: &Benchmark) -> String {
        self.of(benchmark, "name").and_then(Value::as_str).unwrap_or("without a name").to_owned()
    }

    /// What is known of a benchmark under a name: what is its own comes before what all have in common, and its first run last.
    pub fn of<'s>(&'s self, benchmark: &'s Benchmark, name: &str) -> Option<&'s Value> {
        let first = || benchmark.runs.first().and_then(|run| run.metadata.get(name));
        benchmark.metadata.get(name).or_else(|| self.metadata.get(name)).or_else(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file in the layout that pyperf documents, shortened.
    const TELCO: &str = r#"{"benchmarks": [{"metadata": {"name": "telco"}, "runs": [
        {"metadata": {"calibrate_loops": 8}, "warmups": [[1, 0.0263], [8, 0.0226]]},
        {"metadata": {"date": "2016-10-21 03:14:20"}, "values": [0.0225, 0.0226, 0.0224], "warmups": [[8, 0.0227]]}]}],
        "metadata": {"cpu_model_name": "Imaginary 9000", "unit": "second"}, "version": "1.0"}"#;

    fn read(name: &str, bytes: &[u8]) -> Result<Suite, PyperfError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), bytes).unwrap();
        Suite::read(&folder.path().join(name))
    }

    #[test]
    fn a_file_of_pyperf_is_read_compressed_or_not() {
        let suite = read("telco.json", TELCO.as_bytes()).unwrap();
        assert_eq!(suite.name(&suite.benchmarks[0]), "telco");
        assert_eq!(suite.benchmarks[0].runs[1].values, [0.0225, 0.0226, 0.0224]);
        assert_eq!(suite.of(&suite.benchmarks[0], "cpu_model_name").unwrap(), "Imaginary 9000");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut packed, TELCO.as_bytes()).unwrap();
        assert_eq!(read("telco.json.gz", &packed.finish().unwrap()).unwrap(), suite);
    }

    #[test]
    fn what_can_t_be_compared_is_refused() {
        let refused = |old: &str, new: &str| read("t.json", TELCO.replace(old, new).as_bytes()).unwrap_err().to_string();
        assert!(refused("\"1.0\"", "\"6\"").contains("has version \"6\""));
        assert!(refused("\"second\"", "\"byte\"").contains("telco is measured in bytes"));
        assert!(refused("0.0224", "-1.0").contains("telco has a value of -1 s"));
        assert!(refused("\"runs\"", "\"walks\"").contains("line 3, column"));
    }
}
