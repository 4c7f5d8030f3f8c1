//! What `doctor --noise` found: how finely this machine tells things apart, and what disturbs it.

use bindbench_analysis::samples;
use bindbench_model::{Cell, Run, RunState};
use bindbench_stats::{Components, Samples};
use bindbench_store::Recorded;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, LineStyle, Table};

use super::format;
use super::warnings::{Warning, machine, warning};

/// A run's size: its name, its generations and its rounds.
pub type Budget = (&'static str, u32, u32);

/// A short run of twins as text: the resolution to expect of each kind of cell in each of some budgets, then what disturbs.
/// `busy` and `stolen` are the shares of the CPUs' time that others had while nothing ran, where the system tells.
pub fn text(recorded: &Recorded, budgets: &[Budget], busy: Option<f64>, stolen: Option<f64>) -> String {
    let run = &recorded.run;
    let samples = samples(run, &recorded.samples);
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    let columns = budgets.iter().map(|(name, generations, rounds)| format!("{name}: {generations} × {rounds}"));
    table.set_header(["case", "lane", "time"].into_iter().map(str::to_owned).chain(columns));
    table.column_iter_mut().skip(2).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    for (cell, twin) in twins(run) {
        let times = |cell: &Cell| samples.values_by_generation(cell.id).map(|(_, times)| times).collect::<Vec<_>>();
        let noise = Components::of_twins(&times(cell), &times(twin));
        let resolutions = budgets.iter().map(|&(_, generations, rounds)| match noise {
            Some(noise) => format::band(noise.resolution(generations, rounds)),
            None => "–".to_owned(),
        });
        let time = samples.value(cell.id).map(|time| format::time(time.point())).unwrap_or_default();
        table.add_row([case(run, cell), cell.lane.clone(), time].into_iter().chain(resolutions));
    }
    let mut text =
        format!("What a ratio of two lanes has to be off 1 by to be seen on this machine, about (generations × rounds):\n\n{table}\n");
    let disturbances = disturbances(recorded, &samples, busy, stolen);
    if disturbances.is_empty() {
        text += "\nNothing was seen that disturbs measuring.\n";
    } else {
        text += "\nWhat disturbs measuring here:\n";
        disturbances.iter().for_each(|warning| text += &format!("- {}; {}\n", warning.what, warning.advice));
    }
    text
}

/// The cells that were measured twice.
fn twins(run: &Run) -> impl Iterator<Item = (&Cell, &Cell)> {
    run.cells.iter().filter(|cell| !cell.twin && cell.status.has_number()).filter_map(|cell| {
        let same =
            |other: &&Cell| other.twin && (other.case, &other.lane, &other.interpreter) == (cell.case, &cell.lane, &cell.interpreter);
        Some((cell, run.cells.iter().find(same)?))
    })
}

/// `std.std of ints, 5,000`.
fn case(run: &Run, cell: &Cell) -> String {
    let case = &run.cases[cell.case as usize];
    let size = case.size.map(|size| format!(" of {}, {}", case.input, format::size(size, case.unit))).unwrap_or_default();
    format!("{}.{}{size}", case.workload, case.operation)
}

fn disturbances(recorded: &Recorded, samples: &Samples, busy: Option<f64>, stolen: Option<f64>) -> Vec<Warning> {
    let environment = &recorded.run.environment;
    let mut found = Vec::new();
    if recorded.run.state != RunState::Finished {
        let taken = recorded.samples.iter().map(|sample| sample.generation + 1).max().unwrap_or_default();
        let what = format!("the time was up after {taken} of {} generations", recorded.run.plan.generations);
        found.push(warning(what, "stop other programs, and look again: these numbers are of too little"));
    }
    if let Some(busy) = busy.filter(|&busy| busy > 0.02) {
        let what = format!("other programs used {} of the CPUs while nothing was measured", format::percent(busy));
        found.push(warning(what, "stop them, or leave them a CPU of their own (`taskset`)"));
    }
    if let Some(stolen) = stolen.filter(|&stolen| stolen > 0.005) {
        let what = format!("the hypervisor gave {} of the CPUs' time to other machines", format::percent(stolen));
        found.push(warning(what, "nothing inside helps: measure longer, or at another hour"));
    }
    found.extend(machine(environment));
    if environment.autogroup == Some(true) {
        let what = "the kernel schedules by sessions (autogroup): `nice` does nothing against programs of another terminal";
        found.push(warning(what, "stop other programs rather than to be nicer"));
    }
    if !environment.pinned {
        found.push(warning("processes can't be pinned to a CPU on this system", "expect wider intervals"));
    }
    if let Some(drift) = drift(&recorded.run, samples).filter(|drift| drift.abs() > 0.03) {
        let how = if drift > 0.0 { "slower" } else { "faster" };
        let what = format!("calls were {} {how} at the end than at the beginning", format::percent(drift.abs()));
        found.push(warning(what, "clocks that fall with heat do that: cool it, or fix the frequency below the boost"));
    }
    found
}

/// How much longer calls took in the last third of the generations than in the first, over all cells, as a fraction.
fn drift(run: &Run, samples: &Samples) -> Option<f64> {
    let mut shifts: Vec<f64> = run
        .cells
        .iter()
        .filter_map(|cell| {
            let medians: Vec<f64> = samples.medians_by_generation(cell.id).into_iter().map(|(_, ns)| ns).filter(|ns| *ns > 0.0).collect();
            let third = medians.len() / 3;
            let mean = |part: &[f64]| part.iter().map(|ns| ns.ln()).sum::<f64>() / part.len() as f64;
            (third > 0).then(|| mean(&medians[medians.len() - third..]) - mean(&medians[..third]))
        })
        .collect();
    bindbench_stats::median(&mut shifts).map(f64::exp_m1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_model::Comparison;
    use bindbench_store::synthetic::Synthetic;

    const BUDGETS: [Budget; 2] = [("quick", 6, 10), ("full", 15, 20)];

    fn twin_run() -> Recorded {
        let mut made = Synthetic::new(8, 10);
        made.interpreter("3.13.0", &[]);
        made.lane("a/b", Comparison::AsPublished);
        let case = made.case("std.sum", "ints", None, Some(5000), 1);
        let cell = made.cell(case, "a/b", Some("3.13.0"), 1e5);
        made.twin(cell, 1.0);
        made.run.environment.governor = Some("powersave".into());
        made.run.environment.pinned = true;
        made.recorded(0.01)
    }

    #[test]
    fn every_twin_has_a_resolution_that_falls_with_the_budget() {
        let text = text(&twin_run(), &BUDGETS, Some(0.3), Some(0.0));
        let row = text.lines().find(|line| line.contains("std.sum of ints, 5,000")).unwrap();
        let bands: Vec<f64> = row.split('±').skip(1).map(|band| band.split('%').next().unwrap().trim().parse().unwrap()).collect();
        assert!(bands.len() == 2 && bands[1] < bands[0] && bands[0] < 5.0, "{row}");
        assert!(text.contains("other programs used 30 %") && text.contains("`powersave`") && !text.contains("hypervisor"), "{text}");
    }

    #[test]
    fn what_there_was_no_time_for_is_said() {
        let mut recorded = twin_run();
        assert!(!text(&recorded, &BUDGETS, None, None).contains("the time was up"));
        recorded.run.state = RunState::Interrupted;
        recorded.samples.retain(|sample| sample.generation < 3);
        assert!(text(&recorded, &BUDGETS, None, None).contains("the time was up after 3 of 8 generations"));
    }

    #[test]
    fn drift_is_seen_in_all_cells_together() {
        let mut recorded = twin_run();
        for sample in &mut recorded.samples {
            sample.elapsed_ns += sample.elapsed_ns * u64::from(sample.generation) / 50;
        }
        assert!(text(&recorded, &BUDGETS, None, None).contains("slower at the end"));
    }
}
