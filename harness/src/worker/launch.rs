//! What a worker is started with: program, environment, and the lane it is told to load.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use bindbench_catalog::{Entry, Lane};
use bindbench_protocol::{BPE, KERNELS, Load};
use miette::{Result, miette};
use serde::Serialize;

use crate::setup::Workshop;
use crate::setup::build::{placeholders_of, substitute};
use crate::setup::interpreters::Interpreter;
use crate::setup::packages;
use crate::setup::receipt::Receipt;

/// Variables of Python's that a user may set to choose how the interpreter works; they are recorded with the run. All others are
/// kept from workers: a stray `PYTHONPATH` or `PYTHONTRACEMALLOC` would change what is measured.
pub const KEPT: [&str; 2] = ["PYTHON_JIT", "PYTHON_GIL"];

/// What a bare environment has of the user's own.
const BARE: [&str; 2] = ["PATH", "LD_LIBRARY_PATH"];

/// How to start a worker. Also what `list --json` shows, so that other programs can start one.
#[derive(Clone, Debug, Serialize)]
pub struct Launch {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Variables to set.
    pub environment: BTreeMap<String, String>,
    /// The first request to send.
    pub load: Load,
    /// Nothing of the user's environment reaches it but where programs and libraries are: its size moves the stack, and with it what a
    /// count must not depend on.
    #[serde(skip)]
    pub bare: bool,
}

impl Launch {
    /// The worker of a lane that is ready.
    ///
    /// # Errors
    /// When a native lane's command has an unknown placeholder.
    pub fn of(workshop: &Workshop, lane: &Lane, interpreter: Option<&Interpreter>, receipt: &Receipt) -> Result<Self> {
        let strategy = workshop.catalog.strategy_of(lane).ok_or_else(|| miette!("{} belongs to no strategy", lane.id))?;
        Self::from(workshop, (lane, &strategy.folder), interpreter, receipt, &workshop.layout.pyscripts())
    }

    /// The same with the lane's sources, and the worker's package, in these folders.
    ///
    /// # Errors
    /// As above.
    pub fn from(
        workshop: &Workshop,
        (lane, sources): (&Lane, &Path),
        interpreter: Option<&Interpreter>,
        receipt: &Receipt,
        worker: &Path,
    ) -> Result<Self> {
        let strategy = workshop.catalog.strategy_of(lane).ok_or_else(|| miette!("{} belongs to no strategy", lane.id))?;
        let layout = &workshop.layout;
        let mut environment = BTreeMap::from([
            (KERNELS.to_owned(), layout.kernels_library().display().to_string()),
            (BPE.to_owned(), layout.bpe().display().to_string()),
        ]);
        let mut modules = BTreeMap::new();
        let command = match (&lane.entry, interpreter) {
            (Entry::Python(names), Some(interpreter)) => {
                modules.clone_from(names);
                environment.insert("PYTHONPATH".to_owned(), worker.display().to_string());
                vec![workshop.python(interpreter).display().to_string(), "-m".to_owned(), "bindbench_worker".to_owned()]
            }
            (Entry::Python(_), None) => return Err(miette!("{} needs an interpreter", lane.id)),
            (Entry::Native { command, .. }, _) => {
                let mut places = placeholders_of(layout, strategy, None, &receipt.out);
                places.insert("source", vec![sources.display().to_string()]);
                let words: Result<Vec<_>, _> = command.iter().map(|word| substitute(word, &places)).collect();
                words.map_err(|error| miette!("{} {error}", lane.id))?.concat()
            }
        };
        let mut paths: Vec<PathBuf> = vec![receipt.out.clone(), sources.to_owned()];
        if lane.packages.is_some() {
            paths.insert(0, packages::folder(&receipt.out, lane));
        }
        Ok(Self { command, environment, load: Load { lane: lane.id.clone(), paths, modules, cpus: None, timeless: false }, bare: false })
    }

    /// The same worker with a program around it, in a bare environment.
    #[must_use]
    pub fn under(&self, words: Vec<String>) -> Self {
        Self { command: [words, self.command.clone()].concat(), bare: true, ..self.clone() }
    }

    /// The program that is started.
    pub fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// The command, ready to be spawned. `hash_seed` fixes the order of sets and dicts of str.
    pub fn command(&self, hash_seed: u32) -> Command {
        let (program, arguments) = self.command.split_first().map_or(("false", &[][..]), |(program, rest)| (program, rest));
        let mut command = Command::new(program);
        command.args(arguments);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            let unwanted = name_text.starts_with("PYTHON") || (self.bare && !BARE.contains(&name_text.as_ref()));
            if unwanted && !KEPT.contains(&name_text.as_ref()) {
                command.env_remove(&name);
            }
        }
        self.hide_other_kernels(&mut command);
        command.env("PYTHONHASHSEED", hash_seed.to_string()).envs(&self.environment);
        command
    }

    /// `cargo run` puts its own target folders on the search path of shared libraries, and that goes before what an extension was
    /// linked with: a kernels library lying there would be loaded in the place of the one of the receipt.
    fn hide_other_kernels(&self, command: &mut Command) {
        let Some(kernels) = self.environment.get(KERNELS).map(Path::new) else { return };
        for name in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"] {
            let Some(folders) = std::env::var_os(name) else { continue };
            let has_other = |folder: &PathBuf| folder.join(kernels.file_name().unwrap_or_default()).exists();
            let kept: Vec<PathBuf> = std::env::split_paths(&folders).filter(|folder| !has_other(folder)).collect();
            match std::env::join_paths(&kept) {
                Ok(folders) if !kept.is_empty() => command.env(name, folders),
                _ => command.env_remove(name),
            };
        }
    }
}
