//! Comparisons of made-up runs.

use bindbench_model::{Comparison as Kind, Form};
use bindbench_store::Recorded;
use bindbench_store::pyperf::{Benchmark, Process, Suite};
use bindbench_store::synthetic::Synthetic;
use proptest::prelude::*;

use super::{Basis, Comparison, Incomparable, Side, Verdict, junit, terminal};
use crate::terminal::Look;

/// How a run is made up.
#[derive(Clone, Copy)]
struct Made {
    seed: u64,
    /// How much slower everything is than on the best day of the machine.
    machine: f64,
    /// Time of one call of `lane/changed`.
    changed_ns: f64,
    /// SHA-256 of what `lane/changed` is built of.
    build: &'static str,
    noise: f64,
}

const A: Made = Made { seed: 1, machine: 1.0, changed_ns: 10_000.0, build: "aa", noise: 0.004 };

/// A run with the lanes `lane/changed`, `lane/other`, `lane/third` and the floor `native/rust`, on one case, with a twin.
fn run(made: Made) -> Recorded {
    let mut synthetic = Synthetic::new(8, 9);
    synthetic.run.seed = made.seed;
    synthetic.run.id = format!("run-{}", made.seed);
    synthetic.interpreter("3.13.0", &["pgo"]);
    synthetic.workload("kmp", &["native/rust"], &[]);
    for lane in ["lane/changed", "lane/other", "lane/third", "native/rust"] {
        synthetic.lane(lane, Kind::Controlled);
        let build = if lane == "lane/changed" { made.build } else { "same" };
        let receipts = &mut synthetic.run.lanes.last_mut().unwrap().receipts;
        receipts.iter_mut().for_each(|receipt| drop(receipt.artifacts.insert("lib.so".into(), build.into())));
    }
    let case = synthetic.case("kmp.find_all", "talk", Some(Form::Bytes), Some(4096), 1);
    synthetic.cell(case, "lane/changed", Some("3.13.0"), made.changed_ns * made.machine);
    let other = synthetic.cell(case, "lane/other", Some("3.13.0"), 9_000.0 * made.machine);
    synthetic.cell(case, "lane/third", Some("3.13.0"), 12_000.0 * made.machine);
    synthetic.cell(case, "native/rust", None, 8_000.0 * made.machine);
    synthetic.twin(other, 1.0);
    synthetic.recorded(made.noise)
}

fn compared(a: &Recorded, b: &Recorded) -> Comparison {
    Comparison::new(&Side::of_run(a), &Side::of_run(b), 0.05, false).unwrap()
}

fn verdicts(comparison: &Comparison) -> Vec<Verdict> {
    comparison.cells.iter().map(|cell| cell.verdict).collect()
}

#[test]
fn a_lane_that_became_slower_is_found_and_the_others_are_not() {
    let comparison = compared(&run(A), &run(Made { seed: 2, changed_ns: 11_000.0, build: "bb", ..A }));
    assert_eq!(verdicts(&comparison), [Verdict::Slower, Verdict::NoDifference, Verdict::NoDifference, Verdict::NoDifference]);
    let changed = &comparison.cells[0];
    let (low, high) = changed.ratio.unwrap().interval().unwrap();
    assert!(low < 1.1 && 1.1 < high && high / low < 1.03 && changed.beyond, "[{low}, {high}]");
    assert_eq!(changed.basis, Some(Basis::Floor { lane: "native/rust".into() }));
    assert_eq!(changed.name, "lane/changed kmp.find_all:talk:4KiB 3.13.0");
    assert!(comparison.differences.iter().any(|line| line == "built anew: lane/changed (3.13.0)"), "{:?}", comparison.differences);
    assert_eq!(comparison.controls.map(|controls| controls.cells), Some(3));
    let faster = compared(&run(Made { seed: 2, changed_ns: 11_000.0, build: "bb", ..A }), &run(A));
    assert_eq!(faster.cells[0].verdict, Verdict::Faster);
}

#[test]
fn a_machine_that_became_slower_is_no_lane_that_became_slower() {
    let comparison = compared(&run(A), &run(Made { seed: 2, machine: 1.2, build: "bb", ..A }));
    assert!(comparison.cells[..3].iter().all(|cell| cell.verdict == Verdict::NoDifference), "{:?}", verdicts(&comparison));
    assert!((comparison.cells[0].of_times.unwrap().point() - 1.2).abs() < 0.02);
    // The floor itself has nothing to be measured against; its own slowness shows.
    assert!(matches!(comparison.cells[3].basis, Some(Basis::Times { .. })));
}

#[test]
fn without_a_floor_unchanged_lanes_show_what_the_machine_did() {
    let strip = |mut recorded: Recorded| {
        recorded.run.cells[3].status = bindbench_model::Status::Exited { code: 1, said: None };
        recorded.run.lanes[3].receipts[0].artifacts.clear();
        recorded.run.workloads.clear();
        recorded
    };
    let (a, b) = (strip(run(A)), strip(run(Made { seed: 2, machine: 1.08, changed_ns: 10_000.0, build: "bb", ..A })));
    let comparison = compared(&a, &b);
    let controls = comparison.controls.unwrap();
    assert!(controls.differing == 2 && controls.widening > 3.0, "{controls:?}");
    assert!(comparison.doubts[0].contains("lanes that are the same build differ so much"), "{:?}", comparison.doubts);
    assert!(comparison.cells.iter().all(|cell| cell.verdict == Verdict::Inconclusive));
}

#[test]
fn the_same_build_is_never_said_to_be_slower_while_others_were_built_anew() {
    // Only one of the unchanged lanes has become slower: fewer than it takes for the controls to widen the intervals.
    let mut b = run(Made { seed: 2, build: "bb", ..A });
    b.samples.iter_mut().filter(|sample| sample.cell == 2).for_each(|sample| sample.elapsed_ns = sample.elapsed_ns * 3 / 2);
    let comparison = compared(&run(A), &b);
    let third = &comparison.cells[2];
    assert!(third.ratio.unwrap().interval().unwrap().0 > 1.3 || comparison.controls.unwrap().widening > 3.0, "{third:?}");
    assert_eq!((third.verdict, comparison.slower().count()), (Verdict::Inconclusive, 0));
    // Where nothing was built anew, the same is what there is to tell.
    let mut b = run(Made { seed: 2, ..A });
    b.samples.iter_mut().filter(|sample| sample.cell == 2).for_each(|sample| sample.elapsed_ns = sample.elapsed_ns * 3 / 2);
    assert_eq!(compared(&run(A), &b).cells[2].verdict, Verdict::Slower);
}

#[test]
fn a_difference_that_can_t_be_ruled_out_is_inconclusive() {
    let noisy = Made { noise: 0.2, ..A };
    let comparison = compared(&run(noisy), &run(Made { seed: 2, ..noisy }));
    assert_eq!(comparison.cells[0].verdict, Verdict::Inconclusive);
    assert!(comparison.cells[0].why.as_ref().unwrap().contains("the threshold is 5.0 %"), "{:?}", comparison.cells[0].why);
}

#[test]
fn what_can_t_be_compared_is_refused_unless_it_is_wanted() {
    let a = run(A);
    let refusals = |change: fn(&mut Recorded)| {
        let mut b = run(Made { seed: 2, ..A });
        change(&mut b);
        let (a, b) = (Side::of_run(&a), Side::of_run(&b));
        let refused = Comparison::new(&a, &b, 0.05, false);
        let Err(Incomparable::Differ { reasons, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(Comparison::new(&a, &b, 0.05, true).unwrap().overruled, reasons);
        reasons.join("\n")
    };
    assert_eq!(refusals(|b| b.run.environment.cpu = "Other 1".into()), "CPU model: Imaginary 9000 → Other 1");
    assert_eq!(refusals(|b| b.run.interpreters[0].flags.clear()), "Python 3.13.0 is another build: 3.13.0 (pgo) → 3.13.0 ()");
    assert!(refusals(|b| b.run.cases[0].net_of_loop = true).starts_with("the contract of kmp.find_all:talk:4KiB: bytes, with the loop →"));
    let other_data = refusals(|b| drop(b.run.workloads[0].inputs.insert("talk".into(), "[Symbols]".into())));
    assert_eq!(other_data, "what kmp.talk is made of: not told → [Symbols]", "the name is the same, and the files' names are others");
    assert!(refusals(|b| b.run.state = bindbench_model::RunState::Interrupted).contains("run run-2 was not finished"));
    assert!(refusals(|b| b.damage.push(bindbench_store::Damage { line: 3, message: "?".into() })).contains("1 row that can't be used"));
}

#[test]
fn runs_without_a_common_cell_have_nothing_to_say() {
    let mut b = run(Made { seed: 2, ..A });
    b.run.cases[0].input = "other".into();
    let refused = Comparison::new(&Side::of_run(&run(A)), &Side::of_run(&b), 0.05, true).unwrap_err();
    assert!(
        matches!(&refused, Incomparable::Nothing { example, .. } if example.starts_with("lane/changed kmp.find_all:talk")),
        "{refused}"
    );
}

#[test]
fn differences_that_forbid_nothing_are_said() {
    let mut b = run(Made { seed: 2, ..A });
    b.run.environment.kernel_release = "6.2.0".into();
    b.run.cells[0].loops *= 2;
    b.samples
        .iter_mut()
        .filter(|sample| sample.cell == 0)
        .for_each(|sample| (sample.loops, sample.elapsed_ns) = (sample.loops * 2, sample.elapsed_ns * 2));
    let comparison = compared(&run(A), &b);
    assert_eq!(
        comparison.differences,
        ["kernel release: 6.1.0 → 6.2.0", "calls in a sample: lane/changed kmp.find_all:talk:4KiB 3.13.0 500 → 1000"]
    );
    assert_eq!(comparison.controls, None, "nothing was built anew, so nothing is a control");
}

#[test]
fn text_and_junit_say_the_same() {
    let comparison = compared(&run(A), &run(Made { seed: 2, changed_ns: 11_000.0, build: "bb", ..A }));
    let text = terminal(&comparison, Look::default());
    for expected in
        ["built anew: lane/changed (3.13.0)", "4 cells: 1 slower (1 by more than 5.0 %), 0 faster, 3 no difference seen, 0 inconclusive"]
    {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
    let xml = junit(&comparison);
    assert!(xml.contains("tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"0\"") && xml.matches("<testcase ").count() == 4, "{xml}");
    assert!(
        xml.contains("<testcase classname=\"lane/changed\" name=\"kmp.find_all:talk:4KiB 3.13.0\">\n<failure message=\"slower: ratio 1.1")
    );
    let mut named = comparison;
    named.cells[1].lane = Some("<\"&\u{1}".into());
    assert!(junit(&named).contains("classname=\"&lt;&quot;&amp;\""));
}

/// A file of pyperf's with one benchmark; each process has a value of its own.
fn suite(values: &[f64]) -> Suite {
    let text = |text: &str| serde_json::Value::from(text);
    let process = |value: &f64| Process { metadata: Default::default(), values: vec![*value * 0.99, *value, *value * 3.0] };
    let benchmark = Benchmark { metadata: [("name".to_owned(), text("telco"))].into(), runs: values.iter().map(process).collect() };
    Suite { benchmarks: vec![benchmark], metadata: [("cpu_model_name".to_owned(), text("Imaginary 9000"))].into(), version: "1.0".into() }
}

#[test]
fn files_of_pyperf_are_compared_by_their_processes() {
    let steady = [0.0201, 0.0200, 0.0199, 0.0200, 0.0201, 0.0199, 0.0200, 0.0200, 0.0201, 0.0199];
    let slow: Vec<f64> = steady.iter().map(|value| value * 1.2).collect();
    let (a, b) = (Side::of_pyperf("a.json", &suite(&steady)), Side::of_pyperf("b.json", &suite(&slow)));
    let comparison = Comparison::new(&a, &b, 0.05, false).unwrap();
    let telco = &comparison.cells[0];
    assert_eq!((telco.name.as_str(), telco.verdict), ("telco", Verdict::Slower));
    assert!((telco.ratio.unwrap().point() - 1.2).abs() < 1e-6 && (telco.before_ns.unwrap() - 20e6).abs() < 1e5);
    let same = Comparison::new(&a, &Side::of_pyperf("c.json", &suite(&steady)), 0.05, false).unwrap();
    assert_eq!(same.cells[0].verdict, Verdict::NoDifference);
    let few = Comparison::new(&a, &Side::of_pyperf("d.json", &suite(&steady[..2])), 0.05, false).unwrap();
    assert_eq!(few.cells[0].verdict, Verdict::Inconclusive);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Two runs of the same builds, on a machine that may have become faster or slower: nothing measured over the floor is a difference.
    #[test]
    fn the_same_builds_are_never_told_apart_over_a_floor(seed in 3..1_000_000_u64, machine in 0.8..1.25_f64) {
        let comparison = compared(&run(Made { seed, ..A }), &run(Made { seed: seed + 1, machine, ..A }));
        for cell in comparison.cells.iter().filter(|cell| matches!(cell.basis, Some(Basis::Floor { .. }))) {
            prop_assert!(!matches!(cell.verdict, Verdict::Slower | Verdict::Faster) || !cell.beyond, "{cell:?}");
        }
    }

    #[test]
    fn there_and_back_are_inverse(seed in 3..1_000_000_u64, changed_ns in 8_000.0..12_000.0_f64) {
        let (a, b) = (run(A), run(Made { seed, changed_ns, build: "bb", ..A }));
        let (there, back) = (compared(&a, &b), compared(&b, &a));
        for (one, other) in there.cells.iter().zip(&back.cells) {
            prop_assert!((one.ratio.unwrap().centre() + other.ratio.unwrap().centre()).abs() < 1e-9);
            prop_assert_eq!(one.verdict == Verdict::Slower, other.verdict == Verdict::Faster);
        }
    }
}
