//! Instructions of two runs: exact, so a ratio beyond the threshold is a difference, and nothing has to be estimated.

use bindbench_model::CellKey;
use bindbench_stats::{Change, Instructions, Span};
use serde::Serialize;

use crate::format;
use crate::grid::{Grid, GridRow, Tone};
use crate::instructions::{count, span};

use super::side::{Side, SideCell};

/// A cell that both sides tried to count.
#[derive(Debug, Serialize)]
pub struct ComparedCount {
    /// What it is called.
    pub name: String,
    /// Its lane.
    pub lane: Option<String>,
    /// Its case.
    pub case: Option<String>,
    /// Its interpreter.
    pub interpreter: Option<String>,
    /// Instructions of a call on the first side.
    pub before: Option<Instructions>,
    /// On the second side.
    pub after: Option<Instructions>,
    /// The second over the first: above 1 is more.
    pub ratio: Option<Span>,
    /// What the ratio says.
    pub change: Change,
    /// Why it says nothing.
    pub why: Option<String>,
}

/// The cells that both sides have, where both counted. What neither could count is left out: it is no question.
pub(super) fn compared(before: &Side, after: &Side, pairs: &[(&SideCell, &SideCell)], threshold: f64) -> Vec<ComparedCount> {
    if !(before.counted && after.counted) {
        return Vec::new();
    }
    let known = |(a, b): &&(&SideCell, &SideCell)| a.instructions.is_some() || b.instructions.is_some();
    pairs.iter().filter(known).map(|(a, b)| judged(a, b, threshold)).collect()
}

fn judged(a: &SideCell, b: &SideCell, threshold: f64) -> ComparedCount {
    let missing = [("before", a), ("after", b)].into_iter().find(|(_, cell)| cell.instructions.is_none());
    let why = missing.map(|(when, cell)| format!("it has no count {when}: {}", cell.uncounted.as_deref().unwrap_or("it was not tried")));
    let key = a.key.as_ref();
    let mut compared = ComparedCount {
        name: a.name.clone(),
        lane: key.map(|key| key.lane.clone()),
        case: key.map(CellKey::case),
        interpreter: key.and_then(|key| key.interpreter.clone()),
        before: a.instructions,
        after: b.instructions,
        ratio: a.instructions.zip(b.instructions).and_then(|(a, b)| b.over(&a)),
        change: Change::Unknown,
        why,
    };
    compared.judge(threshold);
    compared
}

impl ComparedCount {
    /// Says what its ratio says, and if nothing, why.
    pub(super) fn judge(&mut self, threshold: f64) {
        if self.before.is_some() && self.after.is_some() {
            (self.change, self.why) = judge(self.ratio.as_ref(), threshold);
        }
    }
}

/// What a ratio of counts says, and if nothing, why.
pub(crate) fn judge(ratio: Option<&Span>, threshold: f64) -> (Change, Option<String>) {
    let Some(ratio) = ratio else { return (Change::Unknown, Some("it has no more instructions than the loop".to_owned())) };
    let change = ratio.change(threshold);
    let limit = format::percent(threshold);
    let vary = || format!("its counts vary from process to process too much to say whether it is beyond the threshold of {limit}");
    (change, (change == Change::Unknown).then(vary))
}

/// What a change is called.
pub(crate) fn word(change: Change) -> &'static str {
    match change {
        Change::More => "more",
        Change::Fewer => "fewer",
        Change::Same => "no more",
        Change::Unknown => "inconclusive",
    }
}

const COLUMNS: [(&str, bool); 7] =
    [("Lane", false), ("Case", false), ("Python", false), ("A", true), ("B", true), ("Ratio", true), ("Instructions", false)];

pub(super) fn grid(counts: &[ComparedCount]) -> Grid {
    let row = |cell: &ComparedCount| GridRow {
        cells: vec![
            cell.lane.clone().unwrap_or_default(),
            cell.case.clone().unwrap_or_default(),
            cell.interpreter.clone().unwrap_or_default(),
            cell.before.as_ref().map(count).unwrap_or_default(),
            cell.after.as_ref().map(count).unwrap_or_default(),
            cell.ratio.as_ref().map(span).unwrap_or_default(),
            word(cell.change).to_owned(),
        ],
        new_case: false,
        tone: match cell.change {
            Change::More => Tone::Slower,
            Change::Fewer => Tone::Faster,
            Change::Same | Change::Unknown => Tone::Plain,
        },
        values: Vec::new(),
    };
    Grid { columns: COLUMNS.to_vec(), rows: counts.iter().map(row).collect() }
}

/// `12 counts: 1 more (by more than 0.50 %), 0 fewer, 11 no more, 0 inconclusive`.
pub(super) fn tally(counts: &[ComparedCount], threshold: f64) -> String {
    let of = |change| counts.iter().filter(|count| count.change == change).count();
    format!(
        "{}: {} more (by more than {}), {} fewer, {} no more, {} inconclusive",
        format::count(counts.len(), "count"),
        of(Change::More),
        format::percent(threshold),
        of(Change::Fewer),
        of(Change::Same),
        of(Change::Unknown)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Comparison, Incomparable, junit, terminal};
    use crate::terminal::Look;
    use bindbench_model::{Comparison as Kind, Count, Counter, Counting, time_only};
    use bindbench_store::Recorded;
    use bindbench_store::synthetic::Synthetic;

    /// `a/a` and `b/b` in one case, counted in two processes, `b/b` with so many instructions a call; nothing is timed.
    fn run(id: &str, calls: [u64; 2]) -> Recorded {
        let mut made = Synthetic::new(0, 0);
        made.run.id = id.to_owned();
        made.interpreter("3.13.0", &[]);
        made.lane("a/a", Kind::AsPublished);
        made.lane("b/b", Kind::AsPublished);
        let case = made.case("std.std", "ints", None, Some(5000), 1);
        made.cell(case, "a/a", Some("3.13.0"), 10.0);
        made.cell(case, "b/b", Some("3.13.0"), 10.0);
        made.run.plan.counters = vec![Counter::Instructions];
        let counting = Counting { tool: "valgrind-3.19.0".into(), fixed_layout: true, generations: 2, uncounted: Default::default() };
        made.run.counting = Some(counting);
        let mut recorded = made.recorded(0.0);
        for (generation, calls) in calls.into_iter().enumerate() {
            let count = |cell: u32, calls: u64| Count {
                generation: generation as u32,
                cell,
                loops: 8,
                instructions: 100,
                instructions_twice: 100 + 8 * calls,
                empty: None,
                empty_twice: None,
            };
            recorded.counts.extend([count(0, 5000), count(1, calls)]);
        }
        recorded
    }

    fn compared(a: &Recorded, b: &Recorded) -> Result<Comparison, Incomparable> {
        Comparison::new(&Side::of_run(a), &Side::of_run(b), 0.05, false)
    }

    #[test]
    fn more_instructions_are_told_without_any_time() {
        let comparison = compared(&run("one", [1000; 2]), &run("two", [1010; 2])).unwrap();
        let changes: Vec<Change> = comparison.instructions.iter().map(|count| count.change).collect();
        assert_eq!((changes, comparison.cells.len(), comparison.doubts.len()), (vec![Change::Same, Change::More], 0, 0));
        let text = terminal(&comparison, Look::default());
        for expected in
            ["1,010", "1.010", "2 counts: 1 more (by more than 0.50 %), 0 fewer, 1 no more, 0 inconclusive", "they don't see caches"]
        {
            assert!(text.contains(expected), "{expected:?} is not in\n{text}");
        }
        assert!(!text.contains("cells:") && !text.contains("slower"), "{text}");
        let xml = junit(&comparison);
        assert!(xml.contains("tests=\"2\" failures=\"1\"") && xml.contains("name=\"std.std:ints:5000 3.13.0 instructions\""), "{xml}");
        assert_eq!(comparison.with_instructions_threshold(0.02).changed(Change::More), 0);
    }

    #[test]
    fn counts_that_vary_or_are_missing_are_inconclusive() {
        let varying = compared(&run("one", [1000; 2]), &run("two", [1000, 1010])).unwrap();
        assert_eq!((varying.changed(Change::Unknown), varying.changed(Change::Same)), (1, 1));
        let mut b = run("two", [1000; 2]);
        b.counts.retain(|count| count.cell == 0);
        b.run.counting.as_mut().unwrap().uncounted.insert(1, "AVX-512".into());
        let missing = compared(&run("one", [1000; 2]), &b).unwrap();
        assert_eq!(missing.instructions[1].why.as_deref(), Some("it has no count after: AVX-512"));
    }

    #[test]
    fn times_and_instructions_have_nothing_in_common() {
        let mut timed = run("two", [1000; 2]);
        timed.run.plan.counters = time_only();
        timed.run.counting = None;
        let refused = compared(&run("one", [1000; 2]), &timed).unwrap_err().to_string();
        assert!(refused.contains("one has times only"), "{refused}");
    }
}
