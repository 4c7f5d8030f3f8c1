//! What a worker is started with: program, environment, and the lane it is told to load.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use bindbench_protocol::{KERNELS, Load};
use serde::Serialize;

/// Variables of Python's that a user may set to choose how the interpreter works; they are recorded with the run. All others are
/// kept from workers: a stray `PYTHONPATH` or `PYTHONTRACEMALLOC` would change what is measured.
const KEPT: [&str; 2] = ["PYTHON_JIT", "PYTHON_GIL"];

/// How the names of variables begin that reach workers, and change how they compute, or how fast.
const TELLING: [&str; 14] = [
    "RAYON_",
    "OMP_",
    "GOMP_",
    "KMP_",
    "OPENBLAS_",
    "MKL_",
    "BLIS_",
    "NUMEXPR_",
    "VECLIB_",
    "GLIBC_TUNABLES",
    "MALLOC_",
    "LD_",
    "DYLD_",
    "PYPY",
];

/// The variables of this process that reach workers and can change what is measured.
pub fn telling_variables() -> BTreeMap<String, String> {
    let tells = |name: &String| KEPT.contains(&name.as_str()) || TELLING.iter().any(|begin| name.starts_with(begin));
    let text = |(name, value): (OsString, OsString)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned());
    std::env::vars_os().map(text).filter(|(name, _)| tells(name)).collect()
}

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
