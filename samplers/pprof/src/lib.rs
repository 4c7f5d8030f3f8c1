//! Samples of the stacks of the process that loads this library, by a timer of its own (`ITIMER_PROF`) and its signal: nothing has to be
//! allowed for that. The Python worker loads it by ctypes; the driver reads what it writes (`harness/inspect/src/pprof.rs`).
//!
//! Lines of text, in hexadecimal digits: how often a stack was seen, when it was first (nanoseconds since 1970), in which thread, and
//! its return addresses, innermost first. The first of these are the signal handler's. What they are called is for the driver to
//! find out: it knows the names of everything else in the same way.

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use pprof::{ProfilerGuard, UnresolvedReport};

/// It went well.
pub const FINE: c_int = 0;
/// Samples are being taken already, or none are.
pub const OUT_OF_TURN: c_int = 1;
/// The system refused.
pub const REFUSED: c_int = 2;

static RUNNING: Mutex<Option<ProfilerGuard<'static>>> = Mutex::new(None);

/// Begins to take samples, so many a second of CPU time, but not more than the system's clock ticks.
#[allow(unsafe_code)] // The name is exported, and no other has it.
#[unsafe(no_mangle)]
pub extern "C" fn bindbench_pprof_start(hertz: c_int) -> c_int {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if running.is_some() {
        return OUT_OF_TURN;
    }
    match ProfilerGuard::new(hertz.max(1)) {
        Ok(guard) => {
            *running = Some(guard);
            FINE
        }
        Err(_) => REFUSED,
    }
}

/// Takes no more samples, and appends those that were taken to a file.
///
/// # Safety
/// `path` is a string that ends with 0.
#[allow(unsafe_code)] // As above; and a string can come from C as a pointer only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bindbench_pprof_stop(path: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()));
    let Some(guard) = RUNNING.lock().unwrap_or_else(PoisonError::into_inner).take() else { return OUT_OF_TURN };
    let report = guard.report().build_unresolved();
    drop(guard);
    let written = report.map_err(io::Error::other).and_then(|report| append(path, &lines(&report)));
    if written.is_ok() { FINE } else { REFUSED }
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

fn lines(report: &UnresolvedReport) -> String {
    let mut text = String::new();
    for (stack, count) in &report.data {
        let since_1970 = stack.sample_timestamp.duration_since(UNIX_EPOCH).unwrap_or_default();
        // Writing into a string can't fail.
        let _ = write!(text, "{count:x} {:x} {:x}", since_1970.as_nanos(), stack.thread_id);
        for frame in &stack.frames {
            let _ = write!(text, " {:x}", frame.ip() as usize);
        }
        text.push('\n');
    }
    text
}
