//! Lane `pyo3/rayon`: detached, and the kernel runs on pieces of the input, on all cores at once.
//!
//! Detaching first is not only polite: all Python threads share the pool, and a piece that waited for the GIL while the thread
//! that holds it waits for the piece would wait for ever. Here no piece needs the interpreter.
//!
//! Rayon starts its pool at the first use, with `std::thread::available_parallelism` threads, and keeps it. The pool does not
//! survive a fork: a child process that uses it hangs.

use std::ops::Deref;

use pyo3::{prelude::*, types::PyList};
use rayon::prelude::*;

use crate::{
    boxed::list_of,
    ffi::{self, Bpe, Failure, Offsets, View, room},
    input::{Bytes, Floats},
    tokens::Tokens,
    vocabulary::bpe,
};

/// Pieces large enough that handing them out costs nothing beside the work, and small enough that a slow core can be relieved
/// of its last ones. An input of one piece stays on the caller's thread.
const BYTES: usize = 256 * 1024;
const FLOATS: usize = 16 * 1024;
const TEXT: usize = 16 * 1024;

/// Every offset at which the pattern stands in the text.
#[pyfunction]
pub fn find_all<'py>(py: Python<'py>, text: Bytes<'_>, pattern: Bytes<'_>) -> PyResult<Bound<'py, PyList>> {
    let (text, pattern) = (text.view()?, pattern.view()?);
    list_of(py, py.detach(|| find(text, pattern))?.into_iter().map(u64::cast_signed))
}

/// The sum.
#[pyfunction]
pub fn sum(py: Python<'_>, data: Floats) -> PyResult<f64> {
    let data = data.view()?;
    Ok(py.detach(|| total(data))?)
}

/// The mean.
#[pyfunction]
pub fn mean(py: Python<'_>, data: Floats) -> PyResult<f64> {
    let data = data.view()?;
    Ok(py.detach(|| total(data))? / data.len() as f64)
}

/// The population variance.
#[pyfunction]
pub fn var(py: Python<'_>, data: Floats) -> PyResult<f64> {
    let data = data.view()?;
    Ok(py.detach(|| moments(data))?.var())
}

/// The population standard deviation.
#[pyfunction(name = "std")]
pub fn std_(py: Python<'_>, data: Floats) -> PyResult<f64> {
    let data = data.view()?;
    Ok(py.detach(|| moments(data))?.var().sqrt())
}

/// The tokens of a text.
#[pyfunction]
pub fn encode<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyList>> {
    let bpe = bpe()?;
    list_of(py, py.detach(|| tokens(bpe, text))?.into_iter().map(i64::from))
}

/// The tokens of a text, not boxed.
#[pyfunction]
pub fn encode_buffer(py: Python<'_>, text: &str) -> PyResult<Tokens> {
    let bpe = bpe()?;
    Ok(Tokens::new(py.detach(|| tokens(bpe, text))?))
}

/// The kernel takes a range of starts and reads past its end: a match across a border belongs to the piece it starts in.
fn find(text: View<'_, u8>, pattern: View<'_, u8>) -> Result<Vec<u64>, Failure> {
    if text.len() <= BYTES {
        return joined(&[ffi::find(text, pattern, 0..text.len())?]);
    }
    let found: Vec<Offsets> = (0..text.len())
        .into_par_iter()
        .step_by(BYTES)
        .map(|start| ffi::find(text, pattern, start..start + BYTES))
        .collect::<Result<_, _>>()?; // in the order of the text, whichever was ready first
    joined(&found)
}

/// A token can't be cut, so the kernel says where a text may be. Its parts are encoded in any order and put together in theirs.
fn tokens(bpe: &Bpe, text: &str) -> Result<Vec<u32>, Failure> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(bpe.cut(rest, TEXT));
        parts.push(part);
        rest = after;
    }
    let parts: Vec<ffi::Tokens> = parts.into_par_iter().map(|part| bpe.encode(part)).collect::<Result<_, _>>()?;
    joined(&parts)
}

/// What was found in the pieces, one after another.
pub fn joined<T: Copy>(parts: &[impl Deref<Target = [T]>]) -> Result<Vec<T>, Failure> {
    let mut all = room(parts.iter().map(|part| part.len()).sum())?;
    for part in parts {
        all.extend_from_slice(part);
    }
    Ok(all)
}

/// What the kernel makes of each piece, in the order of the data. They are put together in that order too, not as they get
/// ready: the same input always gives the same last bit.
fn pieces<R, K>(data: View<'_, f64>, kernel: K) -> Result<Vec<R>, Failure>
where
    R: Send,
    K: Fn(View<'_, f64>) -> Result<R, Failure> + Sync,
{
    if data.len() <= FLOATS {
        return Ok(vec![kernel(data)?]);
    }
    let starts = (0..data.len()).into_par_iter().step_by(FLOATS);
    starts.map(|start| kernel(data.part(start, FLOATS))).collect()
}

fn total(data: View<'_, f64>) -> Result<f64, Failure> {
    Ok(pieces(data, ffi::sum)?.into_iter().sum())
}

fn moments(data: View<'_, f64>) -> Result<Moments, Failure> {
    let pieces = pieces(data, Moments::of)?;
    pieces.into_iter().reduce(Moments::with).ok_or(Failure::Empty)
}

/// What is enough to know of a piece to get the variance of the whole.
#[derive(Clone, Copy)]
struct Moments {
    count: f64,
    mean: f64,
    /// The sum of the squared deviations from the mean.
    squares: f64,
}

impl Moments {
    fn of(data: View<'_, f64>) -> Result<Self, Failure> {
        let count = data.len() as f64;
        Ok(Self { count, mean: ffi::mean(data)?, squares: ffi::var(data)? * count })
    }

    /// Both pieces together: Chan, Golub & LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances"
    /// (1979). Unlike sums of squares it loses no digits when the mean is large.
    fn with(self, other: Self) -> Self {
        let count = self.count + other.count;
        let distance = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + distance * (other.count / count),
            squares: self.squares + other.squares + distance * distance * (self.count * other.count / count),
        }
    }

    fn var(self) -> f64 {
        self.squares / self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_give_the_variance_of_the_whole() {
        let data: Vec<f64> = (0..3 * FLOATS + 7).map(|i| 1e9 + (i * 7919 % 1000) as f64).collect();
        let mean = data.iter().sum::<f64>() / data.len() as f64;
        let var = data.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / data.len() as f64;
        let found = moments(View::from(data.as_slice())).expect("the data are not empty");
        assert!((found.var() - var).abs() < 1e-9 * var, "{} is not {var}", found.var());
        assert!((found.mean - mean).abs() < 1e-15 * mean, "{} is not {mean}", found.mean);
    }

    #[test]
    fn what_is_not_finite_stays_so_across_pieces() {
        let of = |kernel: fn(View<'_, f64>) -> Result<f64, Failure>, data: &[f64]| kernel(View::from(data)).expect("not empty");
        let var = |data: View<'_, f64>| moments(data).map(Moments::var);
        let mut data = vec![1.0; 3 * FLOATS];
        data[FLOATS + 1] = f64::INFINITY;
        assert_eq!(of(total, &data), f64::INFINITY);
        assert!(!of(var, &data).is_finite());
        data[2 * FLOATS + 1] = f64::NEG_INFINITY;
        assert!(of(total, &data).is_nan());
        assert!(!of(var, &data).is_finite());
        data.fill(1e308);
        assert_eq!(of(total, &data), f64::INFINITY);
        let spread = of(var, &data);
        assert!(!spread.is_finite() || spread == 0.0, "{spread}");
        data[0] = f64::NAN;
        assert!(of(total, &data).is_nan());
        assert!(!of(var, &data).is_finite());
    }

    #[test]
    fn a_match_across_a_border_is_found_once() {
        let mut text = vec![b'a'; 2 * BYTES + 5];
        let places = [0, BYTES - 2, BYTES - 1, BYTES, 2 * BYTES - 1, 2 * BYTES + 2];
        for &place in &places {
            text[place..place + 3].copy_from_slice(b"xyz");
        }
        let naive: Vec<u64> = (0..text.len()).filter(|&i| text[i..].starts_with(b"xyz")).map(|i| i as u64).collect();
        let found = find(View::from(text.as_slice()), View::from(b"xyz".as_slice()));
        assert_eq!(found, Ok(naive));
    }

    #[test]
    fn tokens_of_parts_are_those_of_the_whole() {
        let mut vocabulary: Vec<u8> = (0..=u8::MAX).flat_map(|byte| [1, byte]).collect();
        vocabulary.extend(b"\x02ab\x04abab");
        let mut classes = vec![0; 0x11_0000];
        classes[usize::from(b'a')] = 1;
        classes[usize::from(b'b')] = 1;
        let bpe = Bpe::new(&vocabulary, &classes).expect("as it should be");
        for text in ["", "abab", &"ababab é!".repeat(TEXT / 2), &"ab".repeat(TEXT)] {
            let whole = bpe.encode(text).map(|tokens| tokens.to_vec());
            assert_eq!(tokens(&bpe, text), whole);
        }
    }

    #[test]
    fn nothing_is_a_failure_and_no_crash() {
        let nothing: &[f64] = &[];
        assert_eq!(total(View::from(nothing)), Err(Failure::Empty));
        assert_eq!(moments(View::from(nothing)).err(), Some(Failure::Empty));
        assert_eq!(find(View::from(&[0; 2 * BYTES][..]), View::from(&[][..])), Err(Failure::Empty));
    }
}
