//! From Python objects to memory a kernel can read. A type that implements `FromPyObject` can stand in a function's signature:
//! PyO3 converts the argument before the body runs, and an error becomes the Python exception.

use std::borrow::Cow;

use pyo3::{
    exceptions::{PyOverflowError, PyTypeError},
    prelude::*,
    types::{PyFloat, PyInt, PyList},
};

use crate::{
    buffer::Memory,
    ffi::{View, room},
};

/// Bytes, never copied.
pub enum Bytes<'a> {
    /// A `bytes` object: two loads and its memory is at hand. It never changes, and the caller keeps it alive.
    Immutable(&'a [u8]),
    /// Any other object that exports a buffer, whatever its items: dearer, for the exporter fills in a description (format, shape,
    /// strides) on the heap and must be told when we are done.
    Buffer(Memory),
}

impl Bytes<'_> {
    /// Their memory.
    pub fn view(&self) -> PyResult<View<'_, u8>> {
        match self {
            Self::Immutable(bytes) => Ok(View::from(*bytes)),
            Self::Buffer(memory) => memory.bytes(),
        }
    }

    /// A slice, which promises that nobody writes to it: that is `bytes` itself, and of any other buffer a copy.
    pub fn unchanging(&self) -> PyResult<Cow<'_, [u8]>> {
        match self {
            Self::Immutable(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Buffer(memory) => Ok(Cow::Owned(memory.bytes()?.to_vec()?)),
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Bytes<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.extract() {
            return Ok(Self::Immutable(bytes)); // of a subclass, too: what it holds, not what its methods say
        }
        Memory::of_any_format(&object).map(Self::Buffer)
    }
}

/// Numbers: a list's are copied, a buffer's are not.
pub enum Floats {
    /// What was in a list. Every item is an object somewhere on the heap, so its value has to be fetched: that is the price of a
    /// list, whatever the binding.
    Unboxed(Vec<f64>),
    /// The memory of an `array('d')`, a NumPy array, a `memoryview`.
    Buffer(Memory),
}

impl Floats {
    /// Their memory.
    pub fn view(&self) -> PyResult<View<'_, f64>> {
        match self {
            Self::Unboxed(items) => Ok(View::from(items.as_slice())),
            Self::Buffer(memory) => memory.bytes().map(View::floats),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Floats {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(list) = object.cast::<PyList>() {
            return unboxed(&list).map(Self::Unboxed);
        }
        let memory = Memory::with_format(&object)?;
        if !memory.is_float64() {
            return Err(PyTypeError::new_err("a list or a buffer of one dimension and of float64 is required"));
        }
        Ok(Self::Buffer(memory))
    }
}

/// The values of a list of floats and ints.
///
/// `Vec<f64>` in the signature would do the same and more: it takes any sequence, through the iterator protocol, and pays
/// for that. A loop over `Bound<PyList>` indexes the list's own array. Each `item` holds a reference of its own while it lives:
/// that is why nothing breaks when an item's `__float__` empties the list, and it is most of what the loop costs.
fn unboxed(list: &Bound<'_, PyList>) -> PyResult<Vec<f64>> {
    let mut values = room(list.len())?;
    for item in list {
        if let Ok(float) = item.cast_exact::<PyFloat>() {
            values.push(float.value()); // one comparison of the type, one load
        } else {
            values.push(number(&item)?);
        }
    }
    Ok(values)
}

/// An int, a subclass of float or int, or whatever else offers `__float__`.
fn number(item: &Bound<'_, PyAny>) -> PyResult<f64> {
    if let Ok(int) = item.cast::<PyInt>()
        && let Ok(value) = int.extract::<i64>()
    {
        return Ok(value as f64); // rounds like float(int), at a fraction of the price
    }
    item.extract()
}

/// The values of a list of ints, each within 64 bits.
pub fn integers(list: &Bound<'_, PyList>) -> PyResult<Vec<i64>> {
    let mut values = room(list.len())?;
    for item in list {
        values.push(item.extract()?);
    }
    Ok(values)
}

/// Refuses what can't be called, before the first call: there may be none.
pub fn callable(f: &Bound<'_, PyAny>) -> PyResult<()> {
    if f.is_callable() { Ok(()) } else { Err(PyTypeError::new_err("a function is required")) }
}

/// How many: any int up to 64 bits, and the least of these for whatever is below.
///
/// `i64` in the signature makes an OverflowError of both, before anybody can see which of them is negative.
pub struct Count(pub i64);

impl<'py> FromPyObject<'_, 'py> for Count {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match object.extract() {
            Ok(n) => Ok(Self(n)),
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => {
                let n = object.py().import("operator")?.call_method1("index", (object,))?;
                if n.lt(0)? { Ok(Self(i64::MIN)) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }
}
