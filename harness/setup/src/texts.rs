//! Real text for byte pair encoding: English prose, code and text in many languages, out of the source distribution of Django that
//! `workloads/texts.lock` pins by its hash. PyPI has it; it is never committed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::process::Command;

use bindbench_catalog::Corpus;
use bindbench_files::atomic::{self, Scratch};
use bindbench_files::regular;
use flate2::read::GzDecoder;
use miette::{Context, IntoDiagnostic, Result, bail, miette};

use super::child;
use super::layout::Layout;
use super::receipt::sha256_of;

/// Makes the three texts, unless they are there and from this very distribution.
///
/// # Errors
/// When PyPI can't be reached, or the disk refuses.
pub fn make(layout: &Layout) -> Result<()> {
    let (folder, lock) = (layout.texts(), layout.texts_lock());
    let digest = sha256_of(&lock).into_diagnostic().wrap_err_with(|| format!("can't read {}", lock.display()))?;
    // Written last: where it is, everything is.
    let marker = folder.join("made-from-lock");
    if regular::read_to_string(&marker).is_ok_and(|made_from| made_from == digest) {
        return Ok(());
    }
    let fresh = || -> io::Result<Scratch> {
        fs::create_dir_all(&folder)?;
        Scratch::inside(&folder)
    };
    let download = fresh().into_diagnostic().wrap_err_with(|| format!("can't make a folder in {}", folder.display()))?;
    fetch(layout, download.path())?;
    let texts = extract(download.path()).into_diagnostic().wrap_err("can't read the source distribution of Django")?;
    for (corpus, text) in Corpus::ALL.into_iter().zip(&texts) {
        if text.is_empty() {
            bail!("the source distribution of Django that {} names has no {corpus}", lock.display());
        }
        let file = folder.join(corpus.file_name());
        atomic::replace(&file, text.as_bytes()).into_diagnostic().wrap_err_with(|| format!("can't write {}", file.display()))?;
    }
    atomic::replace(&marker, digest.as_bytes()).into_diagnostic().wrap_err_with(|| format!("can't write {}", marker.display()))
}

/// pip is the one installer that downloads a source distribution as it is. To know its name and version it runs the build backend,
/// setuptools, which the tools' environment has.
fn fetch(layout: &Layout, download: &Path) -> Result<()> {
    let mut command = Command::new(layout.tools().join("bin/python"));
    command
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"])
        // The text is wanted, on any Python.
        .args(["--ignore-requires-python", "--no-binary", ":all:", "--require-hashes", "--dest"])
        .arg(download)
        .arg("-r")
        .arg(layout.texts_lock())
        .env_remove("PYTHONPATH");
    let output = child::output(&mut command).into_diagnostic().wrap_err("can't run pip")?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
    Err(miette!(help = "the first set-up needs PyPI; after that, this is not done again", "can't download the texts:\n{last}"))
}

/// The files of each corpus in the order of their paths, one after the other.
fn extract(download: &Path) -> io::Result<[String; 3]> {
    let archive = fs::read_dir(download)?.filter_map(Result::ok).map(|entry| entry.path()).find(|path| path.is_file());
    let archive = archive.ok_or_else(|| io::Error::other("pip downloaded nothing"))?;
    let mut files = Vec::new();
    for entry in tar::Archive::new(GzDecoder::new(File::open(archive)?)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let Some(corpus) = Corpus::ALL.into_iter().position(|corpus| corpus.has(&path)) else { continue };
        let mut text = String::new();
        // A few tests are about other encodings.
        if entry.read_to_string(&mut text).is_ok() {
            files.push((path, corpus, text));
        }
    }
    files.sort();
    let mut texts = [const { String::new() }; 3];
    for (_, corpus, text) in files {
        texts[corpus].push_str(&text);
    }
    Ok(texts)
}
