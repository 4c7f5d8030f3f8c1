//! `strategy.toml`: what a strategy says of itself. See CONTRIBUTING.md for a walk through one.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use bindbench_model::{Comparison, Form, Gil, Parallel};
use pep440_rs::VersionSpecifiers;
use serde::Deserialize;
use toml::Spanned;

use super::error::{CatalogError, TomlFile};
use super::names::{self, Names};
use super::rules::Rules;
use super::workload::Workload;

/// A folder with one binding, its source, its build recipe and its lanes.
#[derive(Clone, Debug)]
pub struct Strategy {
    /// The folder's name.
    pub name: String,
    /// How Python reaches the kernel.
    pub binding: String,
    /// One line.
    pub summary: String,
    /// The folder, absolute.
    pub folder: PathBuf,
    /// Tools without which it can't be built.
    pub needs: Vec<Need>,
    /// Versions of Python it supports; all when none are named.
    pub python: VersionSpecifiers,
    /// Implementations of Python it supports: `cpython`, `pypy`.
    pub implementations: Vec<String>,
    /// How to build it.
    pub build: Build,
    /// What its functions do, for profiles.
    pub profile: Rules,
    /// Its contenders.
    pub lanes: Vec<Lane>,
}

/// Something a strategy can't be built without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A C compiler.
    Cc,
    /// Rust's.
    Cargo,
    /// The Cython compiler, from PyPI.
    Cython,
    /// The builder of wheels from Rust, from PyPI.
    Maturin,
    /// `Python.h` and what belongs to it.
    PythonHeaders,
    /// The shared library built from `impls/kernels`.
    Kernels,
}

/// Commands, and the files they leave.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Commands, run in order in the strategy's folder without a shell; `{placeholders}` as in CONTRIBUTING.md.
    #[serde(default)]
    pub steps: Vec<Vec<String>>,
    /// Files in `{out}` that must be there afterwards.
    #[serde(default)]
    pub artifacts: Vec<String>,
    /// Files and folders outside the strategy's own whose change means a new build.
    #[serde(default)]
    pub depends: Vec<PathBuf>,
    /// Files and folders in the strategy's own that hold a kernel, when lines are counted; all others are glue.
    #[serde(default)]
    pub kernel: Vec<PathBuf>,
}

/// One measurable contender.
#[derive(Clone, Debug)]
pub struct Lane {
    /// `ctypes/rust`.
    pub id: String,
    /// Name of its strategy.
    pub strategy: String,
    /// How Python reaches the kernel.
    pub binding: String,
    /// One line.
    pub summary: String,
    /// Which tables it stands in.
    pub comparison: Comparison,
    /// The code that does the work.
    pub kernel: String,
    /// What happens to the GIL meanwhile.
    pub gil: Gil,
    /// Parallelism of its own.
    pub parallel: Parallel,
    /// Forms of input it takes, and the copies of the input its binding makes.
    pub copies: Copies,
    /// Implementations of Python it supports, where they are fewer than its strategy's.
    pub implementations: Option<Vec<String>>,
    /// Where its operations are.
    pub entry: Entry,
    /// A lock of packages from PyPI that it calls, with hashes; a path in the strategy's folder.
    pub packages: Option<PathBuf>,
    /// Operations or workloads it does not have, with the reason.
    pub without: BTreeMap<String, String>,
    /// Checks of a contract that it leaves out, `workload.operation(check)` or all of an operation, with the reason.
    pub unchecked: BTreeMap<String, String>,
    /// It has a fault on purpose, and this is what there is to learn from it: nobody measures it who does not name it.
    pub teaching: Option<String>,
    /// Workload, or `workload.operation` → name of the native function that does the work, `{operation}` standing for the
    /// operation's. Lanes that call the shared kernels library need none.
    pub symbols: BTreeMap<String, String>,
}

/// Copies of the input a binding makes, by how the input is passed: for all workloads, or for each.
#[derive(Clone, Debug)]
pub enum Copies {
    /// The same for all workloads.
    All(BTreeMap<Form, u32>),
    /// Workload → copies.
    Each(BTreeMap<String, BTreeMap<Form, u32>>),
}

impl Copies {
    /// The forms taken in a workload, and the copies made.
    pub fn of(&self, workload: &str) -> BTreeMap<Form, u32> {
        match self {
            Self::All(copies) => copies.clone(),
            Self::Each(each) => each.get(workload).cloned().unwrap_or_default(),
        }
    }
}

/// Where a lane's operations are.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Workload → Python module with the operations as functions.
    Python(BTreeMap<String, String>),
    /// A worker without Python.
    Native {
        /// Program and arguments.
        command: Vec<String>,
        /// What it computes.
        workloads: Vec<String>,
    },
}

impl Lane {
    /// The variant, its part of the id.
    pub fn variant(&self) -> &str {
        self.id.split_once('/').map_or(&self.id, |(_, variant)| variant)
    }

    /// Whether it needs no Python.
    pub fn is_native(&self) -> bool {
        matches!(self.entry, Entry::Native { .. })
    }

    /// Whether it has the operation. It may have nothing to do with the workload, which is nothing to talk about.
    ///
    /// # Errors
    /// What it says it lacks, the operation or the whole workload, and why.
    pub fn has(&self, workload: &str, operation: &str) -> Result<bool, (String, String)> {
        for lacking in [workload.to_owned(), format!("{workload}.{operation}")] {
            if let Some(reason) = self.without.get(&lacking) {
                return Err((lacking, reason.clone()));
            }
        }
        Ok(match &self.entry {
            Entry::Python(modules) => modules.contains_key(workload),
            Entry::Native { workloads, .. } => workloads.iter().any(|name| name == workload),
        })
    }

    /// Name of the native function of its own that does an operation's work, as far as the manifest tells.
    pub fn symbol(&self, workload: &str, operation: &str) -> Option<String> {
        let named = self.symbols.get(&format!("{workload}.{operation}")).or_else(|| self.symbols.get(workload))?;
        Some(named.replace("{operation}", operation))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrategyToml {
    name: Spanned<String>,
    binding: String,
    summary: String,
    #[serde(default)]
    needs: Vec<Need>,
    #[serde(default)]
    python: Option<Spanned<String>>,
    #[serde(default = "all_implementations")]
    implementations: Vec<String>,
    #[serde(default)]
    build: Build,
    #[serde(default)]
    profile: Rules,
    lane: Vec<LaneToml>,
}

fn all_implementations() -> Vec<String> {
    vec!["cpython".to_owned(), "pypy".to_owned()]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LaneToml {
    variant: Spanned<String>,
    summary: String,
    comparison: Comparison,
    kernel: String,
    gil: Gil,
    parallel: Parallel,
    copies: names::CopiesToml,
    #[serde(default)]
    implementations: Option<Vec<String>>,
    #[serde(default)]
    modules: Option<names::Named>,
    #[serde(default)]
    packages: Option<Spanned<PathBuf>>,
    #[serde(default)]
    command: Option<Vec<String>>,
    #[serde(default)]
    workloads: Vec<Spanned<String>>,
    #[serde(default)]
    without: names::Named,
    #[serde(default)]
    unchecked: names::Named,
    #[serde(default)]
    teaching: Option<String>,
    #[serde(default)]
    symbols: names::Named,
}

impl LaneToml {
    /// Looks whether what it names of workloads and operations is there.
    fn check(&self, names: &Names, file: &TomlFile) -> Result<(), CatalogError> {
        self.modules.iter().flat_map(|modules| modules.keys()).chain(&self.workloads).try_for_each(|name| names.workload(file, name))?;
        self.without.keys().chain(self.symbols.keys()).try_for_each(|name| names.part(file, name))?;
        self.unchecked.keys().try_for_each(|name| names.checked(file, name))?;
        self.copies.iter().filter(|(_, copies)| copies.get_ref().is_table()).try_for_each(|(name, _)| names.workload(file, name))
    }
}

/// Reads every `strategy.toml` one level below the folder, in the order of their names; `given` is the option that named the folder. What
/// they name has to be among the workloads, where these are known.
///
/// # Errors
/// At the first manifest that is not as it should be, naming file, line and what was expected.
pub fn read_strategies(given: &'static str, folder: &Path, workloads: Option<&[Workload]>) -> Result<Vec<Strategy>, CatalogError> {
    let listing = fs::read_dir(folder).map_err(|source| CatalogError::NoFolder { given, folder: folder.to_owned(), source })?;
    let mut manifests: Vec<PathBuf> =
        listing.filter_map(Result::ok).map(|entry| entry.path().join("strategy.toml")).filter(|path| path.is_file()).collect();
    manifests.sort();
    if manifests.is_empty() {
        return Err(CatalogError::NoStrategy { given, folder: folder.to_owned() });
    }
    let names = workloads.map(Names::of);
    manifests.iter().map(|path| read_strategy(path, names.as_ref())).collect()
}

/// Names are parts of globs, of files' names and of tables in several formats: they mean nothing but themselves in all of these.
fn plain(file: &TomlFile, name: &Spanned<String>) -> Result<(), CatalogError> {
    let text = name.get_ref();
    let fine = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(fine) {
        return Ok(());
    }
    Err(file.fault(name.span(), format!("{text:?} is no name: letters, digits, `_`, `-` and `.`, beginning with a letter or digit")))
}

fn read_strategy(path: &Path, names: Option<&Names>) -> Result<Strategy, CatalogError> {
    let file = TomlFile::read(path)?;
    let manifest: StrategyToml = file.parse()?;
    let folder = path.parent().unwrap_or(Path::new(".")).canonicalize().map_err(|source| file.unreadable(source))?;
    plain(&file, &manifest.name)?;
    let name = manifest.name.get_ref().clone();
    if folder.file_name().and_then(|name| name.to_str()) != Some(name.as_str()) {
        return Err(file.fault(manifest.name.span(), format!("the name has to be the folder's: {folder:?} is not {name:?}")));
    }
    let python = match &manifest.python {
        None => VersionSpecifiers::empty(),
        Some(text) => text
            .get_ref()
            .parse()
            .map_err(|error| file.fault(text.span(), format!("not a version specifier such as \">=3.9, <3.16\": {error}")))?,
    };
    let mut lanes = Vec::new();
    let mut seen = HashMap::new();
    for lane in manifest.lane {
        names.map_or(Ok(()), |names| lane.check(names, &file))?;
        plain(&file, &lane.variant)?;
        let span = lane.variant.span();
        let id = format!("{name}/{}", lane.variant.get_ref());
        if seen.insert(id.clone(), span.clone()).is_some() {
            return Err(file.fault(span, format!("the lane {id} is there twice; variants differ within a strategy")));
        }
        let entry = match (lane.modules, lane.command) {
            (Some(modules), None) => Entry::Python(names::plain(modules)),
            (None, Some(command)) if !command.is_empty() => {
                Entry::Native { command, workloads: lane.workloads.into_iter().map(Spanned::into_inner).collect() }
            }
            _ => {
                let message = format!("the lane {id} needs either `modules` (workload = Python module) or `command` (a native worker)");
                return Err(file.fault(span, message));
            }
        };
        if let Some(lock) = lane.packages.as_ref().filter(|lock| !folder.join(lock.get_ref()).is_file()) {
            return Err(file.fault(lock.span(), format!("{} is no file in {}", lock.get_ref().display(), folder.display())));
        }
        lanes.push(Lane {
            id,
            strategy: name.clone(),
            binding: manifest.binding.clone(),
            summary: lane.summary,
            comparison: lane.comparison,
            kernel: lane.kernel,
            gil: lane.gil,
            parallel: lane.parallel,
            copies: names::copies(&file, lane.copies)?,
            implementations: lane.implementations,
            entry,
            packages: lane.packages.map(Spanned::into_inner),
            without: names::plain(lane.without),
            unchecked: names::plain(lane.unchecked),
            teaching: lane.teaching,
            symbols: names::plain(lane.symbols),
        });
    }
    Ok(Strategy {
        name,
        binding: manifest.binding,
        summary: manifest.summary,
        folder,
        needs: manifest.needs,
        python,
        implementations: manifest.implementations,
        build: manifest.build,
        profile: manifest.profile,
        lanes,
    })
}
