//! Why the kernel would not let itself be asked: what was refused, what to allow, and what is lost meanwhile.

use std::io;
use std::path::PathBuf;

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
         --security-opt seccomp=unconfined do with Docker. Without it there are no flamegraphs and no split of the time, but for those of \
         --backend pprof, without Python's names; `bindbench run` and its numbers need none of this"
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
    #[error("{way} knows Linux on x86-64 only, and this is {} on {}", std::env::consts::OS, std::env::consts::ARCH)]
    #[diagnostic(help("`bindbench run` and its numbers do not need it"))]
    Elsewhere {
        /// What knows no more.
        way: &'static str,
    },
    /// There is no perf.
    #[error("there is no program `perf` on the PATH")]
    #[diagnostic(help(
        "apt install linux-perf (Ubuntu: linux-tools-generic) | dnf install perf. The built-in sampler (--backend sampler) needs none, where \
         it knows the machine"
    ))]
    NoPerf,
    /// perf is there, and does not work.
    #[error("{program} can take no samples here: {said}")]
    #[diagnostic(help(
        "it asks the kernel for the same as the built-in sampler: `sudo sysctl kernel.perf_event_paranoid=1` may allow it, in a container \
         --cap-add=PERFMON; Ubuntu's `perf` wants linux-tools of the very kernel that runs. Without it, use --backend sampler"
    ))]
    PerfFailed {
        /// The program.
        program: PathBuf,
        /// What it, or the system, said.
        said: String,
    },
    /// This program was built without py-spy.
    #[error("py-spy is not built into this program")]
    #[diagnostic(help(
        "`cargo run --release --package bindbench --features pyspy -- profile --backend py-spy` builds it in; it takes forty packages more \
         from the Rust registry, and nothing else has to be installed. Without it Python's functions have no names on 3.11 and older"
    ))]
    NoPySpy,
    /// One process may not stop another one, or read its memory.
    #[error("the kernel refused {call}: {source} (kernel.yama.ptrace_scope is {scope})")]
    #[diagnostic(help(
        "`sudo sysctl kernel.yama.ptrace_scope=1` allows it of what this program starts (from 3 only the next start of the system leads \
         back); in a container the runtime has to let ptrace and process_vm_readv through, as --cap-add=SYS_PTRACE or --security-opt \
         seccomp=unconfined do with Docker. Without it Python's functions have no names on 3.11 and older; --backend sampler, perf and \
         pprof need neither call"
    ))]
    NoPtrace {
        /// Which system call.
        call: &'static str,
        /// What the kernel said.
        source: io::Error,
        /// The setting that most often is the reason.
        scope: String,
    },
    /// The library for the worker can't be built.
    #[error("pprof's library can't be built: {reason}")]
    #[diagnostic(help(
        "it takes cargo, and the packages of samplers/pprof/Cargo.lock from the Rust registry. It is the way for machines that allow no \
         other; `bindbench run` and its numbers need none of this"
    ))]
    NoPprof {
        /// What was in the way.
        reason: String,
    },
    /// All ways.
    #[error("no way to take samples of stacks works here")]
    #[diagnostic(help("`bindbench run` and its numbers need none of this"))]
    Everywhere {
        /// Why each of them does not.
        #[related]
        refused: Vec<Refused>,
    },
    /// The worker was gone before it could be looked at.
    #[error("can't look at the worker's process: {source}")]
    Gone {
        /// What the system said.
        source: io::Error,
    },
}

impl Refused {
    /// Whether the kernel lets users look into itself, too, as `perf_event_open(2)` has it.
    pub fn shows_the_kernel() -> bool {
        rustix::process::geteuid().is_root() || paranoid().is_ok_and(|level| level.trim().parse().is_ok_and(|level: i32| level < 2))
    }

    /// What an error of `perf_event_open` means.
    pub fn by_the_kernel(source: io::Error) -> Self {
        Self::Denied { source, paranoid: paranoid().map_or_else(|_| "not there".to_owned(), |text| text.trim().to_owned()) }
    }

    /// What an error of `ptrace`, or of `process_vm_readv`, means.
    #[cfg_attr(not(feature = "pyspy"), allow(dead_code))]
    pub fn by_the_kernel_to(call: &'static str, source: io::Error) -> Self {
        let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope");
        Self::NoPtrace { call, source, scope: scope.map_or_else(|_| "not there".to_owned(), |text| text.trim().to_owned()) }
    }

    /// What kept the library for the worker from being built.
    pub fn no_pprof(report: miette::Report) -> Self {
        let reasons: Vec<String> = report.chain().map(ToString::to_string).collect();
        Self::NoPprof { reason: reasons.join(": ") }
    }

    /// Whether it is a matter of permission, which somebody could give.
    pub fn is_denial(error: &io::Error) -> bool {
        // EPERM has the same kind as EACCES.
        error.kind() == io::ErrorKind::PermissionDenied
    }
}

fn paranoid() -> io::Result<String> {
    std::fs::read_to_string("/proc/sys/kernel/perf_event_paranoid")
}
