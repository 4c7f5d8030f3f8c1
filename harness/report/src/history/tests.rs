//! Histories of made-up runs.

use bindbench_catalog::Selection;
use bindbench_model::Comparison;
use bindbench_store::Recorded;
use bindbench_store::synthetic::Synthetic;

use super::{History, keys};
use crate::choice::Choice;
use crate::plots::of_history;
use crate::terminal::Look;
use crate::{history, png};

/// The n-th run of a month: `lane/changing` gets 20 % slower at the 13th, the machine is another one from the 7th on.
fn run(n: usize) -> Recorded {
    let mut made = Synthetic::new(4, 5);
    made.run.seed = n as u64;
    made.run.id = format!("run-{n:02}");
    made.run.started = format!("2026-10-{:02}T08:00:00Z", n + 1);
    if n >= 6 {
        made.run.environment.cpu = "Newer 1".into();
    }
    let machine = if n >= 6 { 0.5 } else { 1.0 };
    made.interpreter("3.13.0", &[]);
    made.workload("kmp", &["native/rust"], &[]);
    for lane in ["lane/changing", "lane/steady", "native/rust"] {
        made.lane(lane, Comparison::Controlled);
        made.run.lanes.last_mut().unwrap().commit = Some(format!("{n:040}"));
    }
    let case = made.case("kmp.find_all", "talk", None, Some(4096), 1);
    let changed = if n >= 12 { 1.2 } else { 1.0 };
    made.cell(case, "lane/changing", Some("3.13.0"), 10_000.0 * changed * machine);
    let steady = made.cell(case, "lane/steady", Some("3.13.0"), 9_000.0 * machine);
    made.cell(case, "native/rust", None, 8_000.0 * machine);
    made.twin(steady, 1.0);
    made.recorded(0.01)
}

fn history(runs: Vec<Recorded>, selection: &Selection) -> History {
    let keys = keys(&runs);
    let choice = Choice::new(selection, &keys.iter().collect::<Vec<_>>()).unwrap();
    History::new(runs, &choice, 0.01)
}

#[test]
fn a_change_is_found_with_its_commits_though_the_machine_changed_too() {
    // In any order: what counts is when they began.
    let history = history((0..24).rev().map(run).collect(), &Selection::default());
    assert_eq!(history.runs[0].id, "run-00");
    let [changing, steady] = &history.series[..] else { panic!("{:?}", history.series) };
    assert_eq!((changing.lane.as_str(), changing.floor.as_deref(), changing.points.len()), ("lane/changing", Some("native/rust"), 24));
    let [change] = &changing.changes[..] else { panic!("{:?}", changing.changes) };
    assert_eq!((change.at, change.runs.0.as_str(), change.runs.1.as_str()), (12, "run-11", "run-12"));
    assert_eq!(change.commits, Some((format!("{:040}", 11), format!("{:040}", 12))));
    let (low, high) = change.ratio.unwrap().interval().unwrap();
    assert!(low < 1.2 && 1.2 < high && (change.factor - 1.2).abs() < 0.02, "{change:?}");
    assert!(steady.changes.is_empty());
    assert!(
        history.left_out[0].contains("native/rust kmp.find_all:talk:4096: no other lane") && history.left_out[0].contains("2 CPU models")
    );
    let text = history::terminal(&history, Look::default());
    for expected in [
        "24 runs, 2026-10-01T08:00:00Z to",
        "1 cell changed their level by more than 1.0 %",
        "from run run-11 to run run-12",
        "000000000000..000000000000",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
}

#[test]
fn runs_on_other_data_are_no_part_of_a_history() {
    let on_other_data = |n: usize| {
        let mut recorded = run(n);
        recorded.run.workloads[0].inputs.insert("talk".into(), "[Symbols]".into());
        recorded
    };
    // Nothing is known of the first ones' data, so nobody can say that it was the same.
    let history = history((0..4).map(run).chain((4..12).map(on_other_data)).collect(), &Selection::default());
    assert!(history.series.iter().all(|series| series.points.len() == 8 || series.lane == "native/rust"), "{:?}", history.series);
    let words = "lane/steady kmp.find_all:talk:4096 3.13.0: its input was other data in 4 earlier runs";
    assert!(history.left_out.iter().any(|left| left == words), "{:?}", history.left_out);
}

#[test]
fn on_one_machine_the_floor_has_a_history_of_times() {
    let history = history((6..18).map(run).collect(), &Selection::default());
    let native = history.series.iter().find(|series| series.lane == "native/rust").unwrap();
    assert_eq!((native.floor.as_deref(), native.points.len(), native.changes.len()), (None, 12, 0));
    assert!((native.points[0].value.point() - 4_000.0).abs() < 100.0);
}

#[test]
fn few_runs_show_a_trend_and_no_change() {
    let history = history((9..16).map(run).collect(), &Selection { lanes: vec!["lane/*".into()], ..Selection::default() });
    assert_eq!((history.series.len(), history.changed()), (2, 0));
    let text = history::terminal(&history, Look::default());
    assert!(text.contains("No cell has 10 runs: no change was looked for") && !text.contains("No cell changed"), "{text}");
}

/// Twelve runs, of which a cell has four: what counts is how many a cell has.
#[test]
fn cells_with_few_runs_are_counted() {
    let part = |n: usize, kept: fn(usize) -> bool| {
        let mut recorded = run(n);
        if !kept(n) {
            recorded.run.cells[0].status = bindbench_model::Status::TimedOut { after_s: 1.0 };
        }
        recorded
    };
    let lanes = || Selection { lanes: vec!["lane/*".into()], ..Selection::default() };
    let history = history((6..18).map(|n| part(n, |n| n > 13)).collect(), &lanes());
    assert_eq!(history.series.iter().map(|series| series.points.len()).collect::<Vec<_>>(), [4, 12]);
    let text = history::terminal(&history, Look::default());
    assert!(
        text.contains("No cell changed its level by more than 1.0 %\nNot looked for in 1 cell of 2, with fewer than 10 runs"),
        "{text}"
    );
    let only = Selection { lanes: vec!["lane/changing".into()], ..Selection::default() };
    let text = history::terminal(&self::history((6..18).map(|n| part(n, |n| n > 13)).collect(), &only), Look::default());
    assert!(text.contains("No cell has 10 runs") && !text.contains("changed its level"), "{text}");
}

#[test]
fn runs_that_can_t_vouch_for_a_time_are_left_out() {
    let mut stopped = run(3);
    stopped.run.state = bindbench_model::RunState::Interrupted;
    let history = history(vec![run(1), stopped], &Selection::default());
    assert_eq!(history.left_out, ["run run-03: it is not complete"]);
    assert_eq!(history.series[0].points.len(), 1);
}

#[test]
fn every_series_is_drawn() {
    let history = history((0..24).map(run).collect(), &Selection::default());
    let plots = of_history(&history);
    assert_eq!(plots.len(), 2);
    assert_eq!(plots[0].name, "lane_changing_kmp.find_all_talk_4096_3.13.0");
    assert!(plots[0].svg.contains("over native/rust") && plots[0].svg.contains("× 1.2"), "{}", plots[0].svg);
    assert!(plots.iter().all(|plot| png::render(&plot.svg).is_some_and(|png| png.len() > 1000)));
}
