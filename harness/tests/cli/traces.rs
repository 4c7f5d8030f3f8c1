//! Whatever a command leaves behind: processes, shared memory, temporary files. They are known by a mark in the environment, which all that a
//! command starts inherits, and in the names that lanes choose.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Ended, Sandbox};

/// What is killed, or told to end, is gone sooner than this, on any machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a command may take before it is taken for one that never ends.
const LIMIT: Duration = Duration::from_secs(180);

/// A mark of one test's commands, and what they were given for temporary files.
pub struct Traces {
    mark: String,
    folder: PathBuf,
}

/// A command that has ended, or that had to be ended.
pub struct Watched {
    /// None: it had not ended by itself when its time was up.
    pub status: Option<ExitStatus>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Traces {
    pub fn new(sandbox: &Sandbox) -> Self {
        let name = sandbox.path().file_name().unwrap().to_string_lossy().into_owned();
        let folder = sandbox.path().join("traces");
        fs::create_dir_all(folder.join(&name)).unwrap();
        Self { mark: name, folder }
    }

    /// Starts it; what it prints goes to files, which no process it leaves can keep anybody waiting for.
    pub fn start(&self, mut command: Command) -> Child {
        command
            .env("BINDBENCH_TEST_MARK", &self.mark)
            .env("TMPDIR", self.folder.join(&self.mark))
            .stdin(Stdio::null())
            .stdout(File::create(self.folder.join("stdout")).unwrap())
            .stderr(File::create(self.folder.join("stderr")).unwrap());
        command.spawn().unwrap()
    }

    /// Runs it to its end, and makes sure that it has left nothing.
    #[track_caller]
    pub fn run(&self, command: Command) -> Ended {
        let child = self.start(command);
        let ended = self.wait(child);
        assert_eq!(self.left(), [""; 0], "\n{}", ended.stderr());
        ended
    }

    #[track_caller]
    pub fn wait(&self, child: Child) -> Ended {
        let Watched { status, stdout, stderr, .. } = self.wait_for(child, LIMIT);
        let Some(status) = status else { panic!("it did not end within {LIMIT:?}; {stderr}") };
        Ended { output: Output { status, stdout: stdout.into(), stderr: stderr.into() } }
    }

    /// Runs it for so long at most; then it is ended, with all that has its mark.
    pub fn run_for(&self, limit: Duration, command: Command) -> Watched {
        let child = self.start(command);
        self.wait_for(child, limit)
    }

    fn wait_for(&self, mut child: Child, limit: Duration) -> Watched {
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().unwrap() {
                None if begun.elapsed() < limit => std::thread::sleep(Duration::from_millis(10)),
                status => break status,
            }
        };
        let took = begun.elapsed();
        let printed = |name| String::from_utf8_lossy(&fs::read(self.folder.join(name)).unwrap()).into_owned();
        let (stdout, mut stderr) = (printed("stdout"), printed("stderr"));
        if status.is_none() {
            stderr += &format!("(what was there when its time was up: {})", self.command_lines().join("; "));
            child.kill().unwrap();
            child.wait().unwrap();
            self.end_all();
        }
        Watched { status, stdout, stderr, took }
    }

    /// What is still there, when it has had its time to go. It is ended then, so that it can't disturb what comes next.
    pub fn left(&self) -> Vec<String> {
        self.left_of(|| [self.command_lines(), self.files()].concat())
    }

    /// The same of processes only: a command that was killed can't have removed its files.
    pub fn processes_left(&self) -> Vec<String> {
        self.left_of(|| self.command_lines())
    }

    fn left_of(&self, look: impl Fn() -> Vec<String>) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let found = look();
            if found.is_empty() {
                return found;
            }
            if begun.elapsed() > PATIENCE {
                self.end_all();
                return found;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn command_lines(&self) -> Vec<String> {
        self.processes().into_iter().map(|(pid, line)| format!("process {pid}: {line:.200}")).collect()
    }

    /// Shared memory and temporary files.
    pub fn files(&self) -> Vec<String> {
        let shared = names_in("/dev/shm").into_iter().filter(|name| name.contains(&self.mark)).map(|name| format!("/dev/shm/{name}"));
        shared.chain(names_in(self.folder.join(&self.mark)).into_iter().map(|name| format!("TMPDIR/{name}"))).collect()
    }

    /// Processes with the mark, with their command lines; a process that has ended has neither.
    pub fn processes(&self) -> Vec<(Pid, String)> {
        let mut found = Vec::new();
        for process in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else { continue };
            let text = |name| fs::read(process.path().join(name)).map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "));
            let line = text("cmdline").unwrap_or_default();
            if line.contains(&self.mark) || text("environ").is_ok_and(|variables| variables.contains(&self.mark)) {
                found.push((pid, line));
            }
        }
        found
    }

    fn end_all(&self) {
        for (pid, _) in self.processes() {
            kill_process(pid, Signal::KILL).ok();
        }
        for name in names_in("/dev/shm").into_iter().filter(|name| name.contains(&self.mark)) {
            fs::remove_file(PathBuf::from("/dev/shm").join(name)).ok();
        }
        let temporary = self.folder.join(&self.mark);
        fs::remove_dir_all(&temporary).ok();
        fs::create_dir_all(&temporary).ok();
    }
}

impl Drop for Traces {
    /// A test that fails leaves nothing either.
    fn drop(&mut self) {
        self.end_all();
    }
}

fn names_in(folder: impl Into<PathBuf>) -> Vec<String> {
    let entries = fs::read_dir(folder.into()).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
