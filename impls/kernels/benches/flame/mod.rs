//! Flamegraphs of Criterion's benchmarks: `cargo bench -p bindbench-kernels --bench kernels -- --profile-time 5` writes
//! `target/criterion/<benchmark>/profile/flamegraph.svg`. pprof has such a profiler for an older Criterion only.

use std::fs::{self, File};
use std::path::Path;

use criterion::profiler::Profiler;
use pprof::{ProfilerGuard, ProfilerGuardBuilder};

/// Samples a second: no multiple of what a timer of the system's has.
const HERTZ: i32 = 997;

/// pprof, started and stopped by Criterion.
#[derive(Default)]
pub struct Flame {
    running: Option<ProfilerGuard<'static>>,
}

impl Profiler for Flame {
    fn start_profiling(&mut self, benchmark: &str, _folder: &Path) {
        // Inside of these a stack can't always be walked, and a signal may find a lock taken.
        let guard = ProfilerGuardBuilder::default().frequency(HERTZ).blocklist(&["libc", "libgcc", "pthread", "vdso"]).build();
        self.running = guard.inspect_err(|error| eprintln!("{benchmark}: no samples: {error}")).ok();
    }

    fn stop_profiling(&mut self, benchmark: &str, folder: &Path) {
        let Some(guard) = self.running.take() else { return };
        let path = folder.join("flamegraph.svg");
        let written = guard.report().build().map_err(|error| error.to_string()).and_then(|report| {
            fs::create_dir_all(folder)
                .and_then(|()| File::create(&path))
                .map_err(|error| error.to_string())
                .and_then(|file| report.flamegraph(file).map_err(|error| error.to_string()))
        });
        match written {
            Ok(()) => eprintln!("{benchmark}: {}", path.display()),
            Err(error) => eprintln!("{benchmark}: no flamegraph in {}: {error}", path.display()),
        }
    }
}
