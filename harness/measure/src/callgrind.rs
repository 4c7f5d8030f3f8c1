//! Instructions, counted by valgrind's callgrind around a worker that knows nothing of it.
//!
//! A timed loop lies between two readings of the clock, whatever the worker is written in. Callgrind is told to write its counters down, and
//! to begin anew, whenever the process enters the C library's `clock_gettime`: so each of these dumps has the instructions between two
//! readings, and those of the loop are in one of them, with a constant rest that drops out of a difference.
//! (`--dump-before`: <https://valgrind.org/docs/manual/cl-manual.html>.)

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bindbench_worker::Launch;
use miette::Diagnostic;
use thiserror::Error;

use super::randomisation::{setarch, without_randomisation};

/// The command that installs valgrind, on the systems people have.
pub const REMEDY: &str = "apt install valgrind | dnf install valgrind | brew install valgrind (Linux only)";

/// The functions at whose beginning a dump is made: one, by either of its names. Symbols may have a version: `clock_gettime@@GLIBC_2.17`.
const CLOCK: [&str; 2] = ["clock_gettime*", "__clock_gettime*"];

/// Who can't be told to count within this time can't be told at all. It takes a quarter of a second.
const SWITCH: Duration = Duration::from_secs(10);

/// How often vgdb is looked at.
const PAUSE: Duration = Duration::from_millis(10);

/// Instructions can't be counted here.
#[derive(Debug, Error, Diagnostic)]
pub enum NoCallgrind {
    /// There is no such program.
    #[error("instructions are counted by valgrind, and there is none here")]
    #[diagnostic(help("{REMEDY}"))]
    Missing,
    /// It is there, and does not run.
    #[error("instructions are counted by valgrind, and {} does not run: {message}", program.display())]
    #[diagnostic(help("install it anew: {REMEDY}"))]
    Broken {
        /// The program.
        program: PathBuf,
        /// What became of it.
        message: String,
    },
}

/// Valgrind, as it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callgrind {
    program: PathBuf,
    /// The program that switches address space layout randomisation off, where the system lets it.
    setarch: Option<PathBuf>,
    /// The program that tells a running valgrind what to do.
    vgdb: Option<PathBuf>,
    /// What valgrind says of its version: `valgrind-3.19.0`.
    pub version: String,
}

impl Callgrind {
    /// Looks for it.
    ///
    /// # Errors
    /// When it is missing or does not run.
    pub fn find() -> Result<Self, NoCallgrind> {
        let program = which::which("valgrind").map_err(|_| NoCallgrind::Missing)?;
        let broken = |message: String| NoCallgrind::Broken { program: program.clone(), message };
        let output = Command::new(&program).arg("--version").output().map_err(|error| broken(error.to_string()))?;
        if !output.status.success() {
            return Err(broken(output.status.to_string()));
        }
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Self { setarch: setarch(), vgdb: which::which("vgdb").ok(), program, version })
    }

    /// Whether what it runs has the same address space layout every time.
    pub fn fixes_layout(&self) -> bool {
        self.setarch.is_some()
    }

    /// The same, counting from a worker's first instruction on: for where vgdb does not get through.
    #[must_use]
    pub fn without_switch(&self) -> Self {
        Self { vgdb: None, ..self.clone() }
    }

    /// A worker with callgrind around it, and its dumps, which go to an empty folder. Where there is a switch, nothing is counted before it is
    /// used: an interpreter reads the clock hundreds of times until it has its modules, and every dump takes its time.
    pub fn around(&self, launch: &Launch, folder: &Path) -> (Launch, Dumps) {
        // Its pipes; in /tmp they would stay behind when a worker is killed.
        let pipes = format!("--vgdb-prefix={}", folder.join("vgdb").display());
        let switch = self.vgdb.as_ref().map(|vgdb| vec![vgdb.display().to_string(), pipes.clone()]);
        let dumps = Dumps { file: folder.join("dump"), taken: 0, switch };
        let mut words = without_randomisation(self.setarch.as_deref());
        words.extend([
            self.program.display().to_string(),
            "--tool=callgrind".to_owned(),
            // Dumps by function, not by line, are short.
            "--dump-line=no".to_owned(),
            // In the names of files valgrind puts something else in the place of `%p`.
            format!("--callgrind-out-file={}", dumps.file.display().to_string().replace('%', "%%")),
            format!("--log-file={}", folder.join("valgrind.log").display().to_string().replace('%', "%%")),
        ]);
        words.extend(match dumps.switch {
            Some(_) => vec!["--instr-atstart=no".to_owned(), "--vgdb=yes".to_owned(), pipes],
            None => vec!["--vgdb=no".to_owned()],
        });
        words.extend(CLOCK.map(|name| format!("--dump-before={name}")));
        (launch.under(words), dumps)
    }
}

/// What callgrind writes down of one worker.
#[derive(Debug)]
pub struct Dumps {
    file: PathBuf,
    taken: u32,
    /// The command that switches counting on, but for the process and what it is to do.
    switch: Option<Vec<String>>,
}

impl Dumps {
    /// Switches counting on in a worker that waits for a request. Whether that is done: vgdb stops the process with ptrace for a moment, which a
    /// container may forbid.
    ///
    /// # Errors
    /// When vgdb can't be run.
    pub fn switch_on(&self, worker: u32) -> io::Result<bool> {
        let Some([vgdb, pipes]) = self.switch.as_deref() else { return Ok(true) };
        let mut told = Command::new(vgdb)
            .args([pipes, &format!("--pid={worker}"), "instrumentation", "on"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let deadline = Instant::now() + SWITCH;
        loop {
            match told.try_wait()? {
                Some(status) => return Ok(status.success()),
                None if Instant::now() < deadline => sleep(PAUSE),
                None => {
                    told.kill()?;
                    told.wait()?;
                    return Ok(false);
                }
            }
        }
    }

    /// The instructions of each dump that was made since the last time, in their order; their files are removed.
    ///
    /// # Errors
    /// When one can't be read.
    pub fn take(&mut self) -> io::Result<Vec<u64>> {
        let mut counts = Vec::new();
        loop {
            let next = PathBuf::from(format!("{}.{}", self.file.display(), self.taken + 1));
            match File::open(&next) {
                Ok(dump) => counts.push(instructions(BufReader::new(dump))?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(counts),
                Err(error) => return Err(error),
            }
            fs::remove_file(&next)?;
            self.taken += 1;
        }
    }
}

/// The sum of a dump, from its line `summary: 4711` (or `totals:`, where it has no other).
fn instructions(dump: impl BufRead) -> io::Result<u64> {
    let mut events = String::new();
    for line in dump.lines() {
        let line = line?;
        if let Some(names) = line.strip_prefix("events:") {
            names.trim().clone_into(&mut events);
        }
        if let Some(sum) = line.strip_prefix("summary:").or_else(|| line.strip_prefix("totals:")) {
            let sum = sum.trim().parse().ok().filter(|_| events == "Ir");
            return sum.ok_or_else(|| io::Error::other(format!("callgrind counted {events:?}, and says {line:?}")));
        }
    }
    Err(io::Error::other("callgrind wrote a dump without a sum"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_protocol::Load;

    const DUMP: &str = "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 7\ncmd:  python\npart: 2\n\n\
                        desc: Trigger: --dump-before=clock_gettime@@GLIBC_2.17\n\npositions: line\nevents: Ir\nsummary: 51234\n\n\
                        fn=(1) f\n0 51234\n\ntotals: 51234\n";

    #[test]
    fn a_dump_has_its_sum_in_its_head() {
        assert_eq!(instructions(DUMP.as_bytes()).unwrap(), 51234);
        assert_eq!(instructions(DUMP.replace("summary: 51234\n", "").as_bytes()).unwrap(), 51234);
        let refused = |from: &str, to: &str| instructions(DUMP.replace(from, to).as_bytes()).unwrap_err().to_string();
        assert!(refused("events: Ir", "events: Ir Dr").contains("\"Ir Dr\""));
        assert!(refused(" 51234", " many").contains("many"));
        assert!(instructions("version: 1\n".as_bytes()).is_err());
    }

    #[test]
    fn who_does_not_let_itself_be_switched_on_says_so() {
        let dumps = |vgdb: &str| Dumps { file: "dump".into(), taken: 0, switch: Some(vec![vgdb.to_owned(), "--vgdb-prefix=x".to_owned()]) };
        assert!(dumps("true").switch_on(1).unwrap() && !dumps("false").switch_on(1).unwrap());
        assert!(dumps("there-is-no-vgdb").switch_on(1).is_err());
        assert!(Dumps { switch: None, ..dumps("false") }.switch_on(1).unwrap(), "it counts already");
    }

    #[test]
    fn dumps_are_taken_once_and_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let launch = Launch { command: vec!["worker".into()], environment: Default::default(), load: Load::default(), bare: false };
        let callgrind = Callgrind { program: "/usr/bin/valgrind".into(), setarch: None, vgdb: None, version: "valgrind-3.19.0".into() };
        let (launch, mut dumps) = callgrind.around(&launch, folder.path());
        assert_eq!((launch.command[0].as_str(), launch.command.last().map(String::as_str)), ("/usr/bin/valgrind", Some("worker")));
        let write = |n: u32, sum: &str| fs::write(folder.path().join(format!("dump.{n}")), DUMP.replace("51234", sum)).unwrap();
        write(1, "10");
        write(2, "20");
        assert_eq!(dumps.take().unwrap(), [10, 20]);
        assert!(dumps.take().unwrap().is_empty());
        write(3, "30");
        assert_eq!(dumps.take().unwrap(), [30]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
