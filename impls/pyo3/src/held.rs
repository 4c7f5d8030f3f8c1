//! Lane `pyo3/held`: the kernel runs while this thread is attached to the interpreter. No other Python thread moves meanwhile.

use pyo3::{exceptions::PyValueError, prelude::*, types::PyList};

use crate::{
    boxed::list_of,
    ffi,
    input::{self, Bytes, Count, Floats},
    tokens::Tokens,
    vocabulary::bpe,
};

// call: the bare border. Each argument's conversion is its type's; returning () gives None, i64 a new int.

/// Nothing in, nothing out.
#[pyfunction]
pub fn noop() {
    ffi::noop();
}

/// Two ints unboxed, one boxed; an int beyond 64 bits is an OverflowError before the body runs.
#[pyfunction]
pub fn add(a: i64, b: i64) -> PyResult<i64> {
    Ok(ffi::add(a, b)?)
}

/// The length of bytes, not copied.
#[pyfunction]
pub fn length(data: Bytes<'_>) -> PyResult<usize> {
    Ok(ffi::length(data.view()?))
}

/// The sum of a list of ints, each unboxed.
#[pyfunction]
pub fn take_list(xs: &Bound<'_, PyList>) -> PyResult<i64> {
    Ok(ffi::take(&input::integers(xs)?)?)
}

/// 0, 1, … n − 1, each boxed.
#[pyfunction]
pub fn give_list<'py>(py: Python<'py>, n: Count) -> PyResult<Bound<'py, PyList>> {
    let n = usize::try_from(n.0).map_err(|_| PyValueError::new_err("n must not be negative"))?;
    list_of(py, ffi::give(n)?.into_iter())
}

/// The sum of f(i), called from native code. An exception of f is a `PyErr` here, carried through C and raised again by `?`.
#[pyfunction]
pub fn call_back(f: &Bound<'_, PyAny>, n: Count) -> PyResult<i64> {
    input::callable(f)?;
    ffi::call_back(n.0, |i| f.call1((i,))?.extract())
}

/// Raises RuntimeError.
#[pyfunction]
pub fn fail() -> PyResult<()> {
    Ok(ffi::fail()?)
}

// kmp

/// Every offset at which the pattern stands in the text.
#[pyfunction]
pub fn find_all<'py>(py: Python<'py>, text: Bytes<'_>, pattern: Bytes<'_>) -> PyResult<Bound<'py, PyList>> {
    let text = text.view()?;
    let found = ffi::find(text, pattern.view()?, 0..text.len())?;
    list_of(py, found.iter().map(|offset| offset.cast_signed())) // straight from the kernel's memory to ints, no Vec between
}

// std

/// The sum.
#[pyfunction]
pub fn sum(data: Floats) -> PyResult<f64> {
    Ok(ffi::sum(data.view()?)?)
}

/// The mean.
#[pyfunction]
pub fn mean(data: Floats) -> PyResult<f64> {
    Ok(ffi::mean(data.view()?)?)
}

/// The population variance.
#[pyfunction]
pub fn var(data: Floats) -> PyResult<f64> {
    Ok(ffi::var(data.view()?)?)
}

/// The population standard deviation. `#[pyfunction]` makes a module of the function's name, and one called `std` would hide
/// the standard library.
#[pyfunction(name = "std")]
pub fn std_(data: Floats) -> PyResult<f64> {
    Ok(ffi::std(data.view()?)?)
}

// bpe

/// The tokens of a text. A `str` comes as `&str`: its memory, if it is ASCII; else a copy in UTF-8 that Python makes once and keeps
/// with the `str`.
#[pyfunction]
pub fn encode<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyList>> {
    let tokens = bpe()?.encode(text)?;
    list_of(py, tokens.iter().copied().map(i64::from)) // an int for every token
}

/// The tokens of a text, where the kernel left them.
#[pyfunction]
pub fn encode_buffer(text: &str) -> PyResult<Tokens> {
    Ok(Tokens::new(bpe()?.encode(text)?))
}
