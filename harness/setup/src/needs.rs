//! What strategies need to be built, where it is on this machine, and the command that installs it where it is not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use bindbench_catalog::Need;
use bindbench_model::shortened;

use super::without_python_variables;

/// The programs that build, as far as they are there.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    /// Tool → program.
    programs: BTreeMap<&'static str, PathBuf>,
    /// Tool → first line of what it says of its version.
    pub versions: BTreeMap<String, String>,
    /// Tool → what came instead of its version.
    broken: BTreeMap<&'static str, String>,
}

impl Tools {
    /// Looks for compilers on PATH (`$CC` and `$CARGO` first) and for the Python tools in their environment.
    pub fn find(python_tools: &Path) -> Self {
        let mut tools = Self::default();
        let from_env = |name: &str| std::env::var_os(name).and_then(|program| which::which(program).ok());
        let on_path = |names: &[&str]| names.iter().find_map(|name| which::which(name).ok());
        let in_tools = |name: &str| Some(python_tools.join("bin").join(name)).filter(|program| program.is_file());
        tools.add("cc", from_env("CC").or_else(|| on_path(&["cc", "gcc", "clang"])), "--version");
        tools.add("cargo", from_env("CARGO").or_else(|| on_path(&["cargo"])), "--version");
        tools.add("rustc", on_path(&["rustc"]), "--version");
        for name in ["uv", "cython", "maturin"] {
            tools.add(name, in_tools(name), "--version");
        }
        tools
    }

    fn add(&mut self, name: &'static str, program: Option<PathBuf>, version_flag: &str) {
        let Some(program) = program else { return };
        match without_python_variables(Command::new(&program).arg(version_flag)).output() {
            Ok(output) => {
                // Some print it to stderr.
                let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
                let said = String::from_utf8_lossy(&said);
                let words = shortened(said.lines().next().unwrap_or_default(), 400).into_owned();
                if output.status.success() {
                    self.versions.insert(name.to_owned(), words);
                } else {
                    let words = if words.is_empty() { output.status.to_string() } else { words };
                    self.broken.insert(name, format!("{} says: {words}", program.display()));
                }
            }
            Err(error) => drop(self.broken.insert(name, format!("can't run {}: {error}", program.display()))),
        }
        self.programs.insert(name, program);
    }

    /// What is the matter with a tool that is there and does not even tell its version; none when all do.
    pub fn broken(&self) -> Option<String> {
        let (name, words) = self.broken.first_key_value()?;
        Some(format!("{name} does not work: {words}"))
    }

    /// The program of a tool.
    pub fn program(&self, name: &str) -> Option<&Path> {
        self.programs.get(name).map(PathBuf::as_path)
    }

    /// Whether a need is met (headers are an interpreter's affair); if not, what is missing and what to do.
    ///
    /// # Errors
    /// A sentence with the command that helps.
    pub fn meet(&self, need: Need) -> Result<(), String> {
        let (tool, what) = match need {
            Need::Cc => ("cc", "a C compiler"),
            Need::Cargo | Need::Kernels => ("cargo", "Rust"),
            Need::Cython => ("cython", "Cython"),
            Need::Maturin => ("maturin", "maturin"),
            Need::PythonHeaders => return Ok(()),
        };
        if self.programs.contains_key(tool) {
            return Ok(());
        }
        Err(format!("{what} is missing: {}", remedy(need)))
    }
}

/// The commands that install what a need names, on the systems people have.
pub fn remedy(need: Need) -> &'static str {
    match need {
        Need::Cc => "apt install gcc libc6-dev | dnf install gcc | brew: xcode-select --install",
        Need::Cargo | Need::Kernels => {
            "apt install rustup && rustup default stable | dnf install rustup && rustup-init | brew install rustup && rustup default stable"
        }
        Need::Cython | Need::Maturin => "bindbench setup",
        Need::PythonHeaders => "apt install python3-dev | dnf install python3-devel | brew install python",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_does_not_tell_its_version_is_broken_and_says_why() {
        let mut tools = Tools::default();
        tools.add("cc", which::which("true").ok(), "--version");
        assert_eq!((tools.broken(), tools.versions.contains_key("cc")), (None, true));
        tools.add("cargo", which::which("sh").ok(), "--no-such-option");
        tools.add("rustc", Some("/nowhere/rustc".into()), "--version");
        let words = tools.broken().unwrap();
        assert!(words.starts_with("cargo does not work: /") && words.contains(" says: "), "{words}");
        assert!(tools.broken["rustc"].starts_with("can't run /nowhere/rustc: "));
        assert!(!tools.versions.contains_key("cargo") && tools.program("cargo").is_some());
    }
}
