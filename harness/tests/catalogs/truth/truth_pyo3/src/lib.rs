//! The two functions behind PyO3: see `burn.h` for what they do.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};

#[pyo3::pymodule]
mod truth_pyo3 {
    use pyo3::pyfunction;

    #[pyfunction]
    fn first(ns: i64) {
        super::truth_first(ns);
    }

    #[pyfunction]
    fn second(ns: i64) {
        super::truth_second(ns);
    }
}

fn thread_time_ns() -> i64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

#[inline(always)]
fn burn_for(ns: i64) {
    let end = thread_time_ns() + ns;
    let mut x = 1_u64;
    while thread_time_ns() < end {
        for _ in 0..20_000 {
            x = black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        }
    }
}

#[inline(never)]
fn truth_first(ns: i64) {
    burn_for(ns);
    black_box(());
}

#[inline(never)]
fn truth_second(ns: i64) {
    burn_for(black_box(ns));
    black_box(());
}
