//! What the process knows of itself, read from inside.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bindbench_protocol::{Footprint, Raised};

/// Keeps this thread, and those it will start, on these CPUs.
#[cfg(target_os = "linux")]
pub fn stay_on(cpus: &[usize]) -> Result<(), Raised> {
    use crate::answers::{Exception, raised};
    use rustix::thread::{CpuSet, sched_setaffinity};

    let mut set = CpuSet::new();
    for &cpu in cpus {
        if cpu >= CpuSet::MAX_CPU {
            return Err(raised(Exception::ValueError, format!("there is no CPU {cpu}")));
        }
        set.set(cpu);
    }
    sched_setaffinity(None, &set).map_err(|error| raised(Exception::OSError, format!("staying on CPUs {cpus:?}: {error}")))
}

/// There is no such call here.
#[cfg(not(target_os = "linux"))]
pub fn stay_on(_: &[usize]) -> Result<(), Raised> {
    Ok(())
}

/// Files mapped into the process whose names mark them as shared libraries; empty where the system does not tell.
pub fn libraries() -> Vec<PathBuf> {
    let maps = fs::read("/proc/self/maps").unwrap_or_default();
    let mut libraries: Vec<PathBuf> = String::from_utf8_lossy(&maps)
        .lines()
        .filter_map(|line| Some(PathBuf::from(&line[line.find('/')?..])))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(".so")))
        .collect();
    libraries.sort();
    libraries.dedup();
    libraries
}

/// The most memory this process ever had resident. Not `ru_maxrss`: that one is inherited over fork and exec.
pub fn peak_resident_bytes() -> Option<u64> {
    field("/proc/self/status", "VmHWM:")
}

/// Begins that peak anew; false where the system can't.
pub fn forget_the_peak() -> bool {
    fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// What the process takes now, counted page by page; none where the system does not tell.
pub fn footprint() -> Option<Footprint> {
    Some(Footprint { resident_bytes: field("/proc/self/smaps_rollup", "Rss:")?, blocks: None })
}

/// Bytes in a line such as `VmHWM:    1234 kB`.
fn field(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The CPU time that this process has taken so far.
#[cfg(target_os = "linux")]
pub fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

/// Nothing here tells it: the time that has gone by since the first question.
#[cfg(not(target_os = "linux"))]
pub fn cpu_time() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

/// A time in whole nanoseconds; 2^64 of them are five centuries.
pub fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
