//! Speaks the protocol to the real program.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bindbench_protocol::{
    Answer, Argument, Buffer, Call, File, Integers, Load, Loaded, Prepare, Probe, REPLIES_FD, REQUESTS_FD, Raised, Reply, Request, Sample,
    Shape, Watch, Weigh, Weighed,
};

struct Worker {
    child: Child,
    requests: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

/// The shared library that was built because the kernels are a dependency of the tests.
fn kernels() -> PathBuf {
    let name = format!("{}bindbench_kernels{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    env::current_exe().expect("a test has a path").with_file_name(name)
}

impl Worker {
    fn start() -> Self {
        Self::spawn(Self::program().env_remove(bindbench_protocol::BPE))
    }

    fn program() -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_bindbench-native"));
        program.envs([(REQUESTS_FD, "0"), (REPLIES_FD, "1")]).env(bindbench_protocol::KERNELS, kernels());
        program
    }

    fn spawn(program: &mut Command) -> Self {
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the worker starts");
        let requests = child.stdin.take();
        let replies = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, requests, replies }
    }

    fn loaded() -> Self {
        let mut worker = Self::start();
        assert!(matches!(worker.ask(Request::Load(Load::default())), Reply::Loaded(_)));
        worker
    }

    fn ask(&mut self, request: Request) -> Reply {
        self.ask_line(&serde_json::to_string(&request).expect("requests are plain"))
    }

    fn ask_line(&mut self, line: &str) -> Reply {
        writeln!(self.requests.as_ref().expect("not closed yet"), "{line}").expect("the worker reads");
        let mut reply = String::new();
        self.replies.read_line(&mut reply).expect("the worker answers");
        serde_json::from_str(&reply).expect("in the words of the protocol")
    }

    fn call(&mut self, workload: &str, operation: &str, arguments: &[Argument]) -> Answer {
        let call = Call { workload: workload.to_owned(), operation: operation.to_owned(), arguments: arguments.to_vec() };
        match self.ask(Request::Call(call)) {
            Reply::Called { answer } => answer,
            other => panic!("{other:?}"),
        }
    }

    fn prepare(&mut self, workload: &str, operation: &str, pool: Vec<Vec<Argument>>, threads: usize) -> Reply {
        let (workload, operation) = (workload.to_owned(), operation.to_owned());
        self.ask(Request::Prepare(Prepare { cell: 7, workload, operation, pool, threads, raises: false }))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.requests.take());
        let status = self.child.wait().expect("the worker ends with its requests");
        assert!(status.success(), "{status}");
    }
}

fn integer(value: impl ToString) -> Argument {
    Argument::Integer(value.to_string())
}

fn bytes(value: &[u8]) -> Argument {
    Argument::Bytes(hex::encode(value))
}

fn buffer(format: &str, memory: &[u8], step: i64) -> Argument {
    Argument::Buffer(Buffer { format: format.to_owned(), hex: hex::encode(memory), readonly: true, step, rows: None })
}

fn float64(items: &[f64]) -> Vec<u8> {
    items.iter().flat_map(|item| item.to_ne_bytes()).collect()
}

fn kind(answer: Answer) -> String {
    match answer {
        Answer::Raised(Raised { kind, bases, .. }) if bases.ends_with(&["BaseException".to_owned(), "object".to_owned()]) => kind,
        other => panic!("{other:?}"),
    }
}

fn float(answer: Answer) -> f64 {
    match answer {
        Answer::Float(digits) => digits.parse().expect("Rust reads what it writes"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn says_what_it_has_loaded() {
    let mut worker = Worker::start();
    let Reply::Loaded(Loaded { pid, version: None, gil_enabled: None, libraries, .. }) = worker.ask(Request::Load(Load::default())) else {
        panic!("not loaded");
    };
    assert_eq!(pid, worker.child.id());
    if cfg!(target_os = "linux") {
        let kernels = kernels().canonicalize().expect("built");
        assert!(libraries.contains(&kernels), "{kernels:?} is not among {libraries:?}");
    }
}

#[test]
fn call() {
    let mut worker = Worker::loaded();
    assert_eq!(worker.call("call", "noop", &[]), Answer::None(()));
    assert_eq!(worker.call("call", "add", &[integer(i64::MAX), integer(-2)]), Answer::Integer((i64::MAX - 2).to_string()));
    assert_eq!(worker.call("call", "length", &[bytes(b"a\0b")]), Answer::Integer("3".to_owned()));
    assert_eq!(worker.call("call", "length", &[buffer("d", &float64(&[1.0, 2.0]), 1)]), Answer::Integer("16".to_owned()));
    assert_eq!(kind(worker.call("call", "add", &[integer(1_u64 << 63), integer(1)])), "OverflowError");
    for (a, b) in [(i64::MAX, 1), (i64::MIN, -1), (i64::MIN, i64::MIN), (1 << 62, 1 << 62)] {
        assert_eq!(kind(worker.call("call", "add", &[integer(a), integer(b)])), "OverflowError");
    }
    assert_eq!(worker.call("call", "add", &[integer(i64::MIN), integer(i64::MAX)]), Answer::Integer("-1".to_owned()));
    assert_eq!(kind(worker.call("call", "add", &[Argument::Float("1.5".to_owned()), integer(1)])), "TypeError");
    assert_eq!(kind(worker.call("call", "add", &[integer(1)])), "TypeError");
    for other in [Argument::Text("abc".to_owned()), Argument::None(()), Argument::List(vec![])] {
        assert_eq!(kind(worker.call("call", "length", &[other])), "TypeError");
    }
}

#[test]
fn kmp() {
    let mut worker = Worker::loaded();
    let find = |worker: &mut Worker, text, pattern| worker.call("kmp", "find_all", &[text, pattern]);
    let Answer::Integers(Integers { count: 3, sha256, values: Some(values) }) = find(&mut worker, bytes(b"aaaa"), bytes(b"aa")) else {
        panic!("not three");
    };
    assert_eq!(values, [0, 1, 2]);
    assert_eq!(sha256, "ab25350e3e65efebe24584461683ecda68725576e825e550038b90e7b1479946");
    assert!(matches!(find(&mut worker, buffer("B", b"abab", 1), bytes(b"ab")), Answer::Integers(found) if found.count == 2));
    assert!(matches!(find(&mut worker, bytes(b""), bytes(b"ab")), Answer::Integers(found) if found.count == 0));
    assert_eq!(kind(find(&mut worker, bytes(b""), bytes(b""))), "ValueError");
    assert_eq!(kind(find(&mut worker, buffer("B", b"abab", 2), bytes(b"ab"))), "BufferError");
    assert_eq!(kind(find(&mut worker, Argument::Text("abab".to_owned()), bytes(b"ab"))), "TypeError");
}

#[test]
fn std() {
    let mut worker = Worker::loaded();
    let data = buffer("d", &float64(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]), 1);
    for (operation, expected) in [("sum", 40.0), ("mean", 5.0), ("var", 4.0), ("std", 2.0)] {
        assert_eq!(float(worker.call("std", operation, std::slice::from_ref(&data))), expected);
        assert_eq!(kind(worker.call("std", operation, &[buffer("d", b"", 1)])), "ValueError");
        assert_eq!(kind(worker.call("std", operation, &[buffer("f", &[0; 8], 1)])), "TypeError");
        assert_eq!(kind(worker.call("std", operation, &[buffer("d", &[0; 32], -1)])), "BufferError");
        assert_eq!(kind(worker.call("std", operation, &[bytes(&[0; 8])])), "TypeError");
    }
    for (item, expected) in [(f64::NAN, "nan"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        assert_eq!(worker.call("std", "sum", &[buffer("d", &float64(&[item, 1.0]), 1)]), Answer::Float(expected.to_owned()));
    }
}

/// A folder as `BINDBENCH_BPE` names it, with all bytes and "ab" for a vocabulary; and of the classes only that a is a letter, and b.
struct Vocabulary(PathBuf);

impl Vocabulary {
    fn write(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("bindbench-native-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder is writable");
        let mut tokens: Vec<u8> = (0..=u8::MAX).flat_map(|byte| [1, byte]).collect();
        tokens.extend(b"\x02ab");
        fs::write(folder.join("cl100k_base.tokens"), tokens).expect("writable");
        let mut classes = vec![0; 0x11_0000];
        classes[usize::from(b'a')] = 1;
        classes[usize::from(b'b')] = 1;
        fs::write(folder.join("unicode.classes"), classes).expect("writable");
        Self(folder)
    }

    fn loaded(&self) -> Worker {
        let mut worker = Worker::spawn(Worker::program().env(bindbench_protocol::BPE, &self.0));
        assert!(matches!(worker.ask(Request::Load(Load::default())), Reply::Loaded(_)));
        worker
    }
}

impl Drop for Vocabulary {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("written above");
    }
}

#[test]
fn bpe() {
    let vocabulary = Vocabulary::write("bpe");
    let mut worker = vocabulary.loaded();
    let text = |text: &str| Argument::Text(text.to_owned());
    let Answer::Integers(list) = worker.call("bpe", "encode", &[text("abba!é")]) else { panic!("no list") };
    assert_eq!(list.values.as_deref(), Some(&[256, 98, 97, 33, 0xc3, 0xa9][..]));
    assert_eq!(worker.call("bpe", "encode_buffer", &[text("abba!é")]), Answer::Uint32(list));
    let path = vocabulary.0.join("text");
    fs::write(&path, "abba!é").expect("writable");
    let file = |count, shape| Argument::File(File { path: path.clone(), offset: 0, count, shape });
    for operation in ["encode", "encode_buffer"] {
        let count = |answer| match answer {
            Answer::Integers(tokens) | Answer::Uint32(tokens) => tokens.count,
            other => panic!("{other:?}"),
        };
        assert_eq!(count(worker.call("bpe", operation, &[text("")])), 0);
        assert_eq!(count(worker.call("bpe", operation, &[file(5, Shape::Text)])), 4);
        assert_eq!(kind(worker.call("bpe", operation, &[file(6, Shape::Text)])), "ValueError", "half a character");
        for other in [bytes(b"ab"), file(5, Shape::Bytes), Argument::None(()), integer(1)] {
            assert_eq!(kind(worker.call("bpe", operation, &[other])), "TypeError");
        }
    }
}

#[test]
fn only_bpe_needs_a_vocabulary() {
    let vocabulary = Vocabulary::write("bad");
    fs::write(vocabulary.0.join("unicode.classes"), "").expect("writable");
    let refused = vocabulary.loaded();
    fs::remove_file(vocabulary.0.join("unicode.classes")).expect("just written");
    let unreadable = vocabulary.loaded();
    for (mut worker, reason) in [(Worker::loaded(), bindbench_protocol::BPE), (unreadable, "unicode.classes"), (refused, "no vocabulary")] {
        assert_eq!(worker.prepare("call", "noop", vec![vec![]], 1), Reply::Prepared {});
        let Reply::Failed(Raised { kind, message, .. }) = worker.prepare("bpe", "encode", vec![vec![]], 1) else { panic!("prepared") };
        assert_eq!(kind, "ImportError");
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn reads_slices_of_files() {
    let mut worker = Worker::loaded();
    let path = env::temp_dir().join(format!("bindbench-native-{}", std::process::id()));
    let mut contents = vec![b'x'; 65_536];
    contents.extend([1.5_f64, 2.5, 100.0].iter().flat_map(|item| item.to_le_bytes()));
    fs::write(&path, contents).expect("the temporary folder is writable");
    let file = |offset, count, shape| Argument::File(File { path: path.clone(), offset, count, shape });
    assert_eq!(worker.call("call", "length", &[file(0, 65_530, Shape::Bytes)]), Answer::Integer("65530".to_owned()));
    assert_eq!(float(worker.call("std", "sum", &[file(65_536, 2, Shape::Float64)])), 4.0);
    assert_eq!(kind(worker.call("std", "sum", &[file(65_536, 4, Shape::Float64)])), "OSError");
    assert_eq!(kind(worker.call("std", "sum", &[file(65_536, 2, Shape::Floats)])), "TypeError");
    fs::remove_file(&path).expect("written above");
}

#[test]
fn samples_walk_the_pool_around_and_around() {
    let mut worker = Worker::loaded();
    let pool: Vec<_> = (0..5).map(|i| vec![integer(i), integer(10 * i)]).collect();
    for threads in [1, 3] {
        assert_eq!(worker.prepare("call", "add", pool.clone(), threads), Reply::Prepared {});
        let Reply::Verified { answers, .. } = worker.ask(Request::Verify { cell: 7, first: 0, count: None }) else {
            panic!("not verified")
        };
        let expected: Vec<_> = (0..5).map(|i| Answer::Integer((11 * i).to_string())).collect();
        assert_eq!(answers, expected);
        for (loops, first) in [(1, 0), (7, 4), (5, 13), (1000, 2)] {
            let sample = Sample { cell: 7, loops, first, empty: true, cpus: None };
            let Reply::Sampled(sampled) = worker.ask(Request::Sample(sample)) else { panic!("not sampled") };
            assert!(sampled.empty_ns.is_some());
            assert_eq!(sampled.answers.len(), threads);
            for (thread, given) in sampled.answers.iter().enumerate() {
                assert_eq!(given.item, (first + thread + loops as usize - 1) % 5);
                assert_eq!(given.answer, expected[given.item]);
            }
        }
    }
    assert_eq!(worker.ask(Request::Drop { cell: 7 }), Reply::Dropped {});
    assert!(matches!(worker.ask(Request::Verify { cell: 7, first: 0, count: None }), Reply::Failed(_)));
}

#[test]
fn goes_on_after_what_it_cannot_do() {
    let mut worker = Worker::start();
    assert!(matches!(worker.prepare("call", "noop", vec![vec![]], 1), Reply::Failed(_)), "nothing is loaded yet");
    assert!(matches!(worker.ask(Request::Load(Load::default())), Reply::Loaded(_)));
    assert!(matches!(worker.ask_line("{"), Reply::Failed(_)));
    assert!(matches!(worker.ask_line(r#"{"dance": {}}"#), Reply::Failed(_)));
    assert!(matches!(worker.prepare("call", "noop", vec![], 1), Reply::Failed(_)));
    assert!(matches!(worker.prepare("call", "noop", vec![vec![]], 0), Reply::Failed(_)));
    assert!(matches!(worker.prepare("call", "fail", vec![vec![]], 1), Reply::Failed(_)));
    assert_eq!(worker.prepare("call", "add", vec![vec![integer(1), integer(2)], vec![]], 1), Reply::Prepared {});
    let Reply::Verified { answers, .. } = worker.ask(Request::Verify { cell: 7, first: 0, count: None }) else { panic!("not verified") };
    assert_eq!(answers[0], Answer::Integer("3".to_owned()));
    assert_eq!(kind(answers[1].clone()), "TypeError");
    assert_eq!(worker.prepare("call", "noop", vec![vec![]], 1), Reply::Prepared {});
    let sample = Sample { cell: 7, loops: 0, first: 0, empty: false, cpus: None };
    assert!(matches!(worker.ask(Request::Sample(sample)), Reply::Failed(_)));
    let sample = Sample { cell: 7, loops: 3, first: 0, empty: false, cpus: Some(vec![100_000]) };
    assert_eq!(matches!(worker.ask(Request::Sample(sample)), Reply::Failed(_)), cfg!(target_os = "linux"));
}

#[cfg(target_os = "linux")]
#[test]
fn stays_on_the_cpus_it_is_told() {
    let mut worker = Worker::start();
    let status = |worker: &Worker| fs::read_to_string(format!("/proc/{}/status", worker.child.id())).expect("it runs");
    let allowed = |status: &str| status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:\t")).expect("Linux says").to_owned();
    let first: usize = allowed(&status(&worker)).split(['-', ',']).next().and_then(|cpu| cpu.parse().ok()).expect("a number");
    worker.ask(Request::Load(Load { cpus: Some(vec![first]), ..Load::default() }));
    assert_eq!(allowed(&status(&worker)), first.to_string());
}

#[test]
fn finishes_when_told_and_at_the_end_of_its_requests() {
    let mut worker = Worker::loaded();
    let Reply::Finished { peak_resident_bytes } = worker.ask(Request::Finish) else { panic!("not finished") };
    assert_eq!(peak_resident_bytes.is_some_and(|bytes| bytes > 100_000), cfg!(target_os = "linux"));
    assert!(worker.child.wait().expect("it ends by itself").success());
    drop(Worker::loaded());
}

#[test]
fn manifest_names_only_what_there_is() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/strategy.toml")).expect("it is there");
    let without: BTreeSet<_> = manifest.lines().filter_map(|line| line.strip_prefix("\"call.")?.split('"').next()).collect();
    let mut worker = Worker::loaded();
    for operation in ["noop", "add", "length", "take_list", "give_list", "call_back", "fail"] {
        let prepared = worker.prepare("call", operation, vec![vec![]], 1);
        let there = prepared == Reply::Prepared {};
        assert_eq!(there, !without.contains(operation), "{operation}: {prepared:?}");
    }
}

#[test]
fn without_the_driver_it_says_who_starts_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_bindbench-native")).env_remove(REQUESTS_FD).output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(REQUESTS_FD));
}

#[test]
fn inputs_are_probed() {
    let mut worker = Worker::loaded();
    let inputs = [[1, 2], [3, 4]].map(|item| item.map(|i: i64| Argument::Integer(i.to_string())).to_vec()).to_vec();
    let probe = Probe { workload: "call".into(), operation: "add".into(), inputs, passes: 2 };
    let Reply::Probed { passes } = worker.ask(Request::Probe(probe.clone())) else { panic!("not probed") };
    let sums = [3, 7].map(|sum: i64| Answer::Integer(sum.to_string()));
    assert_eq!(passes.iter().map(|pass| pass.answers.clone()).collect::<Vec<_>>(), [sums.clone(), sums]);
    assert!(passes.iter().all(|pass| [pass.cpu_ns.len(), pass.wall_ns.len()] == [2; 2]));
    assert!(matches!(worker.ask(Request::Probe(Probe { operation: "missing".into(), ..probe })), Reply::Failed(_)));
}

#[test]
fn calls_are_weighed_and_there_is_no_gil_to_watch() {
    let mut worker = Worker::loaded();
    let text = vec![b'a'; 1 << 20];
    assert_eq!(worker.prepare("kmp", "find_all", vec![vec![bytes(&text), bytes(b"b")]], 1), Reply::Prepared {});
    let Reply::Weighed(Weighed { before, after, elapsed_ns, .. }) = worker.ask(Request::Weigh(Weigh { cell: 7, first: 0, loops: 3 }))
    else {
        panic!("not weighed");
    };
    assert!(elapsed_ns > 0);
    if cfg!(target_os = "linux") {
        assert!(before.is_some_and(|footprint| footprint.resident_bytes > 1 << 20) && after.is_some());
    }
    let watch = Watch { cell: 7, first: 0, duration_ns: 1, switch_interval_ns: 1 };
    assert!(matches!(worker.ask(Request::Watch(watch)), Reply::Failed(Raised { message, .. }) if message.contains("no GIL")));
    assert!(matches!(worker.ask(Request::Weigh(Weigh { cell: 7, first: 0, loops: 0 })), Reply::Failed(_)));
}
