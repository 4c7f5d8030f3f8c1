//! What counts instructions: valgrind's callgrind around a worker, or the CPU itself, where the kernel has such a counter.

use std::io;
use std::path::{Path, PathBuf};

use bindbench_model::Counter;
use bindbench_worker::Launch;
use miette::{Diagnostic, Result, bail};
use thiserror::Error;

use super::callgrind::{Callgrind, Dumps};
use super::hardware::CpuCounter;
use super::randomisation::{setarch, without_randomisation};

/// As it is called in `run.json`.
const CPU: &str = "the CPU's own counter";

/// The CPU's counter can't be used.
#[derive(Debug, Error, Diagnostic)]
#[error("the CPU's counter of instructions can't be used: {}", why(.0))]
#[diagnostic(help("`--counter instructions` needs valgrind only"))]
pub struct NoCpuCounter(#[from] io::Error);

fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::Unsupported => "there is none, as on most virtual machines".to_owned(),
        io::ErrorKind::PermissionDenied => "the kernel does not allow it (`sysctl kernel.perf_event_paranoid=2` does)".to_owned(),
        _ => error.to_string(),
    }
}

/// What counts.
#[derive(Clone, Debug)]
pub enum Instrument {
    /// Callgrind.
    Callgrind(Callgrind),
    /// The CPU.
    Cpu {
        /// The program that switches address space layout randomisation off, where the system lets it.
        setarch: Option<PathBuf>,
    },
}

/// An instrument at one worker.
pub enum Reading {
    /// What callgrind writes down.
    Dumps(Dumps),
    /// The CPU's counter.
    Cpu(CpuCounter),
}

impl Instrument {
    /// What these counters need, if one of them counts instructions.
    ///
    /// # Errors
    /// When it is missing, does not work, or both kinds are wanted.
    pub fn of(counters: &[Counter]) -> Result<Option<Self>> {
        match (counters.contains(&Counter::Instructions), counters.contains(&Counter::Hardware)) {
            (true, true) => bail!(help = "leave one of them out", "`--counter instructions` and `--counter hardware` count the same thing"),
            (true, false) => Ok(Some(Self::Callgrind(Callgrind::find()?))),
            (false, true) => {
                CpuCounter::of(std::process::id()).map_err(NoCpuCounter)?;
                Ok(Some(Self::Cpu { setarch: setarch() }))
            }
            (false, false) => Ok(None),
        }
    }

    /// What it is, for `run.json`.
    pub fn name(&self) -> &str {
        match self {
            Self::Callgrind(callgrind) => &callgrind.version,
            Self::Cpu { .. } => CPU,
        }
    }

    /// Whether what it counts has the same address space layout every time.
    pub fn fixes_layout(&self) -> bool {
        match self {
            Self::Callgrind(callgrind) => callgrind.fixes_layout(),
            Self::Cpu { setarch } => setarch.is_some(),
        }
    }

    /// How many times as long a call takes under it, or more.
    pub fn slower(&self) -> u64 {
        match self {
            Self::Callgrind(_) => 30,
            Self::Cpu { .. } => 1,
        }
    }

    /// The same in a way that is slower, and always works; none where there is no other way.
    pub fn slowly(&self) -> Option<Self> {
        match self {
            Self::Callgrind(callgrind) => Some(Self::Callgrind(callgrind.without_switch())),
            Self::Cpu { .. } => None,
        }
    }

    /// A worker as it has to be started. Callgrind's files go to an empty folder.
    pub fn around(&self, launch: &Launch, folder: &Path) -> (Launch, Option<Dumps>) {
        match self {
            Self::Callgrind(callgrind) => {
                let (launch, dumps) = callgrind.around(launch, folder);
                (launch, Some(dumps))
            }
            Self::Cpu { setarch } => (launch.under(without_randomisation(setarch.as_deref())), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_counted_in_one_way_at_a_time() {
        assert!(Instrument::of(&[Counter::Time]).unwrap().is_none());
        let both = Instrument::of(&[Counter::Instructions, Counter::Hardware]).unwrap_err();
        assert!(both.to_string().contains("count the same thing"), "{both:?}");
    }

    /// Most machines of a CI are virtual and have no such counter: then it has to say so.
    #[test]
    fn the_cpu_counts_or_the_reason_is_named() {
        match Instrument::of(&[Counter::Hardware]) {
            Ok(instrument) => assert_eq!(instrument.unwrap().name(), CPU),
            Err(error) => assert!(error.help().is_some_and(|help| help.to_string().contains("valgrind")), "{error:?}"),
        }
        let of = |kind: io::ErrorKind| NoCpuCounter(kind.into()).to_string();
        assert!(of(io::ErrorKind::NotFound).contains("virtual machines"));
        assert!(of(io::ErrorKind::PermissionDenied).contains("perf_event_paranoid=2"));
    }
}
