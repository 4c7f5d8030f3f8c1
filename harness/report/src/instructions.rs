//! Instructions that were counted, as tables: beside the times of the same run, where it has some.

use bindbench_analysis::instructions;
use bindbench_model::{Comparison, Form, Skipped, Unit};
use bindbench_stats::{Estimate, Instructions, Span, six_digits};
use bindbench_store::Recorded;
use schemars::JsonSchema;
use serde::Serialize;

use super::grid::{Grid, GridRow, Tone, failures, shortened, title_of};
use super::page::{Section, SectionTable};
use super::tables::{Row, Table};
use super::{SkippedGroup, format, skipped};

/// What a reader has to know who sees both.
pub const BLIND: &str = "Instructions are exact where times are not, and need no quiet machine. But they are not time: they don't see caches \
                         and memory, branches predicted wrongly, how much one SIMD instruction does, waiting, or the GIL. Where the two \
                         ratios differ by more than the interval of the time's, it is because of these.";

/// The status of a row that works and could not be counted.
const NOT_COUNTED: &str = "not counted";

/// What a run counted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Counted {
    /// What counted, and how: a line each.
    pub about: Vec<String>,
    /// A table for each of the report's tables that has a lane with a count.
    pub tables: Vec<CountTable>,
    /// Lanes and operations that could not be counted, the same reason once.
    pub uncounted: Vec<SkippedGroup>,
}

/// Lanes compared on one operation and input.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CountTable {
    /// `kmp`.
    pub workload: String,
    /// `find_all`.
    pub operation: String,
    /// Name of the input.
    pub input: String,
    /// How it is passed.
    pub form: Option<Form>,
    /// Name of the interpreter; none when only native lanes were measured.
    pub interpreter: Option<String>,
    /// Which lanes it has.
    pub comparison: Comparison,
    /// Counts are net of the empty loop.
    pub net_of_loop: bool,
    /// What sizes count.
    pub unit: Unit,
    /// By size; within that the fewest instructions first.
    pub rows: Vec<CountRow>,
}

/// A lane in a case.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CountRow {
    /// The cell's id in `run.json` and `counts.csv`.
    pub cell: u32,
    /// The lane's id.
    pub lane: String,
    /// Size of the input.
    pub size: Option<u64>,
    /// Instructions of one call; none where they were not counted.
    pub instructions: Option<Instructions>,
    /// The lane that the ratio refers to.
    pub baseline: Option<String>,
    /// Instructions over the baseline's; none for the baseline itself.
    pub ratio: Option<Span>,
    /// Time of one call, nanoseconds, where it was taken.
    pub time_ns: Option<Estimate>,
    /// Time over the baseline's.
    pub time_ratio: Option<Estimate>,
    /// `ok`, or why there is no count.
    pub status: String,
}

/// What a run counted; none where it did not. `tables` are the report's.
pub fn counted(recorded: &Recorded, tables: &[Table]) -> Option<Counted> {
    let run = &recorded.run;
    let counting = run.counting.as_ref()?;
    let tables: Vec<CountTable> = tables.iter().filter_map(|table| of_table(table, recorded)).collect();
    let counts: Vec<Instructions> = run.cells.iter().filter_map(|cell| instructions(cell.id, &recorded.counts)).collect();
    let exact = counts.iter().filter(|count| count.is_exact()).count();
    let layout = if counting.fixed_layout { " and address space layout" } else { "; the address space layout could not be fixed here" };
    let reason = |(&cell, why): (&u32, &String)| {
        let cell = &run.cells[cell as usize];
        let case = &run.cases[cell.case as usize];
        let operation = Some(format!("{}.{}", case.workload, case.operation));
        Skipped { lane: cell.lane.clone(), interpreter: cell.interpreter.clone(), operation, reason: why.clone() }
    };
    let mut uncounted: Vec<Skipped> = counting.uncounted.iter().map(reason).collect();
    uncounted.dedup();
    Some(Counted {
        about: vec![
            format!(
                "Instructions of one call, (2N − N) / N calls, counted by {} in {} fresh process{} for each lane: the same hash \
                 seed, environment{layout}.",
                counting.tool,
                counting.generations,
                if counting.generations == 1 { "" } else { "es" }
            ),
            format!("Of {} {exact} are the same in every process; the others are shown as ranges.", format::count(counts.len(), "count")),
            BLIND.to_owned(),
        ],
        tables,
        uncounted: skipped(&uncounted),
    })
}

fn of_table(table: &Table, recorded: &Recorded) -> Option<CountTable> {
    let count = |row: &Row| instructions(row.cell, &recorded.counts);
    let workload = recorded.run.workloads.iter().find(|workload| workload.name == table.workload);
    let listed = workload.map_or(&[][..], |workload| match table.comparison {
        Comparison::Controlled => &workload.baseline_controlled,
        Comparison::AsPublished => &workload.baseline_published,
    });
    let mut rows: Vec<CountRow> = Vec::new();
    for case in table.rows.chunk_by(|a, b| (a.size, a.threads) == (b.size, b.threads)) {
        let mut counted: Vec<(&Row, Instructions)> = case.iter().filter_map(|row| Some((row, count(row)?))).collect();
        counted.sort_by(|(a, x), (b, y)| x.of_a_call().total_cmp(&y.of_a_call()).then_with(|| a.lane.cmp(&b.lane)));
        let named = |lane: &String| counted.iter().find(|(row, _)| row.lane == *lane);
        // That of the times, where they have one; else as it is chosen there.
        let of_times = case.iter().find_map(|row| row.baseline.as_ref());
        let first = counted.iter().min_by_key(|(row, _)| &row.lane);
        let baseline = of_times.into_iter().chain(listed).find_map(named).or(first).copied();
        rows.extend(counted.iter().map(|&(row, instructions)| CountRow {
            cell: row.cell,
            lane: row.lane.clone(),
            size: row.size,
            instructions: Some(instructions),
            baseline: baseline.map(|(base, _)| base.lane.clone()),
            ratio: baseline.filter(|(base, _)| base.lane != row.lane).and_then(|(_, base)| instructions.over(&base)),
            time_ns: row.time_ns,
            time_ratio: row.ratio,
            status: status(row, Some(&instructions), recorded),
        }));
        let mut others: Vec<&Row> = case.iter().filter(|row| count(row).is_none()).collect();
        others.sort_by_key(|row| &row.lane);
        rows.extend(others.into_iter().map(|row| CountRow {
            cell: row.cell,
            lane: row.lane.clone(),
            size: row.size,
            instructions: None,
            baseline: None,
            ratio: None,
            time_ns: row.time_ns,
            time_ratio: row.ratio,
            status: status(row, None, recorded),
        }));
    }
    let tried = rows.iter().any(|row| row.instructions.is_some() || row.status != NOT_COUNTED);
    tried.then(|| CountTable {
        workload: table.workload.clone(),
        operation: table.operation.clone(),
        input: table.input.clone(),
        form: table.form,
        interpreter: table.interpreter.clone(),
        comparison: table.comparison,
        net_of_loop: table.net_of_loop,
        unit: table.unit,
        rows,
    })
}

/// Whether a row has a count, and if not, why. Where it works and can't be counted, the reason stands below the tables.
fn status(row: &Row, count: Option<&Instructions>, recorded: &Recorded) -> String {
    let status = &recorded.run.cells[row.cell as usize].status;
    if !status.has_number() {
        status.to_string()
    } else if recorded.samples.iter().any(|sample| sample.cell == row.cell && !sample.digest_ok) {
        row.status.clone()
    } else if count.is_some() {
        status.to_string()
    } else {
        NOT_COUNTED.to_owned()
    }
}

/// Title, whether it holds numbers, and the text of a row.
type Column = (&'static str, bool, fn(&CountTable, &CountRow) -> String);

const COLUMNS: [Column; 8] = [
    ("Size", true, |table, row| row.size.map(|size| format::size(size, table.unit)).unwrap_or_default()),
    ("Lane", false, |_, row| row.lane.clone()),
    ("Instructions", true, |_, row| row.instructions.as_ref().map(count).unwrap_or_default()),
    ("Ratio", true, |_, row| if row.is_baseline() { "baseline".to_owned() } else { row.ratio.as_ref().map(span).unwrap_or_default() }),
    ("Time", true, |_, row| row.time_ns.map(|time| format::time(time.point())).unwrap_or_default()),
    ("Ratio of times", true, |_, row| row.time_ratio.map(|ratio| format::ratio(ratio.point())).unwrap_or_default()),
    ("Instructions/ns", true, |_, row| row.rate().map(format::significant).unwrap_or_default()),
    ("Status", false, |_, row| shortened(&row.status).to_owned()),
];

impl CountTable {
    /// `std.std, input ints as a boxed list, Python 3.13.0: instructions, controlled`.
    pub fn title(&self) -> String {
        let operation = format!("{}.{}", self.workload, self.operation);
        format!("{}: instructions, {}", title_of(&operation, &self.input, self.form, self.interpreter.as_deref()), self.comparison)
    }

    /// What to know to read it.
    pub fn note(&self) -> &'static str {
        if self.net_of_loop { "Counts are net of the empty loop." } else { "Counts include the empty loop." }
    }

    /// Why rows have no count, where that doesn't fit their column.
    pub fn footnotes(&self) -> Vec<String> {
        failures(self.rows.iter().map(|row| (row.lane.as_str(), row.size, row.status.as_str())), self.unit)
    }

    /// The table as text. Columns with nothing to say are left out.
    pub fn grid(&self) -> Grid {
        let kept: Vec<&Column> = COLUMNS.iter().filter(|(_, _, text)| self.rows.iter().any(|row| !text(self, row).is_empty())).collect();
        let mut previous = None;
        let row = |row: &CountRow| {
            let new_case = previous.replace(row.size) != Some(row.size);
            let text = |(title, _, text): &&Column| if *title == "Size" && !new_case { String::new() } else { text(self, row) };
            let tone = if row.instructions.is_some() { Tone::Plain } else { Tone::Failed };
            GridRow { cells: kept.iter().map(text).collect(), new_case, tone, values: Vec::new() }
        };
        let rows = self.rows.iter().map(row).collect();
        Grid { rows, columns: kept.iter().map(|(title, number, _)| (*title, *number)).collect() }
    }
}

impl CountRow {
    fn is_baseline(&self) -> bool {
        self.baseline.as_ref() == Some(&self.lane)
    }

    /// How many instructions are done in a nanosecond.
    fn rate(&self) -> Option<f64> {
        let rate = self.instructions?.of_a_call() / self.time_ns.filter(|time| time.point() > 0.0)?.point();
        Some(six_digits(rate)).filter(|&rate| rate > 0.0)
    }
}

/// `81.5`, `12,345`; a range where it is none: `81.0 – 81.5`.
pub(super) fn count(instructions: &Instructions) -> String {
    let text = |number: f64| if number < 1000.0 { format!("{number:.1}") } else { format::grouped(number.round() as u64) };
    let (low, high) = (text(instructions.low), text(instructions.high));
    if low == high { low } else { format!("{low} – {high}") }
}

/// `1.012`; a range where it is none.
pub(super) fn span(span: &Span) -> String {
    let (low, high) = (format::fine_ratio(span.low), format::fine_ratio(span.high));
    if low == high { low } else { format!("{low} – {high}") }
}

/// The part of the page.
pub fn section(counted: &Counted, run: &str) -> Section {
    let table = |table: &CountTable| {
        let notes = std::iter::once(table.note().to_owned()).chain(table.footnotes());
        SectionTable::new(table.title(), notes.collect(), table.grid())
    };
    let uncounted = counted.uncounted.iter().map(|group| format!("Not counted: {}: {}.", group.what.join(", "), group.reason));
    Section {
        id: "instructions".to_owned(),
        title: "Instructions".to_owned(),
        lead: counted.about.iter().cloned().chain(uncounted).collect(),
        tables: counted.tables.iter().map(table).collect(),
        command: format!("cargo bindbench report {run}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Look;
    use crate::{Report, markdown, terminal};
    use bindbench_model::{Count, Counter, Counting, Status};
    use bindbench_store::synthetic::Synthetic;

    /// `a/a` and `b/b`, which executes 1.25 times as many instructions, and `c/c`, which can't be counted; with times, or without.
    fn run(timed: bool) -> Recorded {
        let mut made = Synthetic::new(if timed { 4 } else { 0 }, 3);
        made.interpreter("3.13.0", &[]);
        made.workload("std", &[], &["a/a"]);
        let case = made.case("std.std", "ints", Some(Form::Boxed), Some(5000), 1);
        for (lane, ns) in [("b/b", 30_000.0), ("a/a", 20_000.0), ("c/c", 10_000.0)] {
            made.lane(lane, Comparison::AsPublished);
            made.cell(case, lane, Some("3.13.0"), ns);
        }
        made.run.plan.counters = if timed { vec![Counter::Time, Counter::Instructions] } else { vec![Counter::Instructions] };
        let uncounted = [(2, "its threads take turns".to_owned())].into();
        made.run.counting = Some(Counting { tool: "valgrind-3.19.0".into(), fixed_layout: true, generations: 2, uncounted });
        let mut recorded = made.recorded(0.01);
        let counts = [(0, 0, 50_000), (0, 1, 40_000), (1, 0, 50_000), (1, 1, 40_080)];
        recorded.counts.extend(counts.map(|(generation, cell, calls)| Count {
            generation,
            cell,
            loops: 8,
            instructions: 500 + 8 * calls,
            instructions_twice: 500 + 16 * calls,
            empty: None,
            empty_twice: None,
        }));
        recorded
    }

    #[test]
    fn a_count_has_its_ratio_and_its_time_beside_it() {
        let report = Report::new(&run(true));
        let table = &report.instructions.as_ref().unwrap().tables[0];
        let grid = table.grid();
        let titles: Vec<&str> = grid.columns.iter().map(|(title, _)| *title).collect();
        assert_eq!(titles, ["Size", "Lane", "Instructions", "Ratio", "Time", "Ratio of times", "Instructions/ns", "Status"]);
        assert_eq!(grid.rows[0].cells[..4], ["5,000", "a/a", "40,000 – 40,080", "baseline"]);
        assert_eq!(grid.rows[1].cells[..4], ["", "b/b", "50,000", "1.248 – 1.250"]);
        assert!(grid.rows[1].cells[5].starts_with("1.5") || grid.rows[1].cells[5].starts_with("1.4"), "{:?}", grid.rows[1].cells);
    }

    #[test]
    fn lanes_that_do_not_work_have_a_row_with_their_status() {
        for timed in [true, false] {
            let mut recorded = run(timed);
            recorded.counts.retain(|count| count.cell != 0);
            recorded.samples.retain(|sample| sample.cell != 0);
            recorded.run.cells[0].status = Status::Wrong { detail: "input 0: expected 3, got 4, which is more".into() };
            let report = Report::new(&recorded);
            let table = &report.instructions.as_ref().unwrap().tables[0];
            let rows: Vec<(&str, &str)> = table.rows.iter().map(|row| (row.lane.as_str(), row.status.as_str())).collect();
            // Nothing but the cell's own status is known of a run that took no time.
            assert_eq!(rows, [("a/a", "ok"), ("b/b", "wrong: input 0: expected 3, got 4, which is more"), ("c/c", "not counted")]);
            assert!(table.grid().rows[1].cells.contains(&"wrong".to_owned()) && table.grid().rows[1].tone == Tone::Failed);
            let page = section(report.instructions.as_ref().unwrap(), "r");
            for text in [terminal::render(&report, Look::default()), markdown::render(&report), page.tables[0].notes.join("\n")] {
                assert!(text.contains("b/b at 5,000: wrong: input 0: expected 3, got 4"), "{text}");
            }
        }
    }

    #[test]
    fn a_run_without_times_shows_its_counts_and_warns_of_nothing() {
        let report = Report::new(&run(false));
        assert!(report.tables.is_empty() && report.warnings.is_empty(), "{:?}", report.warnings);
        let text = terminal::render(&report, Look::default());
        for expected in [
            "instructions only",
            "Of 2 counts 1 are the same in every process",
            "they don't see caches",
            "std.std, input ints as a boxed list, Python 3.13.0: instructions, as published",
            "Not counted:\n  c/c std.std (3.13.0): its threads take turns",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in\n{text}");
        }
        assert!(!text.contains("Ratio of times") && !text.contains("rounds"), "{text}");
        assert!(markdown::render(&report).contains("| 5,000 | a/a | 40,000 – 40,080 | baseline | ok |"));
    }
}
