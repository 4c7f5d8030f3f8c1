//! Drivers that are killed at any moment, then told to go on, or started again: nothing may be lost, doubled or left.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bindbench_model::{RunState, Sample};
use bindbench_store::{Recorded, StoreError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::{Pid, Signal, kill_process};

use crate::gate;
use crate::sandbox::Sandbox;
use crate::tally::{Tally, end, setting};
use crate::traces::{Traces, Watched};

const SEED: u64 = 20_261_128;

/// A command that is not killed has ended by then, on any machine.
const LONGEST: Duration = Duration::from_secs(300);

/// So many are killed one after the other, at most, before one is let go on to its end.
const MOST_IN_A_ROW: u32 = 6;

/// Commands of one kind in a sandbox of their own, and the moments at which they are killed.
struct Killer {
    sandbox: Sandbox,
    traces: Traces,
    random: ChaCha8Rng,
    /// How long the command takes when nobody kills it.
    usual: Duration,
    tally: Tally,
}

impl Killer {
    /// `what` is part of the seed, so that each kind of command can be repeated by itself.
    fn new(part: &'static str, seed: u64, sandbox: Sandbox) -> Self {
        let stream = part.bytes().map(u64::from).sum();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        let traces = Traces::new(&sandbox);
        Self { sandbox, traces, random, usual: Duration::ZERO, tally: Tally::new(part) }
    }

    /// Runs a command to its end, and expects of it that it ends so.
    fn finish(&mut self, what: &str, command: Command) -> Watched {
        let watched = self.traces.run_for(LONGEST, command);
        let code = watched.status.and_then(|status| status.code());
        self.tally.demand(code == Some(0), format!("{what} ended with {code:?}:\n{}", watched.stderr));
        watched
    }

    /// Measures how long the command takes, which is only worth it for many kills.
    fn learn(&mut self, kills: usize, command: Command) {
        if kills < 5 {
            self.usual = Duration::from_secs(3);
            return;
        }
        self.usual = self.finish("the command that nobody kills", command).took;
    }

    /// Starts the command and kills its driver at a moment within its usual time. False if it had ended by then.
    fn kill(&mut self, command: Command) -> bool {
        let moment = self.usual.mul_f64(self.random.random_range(0.0..1.0));
        let begun = Instant::now();
        let mut driver = self.traces.start(command);
        while begun.elapsed() < moment {
            if driver.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        kill_process(Pid::from_child(&driver), Signal::KILL).unwrap();
        let status = driver.wait().unwrap();
        let killed = status.code().is_none();
        self.tally.add(killed.into());
        killed
    }

    /// Sees that nothing of a killed command goes on; now and then the next one begins at once, as somebody in a hurry has it.
    fn look(&mut self) {
        if self.random.random_bool(0.5) {
            for process in self.traces.processes_left() {
                self.tally.fail(format!("after kill {} there is still {process}", self.tally.tried));
            }
        }
    }

    /// Nothing is left, not of the killed commands either, when one has ended well.
    fn is_clean(&mut self) {
        for left in self.traces.left() {
            self.tally.fail(format!("after {} kills and a good end there is still {left}", self.tally.tried));
        }
        let folder = self.sandbox.path();
        let kept = |entry: &walkdir::DirEntry| entry.file_name() != ".git" && !entry.path().ends_with("build/pythons");
        let files = walkdir::WalkDir::new(&folder).into_iter().filter_entry(kept).filter_map(Result::ok);
        for temporary in files.filter(|entry| entry.file_name().to_string_lossy().starts_with(".tmp")) {
            self.tally.fail(format!("after {} kills and a good end there is still {}", self.tally.tried, temporary.path().display()));
            // It is told once.
            fs::remove_file(temporary.path()).or_else(|_| fs::remove_dir_all(temporary.path())).ok();
        }
    }

    /// Kills so many drivers of a command that can be resumed: some in a row, then it is let go on to its end.
    fn kill_and_resume(&mut self, kills: usize, commands: &Commands) {
        self.learn(kills, (commands.begin)(&self.sandbox));
        while self.tally.tried < kills && !self.tally.gives_up() {
            fs::remove_dir_all(self.sandbox.path().join(commands.runs)).ok();
            let mut kept = Vec::new();
            for _ in 0..self.random.random_range(1..=MOST_IN_A_ROW) {
                let command = self.next(commands, &mut kept);
                if self.kill(command) {
                    self.look();
                }
            }
            let command = self.next(commands, &mut kept);
            let what = format!("{} after {} kills", self.tally.part, self.tally.tried);
            self.finish(&what, command);
            match run_in(&self.sandbox.path().join(commands.runs)) {
                Some(folder) => self.is_whole(&folder, &kept, commands),
                None => self.tally.fail(format!("{what}: there is no run")),
            }
            self.is_clean();
        }
    }

    /// The command that goes on, or begins if there is nothing to go on with; what is on the disk has to be readable, and is kept in mind.
    fn next(&mut self, commands: &Commands, kept: &mut Vec<Sample>) -> Command {
        let Some(folder) = run_in(&self.sandbox.path().join(commands.runs)) else { return (commands.begin)(&self.sandbox) };
        match Recorded::read(&folder) {
            Ok(recorded) => {
                self.keeps(&recorded, kept);
                *kept = recorded.samples;
                let id = folder.file_name().unwrap().to_str().unwrap();
                (commands.resume)(&self.sandbox, id)
            }
            // Its folder was made, and no more.
            Err(StoreError::NoRun { .. }) => {
                fs::remove_dir_all(&folder).unwrap();
                (commands.begin)(&self.sandbox)
            }
            Err(error) => {
                self.tally.fail(format!("after kill {} the run can't be read: {error}", self.tally.tried));
                fs::remove_dir_all(&folder).unwrap();
                kept.clear();
                (commands.begin)(&self.sandbox)
            }
        }
    }

    fn keeps(&mut self, recorded: &Recorded, kept: &[Sample]) {
        let lost = kept.iter().filter(|sample| !recorded.samples.contains(sample)).count();
        let (kills, rows) = (self.tally.tried, recorded.samples.len());
        self.tally.demand(lost == 0, format!("after kill {kills} {lost} of {} samples are lost; there are {rows}", kept.len()));
        self.tally.demand(recorded.damage.is_empty(), format!("after kill {kills} rows are damaged: {:?}", recorded.damage));
    }

    fn is_whole(&mut self, folder: &Path, kept: &[Sample], commands: &Commands) {
        let recorded = match Recorded::read(folder) {
            Ok(recorded) => recorded,
            Err(error) => return self.tally.fail(format!("the run can't be read in the end: {error}")),
        };
        self.keeps(&recorded, kept);
        let (run, kills) = (&recorded.run, self.tally.tried);
        let unwell: Vec<String> = run.cells.iter().filter(|cell| !cell.status.has_number()).map(|cell| cell.status.to_string()).collect();
        self.tally.demand(unwell.is_empty(), format!("after kill {kills}: {unwell:?}"));
        self.tally.demand(run.state == RunState::Finished, format!("after kill {kills} the run is {:?} in the end", run.state));
        if let Some((generations, rounds)) = commands.plan {
            let planned = run.cells.iter().flat_map(|cell| places(generations, rounds).map(move |(g, r)| (g, r, cell.id)));
            let there: BTreeSet<_> = recorded.samples.iter().map(|sample| (sample.generation, sample.round, sample.cell)).collect();
            let missing = planned.filter(|place| !there.contains(place)).count();
            self.tally.demand(missing == 0, format!("after kill {kills} the run ends with {missing} samples too few"));
        }
        // Read without this program's help, which would leave out a second row for the same sample.
        let text = fs::read_to_string(folder.join("samples.csv")).unwrap_or_default();
        let rows = text.lines().skip(1).count();
        self.tally.demand(
            rows == recorded.samples.len(),
            format!("after kill {kills} there are {rows} rows of {} samples", recorded.samples.len()),
        );
    }
}

fn places(generations: u32, rounds: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..generations).flat_map(move |generation| (0..rounds).map(move |round| (generation, round)))
}

/// How a command is begun and resumed, and what it writes.
struct Commands {
    begin: fn(&Sandbox) -> Command,
    resume: fn(&Sandbox, &str) -> Command,
    /// The folder with the run.
    runs: &'static str,
    /// Generations and rounds that the run has in the end; none where that is not known beforehand.
    plan: Option<(u32, u32)>,
}

/// The only run in a folder.
fn run_in(runs: &Path) -> Option<PathBuf> {
    let mut entries = fs::read_dir(runs).ok()?.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir());
    entries.find(|path| path.file_name().is_some_and(|name| name != "gates"))
}

fn runs(kills: usize, seed: u64) -> Tally {
    let commands = Commands {
        begin: |sandbox| {
            let more = ["--preset", "smoke", "-w", "call.add", "-s", "steady/*", "--generations", "2", "--rounds", "8"];
            sandbox.command(&[&["run"][..], &more].concat())
        },
        resume: |sandbox, id| sandbox.command(&["run", "--resume", id]),
        runs: "runs",
        plan: Some((2, 8)),
    };
    let mut killer = Killer::new("kills of run", seed, Sandbox::with("steady"));
    killer.kill_and_resume(kills, &commands);
    killer.tally
}

fn gates(kills: usize, seed: u64) -> Tally {
    let commands = Commands {
        begin: |sandbox| {
            let more = ["-w", "call.add", "-s", "steady/slow", "--threshold", "300", "--budget", "120", "--base-rev", "HEAD"];
            sandbox.command(&[&["gate"][..], &more].concat())
        },
        resume: |sandbox, id| sandbox.command(&["gate", "--resume", id]),
        runs: "runs/gates",
        plan: None,
    };
    let mut killer = Killer::new("kills of gate", seed, gate::sandbox());
    killer.kill_and_resume(kills, &commands);
    gate::is_clean(&killer.sandbox);
    killer.tally
}

/// A build that takes its time, in processes of its own.
const PATIENT: &str = r#"
name = "patient"
binding = "none"
summary = "Takes its time"

[build]
steps = [["/bin/sh", "-c", "(sleep 0.5; echo 'def add(a, b):' > {out}/half) & wait; (cat {out}/half; echo '    return a + b') > {out}/bindbench_patient.py"]]
artifacts = ["bindbench_patient.py"]

[[lane]]
variant = "built"
summary = "Built"
comparison = "as published"
kernel = "python"
gil = "held"
parallel = "none"
copies = {}
modules = { call = "bindbench_patient" }
"#;

/// Set-ups have nothing to go on with: the next one has to make good whatever the killed one left half done.
fn set_ups(kills: usize, seed: u64) -> Tally {
    const LANES: &str = "{forge,fragile,packaged,patient}/*";
    let set_up = |sandbox: &Sandbox| sandbox.command(&["setup", "--preset", "smoke", "-w", "call", "-s", LANES]);
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("forge");
    sandbox.add_manifest("patient", "patient", PATIENT);
    sandbox.make_tools();
    let build = sandbox.path().join("build");
    // Its link to the tools is all that stays.
    let afresh = || {
        for entry in fs::read_dir(&build).unwrap().map(|entry| entry.unwrap().path()).filter(|path| !path.is_symlink()) {
            fs::remove_dir_all(&entry).or_else(|_| fs::remove_file(&entry)).ok();
        }
    };
    let mut killer = Killer::new("kills of setup", seed, sandbox);
    killer.learn(kills, set_up(&killer.sandbox));
    while killer.tally.tried < kills && !killer.tally.gives_up() {
        afresh();
        for _ in 0..killer.random.random_range(1..=MOST_IN_A_ROW) {
            if killer.kill(set_up(&killer.sandbox)) {
                killer.look();
            }
        }
        let what = format!("setup after {} kills", killer.tally.tried);
        killer.finish(&what, set_up(&killer.sandbox));
        let listed = killer.finish(&what, killer.sandbox.command(&["list", "--json", "-s", LANES]));
        let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap_or_default();
        let states = listed["lanes"].as_array().into_iter().flatten();
        for lane in states.filter(|lane| lane["lane"] != "fragile/c" && lane["lane"] != "packaged/lost") {
            killer.tally.demand(lane["state"] == "ready", format!("{what}: {} is {}: {}", lane["lane"], lane["state"], lane["reason"]));
        }
        let run = ["run", "--preset", "smoke", "-w", "call.add", "-s", "{forge,patient}/*", "--generations", "1", "--rounds", "1"];
        killer.finish(&what, killer.sandbox.command(&run));
        killer.is_clean();
    }
    killer.tally
}

#[test]
fn a_handful_of_kills() {
    // Gates are told to die by a test of their own.
    end(&[runs(2, SEED), set_ups(1, SEED)]);
}

#[test]
#[ignore = "takes minutes; `cargo xtask torture` runs it"]
fn all_kills() {
    let seed = setting("BINDBENCH_TORTURE_SEED", SEED);
    let kills = setting("BINDBENCH_TORTURE_KILLS", 200) as usize;
    // Half of them are of runs. All kinds at a time: each mostly waits.
    let tallies = std::thread::scope(|scope| {
        let (of_gates, of_set_ups) = (scope.spawn(|| gates(kills / 4, seed)), scope.spawn(|| set_ups(kills / 4, seed)));
        [runs(kills - kills / 4 * 2, seed), of_gates.join().unwrap(), of_set_ups.join().unwrap()]
    });
    end(&tallies);
}
