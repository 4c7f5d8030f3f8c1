//! Why the kernel would not let itself be asked: what was refused, what to allow, and what is lost meanwhile.

use std::io;

use miette::Diagnostic;
use thiserror::Error;

/// No sampling here.
#[derive(Debug, Error, Diagnostic)]
pub enum Refused {
    /// By the kernel, or by a container's filter of system calls.
    #[error("the kernel refused perf_event_open: {source} (kernel.perf_event_paranoid is {paranoid})")]
    #[diagnostic(help(
        "`sudo sysctl kernel.perf_event_paranoid=1` allows it until the next start (2 does, too, but leaves out what the operating system \
         does); in a container the runtime's filter of system calls has to let perf_event_open through, as --cap-add=PERFMON or \
         --security-opt seccomp=unconfined do with Docker. Without it there are no flamegraphs and no split of the time; `bindbench run` \
         and its numbers need none of this"
    ))]
    Denied {
        /// What it said.
        source: io::Error,
        /// The setting that most often is the reason.
        paranoid: String,
    },
    /// The memory for the ring buffers.
    #[error("the kernel refused the memory for samples: {source}; even {least} KiB for each CPU were too much")]
    #[diagnostic(help(
        "`sudo sysctl kernel.perf_event_mlock_kb=2048`, or a larger `ulimit -l`, allows it. Without it there are no flamegraphs and no \
         split of the time"
    ))]
    NoMemory {
        /// What it said.
        source: io::Error,
        /// The least that is of use.
        least: usize,
    },
    /// Not this machine.
    #[error("the built-in sampler knows Linux on x86-64 only, and this is {} on {}", std::env::consts::OS, std::env::consts::ARCH)]
    #[diagnostic(help("`bindbench run` and its numbers do not need it"))]
    Elsewhere,
    /// The worker was gone before it could be looked at.
    #[error("can't look at the worker's process: {source}")]
    Gone {
        /// What the system said.
        source: io::Error,
    },
}

impl Refused {
    /// What an error of `perf_event_open` means.
    pub fn by_the_kernel(source: io::Error) -> Self {
        let paranoid = std::fs::read_to_string("/proc/sys/kernel/perf_event_paranoid");
        Self::Denied { source, paranoid: paranoid.map_or_else(|_| "not there".to_owned(), |text| text.trim().to_owned()) }
    }

    /// Whether it is a matter of permission, which somebody could give.
    pub fn is_denial(error: &io::Error) -> bool {
        // EPERM has the same kind as EACCES.
        error.kind() == io::ErrorKind::PermissionDenied
    }
}
