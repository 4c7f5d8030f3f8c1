//! The fastest of what is published: one lane where the run tells it apart from the next, else all that it may be.

use bindbench_model::Comparison;
use bindbench_stats::{Estimate, Verdict, verdict};

use crate::format;
use crate::tables::Row;

use super::{Fact, Facts, case, fact};

/// A ratio whose 95 % interval is wider than this, as a fraction to each side, is not one number.
const WIDE: f64 = 0.1;
/// More names are no answer.
const MOST_NAMES: usize = 3;

impl Facts<'_> {
    /// The fastest of what is published, against its baseline.
    pub(super) fn fastest(&self, workload: &str) -> Option<Fact> {
        let (at, table) = self.widest(workload, Comparison::AsPublished)?;
        let rows = table.representative();
        let first = rows.iter().find(|row| row.verdict == Some(Verdict::Faster))?;
        let all: Vec<&Row> = rows.iter().copied().filter(|row| row.cell == first.cell || self.may_be_as_fast(row, first)).collect();
        let times = || all.iter().filter_map(|row| Some(row.time_ns?.point()));
        let [low, high] = [times().reduce(f64::min)?, times().reduce(f64::max)?].map(format::time);
        let (ratio, baseline, case) = (faster(&first.ratio?), first.baseline.as_deref()?, case(table, first));
        let text = if all.len() == 1 {
            format!("As published, the fastest at {case} is {}: {low}, {ratio} times as fast as {baseline}.", first.lane)
        } else {
            format!(
                "As published, the fastest at {case} is {}, which this run can't tell apart: {low} to {high}; {} is {ratio} times as fast as \
                 {baseline}.",
                either(&all),
                first.lane
            )
        };
        Some(fact(text, at))
    }

    /// It has a time, and is not told to be slower.
    fn may_be_as_fast(&self, row: &Row, first: &Row) -> bool {
        let slower =
            || self.analysis.ratio(row.cell, first.cell).is_ok_and(|ratio| verdict(&ratio, row.resolution.as_ref()) == Verdict::Slower);
        row.time_ns.is_some() && !slower()
    }
}

/// How many times as fast, from the ratio of times: `9.53`, `9.53 [7.11, 12.8]`.
fn faster(ratio: &Estimate) -> String {
    let times = format::ratio(1.0 / ratio.point());
    match ratio.interval().filter(|_| ratio.half_width().is_some_and(|half| half > WIDE.ln_1p())) {
        Some((low, high)) => format!("{times} [{}, {}]", format::ratio(1.0 / high), format::ratio(1.0 / low)),
        None => times,
    }
}

/// `a, b or c`.
fn either(rows: &[&Row]) -> String {
    let mut names: Vec<String> = rows.iter().take(MOST_NAMES).map(|row| row.lane.clone()).collect();
    if rows.len() > MOST_NAMES {
        names.push(format!("one of {} more", rows.len() - MOST_NAMES));
    }
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Report;
    use bindbench_analysis::Analysis;
    use bindbench_store::Recorded;
    use bindbench_store::synthetic::Synthetic;

    /// Published lanes of 400 ns and some more, and their baseline of 4 µs.
    fn run(more: &[f64], noise: f64) -> Recorded {
        let mut made = Synthetic::new(6, 9);
        made.interpreter("3.13.0", &[]);
        made.workload("std", &[], &["python/pure"]);
        let case = made.case("std.sum", "ints", None, Some(5000), 1);
        made.lane("python/pure", Comparison::AsPublished);
        let base = made.cell(case, "python/pure", Some("3.13.0"), 4000.0);
        made.twin(base, 1.0);
        for (lane, more) in ["capi/c", "capi/c-nogil", "capi/d", "capi/e", "capi/f"].iter().zip([&[0.0], more].concat()) {
            made.lane(lane, Comparison::AsPublished);
            made.cell(case, lane, Some("3.13.0"), 400.0 + more);
        }
        made.recorded(noise)
    }

    fn said(recorded: &Recorded) -> String {
        let analysis = Analysis::new(recorded);
        let report = Report::of(recorded, &analysis);
        Facts { report: &report, analysis: &analysis }.fastest("std").unwrap().text
    }

    #[test]
    fn one_is_named_where_it_is_told_apart_from_the_next() {
        let said = said(&run(&[100.0], 0.002));
        assert!(said.starts_with("As published, the fastest at std.sum of 5,000 items is capi/c: 400 ns, 10.0 times as fast"), "{said}");
    }

    #[test]
    fn those_that_can_t_be_told_apart_are_all_named() {
        let two = said(&run(&[0.2, 300.0], 0.02));
        assert!(two.contains("capi/c or capi/c-nogil, which") || two.contains("capi/c-nogil or capi/c, which"), "{two}");
        assert!(!two.contains("capi/d") && two.contains("times as fast as python/pure"), "{two}");
        let five = said(&run(&[0.1, 0.1, 0.1, 0.1], 0.02));
        assert!(five.contains(" or one of 2 more, which this run can't tell apart"), "{five}");
    }

    #[test]
    fn a_wide_ratio_has_its_interval() {
        let (wide, narrow) = (said(&run(&[900.0], 0.6)), said(&run(&[900.0], 0.01)));
        assert!(wide.contains(" ["), "{wide}");
        assert!(!narrow.contains('['), "{narrow}");
    }
}
