//! The page of a made-up run.

use bindbench_analysis::Analysis;
use bindbench_store::Recorded;

use super::{Extras, Plots, Section, SectionTable, render};
use crate::tests::everything;
use crate::{Report, png};

fn page_of(recorded: &Recorded, extras: &Extras) -> String {
    let report = Report::new(recorded);
    let analysis = Analysis::new(recorded);
    render(recorded, &report, &analysis, &Plots::of(&report, &analysis, extras), extras).unwrap()
}

#[test]
fn the_page_shows_every_row_and_the_same_again() {
    let recorded = everything();
    let page = page_of(&recorded, &Extras::default());
    let rows: usize = Report::new(&recorded).tables.iter().map(|table| table.rows.len()).sum();
    assert_eq!(page.matches("<tr data-axes=").count(), rows);
    assert_eq!(page, page_of(&recorded, &Extras::default()));
    assert!(!page.contains("NaN") && !page.contains(">inf"));
}

#[test]
fn names_that_are_markup_are_text() {
    let mut recorded = everything();
    let hostile = "<script>alert('1')</script>\"><img src=x>";
    for name in recorded.run.cells.iter_mut().map(|cell| &mut cell.lane).chain(recorded.run.lanes.iter_mut().map(|lane| &mut lane.id)) {
        *name = name.replace("capi/rust", hostile);
    }
    recorded.run.notes.push(hostile.to_owned());
    recorded.run.workloads[0].summary = hostile.to_owned();
    let table = SectionTable {
        title: hostile.into(),
        notes: vec![hostile.into()],
        columns: vec![(hostile.into(), false)],
        rows: vec![vec![hostile.into()]],
    };
    let section =
        Section { id: "talks".into(), title: hostile.into(), lead: vec![hostile.into()], tables: vec![table], command: hostile.into() };
    let page = page_of(&recorded, &Extras { sections: vec![section], ..Extras::default() });
    // The script of the page itself is the last one, and there is no other.
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("<img") && page.contains("&lt;script&gt;alert("));
}

#[test]
fn facts_are_made_of_what_was_measured() {
    let page = page_of(&everything(), &Extras::default());
    let facts: Vec<&str> = page.split("<ol class=\"facts\">").nth(1).unwrap().split("</ol>").next().unwrap().matches("<li>").collect();
    assert!((8..=10).contains(&facts.len()), "{facts:?}");
    for expected in ["call.noop", "Every one of 1,190 samples", "With 2 threads", "no number; the first is"] {
        assert!(page.contains(expected), "{expected}");
    }
    let mut empty = everything();
    empty.samples.clear();
    assert!(page_of(&empty, &Extras::default()).contains("no number"));
}

#[test]
fn whatever_is_in_a_page_is_made_a_png() {
    let recorded = everything();
    let report = Report::new(&recorded);
    let plots = Plots::of(&report, &Analysis::new(&recorded), &Extras::default());
    let mut names: Vec<&str> = plots.iter().map(|plot| plot.name.as_str()).collect();
    for kind in ["-ratios", "-sizes", "-threads", "-distribution", "-drift"] {
        assert!(names.iter().any(|name| name.ends_with(kind)), "no {kind} among {names:?}");
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "two plots share a name");
    let plot = plots.iter().next().unwrap();
    assert!(png::render(&plot.svg).unwrap().len() > 1000);
}
