//! The ladder: what one crossing costs, rung by rung, from the operations of `call`; and whether the rungs add up to what a whole call of
//! another workload takes. The question of a profile, answered without a profiler.

use std::collections::BTreeSet;

use bindbench_analysis::Analysis;
use bindbench_model::{Case, Cell, Comparison, Form, Gil, LaneRecord, Parallel, Run};
use bindbench_stats::Estimate;
use bindbench_store::Recorded;
use serde::Serialize;

use super::profile::Table;
use super::warnings::Warning;
use super::{Report, Vouches, format};

/// The workload whose operations are the rungs.
const CALL: &str = "call";

/// A sum agrees with the whole when what is left over is no more than this share of it.
const AGREES: f64 = 0.1;

/// All that a run tells about crossings.
#[derive(Debug, Serialize)]
pub struct Ladder {
    /// The run's id.
    pub run: String,
    /// Whether the intervals can be trusted.
    pub vouches: Vouches,
    /// What to know, and do, before trusting a number.
    pub warnings: Vec<Warning>,
    /// All of this in words.
    #[serde(skip)]
    above: Vec<String>,
    /// What one crossing costs, by lane and interpreter.
    pub crossings: Vec<Crossing>,
    /// Sums of rungs beside the whole.
    pub sums: Vec<Sum>,
}

/// The rungs of a lane; each is none where the run has not measured what it takes. Nanoseconds, all differences within a generation.
#[derive(Debug, Serialize)]
pub struct Crossing {
    /// The lane's id.
    pub lane: String,
    /// Name of its interpreter.
    pub interpreter: String,
    /// A call that takes nothing and gives nothing.
    pub empty: Option<Estimate>,
    /// A bytes object in, beyond that.
    pub bytes_in: Option<Estimate>,
    /// Two ints in and one out, beyond that.
    pub ints: Option<Estimate>,
    /// An int of a list in.
    pub item_in: Option<Estimate>,
    /// An int of a list out.
    pub item_out: Option<Estimate>,
    /// One call back.
    pub call_back: Option<Estimate>,
    /// An exception, beyond an empty call.
    pub exception: Option<Estimate>,
    /// The GIL released and taken again: the empty call beyond that of the same strategy's lane that holds it.
    pub gil: Option<Estimate>,
}

/// Rungs added up, and the whole. Nanoseconds.
#[derive(Debug, Serialize)]
pub struct Sum {
    /// The lane's id.
    pub lane: String,
    /// Name of its interpreter.
    pub interpreter: String,
    /// The case, `std.std of ints, 5,000`.
    pub case: String,
    /// The empty call (with the GIL released and taken, where the lane does that).
    pub empty: Option<Estimate>,
    /// The input in.
    pub argument_in: Option<Estimate>,
    /// The kernel alone, in a program without Python.
    pub kernel: Option<Estimate>,
    /// The whole call.
    pub whole: Estimate,
    /// The whole without the rungs.
    pub left_over: Estimate,
    /// Whether the rungs explain the whole; none when the run can't tell.
    pub agrees: Option<bool>,
}

/// Cells of a run with numbers, found by what they are about.
struct Cells<'r> {
    run: &'r Run,
    analysis: &'r Analysis,
}

/// Cells and how often each counts: a difference or a share of times.
type Terms = Vec<(f64, u32)>;

impl Ladder {
    /// What a run tells.
    pub fn new(recorded: &Recorded, analysis: &Analysis) -> Self {
        let cells = Cells { run: &recorded.run, analysis };
        let report = Report::of(recorded, analysis);
        let above = [&report.about[..], &report.caveats()].concat();
        let Report { run, vouches, warnings, .. } = report;
        let mut ladder = Self { run, vouches, warnings, above, crossings: Vec::new(), sums: Vec::new() };
        for (lane, interpreter) in cells.lanes() {
            let crossing = cells.crossing(lane, &interpreter);
            ladder.crossings.extend(crossing.empty.is_some().then_some(crossing));
            ladder.sums.extend(cells.sums(lane, &interpreter));
        }
        ladder
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        if self.crossings.is_empty() {
            return "This run has no lane in Python with a number for call.noop: `bindbench run -w call` measures the rungs.\n".to_owned();
        }
        let mut text = self.above.join("\n") + "\n\n";
        for table in [self.crossing_table(), self.sum_table()].iter().filter(|table| !table.rows.is_empty()) {
            text += &format!("{}\n{}\n\n", table.title, table.laid_out());
        }
        text
    }

    fn crossing_table(&self) -> Table {
        let header = [
            "lane",
            "python",
            "empty call",
            "bytes in",
            "two ints in, one out",
            "int of a list in",
            "int of a list out",
            "call back",
            "exception",
            "GIL released and taken",
        ];
        let rows = self.crossings.iter().map(|crossing| {
            let Crossing { lane, interpreter, empty, bytes_in, ints, item_in, item_out, call_back, exception, gil } = crossing;
            let mut row = vec![lane.clone(), interpreter.clone()];
            row.extend([empty, bytes_in, ints, item_in, item_out, call_back, exception, gil].map(shown));
            row
        });
        let title = "What one crossing costs; 95 % intervals; all but the first column beyond the empty call".to_owned();
        Table { title, header: header.map(str::to_owned).into(), rows: rows.collect() }
    }

    fn sum_table(&self) -> Table {
        let header = ["lane", "case", "python", "empty call", "argument in", "kernel alone", "whole", "left over", "adds up"];
        let rows = self.sums.iter().map(|sum| {
            let mut row = vec![sum.lane.clone(), sum.case.clone(), sum.interpreter.clone()];
            row.extend([&sum.empty, &sum.argument_in, &sum.kernel, &Some(sum.whole), &Some(sum.left_over)].map(shown));
            row.push(sum.agrees.map_or("can't tell", |agrees| if agrees { "yes" } else { "no" }).to_owned());
            row
        });
        let title = "Do the rungs add up? The whole call, and what is left of it without them".to_owned();
        Table { title, header: header.map(str::to_owned).into(), rows: rows.collect() }
    }
}

fn shown(estimate: &Option<Estimate>) -> String {
    let Some(estimate) = estimate else { return "–".to_owned() };
    format!("{} {}", format::time(estimate.point()), format::spread(estimate)).trim_end().to_owned()
}

impl<'r> Cells<'r> {
    /// Lanes in Python without parallelism of their own, for each interpreter.
    fn lanes(&self) -> Vec<(&'r LaneRecord, String)> {
        let named = |cell: &Cell| Some((cell.lane.clone(), cell.interpreter.clone()?));
        let pairs: BTreeSet<(String, String)> = self.run.cells.iter().filter_map(named).collect();
        let lane = |id: &str| self.run.lanes.iter().find(|lane| lane.id == id && lane.parallel == Parallel::None);
        pairs.into_iter().filter_map(|(id, interpreter)| Some((lane(&id)?, interpreter))).collect()
    }

    fn numbers(&self) -> impl Iterator<Item = (&'r Cell, &'r Case)> {
        let run = self.run;
        run.cells.iter().filter(|cell| !cell.twin && cell.status.has_number()).map(|cell| (cell, &run.cases[cell.case as usize]))
    }

    /// The cells of an operation of `call` with one thread, smallest input first, with the sizes.
    fn rung(&self, lane: &str, interpreter: &str, operation: &str) -> Vec<(u32, f64)> {
        let mut found: Vec<(u32, f64)> = self
            .numbers()
            .filter(|(cell, case)| cell.lane == lane && cell.interpreter.as_deref() == Some(interpreter) && is_rung(case, operation))
            .map(|(cell, case)| (cell.id, case.size.unwrap_or(1) as f64))
            .collect();
        found.sort_by(|a, b| a.1.total_cmp(&b.1));
        found
    }

    /// What an operation's smallest input costs beyond an empty call.
    fn beyond_empty(&self, lane: &str, interpreter: &str, operation: &str) -> Option<Terms> {
        let empty = self.rung(lane, interpreter, "noop").first()?.0;
        Some(vec![(1.0, self.rung(lane, interpreter, operation).first()?.0), (-1.0, empty)])
    }

    /// What each item of an operation's largest input costs beyond an empty call.
    fn per_item(&self, lane: &str, interpreter: &str, operation: &str) -> Option<Terms> {
        let empty = self.rung(lane, interpreter, "noop").first()?.0;
        let &(cell, size) = self.rung(lane, interpreter, operation).last()?;
        Some(vec![(1.0 / size, cell), (-1.0 / size, empty)])
    }

    /// The empty call of a lane that releases the GIL, beyond that of its sibling that does not: same strategy, same kernel.
    fn gil(&self, lane: &LaneRecord, interpreter: &str) -> Option<Terms> {
        let strategy = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
        let holds = |other: &&LaneRecord| {
            strategy(&other.id) == strategy(&lane.id)
                && (other.gil, other.parallel) == (Gil::Held, Parallel::None)
                && (other.comparison, &other.kernel, &other.binding) == (lane.comparison, &lane.kernel, &lane.binding)
        };
        let sibling = self.run.lanes.iter().filter(|_| lane.gil == Gil::Released).find(holds)?;
        let empty = |lane: &str| Some(self.rung(lane, interpreter, "noop").first()?.0);
        Some(vec![(1.0, empty(&lane.id)?), (-1.0, empty(&sibling.id)?)])
    }

    fn estimate(&self, terms: Option<Terms>) -> Option<Estimate> {
        self.analysis.combination(&terms?)
    }

    fn crossing(&self, lane: &LaneRecord, interpreter: &str) -> Crossing {
        let id = lane.id.as_str();
        let beyond = |operation| self.estimate(self.beyond_empty(id, interpreter, operation));
        let item = |operation| self.estimate(self.per_item(id, interpreter, operation));
        Crossing {
            lane: id.to_owned(),
            interpreter: interpreter.to_owned(),
            empty: self.estimate(self.rung(id, interpreter, "noop").first().map(|&(cell, _)| vec![(1.0, cell)])),
            bytes_in: beyond("length"),
            ints: beyond("add"),
            item_in: item("take_list"),
            item_out: item("give_list"),
            call_back: item("call_back"),
            exception: beyond("fail"),
            gil: self.estimate(self.gil(lane, interpreter)),
        }
    }

    /// The controlled cases of a lane, as far as the rungs are known.
    fn sums(&self, lane: &LaneRecord, interpreter: &str) -> Vec<Sum> {
        let own = |cell: &Cell| cell.lane == lane.id && cell.interpreter.as_deref() == Some(interpreter);
        let cases = self.numbers().filter(|(cell, case)| own(cell) && case.workload != CALL && case.threads == 1);
        let controlled = cases.filter(|_| lane.comparison == Comparison::Controlled);
        controlled.filter_map(|(cell, case)| self.sum(lane, interpreter, cell, case)).collect()
    }

    fn sum(&self, lane: &LaneRecord, interpreter: &str, cell: &Cell, case: &Case) -> Option<Sum> {
        let empty: Terms = vec![(1.0, self.rung(&lane.id, interpreter, "noop").first()?.0)];
        let argument_in = self.argument_in(lane, interpreter, case)?;
        let kernel: Terms = vec![(1.0, self.kernel_alone(case)?)];
        let whole: Terms = vec![(1.0, cell.id)];
        let negative = |terms: &Terms| -> Terms { terms.iter().map(|(weight, cell)| (-weight, *cell)).collect() };
        let left_over = [whole.clone(), negative(&empty), negative(&argument_in), negative(&kernel)].concat();
        let (whole, left_over) = (self.analysis.combination(&whole)?, self.analysis.combination(&left_over)?);
        Some(Sum {
            lane: lane.id.clone(),
            interpreter: interpreter.to_owned(),
            case: title(case),
            empty: self.analysis.combination(&empty),
            argument_in: self.analysis.combination(&argument_in),
            kernel: self.analysis.combination(&kernel),
            whole,
            left_over,
            agrees: agrees(&left_over, AGREES * whole.point()),
        })
    }

    /// A text or a buffer in, as `length` has it; a list in, as `take_list` has it for each of its items.
    fn argument_in(&self, lane: &LaneRecord, interpreter: &str, case: &Case) -> Option<Terms> {
        match case.form? {
            Form::Bytes | Form::Buffer => self.beyond_empty(&lane.id, interpreter, "length"),
            Form::Boxed => {
                let size = case.size? as f64;
                let item = self.per_item(&lane.id, interpreter, "take_list")?;
                Some(item.into_iter().map(|(weight, cell)| (weight * size, cell)).collect())
            }
            Form::Text | Form::Mapped => None,
        }
    }

    /// The same operation on as large an input without Python: of the same input, or of numbers that lie in memory instead of in a list.
    fn kernel_alone(&self, case: &Case) -> Option<u32> {
        let alone = |same_input: bool| {
            self.numbers().find(|(cell, other)| {
                let same = (&other.workload, &other.operation, other.size, other.threads);
                let fits = if same_input { other.id == case.id } else { other.form == Some(Form::Buffer) };
                cell.interpreter.is_none() && fits && same == (&case.workload, &case.operation, case.size, 1)
            })
        };
        alone(true).or_else(|| alone(false)).map(|(cell, _)| cell.id)
    }
}

/// Whether what is left over is within some nanoseconds of nothing: its whole interval, or none of it.
fn agrees(left_over: &Estimate, within_ns: f64) -> Option<bool> {
    let (low, high) = left_over.interval()?;
    if low >= -within_ns && high <= within_ns {
        Some(true)
    } else if low > within_ns || high < -within_ns {
        Some(false)
    } else {
        None
    }
}

fn is_rung(case: &Case, operation: &str) -> bool {
    case.workload == CALL && case.operation == operation && case.threads == 1
}

fn title(case: &Case) -> String {
    let size = case.size.map(|size| format!(", {}", format::size(size, case.unit))).unwrap_or_default();
    format!("{}.{} of {}{size}", case.workload, case.operation, case.input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_model::RunState;
    use bindbench_store::synthetic::Synthetic;

    const PYTHON: Option<&str> = Some("3.13.0");

    /// Lanes whose crossings are known to the nanosecond: 20 empty, 5 for a bytes object, 4 for an int of a list in, 30 for the GIL.
    fn known(left_over: f64) -> Recorded {
        let mut made = Synthetic::new(6, 9);
        made.interpreter("3.13.0", &[]);
        for lane in ["native/rust", "pyo3/held", "pyo3/released"] {
            made.lane(lane, Comparison::Controlled);
        }
        made.run.lanes[2].gil = Gil::Released;
        let noop = made.case("call.noop", "", None, None, 1);
        made.cell(noop, "pyo3/held", PYTHON, 20.0);
        made.cell(noop, "pyo3/released", PYTHON, 50.0);
        let length = made.case("call.length", "symbols", Some(Form::Bytes), Some(16), 1);
        made.cell(length, "pyo3/held", PYTHON, 25.0);
        made.cell(length, "pyo3/released", PYTHON, 55.0);
        for size in [1_u64, 10_000] {
            let take = made.case("call.take_list", "ints", Some(Form::Boxed), Some(size), 1);
            made.cell(take, "pyo3/held", PYTHON, 20.0 + 4.0 * size as f64);
        }
        let buffer = made.case("std.std", "float64", Some(Form::Buffer), Some(5000), 1);
        made.cell(buffer, "native/rust", None, 1000.0);
        made.cell(buffer, "pyo3/held", PYTHON, 1025.0 + left_over);
        let ints = made.case("std.std", "ints", Some(Form::Boxed), Some(5000), 1);
        made.cell(ints, "pyo3/held", PYTHON, 1000.0 + 20.0 + 5000.0 * 4.0 + 20.0 * left_over);
        made.recorded(0.001)
    }

    fn ladder(recorded: &Recorded) -> Ladder {
        Ladder::new(recorded, &Analysis::new(recorded))
    }

    fn near(estimate: Option<Estimate>, truth: f64, within: f64) -> bool {
        estimate.is_some_and(|estimate| {
            (estimate.point() - truth).abs() < within && estimate.half_width().is_some_and(|half| half < 4.0 * within)
        })
    }

    #[test]
    fn rungs_are_what_they_were_made_of() {
        let ladder = ladder(&known(0.0));
        let [held, released] = &ladder.crossings[..] else { panic!("{ladder:?}") };
        assert!(near(held.empty, 20.0, 0.1) && near(held.bytes_in, 5.0, 0.2) && near(held.item_in, 4.0, 0.05), "{held:?}");
        assert!(held.gil.is_none() && held.item_out.is_none() && held.exception.is_none(), "{held:?}");
        assert!(near(released.empty, 50.0, 0.2) && near(released.gil, 30.0, 0.3), "{released:?}");
    }

    #[test]
    fn sums_add_up_when_nothing_is_left_over_and_only_then() {
        let sums = ladder(&known(0.0)).sums;
        let cases: Vec<_> = sums.iter().map(|sum| (sum.case.as_str(), sum.agrees)).collect();
        assert_eq!(cases, [("std.std of float64, 5,000", Some(true)), ("std.std of ints, 5,000", Some(true))]);
        assert!(near(sums[1].argument_in, 20_000.0, 100.0) && near(sums[1].kernel, 1000.0, 5.0), "{sums:?}");
        let missing = ladder(&known(300.0)).sums;
        assert!(missing.iter().all(|sum| sum.agrees == Some(false)), "{missing:?}");
        assert!(near(Some(missing[0].left_over), 300.0, 5.0), "{missing:?}");
    }

    #[test]
    fn a_wide_interval_tells_nothing() {
        let left_over = |values: &[f64]| Estimate::of_values(values).unwrap();
        assert_eq!(agrees(&left_over(&[-1.0, 0.0, 1.0]), 10.0), Some(true));
        assert_eq!(agrees(&left_over(&[99.0, 100.0, 101.0]), 10.0), Some(false));
        assert_eq!(agrees(&left_over(&[-99.0, 0.0, 101.0]), 10.0), None);
        assert_eq!(agrees(&left_over(&[1.0]), 10.0), None, "one generation has no interval");
    }

    #[test]
    fn a_run_without_rungs_says_what_measures_them() {
        let mut made = Synthetic::new(3, 3);
        made.interpreter("3.13.0", &[]);
        made.lane("pyo3/held", Comparison::Controlled);
        let case = made.case("std.std", "ints", Some(Form::Boxed), Some(10), 1);
        made.cell(case, "pyo3/held", PYTHON, 100.0);
        assert!(ladder(&made.recorded(0.01)).text().contains("bindbench run -w call"));
        let mut stopped = known(0.0);
        let text = ladder(&stopped).text();
        assert!(text.starts_with("Run 2026"), "{text}");
        stopped.run.state = RunState::Interrupted;
        stopped.run.environment.load_before = Some(99.0);
        let doubted = ladder(&stopped).text();
        assert!(doubted.contains("can NOT vouch") && doubted.contains("Warning: the machine was busy"), "{doubted}");
        assert!(text.contains("What one crossing costs") && text.contains("Do the rungs add up?"), "{text}");
    }
}
