//! Tools that are asked whether head is slower than base, each the way its own documentation says.

mod criterion;
mod gate;
mod hyperfine;
mod pyperf;

use std::process::{Command, Output};
use std::time::Duration;

use miette::{Context, IntoDiagnostic, Result, bail};
use serde::{Deserialize, Serialize};

use super::builds::{Pair, Yard};
use super::part::Class;

pub use self::criterion::{WORD as CRITERION, measure as be_criterion};

/// What a tool says of head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// It is slower.
    Slower,
    /// It is faster.
    Faster,
    /// It is not different, or not known to be.
    Same,
}

/// What a tool says.
#[derive(Clone, Copy, Debug)]
pub struct Opinion {
    /// Of head.
    pub said: Said,
    /// Head's time over base's, where it says that.
    pub ratio: Option<f64>,
}

/// A tool.
pub trait Judge {
    /// Its name, with the version where it is somebody else's.
    fn name(&self) -> &str;

    /// Compares the two builds, in about as much time as is given.
    ///
    /// # Errors
    /// When it can't be run, or says something that is not understood: that is no verdict.
    fn judge(&mut self, yard: &Yard, pair: &Pair, class: Class, within: Duration) -> Result<Opinion>;
}

/// The tools that are here, and of the others what to do about it.
pub fn judges(yard: &Yard) -> (Vec<Box<dyn Judge>>, Vec<String>) {
    let mut lacking = Vec::new();
    let mut here: Vec<Box<dyn Judge>> = vec![Box::new(gate::Gate::default())];
    match pyperf::Pyperf::find(yard) {
        Ok(pyperf) => here.push(Box::new(pyperf)),
        Err(why) => lacking.push(format!("pyperf is not here ({why}); `cargo bindbench setup` installs it")),
    }
    here.push(Box::new(criterion::Criterion::default()));
    match hyperfine::Hyperfine::find() {
        Ok(hyperfine) => here.push(Box::new(hyperfine)),
        Err(why) => lacking.push(format!("hyperfine is not here ({why}); Debian, Ubuntu: apt install hyperfine")),
    }
    (here, lacking)
}

/// How much of the time that a tool is given goes into samples: what it takes beside them shows when it has been run.
#[derive(Clone, Copy, Debug)]
struct Pace(f64);

impl Default for Pace {
    fn default() -> Self {
        Self(0.7)
    }
}

impl Pace {
    /// Seconds to tell the tool.
    fn samples_s(self, within: Duration) -> f64 {
        within.as_secs_f64() * self.0
    }

    /// It took so long in all.
    fn took(&mut self, within: Duration, took: Duration) {
        let wanted = self.0 * within.as_secs_f64() / took.as_secs_f64();
        // Half the way: one comparison may have met a busy machine.
        self.0 = ((self.0 + wanted) / 2.0).clamp(0.2, 1.5);
    }
}

/// Runs a program that should end well; what it printed.
fn run(command: &mut Command) -> Result<Output> {
    let program = command.get_program().display().to_string();
    let output = command.output().into_diagnostic().wrap_err_with(|| format!("can't run {program}"))?;
    if !output.status.success() {
        bail!("{program} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(output)
}

/// The version that a program prints when it is asked: the last word of the first line.
fn version(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let word = printed.lines().next().and_then(|line| line.split_whitespace().last());
    word.filter(|_| output.status.success()).map(str::to_owned).ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
}
