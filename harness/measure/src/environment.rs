//! The machine, and whatever there can bias a number: one small function per fact.

use std::fs;

use bindbench_model::Environment;
use bindbench_setup::bpe::unicode_version;
use bindbench_setup::needs::Tools;
use bindbench_worker::telling_variables;
use sysinfo::System;

pub use bindbench_setup::room::available_memory;

/// Everything that is recorded with a run before its first sample.
pub fn environment(tools: &Tools, pinned: bool) -> Environment {
    Environment {
        os: std::env::consts::OS.to_owned(),
        kernel_release: System::kernel_version().unwrap_or_default(),
        arch: std::env::consts::ARCH.to_owned(),
        cpu: cpu_model().unwrap_or_default(),
        cpus: allowed_cpus(),
        memory_bytes: memory().total_memory(),
        governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        load_before: Some(load()),
        load_after: None,
        aslr: line("/proc/sys/kernel/randomize_va_space").and_then(|text| text.parse().ok()),
        autogroup: line("/proc/sys/kernel/sched_autogroup_enabled").map(|text| text == "1"),
        pinned,
        gc: "off in the timed loop, on around it".to_owned(),
        tools: tools.versions.clone(),
        unicode: unicode_version(),
        variables: Some(telling_variables()),
    }
}

fn cpu_model() -> Option<String> {
    let mut system = System::new();
    system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
    Some(system.cpus().first()?.brand().trim().to_owned())
}

fn memory() -> System {
    let mut system = System::new();
    system.refresh_memory();
    system
}

/// Load average over one minute.
pub fn load() -> f64 {
    System::load_average().one
}

/// The CPUs this process may run on, ascending.
#[cfg(target_os = "linux")]
pub fn allowed_cpus() -> Vec<usize> {
    match rustix::thread::sched_getaffinity(None) {
        Ok(set) => (0..rustix::thread::CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect(),
        Err(_) => numbered_cpus(),
    }
}

/// The CPUs this process may run on, ascending.
#[cfg(not(target_os = "linux"))]
pub fn allowed_cpus() -> Vec<usize> {
    numbered_cpus()
}

fn numbered_cpus() -> Vec<usize> {
    (0..std::thread::available_parallelism().map_or(1, usize::from)).collect()
}

fn line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}
