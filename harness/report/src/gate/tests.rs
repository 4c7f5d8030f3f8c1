//! Gates over made-up runs.

use std::collections::BTreeMap;

use bindbench_model::{Comparison, Status};
use bindbench_stats::Gate;
use bindbench_store::Recorded;
use bindbench_store::synthetic::Synthetic;

use super::{Gated, JSON_SCHEMA, Judged, Verdict, judged, junit, markdown, of_generation, pairs, terminal};
use crate::terminal::Look;

/// `a/a` whose head takes `factor` as long as its base, and `b/b`, which is the same on both sides; base has twins.
fn run(factor: f64) -> Recorded {
    let mut made = Synthetic::new(24, 6);
    made.interpreter("3.13.0", &[]);
    let case = made.case("call.noop", "nothing", None, None, 1);
    for (lane, factor) in [("a/a", factor), ("b/b", 1.0)] {
        made.lane(&format!("{lane}@base"), Comparison::AsPublished);
        made.lane(&format!("{lane}@head"), Comparison::AsPublished);
        let base = made.cell(case, &format!("{lane}@base"), Some("3.13.0"), 200.0);
        made.cell(case, &format!("{lane}@head"), Some("3.13.0"), 200.0 * factor);
        made.twin(base, 1.0);
    }
    made.recorded(0.004)
}

/// The run given to a gate, generation by generation.
fn gated(recorded: &Recorded, generations: u32) -> Gated {
    let pairs = pairs(&recorded.run);
    let mut gate = Gate::new(pairs.len(), 0.02);
    for generation in 0..generations {
        let samples: Vec<_> = recorded.samples.iter().filter(|sample| sample.generation == generation).cloned().collect();
        gate.take(&of_generation(&recorded.run, &samples, &pairs));
    }
    let judge = |at: usize| judged(&pairs[at], &recorded.run, &gate.known(at), 0.02, |key| format!("draw {key}"));
    Gated {
        schema: JSON_SCHEMA,
        run: "runs/gates/x".into(),
        sides: BTreeMap::from([("base".to_owned(), "v1".to_owned()), ("head".to_owned(), "here".to_owned())]),
        threshold: 0.02,
        instructions_threshold: 0.005,
        seconds: 3.0,
        budget_s: 20.0,
        cells: (0..pairs.len()).map(judge).collect(),
        left_out: vec!["c/c@head: base has no such lane".into()],
        notes: Vec::new(),
    }
}

fn verdicts(gated: &Gated) -> Vec<Verdict> {
    gated.cells.iter().map(|cell| cell.verdict).collect()
}

#[test]
fn a_slow_head_fails_and_the_text_says_what_to_do() {
    let gated = gated(&run(1.1), 24);
    assert_eq!(verdicts(&gated), [Verdict::Fail, Verdict::Pass]);
    assert_eq!(gated.verdict(), Verdict::Fail);
    let (low, high) = gated.cells[0].ratio.unwrap().interval().unwrap();
    assert!(low < 1.1 && 1.1 < high, "[{low}, {high}]");
    let text = terminal(&gated, Look::default());
    for expected in [
        "base: v1\nhead: here\n",
        "FAIL a/a call.noop:nothing 3.13.0: slower, × 1.",
        "; threshold 2.0 %, resolution ",
        "flamegraph of the difference: draw a/a call.noop:nothing 3.13.0",
        "Not on both sides:\n  c/c@head: base has no such lane",
        "FAIL: of 2 cells 1 failed, 1 passed (0 faster), 0 inconclusive; 3 s of 20 s. Its samples: runs/gates/x",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
}

#[test]
fn junit_and_markdown_say_what_the_text_says() {
    let gated = gated(&run(1.1), 24);
    let xml = junit(&gated);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    assert_eq!(["tests", "failures", "skipped"].map(|name| suite.attribute(name).unwrap()), ["2", "1", "0"]);
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert!(failure.attribute("message").unwrap().starts_with("FAIL a/a call.noop:nothing 3.13.0: slower, × 1."), "{xml}");
    assert!(failure.text().unwrap().ends_with("; flamegraph of the difference: draw a/a call.noop:nothing 3.13.0"), "{xml}");
    let text = markdown(&gated);
    for expected in [
        "**FAIL: of 2 cells 1 failed",
        "- base: v1\n- head: here\n",
        "\nFAIL a/a call.noop:nothing 3.13.0: slower, × 1.",
        "```\ndraw a/a call.noop:nothing 3.13.0\n```",
        "| Verdict | Lane | Case |",
        "- c/c@head: base has no such lane",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
    let starved = self::gated(&run(1.1), 4);
    assert!(junit(&starved).contains("skipped=\"2\"") && markdown(&starved).contains("Inconclusive:\n\n- a/a call.noop"));
}

#[test]
fn a_fast_head_passes_and_is_told() {
    let gated = gated(&run(0.9), 24);
    assert_eq!((verdicts(&gated), gated.cells[0].faster, gated.verdict()), (vec![Verdict::Pass; 2], true, Verdict::Pass));
    assert!(terminal(&gated, Look::default()).contains("FASTER a/a call.noop:nothing 3.13.0: faster, × 0.9"));
}

#[test]
fn a_starved_gate_is_inconclusive() {
    let gated = gated(&run(1.1), 4);
    assert_eq!((verdicts(&gated), gated.verdict()), (vec![Verdict::Inconclusive; 2], Verdict::Inconclusive));
    assert!(terminal(&gated, Look::default()).contains("the time was up before its first look"));
}

#[test]
fn a_head_that_does_not_work_fails_and_a_base_that_does_not_is_inconclusive() {
    let break_cell = |id: usize| {
        let mut recorded = run(1.0);
        recorded.run.cells[id].status = Status::Crashed { signal: "SIGSEGV".into(), said: None };
        gated(&recorded, 24).cells.swap_remove(0)
    };
    let head: Judged = break_cell(1);
    assert_eq!((head.verdict, head.why.as_deref()), (Verdict::Fail, Some("head has no number, and base has: crashed: SIGSEGV")));
    assert_eq!(break_cell(0).verdict, Verdict::Inconclusive);
}

#[test]
fn lanes_of_one_side_are_no_pair() {
    let mut recorded = run(1.0);
    recorded.run.cells[1].lane = "other/other@head".into();
    let pairs = pairs(&recorded.run);
    assert_eq!(
        pairs.iter().map(|pair| (pair.key.lane.as_str(), pair.base, pair.head, pair.twin)).collect::<Vec<_>>(),
        [("b/b", 3, 4, Some(5))]
    );
}

/// Head's empty loops ran quicker than base's by luck, and its calls did not: nothing of that is a difference between the two.
#[test]
fn a_pair_has_one_empty_loop() {
    let mut recorded = run(1.0);
    let pairs = pairs(&recorded.run);
    recorded.run.cases[0].net_of_loop = true;
    let samples: Vec<_> = recorded.samples.iter().filter(|sample| sample.generation == 0).cloned().collect();
    let with_empty = samples.into_iter().map(|mut sample| {
        sample.loops = 1_000;
        (sample.elapsed_ns, sample.empty_ns) = (30_000, Some(if sample.cell == pairs[0].head { 5_000 } else { 10_000 }));
        sample
    });
    let found = of_generation(&recorded.run, &with_empty.collect::<Vec<_>>(), &pairs);
    assert_eq!(found[0], Some((0.0, 0.0)));
}
