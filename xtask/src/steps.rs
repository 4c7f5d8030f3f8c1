//! The steps of `test-all`, in the order in which they are run.

use std::env::{self, consts};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::available_parallelism;

/// One program to run in the repository's folder; it has passed when it ends with status 0.
#[derive(Debug)]
pub struct Step {
    /// What it does; unique.
    pub name: &'static str,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables added to its environment.
    pub environment: Vec<(&'static str, OsString)>,
    /// A file that its standard output goes to, instead of the terminal.
    pub output: Option<PathBuf>,
    /// Names of the steps without which it can't be tried.
    pub needs: &'static [&'static str],
    /// What it takes and this machine has not: then it is left out.
    pub lacks: Option<&'static str>,
    /// Said when it fails.
    pub advice: &'static str,
}

impl Step {
    fn new(name: &'static str, program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(Into::into).collect();
        Self { name, program: program.into(), arguments, environment: Vec::new(), output: None, needs: &[], lacks: None, advice: "" }
    }

    fn with(mut self, variable: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((variable, value.into()));
        self
    }

    fn into_file(mut self, output: PathBuf) -> Self {
        self.output = Some(output);
        self
    }

    fn after(mut self, needs: &'static [&'static str]) -> Self {
        self.needs = needs;
        self
    }

    fn unless_lacking(mut self, lacks: Option<&'static str>) -> Self {
        self.lacks = lacks;
        self
    }

    fn advising(mut self, advice: &'static str) -> Self {
        self.advice = advice;
        self
    }

    /// The step as one would type it.
    pub fn shown(&self) -> String {
        let mut words: Vec<String> = self.environment.iter().map(|(name, value)| format!("{name}={}", value.display())).collect();
        words.push(self.program.display().to_string());
        words.extend(self.arguments.iter().map(|argument| argument.display().to_string()));
        words.extend(self.output.iter().map(|output| format!("> {}", output.display())));
        words.join(" ")
    }
}

const BUILD: &str = "build the driver and the tests";
const SET_UP: &str = "set up";
const LIST: &str = "list the lanes";

const RUSTFMT: &str = "`cargo fmt` mends it; rustfmt comes with `rustup component add rustfmt`, or `apt install rustfmt`";
const CLIPPY: &str = "clippy comes with `rustup component add clippy`, or `apt install rust-clippy`";
const RUFF: &str = "`build/tools/bin/ruff check --fix` and `build/tools/bin/ruff format` mend most of it";

/// All of them.
pub fn steps(root: &Path, all_pythons: bool) -> Vec<Step> {
    let cargo = |name, arguments: &[&str]| Step::new(name, crate::cargo(), arguments);
    // Cargo puts the driver beside this program.
    let driver = env::current_exe().unwrap_or_default().with_file_name(format!("bindbench{}", consts::EXE_SUFFIX));
    let driver = |name, arguments: &[&str]| {
        let pythons: &[&str] = if all_pythons { &["--python", "all"] } else { &[] };
        Step::new(name, &driver, &[arguments, pythons].concat())
    };
    let tool = |name, program: &str, arguments: &[&str]| Step::new(name, root.join("build/tools/bin").join(program), arguments);
    let lanes = root.join("build/lanes.json");

    // impls/pyo3 is no member of the workspace: it needs the kernels and a Python to be compiled at all.
    let pyo3 = ["--manifest-path", "impls/pyo3/Cargo.toml"];
    let kernels = root.join("build/kernels").join(format!("{}bindbench_kernels{}", consts::DLL_PREFIX, consts::DLL_SUFFIX));
    // Neither is samplers/pprof: few people need it.
    let pprof = ["--manifest-path", "samplers/pprof/Cargo.toml"];
    let lint_pprof = ["clippy", "--locked", "--target-dir", "build/cargo/lint", pprof[0], pprof[1], "--", "-D", "warnings"];
    let lint_pyo3 = ["clippy", "--locked", "--all-targets", "--target-dir", "build/cargo/lint", pyo3[0], pyo3[1], "--", "-D", "warnings"];

    let mut steps = vec![
        cargo("format, Rust", &["fmt", "--all", "--check"]).advising(RUSTFMT),
        cargo("format, PyO3", &["fmt", "--check", pyo3[0], pyo3[1]]).advising(RUSTFMT),
        cargo("format, pprof", &["fmt", "--check", pprof[0], pprof[1]]).advising(RUSTFMT),
        cargo("format, fuzz", &["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"]).advising(RUSTFMT),
        // With py-spy: nobody builds it by default, so nobody else would see it decay.
        cargo(
            "lint, Rust",
            &["clippy", "--workspace", "--all-targets", "--features", "bindbench/pyspy", "--locked", "--", "-D", "warnings"],
        )
        .advising(CLIPPY),
        cargo("lint, pprof", &lint_pprof).advising(CLIPPY),
        cargo("documentation", &["doc", "--workspace", "--no-deps", "--locked", "--quiet"]).with("RUSTDOCFLAGS", "-D warnings"),
        // With its tests: built by itself it would share hardly a dependency with them, as those ask for more features.
        cargo(BUILD, &["test", "--workspace", "--locked", "--no-run"]),
        driver(SET_UP, &["setup"]).after(&[BUILD]),
        cargo("lint, PyO3", &lint_pyo3)
            .with("BINDBENCH_KERNELS", kernels)
            .with("PYO3_PYTHON", root.join("build/tools/bin/python"))
            .after(&[SET_UP])
            .advising(CLIPPY),
        tool("lint, Python", "ruff", &["check", "pyscripts", "conformance", "impls"]).after(&[SET_UP]).advising(RUFF),
        tool("format, Python", "ruff", &["format", "--check", "pyscripts", "conformance", "impls"]).after(&[SET_UP]).advising(RUFF),
    ];
    if has_nextest() {
        steps.push(cargo("tests, Rust", &["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]));
        steps.push(cargo("tests in documentation", &["test", "--workspace", "--locked", "--no-fail-fast", "--doc"]));
    } else {
        steps.push(cargo("tests, Rust", &["test", "--workspace", "--locked", "--no-fail-fast"]));
    }
    let browser = ["test", "--workspace", "--locked", "--test", "browser", "--", "--ignored"];
    steps.push(cargo("tests of the page in a browser", &browser).unless_lacking(no_chromium()));
    // One test more than there are CPUs, as many tests wait for processes to start and to end; and not more than four at a time: lanes have
    // processes and threads of their own.
    let at_a_time = available_parallelism().map_or(2, |cpus| cpus.get() + 1).min(4).to_string();
    let pytest = ["-m", "pytest", "conformance", "-q", "-n", &at_a_time];
    steps.extend([
        driver(LIST, &["list", "--json"]).into_file(lanes.clone()).after(&[SET_UP]),
        tool("conformance of every lane", "python", &pytest)
            .with("BINDBENCH_LANES", lanes)
            .with("BINDBENCH_BPE", root.join("build/bpe"))
            .after(&[LIST]),
    ]);
    steps
}

/// What to do about it when there is no Chromium.
fn no_chromium() -> Option<&'static str> {
    let there = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let found = ["chromium", "chromium-browser", "google-chrome", "chrome"].into_iter().any(there);
    (!found).then_some("there is no Chromium here; Debian, Ubuntu: apt install chromium")
}

fn has_nextest() -> bool {
    let asked = Command::new("cargo").args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}
