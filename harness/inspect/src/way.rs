//! The ways to take samples of stacks, and what each can see.

use std::fmt;
use std::path::PathBuf;

use bindbench_model::Interpreter;

use super::subject::Subject;

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The sampler of this program.
    Builtin,
    /// perf.
    Perf {
        /// The program.
        program: PathBuf,
    },
    /// py-spy, within this program.
    PySpy,
    /// pprof in the worker.
    Pprof {
        /// The library that is loaded there.
        library: PathBuf,
    },
}

impl Way {
    /// Why it can't look at a cell, if it can't.
    pub fn excuse(&self, subject: &Subject) -> Option<&'static str> {
        let has_python = subject.cell.interpreter.is_some();
        self.excuse_for(has_python, has_python && subject.is_cpython)
    }

    fn excuse_for(&self, has_python: bool, has_cpython: bool) -> Option<&'static str> {
        match self {
            Self::Pprof { .. } if !has_python => Some("pprof is loaded by workers in Python only"),
            Self::PySpy if !has_cpython => Some("py-spy looks at CPython only"),
            _ => None,
        }
    }

    /// What its pictures lack, for a reader of all of them.
    pub fn lack(&self) -> Option<&'static str> {
        match self {
            Self::Pprof { .. } => Some(
                "Samples were taken by pprof inside the workers: no Python function has a name, neither the operating system nor processes \
                 that a worker starts are seen, and there are not more samples a second than the system's clock ticks (often 250).",
            ),
            Self::PySpy => Some(
                "Samples were taken by py-spy, which stops a worker for each: they are fewer than were asked for, as it is left alone for most \
                 of the time. What the operating system does is seen as the function that asked for it, and the first moments of processes \
                 that a worker starts are not seen.",
            ),
            Self::Builtin | Self::Perf { .. } => None,
        }
    }

    /// Where Python's functions have no names in its pictures, and what would name them.
    pub fn nameless(&self, interpreters: &[Interpreter]) -> Vec<String> {
        let from = match self {
            Self::Builtin => 12,
            Self::Perf { .. } => 13,
            // It says so of all.
            Self::PySpy | Self::Pprof { .. } => return Vec::new(),
        };
        let older = |interpreter: &&Interpreter| {
            let minor = interpreter.name.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
            interpreter.implementation == "cpython" && minor.is_some_and(|minor| minor < from)
        };
        let names = |interpreters: Vec<&Interpreter>| interpreters.iter().map(|known| known.name.as_str()).collect::<Vec<_>>().join(", ");
        let older: Vec<&Interpreter> = interpreters.iter().filter(older).collect();
        let others: Vec<&Interpreter> = interpreters.iter().filter(|interpreter| interpreter.implementation != "cpython").collect();
        let mut notes = Vec::new();
        if !older.is_empty() {
            let remedy = if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) {
                ""
            } else if cfg!(feature = "pyspy") {
                "; `--backend py-spy` names them"
            } else {
                "; `--backend py-spy` names them, and has to be built in: `cargo run --release --package bindbench --features pyspy -- \
                 profile --backend py-spy`"
            };
            notes.push(format!("Python functions have no names on {}: {self} names those of 3.{from} and newer{remedy}.", names(older)));
        }
        if !others.is_empty() {
            notes.push(format!("Python functions have no names on {}: only CPython's have.", names(others)));
        }
        notes
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Builtin => "the built-in sampler",
            Self::Perf { .. } => "perf",
            Self::PySpy => "py-spy",
            Self::Pprof { .. } => "pprof inside the worker",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_way_can_not_see_is_said() {
        let pprof = Way::Pprof { library: "/l.so".into() };
        assert!(pprof.lack().is_some() && Way::PySpy.lack().is_some() && Way::Builtin.lack().is_none());
        // Native, PyPy, CPython.
        let excused =
            |way: &Way| [(false, false), (true, false), (true, true)].map(|(python, cpython)| way.excuse_for(python, cpython).is_some());
        assert_eq!(excused(&pprof), [true, false, false]);
        assert_eq!(excused(&Way::PySpy), [true, true, false]);
        assert_eq!(excused(&Way::Builtin), [false; 3]);
    }

    #[test]
    fn what_would_name_pythons_functions_is_said_where_they_have_no_names() {
        let known = |implementation: &str, name: &str| Interpreter {
            name: name.into(),
            implementation: implementation.into(),
            version: String::new(),
            flags: Vec::new(),
            libpython: None,
            gil_enabled: None,
        };
        let all = [known("cpython", "3.13.5t"), known("cpython", "3.12.1"), known("cpython", "3.11.7"), known("pypy", "pypy3.11.17")];
        assert_eq!(Way::Builtin.nameless(&all[..2]), Vec::<String>::new());
        let notes = Way::Builtin.nameless(&all);
        assert!(notes[0].starts_with("Python functions have no names on 3.11.7: the built-in sampler names those of 3.12"), "{notes:?}");
        assert!(notes[1].starts_with("Python functions have no names on pypy3.11.17") && notes.len() == 2, "{notes:?}");
        assert_eq!(notes[0].contains("--backend py-spy"), cfg!(all(target_os = "linux", target_arch = "x86_64")));
        let perf = Way::Perf { program: "/usr/bin/perf".into() };
        assert!(perf.nameless(&all)[0].contains("on 3.12.1, 3.11.7: perf names those of 3.13"), "{:?}", perf.nameless(&all));
        assert!(Way::PySpy.nameless(&all).is_empty());
    }
}
