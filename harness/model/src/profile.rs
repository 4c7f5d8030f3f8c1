//! What `bindbench profile` found: the model of `profile.json`, which lies in the folder of the pictures.
//!
//! A profile is gathered: one invocation looks at some cells with some passes, and what earlier ones found of other cells, or with other
//! passes, stays. So every cell says itself when it was looked at.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::gauges::{GilWatch, MemoryUse};
use super::run::{Case, Environment, Interpreter, LaneRecord, ReceiptRecord, Skipped, Status};

/// Version of the file's layout. Readers refuse a newer one.
pub const SCHEMA: u32 = 1;

/// All that is known about where time and memory of some cells go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// Version of bindbench that looked last.
    pub bindbench: String,
    /// Its command line, program name first.
    pub command: Vec<String>,
    /// When that began, RFC 3339.
    pub started: String,
    /// The machine.
    pub environment: Environment,
    /// The interpreters looked at.
    pub interpreters: Vec<Interpreter>,
    /// The lanes looked at.
    pub lanes: Vec<LaneRecord>,
    /// What was looked at, by case, lane and interpreter.
    pub cells: Vec<ProfiledCell>,
    /// Differential flamegraphs.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// Lanes and operations that were asked for and could not be looked at.
    pub skipped: Vec<Skipped>,
    /// Anything a reader should know first.
    pub notes: Vec<String>,
}

/// A cell, and what each pass found out about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfiledCell {
    /// The case. Its id is that of no list.
    pub case: Case,
    /// The lane's id.
    pub lane: String,
    /// Name of the interpreter; none for a native lane.
    pub interpreter: Option<String>,
    /// When it was looked at last, RFC 3339.
    pub at: String,
    /// Whether it could be looked at, and if not, why.
    pub status: Status,
    /// Pass `stacks`: where the time goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stacks: Option<Stacks>,
    /// Pass `gil`: who holds the GIL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gil: Option<GilWatch>,
    /// Pass `memory`: what calls do to memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryUse>,
}

/// A differential flamegraph of two lanes of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The case. Its id is that of no list.
    pub case: Case,
    /// The lane that is compared with.
    pub first: String,
    /// The lane that is compared.
    pub second: String,
    /// Name of the second one's interpreter; none for a native lane.
    pub interpreter: Option<String>,
    /// When they were looked at, RFC 3339.
    pub at: String,
    /// The picture; a path relative to the folder of `profile.json`.
    pub picture: PathBuf,
    /// The stacks with the time of a call of either lane, in the picture's unit, likewise.
    pub folded: PathBuf,
}

/// Samples of a worker's stacks while it calls the lane over and over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stacks {
    /// How the samples were taken.
    pub way: String,
    /// Samples a second that were asked for, of each running thread.
    pub hertz: u64,
    /// Calls during which samples were taken.
    pub calls: u64,
    /// Wall time of their loops, nanoseconds.
    pub elapsed_ns: u64,
    /// Samples in the picture.
    pub samples: u64,
    /// Of these, with a stack down to where its thread began.
    pub rooted: u64,
    /// Of these, whose innermost function has no name.
    pub unknown: u64,
    /// Of these, with a Python function on the stack.
    pub with_python: u64,
    /// Samples that the kernel or the sampler dropped.
    pub lost: u64,
    /// Samples of the worker's own work around the loops; they are not in the picture.
    pub outside: u64,
    /// Samples in the operating system's kernel could be seen.
    pub with_kernel: bool,
    /// What the samples were spent on.
    pub split: BTreeMap<Activity, u64>,
    /// The flamegraph; a path relative to the folder of `profile.json`.
    pub picture: PathBuf,
    /// The folded stacks, likewise.
    pub folded: PathBuf,
    /// The samples one by one for the Firefox Profiler, where they were asked for; likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firefox: Option<PathBuf>,
}

/// A flamegraph with fewer rooted samples than this is not called mixed: too many of its stacks begin nowhere.
pub const MIXED: f64 = 0.9;

impl Stacks {
    /// A share of all samples, 0 to 1; 0 where there is none.
    pub fn share(&self, samples: u64) -> f64 {
        if self.samples == 0 { 0.0 } else { samples as f64 / self.samples as f64 }
    }

    /// Whether its stacks go from the thread's beginning through Python to native code often enough to say so.
    pub fn is_mixed(&self) -> bool {
        self.with_python > 0 && self.share(self.rooted) >= MIXED
    }

    /// What its stacks may be called.
    pub fn kind(&self) -> &'static str {
        if self.is_mixed() {
            "mixed stacks"
        } else if self.share(self.rooted) < MIXED {
            "stacks that are cut too often to be called mixed"
        } else {
            "native stacks, no Python function has a name"
        }
    }
}

/// What a sample was spent on. Every sample is one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Running Python's bytecode, and whatever belongs to it.
    Interpreter,
    /// Getting at arguments: parsing, unboxing, acquiring a buffer.
    ArgumentConversion,
    /// Making Python objects of results.
    ResultBoxing,
    /// The rest of the binding.
    BindingGlue,
    /// The work itself.
    Kernel,
    /// Moving bytes.
    Copying,
    /// Getting and giving back memory, counting references to 0, collecting cycles.
    Allocation,
    /// Taking and dropping the GIL, waiting for it.
    Gil,
    /// The operating system.
    System,
    /// No rule knows.
    Other,
}

impl Activity {
    /// All of them, in the order of a stacked bar.
    pub const ALL: [Self; 10] = [
        Self::Interpreter,
        Self::ArgumentConversion,
        Self::ResultBoxing,
        Self::BindingGlue,
        Self::Kernel,
        Self::Copying,
        Self::Allocation,
        Self::Gil,
        Self::System,
        Self::Other,
    ];
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Interpreter => "interpreter",
            Self::ArgumentConversion => "argument conversion",
            Self::ResultBoxing => "result boxing",
            Self::BindingGlue => "binding glue",
            Self::Kernel => "kernel",
            Self::Copying => "copying",
            Self::Allocation => "allocation and GC",
            Self::Gil => "GIL",
            Self::System => "operating system",
            Self::Other => "other",
        })
    }
}

impl Profile {
    /// Takes over what an older profile knows and this one does not, but for lanes that have been built anew since.
    pub fn absorb(&mut self, mut older: Self) {
        older.cells.retain(|cell| match (self.receipt(cell), older.lanes.iter().find_map(|lane| receipt(lane, cell))) {
            (Some(new), Some(old)) => new.artifacts == old.artifacts,
            _ => true,
        });
        for cell in older.cells {
            match self.cells.iter_mut().find(|own| own.is_about_the_same(&cell)) {
                Some(own) => own.absorb(cell),
                None => self.cells.push(cell),
            }
        }
        let known = |names: &[Interpreter], name: &str| names.iter().any(|interpreter| interpreter.name == name);
        self.interpreters
            .extend(older.interpreters.into_iter().filter(|other| !known(&self.interpreters, &other.name)).collect::<Vec<_>>());
        for lane in older.lanes {
            match self.lanes.iter_mut().find(|own| own.id == lane.id) {
                Some(own) => {
                    let new = |old: &ReceiptRecord| own.receipts.iter().all(|receipt| receipt.interpreter != old.interpreter);
                    let missing: Vec<ReceiptRecord> = lane.receipts.into_iter().filter(new).collect();
                    own.receipts.extend(missing);
                }
                None => self.lanes.push(lane),
            }
        }
        self.cells.sort_by_cached_key(ProfiledCell::key);
        for difference in older.differences {
            if self.differences.iter().all(|own| own.picture != difference.picture) {
                self.differences.push(difference);
            }
        }
    }

    /// The build of a cell's lane that was looked at.
    pub fn receipt(&self, cell: &ProfiledCell) -> Option<&ReceiptRecord> {
        self.lanes.iter().find_map(|lane| receipt(lane, cell))
    }
}

fn receipt<'l>(lane: &'l LaneRecord, cell: &ProfiledCell) -> Option<&'l ReceiptRecord> {
    lane.receipts.iter().find(|receipt| lane.id == cell.lane && receipt.interpreter == cell.interpreter)
}

impl ProfiledCell {
    /// What it is sorted by: workload, operation, input, size, threads, lane, interpreter.
    fn key(&self) -> (String, String, String, Option<u64>, u32, String, Option<String>) {
        let Case { workload, operation, input, size, threads, .. } = self.case.clone();
        (workload, operation, input, size, threads, self.lane.clone(), self.interpreter.clone())
    }

    fn is_about_the_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    /// Keeps what was found here, and takes the rest from an older look at the same cell.
    fn absorb(&mut self, older: Self) {
        self.stacks = self.stacks.take().or(older.stacks);
        self.gil = self.gil.take().or(older.gil);
        self.memory = self.memory.take().or(older.memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;

    fn cell(lane: &str, stacks: Option<Stacks>) -> ProfiledCell {
        let case = Case {
            id: 0,
            workload: "w".into(),
            operation: "o".into(),
            input: "i".into(),
            form: None,
            size: Some(5),
            unit: Unit::Items,
            threads: 1,
            net_of_loop: false,
        };
        ProfiledCell { case, lane: lane.into(), interpreter: None, at: String::new(), status: Status::Ok, stacks, gil: None, memory: None }
    }

    fn profile(cells: Vec<ProfiledCell>) -> Profile {
        Profile {
            schema: SCHEMA,
            bindbench: "0".into(),
            command: Vec::new(),
            started: String::new(),
            environment: Environment::default(),
            interpreters: Vec::new(),
            lanes: Vec::new(),
            cells,
            differences: Vec::new(),
            skipped: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn samples(samples: u64) -> Option<Stacks> {
        Some(Stacks { samples, rooted: samples, split: [(Activity::Kernel, samples)].into(), ..Stacks::default() })
    }

    #[test]
    fn a_later_look_replaces_what_it_looked_at_and_nothing_else() {
        let mut new = profile(vec![cell("z/z", samples(9)), cell("a/b", None)]);
        new.absorb(profile(vec![cell("a/a", samples(1)), cell("a/b", samples(2)), cell("z/z", samples(3))]));
        let found: Vec<_> = new.cells.iter().map(|cell| (cell.lane.as_str(), cell.stacks.as_ref().unwrap().samples)).collect();
        assert_eq!(found, [("a/a", 1), ("a/b", 2), ("z/z", 9)]);
    }

    #[test]
    fn what_was_found_of_another_build_goes_with_it() {
        let of = |digest: &str, interpreters: &[&str]| {
            let receipts: Vec<_> = interpreters
                .iter()
                .map(|name| serde_json::json!({"interpreter": name, "artifacts": {"x.so": digest}, "kernels_sha256": null}))
                .collect();
            let lane = serde_json::json!({"id": "a/b", "summary": "", "comparison": "as published", "kernel": "c", "binding": "capi",
                "gil": "held", "parallel": "none", "receipts": receipts});
            let cells = interpreters.iter().map(|name| ProfiledCell { interpreter: Some((*name).into()), ..cell("a/b", samples(1)) });
            Profile { lanes: vec![serde_json::from_value(lane).unwrap()], ..profile(cells.collect()) }
        };
        let interpreters = |new: &Profile| new.cells.iter().flat_map(|cell| cell.interpreter.clone()).collect::<Vec<_>>();
        let mut same = of("1", &["3.13"]);
        same.absorb(of("1", &["3.9", "3.13"]));
        assert_eq!(interpreters(&same), ["3.13", "3.9"]);
        assert!(same.cells.iter().all(|cell| same.receipt(cell).is_some()));
        let mut new = of("2", &["3.13"]);
        new.cells.clear();
        new.absorb(of("1", &["3.9", "3.13"]));
        assert_eq!(interpreters(&new), ["3.9"]);
    }

    #[test]
    fn a_picture_whose_stacks_begin_nowhere_is_not_mixed() {
        let of = |samples, rooted, with_python| Stacks { samples, rooted, with_python, ..Stacks::default() };
        assert!(of(100, 90, 100).is_mixed() && !of(100, 89, 100).is_mixed() && !of(0, 0, 0).is_mixed());
        assert_eq!(of(100, 100, 0).kind(), "native stacks, no Python function has a name");
    }
}
