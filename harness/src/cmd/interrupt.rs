//! Ctrl-C, and the other signals that end a program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::{fs, io, process, thread};

use bindbench_setup::child;
use miette::{Context, IntoDiagnostic, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::{Handle, Signals};

use super::say;

/// Exit status of a process that Ctrl-C ended.
pub(super) const INTERRUPTED: u8 = 130;

/// Set by Ctrl-C and by the signals that end a session. The same for whoever asks: a process has one handler.
pub(super) fn listen() -> Result<Arc<AtomicBool>> {
    static INTERRUPT: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(listening) = INTERRUPT.get() {
        return Ok(Arc::clone(listening));
    }
    let interrupt = Arc::clone(INTERRUPT.get_or_init(Arc::default));
    let seen = Arc::clone(&interrupt);
    on_each(move || {
        seen.store(true, Ordering::Relaxed);
        child::interrupt_all();
    })?;
    Ok(interrupt)
}

/// Where there is nothing to save, Ctrl-C ends the program at once, with a word; until this is dropped.
pub(super) struct AtOnce(Handle);

impl AtOnce {
    /// From now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn with(words: &'static str) -> Result<Self> {
        let end = move || {
            child::interrupt_all();
            say(words);
            process::exit(INTERRUPTED.into());
        };
        Ok(Self(on_each(end)?))
    }
}

impl Drop for AtOnce {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn on_each(act: impl Fn() + Send + 'static) -> Result<Handle> {
    let listen = || -> io::Result<Handle> {
        let mut signals = Signals::new(heeded(&fs::read_to_string("/proc/self/status").unwrap_or_default()))?;
        let handle = signals.handle();
        thread::Builder::new().name("signals".to_owned()).spawn(move || signals.forever().for_each(|_| act()))?;
        Ok(handle)
    };
    listen().into_diagnostic().wrap_err("can't listen to Ctrl-C")
}

/// The signals that are to end the program: but those that it was started to ignore, as `nohup` does, and a shell for what runs behind it.
fn heeded(status: &str) -> Vec<i32> {
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok()).unwrap_or(0);
    [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0).collect()
}

/// A file that gets longer than `ulimit -f` allows is an error that names it, and not the end of the program without a word.
pub fn outlive_full_files() {
    // Whoever can't have that has it as it was.
    flag::register(SIGXFSZ, Arc::default()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_ignored_when_the_program_started_stays_ignored() {
        assert_eq!(heeded("Name:\tx\nSigIgn:\t0000000000001000\n"), [SIGINT, SIGTERM, SIGHUP]);
        assert_eq!(heeded("SigIgn:\t0000000000001001\n"), [SIGINT, SIGTERM]);
        assert_eq!(heeded("SigIgn:\t0000000000000006\n"), [SIGTERM, SIGHUP]);
        assert_eq!(heeded(""), [SIGINT, SIGTERM, SIGHUP], "a system that does not tell");
    }
}
