//! Receipts: proof that a strategy is built for an interpreter, and is what it says.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use bindbench_files::{atomic, regular};
use bindbench_model::{BuildRecord, Lines};
use miette::{Context, IntoDiagnostic, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::inputs::to_hex;

/// What a build left, and from what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The strategy's name.
    pub strategy: String,
    /// Name of the interpreter; none for a native strategy.
    pub interpreter: Option<String>,
    /// SHA-256 over everything the build depends on: sources, tools, interpreter, kernels.
    pub fingerprint: String,
    /// When it was built, RFC 3339.
    pub built: String,
    /// How long that took.
    pub seconds: f64,
    /// The commands run: compilers and flags to the letter.
    pub commands: Vec<Vec<String>>,
    /// The tools' versions.
    pub tools: BTreeMap<String, String>,
    /// The files it left.
    pub artifacts: Vec<Artifact>,
    /// Folder on the workers' search path.
    pub out: PathBuf,
    /// Why it could not be built; none if it could.
    pub failure: Option<String>,
    /// Lane → why its packages could not be installed.
    #[serde(default)]
    pub without_packages: BTreeMap<String, String>,
    /// How long a build from nothing took, and one after a change; none until it was timed.
    #[serde(default)]
    pub timed: Option<TimedBuilds>,
    /// Its sources, counted.
    #[serde(default)]
    pub lines: Lines,
}

/// How long builds take, on their own on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimedBuilds {
    /// Seconds from nothing.
    pub clean_s: f64,
    /// Seconds after the sources were touched, with what the tools keep from one build to the next.
    pub incremental_s: f64,
}

/// A file with its digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// The file.
    pub path: PathBuf,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
}

impl Artifact {
    /// Reads a file's digest.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), sha256: sha256_of(path)?, bytes: fs::metadata(path)?.len() })
    }

    /// Whether the file on disk is the one of the receipt; if not, how it differs.
    ///
    /// # Errors
    /// A sentence.
    pub fn verify(&self) -> Result<(), String> {
        match sha256_of(&self.path) {
            Ok(sha256) if sha256 == self.sha256 => Ok(()),
            Ok(_) => Err(format!("{} is not the file that was built: its SHA-256 differs from the receipt's", self.path.display())),
            Err(error) => Err(format!("{} was built but can't be read now: {error}", self.path.display())),
        }
    }
}

impl Receipt {
    /// Reads a receipt; none when there is none that can be understood.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&regular::read_to_string(path).ok()?).ok()
    }

    /// What a run keeps of it.
    pub fn for_the_run(&self) -> BuildRecord {
        BuildRecord {
            clean_s: self.timed.map(|timed| timed.clean_s),
            incremental_s: self.timed.map(|timed| timed.incremental_s),
            artifact_bytes: self.artifacts.iter().map(|artifact| artifact.bytes).fold(0, u64::saturating_add),
            lines: self.lines,
        }
    }

    /// Writes it, replacing an older one whole.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, path: &Path) -> Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let write = || -> io::Result<()> {
            fs::create_dir_all(folder)?;
            atomic::replace(path, &serde_json::to_vec_pretty(self)?)
        };
        write().into_diagnostic().wrap_err_with(|| format!("can't write the receipt {}", path.display()))
    }
}

/// The files of a folder by name and digest, a line each.
pub(super) fn listing(files: &[Artifact], folder: &Path) -> Vec<String> {
    let name = |file: &Artifact| file.path.strip_prefix(folder).unwrap_or(&file.path).display().to_string();
    files.iter().map(|file| format!("{} {}", name(file), file.sha256)).collect()
}

/// The digests of those files of a folder that are wanted; `enter` says which files and folders below it are looked at.
pub(super) fn artifacts(folder: &Path, enter: impl Fn(&Path) -> bool, wanted: impl Fn(&Path) -> bool) -> io::Result<Vec<Artifact>> {
    let files = files_of(folder, enter).filter(|file| file.as_ref().map_or(true, |file| wanted(file)));
    files.map(|file| Artifact::of(&file?)).collect()
}

/// SHA-256 of a file, hexadecimal. Lanes of one strategy share their artifacts: a file that has the size, the time and the inode of when
/// this process read it is not read again.
///
/// # Errors
/// When it can't be read.
pub fn sha256_of(path: &Path) -> io::Result<String> {
    static KNOWN: LazyLock<Mutex<HashMap<Stamp, String>>> = LazyLock::new(Mutex::default);
    let stamp = Stamp::of(path)?;
    if let Some(known) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&stamp) {
        return Ok(known.clone());
    }
    let sha256 = read_sha256(path)?;
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(stamp, sha256.clone());
    Ok(sha256)
}

/// What changes when a file does.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Stamp {
    path: PathBuf,
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let file = fs::metadata(path)?;
        if !file.is_file() {
            // Reading a pipe or a device may never end.
            return Err(io::Error::other("it is no regular file"));
        }
        // The time of the last change of anything about it, which no program can set.
        let changed = (file.ctime(), file.ctime_nsec());
        Ok(Self { path: path.to_owned(), device: file.dev(), inode: file.ino(), bytes: file.len(), changed })
    }
}

fn read_sha256(path: &Path) -> io::Result<String> {
    let mut file = regular::open(path)?;
    let (mut digest, mut block) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut block)? {
            0 => return Ok(to_hex(&digest.finalize())),
            n => digest.update(&block[..n]),
        }
    }
}

/// SHA-256 over files and folders (in the order of their names, with their names) and further texts: what a build depends on.
/// Left out is what does not go into a build: caches, cargo's target folders, Markdown.
///
/// # Errors
/// When a file can't be read.
pub fn fingerprint(paths: &[PathBuf], texts: &[String]) -> io::Result<String> {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    }
    for root in paths {
        for file in files_of(root, |path| is_source(path) && path.extension().is_none_or(|extension| extension != "md")) {
            let file = file?;
            digest.update(file.strip_prefix(root).unwrap_or(&file).as_os_str().as_encoded_bytes());
            digest.update(sha256_of(&file)?);
        }
    }
    Ok(to_hex(&digest.finalize()))
}

/// The files of a folder (or the one file) in the order of their names, with those that links lead to, since that is what is built and
/// imported; `enter` says which files and folders below it count.
pub fn files_of(root: &Path, enter: impl Fn(&Path) -> bool) -> impl Iterator<Item = io::Result<PathBuf>> {
    let entries = walkdir::WalkDir::new(root).follow_links(true).sort_by_file_name();
    let entries = entries.into_iter().filter_entry(move |entry| entry.depth() == 0 || enter(entry.path()));
    entries.filter_map(|entry| match entry {
        Ok(entry) => entry.file_type().is_file().then(|| Ok(entry.into_path())),
        // A link back to a folder around it leads to nothing new; one that leads nowhere, to nothing.
        Err(error) if error.loop_ancestor().is_some() => None,
        Err(error) if error.depth() > 0 && error.path().is_some_and(Path::is_symlink) => None,
        Err(error) => Some(Err(error.into())),
    })
}

/// Whether a file or folder may be part of the sources. Caches are not, nor what cargo makes beside a `Cargo.toml`, nor what is hidden.
pub fn is_source(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_cargo_s = || name == "target" && path.with_file_name("Cargo.toml").exists();
    !(name == "__pycache__" || name.starts_with('.') || is_cargo_s())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_what_links_lead_to_and_no_caches() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("lane");
        for (path, text) in
            [("a.py", "1"), ("b.md", "2"), (".hidden", "3"), ("__pycache__/a.pyc", "4"), ("Cargo.toml", "5"), ("target/made", "6")]
        {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        fs::create_dir_all(root.join("package/target")).unwrap();
        fs::write(root.join("package/target/module.py"), "7").unwrap();
        fs::write(folder.path().join("outside.py"), "8").unwrap();
        for (target, link) in [("../outside.py", "link.py"), (".", "round"), ("nowhere", "dangling")] {
            std::os::unix::fs::symlink(target, root.join(link)).unwrap();
        }
        let files: Vec<PathBuf> = files_of(&root, is_source).map(|file| file.unwrap().strip_prefix(&root).unwrap().to_owned()).collect();
        assert_eq!(files, ["Cargo.toml", "a.py", "b.md", "link.py", "package/target/module.py"].map(PathBuf::from));
        let before = fingerprint(std::slice::from_ref(&root), &[]).unwrap();
        fs::write(root.join("b.md"), "no part of a build").unwrap();
        assert_eq!(fingerprint(std::slice::from_ref(&root), &[]).unwrap(), before);
        fs::write(folder.path().join("outside.py"), "9").unwrap();
        assert_ne!(fingerprint(&[root], &[]).unwrap(), before);
    }

    #[test]
    fn a_file_that_changes_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.so");
        let mut seen = Vec::new();
        for text in ["one", "two", "six"] {
            // In place and by replacement: the length stays the same.
            if text == "two" {
                atomic::replace(&path, text.as_bytes()).unwrap()
            } else {
                fs::write(&path, text).unwrap()
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
            let artifact = Artifact::of(&path).unwrap();
            assert_eq!(artifact.verify(), Ok(()));
            assert_eq!(artifact.sha256, read_sha256(&path).unwrap());
            seen.push(artifact);
        }
        assert!(seen[0].verify().unwrap_err().contains("is not the file that was built"));
        assert!(sha256_of(&folder.path().join("gone")).is_err());
        assert!(sha256_of(Path::new("/dev/zero")).is_err_and(|error| error.to_string().contains("no regular file")));
    }
}
