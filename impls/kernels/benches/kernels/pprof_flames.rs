//! pprof as Criterion's profiler: `-- --profile-time 5` writes a flamegraph for each benchmark, from samples of this process that its own
//! timer takes, so no privilege is needed. (pprof has such a thing itself, for Criterion 0.5.)

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

use criterion::profiler::Profiler;
use pprof::flamegraph::Options;
use pprof::{ProfilerGuard, ProfilerGuardBuilder};

/// Samples a second of CPU. The kernel's own tick, often 250 Hz, may allow fewer.
const HERTZ: i32 = 999;

/// Samples between two calls of Criterion's.
#[derive(Default)]
pub struct PprofFlames {
    sampling: Option<ProfilerGuard<'static>>,
}

impl Profiler for PprofFlames {
    fn start_profiling(&mut self, benchmark_id: &str, _benchmark_dir: &Path) {
        // The vDSO's unwind tables are wrong in some distributions. The C library stays in: kernels copy and allocate in it.
        self.sampling = ProfilerGuardBuilder::default()
            .frequency(HERTZ)
            .blocklist(&["vdso"])
            .build()
            .inspect_err(|error| eprintln!("{benchmark_id}: no samples: {error}"))
            .ok();
    }

    fn stop_profiling(&mut self, benchmark_id: &str, benchmark_dir: &Path) {
        let Some(sampling) = self.sampling.take() else { return };
        match draw(&sampling, benchmark_id, benchmark_dir) {
            Ok(words) => println!("{words}"),
            Err(error) => eprintln!("{benchmark_id}: no flamegraph in {}: {error}", benchmark_dir.display()),
        }
    }
}

/// Writes `flamegraph.svg` into the benchmark's folder, and says where it is.
fn draw(sampling: &ProfilerGuard, benchmark_id: &str, folder: &Path) -> io::Result<String> {
    let report = sampling.report().build().map_err(io::Error::other)?;
    let samples: isize = report.data.values().sum();
    if samples == 0 {
        return Err(io::Error::other("the timer never struck"));
    }
    fs::create_dir_all(folder)?;
    let path = folder.join("flamegraph.svg");
    let mut options = Options::default();
    options.title = benchmark_id.to_owned();
    options.subtitle = Some(format!("{samples} samples by pprof, {HERTZ} a second of CPU at most"));
    let file = BufWriter::new(File::create(&path)?);
    report.flamegraph_with_options(file, &mut options).map_err(io::Error::other)?;
    Ok(format!("{benchmark_id}: {samples} samples in {}", path.display()))
}
