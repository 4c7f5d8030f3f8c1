//! Claims about runs whose truth is known, and files that are wrong.

use std::path::Path;

use proptest::prelude::*;

use super::file::{of_the_talks_checked, parsed};
use super::{Claims, ForInterpreter, Judged, Known, Verdict, joined, markdown, of_the_talks, terminal};
use crate::catalog::Catalog;
use crate::catalog::axes::{Comparison, Form};
use crate::report::terminal::Look;
use crate::stats::synthetic::Synthetic;
use crate::store::Recorded;
use crate::store::model::{RunState, Skipped, Status};

const PYTHON: &str = "3.13.0";

/// Noise of a sample; that of a generation is half of it.
const NOISE: f64 = 0.002;

/// Searches in 1 KiB and 1 MiB: `slow`, `mid` and `fast` take 4, 2 and 1 ns a byte, `fast` 100 ns a call besides. A second thread
/// doubles what `fast` does and gains `slow` nothing. The resolution in 1 MiB is about `resolution`; of two twins one may differ.
fn world(resolution: f64) -> Synthetic {
    let mut made = Synthetic::new(5, 7);
    made.interpreter(PYTHON, &[]);
    for lane in ["slow/slow", "mid/mid", "fast/fast"] {
        made.lane(lane, Comparison::AsPublished);
    }
    for size in [1 << 10, 1 << 20] {
        let bytes = size as f64;
        let case = made.case("kmp.find_all", "talk", Some(Form::Bytes), Some(size), 1);
        made.cell(case, "slow/slow", Some(PYTHON), 4.0 * bytes);
        made.cell(case, "mid/mid", Some(PYTHON), 2.0 * bytes);
        let fast = made.cell(case, "fast/fast", Some(PYTHON), bytes + 100.0);
        made.twin(fast, if size > 1 << 10 { 1.0 + resolution } else { 1.0 });
    }
    let case = made.case("kmp.find_all", "talk", Some(Form::Bytes), Some(1 << 20), 2);
    made.cell(case, "slow/slow", Some(PYTHON), 8.0 * f64::from(1 << 20));
    made.cell(case, "fast/fast", Some(PYTHON), f64::from(1 << 20) * 1.02);
    made
}

fn claim(tests: &[&str]) -> String {
    let tests: Vec<String> = tests.iter().map(|test| format!("[[claim.test]]\nsays = \"so\"\n{test}\n")).collect();
    format!("[[claim]]\nid = \"a\"\nsource = \"us\"\nsays = \"It is so\"\n{}", tests.concat())
}

fn judge(recorded: &Recorded, text: &str) -> Judged {
    let claims = parsed(text, None).unwrap();
    let mut judged = Claims::new(recorded, &claims).interpreters.remove(0).claims;
    assert_eq!(judged.len(), 1);
    judged.remove(0)
}

const MIB: &str = "case = \"kmp.find_all:talk:1MiB\"\n";
const OTHER_CASE: &str = "case = \"kmp.find_all:talk:1KiB\"";

/// Tests that are true, false, and about something that is not there.
fn relations() -> Vec<(String, Verdict)> {
    use Verdict::{Confirmed, Inconclusive, Refuted};
    let table: &[(&str, Verdict)] = &[
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"fast/fast\"\nabove = 1", Confirmed),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"fast/fast\"\nbelow = 1", Refuted),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\nabout = 2\nwithin = 1.1", Confirmed),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\nabout = 3\nwithin = 1.1", Refuted),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\nabout = 2.2\nwithin = 1.1", Inconclusive),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\nbelow = \"cpus\"", Inconclusive),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"fast/fast\"\nbelow = \"cpus\"", Refuted),
        ("relation = \"order\"\ncells = [\"slow/slow\", \"mid/mid\", \"fast/fast\"]", Confirmed),
        ("relation = \"order\"\ncells = [\"slow/slow\", \"fast/fast\", \"mid/mid\"]", Refuted),
        ("relation = \"order\"\ncells = [\"slow/slow\", \"fast/fast\", { missing = \"nobody made it\" }]", Inconclusive),
        ("relation = \"scaling\"\nof = \"fast/fast\"\nthreads = 2\nabove = 1.1", Confirmed),
        ("relation = \"scaling\"\nof = \"slow/slow\"\nthreads = 2\nabove = 1.1", Refuted),
        ("relation = \"scaling\"\nof = \"slow/slow\"\nthreads = 2\nbelow = 1.1", Confirmed),
        ("relation = \"scaling\"\nof = \"mid/mid\"\nthreads = 2\nbelow = 1.1", Inconclusive),
        ("relation = \"time-per-item\"\nof = \"slow/slow\"\nabout = 4\nwithin = 1.5", Confirmed),
        ("relation = \"time-per-item\"\nof = \"slow/slow\"\nabout = 90\nwithin = 2", Refuted),
        ("relation = \"no-winner\"\ncases = [\"kmp.find_all:talk:1KiB\"]\ncells = [\"slow/slow\", \"mid/mid\", \"fast/fast\"]", Refuted),
        ("relation = \"no-winner\"\ncases = [\"kmp.find_all:talk:1KiB\"]\ncells = [\"slow/slow\", \"gone/gone\"]", Inconclusive),
    ];
    let per_item = |bound: &str| {
        format!("relation = \"ratio\"\nof = {{ lane = \"fast/fast\", {OTHER_CASE} }}\nto = \"fast/fast\"\nper_item = true\n{MIB}{bound}")
    };
    let ratios = |lane: &str, bound: &str| {
        format!(
            "relation = \"ratio-of-ratios\"\nof = {{ lane = \"{lane}\", {OTHER_CASE} }}\nto = {{ lane = \"mid/mid\", {OTHER_CASE} }}\n\
             against_of = \"{lane}\"\nagainst_to = \"mid/mid\"\n{MIB}{bound}"
        )
    };
    let mut all: Vec<(String, Verdict)> = table.iter().map(|(test, verdict)| (format!("{MIB}{test}"), *verdict)).collect();
    all.extend([
        (per_item("above = 1"), Confirmed),
        (per_item("below = 1"), Refuted),
        (ratios("fast/fast", "above = 1"), Confirmed),
        (ratios("slow/slow", "above = 1.1"), Refuted),
        (ratios("slow/slow", "above = 1"), Inconclusive),
    ]);
    all
}

#[test]
fn every_relation_knows_the_truth() {
    let recorded = world(0.01).recorded(NOISE);
    for (test, expected) in relations() {
        let judged = judge(&recorded, &claim(&[&test]));
        assert_eq!(judged.verdict, expected, "{test}: {judged:#?}");
        assert_eq!(judged.why.is_empty(), expected != Verdict::Inconclusive, "{test}: {judged:#?}");
    }
}

#[test]
fn every_lane_beaten_somewhere_is_no_winner() {
    let mut made = world(0.01);
    let case = made.case("std.sum", "ints", Some(Form::Boxed), Some(10), 1);
    made.cell(case, "slow/slow", Some(PYTHON), 100.0);
    let mid = made.cell(case, "mid/mid", Some(PYTHON), 150.0);
    made.cell(case, "fast/fast", Some(PYTHON), 200.0);
    made.twin(mid, 1.0);
    let test =
        "relation = \"no-winner\"\ncases = [\"kmp.find_all:talk:1KiB\", \"std.sum:ints:10\"]\ncells = [\"slow/slow\", \"fast/fast\"]";
    let judged = judge(&made.recorded(NOISE), &claim(&[test]));
    assert_eq!(judged.verdict, Verdict::Confirmed);
    // The slow one loses by 3.6, the fast one by 2 only.
    let worst = judged.findings[0].measured.unwrap().point();
    assert!((worst - 2.0).abs() < 0.05 && judged.findings[0].what.contains("fast/fast / slow/slow"), "{judged:#?}");
}

#[test]
fn inside_the_resolution_nothing_is_told() {
    let test = format!("{MIB}relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\nabove = 1.9");
    let verdict = |resolution| judge(&world(resolution).recorded(NOISE), &claim(&[&test])).verdict;
    assert_eq!([verdict(0.01), verdict(0.1)], [Verdict::Confirmed, Verdict::Inconclusive]);
}

#[test]
fn one_test_that_fails_refutes_and_all_confirm() {
    use Verdict::{Confirmed, Inconclusive, Refuted};
    let recorded = world(0.01).recorded(NOISE);
    let ratio = |bound: &str| format!("{MIB}relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\n{bound}");
    let (holds, fails, open) = (ratio("above = 1"), ratio("below = 1"), ratio("above = 2"));
    let missing = format!("{MIB}relation = \"ratio\"\nof = \"gone/gone\"\nto = \"mid/mid\"\nabove = 1");
    let table: [(&[&str], Verdict); 6] = [
        (&[&holds, &holds], Confirmed),
        (&[&holds, &fails], Refuted),
        (&[&holds, &open], Inconclusive),
        (&[&open, &fails], Refuted),
        (&[&fails, &missing], Inconclusive),
        (&[&missing], Inconclusive),
    ];
    for (tests, expected) in table {
        assert_eq!(judge(&recorded, &claim(tests)).verdict, expected, "{tests:?}");
    }
}

#[test]
fn the_first_case_that_was_measured_counts() {
    let recorded = world(0.01).recorded(NOISE);
    let cases = "cases = [\"kmp.find_all:talk:1GiB\", \"kmp.find_all:talk:1KiB\", \"kmp.find_all:talk:1MiB\"]\n";
    let test = format!("{cases}relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\nabove = 1");
    let judged = judge(&recorded, &claim(&[&test]));
    assert_eq!(judged.findings[0].what, "slow/slow / mid/mid, kmp.find_all of talk, 1 KiB");
    let nowhere = test.replace("1KiB", "2KiB").replace("1MiB", "2MiB");
    let why = judge(&recorded, &claim(&[&nowhere])).why;
    assert_eq!(why, ["none of kmp.find_all:talk:1GiB, kmp.find_all:talk:2KiB, kmp.find_all:talk:2MiB was measured"]);
    let gone = judge(&recorded, &claim(&[&test.replace("slow/slow", "gone/gone")])).why;
    assert_eq!(gone, ["gone/gone was not measured"]);
}

#[test]
fn what_this_machine_or_interpreter_cannot_tell_is_said() {
    let threads = claim(&[&format!("{MIB}relation = \"scaling\"\nof = \"slow/slow\"\nthreads = 4\nabove = 1.1")]);
    let recorded = world(0.01).recorded(NOISE);
    let judged = judge(&recorded, &threads);
    assert_eq!((judged.verdict, &judged.why[..]), (Verdict::Inconclusive, &["it takes 4 CPUs; this run had 2".to_owned()][..]));

    let held = claim(&[&format!("{MIB}relation = \"scaling\"\nof = \"slow/slow\"\nthreads = 2\nbelow = 1.1")]);
    let held = held.replace("id = ", "gil = true\nid = ");
    assert_eq!(judge(&recorded, &held).verdict, Verdict::Confirmed);
    let mut without = world(0.01);
    without.run.interpreters[0].gil_enabled = Some(false);
    assert_eq!(judge(&without.recorded(NOISE), &held).why, ["the GIL is off in this interpreter"]);
}

#[test]
fn a_run_that_cannot_vouch_for_its_intervals_judges_nothing() {
    let test = claim(&[&format!("{MIB}relation = \"ratio\"\nof = \"slow/slow\"\nto = \"fast/fast\"\nbelow = 1")]);
    let mut stopped = world(0.01);
    stopped.run.state = RunState::Interrupted;
    let judged = judge(&stopped.recorded(NOISE), &test);
    assert_eq!(judged.verdict, Verdict::Inconclusive);
    assert_eq!(judged.why, ["the run can't vouch for its intervals: it is not complete"]);
}

#[test]
fn why_a_lane_has_no_number_is_said() {
    let test = claim(&[&format!("{MIB}relation = \"ratio\"\nof = \"slow/slow\"\nto = \"fast/fast\"\nbelow = 1")]);
    let why = |change: &dyn Fn(&mut Recorded)| {
        let mut recorded = world(0.01).recorded(NOISE);
        change(&mut recorded);
        let judged = judge(&recorded, &test);
        assert_eq!(judged.verdict, Verdict::Inconclusive);
        judged.why
    };
    let slow = |recorded: &Recorded| {
        let case = recorded.run.cases.iter().find(|case| case.size == Some(1 << 20)).unwrap().id;
        recorded.run.cells.iter().find(|cell| cell.case == case && cell.lane == "slow/slow").unwrap().id
    };
    let crashed = why(&|r| {
        let id = slow(r) as usize;
        r.run.cells[id].status = Status::Crashed { signal: "SIGSEGV".into() };
    });
    assert_eq!(crashed, ["slow/slow has no number: crashed: SIGSEGV"]);
    let wrong = why(&|r| {
        let id = slow(r);
        r.samples.iter_mut().find(|sample| sample.cell == id).unwrap().digest_ok = false;
    });
    assert_eq!(wrong, ["slow/slow has no number: wrong"]);
    let skip = |operation: Option<&str>| Skipped {
        lane: "slow/slow".into(),
        interpreter: None,
        operation: operation.map(str::to_owned),
        reason: "it can't be built".into(),
    };
    let gone = |r: &mut Recorded| r.run.lanes.retain(|lane| lane.id != "slow/slow");
    assert_eq!(
        why(&|r| {
            gone(r);
            r.run.skipped.push(skip(None))
        }),
        ["slow/slow was skipped: it can't be built"]
    );
    assert_eq!(
        why(&|r| {
            gone(r);
            r.run.skipped.push(skip(Some("std")))
        }),
        ["slow/slow was not measured"]
    );
    let strayed = why(&|r| {
        let lane = r.run.lanes.iter_mut().find(|lane| lane.id == "slow/slow").unwrap();
        lane.comparison = Comparison::Controlled;
        lane.receipts[0].kernels_sha256 = Some("deadbeef".into());
    });
    assert_eq!(strayed, ["slow/slow is declared controlled, and loads another kernel than the shared one"]);
}

#[test]
fn interpreters_are_compared_by_their_names() {
    let mut made = world(0.01);
    made.interpreter("pypy3.11.17", &["jit"]);
    made.cell(1, "slow/slow", Some("pypy3.11.17"), f64::from(1 << 20));
    let test = format!(
        "{MIB}relation = \"ratio\"\nof = \"slow/slow\"\nto = {{ lane = \"slow/slow\", python = \"pypy*\" }}\nabout = 4\nwithin = 1.5"
    );
    let recorded = made.recorded(NOISE);
    let claims = parsed(&claim(&[&test]), None).unwrap();
    let judged = Claims::new(&recorded, &claims).interpreters;
    assert_eq!(judged.iter().map(|docket| docket.claims[0].verdict).collect::<Vec<_>>(), [Verdict::Confirmed, Verdict::Inconclusive]);
    assert_eq!(judged[0].claims[0].findings[0].what.matches("Python").count(), 2);
    assert_eq!(judged[1].claims[0].why, ["slow/slow would be compared with itself"]);
    let nowhere = judge(&recorded, &claim(&[&test.replace("pypy", "graal")]));
    assert_eq!(nowhere.why, ["no interpreter graal* was measured"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever the speeds are: with a lane missing, or without a number, nothing about it is refuted, or confirmed.
    #[test]
    fn never_refuted_when_a_lane_is_missing(seed in any::<u64>(), factor in 0.1..10.0_f64, lost in 0..3_usize, crashed: bool) {
        let lane = ["slow/slow", "mid/mid", "fast/fast"][lost];
        let mut made = world(0.01);
        made.run.seed = seed;
        let mut recorded = made.recorded(NOISE);
        recorded.samples.iter_mut().filter(|sample| sample.cell % 3 == 0).for_each(|s| s.elapsed_ns = (s.elapsed_ns as f64 * factor) as u64);
        if crashed {
            recorded.run.cells.iter_mut().filter(|cell| cell.lane == lane).for_each(|cell| cell.status = Status::Exited { code: 1 });
        } else {
            recorded.run.lanes.retain(|other| other.id != lane);
        }
        for (test, _) in relations().into_iter().filter(|(test, _)| test.contains(lane)) {
            prop_assert_eq!(judge(&recorded, &claim(&[&test])).verdict, Verdict::Inconclusive, "{}", test);
        }
    }
}

fn catalog() -> Catalog {
    Catalog::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), &[]).unwrap()
}

fn known() -> Known {
    Known::new(&Synthetic::new(1, 1).run, &catalog())
}

#[test]
fn the_talks_claims_are_33_and_name_lanes_and_cases_of_the_catalog() {
    let claims = of_the_talks_checked(&known()).unwrap_or_else(|error| panic!("{error}"));
    let ids: Vec<String> = (1..=33).map(|id| id.to_string()).collect();
    assert_eq!(claims.iter().map(|claim| &claim.id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    assert_eq!(of_the_talks().unwrap().len(), 33);
}

#[test]
fn with_nothing_measured_nothing_is_judged() {
    let mut made = Synthetic::new(3, 1);
    made.interpreter(PYTHON, &[]);
    let judged = Claims::new(&made.recorded(NOISE), &of_the_talks().unwrap()).interpreters.remove(0);
    let wanted = |verdict: Verdict| [Verdict::Inconclusive, Verdict::Reported].contains(&verdict);
    assert!(judged.claims.iter().all(|claim| wanted(claim.verdict)), "{judged:#?}");
    assert_eq!((judged.count(Verdict::Reported), judged.tally().as_str()), (1, "33 claims: 32 inconclusive, 1 without a verdict"));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let fine = claim(&["case = \"std.std:ints:5000\"\nrelation = \"ratio\"\nof = \"python/pure\"\nto = \"capi/c\"\nabove = 1"]);
    assert!(parsed(&fine, Some(&known())).is_ok());
    let spoilt = [
        ("\"python/pure\"", "\"pyhton/pure\""),
        ("\"python/pure\"", "{ lane = \"python/pure\", case = \"std.std:int:5000\" }"),
        ("\"python/pure\"", "{ lane = \"python/pure\", trheads = 2 }"),
        ("\"python/pure\"", "{ threads = 2 }"),
        ("\"python/pure\"", "{ lane = \"python/pure\", missing = \"gone\" }"),
        ("\"python/pure\"", "3"),
        ("std.std:ints", "std.sdt:ints"),
        ("std.std:ints:5000", "std:ints:5000"),
        ("5000", "many"),
        ("\"ratio\"", "\"ration\""),
        ("\"ratio\"", "\"order\""),
        ("\"ratio\"", "\"scaling\""),
        ("of = \"python/pure\"\nto = \"capi/c\"\nabove = 1", "of = \"python/pure\"\nbelow = 2"),
        ("\"ratio\"\nof = \"python/pure\"\nto = \"capi/c\"\nabove = 1", "\"scaling\"\nof = \"python/pure\"\nabove = 1"),
        ("\"ratio\"\nof = \"python/pure\"\nto = \"capi/c\"\nabove = 1", "\"order\"\ncells = [\"python/pure\"]"),
        ("\"ratio\"\nof = \"python/pure\"\nto = \"capi/c\"\nabove = 1", "\"order\"\ncells = [\"python/pure\", \"capi/c\"]\nabove = 1"),
        ("above = 1", ""),
        ("above = 1", "above = -1"),
        ("above = 1", "above = \"cores\""),
        ("above = 1", "about = 3"),
        ("above = 1", "about = 3\nwithin = 0.9"),
        ("above = 1", "above = 1\nabout = 3\nwithin = 2"),
        ("above = 1", "abvoe = 1"),
        ("id = \"a\"", "id = \"a"),
        ("source = \"us\"\n", ""),
        (
            "[[claim.test]]\nsays = \"so\"\n",
            "[[claim.test]]\nrelation = \"ratio\"\nof = \"capi/c\"\nto = \"capi/c\"\nabove = 1\n[[claim.test]]\n",
        ),
        ("says = \"It is so\"", "says = \"It is so\"\nmissing = \"nothing measures it\""),
    ];
    let mut said = String::new();
    for (old, new) in spoilt {
        let text = fine.replacen(old, new, 1);
        assert_ne!(text, fine, "{old}");
        let error = parsed(&text, Some(&known())).expect_err(&text);
        said +=
            &format!("{} → {}\n    {}\n", old.replace('\n', " ⏎ "), new.replace('\n', " ⏎ "), error.to_string().replace('\n', "\n    "));
    }
    let no_test = &fine[..fine.find("[[claim.test]]").unwrap()];
    for text in [no_test.to_owned(), format!("{no_test}{fine}"), String::new()] {
        said += &format!("{}\n", parsed(&text, None).expect_err(&text));
    }
    let twice = joined(vec![parsed(&fine, None).unwrap(), parsed(&fine, None).unwrap()]).unwrap_err();
    insta::assert_snapshot!(said + &twice.to_string());
}

/// A claim of each kind of row: confirmed, refuted, inconclusive, missing, reported, in nanoseconds, with a note.
fn mixed() -> String {
    let ratio = |bound: &str| format!("{MIB}relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\n{bound}");
    let order = format!("{MIB}relation = \"order\"\ncells = [\"slow/slow\", \"mid/mid\", \"fast/fast\"]");
    let time = format!("{MIB}relation = \"time-per-item\"\nof = \"slow/slow\"\nabout = 90\nwithin = 2");
    let scaling = format!("{MIB}relation = \"scaling\"\nof = \"fast/fast\"\nthreads = 2\nabove = 1.1");
    let gone = format!("{MIB}relation = \"ratio\"\nof = \"gone/gone\"\nto = \"mid/mid\"\nabove = 1");
    let texts = [
        claim(&[&order]),
        claim(&[&ratio("above = 1"), &ratio("above = 2.5")]),
        claim(&[&ratio("above = 2")]),
        claim(&[&time]).replace("source", "note = \"see | the talk\"\nsource"),
        claim(&[&scaling]),
        claim(&[&gone]),
        claim(&[]).replace("source", "missing = \"nobody measures it\"\nsource"),
        claim(&[&ratio("")]).replace("source", "reported = true\nsource"),
    ];
    let numbered = texts.iter().enumerate().map(|(at, text)| text.replace("id = \"a\"", &format!("id = \"{}\"", at + 1)));
    numbered.collect::<Vec<_>>().concat()
}

fn shown() -> Claims {
    Claims::new(&world(0.01).recorded(NOISE), &parsed(&mixed(), None).unwrap())
}

#[test]
fn on_a_terminal() {
    insta::assert_snapshot!(terminal(&shown(), Look::default()));
    assert!(terminal(&shown(), Look { width: Some(100), colour: true }).contains('\u{1b}'));
}

#[test]
fn as_markdown() {
    insta::assert_snapshot!(markdown(&shown()));
}

#[test]
fn as_json() {
    let mut shown = shown();
    let ForInterpreter { claims, .. } = &mut shown.interpreters[0];
    claims.truncate(2);
    insta::assert_snapshot!(serde_json::to_string_pretty(&shown).unwrap());
}
