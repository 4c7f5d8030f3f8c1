//! A checkout made for one test: the repository's strategies and workloads, and a `build/` and `runs/` that nobody else uses.
//! Only the tools from PyPI are shared: they are made once, in the repository's own `build/`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use bindbench_model::{Cell, Status};
use bindbench_setup::layout::Layout;
use bindbench_setup::receipt::sha256_of;
use bindbench_store::Recorded;
use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

/// Whatever a test waits for comes sooner than this, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Sandbox {
    folder: TempDir,
    catalogs: Vec<PathBuf>,
}

impl Sandbox {
    pub fn new() -> Self {
        let repository = repository();
        let folder = tempfile::Builder::new().prefix("bindbench-test-").tempdir().unwrap();
        for shared in ["harness/workloads", "impls", "pyscripts", "samplers"] {
            let link = folder.path().join(shared);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(repository.join(shared), link).unwrap();
        }
        Self { folder, catalogs: Vec::new() }
    }

    /// With a copy of a folder below `tests/catalogs/`, which the test may change, and its lanes built.
    pub fn with(catalog: &str) -> Self {
        let mut sandbox = Self::new();
        sandbox.add_catalog(catalog);
        sandbox.make_tools();
        sandbox.set_up("{misfits,steady,forge,fragile,stranger,witnesses}/*").succeeds();
        sandbox
    }

    /// With the given `strategy.toml`, in a catalog of its own.
    pub fn with_manifest(strategy: &str, manifest: &str) -> Self {
        let mut sandbox = Self::new();
        sandbox.add_manifest("written", strategy, manifest);
        sandbox
    }

    pub fn add_manifest(&mut self, catalog: &str, strategy: &str, manifest: &str) {
        let folder = self.path().join(catalog);
        fs::create_dir_all(folder.join(strategy)).unwrap();
        fs::write(folder.join(strategy).join("strategy.toml"), manifest).unwrap();
        if !self.catalogs.contains(&folder) {
            self.catalogs.push(folder);
        }
    }

    pub fn add_catalog(&mut self, name: &str) {
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalogs").join(name);
        let copy = self.path().join(name);
        for file in walkdir::WalkDir::new(&original).into_iter().filter_entry(|entry| entry.file_name() != "__pycache__") {
            let file = file.unwrap();
            let place = copy.join(file.path().strip_prefix(&original).unwrap());
            if file.file_type().is_dir() {
                fs::create_dir_all(&place).unwrap();
            } else {
                fs::copy(file.path(), &place).unwrap();
            }
        }
        self.catalogs.push(copy);
    }

    pub fn make_tools(&self) {
        let tools = shared_tools();
        fs::create_dir_all(self.path().join("build")).unwrap();
        symlink(tools, self.path().join("build/tools")).unwrap();
    }

    /// What cargo makes of pprof's library is kept in the repository's own `build/`: it takes half a minute.
    pub fn share_pprof(&self) {
        let kept = repository().join("build/cargo/pprof@native");
        fs::create_dir_all(&kept).unwrap();
        fs::create_dir_all(self.path().join("build/cargo")).unwrap();
        symlink(kept, self.path().join("build/cargo/pprof@native")).unwrap();
    }

    /// The folder, links resolved: the way it stands in the workers' command lines.
    pub fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("bindbench"));
        command
            .current_dir(self.path())
            .args(arguments)
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("GITHUB_STEP_SUMMARY")
            // Other tests measure at the same time, on purpose.
            .env("XDG_RUNTIME_DIR", self.path())
            // cargo started the tests, and not the program.
            .env_remove("CARGO");
        for catalog in &self.catalogs {
            command.arg("--catalog").arg(catalog);
        }
        command
    }

    pub fn bindbench(&self, arguments: &[&str]) -> Ended {
        Ended { output: self.command(arguments).output().unwrap() }
    }

    /// What a shell makes of the command that somebody was told to go on with.
    #[track_caller]
    pub fn go_on(&self, told: &Ended) -> Ended {
        let said = told.stderr();
        let command = said.lines().find_map(|line| line.strip_prefix("go on with: ")).unwrap_or_else(|| panic!("no command in:\n{said}"));
        Ended { output: Command::new("sh").args(["-c", command]).current_dir(self.path()).env_remove("CARGO").output().unwrap() }
    }

    /// `setup` with the smallest inputs, and without texts, which take a while to make: those of others are made when they are measured.
    pub fn set_up(&self, lanes: &str) -> Ended {
        self.bindbench(&["setup", "--preset", "smoke", "--workload", "!bpe", "--lane", lanes])
    }

    /// `run` of one operation, as small as a run can be, with further arguments.
    pub fn run(&self, more: &[&str]) -> Ended {
        let mut arguments = vec!["run", "--preset", "smoke", "--workload", "call.add", "--generations", "1"];
        arguments.extend(more);
        self.bindbench(&arguments)
    }

    /// Folder of the only run there is.
    pub fn run_folder(&self) -> PathBuf {
        let mut runs = fs::read_dir(self.path().join("runs")).unwrap();
        let run = runs.next().expect("a run").unwrap().path();
        assert!(runs.next().is_none(), "more than one run");
        run
    }

    pub fn recorded(&self) -> Recorded {
        Recorded::read(&self.run_folder()).unwrap()
    }

    /// Waits until so many rows of samples are on the disk, for rows of the run that is being measured.
    pub fn wait_for_rows(&self, rows: usize) {
        let runs = self.path().join("runs");
        self.wait_until("samples are on the disk", || {
            let run = fs::read_dir(&runs).ok()?.next()?.ok()?.path();
            let text = fs::read_to_string(run.join("samples.csv")).ok()?;
            (text.lines().count() > rows).then_some(())
        });
    }

    /// Waits until no worker of this test, and nothing that one has started, is there any more.
    pub fn wait_for_the_end_of_workers(&self) {
        self.wait_until("no worker is left", || self.workers().is_empty().then_some(()));
    }

    /// Command lines of this test's workers and of what they started: they run in the sandbox's environments.
    pub fn workers(&self) -> Vec<String> {
        let environments = self.path().join("build/pythons").display().to_string();
        command_lines().into_iter().filter(|line| line.contains(&environments)).collect()
    }

    pub fn wait_until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}; workers: {:?}", self.workers());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A command that has ended.
pub struct Ended {
    pub output: Output,
}

impl Ended {
    pub fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).expect("stdout is UTF-8")
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).expect("stderr is UTF-8")
    }

    #[track_caller]
    pub fn exits_with(self, status: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(status), "\n--- stdout\n{}\n--- stderr\n{}", self.stdout(), self.stderr());
        self
    }

    #[track_caller]
    pub fn succeeds(self) -> Self {
        self.exits_with(0)
    }

    /// Refused: exit status 2, nothing on stdout, and all these texts on stderr, whatever lines they were broken into.
    #[track_caller]
    pub fn refuses_with(self, texts: &[&str]) -> Self {
        let ended = self.exits_with(2);
        assert_eq!(ended.stdout(), "");
        ended.says(texts)
    }

    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        let said = self.stderr();
        for text in texts {
            assert!(unwrapped(&said).contains(&unwrapped(text)), "{text:?} is not in:\n{said}");
        }
        self
    }

    #[track_caller]
    pub fn prints(self, texts: &[&str]) -> Self {
        let printed = self.stdout();
        for text in texts {
            assert!(unwrapped(&printed).contains(&unwrapped(text)), "{text:?} is not in:\n{printed}");
        }
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.output.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout()))
    }
}

/// Text without the line breaks and margins that a narrow terminal put into it.
fn unwrapped(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '│').collect()
}

/// Says what a test leaves out here, and why: to the stream itself, as a test that passes would keep it to itself otherwise.
pub fn not_tested(what: &str) {
    let mut stderr = io::stderr();
    writeln!(stderr, "NOT TESTED: {what}").unwrap();
}

/// The cell of a lane; not its twin's.
pub fn cell<'r>(recorded: &'r Recorded, lane: &str) -> &'r Cell {
    recorded.run.cells.iter().find(|cell| cell.lane == lane && !cell.twin).unwrap_or_else(|| panic!("no cell of {lane}"))
}

/// A run vouches for a lane's number: it is fine, and was sampled once in each of so many rounds.
#[track_caller]
pub fn has_its_number(recorded: &Recorded, lane: &str, rounds: u32) {
    let cell = cell(recorded, lane);
    assert_eq!(cell.status, Status::Ok, "{lane}");
    let mut sampled: Vec<u32> = recorded.samples.iter().filter(|s| s.cell == cell.id && s.digest_ok).map(|s| s.round).collect();
    sampled.sort_unstable();
    assert_eq!(sampled, (0..rounds).collect::<Vec<_>>(), "{lane}");
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().canonicalize().unwrap()
}

/// The tools from PyPI in the repository's `build/`. They are made if need be, by one test at a time.
fn shared_tools() -> PathBuf {
    let tools = repository().join("build/tools");
    let lock = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools.lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let made_from = fs::read_to_string(tools.join("made-from-lock")).unwrap_or_default();
    // A copied checkout has the tools of the other one.
    let place = tools.canonicalize().unwrap_or_default();
    if made_from != format!("{}\n{}", sha256_of(&Layout::find().tools_lock()).unwrap(), place.display()) {
        let mut setup = Command::new(assert_cmd::cargo::cargo_bin!("bindbench"));
        let output = setup.args(["setup", "--preset", "smoke", "--lane", "python/pure"]).current_dir(repository()).output().unwrap();
        Ended { output }.succeeds();
    }
    tools
}

fn command_lines() -> Vec<String> {
    if let Ok(processes) = fs::read_dir("/proc") {
        let read = |process: fs::DirEntry| fs::read(process.path().join("cmdline")).ok();
        let lines = processes.filter_map(Result::ok).filter_map(read);
        return lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect();
    }
    let listed = Command::new("ps").args(["-axww", "-o", "command="]).output().unwrap();
    String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect()
}
