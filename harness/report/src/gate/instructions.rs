//! What the instructions of base and head say. They are exact: one measurement is enough, and no statistics are needed.

use bindbench_analysis::instructions;
use bindbench_model::{Count, Run};
use bindbench_stats::{Change, Instructions, Span};
use serde::Serialize;

use crate::compare::instructions::judge;

use super::{Judged, Pair, Verdict};

/// What a cell's instructions say: exact, so once is enough.
#[derive(Debug, Serialize)]
pub struct JudgedCount {
    /// What is said of them.
    pub verdict: Verdict,
    /// Instructions of a call of base.
    pub base: Option<Instructions>,
    /// Of head.
    pub head: Option<Instructions>,
    /// Head over base: above 1 is more.
    pub ratio: Option<Span>,
    /// What the ratio says.
    pub change: Change,
    /// Why it says nothing.
    pub why: Option<String>,
}

/// What the instructions of a pair say; none where neither side could be counted: that is no question then.
pub fn judged_count(pair: &Pair, run: &Run, counts: &[Count], threshold: f64) -> Option<JudgedCount> {
    let counting = run.counting.as_ref()?;
    let (base, head) = (instructions(pair.base, counts), instructions(pair.head, counts));
    if base.is_none() && head.is_none() {
        return None;
    }
    let uncounted = |cell: u32| counting.uncounted.get(&cell).cloned().unwrap_or_else(|| run.cells[cell as usize].status.to_string());
    let missing = |side: &str, count: Option<Instructions>, cell: u32| {
        count.is_none().then(|| format!("the instructions of {side} can't be counted: {}", uncounted(cell)))
    };
    let ratio = base.zip(head).and_then(|(base, head)| head.over(&base));
    let (change, why) = match missing("base", base, pair.base).or_else(|| missing("head", head, pair.head)) {
        Some(why) => (Change::Unknown, Some(why)),
        None => judge(ratio.as_ref(), threshold),
    };
    let verdict = match change {
        Change::More => Verdict::Fail,
        Change::Fewer | Change::Same => Verdict::Pass,
        Change::Unknown => Verdict::Inconclusive,
    };
    Some(JudgedCount { verdict, base, head, ratio, change, why })
}

/// Why neither side of a pair could be counted, if that is so.
pub fn uncounted<'r>(pair: &Pair, run: &'r Run) -> Option<&'r String> {
    let counting = run.counting.as_ref()?;
    counting.uncounted.get(&pair.base).filter(|_| counting.uncounted.contains_key(&pair.head))
}

impl Judged {
    /// Adds what the instructions say; where nothing was timed, nothing else does.
    #[must_use]
    pub fn with_instructions(mut self, count: Option<JudgedCount>, run: &Run, pair: &Pair, flamegraph: impl Fn() -> String) -> Self {
        // A side that does not work says so whatever was to be measured.
        let broken = [pair.base, pair.head].iter().any(|&cell| !run.cells[cell as usize].status.has_number());
        self.by_time = (run.is_timed() || broken).then_some(self.verdict);
        let by_instructions = count.as_ref().map(|count| count.verdict);
        self.verdict = match (self.by_time, by_instructions) {
            (Some(one), Some(other)) => one.worse(other),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => Verdict::Inconclusive,
        };
        if self.by_time.is_none() {
            self.why = None;
        }
        if count.as_ref().is_some_and(|count| matches!(count.change, Change::More | Change::Fewer)) {
            self.flamegraph.get_or_insert_with(flamegraph);
        }
        self.by_instructions = count;
        self
    }
}

impl Verdict {
    /// The one that a gate goes by.
    fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fail, _) | (_, Self::Fail) => Self::Fail,
            (Self::Inconclusive, _) | (_, Self::Inconclusive) => Self::Inconclusive,
            (Self::Pass, Self::Pass) => Self::Pass,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{judged, pairs};
    use bindbench_model::{Counter, Counting, Status};
    use bindbench_stats::{Finding, Known};
    use bindbench_store::synthetic::Synthetic;

    /// `a/a` on both sides, untimed; head executes so many instructions a call, base 1000.
    fn run(head: [u64; 2]) -> (Run, Vec<Count>) {
        let mut made = Synthetic::new(0, 0);
        made.interpreter("3.13.0", &[]);
        let case = made.case("call.noop", "nothing", None, None, 1);
        made.cell(case, "a/a@base", Some("3.13.0"), 10.0);
        made.cell(case, "a/a@head", Some("3.13.0"), 10.0);
        made.run.plan.counters = vec![Counter::Instructions];
        let counting = Counting { tool: "valgrind-3.19.0".into(), fixed_layout: true, generations: 2, uncounted: Default::default() };
        made.run.counting = Some(counting);
        let count = |generation: usize, cell: u32, calls: u64| Count {
            generation: generation as u32,
            cell,
            loops: 4,
            instructions: 100,
            instructions_twice: 100 + 4 * calls,
            empty: None,
            empty_twice: None,
        };
        let counts = (0..2).flat_map(|at| [count(at, 0, 1000), count(at, 1, head[at])]).collect();
        (made.run, counts)
    }

    fn gated((run, counts): &(Run, Vec<Count>)) -> Judged {
        let pair = &pairs(run)[0];
        let known = Known { finding: Finding::Pass, ratio: None, resolution: None, generations: (0, 0) };
        let count = judged_count(pair, run, counts, 0.005);
        judged(pair, run, &known, 0.02, |_| String::new()).with_instructions(count, run, pair, || "draw".to_owned())
    }

    #[test]
    fn more_instructions_fail_and_fewer_pass() {
        let more = gated(&run([1006, 1006]));
        assert_eq!((more.verdict, more.by_time, more.flamegraph.as_deref()), (Verdict::Fail, None, Some("draw")));
        let fewer = gated(&run([900, 900]));
        assert_eq!((fewer.verdict, fewer.by_instructions.unwrap().change), (Verdict::Pass, Change::Fewer));
        let same = gated(&run([1005, 1004]));
        assert_eq!((same.verdict, same.flamegraph), (Verdict::Pass, None));
        assert_eq!(gated(&run([1001, 1010])).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn what_fails_by_one_fails() {
        let (mut timed, counts) = run([1010, 1010]);
        timed.plan.counters.push(Counter::Time);
        let judged = gated(&(timed, counts));
        assert_eq!((judged.verdict, judged.by_time), (Verdict::Fail, Some(Verdict::Pass)));
    }

    #[test]
    fn a_side_that_does_not_work_or_can_t_be_counted_says_so() {
        let (mut broken, counts) = run([1000, 1000]);
        broken.cells[1].status = Status::Crashed { signal: "SIGSEGV".into(), said: None };
        let kept: Vec<Count> = counts.iter().filter(|count| count.cell == 0).cloned().collect();
        let judged = gated(&(broken, kept.clone()));
        assert_eq!((judged.verdict, judged.by_time), (Verdict::Fail, Some(Verdict::Fail)));
        let (mut unknown, _) = run([1000, 1000]);
        unknown.counting.as_mut().unwrap().uncounted.insert(1, "AVX-512".into());
        let judged = gated(&(unknown.clone(), kept));
        assert_eq!(judged.verdict, Verdict::Inconclusive);
        assert_eq!(judged.by_instructions.unwrap().why.as_deref(), Some("the instructions of head can't be counted: AVX-512"));
        unknown.counting.as_mut().unwrap().uncounted.insert(0, "AVX-512".into());
        assert_eq!(uncounted(&pairs(&unknown)[0], &unknown).map(String::as_str), Some("AVX-512"));
        assert!(judged_count(&pairs(&unknown)[0], &unknown, &[], 0.005).is_none());
    }
}
