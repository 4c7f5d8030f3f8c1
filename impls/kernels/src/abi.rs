//! The functions of `include/bindbench_kernels.h`, where the contract is written. No panic leaves them: what can fail has a status.
#![allow(unsafe_code, clippy::missing_safety_doc)]

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;
use std::slice;

use crate::bpe::Bpe;
use crate::{Error, call, kmp, moments};

/// What became of a call.
pub type Status = i32;
/// The result is there.
pub const BB_OK: Status = 0;
/// An empty input or pattern.
pub const BB_EMPTY: Status = 1;
/// Allocation failed.
pub const BB_MEMORY: Status = 2;
/// The callback asked to stop.
pub const BB_CALLBACK: Status = 3;
/// [`bb_fail`] was called.
pub const BB_FAILED: Status = 4;
/// No UTF-8, or no vocabulary.
pub const BB_INVALID: Status = 5;
/// The result does not fit 64 bits.
pub const BB_OVERFLOW: Status = 6;

/// Called with the context, the index and where to put the result.
pub type Callback = unsafe extern "C" fn(context: *mut c_void, i: i64, result: *mut i64) -> Status;

/// Items owned by this library, until they are given back.
#[repr(C)]
#[derive(Debug)]
pub struct Items<T> {
    /// NULL when there are none.
    pub data: *mut T,
    /// Number of items.
    pub length: usize,
    /// Number of items there is memory for.
    pub capacity: usize,
}

/// Ascending offsets: [`bb_offsets_free`] gives them back.
pub type Offsets = Items<u64>;
/// Ids of tokens: [`bb_tokens_free`] gives them back.
pub type Tokens = Items<u32>;

impl<T> Items<T> {
    /// Without items or memory.
    pub const EMPTY: Self = Self { data: ptr::null_mut(), length: 0, capacity: 0 };
}

impl<T> From<Vec<T>> for Items<T> {
    fn from(items: Vec<T>) -> Self {
        if items.capacity() == 0 {
            return Self::EMPTY; // an empty Vec's pointer dangles: C shall see NULL
        }
        let mut items = ManuallyDrop::new(items);
        Self { data: items.as_mut_ptr(), length: items.len(), capacity: items.capacity() }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Empty => BB_EMPTY,
            Error::Memory => BB_MEMORY,
            Error::Invalid => BB_INVALID,
            Error::Overflow => BB_OVERFLOW,
        }
    }
}

/// C may say "nothing" with NULL, Rust may not.
unsafe fn view<'a, T>(data: *const T, length: usize) -> &'a [T] {
    if length == 0 {
        return &[];
    }
    // SAFETY: the caller vouches for `length` items, which nobody changes during the call.
    unsafe { slice::from_raw_parts(data, length) }
}

/// A moment of data as C has them: `view[1:]` of a `memoryview` of bytes need not be where an `f64` may lie. Such data are copied.
unsafe fn moment(kernel: fn(&[f64]) -> Result<f64, Error>, data: *const f64, length: usize) -> Result<f64, Error> {
    if length == 0 || data.is_aligned() {
        // SAFETY: the caller vouches for `length` items.
        return kernel(unsafe { view(data, length) });
    }
    let mut aligned = Vec::new();
    aligned.try_reserve_exact(length).map_err(|_| Error::Memory)?;
    // SAFETY: the caller vouches for `length` items, wherever they lie; each is read by its bytes.
    aligned.extend((0..length).map(|i| unsafe { data.add(i).read_unaligned() }));
    kernel(&aligned)
}

unsafe fn put<T>(outcome: Result<T, Error>, result: *mut T) -> Status {
    match outcome {
        Ok(value) => {
            // SAFETY: the caller vouches for `result`; `write` does not read what was there, which C need not have set.
            unsafe { result.write(value) };
            BB_OK
        }
        Err(error) => error.into(),
    }
}

/// Gives items back and sets them to zero.
unsafe fn free<T>(items: *mut Items<T>) {
    // SAFETY: the caller vouches that they were set to zero or by a kernel.
    let Items { data, length, capacity } = unsafe { items.replace(Items::EMPTY) };
    if !data.is_null() {
        // SAFETY: the three come from a Vec<T> (`Items::from`).
        drop(unsafe { Vec::from_raw_parts(data, length, capacity) });
    }
}

/// Does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn bb_noop() {}

/// [`call::add`].
#[unsafe(no_mangle)]
pub extern "C" fn bb_add(a: i64, b: i64) -> i64 {
    call::add(a, b)
}

/// Returns `length`; `data` is not read.
#[unsafe(no_mangle)]
pub extern "C" fn bb_length(_data: *const u8, length: usize) -> usize {
    length
}

/// [`call::take`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_take(items: *const i64, length: usize, sum: *mut i64) -> Status {
    // SAFETY: the caller vouches for `length` items and for `sum`.
    unsafe { put(call::take(view(items, length)), sum) }
}

/// [`call::give`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_give(items: *mut i64, length: usize) {
    if length == 0 {
        return;
    }
    // SAFETY: the caller vouches for room for `length` items. An i64 has no invalid value, and none is read.
    call::give(unsafe { slice::from_raw_parts_mut(items, length) });
}

/// [`call::call_back`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_call_back(f: Callback, context: *mut c_void, n: i64, sum: *mut i64) -> Status {
    let outcome = call::call_back(
        |i| {
            let mut result = 0;
            // SAFETY: the caller vouches for `f` and its context.
            match unsafe { f(context, i, &mut result) } {
                BB_OK => Ok(result),
                _ => Err(BB_CALLBACK),
            }
        },
        n,
    );
    match outcome {
        Ok(value) => {
            // SAFETY: the caller vouches for `sum`.
            unsafe { sum.write(value) };
            BB_OK
        }
        Err(status) => status,
    }
}

/// Always [`BB_FAILED`].
#[unsafe(no_mangle)]
pub extern "C" fn bb_fail() -> Status {
    BB_FAILED
}

/// [`kmp::find`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_kmp_find(
    text: *const u8,
    text_length: usize,
    pattern: *const u8,
    pattern_length: usize,
    start: usize,
    end: usize,
    found: *mut Offsets,
) -> Status {
    // SAFETY: the caller vouches for text and pattern.
    let (text, pattern) = unsafe { (view(text, text_length), view(pattern, pattern_length)) };
    // SAFETY: the caller vouches for `found`.
    unsafe { put(kmp::find(text, pattern, start..end).map(Offsets::from), found) }
}

/// Gives back what [`bb_kmp_find`] made and sets it to zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_offsets_free(found: *mut Offsets) {
    // SAFETY: the caller vouches that `found` was set to zero or by `bb_kmp_find`.
    unsafe { free(found) }
}

/// [`moments::sum`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_sum(data: *const f64, length: usize, result: *mut f64) -> Status {
    // SAFETY: the caller vouches for data and result.
    unsafe { put(moment(moments::sum, data, length), result) }
}

/// [`moments::mean`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_mean(data: *const f64, length: usize, result: *mut f64) -> Status {
    // SAFETY: the caller vouches for data and result.
    unsafe { put(moment(moments::mean, data, length), result) }
}

/// [`moments::var`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_var(data: *const f64, length: usize, result: *mut f64) -> Status {
    // SAFETY: the caller vouches for data and result.
    unsafe { put(moment(moments::var, data, length), result) }
}

/// [`moments::std`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_std(data: *const f64, length: usize, result: *mut f64) -> Status {
    // SAFETY: the caller vouches for data and result.
    unsafe { put(moment(moments::std, data, length), result) }
}

/// [`Bpe::new`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_bpe_new(
    vocabulary: *const u8,
    vocabulary_length: usize,
    classes: *const u8,
    classes_length: usize,
    bpe: *mut *mut Bpe,
) -> Status {
    // SAFETY: the caller vouches for both.
    let (vocabulary, classes) = unsafe { (view(vocabulary, vocabulary_length), view(classes, classes_length)) };
    // SAFETY: the caller vouches for `bpe`.
    unsafe { put(Bpe::new(vocabulary, classes).map(|made| Box::into_raw(Box::new(made))), bpe) }
}

/// Gives back what [`bb_bpe_new`] made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_bpe_free(bpe: *mut Bpe) {
    if !bpe.is_null() {
        // SAFETY: the caller vouches that `bb_bpe_new` made it, where it came from a Box.
        drop(unsafe { Box::from_raw(bpe) });
    }
}

/// [`Bpe::encode`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_bpe_encode(bpe: *const Bpe, text: *const u8, text_length: usize, tokens: *mut Tokens) -> Status {
    // SAFETY: the caller vouches for both.
    let (bpe, text) = unsafe { (&*bpe, view(text, text_length)) };
    let encoded = str::from_utf8(text).map_err(|_| Error::Invalid).and_then(|text| bpe.encode(text));
    // SAFETY: the caller vouches for `tokens`.
    unsafe { put(encoded.map(Tokens::from), tokens) }
}

/// Gives back what [`bb_bpe_encode`] made and sets it to zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_tokens_free(tokens: *mut Tokens) {
    // SAFETY: the caller vouches that `tokens` was set to zero or by `bb_bpe_encode`.
    unsafe { free(tokens) }
}

/// [`Bpe::cut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_bpe_cut(bpe: *const Bpe, text: *const u8, text_length: usize, near: usize) -> usize {
    // SAFETY: the caller vouches for both.
    unsafe { (*bpe).cut(view(text, text_length), near) }
}
