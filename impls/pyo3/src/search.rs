//! Lane `pyo3/search`: the substring search of Rust's standard library on Rayon's threads, detached. A kernel of its own: what a talk
//! published as "PyO3" beside Knuth–Morris–Pratt in other languages.
//!
//! `str::find` is the two-way algorithm (M. Crochemore and D. Perrin, "Two-way string-matching", Journal of the ACM 38, 1991). The
//! standard library has it for text only, so bytes are first checked to be UTF-8, which is part of the time.

use std::{ops::Range, str};

use pyo3::{prelude::*, types::PyList};
use rayon::prelude::*;

use crate::{boxed::list_of, ffi::Failure, input::Bytes, parallel::joined};

/// Pieces as large as `parallel.rs` makes them.
const BYTES: usize = 256 * 1024;

/// Every offset at which the pattern stands in the text.
#[pyfunction]
pub fn find_all<'py>(py: Python<'py>, text: Bytes<'_>, pattern: Bytes<'_>) -> PyResult<Bound<'py, PyList>> {
    let (text, pattern) = (text.unchanging()?, pattern.unchanging()?);
    list_of(py, py.detach(|| find(&text, &pattern))?.into_iter().map(u64::cast_signed))
}

fn find(text: &[u8], pattern: &[u8]) -> Result<Vec<u64>, Failure> {
    if pattern.is_empty() {
        return Err(Failure::Empty);
    }
    let (Ok(text), Ok(pattern)) = (str::from_utf8(text), str::from_utf8(pattern)) else {
        return find_bytes(text, pattern);
    };
    let starts = (0..text.len()).into_par_iter().step_by(BYTES);
    // In the order of the text, whichever was ready first. A match belongs to the piece it starts in.
    let found = starts.map(|start| find_part(text, pattern, floor(text, start)..floor(text, start + BYTES)));
    joined(&found.collect::<Result<Vec<_>, _>>()?)
}

/// The matches that start in a part, which begins and ends between characters; they may end behind it.
fn find_part(text: &str, pattern: &str, starts: Range<usize>) -> Result<Vec<u64>, Failure> {
    let end = floor(text, starts.end + pattern.len() - 1);
    let mut found = Vec::new();
    let mut at = starts.start;
    while let Some(distance) = text[at..end].find(pattern) {
        at += distance;
        push(&mut found, at)?;
        at += text[at..].chars().next().map_or(1, char::len_utf8); // not past the match: the next one may overlap it
    }
    Ok(found)
}

/// `Vec::push` ends the process where the vector can't grow.
fn push(found: &mut Vec<u64>, at: usize) -> Result<(), Failure> {
    found.try_reserve(1).map_err(|_| Failure::Memory)?;
    found.push(at as u64);
    Ok(())
}

/// The last place up to this one where no character is cut.
fn floor(text: &str, mut place: usize) -> usize {
    place = place.min(text.len());
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    place
}

/// Bytes that are no text have no search in the standard library but this.
fn find_bytes(text: &[u8], pattern: &[u8]) -> Result<Vec<u64>, Failure> {
    let mut found = Vec::new();
    for (start, window) in text.windows(pattern.len()).enumerate() {
        if window == pattern {
            push(&mut found, start)?;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(text: &[u8], pattern: &[u8]) -> Vec<u64> {
        (0..text.len()).filter(|&i| text[i..].starts_with(pattern)).map(|i| i as u64).collect()
    }

    #[test]
    fn matches_across_borders_and_overlapping_ones_are_found_once() {
        let mut text = vec![b'a'; 2 * BYTES + 5];
        for place in [0, BYTES - 2, BYTES - 1, BYTES, 2 * BYTES - 1, 2 * BYTES + 2] {
            text[place..place + 3].copy_from_slice(b"xyx");
        }
        for pattern in [&b"xyx"[..], b"xy", b"x", b"aax", b"\0"] {
            assert_eq!(find(&text, pattern), Ok(naive(&text, pattern)));
        }
        assert_eq!(find(b"aaaa", b"aa"), Ok(vec![0, 1, 2]));
    }

    #[test]
    fn characters_and_bytes_that_are_none_are_not_confused() {
        let text = "é€aé".repeat(BYTES / 3);
        for pattern in ["é", "€a", "aéé", "a"] {
            assert_eq!(find(text.as_bytes(), pattern.as_bytes()), Ok(naive(text.as_bytes(), pattern.as_bytes())));
        }
        // The second byte of é is no text, and stands in one.
        assert_eq!(find("aé".as_bytes(), &[0xa9]), Ok(vec![2]));
        assert_eq!(find(&[0xff, b'a', 0xff], b"a"), Ok(vec![1]));
        assert_eq!(find(b"", b"a"), Ok(vec![]));
        assert_eq!(find(b"", b""), Err(Failure::Empty));
    }
}
