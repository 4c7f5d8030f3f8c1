//! The two builds that are compared: the strategy `spinning` built twice from one source, head with more to do or not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bindbench::cmd::sides::{BothSides, Sides};
use bindbench_catalog::{Selection, Side};
use bindbench_setup::build::State;
use bindbench_setup::interpreters::Interpreter;
use bindbench_setup::layout::Layout;
use clap::Parser;
use miette::{Context, IntoDiagnostic, Result, bail};
use serde::{Deserialize, Serialize};

use super::part::{Class, Part};

/// Finds out how much work is how much.
const TRUTH: &str = include_str!("truth.py");

/// What is built into head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Further turns of the loop in each call.
    pub extra: u64,
    /// What a call takes longer for it, net of the loop around it: 0.05.
    pub share: f64,
}

/// Two builds, ready to be measured.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Folders with the strategy: base's, head's.
    pub catalogs: [PathBuf; 2],
    /// Folders with what was built of it.
    pub outs: [PathBuf; 2],
    /// What was built into head.
    pub truth: Truth,
}

/// Two sides, as they are named on a command line.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Named {
    #[command(flatten)]
    sides: Sides,
}

/// Where builds are made.
pub struct Yard {
    /// The checkout.
    pub layout: Layout,
    /// The tools' Python: pyperf is there, and what is built is built for it.
    pub python: PathBuf,
    /// Its version.
    pub version: String,
    folder: PathBuf,
}

impl Yard {
    /// Looks for the tools' Python.
    ///
    /// # Errors
    /// When nothing was set up yet.
    pub fn open() -> Result<Self> {
        let layout = Layout::find();
        let python = layout.tools().join("bin/python");
        let program = ["-c", "import platform; print(platform.python_version())"];
        let told = Command::new(&python).args(program).output().into_diagnostic();
        let told = told.wrap_err_with(|| format!("can't run {}: `cargo bindbench setup` makes it", python.display()))?;
        let version = String::from_utf8_lossy(&told.stdout).trim().to_owned();
        Ok(Self { folder: layout.build().join("verdicts"), layout, python, version })
    }

    /// The two sides, as a driver opens them.
    ///
    /// # Errors
    /// When a strategy can't be read.
    pub fn sides(catalogs: &[PathBuf; 2]) -> Result<BothSides> {
        let words = ["--base".into(), catalogs[0].clone().into_os_string(), "--head".into(), catalogs[1].clone().into_os_string()];
        Named::try_parse_from(words).into_diagnostic()?.sides.open(&[])
    }

    /// Builds both, so that head has what the part wants. What that takes is measured, unless it is known.
    ///
    /// # Errors
    /// When something can't be built.
    pub fn build(&self, part: &Part, known: Option<Truth>) -> Result<Pair> {
        let truth = match (known, part.slower) {
            (Some(truth), _) => truth,
            (None, None) => Truth::default(),
            (None, Some(percent)) => self.find(part.class, percent / 100.0, &self.pair(Truth::default())?)?,
        };
        self.pair(truth)
    }

    fn pair(&self, truth: Truth) -> Result<Pair> {
        let catalogs = [self.source("base", 0)?, self.source("head", truth.extra)?];
        let BothSides { mut workshop, .. } = Self::sides(&catalogs)?;
        let catalog = workshop.catalog.clone();
        let selection = Selection { lanes: vec!["spinning/*".to_owned()], ..Selection::default() };
        let lanes = selection.on_both_sides().lanes(&catalog)?;
        let interpreters = workshop.interpreters(std::slice::from_ref(&self.version), &lanes)?;
        workshop.set_up(&lanes, &interpreters)?;
        let out = |side: Side, interpreter: &Interpreter| -> Result<PathBuf> {
            let lane = catalog.lane(&side.lane(&Class::Noop.lane()))?;
            match workshop.state(lane, Some(interpreter)) {
                State::Ready(receipt) => Ok(receipt.out),
                other => bail!("spinning can't be built: {other:?}"),
            }
        };
        let outs = [out(Side::Base, &interpreters[0])?, out(Side::Head, &interpreters[0])?];
        Ok(Pair { catalogs, outs, truth })
    }

    /// The strategy's source, with so much further work. A file that is as it should be is left alone: then nothing is built anew.
    fn source(&self, side: &str, extra: u64) -> Result<PathBuf> {
        let catalog = self.folder.join(side);
        let (from, to) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/catalogs/spinning"), catalog.join("spinning"));
        let copy = || -> std::io::Result<()> {
            fs::create_dir_all(&to)?;
            for name in ["strategy.toml", "spinning.c"] {
                let text = fs::read_to_string(from.join(name))?.replace("-DEXTRA=0", &format!("-DEXTRA={extra}"));
                if fs::read_to_string(to.join(name)).ok().as_ref() != Some(&text) {
                    fs::write(to.join(name), text)?;
                }
            }
            Ok(())
        };
        copy().into_diagnostic().wrap_err_with(|| format!("can't write {}", to.display()))?;
        Ok(catalog)
    }

    fn find(&self, class: Class, share: f64, pair: &Pair) -> Result<Truth> {
        let output = Command::new(&self.python)
            .args(["-c", TRUTH, &class.module(), &share.to_string()])
            .env("PYTHONPATH", &pair.outs[0])
            .output()
            .into_diagnostic()?;
        serde_json::from_slice(&output.stdout)
            .into_diagnostic()
            .wrap_err_with(|| format!("can't find out how much work is {share}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}
