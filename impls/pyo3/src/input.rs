//! From Python objects to memory a kernel can read. A type that implements `FromPyObject` can stand in a function's signature:
//! PyO3 converts the argument before the body runs, and an error becomes the Python exception.

use std::borrow::Cow;

use pyo3::{
    buffer::{Element, PyBuffer, PyUntypedBuffer},
    exceptions::{PyBufferError, PyTypeError},
    prelude::*,
    types::{PyFloat, PyInt, PyList},
};

use crate::ffi::View;

/// Bytes, never copied.
pub enum Bytes<'a> {
    /// A `bytes` object: two loads and its memory is at hand. It never changes, and the caller keeps it alive.
    Immutable(&'a [u8]),
    /// Any other object that exports a buffer: dearer, for the exporter fills in a description (format, shape, strides) on the
    /// heap and must be told when we are done.
    Buffer(PyBuffer<u8>),
}

impl Bytes<'_> {
    /// Their memory.
    pub fn view(&self) -> PyResult<View<'_, u8>> {
        match self {
            Self::Immutable(bytes) => Ok(View::from(*bytes)),
            Self::Buffer(buffer) => view_of(buffer),
        }
    }

    /// A slice, which promises that nobody writes to it: that is `bytes` itself, and of any other buffer a copy.
    pub fn unchanging(&self, py: Python<'_>) -> PyResult<Cow<'_, [u8]>> {
        match self {
            Self::Immutable(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Buffer(buffer) => {
                view_of(buffer)?; // one that does not lie in one piece would be copied all the same
                buffer.to_vec(py).map(Cow::Owned)
            }
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Bytes<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.extract() {
            return Ok(Self::Immutable(bytes));
        }
        let buffer = one_dimensional::<u8>(&object)?;
        Ok(Self::Buffer(buffer.into_typed()?))
    }
}

/// Numbers: a list's are copied, a buffer's are not.
pub enum Floats {
    /// What was in a list. Every item is an object somewhere on the heap, so its value has to be fetched: that is the price of a
    /// list, whatever the binding.
    Unboxed(Vec<f64>),
    /// The memory of an `array('d')`, a NumPy array, a `memoryview`.
    Buffer(PyBuffer<f64>),
}

impl Floats {
    /// Their memory.
    pub fn view(&self) -> PyResult<View<'_, f64>> {
        match self {
            Self::Unboxed(items) => Ok(View::from(items.as_slice())),
            Self::Buffer(buffer) => view_of(buffer),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Floats {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(list) = object.cast::<PyList>() {
            return unboxed(&list).map(Self::Unboxed);
        }
        let buffer = one_dimensional::<f64>(&object)?;
        if buffer.len_bytes() == 0 {
            // An empty array('d') points at something that need not be aligned for a float, which into_typed would refuse.
            return Ok(Self::Unboxed(Vec::new()));
        }
        Ok(Self::Buffer(buffer.into_typed()?))
    }
}

/// The values of a list of floats and ints.
///
/// `Vec<f64>` in the signature would do the same and more: it takes any sequence, through the iterator protocol, and pays
/// for that. A loop over `Bound<PyList>` indexes the list's own array. Each `item` holds a reference of its own while it lives:
/// that is why nothing breaks when an item's `__float__` empties the list, and it is most of what the loop costs.
fn unboxed(list: &Bound<'_, PyList>) -> PyResult<Vec<f64>> {
    let mut values = Vec::with_capacity(list.len());
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
    let mut values = Vec::with_capacity(list.len());
    for item in list {
        values.push(item.extract()?);
    }
    Ok(values)
}

/// A buffer of one dimension with items of type `T`, in this machine's byte order.
///
/// PyO3 would say BufferError to a wrong format, which is a TypeError here. And it takes the mark of a foreign byte order, `>d`,
/// for its own on little-endian machines: so only formats without such a mark pass.
fn one_dimensional<T: Element>(object: &Bound<'_, PyAny>) -> PyResult<PyUntypedBuffer> {
    let buffer = PyUntypedBuffer::get(object)?;
    let native = matches!(buffer.format().to_bytes(), [_] | [b'@', _]);
    if !native || !T::is_compatible_format(buffer.format()) || buffer.dimensions() != 1 {
        let wanted = std::any::type_name::<T>();
        return Err(PyTypeError::new_err(format!("a buffer of one dimension and of {wanted} is required")));
    }
    Ok(buffer)
}

fn view_of<T: Element>(buffer: &PyBuffer<T>) -> PyResult<View<'_, T>> {
    View::of(buffer).ok_or_else(|| PyBufferError::new_err("the buffer does not lie in one piece"))
}
