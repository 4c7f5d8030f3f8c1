//! Where things are: bindbench's folder, and what set-up makes in it.

use std::path::{Path, PathBuf};

/// bindbench's folder. All that set-up makes is below `build/`.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The checkout that the current folder is in, or else the one that this program was built from.
    pub fn find() -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        let checkout = here.ancestors().find(|folder| Self::at(*folder).is_checkout());
        let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/"));
        Self { root: checkout.unwrap_or(built_from).to_owned() }
    }

    /// The checkout in this folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Whether the folder is a checkout of bindbench.
    pub fn is_checkout(&self) -> bool {
        self.root.join("harness/workloads").is_dir() && self.root.join("impls").is_dir()
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All that set-up makes.
    pub fn build(&self) -> PathBuf {
        self.root.join("build")
    }

    /// Held by whoever changes what is below `build/`, and shared by those who measure with it.
    pub fn build_lock(&self) -> PathBuf {
        self.build().join("lock")
    }

    /// Copies of sources that runs are measured with while they last.
    pub fn frozen(&self) -> PathBuf {
        self.build().join("frozen")
    }

    /// The environment with the tools from PyPI.
    pub fn tools(&self) -> PathBuf {
        self.build().join("tools")
    }

    /// The lock of that environment.
    pub fn tools_lock(&self) -> PathBuf {
        self.root.join("pyscripts/tools.lock")
    }

    /// The environment of an interpreter.
    pub fn environment(&self, interpreter: &str) -> PathBuf {
        self.build().join("pythons").join(interpreter)
    }

    /// The program that makes an interpreter describe itself.
    pub fn probe(&self) -> PathBuf {
        self.root.join("pyscripts/probe.py")
    }

    /// Folder of the worker's package.
    pub fn pyscripts(&self) -> PathBuf {
        self.root.join("pyscripts")
    }

    /// The inputs.
    pub fn inputs(&self) -> PathBuf {
        self.build().join("inputs")
    }

    /// The vocabulary of byte pair encoding, and the classes of characters.
    pub fn bpe(&self) -> PathBuf {
        self.build().join("bpe")
    }

    /// Real text.
    pub fn texts(&self) -> PathBuf {
        self.build().join("texts")
    }

    /// Where real text comes from.
    pub fn texts_lock(&self) -> PathBuf {
        self.root.join("harness/workloads/texts.lock")
    }

    /// Folder of the shared kernels library.
    pub fn kernels(&self) -> PathBuf {
        self.build().join("kernels")
    }

    /// The shared kernels library.
    pub fn kernels_library(&self) -> PathBuf {
        self.kernels().join(format!("libbindbench_kernels{}", std::env::consts::DLL_SUFFIX))
    }

    /// A library that takes samples inside a worker, built from `samplers/NAME`.
    pub fn sampler(&self, name: &str) -> PathBuf {
        self.build().join("samplers").join(format!("{}bindbench_{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
    }

    /// What a build of a strategy leaves.
    pub fn out(&self, strategy: &str, interpreter: Option<&str>) -> PathBuf {
        self.build().join("strategies").join(strategy).join(interpreter.unwrap_or("native"))
    }

    /// The receipt of a build.
    pub fn receipt(&self, strategy: &str, interpreter: Option<&str>) -> PathBuf {
        self.build().join("receipts").join(format!("{strategy}@{}.json", interpreter.unwrap_or("native")))
    }

    /// All that a build printed.
    pub fn log(&self, strategy: &str, interpreter: Option<&str>) -> PathBuf {
        self.build().join("logs").join(format!("{strategy}@{}.log", interpreter.unwrap_or("native")))
    }

    /// Cargo's target folder for a build, kept from one to the next. Builds for two interpreters leave files of the same name and
    /// run at the same time, so each has its own.
    pub fn target(&self, strategy: &str, interpreter: Option<&str>) -> PathBuf {
        self.build().join("cargo").join(format!("{strategy}@{}", interpreter.unwrap_or("native")))
    }

    /// What runs produce for people.
    pub fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }

    /// What profiling produces for people.
    pub fn flamegraphs(&self) -> PathBuf {
        self.root.join("flamegraphs")
    }

    /// The runs.
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }
}
