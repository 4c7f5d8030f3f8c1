//! The model of a run: what `run.json` holds, and the rows of `samples.csv`.
//!
//! Everything a report needs is here, so that a run's folder can be read on another machine, years later, without the catalog.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::axes::{Comparison, Form, Gil, Parallel};
use super::counts::{Counter, Counting};

/// Version of the files' layout. Readers refuse a newer one.
pub const SCHEMA: u32 = 1;

/// All of a run but its samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// Version of bindbench that measured.
    pub bindbench: String,
    /// The run's id, which is its folder's name: `20261121T081205Z-9f3a`.
    pub id: String,
    /// The command line, program name first.
    pub command: Vec<String>,
    /// The preset's name.
    pub preset: String,
    /// Seed of every shuffle and of the workers' hash seeds.
    pub seed: u64,
    /// When it began, RFC 3339.
    pub started: String,
    /// Whether it is complete.
    pub state: RunState,
    /// How many generations and rounds were planned.
    pub plan: Plan,
    /// The machine and what could bias a number.
    pub environment: Environment,
    /// The interpreters measured.
    pub interpreters: Vec<Interpreter>,
    /// SHA-256 of the shared kernels library that controlled lanes call; none when it was not built.
    pub kernels_sha256: Option<String>,
    /// What is computed.
    pub workloads: Vec<WorkloadRecord>,
    /// The contenders measured.
    pub lanes: Vec<LaneRecord>,
    /// The cases measured.
    pub cases: Vec<Case>,
    /// What each number is about, in the order of their ids.
    pub cells: Vec<Cell>,
    /// Lanes and operations that were asked for and could not be measured.
    pub skipped: Vec<Skipped>,
    /// The inputs' files → SHA-256.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// The worker processes, as they ended.
    #[serde(default)]
    pub workers: Vec<WorkerRecord>,
    /// Anything a reader should know before trusting a number of this run.
    pub notes: Vec<String>,
    /// How instructions were counted; none where they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counting: Option<Counting>,
    /// What was asked for by name and could not be measured, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<String>,
    /// What it takes to go on with a gate; none in other runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateRecord>,
}

impl Run {
    /// What the input of a case is made of: two runs that say otherwise have other data under one name. None in runs that were recorded before
    /// it was kept.
    pub fn made_of(&self, case: &Case) -> Option<&String> {
        self.workloads.iter().find(|workload| workload.name == case.workload)?.inputs.get(&case.input)
    }

    /// Times are taken, not only instructions counted.
    pub fn is_timed(&self) -> bool {
        self.plan.counters.contains(&Counter::Time)
    }
}

/// What a gate was asked, and how far it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GateRecord {
    /// A slowdown up to this is none, as a fraction.
    pub threshold: f64,
    /// More instructions up to this are none, as a fraction.
    pub instructions_threshold: f64,
    /// Folders with strategies that were given beside base and head.
    pub catalogs: Vec<PathBuf>,
    /// The folder that was base.
    pub base: Option<PathBuf>,
    /// The revision that was base, as it was named.
    pub base_rev: Option<String>,
    /// The commits that this was, one for each folder of head: a branch moves.
    pub base_commits: Vec<String>,
    /// The folder that was head.
    pub head: Option<PathBuf>,
    /// Seconds of the budget that are used up.
    pub used_s: f64,
    /// The cells that take part in the generation that was begun last.
    pub live: Vec<u32>,
    /// Cell → in how many generations, from the first on, it was to take part: it rests once it is decided. Empty in gates that were recorded
    /// before it was kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub took: BTreeMap<u32, u32>,
}

impl GateRecord {
    /// Notes which cells are to take part in a generation. The others rest from it on, if they did not before.
    pub fn begin(&mut self, generation: u32, live: Vec<u32>) {
        self.took.values_mut().for_each(|took| *took = (*took).min(generation));
        self.took.extend(live.iter().map(|&cell| (cell, generation + 1)));
        self.live = live;
    }
}

/// One worker process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerRecord {
    /// Its generation.
    pub generation: u32,
    /// The lane's id.
    pub lane: String,
    /// Name of its interpreter; none for a native lane.
    pub interpreter: Option<String>,
    /// It measured the lane's twin.
    pub twin: bool,
    /// `PYTHONHASHSEED`.
    pub hash_seed: u32,
    /// Time to import the lane's modules.
    pub import_ns: u64,
    /// Its own peak resident set; none where the system does not tell, or when it did not end in peace.
    pub peak_resident_bytes: Option<u64>,
    /// Its first call in each workload.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_calls: Vec<FirstCall>,
}

/// The first call that a worker made in a workload: what is made when it is first needed, is made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstCall {
    /// The cell whose input it had.
    pub cell: u32,
    /// How long it took, nanoseconds.
    pub elapsed_ns: u64,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Being measured, or its driver was killed.
    Running,
    /// Stopped by the user; `--resume` goes on.
    Interrupted,
    /// All planned rounds are on disk.
    Finished,
}

/// The size of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Sets of fresh workers.
    pub generations: u32,
    /// Rounds in each generation.
    pub rounds: u32,
    /// The time the measuring was planned to take, in seconds.
    pub budget_s: f64,
    /// The rounds were asked for: all cells take part in all of them, whatever time that takes.
    #[serde(default)]
    pub fixed_rounds: bool,
    /// Every lane has a twin, not only one of each case.
    #[serde(default)]
    pub all_twins: bool,
    /// Moments at which the run was resumed, RFC 3339.
    #[serde(default)]
    pub resumed: Vec<String>,
    /// What is measured.
    #[serde(default = "time_only", skip_serializing_if = "is_time_only")]
    pub counters: Vec<Counter>,
}

/// What every run measured before instructions could be counted.
pub fn time_only() -> Vec<Counter> {
    vec![Counter::Time]
}

fn is_time_only(counters: &[Counter]) -> bool {
    counters == time_only()
}

/// The machine, and whatever there can bias a number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// `linux`, `macos`.
    pub os: String,
    /// Kernel release.
    pub kernel_release: String,
    /// `x86_64`, `aarch64`.
    pub arch: String,
    /// CPU model's name.
    pub cpu: String,
    /// CPUs this process may run on.
    pub cpus: Vec<usize>,
    /// Physical memory, bytes.
    pub memory_bytes: u64,
    /// CPU frequency governor of the first CPU; none where the system does not tell.
    pub governor: Option<String>,
    /// Load average over one minute, before the first sample.
    pub load_before: Option<f64>,
    /// The same after the last sample.
    pub load_after: Option<f64>,
    /// `kernel.randomize_va_space`: address space layout randomisation, 0 to 2.
    pub aslr: Option<u32>,
    /// `kernel.sched_autogroup_enabled`.
    pub autogroup: Option<bool>,
    /// Workers were pinned to CPUs.
    pub pinned: bool,
    /// The garbage collector's state in the timed loop.
    pub gc: String,
    /// Versions of the tools that built the lanes: `rustc` → `1.95.0 (…)`.
    pub tools: BTreeMap<String, String>,
    /// Version of Unicode whose letters, numbers and white space the texts' kernels and their oracle go by.
    #[serde(default)]
    pub unicode: Option<String>,
    /// Variables that reached workers and can change how they compute, or how fast: `RAYON_NUM_THREADS`. None in runs that were recorded
    /// before they were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variables: Option<BTreeMap<String, String>>,
}

/// One interpreter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interpreter {
    /// Short name that is unique in this run: `3.13.0`, `3.14.2t`, `pypy3.11.17`.
    pub name: String,
    /// `cpython`, `pypy`.
    pub implementation: String,
    /// `sys.version` on one line.
    pub version: String,
    /// Build flags that change speed: `pgo`, `lto`, `frame pointers`, `jit`, `debug`, `free-threaded`.
    pub flags: Vec<String>,
    /// Shared libpython it runs from; none when it is linked in.
    pub libpython: Option<String>,
    /// Whether the GIL was enabled, read from inside a worker.
    pub gil_enabled: Option<bool>,
}

/// A workload, as far as a report needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkloadRecord {
    /// `kmp`.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Lanes that ratios refer to in tables of controlled lanes: the first one measured in a case counts.
    pub baseline_controlled: Vec<String>,
    /// The same for tables of lanes with kernels of their own.
    pub baseline_published: Vec<String>,
    /// Input → what it is made of. Empty in runs that were recorded before it was kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, String>,
}

/// A contender, as far as a report needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneRecord {
    /// `ctypes/rust`.
    pub id: String,
    /// One line.
    pub summary: String,
    /// Which tables it stands in.
    pub comparison: Comparison,
    /// The code that does the work: `rust`.
    pub kernel: String,
    /// How Python reaches it: `ctypes`.
    pub binding: String,
    /// What happens to the GIL meanwhile.
    pub gil: Gil,
    /// Parallelism of its own.
    pub parallel: Parallel,
    /// What else its manifest says.
    #[serde(default)]
    pub declared: Declared,
    /// The commit that its sources were checked out from, with `-dirty` where they had changed since; none outside of git, and in runs
    /// that were recorded before it was kept.
    #[serde(default)]
    pub commit: Option<String>,
    /// Proofs that it is built and is what it says, one for each interpreter.
    pub receipts: Vec<ReceiptRecord>,
}

/// What a lane's manifest says beside its axes. Empty in runs that were recorded before it was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Declared {
    /// Workload → form of input it takes → copies of the input the binding makes.
    pub copies: BTreeMap<String, BTreeMap<Form, u32>>,
    /// Checks of a contract that it leaves out: `bpe.encode` → which.
    pub unchecked: BTreeMap<String, String>,
    /// Versions of Python it supports, as PEP 440 writes them; empty: all.
    pub python: String,
    /// Implementations of Python it supports.
    pub implementations: Vec<String>,
}

/// The part of a receipt that a run keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReceiptRecord {
    /// Name of the interpreter it was built for; none for a native lane.
    pub interpreter: Option<String>,
    /// Artifact's file name → SHA-256.
    pub artifacts: BTreeMap<String, String>,
    /// What the lane imports from its folders → SHA-256 of all of it. Empty in runs that were recorded before it was kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub imports: BTreeMap<String, String>,
    /// SHA-256 of the shared kernels library seen mapped in the worker; none if none was.
    pub kernels_sha256: Option<String>,
    /// What building it took, and what it was built from. None in runs that were recorded before it was kept.
    #[serde(default)]
    pub build: Option<BuildRecord>,
}

/// What it takes to build and to keep a strategy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildRecord {
    /// Seconds of a build from nothing; none until `setup --time-builds` has measured it.
    pub clean_s: Option<f64>,
    /// Seconds of a build after a change to the sources, with what the build tools keep from one build to the next; likewise.
    pub incremental_s: Option<f64>,
    /// Size of all that the build left, bytes.
    pub artifact_bytes: u64,
    /// Its sources, counted.
    pub lines: Lines,
}

/// Lines of sources that are neither blank nor comment only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lines {
    /// In files that hold a kernel of the strategy's own.
    pub kernel: u64,
    /// In all others: what lies between Python and a kernel.
    pub glue: u64,
    /// Of both, inside `unsafe` blocks and functions; none where the language has no such thing.
    pub unsafe_rust: Option<u64>,
}

/// An operation on an input of a size, with a number of threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Index in [`Run::cases`].
    pub id: u32,
    /// `kmp`.
    pub workload: String,
    /// `find_all`.
    pub operation: String,
    /// Name of the workload's input: `talk`.
    pub input: String,
    /// How the input is passed; none where there is no input to speak of.
    pub form: Option<Form>,
    /// Size of the input in `unit`s; none where the operation has no size.
    pub size: Option<u64>,
    /// What the size counts: `bytes`, `items`.
    pub unit: Unit,
    /// Python threads that call at the same time.
    pub threads: u32,
    /// Times are net of the empty loop.
    pub net_of_loop: bool,
}

/// What a size counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bytes of text or data.
    Bytes,
    /// Items of a list or buffer, or calls back.
    Items,
}

/// What one number is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Index in [`Run::cells`], and the name of the cell in `samples.csv`.
    pub id: u32,
    /// Index in [`Run::cases`].
    pub case: u32,
    /// The lane's id.
    pub lane: String,
    /// Name of the interpreter; none for a native lane.
    pub interpreter: Option<String>,
    /// The same lane measured a second time under this cell's name: the A/A control.
    pub twin: bool,
    /// Calls in one sample; 0 until calibrated.
    pub loops: u64,
    /// Time of one sample at calibration, nanoseconds; 0 until calibrated.
    pub sample_ns: u64,
    /// Takes part in this many rounds of a generation (slow cells in fewer than the plan has).
    pub rounds: u32,
    /// Its input is made before and dropped after every sample, because it does not fit beside the others' in memory.
    pub alone: bool,
    /// So many times as fast on an input that it has seen as on a new one; none where that was not seen, or not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remembers: Option<f64>,
    /// Whether it has a number, and if not, why.
    pub status: Status,
}

/// Whether a cell has a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// Calibrated, every answer right so far.
    Ok,
    /// Not measured yet.
    Pending,
    /// An answer was not the expected one.
    Wrong {
        /// What was expected and what came.
        detail: String,
    },
    /// The lane raised.
    Raised {
        /// Type and message.
        detail: String,
    },
    /// The worker died of a signal.
    Crashed {
        /// `SIGSEGV`.
        signal: String,
        /// What it printed last, and where the rest is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
    },
    /// The worker ended by itself.
    Exited {
        /// Its exit status.
        code: i32,
        /// What it printed last, and where the rest is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
    },
    /// No answer within the time limit; the worker's process tree was killed.
    TimedOut {
        /// The limit, seconds.
        after_s: f64,
    },
    /// The worker's process tree used more than `--memory`; it was killed.
    OutOfMemory {
        /// The limit, bytes.
        limit_bytes: u64,
    },
    /// What it imports is not what it was when the run began.
    Changed {
        /// Which file.
        detail: String,
    },
}

impl Status {
    /// The cell has numbers that may be shown.
    pub fn has_number(&self) -> bool {
        matches!(self, Self::Ok)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Pending => f.write_str("not measured"),
            Self::Wrong { detail } => write!(f, "wrong: {detail}"),
            Self::Raised { detail } => write!(f, "raised: {detail}"),
            Self::Crashed { signal, said } => write!(f, "crashed: {signal}{}", after_a_colon(said)),
            Self::Exited { code, said } => write!(f, "exited with status {code}{}", after_a_colon(said)),
            Self::TimedOut { after_s } => write!(f, "timed out after {after_s} s"),
            Self::OutOfMemory { limit_bytes } => {
                write!(f, "out of memory: used more than {} MiB", limit_bytes >> 20)
            }
            Self::Changed { detail } => write!(f, "not one build: {detail}"),
        }
    }
}

fn after_a_colon(said: &Option<String>) -> String {
    said.as_ref().map(|said| format!(": {said}")).unwrap_or_default()
}

/// Something asked for that has no cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The lane's id.
    pub lane: String,
    /// Name of the interpreter, where it matters.
    pub interpreter: Option<String>,
    /// `std`, or `call.call_back`; none for the whole lane.
    pub operation: Option<String>,
    /// Why, in a sentence.
    pub reason: String,
}

/// A row of `samples.csv`: one timed loop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Which set of fresh workers.
    pub generation: u32,
    /// Which round of the generation.
    pub round: u32,
    /// Place in the shuffled order of the round.
    pub position: u32,
    /// The cell's id.
    pub cell: u32,
    /// Calls in the loop, of each thread.
    pub loops: u64,
    /// Wall time of the loop.
    pub elapsed_ns: u64,
    /// Wall time of the same loop without the call; none where it was not asked for.
    pub empty_ns: Option<u64>,
    /// Every answer checked with this sample was right.
    pub digest_ok: bool,
}
