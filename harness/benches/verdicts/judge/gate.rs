//! bindbench itself: the command `gate`, as people run it.

use std::process::Command;
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic, Result, bail, miette};

use super::super::builds::{Pair, Yard};
use super::super::part::Class;
use super::{Judge, Opinion, Said};

/// Per cent. What is to be found is as large or larger; what there is not has to stay below it or to be seen through.
const THRESHOLD: &str = "0.4";

/// The gate, and what it takes besides its budget: opening the workshop, calibrating.
pub struct Gate {
    besides: Duration,
}

impl Default for Gate {
    fn default() -> Self {
        Self { besides: Duration::from_millis(1500) }
    }
}

impl Judge for Gate {
    fn name(&self) -> &'static str {
        "bindbench gate"
    }

    fn judge(&mut self, yard: &Yard, pair: &Pair, class: Class, within: Duration) -> Result<Opinion> {
        let budget = within.saturating_sub(self.besides).max(within / 4);
        let runs = tempfile::tempdir_in(yard.layout.build()).into_diagnostic()?;
        let begun = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_bindbench"))
            .current_dir(yard.layout.root())
            .args(["gate", "--json", "-w", "call.noop", "--threshold", THRESHOLD, "-s", &class.lane(), "-p", &yard.version])
            .args(["--budget", &budget.as_secs_f64().to_string()])
            .arg("--base")
            .arg(&pair.catalogs[0])
            .arg("--head")
            .arg(&pair.catalogs[1])
            .arg("--runs")
            .arg(runs.path())
            .output()
            .into_diagnostic()?;
        let took = begun.elapsed();
        if !matches!(output.status.code(), Some(0 | 1 | 3)) {
            bail!("gate ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        let gated: serde_json::Value = serde_json::from_slice(&output.stdout).into_diagnostic()?;
        let [cell] = gated["cells"].as_array().map_or(&[][..], Vec::as_slice) else { bail!("gate measured something else: {gated}") };
        let seconds = gated["seconds"].as_f64().ok_or_else(|| miette!("gate does not say how long it took: {gated}"))?;
        self.besides = took.saturating_sub(Duration::from_secs_f64(seconds));
        let said = match (cell["verdict"].as_str(), cell["faster"].as_bool()) {
            (Some("fail"), _) => Said::Slower,
            (Some("pass"), Some(true)) => Said::Faster,
            (Some("pass" | "inconclusive"), _) => Said::Same,
            _ => bail!("gate says something else: {cell}"),
        };
        if said == Said::Slower && !cell["why"].is_null() {
            bail!("a build does not work: {cell}");
        }
        Ok(Opinion { said, ratio: cell["ratio"]["point"].as_f64() })
    }
}
