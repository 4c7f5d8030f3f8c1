//! What the driver and its workers say to each other: types only.
//!
//! One JSON object a line, over two file descriptors of their own (never stdin, stdout or stderr: a lane that prints must not
//! break a run). The driver sends a [`Request`], the worker answers with exactly one [`Reply`]: one that says anything else, says more than
//! 64 MiB, or does not read, is ended. A worker that reads the end of its input exits with status 0. `pyscripts/bindbench_worker` speaks it in Python, `impls/native` in Rust.
//!
//! ```
//! use bindbench_protocol::{Reply, Request};
//! let request: Request = serde_json::from_str(r#"{"sample": {"cell": 3, "loops": 1024, "first": 5, "empty": true}}"#)?;
//! assert!(matches!(request, Request::Sample(ref sample) if sample.loops == 1024));
//! let reply: Reply = serde_json::from_str(r#"{"sampled": {"elapsed_ns": 5300000, "answers": [{"item": 4, "answer": {"integer": "7"}}]}}"#)?;
//! assert!(matches!(reply, Reply::Sampled(_)));
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Environment variable with the number of the descriptor a worker reads requests from.
pub const REQUESTS_FD: &str = "BINDBENCH_REQUESTS_FD";
/// Environment variable with the number of the descriptor a worker writes replies to.
pub const REPLIES_FD: &str = "BINDBENCH_REPLIES_FD";
/// Environment variable with the path of the shared library built from `impls/kernels`.
pub const KERNELS: &str = "BINDBENCH_KERNELS";

/// Environment variable with the folder of what byte pair encoding needs: `cl100k_base.tokens`, `unicode.classes`, and tiktoken's
/// cache file. See `harness/workloads/README.md`.
pub const BPE: &str = "BINDBENCH_BPE";

/// What the driver asks of a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Import the lane. The first request to a worker; answered by [`Reply::Loaded`].
    Load(Load),
    /// Make the inputs of a cell and keep them; answered by [`Reply::Prepared`].
    Prepare(Prepare),
    /// Call the operation once on each of some items of a prepared cell's pool; answered by [`Reply::Verified`].
    Verify {
        /// The cell's number.
        cell: u32,
        /// Index of the first item.
        #[serde(default)]
        first: usize,
        /// Number of items; all the others of the pool when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<usize>,
    },
    /// Time one sample of a prepared cell; answered by [`Reply::Sampled`].
    Sample(Sample),
    /// Forget a cell's inputs; answered by [`Reply::Dropped`].
    Drop {
        /// The cell's number.
        cell: u32,
    },
    /// Call one operation once, untimed, and return the answer with all its values; answered by [`Reply::Called`].
    Call(Call),
    /// Call one operation on inputs that are made for this alone; answered by [`Reply::Probed`].
    Probe(Probe),
    /// Call a prepared cell's operation for a while, and watch from another thread how late it wakes; answered by
    /// [`Reply::Watched`]. Never in a worker that takes samples.
    Watch(Watch),
    /// Call a prepared cell's operation, and look at the process's memory before and after; answered by [`Reply::Weighed`].
    /// Never in a worker that takes samples.
    Weigh(Weigh),
    /// From now on, take samples of the process's own stacks while it runs the calls of a [`Request::Sample`]; answered by
    /// [`Reply::Recording`]. Never in a worker whose times count.
    Record(Record),
    /// Report what the process used, then exit with status 0, and take nothing of what was started along; answered by [`Reply::Finished`].
    /// A worker that takes longer than a few seconds for it is ended.
    Finish,
}

/// Which lane a worker is to import, and from where.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// The lane's id, `ctypes/rust`.
    pub lane: String,
    /// Folders to search for its modules, before all others.
    pub paths: Vec<PathBuf>,
    /// Workload → name of the module that holds its operations as functions.
    pub modules: BTreeMap<String, String>,
    /// The CPUs to stay on; none: wherever the system puts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<Vec<usize>>,
    /// Replies say 0 instead of times and of the process's number: for a worker whose instructions are counted. They would be of another
    /// length in every process, and leave its memory in another state, which allocations inside of the loop could meet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timeless: bool,
}

/// A cell's inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prepare {
    /// The cell's number in this run.
    pub cell: u32,
    /// The workload, `kmp`.
    pub workload: String,
    /// The operation, `find_all`.
    pub operation: String,
    /// Distinct inputs, each the argument list of one call; never empty. All have the same number of arguments.
    pub pool: Vec<Vec<Argument>>,
    /// Number of threads that call at the same time, each on inputs of its own.
    pub threads: usize,
    /// The operation is expected to raise: the timed loop catches it.
    #[serde(default)]
    pub raises: bool,
}

/// One timed sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// A prepared cell's number.
    pub cell: u32,
    /// Calls in the timed loop, of each thread.
    pub loops: u64,
    /// Index in the pool of the first call's input; thread `t` starts at `first + t`. The pool is walked in order, around and around.
    pub first: usize,
    /// Also time the same loop without the call.
    #[serde(default)]
    pub empty: bool,
    /// The CPUs to stay on during this sample and after; none: no change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<Vec<usize>>,
}

/// One untimed call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The workload, `std`.
    pub workload: String,
    /// The operation, `mean`.
    pub operation: String,
    /// Its arguments.
    pub arguments: Vec<Argument>,
}

/// Calls on inputs of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The workload, `std`.
    pub workload: String,
    /// The operation, `mean`.
    pub operation: String,
    /// Its inputs, each the argument list of a call. They are all made before the first call, and gone after the last one.
    pub inputs: Vec<Vec<Argument>>,
    /// So many times one call on each of them: first on all, then on the same objects again.
    pub passes: u32,
}

/// A library that takes samples of the stacks of the process that loads it. It has two C functions, both with status 0 when it went well:
/// `bindbench_pprof_start(hertz)`, and `bindbench_pprof_stop(path)`, which appends the samples to a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The library.
    pub library: PathBuf,
    /// Samples a second of CPU time.
    pub hertz: u64,
    /// The file. Its folder is for temporary files of the library's, too.
    pub file: PathBuf,
}

/// Calls with a heartbeat beside them: a thread that sleeps half a millisecond, over and over, and needs the GIL to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// A prepared cell's number.
    pub cell: u32,
    /// Index in the pool of the first call's input.
    pub first: usize,
    /// No call begins later than this after the first one.
    pub duration_ns: u64,
    /// The interpreter's switch interval meanwhile: how long a thread waits for the GIL before it asks whoever runs Python code to
    /// hand it over.
    pub switch_interval_ns: u64,
}

/// Untimed calls between two looks at the process's memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weigh {
    /// A prepared cell's number.
    pub cell: u32,
    /// Index in the pool of the first call's input.
    pub first: usize,
    /// Calls between the two looks; only the last one's answer is kept.
    pub loops: u64,
}

/// One argument of a call, in JSON an object with one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Argument {
    /// `None`: `{"none": null}`.
    None(()),
    /// A `bool`.
    Boolean(bool),
    /// An `int` of any size, in decimal digits.
    Integer(String),
    /// A `float`, as Python's `repr` and Rust's `{:?}` write it (`nan`, `inf`, `-inf` too).
    Float(String),
    /// A `str`.
    Text(String),
    /// A `bytes`, in hexadecimal digits.
    Bytes(String),
    /// A `bytearray`, in hexadecimal digits.
    Bytearray(String),
    /// A `list`.
    List(Vec<Argument>),
    /// A `tuple`.
    Tuple(Vec<Argument>),
    /// An object with the buffer protocol.
    Buffer(Buffer),
    /// A Python function made by the worker.
    Callable(Callable),
    /// Data from a file.
    File(File),
}

/// An object with the buffer protocol: a `memoryview` over `hex`, cast to `format` and `rows`, sliced `[::step]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffer {
    /// The `struct` format of one item: `d` for float64, `B` for bytes …; `>d` is float64 with its bytes in the other order.
    pub format: String,
    /// The memory, in hexadecimal digits.
    pub hex: String,
    /// Over `bytes` (true) or `bytearray` (false).
    #[serde(default)]
    pub readonly: bool,
    /// 1 for contiguous.
    #[serde(default = "one")]
    pub step: i64,
    /// Number of rows of a buffer of two dimensions; none: it has one dimension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

fn one() -> i64 {
    1
}

/// The functions a worker can hand to `call_back`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Callable {
    /// Takes an int, returns it.
    Identity,
    /// Raises `KeyError` at 3, otherwise as identity.
    RaiseAtThree,
    /// Returns a `str`.
    ReturnText,
    /// Takes an int, returns one that depends on all ints it has taken and on their order: with s the number here at first, it is
    /// s ← (1103515245 s + i + 12345) mod 2^31. So whoever has the sum of its answers has called it as often, and in that order.
    Chain(u64),
}

/// A slice of a file of little-endian items, and the Python object to make of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The file.
    pub path: PathBuf,
    /// Where the slice starts, in bytes; a multiple of 65,536.
    pub offset: u64,
    /// Number of items.
    pub count: u64,
    /// What the items are, and the object to make.
    #[serde(rename = "as")]
    pub shape: Shape,
}

/// The Python object made from a file's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// uint8 items → `bytes`.
    Bytes,
    /// uint8 items, UTF-8 → `str`.
    Text,
    /// int64 items → `list` of `int`.
    Integers,
    /// float64 items → `list` of `float`.
    Floats,
    /// float64 items → `array.array("d")`, an object with the buffer protocol.
    Float64,
    /// uint8 items → a `MappedFile`: a read-only `mmap.mmap` with attributes `path`, `offset`, `count`.
    MappedBytes,
    /// float64 items → a `MappedFile`.
    MappedFloat64,
}

/// What a worker answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// To [`Request::Load`].
    Loaded(Loaded),
    /// To [`Request::Prepare`].
    Prepared {},
    /// To [`Request::Verify`]: the answers, in the order of the pool.
    Verified {
        /// One answer for each item asked for.
        answers: Vec<Answer>,
        /// Time of the first of these calls, nanoseconds; none when there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_ns: Option<u64>,
    },
    /// To [`Request::Sample`].
    Sampled(Sampled),
    /// To [`Request::Drop`].
    Dropped {},
    /// To [`Request::Call`].
    Called {
        /// The answer, with all its values.
        answer: Answer,
    },
    /// To [`Request::Probe`].
    Probed {
        /// One for each time that all inputs were gone through.
        passes: Vec<Pass>,
    },
    /// To [`Request::Watch`].
    Watched(Watched),
    /// To [`Request::Weigh`].
    Weighed(Weighed),
    /// To [`Request::Record`].
    Recording {},
    /// To [`Request::Finish`].
    Finished {
        /// Peak resident set of the worker itself, in bytes (`VmHWM`; not `ru_maxrss`, which is inherited over fork and exec).
        peak_resident_bytes: Option<u64>,
    },
    /// To any request: it could not be done, or what the lane was asked for raised anything. The worker goes on.
    Failed(Raised),
}

/// What a worker says of itself once the lane is imported, read from inside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loaded {
    /// Process id.
    pub pid: u32,
    /// Time to import the lane's modules.
    pub import_ns: u64,
    /// `sys.version` on one line; none without Python.
    pub version: Option<String>,
    /// Whether the GIL is enabled now; none without Python.
    pub gil_enabled: Option<bool>,
    /// Files mapped into the process whose names mark them as shared libraries; empty where the system does not tell.
    pub libraries: Vec<PathBuf>,
}

/// One sample's time and answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampled {
    /// Wall time of the loop: of all threads, from their common start to the last one's end.
    pub elapsed_ns: u64,
    /// Wall time of the same loop without the call, when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_ns: Option<u64>,
    /// The last answer of each thread.
    pub answers: Vec<ItemAnswer>,
}

/// An answer and the input it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemAnswer {
    /// Index in the cell's pool.
    pub item: usize,
    /// What the lane returned.
    pub answer: Answer,
}

/// One call on each of some inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pass {
    /// The answers, in the order of the inputs.
    pub answers: Vec<Answer>,
    /// CPU time that the process took for each of these calls, nanoseconds; wall time where the system does not tell.
    pub cpu_ns: Vec<u64>,
    /// Wall time of each.
    pub wall_ns: Vec<u64>,
}

/// What a heartbeat saw. All moments are of one clock, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// The system told how long threads ran and waited for a CPU; otherwise all these times are 0.
    pub queues_known: bool,
    /// Beats while nothing was called.
    pub idle: Vec<Beat>,
    /// Beats from the first call on.
    pub beats: Vec<Beat>,
    /// The calls, one after the other, with pauses between them.
    pub calls: Vec<Span>,
}

/// One sleep of half a millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beat {
    /// When it fell asleep.
    pub start_ns: u64,
    /// When it ran again, holding the GIL.
    pub end_ns: u64,
    /// How long it waited for a CPU meanwhile (its run-queue wait): that is no fault of the GIL.
    pub queue_ns: u64,
    /// How long the calling thread was on a CPU meanwhile. Exact when that waits for the GIL, as it does while the heart has it.
    pub caller_ran_ns: u64,
}

/// From one moment to a later one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Its beginning.
    pub start_ns: u64,
    /// Its end.
    pub end_ns: u64,
}

/// The process's memory around some calls, read from inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighed {
    /// Before the first call; none where the system does not tell.
    pub before: Option<Footprint>,
    /// Wall time of the calls.
    pub elapsed_ns: u64,
    /// Peak of the resident set during the calls, bytes: `VmHWM`, reset before them. None where it can't be reset.
    pub peak_bytes: Option<u64>,
    /// After the calls, while the last one's answer lives.
    pub holding: Option<Footprint>,
    /// After that, with the answer gone and garbage collected.
    pub after: Option<Footprint>,
    /// How many references there are then to what the calls were given and to what they share; none where nobody counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<References>,
}

/// References to objects, counted as Python counts them; objects that live for ever are left out, and a kind of which nothing is left is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct References {
    /// To all arguments of the cell's pool, and to the items of lists among them that are not long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<u64>,
    /// To the operation, and to functions among the arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub functions: Option<u64>,
    /// To what all code has in common: None, small ints, types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<u64>,
    /// To all objects of the process; debug builds tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// What a process takes at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footprint {
    /// Resident set of the process itself, bytes, counted page by page (`Rss` of `smaps_rollup`; `VmRSS` may lag behind).
    pub resident_bytes: u64,
    /// Blocks that the interpreter's own allocator has given out; none where it does not count them.
    pub blocks: Option<u64>,
}

/// What a call returned or raised, in a form that can be compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// `None`.
    None(()),
    /// An `int` (not a `bool`), in decimal digits.
    Integer(String),
    /// A `float`, as Python's `repr` writes it.
    Float(String),
    /// A `list` of `int`, each in 0 ..= 2^64 − 1.
    Integers(Integers),
    /// An object with the buffer protocol, one-dimensional and contiguous, of uint32.
    Uint32(Integers),
    /// The call raised.
    Raised(Raised),
    /// Anything else: the type's name and the beginning of its `repr`.
    Other(String),
}

/// Integers, by their digest: a list and a buffer of the same ones have the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Integers {
    /// How many.
    pub count: u64,
    /// SHA-256 of the items as little-endian uint64, in hexadecimal digits.
    pub sha256: String,
    /// The items themselves; only in [`Reply::Called`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<u64>>,
}

/// An exception.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raised {
    /// The name of its type, `ValueError`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `str(exception)`.
    pub message: String,
    /// Names of its type's base classes (`__mro__` without the type itself).
    #[serde(default)]
    pub bases: Vec<String>,
    /// The traceback's text, where it helps (failures of the worker's own work).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
    /// Where it was raised, for people. No worker says so: whoever reads a reply makes it of the traceback.
    #[serde(skip)]
    pub place: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;
    use serde_json::{Value, from_str, json, to_value};

    use super::*;

    /// The lines on the wire are the protocol: workers in other languages are written from them.
    fn is_written_as<T: Serialize + DeserializeOwned + PartialEq + Debug>(message: T, line: Value) {
        assert_eq!(to_value(&message).expect("JSON"), line);
        assert_eq!(serde_json::from_value::<T>(line).expect("the same message"), message);
    }

    #[test]
    fn requests_are_written_this_way() {
        let load = Load {
            lane: "a/b".into(),
            paths: vec!["/x".into()],
            modules: [("kmp".into(), "m".into())].into(),
            cpus: None,
            timeless: false,
        };
        is_written_as(Request::Load(load), json!({"load": {"lane": "a/b", "paths": ["/x"], "modules": {"kmp": "m"}}}));
        is_written_as(Request::Verify { cell: 1, first: 2, count: None }, json!({"verify": {"cell": 1, "first": 2}}));
        is_written_as(Request::Verify { cell: 1, first: 0, count: Some(4) }, json!({"verify": {"cell": 1, "first": 0, "count": 4}}));
        let sample = Sample { cell: 3, loops: 1 << 40, first: 5, empty: true, cpus: Some(vec![1]) };
        let line = json!({"sample": {"cell": 3, "loops": 1_099_511_627_776_u64, "first": 5, "empty": true, "cpus": [1]}});
        is_written_as(Request::Sample(sample), line);
        is_written_as(
            Request::Watch(Watch { cell: 3, first: 5, duration_ns: 1_000_000_000, switch_interval_ns: 500_000 }),
            json!({"watch": {"cell": 3, "first": 5, "duration_ns": 1_000_000_000, "switch_interval_ns": 500_000}}),
        );
        is_written_as(Request::Weigh(Weigh { cell: 3, first: 5, loops: 1 }), json!({"weigh": {"cell": 3, "first": 5, "loops": 1}}));
        is_written_as(
            Request::Record(Record { library: "/l.so".into(), hertz: 999, file: "/t/stacks".into() }),
            json!({"record": {"library": "/l.so", "hertz": 999, "file": "/t/stacks"}}),
        );
        let probe =
            Probe { workload: "call".into(), operation: "add".into(), inputs: vec![vec![Argument::Integer("1".into())]], passes: 2 };
        let line = json!({"probe": {"workload": "call", "operation": "add", "inputs": [[{"integer": "1"}]], "passes": 2}});
        is_written_as(Request::Probe(probe), line);
        is_written_as(Request::Drop { cell: 9 }, json!({"drop": {"cell": 9}}));
        is_written_as(Request::Finish, json!("finish"));
    }

    #[test]
    fn arguments_are_written_this_way() {
        let shape = |shape| Argument::File(File { path: "/f".into(), offset: 65_536, count: 2, shape });
        let arguments = [
            (Argument::None(()), json!({"none": null})),
            (Argument::Integer("-9223372036854775809".into()), json!({"integer": "-9223372036854775809"})),
            (Argument::Float("nan".into()), json!({"float": "nan"})),
            (Argument::Text("\u{0}é".into()), json!({"text": "\u{0}é"})),
            (Argument::Bytes("00ff".into()), json!({"bytes": "00ff"})),
            (Argument::List(vec![Argument::None(())]), json!({"list": [{"none": null}]})),
            (Argument::Callable(Callable::RaiseAtThree), json!({"callable": "raise_at_three"})),
            (Argument::Callable(Callable::Chain(5)), json!({"callable": {"chain": 5}})),
            (shape(Shape::MappedFloat64), json!({"file": {"path": "/f", "offset": 65536, "count": 2, "as": "mapped_float64"}})),
            (shape(Shape::Integers), json!({"file": {"path": "/f", "offset": 65536, "count": 2, "as": "integers"}})),
        ];
        for (argument, line) in arguments {
            is_written_as(argument, line);
        }
        let buffer: Argument = from_str(r#"{"buffer": {"format": "d", "hex": ""}}"#).expect("a buffer");
        assert_eq!(buffer, Argument::Buffer(Buffer { format: "d".into(), hex: String::new(), readonly: false, step: 1, rows: None }));
    }

    #[test]
    fn replies_are_written_this_way() {
        is_written_as(Reply::Prepared {}, json!({"prepared": {}}));
        is_written_as(Reply::Dropped {}, json!({"dropped": {}}));
        is_written_as(Reply::Verified { answers: Vec::new(), first_ns: None }, json!({"verified": {"answers": []}}));
        let verified = Reply::Verified { answers: vec![Answer::None(())], first_ns: Some(9) };
        is_written_as(verified, json!({"verified": {"answers": [{"none": null}], "first_ns": 9}}));
        let answers = vec![ItemAnswer { item: 4, answer: Answer::Float("-0.0".into()) }];
        let line = json!({"sampled": {"elapsed_ns": 7, "empty_ns": 1, "answers": [{"item": 4, "answer": {"float": "-0.0"}}]}});
        is_written_as(Reply::Sampled(Sampled { elapsed_ns: 7, empty_ns: Some(1), answers }), line);
        let integers = Answer::Integers(Integers { count: 1, sha256: "ab".into(), values: None });
        is_written_as(Reply::Called { answer: integers }, json!({"called": {"answer": {"integers": {"count": 1, "sha256": "ab"}}}}));
        let beat = Beat { start_ns: 1, end_ns: 600_000, queue_ns: 7, caller_ran_ns: 0 };
        let calls = vec![Span { start_ns: 2, end_ns: 3 }];
        let line = json!({"watched": {"queues_known": true, "idle": [], "beats": [
            {"start_ns": 1, "end_ns": 600_000, "queue_ns": 7, "caller_ran_ns": 0}], "calls": [{"start_ns": 2, "end_ns": 3}]}});
        let watched = Watched { queues_known: true, idle: Vec::new(), beats: vec![beat], calls };
        is_written_as(Reply::Watched(watched), line);
        let footprint = Footprint { resident_bytes: 4096, blocks: Some(3) };
        let line = json!({"weighed": {"before": {"resident_bytes": 4096, "blocks": 3}, "elapsed_ns": 9, "peak_bytes": 8192, "holding": null, "after": null}});
        let weighed = Weighed { before: Some(footprint), elapsed_ns: 9, peak_bytes: Some(8192), ..Weighed::default() };
        is_written_as(Reply::Weighed(weighed), line);
        let line = json!({"weighed": {"before": null, "elapsed_ns": 9, "peak_bytes": null, "holding": null, "after": null,
            "references": {"arguments": 7, "total": 9}}});
        let references = Some(References { arguments: Some(7), total: Some(9), ..References::default() });
        is_written_as(Reply::Weighed(Weighed { elapsed_ns: 9, references, ..Weighed::default() }), line);
        let passes = vec![Pass { answers: vec![Answer::None(())], cpu_ns: vec![7], wall_ns: vec![9] }];
        is_written_as(
            Reply::Probed { passes },
            json!({"probed": {"passes": [{"answers": [{"none": null}], "cpu_ns": [7], "wall_ns": [9]}]}}),
        );
        is_written_as(Reply::Recording {}, json!({"recording": {}}));
        is_written_as(Reply::Finished { peak_resident_bytes: None }, json!({"finished": {"peak_resident_bytes": null}}));
        let raised = Raised { kind: "KeyError".into(), message: "3".into(), bases: vec!["Exception".into()], ..Raised::default() };
        is_written_as(Reply::Failed(raised), json!({"failed": {"type": "KeyError", "message": "3", "bases": ["Exception"]}}));
    }

    #[test]
    fn what_is_not_of_the_protocol_is_refused() {
        assert!(from_str::<Request>(r#"{"drop": {"cell": 1, "really": true}}"#).is_err());
        assert!(from_str::<Request>(r#"{"stop": {}}"#).is_err());
        assert!(from_str::<Reply>(r#"{"sampled": {"elapsed_ns": -1, "answers": []}}"#).is_err());
        assert!(from_str::<Reply>("no reply").is_err());
    }
}
