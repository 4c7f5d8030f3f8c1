//! What a lane imports from its folders, by digests: one run is one state of all of it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bindbench_catalog::{Lane, Need, Strategy};
use miette::{Context, IntoDiagnostic, Result};

use super::frozen::{Frozen, neighbours};
use super::interpreters::Interpreter;
use super::layout::Layout;
use super::receipt::{Artifact, Receipt, artifacts, files_of, fingerprint, is_source, listing};
use super::{bpe, environments, packages};

/// What a lane imports for an interpreter.
#[derive(Clone, Debug)]
pub struct Imports {
    /// What → SHA-256 of all of it.
    pub digests: BTreeMap<String, String>,
    /// What was built, what is copied for the run, and the kernels, as they were when it began.
    files: Vec<Artifact>,
    /// The environment that its workers run in, and what was in it then.
    environment: Option<(PathBuf, Vec<String>)>,
}

impl Imports {
    /// Reads all that a lane imports.
    ///
    /// # Errors
    /// When something can't be read.
    pub fn of(
        (lane, strategy): (&Lane, &Strategy),
        interpreter: Option<&Interpreter>,
        receipt: &Receipt,
        layout: &Layout,
        frozen: &mut Frozen,
    ) -> Result<Self> {
        let place = frozen.strategy(strategy)?;
        let beside = |folder: PathBuf| place.with_file_name(folder.file_name().unwrap_or_default());
        let copies: Vec<PathBuf> =
            [place.clone(), frozen.worker()].into_iter().chain(neighbours(strategy).into_iter().map(beside)).collect();
        let read = || -> io::Result<Self> {
            let mut digests = BTreeMap::from([("sources".to_owned(), sources(strategy, &place)?)]);
            let mut files = receipt.artifacts.clone();
            // Nobody edits the copies, but a lane could.
            for copy in &copies {
                files.extend(artifacts(copy, is_source, |_| true)?);
            }
            if !lane.is_native() {
                digests.insert("the worker's package".to_owned(), fingerprint(&[frozen.worker()], &[])?);
                // Some builds leave Python beside what they compile.
                let made = artifacts(&receipt.out, |path| is_source(path) && path != receipt.out.join("packages"), is_python)?;
                put(&mut digests, "what was built", &made, &receipt.out);
                files.extend(made);
            }
            if lane.packages.is_some() {
                let folder = packages::folder(&receipt.out, lane);
                // What an installer notes beside is not imported, and not the same twice.
                let of_package = |path: &Path| is_source(path) && path.extension().is_none_or(|extension| extension != "dist-info");
                let installed = artifacts(&folder, of_package, |_| true)?;
                put(&mut digests, "packages", &installed, &folder);
                files.extend(installed);
            }
            if strategy.needs.contains(&Need::Kernels) {
                files.push(Artifact::of(&layout.kernels_library())?);
            }
            if lane.has("bpe", "").unwrap_or(false) && layout.bpe().is_dir() {
                let vocabulary = bpe::contents(&layout.bpe())?;
                put(&mut digests, "the vocabulary", &vocabulary, &layout.bpe());
                files.extend(vocabulary);
            }
            let environment = match interpreter {
                Some(interpreter) => {
                    let folder = layout.environment(&interpreter.name);
                    let contents = environments::contents(&folder)?;
                    digests.insert("the interpreter's environment".to_owned(), fingerprint(&[], &contents)?);
                    Some((folder, contents))
                }
                None => None,
            };
            Ok(Self { digests, files, environment })
        };
        read().into_diagnostic().wrap_err_with(|| format!("can't read what {} imports", lane.id))
    }

    /// Whether all of it is still what it was when the run began. Files that have not been written to since are not read again.
    ///
    /// # Errors
    /// Which file is not.
    pub fn verify(&self) -> Result<(), String> {
        self.files.iter().try_for_each(|file| match file.verify() {
            Ok(()) => Ok(()),
            Err(_) if file.path.exists() => Err(format!("{} was changed while the run went on", file.path.display())),
            Err(_) => Err(format!("{} has gone while the run went on", file.path.display())),
        })?;
        match &self.environment {
            Some((folder, then)) => environments::differs(folder, then).map_or(Ok(()), |what| Err(format!("{what} while the run went on"))),
            None => Ok(()),
        }
    }

    /// What is not as a run began with it. Runs that were recorded before digests were kept have none.
    pub fn unlike<'k>(&self, known: &'k BTreeMap<String, String>) -> Vec<&'k str> {
        known.iter().filter(|(what, digest)| self.digests.get(*what) != Some(digest)).map(|(what, _)| what.as_str()).collect()
    }
}

/// A strategy's own sources, those outside that it says it depends on, and the modules beside these, which they import.
fn sources(strategy: &Strategy, place: &Path) -> io::Result<String> {
    let catalog = place.parent().unwrap_or(Path::new("/"));
    let mut modules = Vec::new();
    for neighbour in neighbours(strategy) {
        let copy = catalog.join(neighbour.file_name().unwrap_or_default());
        modules.extend(
            files_of(&copy, is_source).filter(|file| file.as_ref().is_ok_and(|file| is_python(file))).collect::<io::Result<Vec<_>>>()?,
        );
    }
    let depends = strategy.build.depends.iter().map(|path| match place.join(path).canonicalize() {
        Ok(copied) => copied,
        Err(_) => strategy.folder.join(path),
    });
    let roots: Vec<PathBuf> = std::iter::once(place.to_owned()).chain(depends).chain(modules).collect();
    fingerprint(&roots, &[])
}

fn put(digests: &mut BTreeMap<String, String>, what: &str, files: &[Artifact], folder: &Path) {
    if !files.is_empty() {
        // No file is read: it can't fail.
        digests.insert(what.to_owned(), fingerprint(&[], &listing(files, folder)).unwrap_or_default());
    }
}

fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "py")
}
