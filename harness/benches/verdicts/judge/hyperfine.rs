//! hyperfine: two programs, each a loop of calls in a fresh interpreter. It gives times and no verdict; its repository has one in
//! `scripts/welch_ttest.py`: the two differ when Welch's t-test has p < 0.05.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bindbench_stats::Mean;
use miette::{IntoDiagnostic, Result, bail, miette};
use serde::Deserialize;

use super::super::builds::{Pair, Yard};
use super::super::part::Class;
use super::{Judge, Opinion, Pace, Said, run, version};

/// A program takes about so long: 40 ms of calls, and the interpreter's start.
const PROGRAM_S: f64 = 0.07;

/// The loop. The calls' module is looked for in the folder named.
const LOOP: &str = "\
import sys
from itertools import repeat
sys.path.insert(0, sys.argv[1])
noop = __import__(sys.argv[2]).noop
def loop():
    for _ in repeat(None, int(sys.argv[3])):
        noop()
loop()
";

/// hyperfine, where it is on the path.
pub struct Hyperfine {
    name: String,
    pace: Pace,
}

/// What `--export-json` writes.
#[derive(Deserialize)]
struct Exported {
    results: Vec<Times>,
}

#[derive(Deserialize)]
struct Times {
    times: Vec<f64>,
}

impl Hyperfine {
    /// Looks for it.
    ///
    /// # Errors
    /// What the system says.
    pub fn find() -> Result<Self, String> {
        Ok(Self { name: format!("hyperfine {}", version(Command::new("hyperfine").arg("--version"))?), pace: Pace::default() })
    }
}

impl Judge for Hyperfine {
    fn name(&self) -> &str {
        &self.name
    }

    fn judge(&mut self, yard: &Yard, pair: &Pair, class: Class, within: Duration) -> Result<Opinion> {
        let folder = tempfile::tempdir_in(yard.layout.build()).into_diagnostic()?;
        let (program, exported) = (folder.path().join("loop.py"), folder.path().join("times.json"));
        std::fs::write(&program, LOOP).into_diagnostic()?;
        let runs = ((self.pace.samples_s(within) / 2.0 / PROGRAM_S) as u32).max(3);
        let begun = Instant::now();
        let mut command = Command::new("hyperfine");
        command.args(["--shell=none", "--style=none", "--warmup=1", "--runs", &runs.to_string(), "--export-json"]).arg(&exported);
        for out in &pair.outs {
            command.arg(line(&yard.python, &program, out, class)?);
        }
        run(&mut command)?;
        self.pace.took(within, begun.elapsed());
        read(&std::fs::read(&exported).into_diagnostic()?)
    }
}

fn line(python: &Path, program: &Path, out: &Path, class: Class) -> Result<String> {
    let words = [python, program, out].map(|path| path.display().to_string());
    let more = [class.module(), class.calls_of_a_program().to_string()];
    shlex::try_join(words.iter().chain(&more).map(String::as_str)).into_diagnostic()
}

fn read(exported: &[u8]) -> Result<Opinion> {
    let Exported { results } = serde_json::from_slice(exported).into_diagnostic()?;
    let [base, head] = &results[..] else { bail!("hyperfine measured something else") };
    let mean = |times: &Times| {
        let logarithms: Vec<f64> = times.times.iter().map(|seconds| seconds.ln()).collect();
        Mean::of_logarithms(&logarithms).ok_or_else(|| miette!("hyperfine measured too little"))
    };
    let quotient = mean(head)?.over(&mean(base)?);
    let ratio = quotient.ratio.point();
    let said = match (quotient.p_value < 0.05, ratio > 1.0) {
        (false, _) => Said::Same,
        (true, true) => Said::Slower,
        (true, false) => Said::Faster,
    };
    Ok(Opinion { said, ratio: Some(ratio) })
}
