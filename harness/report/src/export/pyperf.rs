//! pyperf's JSON: a benchmark for each cell, a run for each generation, a value for each sample.

use bindbench_analysis::Analysis;
use bindbench_model::Run;
use bindbench_store::pyperf::{Benchmark, Metadata, Process, Suite};
use serde_json::Value;

use super::{Timed, interpreter};

pub(super) fn render(run: &Run, analysis: &Analysis, cells: &[Timed]) -> serde_json::Result<String> {
    let environment = &run.environment;
    let platform = format!("{}-{}-{}", environment.os, environment.kernel_release, environment.arch);
    let suite = Suite {
        benchmarks: cells.iter().map(|cell| benchmark(run, analysis, cell)).collect(),
        metadata: [("cpu_model_name", environment.cpu.as_str()), ("platform", &platform), ("unit", "second")]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect(),
        version: "1.0".to_owned(),
    };
    serde_json::to_string(&suite)
}

fn benchmark(run: &Run, analysis: &Analysis, cell: &Timed) -> Benchmark {
    let mut metadata = Metadata::from([
        ("name".to_owned(), Value::from(cell.name.as_str())),
        ("loops".to_owned(), Value::from(cell.cell.loops)),
        ("description".to_owned(), Value::from(format!("bindbench run {}", run.id))),
    ]);
    if let Some(interpreter) = interpreter(run, cell.cell) {
        metadata.insert("python_implementation".to_owned(), Value::from(interpreter.implementation.as_str()));
        metadata.insert("python_version".to_owned(), Value::from(interpreter.version.as_str()));
    }
    // Net of the loop a sample may be below 0 although its generation's median is not; pyperf takes no such value.
    let values = |times: Vec<f64>| times.into_iter().filter(|ns| *ns > 0.0).map(|ns| ns / 1e9).collect::<Vec<f64>>();
    let generations = analysis.samples().values_by_generation(cell.cell.id).map(|(_, times)| values(times));
    let runs = generations.filter(|values| !values.is_empty()).map(|values| Process { metadata: Metadata::new(), values });
    Benchmark { metadata, runs: runs.collect() }
}
