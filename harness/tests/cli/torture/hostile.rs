//! The kinds of `catalogs/hostile`, measured beside lanes that are right.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bindbench_model::Status;
use bindbench_store::Recorded;
use serde::Deserialize;
use toml::{Table, Value};

use crate::sandbox::{Sandbox, cell};
use crate::tally::{Tally, end};
use crate::traces::{Traces, Watched};

/// Enough for what goes wrong at a worker's fifth call, when each is a sample.
const ROUNDS: u32 = 6;
const GENERATIONS: u32 = 2;

/// Seconds for one request. Most kinds that hang use it up once; the others have to start and to answer in it, on a busy machine too.
const TIMEOUT: u64 = 4;

/// The strategies that this test writes manifests of: workers with Python, and without.
const STRATEGIES: [&str; 2] = ["hostile", "shells"];

/// What `memory` is to use up, MiB: more than all others need.
const MEMORY: u64 = 512;

/// What a kind may add to each file of a run, and to each page of a report, bytes.
const OWN_SHARE: u64 = 48 << 10;

/// What these may have without any of them. A worker's log may have a long traceback, whole.
const OF_ALL: u64 = 16 << 20;

/// A kind as `expected.toml` has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    status: OneOrMore,
    says: Option<String>,
    #[serde(default)]
    leaves: bool,
    #[serde(default = "add")]
    operation: String,
    limit: Option<String>,
    driver: Option<Driver>,
    summary: Option<String>,
    command: Option<Vec<String>>,
    #[serde(default)]
    short: bool,
}

/// How the driver ends, where that is the lane's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Driver {
    Killed,
    Interrupted,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

fn add() -> String {
    "add".to_owned()
}

/// The lane → its kind.
type Kinds = BTreeMap<String, Kind>;

fn kinds() -> Kinds {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalogs/hostile");
    let themes: BTreeMap<String, BTreeMap<String, Kind>> =
        toml::from_str(&fs::read_to_string(catalog.join("expected.toml")).unwrap()).unwrap();
    let mut all = Kinds::new();
    for (theme, kinds) in themes {
        let is_strategy = STRATEGIES.contains(&theme.as_str()) || catalog.join(&theme).is_dir();
        let prefix = if is_strategy { format!("{theme}/") } else { format!("{}/{theme}.", STRATEGIES[0]) };
        all.extend(kinds.into_iter().map(|(name, kind)| (format!("{prefix}{name}"), kind)));
    }
    all
}

/// The manifest of a strategy, with a lane for each of its kinds.
fn manifest(strategy: &str, kinds: &Kinds) -> String {
    let lane = |(lane, kind): (&String, &Kind)| {
        let variant = lane.strip_prefix(strategy)?.strip_prefix('/')?;
        let mut lane: Table = toml::from_str(
            r#"
            comparison = "as published"
            kernel = "<i>python</i>"
            gil = "held"
            parallel = "none"
            copies = { boxed = 0 }
            "#,
        )
        .unwrap();
        lane.insert("variant".to_owned(), variant.into());
        lane.insert("summary".to_owned(), kind.summary.clone().unwrap_or_else(|| variant.replace(['.', '_'], " ")).into());
        match &kind.command {
            Some(words) => {
                lane.insert("command".to_owned(), words.clone().into());
                lane.insert("workloads".to_owned(), vec!["call"].into());
            }
            None => {
                let modules = Table::from_iter([("call".to_owned(), format!("bindbench_hostile.{variant}").into())]);
                lane.insert("modules".to_owned(), modules.into());
            }
        }
        Some(Value::from(lane))
    };
    let mut manifest: Table = toml::from_str("binding = '<b>none</b>'\nsummary = 'Lanes that go wrong'").unwrap();
    manifest.insert("name".to_owned(), strategy.into());
    manifest.insert("lane".to_owned(), kinds.iter().filter_map(lane).collect::<Vec<_>>().into());
    toml::to_string(&manifest).unwrap()
}

fn sandbox(kinds: &Kinds) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("hostile");
    for strategy in STRATEGIES {
        let folder = sandbox.path().join("hostile").join(strategy);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("strategy.toml"), manifest(strategy, kinds)).unwrap();
    }
    sandbox.make_tools();
    sandbox.set_up("{hostile,shells,honest,editor,eraser}/*").succeeds();
    sandbox
}

/// One run of all kinds of each operation, and one for each of those that end it.
fn measure(kinds: &Kinds, tally: &mut Tally) {
    let sandbox = sandbox(kinds);
    let mut groups: BTreeMap<(&str, Option<Driver>, &str), Vec<&str>> = BTreeMap::new();
    for (lane, kind) in kinds {
        let alone = if kind.driver.is_some() { lane } else { "" };
        groups.entry((&kind.operation, kind.driver, alone)).or_default().push(lane);
    }
    let traces = Traces::new(&sandbox);
    for (number, ((operation, driver, _), lanes)) in groups.into_iter().enumerate() {
        tally.add(lanes.len());
        let folder = sandbox.path().join(format!("runs-{number}"));
        let run = Measured { sandbox: &sandbox, folder, what: format!("call.{operation} of {}", lanes[0]) };
        let watched = run.measure(&traces, operation, &lanes);
        for left in traces.left() {
            tally.fail(format!("left after the run of {}: {left}", run.what));
        }
        match driver {
            None => run.examine(&kinds.iter().filter(|(lane, _)| lanes.contains(&lane.as_str())).collect::<Vec<_>>(), &watched, tally),
            Some(driver) => {
                let ended = watched.status.map(|status| (status.code(), status.signal()));
                let due = if driver == Driver::Killed { (None, Some(9)) } else { (Some(130), None) };
                tally.demand(ended == Some(due), format!("the run of {} ended with {ended:?} instead of {due:?}", run.what));
                tally.limit(lanes.concat());
            }
        }
    }
}

/// A run of hostile lanes beside the honest ones.
struct Measured<'s> {
    sandbox: &'s Sandbox,
    folder: PathBuf,
    what: String,
}

impl Measured<'_> {
    fn measure(&self, traces: &Traces, operation: &str, lanes: &[&str]) -> Watched {
        let numbers = [ROUNDS.into(), GENERATIONS.into(), TIMEOUT].map(|number: u64| number.to_string());
        let (workload, memory) = (format!("call.{operation}"), format!("{MEMORY}MiB"));
        let mut command = self.sandbox.command(&["run", "--preset", "smoke", "-w", &workload, "--memory", &memory, "-s", "honest/*"]);
        command.args(["--rounds", &numbers[0], "--generations", &numbers[1], "--timeout", &numbers[2]]);
        command.args(lanes.iter().flat_map(|lane| ["-s", lane]));
        command.arg("--runs").arg(&self.folder).arg("--out").arg(self.out());
        // What it takes if each hangs in a request, and a minute for the start.
        traces.run_for(Duration::from_secs(60 + lanes.len() as u64 * (TIMEOUT + 2)), command)
    }

    fn out(&self) -> PathBuf {
        self.folder.with_extension("out")
    }

    fn examine(&self, kinds: &[(&String, &Kind)], watched: &Watched, tally: &mut Tally) {
        let what = &self.what;
        if watched.status.is_none() {
            tally.fail(format!("the run of {what} did not end; {}", end_of(&watched.stderr)));
        }
        let Some(folder) = fs::read_dir(&self.folder).ok().and_then(|mut runs| Some(runs.next()?.ok()?.path())) else {
            return tally.fail(format!("no run of {what}: {:?}; {}", watched.status, end_of(&watched.stderr)));
        };
        match Recorded::read(&folder) {
            Ok(recorded) => examine(&recorded, kinds, watched, tally),
            Err(error) => tally.fail(format!("the run of {what} can't be read: {error}")),
        }
        sizes(&folder, &self.out(), kinds.len() as u64, watched, tally);
    }
}

fn examine(recorded: &Recorded, kinds: &[(&String, &Kind)], watched: &Watched, tally: &mut Tally) {
    for lane in ["honest/first", "honest/second"] {
        let cell = cell(recorded, lane);
        let samples = recorded.samples.iter().filter(|sample| sample.cell == cell.id && sample.digest_ok).count();
        let fine = cell.status == Status::Ok && samples == (GENERATIONS * ROUNDS) as usize;
        tally.demand(fine, format!("{lane} has {samples} samples, and is {:.300}", cell.status.to_string()));
    }
    tally.demand(recorded.damage.is_empty(), format!("damaged rows: {:?}", recorded.damage));
    let statuses: Vec<String> = recorded.run.cells.iter().map(|cell| tag(&cell.status)).collect();
    let expected = match () {
        () if statuses.iter().any(|status| status == "wrong") => 1,
        () if statuses.iter().any(|status| status != "ok") => 4,
        () => 0,
    };
    let code = watched.status.and_then(|status| status.code());
    tally.demand(code == Some(expected), format!("exit status {code:?} instead of {expected}; {}", end_of(&watched.stderr)));
    let notes = recorded.run.notes.join("\n");
    let printed = without_spaces(&watched.stdout);
    for (lane, kind) in kinds {
        let Some(cell) = recorded.run.cells.iter().find(|cell| cell.lane == **lane && !cell.twin) else {
            tally.fail(format!("{lane} has no cell"));
            continue;
        };
        let (status, text) = (tag(&cell.status), cell.status.to_string());
        let allowed = match &kind.status {
            OneOrMore::One(one) => std::slice::from_ref(one),
            OneOrMore::More(more) => more,
        };
        tally.demand(allowed.contains(&status), format!("{lane} is {text:.300}, instead of {}", allowed.join(" or ")));
        if let Some(says) = kind.says.as_ref().filter(|_| allowed.contains(&status)) {
            tally.demand(text.contains(says), format!("{lane} is {text:.300}, which lacks {says:?}"));
            tally.demand(printed.contains(&without_spaces(says)), format!("{says:?} of {lane} is not printed"));
        }
        tally.demand(text.len() < 16 << 10, format!("{lane} has a status of {} bytes", text.len()));
        if kind.leaves {
            let noted = notes.lines().any(|line| line.contains(*lane) && line.contains("behind"));
            tally.demand(noted, format!("no note says that {lane} left a process behind"));
        }
        if let Some(limit) = &kind.limit {
            tally.limit(format!("{lane}: {limit}"));
        }
    }
}

/// Nothing that a lane says makes a file long, moves the cursor, or is more than text to a browser.
fn sizes(folder: &Path, out: &Path, kinds: u64, watched: &Watched, tally: &mut Tally) {
    let most = OF_ALL + kinds * OWN_SHARE;
    let files =
        [folder, out].into_iter().flat_map(walkdir::WalkDir::new).filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    for file in files {
        let (path, bytes) = (file.path(), fs::read(file.path()).unwrap_or_default());
        let size = bytes.len() as u64;
        tally.demand(size <= most, format!("{} has {size} bytes", path.display()));
        let text = String::from_utf8_lossy(&bytes);
        let is_page = path.extension().is_some_and(|extension| ["html", "md", "svg"].iter().any(|page| extension == *page));
        for markup in ["<script>alert(", "<img src=x", "\" onmouseover=\""].into_iter().filter(|_| is_page) {
            tally.demand(!text.contains(markup), format!("{} has {markup}", path.display()));
        }
    }
    let printed = watched.stdout.len() + watched.stderr.len();
    tally.demand((printed as u64) < most, format!("{printed} bytes are printed"));
    let found = moves_the_cursor(&watched.stdout);
    tally.demand(found.is_empty(), format!("what is printed has {found:?}"));
}

/// Characters that a terminal does not show, but does something on.
pub fn moves_the_cursor(text: &str) -> BTreeSet<char> {
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|&c| c.is_control() && !"\n\t".contains(c) || turns(c)).collect()
}

/// The status's name in `run.json`.
fn tag(status: &Status) -> String {
    serde_json::to_value(status).unwrap()["status"].as_str().unwrap().to_owned()
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn end_of(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

#[test]
fn a_dozen_hostile_lanes() {
    let mut tally = Tally::new("hostile lanes");
    measure(&kinds().into_iter().filter(|(_, kind)| kind.short).collect(), &mut tally);
    end(&[tally]);
}

#[test]
#[ignore = "takes minutes; `cargo xtask torture` runs it"]
fn all_hostile_lanes() {
    let mut tally = Tally::new("hostile lanes");
    let only = std::env::var("BINDBENCH_TORTURE_LANES").unwrap_or_default();
    let kinds: Kinds = kinds()
        .into_iter()
        .filter(|(lane, _)| only.is_empty() || only.split(',').any(|part| lane.trim_start_matches("hostile/").starts_with(part)))
        .collect();
    assert!(!kinds.is_empty(), "no kind is called {only}");
    measure(&kinds, &mut tally);
    end(&[tally]);
}
