//! Where there is no `perf_event_open` the CPU's counters can't be asked.

use std::io;

/// There is none.
pub enum CpuCounter {}

impl CpuCounter {
    /// Never.
    ///
    /// # Errors
    /// Always.
    pub fn of(_pid: u32) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Never.
    ///
    /// # Errors
    /// There is nothing that could have one.
    pub fn during<T>(&mut self, _work: impl FnOnce() -> T) -> io::Result<(u64, T)> {
        match *self {}
    }
}
