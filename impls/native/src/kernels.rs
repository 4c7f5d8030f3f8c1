//! The shared library, reached as any other program reaches it: opened by path, its functions looked up by name. The contract is
//! in `bindbench_kernels.h`. Every name is resolved once, so a call is one jump through a pointer: what a C program pays for a
//! function of a shared library, too.
#![allow(unsafe_code)]

use std::env;
use std::ffi::c_void;
use std::fs;
use std::io;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::path::PathBuf;
use std::ptr;
use std::slice;

use bindbench_protocol::{BPE, KERNELS};
use libloading::Library;
use thiserror::Error;

type Status = i32;
type Moment = unsafe extern "C" fn(*const f64, usize, *mut f64) -> Status;
type KmpFind = unsafe extern "C" fn(*const u8, usize, *const u8, usize, usize, usize, *mut Items<u64>) -> Status;
type BpeNew = unsafe extern "C" fn(*const u8, usize, *const u8, usize, *mut *mut c_void) -> Status;
type BpeEncode = unsafe extern "C" fn(*const c_void, *const u8, usize, *mut Items<u32>) -> Status;
type Free<Item> = unsafe extern "C" fn(*mut Items<Item>);

/// `bb_offsets`, `bb_tokens`.
#[repr(C)]
struct Items<Item> {
    data: *mut Item,
    length: usize,
    capacity: usize,
}

/// The functions of the shared library.
pub struct Kernels {
    noop: unsafe extern "C" fn(),
    add: unsafe extern "C" fn(i64, i64) -> i64,
    length: unsafe extern "C" fn(*const u8, usize) -> usize,
    kmp_find: KmpFind,
    offsets_free: Free<u64>,
    sum: Moment,
    mean: Moment,
    var: Moment,
    std: Moment,
    encoder: Result<Encoder, NoVocabulary>,
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

/// Why there is no byte pair encoding.
#[derive(Debug, Error)]
pub enum NoVocabulary {
    /// The driver names the folder in the environment.
    #[error("{BPE} does not name the folder of the vocabulary")]
    Unnamed,
    /// One of its two files.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        error: io::Error,
    },
    /// The library does not take it.
    #[error(transparent)]
    Refused(#[from] Failure),
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
    /// `BB_INVALID`.
    #[error("no UTF-8, or no vocabulary")]
    Invalid,
    /// `BB_OVERFLOW`.
    #[error("the sum does not fit 64 bits")]
    Overflow,
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
                encoder: {
                    let (encode, free) = (*library.get(b"bb_bpe_encode\0")?, *library.get(b"bb_tokens_free\0")?);
                    vocabulary(*library.get(b"bb_bpe_new\0")?).map(|vocabulary| Encoder { vocabulary, encode, free })
                },
                _library: ManuallyDrop::new(library),
            })
        }
    }

    /// `bb_noop`.
    pub fn noop(&self) {
        // SAFETY: it asks for nothing.
        unsafe { (self.noop)() }
    }

    /// `bb_add`, which wraps around: then the sum has another sign than both of its terms.
    pub fn add(&self, a: i64, b: i64) -> Result<i64, Failure> {
        // SAFETY: any two numbers will do.
        let sum = unsafe { (self.add)(a, b) };
        if (a ^ sum) & (b ^ sum) < 0 { Err(Failure::Overflow) } else { Ok(sum) }
    }

    /// `bb_length`.
    pub fn length(&self, data: &[u8]) -> usize {
        // SAFETY: pointer and length are those of a slice.
        unsafe { (self.length)(data.as_ptr(), data.len()) }
    }

    /// `bb_kmp_find` over the whole text.
    pub fn kmp_find(&self, text: &[u8], pattern: &[u8]) -> Result<Owned<u64>, Failure> {
        let mut found = Owned::freed_by(self.offsets_free);
        // SAFETY: pointers and lengths are those of slices, and `found` is ours.
        let status =
            unsafe { (self.kmp_find)(text.as_ptr(), text.len(), pattern.as_ptr(), pattern.len(), 0, text.len(), &mut found.items) };
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

    /// Byte pair encoding, which nothing but that workload needs.
    pub fn encoder(&self) -> Result<&Encoder, &NoVocabulary> {
        self.encoder.as_ref()
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
        5 => Err(Failure::Invalid),
        6 => Err(Failure::Overflow),
        other => Err(Failure::Unknown(other)),
    }
}

/// `bb_bpe_new` of the two files in the folder the environment names. What it makes stays until the process ends, as the library does.
fn vocabulary(new: BpeNew) -> Result<*const c_void, NoVocabulary> {
    let folder = env::var_os(BPE).map(PathBuf::from).ok_or(NoVocabulary::Unnamed)?;
    let read = |name| {
        let path = folder.join(name);
        fs::read(&path).map_err(|error| NoVocabulary::Unreadable { path, error })
    };
    let (tokens, classes) = (read("cl100k_base.tokens")?, read("unicode.classes")?);
    let mut vocabulary = ptr::null_mut();
    // SAFETY: pointers and lengths are those of vectors, and `vocabulary` is ours.
    let status = unsafe { new(tokens.as_ptr(), tokens.len(), classes.as_ptr(), classes.len(), &mut vocabulary) };
    Ok(outcome(status, vocabulary.cast_const())?)
}

/// `bb_bpe_encode` and the vocabulary for it.
pub struct Encoder {
    vocabulary: *const c_void,
    encode: BpeEncode,
    free: Free<u32>,
}

// SAFETY: a vocabulary never changes: the header lets threads share it.
unsafe impl Send for Encoder {}
// SAFETY: as above.
unsafe impl Sync for Encoder {}

impl Encoder {
    /// The tokens of a text.
    pub fn encode(&self, text: &str) -> Result<Owned<u32>, Failure> {
        let mut tokens = Owned::freed_by(self.free);
        // SAFETY: the vocabulary was made by `bb_bpe_new`, pointer and length are those of a `str`, and `tokens` is ours.
        let status = unsafe { (self.encode)(self.vocabulary, text.as_ptr(), text.len(), &mut tokens.items) };
        outcome(status, tokens)
    }
}

/// Items in the library's own memory: read there, not copied, and given back when done with.
pub struct Owned<Item> {
    items: Items<Item>,
    free: Free<Item>,
}

impl<Item> Owned<Item> {
    fn freed_by(free: Free<Item>) -> Self {
        Self { items: Items { data: ptr::null_mut(), length: 0, capacity: 0 }, free }
    }
}

// SAFETY: it owns its memory, and the library's functions may be called from any thread.
unsafe impl<Item: Send> Send for Owned<Item> {}

impl<Item> Deref for Owned<Item> {
    type Target = [Item];

    fn deref(&self) -> &[Item] {
        if self.items.data.is_null() {
            return &[];
        }
        // SAFETY: a kernel put that many items there, and nobody changes them.
        unsafe { slice::from_raw_parts(self.items.data, self.items.length) }
    }
}

impl<Item> Drop for Owned<Item> {
    fn drop(&mut self) {
        // SAFETY: zero or set by a kernel, and freed only here, by the function for these items.
        unsafe { (self.free)(&mut self.items) }
    }
}
