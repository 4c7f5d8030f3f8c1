//! What a part of `cargo xtask torture` tried, and what it found. In `cargo test-all` it is an assertion like any other.

use std::env;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;

/// What a part of the torture tried, and what it found.
pub struct Tally {
    pub part: &'static str,
    pub tried: usize,
    failures: Vec<String>,
    limits: Vec<String>,
}

impl Tally {
    pub fn new(part: &'static str) -> Self {
        Self { part, tried: 0, failures: Vec::new(), limits: Vec::new() }
    }

    /// Of so many that all went well.
    pub fn of(part: &'static str, tried: usize) -> Self {
        Self { tried, ..Self::new(part) }
    }

    pub fn add(&mut self, number: usize) {
        self.tried += number;
    }

    /// So much has failed that more of the same tells nothing new.
    pub fn gives_up(&self) -> bool {
        self.failures.len() >= 20
    }

    /// Something that could not be prevented, and came as expected.
    pub fn limit(&mut self, what: String) {
        self.limits.push(what);
    }

    pub fn fail(&mut self, what: impl Display) {
        eprintln!("FAILED: {what}");
        self.failures.push(what.to_string());
    }

    pub fn demand(&mut self, holds: bool, what: impl Display) {
        if !holds {
            self.fail(what);
        }
    }

    /// Tells `cargo xtask torture`, if that is who asked.
    fn report(&self) {
        let Self { part, tried, failures, limits } = self;
        if let Some(path) = env::var_os("BINDBENCH_TORTURE_REPORT") {
            let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
            let mut lines = vec![format!("{part}\t{tried}\t{}\t{}", failures.len(), limits.len())];
            lines.extend(failures.iter().map(|failure| format!("!{}", failure.replace('\n', "\n!"))));
            writeln!(file, "{}", lines.join("\n")).unwrap();
        }
        println!("{part}: {tried} tried, {} failed, {} known limits", failures.len(), limits.len());
    }
}

/// The end of a test: it fails if anything did.
#[track_caller]
pub fn end(tallies: &[Tally]) {
    tallies.iter().for_each(Tally::report);
    let failures: Vec<&str> = tallies.iter().flat_map(|tally| &tally.failures).map(String::as_str).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// A number that `cargo xtask torture` may set.
pub fn setting(name: &str, usual: u64) -> u64 {
    env::var(name).ok().map_or(usual, |text| text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}
