//! Lane `pyo3/released`: arguments are converted attached, the kernel runs detached, the result is converted attached again.
//!
//! `Python::detach` releases the GIL and takes it back. The compiler helps: a `Bound` is not `Send`, so no Python object can be
//! touched inside. What may go in is memory: `bytes` never change and the caller keeps them alive; a buffer stays in place and
//! alive too, but another thread may now write to it (see [`View`](crate::ffi::View)).

use pyo3::{exceptions::PyValueError, prelude::*, types::PyList};

use crate::{
    boxed::list_of,
    ffi,
    input::{self, Bytes, Count, Floats},
    tokens::Tokens,
    vocabulary::bpe,
};

// call: what releasing costs when there is nothing to gain

/// Nothing in, nothing out.
#[pyfunction]
pub fn noop(py: Python<'_>) {
    py.detach(|| ffi::noop());
}

/// Two ints unboxed, one boxed.
#[pyfunction]
pub fn add(py: Python<'_>, a: i64, b: i64) -> PyResult<i64> {
    Ok(py.detach(|| ffi::add(a, b))?)
}

/// The length of bytes, not copied.
#[pyfunction]
pub fn length(py: Python<'_>, data: Bytes<'_>) -> PyResult<usize> {
    let data = data.view()?;
    Ok(py.detach(|| ffi::length(data)))
}

/// The sum of a list of ints. Unboxing needs the interpreter, so only the adding runs detached.
#[pyfunction]
pub fn take_list(py: Python<'_>, xs: &Bound<'_, PyList>) -> PyResult<i64> {
    let items = input::integers(xs)?;
    Ok(py.detach(|| ffi::take(&items))?)
}

/// 0, 1, … n − 1. Boxing needs the interpreter, so only the counting runs detached.
#[pyfunction]
pub fn give_list<'py>(py: Python<'py>, n: Count) -> PyResult<Bound<'py, PyList>> {
    let n = usize::try_from(n.0).map_err(|_| PyValueError::new_err("n must not be negative"))?;
    list_of(py, py.detach(|| ffi::give(n))?.into_iter())
}

/// The sum of f(i). Detached code that calls Python must attach for every call: this is what it costs. `Py` instead of `Bound`,
/// because it may cross.
#[pyfunction]
pub fn call_back(py: Python<'_>, f: Py<PyAny>, n: Count) -> PyResult<i64> {
    input::callable(f.bind(py))?;
    py.detach(|| ffi::call_back(n.0, |i| Python::attach(|py| f.call1(py, (i,))?.extract(py))))
}

/// Raises RuntimeError. The failure crosses as a plain value; the exception is made attached.
#[pyfunction]
pub fn fail(py: Python<'_>) -> PyResult<()> {
    Ok(py.detach(ffi::fail)?)
}

// kmp

/// Every offset at which the pattern stands in the text.
#[pyfunction]
pub fn find_all<'py>(py: Python<'py>, text: Bytes<'_>, pattern: Bytes<'_>) -> PyResult<Bound<'py, PyList>> {
    let (text, pattern) = (text.view()?, pattern.view()?);
    let found = py.detach(|| ffi::find(text, pattern, 0..text.len()))?;
    list_of(py, found.iter().map(|offset| offset.cast_signed()))
}

// std

/// The sum.
#[pyfunction]
pub fn sum(py: Python<'_>, data: Floats) -> PyResult<f64> {
    let data = data.view()?;
    Ok(py.detach(|| ffi::sum(data))?)
}

/// The mean.
#[pyfunction]
pub fn mean(py: Python<'_>, data: Floats) -> PyResult<f64> {
    let data = data.view()?;
    Ok(py.detach(|| ffi::mean(data))?)
}

/// The population variance.
#[pyfunction]
pub fn var(py: Python<'_>, data: Floats) -> PyResult<f64> {
    let data = data.view()?;
    Ok(py.detach(|| ffi::var(data))?)
}

/// The population standard deviation.
#[pyfunction(name = "std")]
pub fn std_(py: Python<'_>, data: Floats) -> PyResult<f64> {
    let data = data.view()?;
    Ok(py.detach(|| ffi::std(data))?)
}

// bpe: a `str` never changes, and the caller keeps it alive. Its `&str` may go in, no copy is needed.

/// The tokens of a text. Boxing needs the interpreter.
#[pyfunction]
pub fn encode<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyList>> {
    let bpe = bpe()?;
    let tokens = py.detach(|| bpe.encode(text))?;
    list_of(py, tokens.iter().copied().map(i64::from))
}

/// The tokens of a text, where the kernel left them.
#[pyfunction]
pub fn encode_buffer(py: Python<'_>, text: &str) -> PyResult<Tokens> {
    let bpe = bpe()?;
    Ok(Tokens::new(py.detach(|| bpe.encode(text))?))
}
