//! The C functions as C calls them: NULL for nothing, and results untouched unless the status says otherwise.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::slice;

use bindbench_kernels::abi::{
    BB_CALLBACK, BB_EMPTY, BB_FAILED, BB_INVALID, BB_OK, BB_OVERFLOW, Offsets, Status, Tokens, bb_add, bb_bpe_cut, bb_bpe_encode,
    bb_bpe_free, bb_bpe_new, bb_call_back, bb_fail, bb_give, bb_kmp_find, bb_length, bb_mean, bb_noop, bb_offsets_free, bb_std, bb_sum,
    bb_take, bb_tokens_free, bb_var,
};

fn find(text: &[u8], pattern: &[u8], start: usize, end: usize) -> (Status, Vec<u64>) {
    let mut found = Offsets::EMPTY;
    // SAFETY: both slices are alive, and so is `found`.
    let status = unsafe { bb_kmp_find(text.as_ptr(), text.len(), pattern.as_ptr(), pattern.len(), start, end, &mut found) };
    let offsets = if found.data.is_null() {
        Vec::new()
    } else {
        // SAFETY: `bb_kmp_find` set it.
        unsafe { slice::from_raw_parts(found.data, found.length) }.to_vec()
    };
    // SAFETY: set to zero or by `bb_kmp_find`; the second time it is zero.
    unsafe {
        bb_offsets_free(&mut found);
        bb_offsets_free(&mut found);
    }
    assert!(found.data.is_null() && found.length == 0 && found.capacity == 0);
    (status, offsets)
}

#[test]
fn call() {
    bb_noop();
    assert_eq!(bb_add(i64::MAX, 1), i64::MIN);
    assert_eq!(bb_length(ptr::null(), 5), 5);
    assert_eq!(bb_fail(), BB_FAILED);
    let mut items = [7; 3];
    // SAFETY: three items; and NULL for none.
    unsafe {
        bb_give(items.as_mut_ptr(), 3);
        bb_give(ptr::null_mut(), 0);
        let mut sum = -5;
        assert_eq!((bb_take(items.as_ptr(), 3, &mut sum), sum), (BB_OK, 3));
        assert_eq!((bb_take(ptr::null(), 0, &mut sum), sum), (BB_OK, 0));
        assert_eq!((bb_take([i64::MAX, 1].as_ptr(), 2, &mut sum), sum), (BB_OVERFLOW, 0));
    }
    assert_eq!(items, [0, 1, 2]);
}

unsafe extern "C" fn double_until_limit(context: *mut c_void, i: i64, result: *mut i64) -> Status {
    // SAFETY: the tests below pass the address of an i64, and `bb_call_back` that of its result.
    unsafe {
        if i == context.cast::<i64>().read() {
            return 77;
        }
        result.write(2 * i);
    }
    BB_OK
}

unsafe extern "C" fn most(_: *mut c_void, _: i64, result: *mut i64) -> Status {
    // SAFETY: `bb_call_back` passes the address of its result.
    unsafe { result.write(i64::MAX) };
    BB_OK
}

#[test]
fn call_back_sums_or_stops() {
    for (mut limit, expected) in [(99_i64, (BB_OK, 12)), (2, (BB_CALLBACK, -5))] {
        let mut sum = -5;
        // SAFETY: context and sum are alive.
        let status = unsafe { bb_call_back(double_until_limit, (&raw mut limit).cast(), 4, &mut sum) };
        assert_eq!((status, sum), expected);
    }
    let mut sum = -5;
    // SAFETY: sum is alive, and nobody asks for the context.
    let status = unsafe { bb_call_back(most, ptr::null_mut(), 2, &mut sum) };
    assert_eq!((status, sum), (BB_OVERFLOW, -5));
}

#[test]
fn kmp_finds_in_ranges() {
    assert_eq!(find(b"aaaa", b"aa", 0, usize::MAX), (BB_OK, vec![0, 1, 2]));
    assert_eq!(find(b"aaaa", b"aa", 1, 2), (BB_OK, vec![1]));
    assert_eq!(find(b"aaaa", b"b", 0, 4), (BB_OK, vec![]));
    assert_eq!(find(b"", b"b", 0, 0), (BB_OK, vec![]));
    assert_eq!(find(b"aaaa", b"", 0, 4), (BB_EMPTY, vec![]));
}

#[test]
fn kmp_takes_null_for_nothing_and_leaves_the_result_alone() {
    let mut found = Offsets { data: ptr::null_mut(), length: 5, capacity: 6 };
    // SAFETY: NULL with length 0.
    let status = unsafe { bb_kmp_find(ptr::null(), 0, ptr::null(), 0, 0, 0, &mut found) };
    assert_eq!((status, found.length, found.capacity), (BB_EMPTY, 5, 6));
    // SAFETY: as above.
    let status = unsafe { bb_kmp_find(ptr::null(), 0, b"a".as_ptr(), 1, 0, 0, &mut found) };
    assert_eq!((status, found.length, found.capacity), (BB_OK, 0, 0));
}

#[test]
fn moments() {
    let data = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
    type Moment = unsafe extern "C" fn(*const f64, usize, *mut f64) -> Status;
    let moments: [(Moment, f64); 4] = [(bb_sum, 40.0), (bb_mean, 5.0), (bb_var, 4.0), (bb_std, 2.0)];
    for (moment, expected) in moments {
        let mut result = -1.0;
        // SAFETY: NULL with length 0.
        assert_eq!((unsafe { moment(ptr::null(), 0, &mut result) }, result), (BB_EMPTY, -1.0));
        // SAFETY: the data are alive.
        assert_eq!((unsafe { moment(data.as_ptr(), data.len(), &mut result) }, result), (BB_OK, expected));
        for shift in 1..size_of::<f64>() {
            let mut bytes = vec![0_u8; shift];
            bytes.extend(data.iter().flat_map(|item| item.to_ne_bytes()));
            // SAFETY: the bytes are alive; somewhere among the shifts are all addresses that are not aligned.
            assert_eq!((unsafe { moment(bytes[shift..].as_ptr().cast(), data.len(), &mut result) }, result), (BB_OK, expected));
        }
    }
}

/// All bytes and "ab"; of the classes only that a is a letter, and b.
fn vocabulary_and_classes() -> (Vec<u8>, Vec<u8>) {
    let mut vocabulary: Vec<u8> = (0..=u8::MAX).flat_map(|byte| [1, byte]).collect();
    vocabulary.extend(b"\x02ab");
    let mut classes = vec![0; 0x11_0000];
    classes[usize::from(b'a')] = 1;
    classes[usize::from(b'b')] = 1;
    (vocabulary, classes)
}

#[test]
fn bpe() {
    let (vocabulary, classes) = vocabulary_and_classes();
    let mut bpe = ptr::null_mut();
    // SAFETY: all of them are alive.
    let status = unsafe { bb_bpe_new(vocabulary.as_ptr(), vocabulary.len(), classes.as_ptr(), classes.len(), &mut bpe) };
    assert_eq!(status, BB_OK);
    drop((vocabulary, classes)); // they were copied
    let text = b"abba!";
    let mut tokens = Tokens::EMPTY;
    // SAFETY: `bpe` was made above and is freed once; the text is alive, NULL has length 0; `tokens` is set to zero or by the kernel.
    unsafe {
        assert_eq!(bb_bpe_encode(bpe, text.as_ptr(), text.len(), &mut tokens), BB_OK);
        assert_eq!(slice::from_raw_parts(tokens.data, tokens.length), [256, 98, 97, 33]);
        bb_tokens_free(&mut tokens);
        bb_tokens_free(&mut tokens);
        assert!(tokens.data.is_null() && tokens.length == 0 && tokens.capacity == 0);
        assert_eq!((bb_bpe_encode(bpe, ptr::null(), 0, &mut tokens), tokens.length), (BB_OK, 0));
        tokens.length = 5;
        assert_eq!((bb_bpe_encode(bpe, b"a\xff".as_ptr(), 2, &mut tokens), tokens.length), (BB_INVALID, 5));
        assert_eq!([0, 1, 4, 5, 9].map(|near| bb_bpe_cut(bpe, text.as_ptr(), text.len(), near)), [0, 4, 4, 5, 5]);
        assert_eq!(bb_bpe_cut(bpe, ptr::null(), 0, 0), 0);
        bb_bpe_free(bpe);
        bb_bpe_free(ptr::null_mut());
    }
}

#[test]
fn bpe_refuses_what_is_no_vocabulary_and_leaves_the_result_alone() {
    let (vocabulary, classes) = vocabulary_and_classes();
    for (vocabulary, classes) in [(&vocabulary[..9], &classes[..]), (&vocabulary[..], &classes[..9]), (&[], &[])] {
        let untouched = ptr::dangling_mut();
        let mut bpe = untouched;
        // SAFETY: all of them are alive.
        let status = unsafe { bb_bpe_new(vocabulary.as_ptr(), vocabulary.len(), classes.as_ptr(), classes.len(), &mut bpe) };
        assert_eq!((status, bpe), (BB_INVALID, untouched));
    }
}
