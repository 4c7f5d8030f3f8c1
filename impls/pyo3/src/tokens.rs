//! Ids of tokens as an object with the buffer protocol: Python looks at the memory they are in.

use std::{
    ffi::{c_int, c_void},
    ops::Deref,
    ptr,
};

use pyo3::{exceptions::PyBufferError, ffi, prelude::*};

/// Ids of tokens. `memoryview(tokens)` and `numpy.asarray(tokens)` get at them.
///
/// `frozen`: there is no `&mut`, so the memory stays where it is and as it is, for views on any thread.
#[pyclass(frozen, module = "bindbench_pyo3")]
pub struct Tokens {
    /// In memory of the kernels library, or of a `Vec`.
    ids: Box<dyn Deref<Target = [u32]> + Send + Sync>,
    /// Their number, which a view refers to.
    shape: ffi::Py_ssize_t,
}

impl Tokens {
    /// Takes them over, without copying.
    pub fn new(ids: impl Deref<Target = [u32]> + Send + Sync + 'static) -> Self {
        let shape = ids.len() as ffi::Py_ssize_t; // no slice has more than isize::MAX bytes
        Self { ids: Box::new(ids), shape }
    }
}

#[pymethods]
impl Tokens {
    /// `memoryview(self)`: read-only, of one dimension, without gaps, of uint32.
    ///
    /// Unsafe, because it fills in a C struct, with pointers that must be good for as long as the view lives. They lead into this
    /// object, to which the view holds a reference, or into the view. So nothing need be done when it goes (`__releasebuffer__`).
    #[allow(unsafe_code)]
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        // SAFETY: Python passes memory of its own for the struct, which need not be set. Now it is: zero, without an owner.
        let view = unsafe {
            view.write(ffi::Py_buffer::new());
            &mut *view
        };
        let asked_for = |flag| flags & flag == flag;
        if asked_for(ffi::PyBUF_WRITABLE) {
            return Err(PyBufferError::new_err("the buffer is read-only"));
        }
        let tokens = slf.get();
        view.buf = tokens.ids.as_ptr().cast::<c_void>().cast_mut();
        view.len = size_of_val::<[u32]>(&tokens.ids) as ffi::Py_ssize_t;
        view.itemsize = size_of::<u32>() as ffi::Py_ssize_t;
        view.readonly = 1;
        view.ndim = 1;
        if asked_for(ffi::PyBUF_FORMAT) {
            view.format = c"I".as_ptr().cast_mut();
        }
        if asked_for(ffi::PyBUF_ND) {
            view.shape = ptr::from_ref(&tokens.shape).cast_mut();
        }
        if asked_for(ffi::PyBUF_STRIDES) {
            view.strides = &mut view.itemsize;
        }
        view.obj = slf.into_any().into_ptr();
        Ok(())
    }
}
