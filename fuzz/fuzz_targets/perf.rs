//! See `bindbench::fuzzing::perf`.

#![no_main]

use bindbench_fuzz::folder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| bindbench::fuzzing::perf(data, folder()));
