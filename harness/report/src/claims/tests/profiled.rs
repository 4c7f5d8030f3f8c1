//! Claims that a profile judges whose truth is known.

use bindbench_model::gauges::{GilClass, GilShare, GilWatch};
use bindbench_model::profile::{Profile, ProfiledCell, SCHEMA, Stacks};
use bindbench_model::{Environment, Status};
use bindbench_store::profile::Profiled;

use super::*;

fn told(class: GilClass) -> GilWatch {
    let held = if class == GilClass::Released { 0.01 } else { 0.98 };
    GilWatch::Told(GilShare { class, held, handed_over: None, calls: 9, call_ns: 2_000_000, size: Some(1 << 21), queues_known: true })
}

/// Of the search by `slow/slow`, in the builds of the run.
fn profile(recorded: &Recorded, watch: GilWatch) -> Profiled {
    let case = recorded.run.cases.iter().find(|case| case.threads == 1).unwrap().clone();
    let cell = ProfiledCell {
        case,
        lane: "slow/slow".into(),
        interpreter: Some(PYTHON.into()),
        at: String::new(),
        status: Status::Ok,
        stacks: None,
        gil: Some(watch),
        memory: None,
    };
    let profile = Profile {
        schema: SCHEMA,
        bindbench: String::new(),
        command: Vec::new(),
        started: String::new(),
        environment: Environment::default(),
        interpreters: recorded.run.interpreters.clone(),
        lanes: recorded.run.lanes.clone(),
        cells: vec![cell],
        differences: Vec::new(),
        skipped: Vec::new(),
        notes: Vec::new(),
    };
    Profiled { profile, folder: "nowhere".into() }
}

fn judged(recorded: &Recorded, profile: Option<&Profiled>, lane: &str, seen: &str) -> Judged {
    let test = format!("relation = \"gil\"\ncase = \"kmp.find_all:talk\"\nof = \"{lane}\"\nseen = \"{seen}\"");
    let claims = parsed(&claim(&[&test]), None).unwrap();
    Claims::new(recorded, profile, &claims).interpreters.remove(0).claims.remove(0)
}

#[test]
fn a_heartbeat_judges_what_is_claimed_of_the_gil() {
    use Verdict::{Confirmed, Inconclusive, Refuted};
    let recorded = world(0.01).recorded(NOISE);
    let table = [
        (GilClass::Held, [Confirmed, Refuted]),
        (GilClass::Released, [Refuted, Confirmed]),
        (GilClass::Interpreter, [Inconclusive, Refuted]),
        (GilClass::Mixed, [Inconclusive, Inconclusive]),
    ];
    for (class, expected) in table {
        let profile = profile(&recorded, told(class));
        let verdicts = ["held", "released"].map(|seen| judged(&recorded, Some(&profile), "slow/slow", seen).verdict);
        assert_eq!(verdicts, expected, "{class:?}");
    }
}

#[test]
fn without_a_heartbeat_of_the_same_build_nothing_is_told() {
    let recorded = world(0.01).recorded(NOISE);
    let why = |profile: Option<&Profiled>, lane: &str| {
        let judged = judged(&recorded, profile, lane, "held");
        assert_eq!(judged.verdict, Verdict::Inconclusive);
        judged.why.join("; ")
    };
    assert!(why(None, "slow/slow").contains("bindbench profile --pass gil --case kmp.find_all:talk -s slow/slow -p 3."));
    let mut looked = profile(&recorded, told(GilClass::Held));
    assert!(why(Some(&looked), "mid/mid").contains("nobody has looked at mid/mid in kmp.find_all"));
    looked.profile.lanes[0].receipts[0].artifacts.insert("x.so".into(), "other".into());
    assert_eq!(why(Some(&looked), "slow/slow"), "the profile is of another build of slow/slow than this run");
    let short = profile(&recorded, GilWatch::TooShort { call_ns: 900, size: None });
    assert!(why(Some(&short), "slow/slow").contains("too short for a heartbeat"));
}

#[test]
fn a_test_of_the_gil_says_what_is_to_be_seen() {
    let of = |keys: &str| parsed(&claim(&[&format!("relation = \"gil\"\nof = \"slow/slow\"\n{keys}")]), None);
    for (keys, says) in [("", "needs `seen`"), ("seen = \"held\"\nabove = 1", "has no bounds"), ("seen = \"free\"", "unknown variant")] {
        let error = of(keys).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    assert!(of("seen = \"released\"").is_ok());
}

#[test]
fn a_share_of_the_samples_is_held_against_its_bounds() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.folded"), "w;f;split 570\nw;f;merge;split 30\nw;f 400\n").unwrap();
    let recorded = world(0.01).recorded(NOISE);
    let mut looked = Profiled { folder: folder.path().to_owned(), ..profile(&recorded, told(GilClass::Held)) };
    looked.profile.cells[0].stacks = Some(Stacks { folded: "a.folded".into(), ..Stacks::default() });
    let judged = |looked: &Profiled, functions: &str, bound: &str| {
        let test = format!("{MIB}relation = \"share\"\nof = \"slow/slow\"\nfunctions = [{functions}]\n{bound}");
        let claims = parsed(&claim(&[&test]), None).unwrap();
        Claims::new(&recorded, Some(looked), &claims).interpreters.remove(0).claims.remove(0)
    };
    let verdict = |functions: &str, bound: &str| judged(&looked, functions, bound).verdict;
    assert_eq!(verdict("\"sp*\", \"merge\"", "above = 0.5"), Verdict::Confirmed);
    assert_eq!(verdict("\"sp*\"", "below = 0.5"), Verdict::Refuted);
    assert_eq!(verdict("\"sp*\"", "below = 0.58"), Verdict::Inconclusive, "three points is as right as it gets");
    assert_eq!(verdict("\"nothing\"", "below = 0.1"), Verdict::Confirmed);
    let found = judged(&looked, "\"sp*\"", "above = 0.5").findings.remove(0);
    assert_eq!(found.what, "600 of 1,000 samples of slow/slow in kmp.find_all");
    looked.profile.cells[0].stacks = Some(Stacks { folded: "../a.folded".into(), ..Stacks::default() });
    assert_eq!(judged(&looked, "\"sp*\"", "above = 0.5").why, ["the folded stacks of slow/slow can't be read"]);
}
