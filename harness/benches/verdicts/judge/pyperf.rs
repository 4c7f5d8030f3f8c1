//! pyperf: `pyperf timeit` of base, then of head, then `pyperf compare_to`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic, Result, bail};

use super::super::builds::{Pair, Yard};
use super::super::part::Class;
use super::{Judge, Opinion, Pace, Said, run, version};

/// A process of pyperf's takes about so long, with its warm-up and its three values of 20 ms.
const PROCESS_S: f64 = 0.25;

/// pyperf in the tools' environment.
pub struct Pyperf {
    name: String,
    pace: Pace,
}

impl Pyperf {
    /// Looks for it.
    ///
    /// # Errors
    /// What its Python says.
    pub fn find(yard: &Yard) -> Result<Self, String> {
        let found = version(Command::new(&yard.python).args(["-c", "import pyperf; print(pyperf.__version__)"]))?;
        Ok(Self { name: format!("pyperf {found}"), pace: Pace::default() })
    }
}

impl Judge for Pyperf {
    fn name(&self) -> &str {
        &self.name
    }

    fn judge(&mut self, yard: &Yard, pair: &Pair, class: Class, within: Duration) -> Result<Opinion> {
        let folder = tempfile::tempdir_in(yard.layout.build()).into_diagnostic()?;
        let files = ["base.json", "head.json"].map(|name| folder.path().join(name));
        let processes = ((self.pace.samples_s(within) / 2.0 / PROCESS_S) as u32).max(2);
        let begun = Instant::now();
        for (out, file) in pair.outs.iter().zip(&files) {
            time(yard, class, processes, out, file)?;
        }
        let compared = run(Command::new(&yard.python).args(["-m", "pyperf", "compare_to"]).args(&files))?;
        self.pace.took(within, begun.elapsed());
        read(&String::from_utf8_lossy(&compared.stdout))
    }
}

fn time(yard: &Yard, class: Class, processes: u32, out: &Path, file: &Path) -> Result<()> {
    let mut command = Command::new(&yard.python);
    command
        .args(["-m", "pyperf", "timeit", "--quiet", "--inherit-environ", "PYTHONPATH"])
        .args(["--processes", &processes.to_string(), "--values", "3", "--warmups", "1", "--min-time", "0.02"])
        .args(["--setup", &format!("from {} import noop", class.module()), "noop()", "-o"])
        .arg(file)
        .env("PYTHONPATH", out);
    run(&mut command).map(drop)
}

/// `Mean +- std dev: [base] 35.1 ns +- 0.4 ns -> [head] 36.2 ns +- 0.5 ns: 1.03x slower`, or that it is not significant.
fn read(printed: &str) -> Result<Opinion> {
    if printed.to_lowercase().contains("not significant") || printed.trim_end().ends_with(": no change") {
        return Ok(Opinion { said: Said::Same, ratio: None });
    }
    let words: Vec<&str> = printed.split_whitespace().collect();
    let [.., factor, way] = words[..] else { bail!("pyperf says nothing") };
    let Some(Ok(factor)) = factor.strip_suffix('x').map(str::parse::<f64>) else { bail!("pyperf says something else: {printed}") };
    match way {
        "slower" => Ok(Opinion { said: Said::Slower, ratio: Some(factor) }),
        "faster" => Ok(Opinion { said: Said::Faster, ratio: Some(1.0 / factor) }),
        _ => bail!("pyperf says something else: {printed}"),
    }
}
