//! Ints out: a list with an object for each.
//!
//! A `Vec` that is returned, or `PyList::new`, would do the same at the same price. But where there is no memory for an object, these
//! panic, and Rust's own vectors end the process when they can't grow: Python programs expect a MemoryError.
#![allow(unsafe_code)] // the C API's functions that say so

use pyo3::{ffi, prelude::*, types::PyList};

/// A list of so many ints.
pub fn list_of(py: Python<'_>, items: impl ExactSizeIterator<Item = i64>) -> PyResult<Bound<'_, PyList>> {
    let length = items.len() as ffi::Py_ssize_t; // of memory that there is: it fits
    // SAFETY: we are attached. A new reference, or null and an exception.
    let list = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyList_New(length)) }?;
    for (i, item) in (0..length).zip(items) {
        // SAFETY: as above.
        let number = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyLong_FromLongLong(item)) }?;
        // SAFETY: it has a place for i, which is empty, and which takes the reference over. Nobody else knows of the list.
        unsafe { ffi::PyList_SET_ITEM(list.as_ptr(), i, number.into_ptr()) };
    }
    // SAFETY: it was made as one.
    Ok(unsafe { list.cast_into_unchecked() })
}
