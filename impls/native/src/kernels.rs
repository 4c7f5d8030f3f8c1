//! The shared library, reached as any other program reaches it: opened by path, its functions looked up by name. The contract is
//! in `bindbench_kernels.h`. Every name is resolved once, so a call is one jump through a pointer: what a C program pays for a
//! function of a shared library, too.
#![allow(unsafe_code)]

use std::env;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr;
use std::slice;

use bindbench_protocol::KERNELS;
use libloading::Library;
use thiserror::Error;

type Status = i32;
type Moment = unsafe extern "C" fn(*const f64, usize, *mut f64) -> Status;
type KmpFind = unsafe extern "C" fn(*const u8, usize, *const u8, usize, usize, usize, *mut Offsets) -> Status;
type FreeOffsets = unsafe extern "C" fn(*mut Offsets);

#[repr(C)]
struct Offsets {
    data: *mut u64,
    length: usize,
    capacity: usize,
}

/// The functions of the shared library.
pub struct Kernels {
    noop: unsafe extern "C" fn(),
    add: unsafe extern "C" fn(i64, i64) -> i64,
    length: unsafe extern "C" fn(*const u8, usize) -> usize,
    kmp_find: KmpFind,
    offsets_free: FreeOffsets,
    sum: Moment,
    mean: Moment,
    var: Moment,
    std: Moment,
    /// Never closed: the pointers above lead into it.
    _library: ManuallyDrop<Library>,
}

/// Why there are no kernels.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The driver names the library in the environment.
    #[error("{KERNELS} does not name the shared library of the kernels")]
    Unnamed,
    /// The system could not load it, or a function is missing.
    #[error(transparent)]
    Library(#[from] libloading::Error),
}

/// What a kernel says instead of a result.
#[derive(Debug, Error)]
pub enum Failure {
    /// `BB_EMPTY`.
    #[error("the data or the pattern is empty")]
    Empty,
    /// `BB_MEMORY`.
    #[error("memory allocation failed")]
    Memory,
    /// Any other status.
    #[error("the kernel returned status {0}")]
    Unknown(i32),
}

impl Kernels {
    /// Loads the library the environment names.
    pub fn load() -> Result<Self, LoadError> {
        let path = env::var_os(KERNELS).ok_or(LoadError::Unnamed)?;
        // SAFETY: the driver names the library it built from impls/kernels. It does nothing when loaded, and its functions have
        // the types `bindbench_kernels.h` gives them, which are those of the fields.
        unsafe {
            let library = Library::new(path)?;
            Ok(Self {
                noop: *library.get(b"bb_noop\0")?,
                add: *library.get(b"bb_add\0")?,
                length: *library.get(b"bb_length\0")?,
                kmp_find: *library.get(b"bb_kmp_find\0")?,
                offsets_free: *library.get(b"bb_offsets_free\0")?,
                sum: *library.get(b"bb_sum\0")?,
                mean: *library.get(b"bb_mean\0")?,
                var: *library.get(b"bb_var\0")?,
                std: *library.get(b"bb_std\0")?,
                _library: ManuallyDrop::new(library),
            })
        }
    }

    /// `bb_noop`.
    pub fn noop(&self) {
        // SAFETY: it asks for nothing.
        unsafe { (self.noop)() }
    }

    /// `bb_add`.
    pub fn add(&self, a: i64, b: i64) -> i64 {
        // SAFETY: any two numbers will do.
        unsafe { (self.add)(a, b) }
    }

    /// `bb_length`.
    pub fn length(&self, data: &[u8]) -> usize {
        // SAFETY: pointer and length are those of a slice.
        unsafe { (self.length)(data.as_ptr(), data.len()) }
    }

    /// `bb_kmp_find` over the whole text.
    pub fn kmp_find(&self, text: &[u8], pattern: &[u8]) -> Result<Found, Failure> {
        let mut found = Found { offsets: Offsets { data: ptr::null_mut(), length: 0, capacity: 0 }, free: self.offsets_free };
        // SAFETY: pointers and lengths are those of slices, and `found` is ours.
        let status =
            unsafe { (self.kmp_find)(text.as_ptr(), text.len(), pattern.as_ptr(), pattern.len(), 0, text.len(), &mut found.offsets) };
        outcome(status, found)
    }

    /// `bb_sum`.
    pub fn sum(&self, data: &[f64]) -> Result<f64, Failure> {
        moment(self.sum, data)
    }

    /// `bb_mean`.
    pub fn mean(&self, data: &[f64]) -> Result<f64, Failure> {
        moment(self.mean, data)
    }

    /// `bb_var`.
    pub fn var(&self, data: &[f64]) -> Result<f64, Failure> {
        moment(self.var, data)
    }

    /// `bb_std`.
    pub fn std(&self, data: &[f64]) -> Result<f64, Failure> {
        moment(self.std, data)
    }
}

fn moment(function: Moment, data: &[f64]) -> Result<f64, Failure> {
    let mut result = 0.0;
    // SAFETY: pointer and length are those of a slice, and `result` is ours.
    let status = unsafe { function(data.as_ptr(), data.len(), &mut result) };
    outcome(status, result)
}

fn outcome<Output>(status: Status, output: Output) -> Result<Output, Failure> {
    match status {
        0 => Ok(output),
        1 => Err(Failure::Empty),
        2 => Err(Failure::Memory),
        other => Err(Failure::Unknown(other)),
    }
}

/// Offsets in the library's own memory: read there, not copied, and given back when done with.
pub struct Found {
    offsets: Offsets,
    free: FreeOffsets,
}

// SAFETY: it owns its memory, and the library's functions may be called from any thread.
unsafe impl Send for Found {}

impl Deref for Found {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        if self.offsets.data.is_null() {
            return &[];
        }
        // SAFETY: `bb_kmp_find` put that many offsets there, and nobody changes them.
        unsafe { slice::from_raw_parts(self.offsets.data, self.offsets.length) }
    }
}

impl Drop for Found {
    fn drop(&mut self) {
        // SAFETY: zero or set by `bb_kmp_find`, and freed only here.
        unsafe { (self.free)(&mut self.offsets) }
    }
}
