//! The functions of `include/bindbench_kernels.h`, where the contract is written. No panic leaves them: what can fail has a status.
#![allow(unsafe_code, clippy::missing_safety_doc)]

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;
use std::slice;

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

/// Called with the context, the index and where to put the result.
pub type Callback = unsafe extern "C" fn(context: *mut c_void, i: i64, result: *mut i64) -> Status;

/// Ascending offsets, owned by this library: [`bb_offsets_free`] gives them back.
#[repr(C)]
#[derive(Debug)]
pub struct Offsets {
    /// NULL when there are none.
    pub data: *mut u64,
    /// Number of offsets.
    pub length: usize,
    /// Number of offsets there is memory for.
    pub capacity: usize,
}

impl Offsets {
    /// Without offsets or memory.
    pub const EMPTY: Self = Self { data: ptr::null_mut(), length: 0, capacity: 0 };
}

impl From<Vec<u64>> for Offsets {
    fn from(offsets: Vec<u64>) -> Self {
        if offsets.capacity() == 0 {
            return Self::EMPTY; // an empty Vec's pointer dangles: C shall see NULL
        }
        let mut offsets = ManuallyDrop::new(offsets);
        Self { data: offsets.as_mut_ptr(), length: offsets.len(), capacity: offsets.capacity() }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Empty => BB_EMPTY,
            Error::Memory => BB_MEMORY,
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
pub unsafe extern "C" fn bb_take(items: *const i64, length: usize) -> i64 {
    // SAFETY: the caller vouches for `length` items.
    call::take(unsafe { view(items, length) })
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
    let Offsets { data, length, capacity } = unsafe { found.replace(Offsets::EMPTY) };
    if !data.is_null() {
        // SAFETY: the three come from a Vec<u64> (`Offsets::from`).
        drop(unsafe { Vec::from_raw_parts(data, length, capacity) });
    }
}

/// [`moments::sum`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_sum(data: *const f64, length: usize, result: *mut f64) -> Status {
    // SAFETY: the caller vouches for data and result.
    unsafe { put(moments::sum(view(data, length)), result) }
}

/// [`moments::mean`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_mean(data: *const f64, length: usize, result: *mut f64) -> Status {
    // SAFETY: the caller vouches for data and result.
    unsafe { put(moments::mean(view(data, length)), result) }
}

/// [`moments::var`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_var(data: *const f64, length: usize, result: *mut f64) -> Status {
    // SAFETY: the caller vouches for data and result.
    unsafe { put(moments::var(view(data, length)), result) }
}

/// [`moments::std`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bb_std(data: *const f64, length: usize, result: *mut f64) -> Status {
    // SAFETY: the caller vouches for data and result.
    unsafe { put(moments::std(view(data, length)), result) }
}
