//! The kernels through their C ABI, and beside the search a plain scalar Knuth–Morris–Pratt as one would write it without any.
//! Byte pair encoding needs the folder with the vocabulary that `BINDBENCH_BPE` names.
//!
//! `cargo bench -p bindbench-kernels` measures; with `-- --profile-time 5` it draws flamegraphs instead, of each benchmark one.
#![allow(unsafe_code)]

mod pprof_flames;

use std::env;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::ptr;
use std::time::Duration;

use bindbench_kernels::abi::{
    BB_OK, Offsets, Tokens, bb_bpe_encode, bb_bpe_free, bb_bpe_new, bb_kmp_find, bb_offsets_free, bb_std, bb_tokens_free,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const SYMBOLS: &[u8; 68] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,;\n-";
const PATTERN: &[u8] = b"3J1";

/// xorshift64*: the same text every time.
fn random_text(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let symbol = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        SYMBOLS[(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as usize % SYMBOLS.len()]
    };
    std::iter::repeat_with(symbol).take(length).collect()
}

/// The textbook's loop, alone.
fn plain(text: &[u8], pattern: &[u8]) -> Vec<u64> {
    let mut borders = vec![0, 0];
    let mut border = 0;
    for &byte in &pattern[1..] {
        while border > 0 && pattern[border] != byte {
            border = borders[border];
        }
        border += usize::from(pattern[border] == byte);
        borders.push(border);
    }
    let mut found = Vec::new();
    let mut matched = 0;
    for (i, &byte) in text.iter().enumerate() {
        while matched > 0 && pattern[matched] != byte {
            matched = borders[matched];
        }
        if pattern[matched] == byte {
            matched += 1;
        }
        if matched == pattern.len() {
            found.push((i + 1 - matched) as u64);
            matched = borders[matched];
        }
    }
    found
}

fn shared(text: &[u8], pattern: &[u8]) -> usize {
    let mut found = Offsets::EMPTY;
    // SAFETY: both slices are alive, and `found` is given back once.
    unsafe {
        let status = bb_kmp_find(text.as_ptr(), text.len(), pattern.as_ptr(), pattern.len(), 0, text.len(), &mut found);
        assert_eq!(status, BB_OK);
        let length = found.length;
        bb_offsets_free(&mut found);
        length
    }
}

fn kmp(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kmp");
    for size in [64 << 10, 1 << 20, 64 << 20] {
        let text = random_text(size);
        assert_eq!(shared(&text, PATTERN), plain(&text, PATTERN).len());
        group.throughput(Throughput::Bytes(size as u64)).sample_size(if size > 1 << 20 { 20 } else { 50 });
        group.bench_function(BenchmarkId::new("shared", size), |bencher| bencher.iter(|| shared(black_box(&text), black_box(PATTERN))));
        group.bench_function(BenchmarkId::new("plain", size), |bencher| bencher.iter(|| plain(black_box(&text), black_box(PATTERN))));
    }
    group.finish();
}

fn moments(criterion: &mut Criterion) {
    let data: Vec<f64> = (0..5000).map(f64::from).collect();
    criterion.bench_function("std/5000", |bencher| {
        bencher.iter(|| {
            let mut result = 0.0;
            // SAFETY: the data are alive.
            let status = unsafe { bb_std(black_box(data.as_ptr()), data.len(), &mut result) };
            assert_eq!(status, BB_OK);
            result
        });
    });
}

/// English as this repository has it, a text without sense, and a single word.
fn texts() -> [(&'static str, String); 3] {
    let english = include_str!("../../../../METHODOLOGY.md").repeat(16);
    let nonsense = random_text(english.len()).into_iter().map(char::from).collect();
    let word = "a".repeat(english.len());
    [("english", english), ("random", nonsense), ("word", word)]
}

fn bpe(criterion: &mut Criterion) {
    let Some(folder) = env::var_os("BINDBENCH_BPE").map(PathBuf::from) else {
        eprintln!("bpe: skipped, BINDBENCH_BPE names no folder");
        return;
    };
    let read = |name| fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (vocabulary, classes) = (read("cl100k_base.tokens"), read("unicode.classes"));
    let mut bpe = ptr::null_mut();
    // SAFETY: all of them are alive.
    let status = unsafe { bb_bpe_new(vocabulary.as_ptr(), vocabulary.len(), classes.as_ptr(), classes.len(), &mut bpe) };
    assert_eq!(status, BB_OK);
    let mut group = criterion.benchmark_group("bpe");
    for (name, text) in texts() {
        group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(20);
        group.bench_function(BenchmarkId::new(name, text.len()), |bencher| {
            bencher.iter(|| {
                let mut tokens = Tokens::EMPTY;
                // SAFETY: `bpe` and the text are alive, and `tokens` is given back once.
                unsafe {
                    assert_eq!(bb_bpe_encode(bpe, black_box(text.as_ptr()), text.len(), &mut tokens), BB_OK);
                    let length = tokens.length;
                    bb_tokens_free(&mut tokens);
                    length
                }
            });
        });
    }
    group.finish();
    // SAFETY: made above and not used afterwards.
    unsafe { bb_bpe_free(bpe) };
}

fn settings() -> Criterion {
    let criterion = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    criterion.with_profiler(pprof_flames::PprofFlames::default())
}

criterion_group! {
    name = benches;
    config = settings();
    targets = kmp, moments, bpe
}
criterion_main!(benches);
