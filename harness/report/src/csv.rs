//! `summary.csv`: one row for each lane in each table, plain numbers, units in the columns' names.
//!
//! A native lane stands in the table of every interpreter, each time with the ratio to that table's baseline.

use bindbench_stats::{Estimate, Scale, Verdict, six_digits};
use serde::Serialize;

use super::Report;
use super::tables::{Row, Table};

#[derive(Serialize)]
struct Line<'a> {
    run: &'a str,
    workload: &'a str,
    operation: &'a str,
    input: &'a str,
    form: String,
    size: Option<u64>,
    size_unit: bindbench_model::Unit,
    threads: u32,
    comparison: String,
    interpreter: Option<&'a str>,
    lane: &'a str,
    native: bool,
    cell: u32,
    net_of_loop: bool,
    time_ns: Option<f64>,
    time_low_ns: Option<f64>,
    time_high_ns: Option<f64>,
    time_scale: &'static str,
    baseline: Option<&'a str>,
    ratio: Option<f64>,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    verdict: Option<&'static str>,
    resolution_fraction: Option<f64>,
    resolution_borrowed: Option<bool>,
    throughput_per_s: Option<f64>,
    scaling: Option<f64>,
    scaling_low: Option<f64>,
    scaling_high: Option<f64>,
    generations: Option<usize>,
    samples: usize,
    status: &'a str,
    run_vouches: bool,
    widening: f64,
}

/// The report as CSV.
///
/// # Errors
/// Never in practice: it is written to memory.
pub fn render(report: &Report) -> Result<Vec<u8>, ::csv::Error> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for table in &report.tables {
        for row in &table.rows {
            writer.serialize(line(report, table, row))?;
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn line<'a>(report: &'a Report, table: &'a Table, row: &'a Row) -> Line<'a> {
    let ends = |estimate: Option<Estimate>| {
        let interval = estimate.and_then(|estimate| estimate.interval());
        interval.map(|(low, high)| (six_digits(low), six_digits(high))).unzip()
    };
    let (time_low_ns, time_high_ns) = ends(row.time_ns);
    let (ratio_low, ratio_high) = ends(row.ratio);
    let (scaling_low, scaling_high) = ends(row.scaling);
    Line {
        run: &report.run,
        workload: &table.workload,
        operation: &table.operation,
        input: &table.input,
        form: table.form.map(|form| form.to_string()).unwrap_or_default(),
        size: row.size,
        size_unit: table.unit,
        threads: row.threads,
        comparison: table.kind(),
        interpreter: table.interpreter.as_deref(),
        lane: &row.lane,
        native: row.native,
        cell: row.cell,
        net_of_loop: table.net_of_loop,
        time_ns: row.time_ns.map(|time| six_digits(time.point())),
        time_low_ns,
        time_high_ns,
        time_scale: match row.time_ns.map(|time| time.scale()) {
            Some(Scale::Log) => "log",
            Some(Scale::Linear) => "linear",
            None => "",
        },
        baseline: row.baseline.as_deref(),
        ratio: row.ratio.map(|ratio| six_digits(ratio.point())),
        ratio_low,
        ratio_high,
        verdict: row.verdict.map(Verdict::words),
        resolution_fraction: row.resolution.as_ref().map(|resolution| six_digits(resolution.fraction)),
        resolution_borrowed: row.resolution.as_ref().map(|resolution| resolution.borrowed),
        throughput_per_s: row.throughput_per_s,
        scaling: row.scaling.map(|scaling| six_digits(scaling.point())),
        scaling_low,
        scaling_high,
        generations: row.time_ns.map(|time| time.generations()),
        samples: row.samples,
        status: &row.status,
        run_vouches: report.vouches.vouches,
        widening: report.vouches.widening,
    }
}
