//! The C ABI of the shared kernels (`bindbench_kernels.h`) behind safe functions.
#![allow(unsafe_code)] // foreign functions can't be called without

use std::{ffi::c_void, marker::PhantomData, ops::Deref, ops::Range, ptr, ptr::NonNull, slice};

use pyo3::{
    PyErr,
    exceptions::{PyMemoryError, PyOverflowError, PyRuntimeError, PyValueError},
};

mod bb {
    use super::{Items, Status, c_void};

    pub type Callback = unsafe extern "C" fn(context: *mut c_void, i: i64, result: *mut i64) -> Status;

    unsafe extern "C" {
        pub safe fn bb_noop();
        pub safe fn bb_add(a: i64, b: i64) -> i64;
        pub safe fn bb_fail() -> Status;
        pub fn bb_length(data: *const u8, length: usize) -> usize;
        pub fn bb_take(items: *const i64, length: usize, sum: *mut i64) -> Status;
        pub fn bb_give(items: *mut i64, length: usize);
        pub fn bb_call_back(f: Callback, context: *mut c_void, n: i64, sum: *mut i64) -> Status;
        pub fn bb_kmp_find(
            text: *const u8,
            text_length: usize,
            pattern: *const u8,
            pattern_length: usize,
            start: usize,
            end: usize,
            found: *mut Items<u64>,
        ) -> Status;
        pub fn bb_offsets_free(found: *mut Items<u64>);
        pub fn bb_sum(data: *const f64, length: usize, result: *mut f64) -> Status;
        pub fn bb_mean(data: *const f64, length: usize, result: *mut f64) -> Status;
        pub fn bb_var(data: *const f64, length: usize, result: *mut f64) -> Status;
        pub fn bb_std(data: *const f64, length: usize, result: *mut f64) -> Status;
        pub fn bb_bpe_new(
            vocabulary: *const u8,
            vocabulary_length: usize,
            classes: *const u8,
            classes_length: usize,
            bpe: *mut *mut c_void,
        ) -> Status;
        pub fn bb_bpe_free(bpe: *mut c_void);
        pub fn bb_bpe_encode(bpe: *const c_void, text: *const u8, text_length: usize, tokens: *mut Items<u32>) -> Status;
        pub fn bb_tokens_free(tokens: *mut Items<u32>);
        pub fn bb_bpe_cut(bpe: *const c_void, text: *const u8, text_length: usize, near: usize) -> usize;
    }
}

type Status = i32;
const OK: Status = 0;
const EMPTY: Status = 1;
const MEMORY: Status = 2;
const CALLBACK: Status = 3;
const INVALID: Status = 5;
const OVERFLOW: Status = 6;

/// Why a kernel gave no result. A `?` turns it into the Python exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The input or the pattern is empty.
    Empty,
    /// An allocation failed.
    Memory,
    /// No vocabulary. (What the header says of UTF-8 can't happen: a `str` is.)
    Invalid,
    /// The result does not fit 64 bits.
    Overflow,
    /// The kernel failed, as `bb_fail` always does.
    Failed,
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Empty => PyValueError::new_err("empty input"),
            Failure::Memory => PyMemoryError::new_err(()),
            Failure::Invalid => PyValueError::new_err("no vocabulary"),
            Failure::Overflow => PyOverflowError::new_err("the sum does not fit 64 bits"),
            Failure::Failed => PyRuntimeError::new_err("the kernel failed"),
        }
    }
}

fn check(status: Status) -> Result<(), Failure> {
    match status {
        OK => Ok(()),
        EMPTY => Err(Failure::Empty),
        MEMORY => Err(Failure::Memory),
        INVALID => Err(Failure::Invalid),
        OVERFLOW => Err(Failure::Overflow),
        _ => Err(Failure::Failed),
    }
}

/// Room for so many items. `Vec::with_capacity` ends the process where there is none.
pub fn room<T>(count: usize) -> Result<Vec<T>, Failure> {
    let mut items = Vec::new();
    items.try_reserve_exact(count).map_err(|_| Failure::Memory)?;
    Ok(items)
}

/// Memory that someone else owns, for as long as `'a`.
///
/// A pointer and not a slice, because a slice promises that nobody writes to the memory while it lives. Nothing can promise that
/// of a `bytearray`: another thread may write to it while the GIL is released, and that is why `PyBuffer::as_slice` was
/// deprecated. This crate never looks through the pointer, it hands it on to a kernel, as C would. An answer about a buffer that
/// someone writes to meanwhile is worth nothing: that is the price of not copying, in every binding. Who can't rule it out
/// copies first (`PyBuffer::to_vec`) or passes `bytes`, which never change.
#[derive(Clone, Copy)]
pub struct View<'a, T> {
    start: NonNull<T>,
    length: usize,
    owner: PhantomData<&'a T>,
}

// SAFETY: a view only reads, and what it reads are plain numbers; it is as good on any thread as the `&'a [T]` it stands for.
unsafe impl<T: Sync> Send for View<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for View<'_, T> {}

impl<'a, T> From<&'a [T]> for View<'a, T> {
    fn from(items: &'a [T]) -> Self {
        Self { start: NonNull::from(items).cast(), length: items.len(), owner: PhantomData }
    }
}

impl<'a, T: Copy> View<'a, T> {
    /// So many items from an address on.
    ///
    /// # Safety
    /// They are there for as long as `'a`.
    pub unsafe fn new(start: NonNull<T>, length: usize) -> Self {
        Self { start, length, owner: PhantomData }
    }

    /// A copy, in memory of Rust's.
    pub fn to_vec(self) -> Result<Vec<T>, Failure> {
        let mut items = room(self.length)?;
        // SAFETY: a view is valid for its length; there is room for as much, which then is set.
        unsafe {
            self.start.as_ptr().copy_to_nonoverlapping(items.as_mut_ptr(), self.length);
            items.set_len(self.length);
        }
        Ok(items)
    }
}

impl<'a> View<'a, u8> {
    /// The float64 that these bytes are. A pointer to them need not be aligned, as a slice must: the kernels copy what is not.
    pub fn floats(self) -> View<'a, f64> {
        // SAFETY: the bytes are there for as long as 'a, and any eight are a float64.
        unsafe { View::new(self.start.cast(), self.length / size_of::<f64>()) }
    }
}

impl<'a, T> View<'a, T> {
    /// The number of items.
    pub fn len(self) -> usize {
        self.length
    }

    /// At most `length` items from `start` on.
    pub fn part(self, start: usize, length: usize) -> Self {
        let start = start.min(self.length);
        // SAFETY: start is within the items or one past the last.
        let first = unsafe { self.start.add(start) };
        Self { start: first, length: length.min(self.length - start), owner: PhantomData }
    }

    fn pointer(self) -> *const T {
        self.start.as_ptr()
    }
}

// call ----------------------------------------------------------------------------------------------------------------------

pub use bb::bb_noop as noop;

/// The sum. The kernel's wraps around: then it has another sign than both of its terms.
pub fn add(a: i64, b: i64) -> Result<i64, Failure> {
    let sum = bb::bb_add(a, b);
    if (a ^ sum) & (b ^ sum) < 0 { Err(Failure::Overflow) } else { Ok(sum) }
}

/// The length of the data, by way of the kernel.
pub fn length(data: View<'_, u8>) -> usize {
    // SAFETY: a view is valid for its length.
    unsafe { bb::bb_length(data.pointer(), data.len()) }
}

/// The sum, exact.
pub fn take(items: &[i64]) -> Result<i64, Failure> {
    let mut sum = 0;
    // SAFETY: a slice is valid for its length, and `sum` is ours.
    check(unsafe { bb::bb_take(items.as_ptr(), items.len(), &mut sum) })?;
    Ok(sum)
}

/// 0, 1, … n − 1.
pub fn give(n: usize) -> Result<Vec<i64>, Failure> {
    let mut items = room(n)?;
    // SAFETY: there is room for n items, and bb_give fills in all of them.
    unsafe {
        bb::bb_give(items.as_mut_ptr(), n);
        items.set_len(n);
    }
    Ok(items)
}

/// Calls `f` for 0 … n − 1 from the kernel's loop and sums up what it returns; stops at its first error.
pub fn call_back<F, E>(n: i64, f: F) -> Result<i64, E>
where
    F: FnMut(i64) -> Result<i64, E>,
    E: From<Failure>,
{
    struct Context<F, E> {
        f: F,
        error: Option<E>,
    }

    /// C knows neither closures nor `Result`: this puts the value where C wants it and leaves an error in the context. A panic
    /// in `f` ends the process here, it can't unwind through C.
    unsafe extern "C" fn trampoline<F, E>(context: *mut c_void, i: i64, result: *mut i64) -> Status
    where
        F: FnMut(i64) -> Result<i64, E>,
    {
        // SAFETY: bb_call_back hands on the context it got below, which nobody else touches meanwhile.
        let context = unsafe { &mut *context.cast::<Context<F, E>>() };
        match (context.f)(i) {
            Ok(value) => {
                // SAFETY: bb_call_back passes the address of its own variable.
                unsafe { *result = value };
                OK
            }
            Err(error) => {
                context.error = Some(error);
                CALLBACK
            }
        }
    }

    let mut context = Context { f, error: None };
    let mut sum = 0;
    // SAFETY: the trampoline is the one for this very context; both live until the call returns.
    let status = unsafe { bb::bb_call_back(trampoline::<F, E>, ptr::from_mut(&mut context).cast(), n, &mut sum) };
    match context.error {
        Some(error) => Err(error),
        None => Ok(check(status).map(|()| sum)?),
    }
}

/// Fails, always.
pub fn fail() -> Result<(), Failure> {
    check(bb::bb_fail())
}

// results in the library's own memory -----------------------------------------------------------------------------------------

/// `bb_offsets`, `bb_tokens`.
#[repr(C)]
pub struct Items<T> {
    data: *mut T,
    length: usize,
    capacity: usize,
}

/// What the kernels return more than one of.
pub trait Item: Sized {
    /// Gives them back.
    const FREE: unsafe extern "C" fn(*mut Items<Self>);
}

impl Item for u64 {
    const FREE: unsafe extern "C" fn(*mut Items<Self>) = bb::bb_offsets_free;
}

impl Item for u32 {
    const FREE: unsafe extern "C" fn(*mut Items<Self>) = bb::bb_tokens_free;
}

/// Items in memory of the kernels library, which frees it.
pub struct Owned<T: Item>(Items<T>);

/// Where a pattern stands.
pub type Offsets = Owned<u64>;
/// Ids of tokens.
pub type Tokens = Owned<u32>;

// SAFETY: the memory belongs to this value alone, and the kernels may free it on any thread.
unsafe impl<T: Item + Send> Send for Owned<T> {}
// SAFETY: who shares it can only read.
unsafe impl<T: Item + Sync> Sync for Owned<T> {}

impl<T: Item> Owned<T> {
    const EMPTY: Self = Self(Items { data: ptr::null_mut(), length: 0, capacity: 0 });
}

impl<T: Item> Deref for Owned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        if self.0.length == 0 {
            return &[]; // data may be null
        }
        // SAFETY: the kernel filled in length items from data on, and nobody changes them.
        unsafe { slice::from_raw_parts(self.0.data, self.0.length) }
    }
}

impl<T: Item> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: a kernel set it, or it is zero; it is not used afterwards.
        unsafe { T::FREE(&mut self.0) }
    }
}

// kmp -----------------------------------------------------------------------------------------------------------------------

/// Every offset within `starts` (cut to the text) at which the pattern stands; reads past its end where a match does.
pub fn find(text: View<'_, u8>, pattern: View<'_, u8>, starts: Range<usize>) -> Result<Offsets, Failure> {
    let mut offsets = Offsets::EMPTY;
    // SAFETY: views are valid for their lengths; the kernel cuts the range to the text.
    check(unsafe {
        bb::bb_kmp_find(text.pointer(), text.len(), pattern.pointer(), pattern.len(), starts.start, starts.end, &mut offsets.0)
    })?;
    Ok(offsets)
}

// std -----------------------------------------------------------------------------------------------------------------------

type Moment = unsafe extern "C" fn(data: *const f64, length: usize, result: *mut f64) -> Status;

fn moment(kernel: Moment, data: View<'_, f64>) -> Result<f64, Failure> {
    let mut result = 0.0;
    // SAFETY: all four kernels read length items from data on and write one result.
    check(unsafe { kernel(data.pointer(), data.len(), &mut result) })?;
    Ok(result)
}

/// The sum.
pub fn sum(data: View<'_, f64>) -> Result<f64, Failure> {
    moment(bb::bb_sum, data)
}

/// The mean.
pub fn mean(data: View<'_, f64>) -> Result<f64, Failure> {
    moment(bb::bb_mean, data)
}

/// The population variance.
pub fn var(data: View<'_, f64>) -> Result<f64, Failure> {
    moment(bb::bb_var, data)
}

/// The population standard deviation.
pub fn std(data: View<'_, f64>) -> Result<f64, Failure> {
    moment(bb::bb_std, data)
}

// bpe -----------------------------------------------------------------------------------------------------------------------

/// A vocabulary.
pub struct Bpe(NonNull<c_void>);

// SAFETY: it never changes; the header lets threads share it.
unsafe impl Send for Bpe {}
// SAFETY: as above.
unsafe impl Sync for Bpe {}

impl Bpe {
    /// From the contents of its two files.
    pub fn new(vocabulary: &[u8], classes: &[u8]) -> Result<Self, Failure> {
        let mut bpe = ptr::null_mut();
        // SAFETY: slices are valid for their lengths; both are copied.
        check(unsafe { bb::bb_bpe_new(vocabulary.as_ptr(), vocabulary.len(), classes.as_ptr(), classes.len(), &mut bpe) })?;
        NonNull::new(bpe).map(Self).ok_or(Failure::Failed)
    }

    /// The tokens of a text.
    pub fn encode(&self, text: &str) -> Result<Tokens, Failure> {
        let mut tokens = Tokens::EMPTY;
        // SAFETY: bb_bpe_new made the vocabulary; a str is valid for its length.
        check(unsafe { bb::bb_bpe_encode(self.0.as_ptr(), text.as_ptr(), text.len(), &mut tokens.0) })?;
        Ok(tokens)
    }

    /// The first place at or after `near` where the tokens of what is before and of what is after are those of the whole.
    pub fn cut(&self, text: &str, near: usize) -> usize {
        // SAFETY: as above.
        unsafe { bb::bb_bpe_cut(self.0.as_ptr(), text.as_ptr(), text.len(), near) }
    }
}

impl Drop for Bpe {
    fn drop(&mut self) {
        // SAFETY: bb_bpe_new made it; it is not used afterwards.
        unsafe { bb::bb_bpe_free(self.0.as_ptr()) }
    }
}
