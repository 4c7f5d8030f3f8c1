//! A program that keeps a CPU busy: this very one, started again.

use std::io::{Read, stdin};
use std::process::{Child, Command, Stdio, exit};

use miette::{Context, IntoDiagnostic, Result};

/// What this program is told when it is to be one.
pub const WORD: &str = "hog";

/// It is ended when this is dropped; and when this process is killed, because then nobody holds the other end of its pipe any more.
pub struct Hog(Child);

impl Hog {
    /// Starts one. It may run on every CPU.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start() -> Result<Self> {
        let program = std::env::current_exe().into_diagnostic()?;
        let child = Command::new(program).arg(WORD).stdin(Stdio::piped()).spawn();
        child.map(Self).into_diagnostic().wrap_err("can't start the program that keeps a CPU busy")
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        // One that is gone already is what is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Is one, until its input ends.
pub fn be_one() -> ! {
    std::thread::spawn(|| {
        drop(stdin().lock().read(&mut [0]));
        exit(0);
    });
    loop {
        std::hint::black_box(0);
    }
}
