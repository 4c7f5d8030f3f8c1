//! The memory of a Python object, by the buffer protocol (`Py_buffer`).
//!
//! PyO3 has `PyBuffer<T>`: its items are of one type, which is right for most. It refuses what has no strides to speak of (an array of
//! ctypes, a buffer of no dimension) and what does not lie where a `T` may. Here bytes may be anybody's.
#![allow(unsafe_code)] // the protocol is C's

use std::{
    ffi::{CStr, c_char, c_int},
    marker::PhantomPinned,
    pin::Pin,
    ptr::NonNull,
};

use pyo3::{
    exceptions::{PyBufferError, PyValueError},
    ffi,
    prelude::*,
};

use crate::ffi::View;

/// Memory that stays in place and alive as long as this does.
pub struct Memory(Pin<Box<Description>>);

/// Exporters may leave pointers in it that lead into it. So it never moves.
struct Description(ffi::Py_buffer, PhantomPinned);

impl Memory {
    /// Asks an object for its memory, whatever lies there: of dates NumPy can't say what they are, only where. What has none is a
    /// TypeError.
    pub fn of_any_format(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        match Self::of(object, ffi::PyBUF_SIMPLE) {
            // NumPy's word for memory with gaps, of which `bytes` has another one.
            Err(error) if error.is_instance_of::<PyValueError>(object.py()) => Self::with_format(object),
            asked => asked,
        }
    }

    /// Asks for it with a description, which [`Memory::is_float64`] looks at. What has gaps is no error yet.
    pub fn with_format(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::of(object, ffi::PyBUF_FULL_RO)
    }

    fn of(object: &Bound<'_, PyAny>, flags: c_int) -> PyResult<Self> {
        let mut description = Box::pin(Description(ffi::Py_buffer::new(), PhantomPinned));
        // SAFETY: nothing is moved out of the pin.
        let view = unsafe { &mut description.as_mut().get_unchecked_mut().0 };
        // SAFETY: we are attached, as there is a `Bound`; the object fills in the description, or raises.
        match unsafe { ffi::PyObject_GetBuffer(object.as_ptr(), view, flags) } {
            0 => Ok(Self(description)),
            _ => Err(PyErr::fetch(object.py())),
        }
    }

    /// Whether it has one dimension, and items of this machine's float64.
    pub fn is_float64(&self) -> bool {
        let Description(view, _) = &*self.0;
        if view.format.is_null() {
            return false; // bytes
        }
        // SAFETY: a format is a C string.
        let format = unsafe { CStr::from_ptr(view.format) }.to_bytes();
        let own_order = if cfg!(target_endian = "little") { b"<d" } else { b">d" };
        view.ndim == 1 && view.itemsize == 8 && (matches!(format, b"d" | b"@d" | b"=d") || format == own_order)
    }

    /// The bytes, whatever they stand for. What has gaps is a BufferError.
    pub fn bytes(&self) -> PyResult<View<'_, u8>> {
        let Description(view, _) = &*self.0;
        // SAFETY: the exporter filled it in.
        if unsafe { ffi::PyBuffer_IsContiguous(view, b'C' as c_char) } == 0 {
            return Err(PyBufferError::new_err("the buffer does not lie in one piece"));
        }
        let length = view.len.cast_unsigned();
        // SAFETY: so many bytes lie there, and the exporter keeps them until the buffer is released, which a borrow of it forbids.
        Ok(NonNull::new(view.buf.cast()).map_or(View::from(&[][..]), |start| unsafe { View::new(start, length) }))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: nothing is moved out of the pin.
        let view = unsafe { &mut self.0.as_mut().get_unchecked_mut().0 };
        // Where there is no interpreter any more, there is nothing to give back.
        // SAFETY: it was filled in, and is not used again.
        Python::try_attach(|_| unsafe { ffi::PyBuffer_Release(view) });
    }
}
