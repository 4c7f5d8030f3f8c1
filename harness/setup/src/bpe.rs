//! What byte pair encoding needs: the vocabulary cl100k_base, and the classes of characters that its pattern speaks of. Both come
//! out of crates, so nothing is downloaded for them; `workloads/README.md` has the format of the files.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bindbench_files::{atomic, regular};
use miette::{Context, IntoDiagnostic, Result, bail, miette};
use regex_syntax::hir::{Class, HirKind};
use sha2::{Digest, Sha256};
use tiktoken_rs::{CoreBPE, Rank, cl100k_base_singleton};

use super::inputs::to_hex;
use super::receipt::{Artifact, listing};

/// Tokens of cl100k_base without the special ones; their ids are 0, 1, … and their ranks too.
const TOKENS: Rank = 100_256;

/// The name under which tiktoken (the Python package) looks for the vocabulary in `TIKTOKEN_CACHE_DIR`: the SHA-1 of the address
/// that it would download it from.
const CACHE_NAME: &str = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4";

/// SHA-256 of that file, as tiktoken itself checks it (`tiktoken_ext/openai_public.py`).
const CACHE_SHA256: &str = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7";

/// The oracle: tiktoken's own code, as a crate.
pub fn oracle() -> &'static CoreBPE {
    cl100k_base_singleton()
}

/// Writes the vocabulary and the classes into the folder, unless they are there as they were written.
///
/// # Errors
/// When the vocabulary is not the one that tiktoken knows, or the disk refuses.
pub fn make(folder: &Path) -> Result<()> {
    let version = unicode_version().ok_or_else(|| miette!("the crate regex-syntax knows no version of Unicode"))?;
    // Written last: where it is, everything is.
    let marker = folder.join("unicode.version");
    let made = || -> io::Result<String> { Ok([vec![version.clone()], listing(&contents(folder)?, folder)].concat().join("\n")) };
    if regular::read_to_string(&marker).is_ok_and(|then| made().is_ok_and(|now| now == then)) {
        return Ok(());
    }
    let tokens = tokens()?;
    let cache = cache_file(&tokens);
    let digest = to_hex(&Sha256::digest(&cache));
    if digest != CACHE_SHA256 {
        bail!("the vocabulary of the crate tiktoken-rs is not cl100k_base: SHA-256 {digest}, {CACHE_SHA256} was expected");
    }
    let classes = classes()?;
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        atomic::replace(&folder.join(CACHE_NAME), &cache)?;
        atomic::replace(&folder.join("cl100k_base.tokens"), &token_file(&tokens))?;
        atomic::replace(&folder.join("unicode.classes"), &classes)?;
        atomic::replace(&marker, made()?.as_bytes())
    };
    write().into_diagnostic().wrap_err_with(|| format!("can't write the vocabulary into {}", folder.display()))
}

/// The files that lanes read.
pub(super) fn contents(folder: &Path) -> io::Result<Vec<Artifact>> {
    [CACHE_NAME, "cl100k_base.tokens", "unicode.classes"].iter().map(|name| Artifact::of(&folder.join(name))).collect()
}

/// The version of Unicode that the oracle's regex engine knows: the latest age that it can parse.
pub fn unicode_version() -> Option<String> {
    let mut versions = (13..40).rev().flat_map(|major| [1, 0].map(|minor| format!("{major}.{minor}")));
    versions.find(|version| regex_syntax::parse(&format!(r"\p{{age={version}}}")).is_ok())
}

fn tokens() -> Result<Vec<Vec<u8>>> {
    let token = |id| oracle().decode_bytes(&[id]).map_err(|error| miette!("the crate tiktoken-rs has no token {id}: {error}"));
    (0..TOKENS).map(token).collect()
}

/// One line each: base64 of the token, its rank.
fn cache_file(tokens: &[Vec<u8>]) -> Vec<u8> {
    tokens.iter().enumerate().map(|(rank, token)| format!("{} {rank}\n", STANDARD.encode(token))).collect::<String>().into_bytes()
}

/// One byte with the length, and the bytes; the longest has 128.
fn token_file(tokens: &[Vec<u8>]) -> Vec<u8> {
    tokens.iter().flat_map(|token| std::iter::once(token.len() as u8).chain(token.iter().copied())).collect()
}

/// One byte for each code point: 0 other, 1 letter, 2 number, 3 white space.
fn classes() -> Result<Vec<u8>> {
    let mut classes = vec![0; char::MAX as usize + 1];
    for (class, pattern) in (1..).zip([r"\p{L}", r"\p{N}", r"\s"]) {
        let parsed = regex_syntax::parse(pattern).into_diagnostic()?;
        let HirKind::Class(Class::Unicode(ranges)) = parsed.kind() else { bail!("{pattern} is no class of characters") };
        for range in ranges.ranges() {
            classes[range.start() as usize..=range.end() as usize].fill(class);
        }
    }
    Ok(classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_have_the_classes_of_the_pattern() {
        let classes = classes().unwrap();
        let of = |c: char| classes[c as usize];
        assert_eq!("aÄſ漢ªʰ".chars().map(of).collect::<Vec<_>>(), [1; 6]);
        assert_eq!("7٣Ⅻ½²".chars().map(of).collect::<Vec<_>>(), [2; 5]);
        assert_eq!(" \t\n\r\u{85}\u{a0}\u{2028}\u{3000}".chars().map(of).collect::<Vec<_>>(), [3; 8]);
        // A combining mark is no letter, nor is the zero-width space white space.
        assert_eq!("'.\u{301}\u{200b}😀\0".chars().map(of).collect::<Vec<_>>(), [0; 6]);
    }

    #[test]
    fn the_vocabulary_is_the_published_one_and_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path()).unwrap();
        let file = fs::read(folder.path().join("cl100k_base.tokens")).unwrap();
        let (mut rest, mut count) = (&file[..], 0);
        while let Some((&length, after)) = rest.split_first() {
            (rest, count) = (&after[length as usize..], count + 1);
        }
        assert_eq!((count, &file[..4]), (TOKENS, &b"\x01!\x01\""[..]));
        let before = fs::metadata(folder.path().join(CACHE_NAME)).unwrap().modified().unwrap();
        make(folder.path()).unwrap();
        assert_eq!(fs::metadata(folder.path().join(CACHE_NAME)).unwrap().modified().unwrap(), before);
        // Two tokens in each other's place.
        let path = folder.path().join("cl100k_base.tokens");
        fs::write(&path, [b"\x01\"\x01!", &file[4..]].concat()).unwrap();
        make(folder.path()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), file);
    }

    #[test]
    fn there_is_one_regex_syntax_so_the_classes_are_the_oracles() {
        let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
        assert_eq!(lock.matches("name = \"regex-syntax\"").count(), 1);
        assert_eq!(unicode_version().as_deref(), Some("16.0"));
    }
}
