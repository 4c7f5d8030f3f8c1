//! Verdicts against the truth.

use bindbench_model::{RunState, Skipped, Status};
use proptest::prelude::*;

use super::super::markdown;
use super::*;

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
        r.run.cells[id].status = Status::Crashed { signal: "SIGSEGV".into(), said: None };
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
    let judged = Claims::new(&recorded, None, &claims).interpreters;
    assert_eq!(judged.iter().map(|docket| docket.claims[0].verdict).collect::<Vec<_>>(), [Verdict::Confirmed, Verdict::Inconclusive]);
    assert_eq!(judged[0].claims[0].findings[0].what.matches("Python").count(), 2);
    assert_eq!(judged[1].claims[0].why, ["slow/slow would be compared with itself"]);
    // One that names all its interpreters says one thing, however many there are.
    let named = test.replace("of = \"slow/slow\"", "of = { lane = \"slow/slow\", python = \"3.*\" }");
    let two = format!("{}{}", claim(&[&test]), claim(&[&named]).replace("\"a\"", "\"b\""));
    let dockets = Claims::new(&recorded, None, &parsed(&two, None).unwrap()).interpreters;
    let ids: Vec<_> =
        dockets.iter().map(|docket| (docket.interpreter.as_deref(), docket.claims[0].id.as_str(), docket.claims.len())).collect();
    assert_eq!(ids, [(Some(PYTHON), "a", 1), (Some("pypy3.11.17"), "a", 1), (None, "b", 1)]);
    assert_eq!(dockets[2].claims[0].verdict, Verdict::Confirmed);
    assert!(
        markdown(&Claims::new(&recorded, None, &parsed(&two, None).unwrap())).contains("## Claims that name their interpreters: 1 claim")
    );
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
            recorded.run.cells.iter_mut().filter(|cell| cell.lane == lane).for_each(|cell| cell.status = Status::Exited { code: 1, said: None });
        } else {
            recorded.run.lanes.retain(|other| other.id != lane);
        }
        for (test, _) in relations().into_iter().filter(|(test, _)| test.contains(lane)) {
            prop_assert_eq!(judge(&recorded, &claim(&[&test])).verdict, Verdict::Inconclusive, "{}", test);
        }
    }
}
