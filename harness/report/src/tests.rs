//! What a report looks like, on one run that has everything in it.

use std::collections::BTreeMap;
use std::time::Instant;

use bindbench_analysis::Analysis;
use bindbench_model::{Comparison, Form, RunState, Skipped, Status};
use bindbench_stats::Onset;
use bindbench_store::synthetic::Synthetic;
use bindbench_store::{Damage, Recorded, RunFolder};

use super::page::{self, Extras, Plots};
use super::terminal::{self, Look};
use super::{Report, csv, json, markdown, png};

const PYTHONS: [&str; 2] = ["3.13.0", "3.9.18"];

/// Two interpreters; `call.noop` net of the loop, with a native lane near zero; `kmp.find_all` with failures; `std.sum` over threads.
pub(super) fn everything() -> Recorded {
    let mut made = Synthetic::new(5, 7);
    made.interpreter(PYTHONS[0], &["pgo", "lto"]);
    made.interpreter(PYTHONS[1], &["debug"]);
    made.workload("call", &["native/rust", "capi/rust"], &["python/pure"]);
    made.workload("kmp", &["native/rust"], &["python/pure"]);
    made.workload("std", &["capi/rust"], &["python/builtin"]);
    for lane in ["native/rust", "capi/rust", "ctypes/rust", "pyo3/held", "pyo3/released", "multiprocess/rust"] {
        made.lane(lane, Comparison::Controlled);
    }
    for lane in ["python/pure", "python/builtin", "capi/c"] {
        made.lane(lane, Comparison::AsPublished);
    }
    call(&mut made);
    kmp(&mut made);
    std(&mut made);
    // The last lane of the list calls a library of its own in one interpreter.
    let strayed = made.run.lanes.iter_mut().find(|lane| lane.id == "ctypes/rust").unwrap();
    strayed.receipts[1].kernels_sha256 = Some("deadbeef0123456789".into());
    let skip = |lane: &str, interpreter: Option<&str>, operation: Option<&str>, reason: &str| Skipped {
        lane: lane.into(),
        interpreter: interpreter.map(str::to_owned),
        operation: operation.map(str::to_owned),
        reason: reason.into(),
    };
    made.run.skipped = vec![
        skip("pyo3/rayon", Some("3.9.18"), None, "it can't be built: error: linker `cc` not found"),
        skip("multiprocess/rust", None, Some("call"), "a process pool has no call of its own"),
        skip("multiprocess/python", None, Some("call"), "a process pool has no call of its own"),
    ];
    made.run.notes = vec!["kmp.find_all at 64 MiB: inputs don't fit in memory together, so its cells are scheduled alone".into()];
    made.run.environment.load_before = Some(1.7);
    made.run.environment.governor = Some("powersave".into());
    let mut recorded = made.recorded(0.004);
    let strange = recorded.run.cells.iter().find(|cell| cell.lane == "python/builtin").unwrap().id;
    recorded.samples.iter_mut().rfind(|sample| sample.cell == strange).unwrap().digest_ok = false;
    recorded.damage = vec![Damage { line: 812, message: "7 fields instead of 8".into() }];
    recorded
}

fn call(made: &mut Synthetic) {
    let noop = made.case("call.noop", "", None, None, 1);
    made.cell(noop, "native/rust", None, 0.02);
    for (python, slower) in PYTHONS.into_iter().zip([1.0, 1.6]) {
        for (lane, nanoseconds) in
            [("capi/rust", 6.2), ("pyo3/held", 20.1), ("pyo3/released", 46.0), ("ctypes/rust", 65.4), ("python/pure", 18.3)]
        {
            let cell = made.cell(noop, lane, Some(python), nanoseconds * slower);
            if lane == "capi/rust" && python == PYTHONS[0] {
                made.twin(cell, 1.0);
            }
        }
    }
}

fn kmp(made: &mut Synthetic) {
    for size in [4 << 10, 64 << 20] {
        let case = made.case("kmp.find_all", "talk", Some(Form::Bytes), Some(size), 1);
        let size = size as f64;
        made.cell(case, "native/rust", None, size * 0.7);
        let python = Some(PYTHONS[0]);
        let base = made.cell(case, "capi/rust", python, size * 0.7003 + 30.0);
        made.twin(base, 1.0);
        made.cell(case, "ctypes/rust", python, size * 0.7 + 400.0);
        made.cell(case, "pyo3/held", python, size * 0.7 + 60.0);
        let crashed = made.cell(case, "multiprocess/rust", python, 1.0);
        made.run.cells[crashed as usize].status = Status::Crashed { signal: "SIGSEGV".into(), said: None };
        made.cell(case, "python/pure", python, size * 90.0);
        made.cell(case, "python/builtin", python, size * 0.2);
        let wrong = made.cell(case, "capi/c", python, 1.0);
        made.run.cells[wrong as usize].status = Status::Wrong { detail: "expected 13 items,\nthe first 77; got 12 | 13".into() };
    }
}

fn std(made: &mut Synthetic) {
    for threads in [1, 2] {
        for size in [10, 5000] {
            let case = made.case("std.sum", "floats", Some(Form::Buffer), Some(size), threads);
            let size = size as f64;
            let python = Some(PYTHONS[0]);
            made.cell(case, "capi/rust", python, (40.0 + size * 0.5) * f64::from(threads));
            made.cell(case, "pyo3/released", python, 80.0 + size * 0.5);
        }
    }
}

#[test]
fn on_a_terminal() {
    insta::assert_snapshot!(terminal::render(&Report::new(&everything()), Look::default()));
}

#[test]
fn as_markdown() {
    insta::assert_snapshot!(markdown::render(&Report::new(&everything())));
}

#[test]
fn as_csv() {
    let text = String::from_utf8(csv::render(&Report::new(&everything())).unwrap()).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn as_json() {
    let mut report = Report::new(&everything());
    report.tables.truncate(2);
    insta::assert_snapshot!(json::render(&report).unwrap());
}

#[test]
fn a_run_that_was_stopped_in_its_first_generation_says_so_first() {
    let mut recorded = everything();
    recorded.run.state = RunState::Interrupted;
    recorded.samples.retain(|sample| sample.generation == 0);
    let text = terminal::render(&Report::new(&recorded), Look::default());
    let start: String = text.lines().take_while(|line| !line.starts_with("Note")).map(|line| line.to_owned() + "\n").collect();
    insta::assert_snapshot!(start);
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
}

/// Nothing was looked at yet: no lane loads a wrong kernel, no twin is missing, and nothing is wrong with the plan.
#[test]
fn a_run_that_was_stopped_before_its_first_sample_accuses_nobody() {
    let mut recorded = everything();
    recorded.run.state = RunState::Interrupted;
    recorded.run.plan.resumed = vec!["2026-11-21T09:00:00Z".into(), "2026-11-22T09:00:00Z".into()];
    recorded.samples.clear();
    for receipt in recorded.run.lanes.iter_mut().flat_map(|lane| &mut lane.receipts) {
        receipt.kernels_sha256 = None;
    }
    let report = Report::new(&recorded);
    let text = terminal::render(&report, Look::default());
    assert!(report.caveats()[0].ends_with("95 % intervals: it is not complete."), "{text}");
    for accusation in ["shared kernels library", "keeps the twins", "--generations", "NOT controlled"] {
        assert!(!text.contains(accusation), "{accusation}: {text}");
    }
    assert!(text.contains("Note: This run was resumed twice: on 2026-11-21T09:00:00Z, 2026-11-22T09:00:00Z."), "{text}");
}

#[test]
fn twins_without_a_number_are_no_twins_left_out() {
    let mut recorded = everything();
    for cell in recorded.run.cells.iter_mut().filter(|cell| cell.twin) {
        cell.status = Status::TimedOut { after_s: 1.0 };
    }
    let text = terminal::render(&Report::new(&recorded), Look::default());
    assert!(text.contains("(a lane measured under two names) none has two numbers to compare; the tables say which"), "{text}");
    assert!(!text.contains("keeps the twins"), "{text}");
}

#[test]
fn nothing_measured_is_still_a_report() {
    let mut recorded = everything();
    recorded.samples.clear();
    let report = Report::new(&recorded);
    assert!(terminal::render(&report, Look::default()).contains("not measured"));
    assert!(!report.vouches.vouches);
}

#[test]
fn colours_only_where_asked_for_and_tables_fit_120_columns() {
    let report = Report::new(&everything());
    let plain = terminal::render(&report, Look::default());
    let coloured = terminal::render(&report, Look { width: Some(120), colour: true });
    assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
    let in_tables = plain.lines().filter(|line| line.starts_with(" ") && !line.starts_with("  ") || line.starts_with('─'));
    for line in in_tables {
        assert!(line.chars().count() <= 120, "{line}");
    }
}

#[test]
fn a_baseline_is_never_a_lane_without_time() {
    let report = Report::new(&everything());
    let noop = &report.tables[0];
    let native = noop.rows.iter().find(|row| row.native).unwrap();
    assert!(native.near_zero && native.ratio.is_none() && native.throughput_per_s.is_none());
    assert!(noop.rows.iter().all(|row| row.baseline.as_deref() == Some("capi/rust")));
}

#[test]
fn twins_are_no_rows_and_native_lanes_stand_in_every_table() {
    let report = Report::new(&everything());
    for table in &report.tables {
        let mut keys: Vec<_> = table.rows.iter().map(|row| (row.size, row.threads, &row.lane)).collect();
        keys.sort();
        let rows = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), rows, "a lane stands twice in {} of {:?}", table.operation, table.interpreter);
    }
    let noop_with_native = report.tables.iter().filter(|t| t.operation == "noop" && t.rows.iter().any(|row| row.native));
    assert_eq!(noop_with_native.count(), 2);
}

#[test]
fn what_is_not_like_for_like_has_a_star_and_a_footnote() {
    let mut recorded = everything();
    let takes = |form: Form, copies: u32| BTreeMap::from([("kmp".to_owned(), BTreeMap::from([(form, copies)]))]);
    for lane in &mut recorded.run.lanes {
        lane.declared.copies = match lane.id.as_str() {
            "multiprocess/rust" => takes(Form::Mapped, 0),
            "ctypes/rust" => takes(Form::Bytes, 1),
            _ => takes(Form::Bytes, 0),
        };
        if lane.id == "pyo3/held" {
            lane.declared.unchecked.insert("kmp.find_all".into(), "an empty pattern".into());
        }
    }
    let text = markdown::render(&Report::new(&recorded));
    for expected in [
        "| ctypes/rust * |",
        "\\* ctypes/rust makes 1 copy of the input where native/rust makes 0 copies",
        "\\* multiprocess/rust gets the input as mmap where others get bytes",
        "\\* pyo3/held is excused from a part of the contract: an empty pattern",
    ] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    assert!(!text.contains("capi/rust *"));
}

#[test]
fn the_bindings_share_falls_below_5_percent_where_the_kernel_has_enough_to_do() {
    let report = Report::new(&everything());
    let growth = report.tables.iter().find_map(|table| table.growth.as_ref().filter(|_| table.workload == "kmp")).unwrap();
    let lane = |id: &str| growth.lanes.iter().find(|lane| lane.lane == id).unwrap();
    let ctypes = lane("ctypes/rust").binding_below_5_percent;
    assert!(matches!(ctypes, Some(Onset::Between { above_at: 4096, below_at: 67_108_864, .. })), "{ctypes:?}");
    assert_eq!(lane("native/rust").binding_below_5_percent, None);
    // 0.7 ns a byte and 400 ns a call: noise of a large time hides the small one, so only the slope is asked for.
    assert!((lane("ctypes/rust").slopes[0].ns.point() / 0.7 - 1.0).abs() < 0.05);
    assert!(growth.overtakes.is_empty(), "{:?}", growth.overtakes);
}

#[test]
fn names_and_words_that_are_markup_are_text_in_every_form() {
    const HOSTILE: &str = "<img src=x onerror=alert(1)>&lt;\"'](x)|`*`/=1+1";
    let mut recorded = everything();
    let run = &mut recorded.run;
    let renamed = |name: &mut String| *name = name.replace("capi/rust", HOSTILE);
    run.cells.iter_mut().for_each(|cell| renamed(&mut cell.lane));
    run.lanes.iter_mut().for_each(|lane| renamed(&mut lane.id));
    run.workloads.iter_mut().flat_map(|workload| &mut workload.baseline_controlled).for_each(renamed);
    run.notes.push(HOSTILE.into());
    run.skipped.push(Skipped { lane: HOSTILE.into(), interpreter: None, operation: None, reason: HOSTILE.into() });
    let report = Report::new(&recorded);
    let text = markdown::render(&report);
    assert!(text.matches("&lt;img src=x onerror=alert(1)>").count() > 10, "{text}");
    assert!(!text.contains("<img") && !text.contains(">&lt;"), "{text}");
    // A table has as many cells in each row as in its head.
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let mut above: Option<&str> = None;
    for line in text.lines() {
        if let Some(above) = above.filter(|_| line.starts_with('|')) {
            assert_eq!(cells(line), cells(above), "{line}");
        }
        above = Some(line).filter(|line| line.starts_with('|'));
    }
    let written = csv::render(&report).unwrap();
    let mut rows = ::csv::Reader::from_reader(&*written);
    let lane = rows.headers().unwrap().iter().position(|name| name == "lane").unwrap();
    assert!(rows.records().map(Result::unwrap).any(|row| &row[lane] == HOSTILE));
    let plots = Plots::of(&report, &Analysis::new(&recorded), &Extras::default());
    let mut named = 0;
    for plot in plots.iter() {
        let drawn = roxmltree::Document::parse(&plot.svg).unwrap_or_else(|error| panic!("{}: {error}", plot.name));
        let elements: Vec<&str> = drawn.descendants().filter(roxmltree::Node::is_element).map(|node| node.tag_name().name()).collect();
        assert!(!elements.contains(&"img") && !elements.contains(&"script"), "{}", plot.name);
        named += drawn.descendants().filter(|node| node.text().is_some_and(|text| text.contains("<img src=x"))).count();
    }
    assert!(named > 3, "{named} names in pictures");
}

/// `cargo test -p bindbench --release --lib a_million -- --ignored --nocapture` prints how long each step takes.
#[test]
#[ignore = "writes 40 MB"]
fn a_million_samples_are_reported_in_seconds() {
    let mut made = Synthetic::new(10, 10);
    made.interpreter(PYTHONS[0], &[]);
    made.workload("kmp", &["native/rust"], &[]);
    for lane in ["native/rust", "capi/rust", "ctypes/rust", "pyo3/held"] {
        made.lane(lane, Comparison::Controlled);
    }
    for size in 1..=2000 {
        let case = made.case("kmp.find_all", "talk", Some(Form::Bytes), Some(size), 1);
        let base = made.cell(case, "native/rust", None, 1e3);
        made.twin(base, 1.0);
        for lane in ["capi/rust", "ctypes/rust", "pyo3/held"] {
            made.cell(case, lane, Some(PYTHONS[0]), 2e3);
        }
    }
    let recorded = made.recorded(0.01);
    assert_eq!((recorded.run.cells.len(), recorded.samples.len()), (10_000, 1_000_000));
    let runs = tempfile::tempdir().unwrap();
    RunFolder::create(runs.path(), &recorded.run).unwrap().append_round(&recorded.samples).unwrap();
    let folder = runs.path().join(&recorded.run.id);
    drop(recorded);

    let begin = Instant::now();
    let recorded = Recorded::read(&folder).unwrap();
    let read = begin.elapsed();
    Analysis::new(&recorded);
    let analysed = begin.elapsed() - read;
    let report = Report::new(&recorded);
    let reported = begin.elapsed() - read - analysed;
    terminal::render(&report, Look::default());
    let laid_out = begin.elapsed() - read - analysed - reported;
    let written = csv::render(&report).unwrap().len() + markdown::render(&report).len() + json::render(&report).unwrap().len();
    let before_the_page = begin.elapsed();
    let extras = Extras::default();
    let analysis = Analysis::new(&recorded);
    let plots = Plots::of(&report, &analysis, &extras);
    let page = page::render(&recorded, &report, &analysis, &plots, &extras).unwrap().len();
    assert!(plots.iter().all(|plot| png::render(&plot.svg).is_some()));
    println!(
        "read {read:?}, analyse {analysed:?}, report {reported:?}, lay out {laid_out:?}, {written} bytes; page {:?}, {page} bytes; {:?} in all",
        begin.elapsed() - before_the_page,
        begin.elapsed()
    );
    assert!(begin.elapsed().as_secs() < 10);
}
