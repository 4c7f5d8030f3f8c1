//! The corpus, again and again, and changed a little each time. `fuzz/README.md` has the commands for longer runs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::mutate::Seed;
use super::{TARGETS, Target};

/// One execution takes no longer, however busy the machine is.
const LONGEST: Duration = Duration::from_secs(60);

/// No execution needs more memory than this, all of the process counted.
const MOST_MEMORY: u64 = 8 << 30;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

thread_local! {
    /// Where the last panic of this thread was; a panic that is looked for says nothing.
    static PLACE: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

/// Calls a target; the place and the message of its panic.
fn call(target: Target, data: &[u8], folder: &Path) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let quiet = PLACE.with_borrow_mut(|place| place.as_mut().map(|place| *place = Some(info.to_string())).is_some());
            if !quiet {
                usual(info);
            }
        }));
    });
    PLACE.set(Some(None));
    let ended = panic::catch_unwind(AssertUnwindSafe(|| target(data, folder)));
    let place = PLACE.take().flatten();
    ended.map_err(|_| place.unwrap_or_else(|| "a panic without words".to_owned()))
}

/// A folder in memory, where there is one: nothing waits for a disk there.
fn in_memory() -> tempfile::TempDir {
    let memory = tempfile::Builder::new().prefix("bindbench-fuzz-").tempdir_in("/dev/shm");
    memory.or_else(|_| tempfile::tempdir()).unwrap()
}

/// What came of many executions.
struct Session {
    executions: u64,
    took: Duration,
    slowest: Duration,
    /// Words of a panic → the first input that had it.
    panics: BTreeMap<String, PathBuf>,
}

/// Executes a target so many times on mutations of its corpus.
fn session(name: &str, count: u64, seed: u64) -> Session {
    let (_, target) = *TARGETS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("there is no target {name}"));
    let folder = in_memory();
    let seeds: Vec<Seed> = corpus(name).iter().map(|(_, data)| Seed::of(data)).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut panics, mut slowest, started) = (BTreeMap::new(), Duration::ZERO, Instant::now());
    let watched = Watched::start(name, seed);
    for n in 0..count {
        let pick = |random: &mut ChaCha8Rng| &seeds[random.random_range(0..seeds.len())];
        let (one, other) = (pick(&mut random), pick(&mut random));
        let data = one.mutated(other, &mut random);
        watched.now(&data);
        let begun = Instant::now();
        if let Err(words) = call(target, &data, folder.path()) {
            panics.entry(words).or_insert_with(|| keep(name, seed, n, &data));
        }
        slowest = slowest.max(begun.elapsed());
    }
    watched.stop();
    Session { executions: count, took: started.elapsed(), slowest, panics }
}

/// Writes an input where it can be found again.
fn keep(name: &str, seed: u64, n: u64, data: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/artifacts").join(name);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{seed}-{n}"));
    fs::write(&path, data).unwrap();
    path
}

/// Ends the process, with the input kept, when one execution takes too long: a loop without end can't be ended otherwise.
struct Watched {
    now: Arc<Mutex<(Instant, Vec<u8>)>>,
    done: Arc<AtomicBool>,
}

impl Watched {
    fn start(name: &str, seed: u64) -> Self {
        let (now, done) = (Arc::new(Mutex::new((Instant::now(), Vec::new()))), Arc::new(AtomicBool::new(false)));
        let (watched, ended, name) = (Arc::clone(&now), Arc::clone(&done), name.to_owned());
        std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(500));
                let now = watched.lock().unwrap();
                if !ended.load(Ordering::Relaxed) && now.0.elapsed() > LONGEST {
                    let path = keep(&name, seed, u64::MAX, &now.1);
                    eprintln!("the target {name} takes more than {LONGEST:?} for {}", path.display());
                    std::process::abort();
                }
            }
        });
        Self { now, done }
    }

    fn now(&self, data: &[u8]) {
        let mut now = self.now.lock().unwrap();
        now.0 = Instant::now();
        now.1.clear();
        now.1.extend_from_slice(data);
    }

    fn stop(&self) {
        self.done.store(true, Ordering::Relaxed);
    }
}

fn is_clean(name: &str, count: u64) {
    let Session { panics, .. } = session(name, count, 1);
    assert!(panics.is_empty(), "{name}: {panics:#?}");
}

#[test]
fn every_input_of_the_corpus_is_read_or_refused() {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let there: BTreeSet<String> = fs::read_dir(folders).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there, TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect());
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
    let folder = in_memory();
    for (name, target) in TARGETS {
        let inputs = corpus(name);
        assert!(inputs.len() >= 3, "{name} has no corpus to speak of");
        let of_libfuzzer = fs::read_to_string(targets.join(format!("{name}.rs"))).unwrap();
        assert!(of_libfuzzer.contains(&format!("bindbench::fuzzing::{name}(")), "{of_libfuzzer}");
        for (path, data) in inputs {
            call(target, &data, folder.path()).unwrap_or_else(|words| panic!("{}: {words}", path.display()));
        }
    }
}

#[test]
fn a_little_changed_runs_are_read_or_refused() {
    is_clean("run", 400);
}

#[test]
fn a_little_changed_runs_are_reported_or_refused() {
    is_clean("report", 30);
}

#[test]
fn a_little_changed_runs_are_compared_or_refused() {
    is_clean("compare", 60);
}

#[test]
fn a_little_changed_profiles_are_shown_or_refused() {
    is_clean("profile", 100);
}

#[test]
fn a_little_changed_manifests_are_read_or_refused() {
    is_clean("manifests", 300);
}

#[test]
fn a_little_changed_replies_are_understood_or_refused() {
    is_clean("replies", 3000);
}

#[test]
fn a_little_changed_perf_records_are_read_or_refused() {
    is_clean("perf", 1000);
}

#[test]
fn a_little_changed_files_of_pyperf_are_compared_or_refused() {
    is_clean("pyperf", 200);
}

/// `BINDBENCH_FUZZ=TARGET:COUNT:SEED cargo test -p bindbench --lib -- --ignored --exact --nocapture fuzzing::tests::many`
#[test]
#[ignore = "takes as long as it is told to"]
fn many() {
    let asked = std::env::var("BINDBENCH_FUZZ").expect("BINDBENCH_FUZZ=TARGET:COUNT:SEED says what to do");
    let words: Vec<&str> = asked.split(':').collect();
    let [name, count, seed] = words[..] else { panic!("BINDBENCH_FUZZ is TARGET:COUNT:SEED, not {asked}") };
    let limit = rustix::process::Rlimit { current: Some(MOST_MEMORY), maximum: Some(MOST_MEMORY) };
    rustix::process::setrlimit(rustix::process::Resource::As, limit).unwrap();
    let Session { executions, took, slowest, panics } = session(name, count.parse().unwrap(), seed.parse().unwrap());
    println!(
        "fuzz: target {name}, seed {seed}: {executions} executions in {:.0} s, the slowest took {:.0} ms, {} panics",
        took.as_secs_f64(),
        slowest.as_secs_f64() * 1e3,
        panics.len()
    );
    assert!(panics.is_empty(), "{panics:#?}");
}
