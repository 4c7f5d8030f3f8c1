//! A copy of what a run's lanes import from their folders, and of the worker's package, made when the run begins: an edit in its middle
//! reaches none of its workers. What set-up has built is not copied; it is looked at before every worker's start ([`super::imports`]).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bindbench_catalog::Strategy;
use bindbench_files::lock::Lock;
use miette::{Context, IntoDiagnostic, Result};

use super::layout::Layout;
use super::receipt::{files_of, is_source};

/// The copy. It is gone when this is; what a killed driver left goes when the next one is made.
#[derive(Debug)]
pub struct Frozen {
    folder: PathBuf,
    /// Folders of strategies, and their places here.
    copied: Vec<(PathBuf, PathBuf)>,
    _lock: Lock,
}

impl Frozen {
    /// Copies the worker's package; strategies follow as they are needed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn of(layout: &Layout, run: &str) -> Result<Self> {
        let all = layout.frozen();
        remove_orphans(&all);
        let folder = all.join(run);
        let lock = Lock::to_change(&all.join(format!("{run}.lock")), &folder)?;
        let mut frozen = Self { folder, copied: Vec::new(), _lock: lock };
        frozen.copy(&layout.pyscripts().join(PACKAGE), &frozen.worker().join(PACKAGE))?;
        Ok(frozen)
    }

    /// Folder of the worker's package.
    pub fn worker(&self) -> PathBuf {
        self.folder.join("pyscripts")
    }

    /// Where a strategy's sources are here. They are copied when they are asked for first; so are those of the strategies beside it that it
    /// depends on, and they are beside it here, too.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn strategy(&mut self, strategy: &Strategy) -> Result<PathBuf> {
        let catalog = strategy.folder.parent().unwrap_or(Path::new("/")).to_owned();
        let known = self.copied.iter().find(|(original, _)| original.parent() == Some(&catalog));
        let beside = known.and_then(|(_, place)| place.parent()).map(Path::to_owned);
        let beside = beside.unwrap_or_else(|| self.folder.join(self.copied.len().to_string()));
        for original in std::iter::once(strategy.folder.clone()).chain(neighbours(strategy)) {
            if !self.copied.iter().any(|(copied, _)| *copied == original) {
                self.copy(&original, &beside.join(original.file_name().unwrap_or_default()))?;
            }
        }
        Ok(beside.join(strategy.folder.file_name().unwrap_or_default()))
    }

    /// A text in which the copies have the names of what they are copies of: those are what people know, and can open.
    pub fn as_original(&self, text: &str) -> String {
        let named = |text: String, (original, place): &(PathBuf, PathBuf)| {
            let (original, place) = (original.display().to_string(), place.display().to_string());
            text.replace(&format!("{place}/"), &format!("{original}/")).replace(&place, &original)
        };
        if text.contains(&*self.folder.to_string_lossy()) { self.copied.iter().fold(text.to_owned(), named) } else { text.to_owned() }
    }

    fn copy(&mut self, original: &Path, place: &Path) -> Result<()> {
        copy(original, place)
            .into_diagnostic()
            .wrap_err_with(|| format!("can't copy {} to {}, from where it is to be measured", original.display(), self.folder.display()))?;
        self.copied.push((original.to_owned(), place.to_owned()));
        Ok(())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // What can't be removed now, the next run removes.
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// The worker's package, in its folder.
const PACKAGE: &str = "bindbench_worker";

/// Folders of the strategies beside this one that its manifest says it depends on.
pub(super) fn neighbours(strategy: &Strategy) -> Vec<PathBuf> {
    let Some(catalog) = strategy.folder.parent() else { return Vec::new() };
    let beside = |path: &PathBuf| {
        let whole = strategy.folder.join(path).canonicalize().ok()?;
        let first = whole.strip_prefix(catalog).ok()?.components().next()?;
        let folder = catalog.join(first);
        (folder.is_dir() && folder != strategy.folder).then_some(folder)
    };
    let mut folders: Vec<PathBuf> = strategy.build.depends.iter().filter_map(beside).collect();
    folders.sort();
    folders.dedup();
    folders
}

fn copy(original: &Path, place: &Path) -> io::Result<()> {
    fs::create_dir_all(place)?;
    for file in files_of(original, is_source) {
        let file = file?;
        let to = place.join(file.strip_prefix(original).unwrap_or(&file));
        fs::create_dir_all(to.parent().unwrap_or(place))?;
        // Whoever edits a file may replace it meanwhile: what is there by then is copied.
        fs::copy(&file, &to)?;
    }
    Ok(())
}

/// Removes the copies of drivers that are gone.
fn remove_orphans(all: &Path) {
    for folder in fs::read_dir(all).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()) {
        let lock = all.join(format!("{}.lock", folder.file_name().unwrap_or_default().to_string_lossy()));
        if let Ok(_ours) = Lock::to_change(&lock, &folder) {
            fs::remove_dir_all(&folder).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_catalog::Catalog;

    #[test]
    fn sources_are_copied_with_those_beside_them_and_the_copies_of_the_dead_go() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(repository.join("pyscripts"), folder.path().join("pyscripts")).unwrap();
        let layout = Layout::at(folder.path());
        let dead = layout.frozen().join("dead");
        fs::create_dir_all(dead.join("1/steady")).unwrap();
        let (base, head) = (vec![repository.join("harness/tests/catalogs/steady")], vec![repository.join("impls")]);
        let catalog = Catalog::of_sides(&repository, ("--base", &base), ("--head", &head)).unwrap();
        let named = |name: &str| catalog.strategies.iter().find(|strategy| strategy.name == name).unwrap();
        let mut frozen = Frozen::of(&layout, "r1").unwrap();
        assert!(!dead.exists());
        assert!(frozen.worker().join("bindbench_worker/__main__.py").is_file());
        let multiprocess = named("multiprocess@head");
        let place = frozen.strategy(multiprocess).unwrap();
        assert!(place.join("bindbench_multiprocess/lane.py").is_file());
        assert!(place.join("../python/bindbench_python/pure/__init__.py").is_file(), "it imports what is beside it");
        assert_eq!(frozen.strategy(named("python@head")).unwrap(), place.with_file_name("python"));
        assert_ne!(frozen.strategy(named("steady@base")).unwrap().parent(), place.parent());
        let told = frozen.as_original(&format!("File \"{}/x.py\", line 3, not {}", place.display(), dead.display()));
        assert_eq!(told, format!("File \"{}/x.py\", line 3, not {}", multiprocess.folder.display(), dead.display()));
        let another = Frozen::of(&layout, "r2").unwrap();
        assert!(place.is_dir(), "another driver removed what is in use");
        drop((frozen, another));
        assert_eq!(fs::read_dir(layout.frozen()).unwrap().count(), 0);
    }
}
