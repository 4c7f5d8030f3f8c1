//! The talks' tables on runs whose truth is known.

use std::path::Path;

use bindbench_analysis::Analysis;
use bindbench_catalog::Catalog;
use bindbench_model::{Comparison, Form};
use bindbench_store::synthetic::Synthetic;

use super::file::{TALKS, read};
use super::{Talk, talks};
use crate::cell_names::CellName;

const PYTHON: &str = "3.13.0";

/// T1's work, ten times slower with plain Python than with processes.
fn searches() -> Synthetic {
    let mut made = Synthetic::new(5, 7);
    made.interpreter(PYTHON, &[]);
    for lane in ["python/pure", "multiprocess/python"] {
        made.lane(lane, Comparison::AsPublished);
    }
    made.lane("pyo3/rayon", Comparison::Controlled);
    for size in [1 << 16, 1 << 20] {
        let case = made.case("kmp.find_all", "talk", Some(Form::Bytes), Some(size), 1);
        let size = size as f64;
        let pure = made.cell(case, "python/pure", Some(PYTHON), 100.0 * size);
        made.cell(case, "multiprocess/python", Some(PYTHON), 10.0 * size);
        made.cell(case, "pyo3/rayon", Some(PYTHON), size);
        made.twin(pure, 1.0);
    }
    made
}

fn of(made: Synthetic) -> Vec<Talk> {
    let recorded = made.recorded(0.002);
    talks(&recorded, &Analysis::new(&recorded))
}

#[test]
fn every_lane_and_case_is_in_the_catalog() {
    let catalog = Catalog::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")), &[]).unwrap();
    let talks = read().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(talks.iter().map(|talk| talk.id.as_str()).collect::<Vec<_>>(), ["T1", "T2", "T3", "T4"]);
    for table in TALKS.iter().flat_map(|talk| &talk.table) {
        for case in &table.cases {
            let workload = catalog.workload(&case.workload).unwrap_or_else(|| panic!("{case}"));
            assert!(workload.operations.contains_key(&case.operation), "{case}");
            assert!(case.input.as_ref().is_some_and(|input| workload.inputs.contains_key(input)), "{case}");
        }
        assert!(table.missing.is_some() || !table.cases.is_empty() && table.row[0].as_published.is_some(), "{}", table.title);
        assert!(table.row.iter().all(|row| row.published.is_none() || table.unit_ns.is_some()), "{}", table.title);
        for cell in table.row.iter().flat_map(|row| [&row.as_published, &row.controlled]).flatten() {
            if let CellName::Lane { lane, .. } = cell {
                assert!(catalog.lanes().any(|known| known.id == *lane), "{lane}");
            }
        }
    }
}

#[test]
fn ratios_are_set_beside_the_talks_own() {
    let talks = of(searches());
    let table = &talks[0].tables[0];
    assert_eq!(table.case.as_deref(), Some("kmp.find_all of talk, 1 MiB"));
    let [pure, processes, cython, rust] = &table.rows[..] else { panic!("{table:?}") };
    assert_eq!((pure.published_ns, pure.published_ratio), (Some(262e9), Some(1.0)));
    assert!(pure.as_published.time_ns.is_some() && pure.as_published.ratio.is_none());
    let ours = processes.as_published.ratio.unwrap().point();
    assert!((ours - 0.1).abs() < 0.001, "{ours}");
    // 0.1 here, 25 / 262 there.
    let over = processes.as_published.over_published.unwrap();
    let (low, high) = over.interval().unwrap();
    assert!((over.point() - 1.048).abs() < 0.01 && low < 1.048 && 1.048 < high, "{over:?}");
    let (low, high) = processes.as_published.ratio.unwrap().interval().map(|(low, high)| (low * 10.48, high * 10.48)).unwrap();
    let (ours_low, ours_high) = over.interval().unwrap();
    assert!((low / ours_low - 1.0).abs() < 1e-6 && (high / ours_high - 1.0).abs() < 1e-6, "the interval is the ratio's own");
    assert_eq!(processes.controlled.missing.as_deref(), Some("multiprocess/rust was not measured"));
    assert_eq!(cython.as_published.missing.as_deref(), Some("cython/compiled was not measured"));
    assert!(rust.controlled.ratio.is_some());
}

#[test]
fn talks_of_which_nothing_was_measured_are_left_out() {
    assert_eq!(of(searches()).iter().map(|talk| talk.id.as_str()).collect::<Vec<_>>(), ["T1"]);
    assert!(of(Synthetic::new(5, 7)).is_empty());
}

#[test]
fn what_cannot_be_measured_completes_the_rest() {
    let mut made = searches();
    made.lane("peers/tiktoken", Comparison::AsPublished);
    let case = made.case("bpe.encode", "prose", Some(Form::Text), Some(1 << 16), 1);
    made.cell(case, "peers/tiktoken", Some(PYTHON), 5e6);
    let case = made.case("std.mean", "ints", Some(Form::Boxed), Some(5000), 1);
    made.cell(case, "python/pure", Some(PYTHON), 1e5);
    let talks = of(made);
    assert_eq!(talks.iter().map(|talk| talk.id.as_str()).collect::<Vec<_>>(), ["T1", "T2", "T3", "T4"]);
    let fib = &talks[3].tables[0];
    assert!(fib.rows.iter().all(|row| row.as_published.missing.is_some() && row.published_ns.is_some()));
    assert_eq!(fib.notes(), ["not reproduced: no workload computes Fibonacci numbers"]);
}
