//! The commands, one file each; every one reads like the sentence that describes it.

mod again;
pub mod bench_all;
pub mod claims;
pub mod clean;
pub mod compare;
pub mod debug;
pub mod doctor;
pub mod export;
pub mod gate;
pub mod guard;
pub mod history;
pub mod interrupt;
pub mod list;
mod noise;
pub mod profile;
pub mod report;
pub mod run;
pub mod setup;
pub mod sides;

use std::io::{self, Write};

use miette::{Context, IntoDiagnostic, Result};

/// Says something on stderr. Whoever closed it, or has no room for it, does not want to know: that is no error.
pub fn say(text: &str) {
    writeln!(io::stderr(), "{text}").ok();
}

/// Prints on stdout. A reader that closes its end of a pipe (`| head`) has seen enough: that is no error.
fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    // What is kept for later would fail when nobody looks.
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).into_diagnostic().wrap_err("can't print"),
        _ => Ok(()),
    }
}
