//! A run in the layouts of other tools: one file for each.

mod bencher;
mod github_action_benchmark;
mod pyperf;

use bindbench_analysis::Analysis;
use bindbench_model::{Cell, CellKey, Run};
use bindbench_stats::{Estimate, Scale};
use bindbench_store::Recorded;
use clap::ValueEnum;

use super::choice::Choice;

/// A layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// What `pyperf compare_to` reads: all samples, a run for each generation
    Pyperf,
    /// github-action-benchmark's `customSmallerIsBetter`
    GithubActionBenchmark,
    /// Bencher Metric Format
    Bencher,
}

/// A run in another layout.
#[derive(Debug, PartialEq)]
pub struct Exported {
    /// The file's text.
    pub text: String,
    /// Cells that have no place in it, with the reason.
    pub left_out: Vec<String>,
}

/// A cell with a time that other tools can hold.
struct Timed<'a> {
    name: String,
    cell: &'a Cell,
    /// Nanoseconds of one call.
    time: Estimate,
}

/// The chosen cells of a run in a layout.
///
/// # Errors
/// Never in practice: every key is a string.
pub fn export(recorded: &Recorded, choice: &Choice, layout: Layout) -> serde_json::Result<Exported> {
    let (run, analysis) = (&recorded.run, Analysis::new(recorded));
    let (mut timed, mut left_out) = (Vec::new(), Vec::new());
    for cell in run.cells.iter().filter(|cell| !cell.twin && choice.has(&CellKey::of(cell, run))) {
        let name = CellKey::of(cell, run).to_string();
        match time(cell, &analysis) {
            Ok(time) => timed.push(Timed { name, cell, time }),
            Err(why) => left_out.push(format!("{name}: {why}")),
        }
    }
    let text = match layout {
        Layout::Pyperf => pyperf::render(run, &analysis, &timed)?,
        Layout::GithubActionBenchmark => github_action_benchmark::render(run, &timed)?,
        Layout::Bencher => bencher::render(&timed)?,
    };
    Ok(Exported { text: text + "\n", left_out })
}

fn time(cell: &Cell, analysis: &Analysis) -> Result<Estimate, String> {
    if !cell.status.has_number() {
        return Err(cell.status.to_string());
    }
    match analysis.time(cell.id) {
        Some(time) if time.scale() == Scale::Log => Ok(time),
        Some(_) => Err("it takes no more than the loop, and other tools take times above 0 only".to_owned()),
        None => Err("it has no usable sample".to_owned()),
    }
}

/// The interpreter of a cell as the run knows it.
fn interpreter<'r>(run: &'r Run, cell: &Cell) -> Option<&'r bindbench_model::Interpreter> {
    run.interpreters.iter().find(|known| Some(&known.name) == cell.interpreter.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_catalog::Selection;
    use bindbench_model::Comparison;
    use bindbench_store::pyperf::Suite;
    use bindbench_store::synthetic::Synthetic;

    /// A lane of 250 ns, its twin, one that takes no more than the loop, and one that crashed.
    fn run() -> Recorded {
        let mut made = Synthetic::new(4, 5);
        made.interpreter("3.13.0", &[]);
        for lane in ["a/a", "b/b", "c/c"] {
            made.lane(lane, Comparison::Controlled);
        }
        let case = made.case("call.noop", "nothing", None, None, 1);
        let first = made.cell(case, "a/a", Some("3.13.0"), 250.0);
        made.twin(first, 1.0);
        made.cell(case, "b/b", Some("3.13.0"), 0.0001);
        let crashed = made.cell(case, "c/c", Some("3.13.0"), 90.0);
        made.run.cells[crashed as usize].status = bindbench_model::Status::Crashed { signal: "SIGSEGV".into(), said: None };
        made.recorded(0.005)
    }

    fn exported(layout: Layout) -> Exported {
        let recorded = run();
        export(&recorded, &Choice::new(&Selection::default(), &[]).unwrap(), layout).unwrap()
    }

    #[test]
    fn cells_without_a_time_above_0_are_left_out_with_the_reason() {
        for layout in Layout::value_variants() {
            let exported = exported(*layout);
            assert!(exported.text.contains("a/a call.noop:nothing 3.13.0") && !exported.text.contains("b/b"), "{}", exported.text);
            let [loop_only, crashed] = &exported.left_out[..] else { panic!("{:?}", exported.left_out) };
            assert!(loop_only.starts_with("b/b call.noop:nothing 3.13.0: it takes no more than the loop"), "{loop_only}");
            assert_eq!(crashed, "c/c call.noop:nothing 3.13.0: crashed: SIGSEGV");
        }
    }

    #[test]
    fn a_wide_range_does_not_reach_below_0() {
        let mut recorded = run();
        recorded.samples.retain(|sample| sample.generation < 3);
        for sample in recorded.samples.iter_mut().filter(|sample| sample.generation == 1) {
            sample.elapsed_ns *= 3;
        }
        let text = export(&recorded, &Choice::new(&Selection::default(), &[]).unwrap(), Layout::GithubActionBenchmark).unwrap().text;
        assert!(text.contains("\"range\": \"×÷ ") && !text.contains('±'), "{text}");
    }

    #[test]
    fn pyperf_gets_every_sample_by_generation() {
        let suite: Suite = serde_json::from_str(&exported(Layout::Pyperf).text).unwrap();
        let [benchmark] = &suite.benchmarks[..] else { panic!("{suite:?}") };
        assert_eq!(benchmark.runs.iter().map(|run| run.values.len()).collect::<Vec<_>>(), [5; 4]);
        assert!(benchmark.runs.iter().flat_map(|run| &run.values).all(|value| (240e-9..260e-9).contains(value)));
        assert_eq!(suite.of(benchmark, "loops").unwrap(), 20_000);
        assert_eq!(suite.of(benchmark, "unit").unwrap(), "second");
    }

    #[test]
    fn the_others_get_the_estimate_with_its_interval() {
        let json = |layout| serde_json::from_str::<serde_json::Value>(&exported(layout).text).unwrap();
        let github = json(Layout::GithubActionBenchmark);
        assert_eq!(github.as_array().unwrap().len(), 1);
        assert_eq!(github[0]["unit"], "ns");
        assert!(github[0]["range"].as_str().unwrap().starts_with("± "));
        let latency = &json(Layout::Bencher)["a/a call.noop:nothing 3.13.0"]["latency"];
        let number = |name: &str| latency[name].as_f64().unwrap();
        assert!(number("lower_value") < number("value") && number("value") < number("upper_value"));
        assert_eq!(github[0]["value"], latency["value"]);
        assert!((number("value") - 250.0).abs() < 5.0);
    }
}
