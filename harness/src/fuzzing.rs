//! What is read from disks, workers and other programs, and all that is done with it: bodies of fuzz targets.
//!
//! Each takes bytes that may be anything. It may refuse them with an error; it must not panic, run for ever, or ask for more memory than
//! a machine has. `fuzz/` runs them under libFuzzer; the tests here run them over the corpus in `fuzz/corpus`, and over mutations of it.

#[cfg(test)]
mod mutate;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bindbench_analysis::Analysis;
use bindbench_catalog::manifest::read_strategies;
use bindbench_catalog::workload::read_workloads;
use bindbench_catalog::{Catalog, Preset, Selection, matrix, matrix_to_profile};
use bindbench_inspect::{memory, perf, perf_map, pprof, record, rhythm};
use bindbench_measure::contender::Contender;
use bindbench_measure::trouble::{check, describe};
use bindbench_measure::{plan, schedule};
use bindbench_model::CellKey;
use bindbench_protocol::{Answer, Integers, Reply};
use bindbench_report::choice::Choice;
use bindbench_report::claims::{Claims, Known};
use bindbench_report::compare::{Comparison, Side};
use bindbench_report::export::{Layout as Other, export};
use bindbench_report::gate::Gated;
use bindbench_report::history::History;
use bindbench_report::ladder::Ladder;
use bindbench_report::page::{Extras, Flamegraph, Plots};
use bindbench_report::terminal::Look;
use bindbench_report::{
    Report, claims, compare, csv, gate, history, instructions, json, markdown, page, plots, profile as shown, talks, terminal,
};
use bindbench_setup::inputs::Pool;
use bindbench_setup::layout::Layout;
use bindbench_setup::oracle::Expected;
use bindbench_setup::receipt::Receipt;
use bindbench_stats::Gate;
use bindbench_store::profile::Profiled;
use bindbench_store::pyperf::Suite;
use bindbench_store::{Recorded, RunFolder};

/// A target: it is given bytes, and an empty folder that it may write to, the same one every time.
pub type Target = fn(&[u8], &Path);

/// All targets, by name.
pub const TARGETS: [(&str, Target); 8] = [
    ("run", run),
    ("report", report),
    ("compare", compare),
    ("profile", profile),
    ("manifests", manifests),
    ("replies", replies),
    ("perf", perf),
    ("pyperf", pyperf),
];

/// What separates the files that an input stands for.
pub const NEXT_FILE: &[u8] = b"\n%%%%\n";

/// Both ways a terminal may look.
const LOOKS: [Look; 2] = [Look { width: Some(80), colour: true }, Look { width: None, colour: false }];

/// The files that an input stands for.
pub fn files(data: &[u8]) -> Vec<&[u8]> {
    let mut files = Vec::new();
    let mut rest = data;
    while let Some(at) = memchr::memmem::find(rest, NEXT_FILE) {
        files.push(&rest[..at]);
        rest = &rest[at + NEXT_FILE.len()..];
    }
    files.push(rest);
    files
}

/// Makes them; those that are missing are removed.
fn write(folder: &Path, names: &[&str], files: &[&[u8]]) {
    for (at, name) in names.iter().enumerate() {
        let path = folder.join(name);
        match files.get(at) {
            Some(bytes) => fs::write(path, bytes).expect("a folder to write to"),
            None => drop(fs::remove_file(path)),
        }
    }
}

/// `run.json`, `samples.csv`, `counts.csv`.
fn recorded(folder: &Path, files: &[&[u8]]) -> Option<Recorded> {
    write(folder, &["run.json", "samples.csv", "counts.csv"], files);
    Recorded::read(folder).map_err(drop_words).ok()
}

/// What an error says has to be said without a panic, too.
fn drop_words(error: impl miette::Diagnostic + Send + Sync + 'static) {
    drop(format!("{:?}", miette::Report::new(error)));
}

/// A run's folder: read, analysed, planned anew, resumed.
pub fn run(data: &[u8], folder: &Path) {
    let Some(recorded) = recorded(folder, &files(data)) else { return };
    let analysis = Analysis::new(&recorded);
    for cell in &recorded.run.cells {
        analysis.time(cell.id);
        CellKey::of(cell, &recorded.run).to_string();
    }
    let mut planned = recorded.run.clone();
    // A plan that is as large as the option allows takes its time to shuffle: that it is shuffled is enough.
    planned.plan.generations = planned.plan.generations.min(3);
    plan::add_twins(&mut planned);
    plan::fit(&mut planned);
    let large = vec![u64::MAX / 2; planned.cells.len()];
    plan::put_large_ones_alone(&mut planned.cells, &large, u64::MAX);
    schedule::beginning(&planned.cells, planned.seed, 1);
    schedule::round(&planned.cells, planned.seed, 1, 0);
    drop(RunFolder::resume(folder).map_err(drop_words));
}

/// A run's folder, in all forms in which a run is shown.
pub fn report(data: &[u8], folder: &Path) {
    let Some(recorded) = recorded(folder, &files(data)) else { return };
    let analysis = Analysis::new(&recorded);
    let report = Report::of(&recorded, &analysis);
    csv::render(&report).expect("a table");
    json::render(&report).expect("keys that are texts");
    markdown::render(&report);
    LOOKS.iter().for_each(|look| drop(terminal::render(&report, *look)));
    Ladder::new(&recorded, &analysis).text();
    let claims = Claims::of(&recorded, &analysis, None, &claims::of_the_talks().expect("the talks' claims"));
    show_claims(&claims);
    let counted = report.instructions.as_ref().map(|counted| instructions::section(counted, &report.run));
    let sections = counted.into_iter().chain(talks::section(&report.talks, &report.run)).chain([claims::section(&claims)]).collect();
    let extras = Extras { sections, ..Extras::default() };
    let drawn = Plots::of(&report, &analysis, &extras);
    page::render(&recorded, &report, &analysis, &drawn, &extras).expect("a page");
    show_gate(&recorded);
}

fn show_claims(claims: &Claims) {
    claims::markdown(claims);
    LOOKS.iter().for_each(|look| drop(claims::terminal(claims, *look)));
}

fn show_gate(recorded: &Recorded) {
    let pairs = gate::pairs(&recorded.run);
    let mut decided = Gate::new(pairs.len(), 0.02);
    let last = recorded.samples.iter().map(|sample| sample.generation).max().unwrap_or(0).min(40);
    for generation in 0..=last {
        let samples: Vec<_> = recorded.samples.iter().filter(|sample| sample.generation == generation).cloned().collect();
        decided.take(&gate::of_generation(&recorded.run, &samples, &pairs));
    }
    let judged = pairs.iter().enumerate().map(|(at, pair)| {
        let count = gate::judged_count(pair, &recorded.run, &recorded.counts, 0.005);
        let judged = gate::judged(pair, &recorded.run, &decided.known(at), 0.02, |key| key.to_string());
        judged.with_instructions(count, &recorded.run, pair, String::new)
    });
    let gated = Gated {
        schema: gate::JSON_SCHEMA,
        run: recorded.run.id.clone(),
        sides: BTreeMap::new(),
        threshold: 0.02,
        instructions_threshold: 0.005,
        seconds: recorded.run.gate.as_ref().map_or(0.0, |gate| gate.used_s),
        budget_s: recorded.run.plan.budget_s,
        cells: judged.collect(),
        left_out: Vec::new(),
        notes: Vec::new(),
    };
    gate::junit(&gated);
    gate::markdown(&gated);
    serde_json::to_string_pretty(&gated).expect("keys that are texts");
    LOOKS.iter().for_each(|look| drop(gate::terminal(&gated, *look)));
}

/// A run's folder, beside itself and in other tools' layouts.
pub fn compare(data: &[u8], folder: &Path) {
    let Some(recorded) = recorded(folder, &files(data)) else { return };
    let side = Side::of_run(&recorded);
    show_comparison(&side, &side);
    let keys = history::keys(std::slice::from_ref(&recorded));
    let Ok(choice) = Choice::new(&Selection::default(), &keys.iter().collect::<Vec<_>>()) else { return };
    for layout in [Other::Pyperf, Other::GithubActionBenchmark, Other::Bencher] {
        export(&recorded, &choice, layout).expect("keys that are texts");
    }
    let history = History::new(vec![recorded.clone(), recorded], &choice, 0.01);
    plots::of_history(&history);
    LOOKS.iter().for_each(|look| drop(history::terminal(&history, *look)));
}

fn show_comparison(before: &Side, after: &Side) {
    let Ok(comparison) = Comparison::new(before, after, 0.05, true).map_err(drop_words) else { return };
    let comparison = comparison.with_instructions_threshold(0.005);
    compare::junit(&comparison);
    serde_json::to_string_pretty(&comparison).expect("keys that are texts");
    LOOKS.iter().for_each(|look| drop(compare::terminal(&comparison, *look)));
}

/// `profile.json`, then the file of any folded stacks it names; shown.
pub fn profile(data: &[u8], folder: &Path) {
    write(folder, &["profile.json", "a.folded"], &files(data));
    let Ok(Some(profiled)) = Profiled::read(folder).map_err(drop_words) else { return };
    Flamegraph::of(&profiled.profile, |path| profiled.text(path));
    shown::text(&profiled.profile, folder);
    shown::json(&profiled.profile).expect("keys that are texts");
    shown::write(&profiled.profile, folder).expect("a folder to write to");
    plots::of_profile(&profiled.profile);
    let mut gathered = profiled.profile.clone();
    gathered.absorb(profiled.profile);
}

/// A strategy, a workload, the claims or the talks' tables in TOML, whatever it is; then, for claims and talks, a run's folder.
pub fn manifests(data: &[u8], folder: &Path) {
    let files = files(data);
    let text = String::from_utf8_lossy(files[0]);
    let strategy = folder.join("strategies/fuzz");
    let workloads = folder.join("harness/workloads");
    [&strategy, &workloads].into_iter().for_each(|folder| fs::create_dir_all(folder).expect("a folder to write to"));
    write(&strategy, &["strategy.toml"], &files[..1]);
    write(&workloads, &["w.toml"], &files[..1]);
    drop(read_strategies("--catalog", &folder.join("strategies"), None).map_err(drop_words));
    if let Ok(workloads) = read_workloads(&workloads).map_err(drop_words) {
        span(&Catalog { strategies: Vec::new(), workloads }, folder);
    }
    let recorded = files.get(1).and_then(|_| recorded(folder, &files[1..]));
    let analysis = recorded.as_ref().map(Analysis::new);
    let known = recorded.as_ref().map(|recorded| Known::new(&recorded.run, &Catalog { strategies: Vec::new(), workloads: Vec::new() }));
    for known in [None, known.as_ref()] {
        let Ok(written) = claims::parsed(&text, known).map_err(drop_words) else { continue };
        if let (Some(recorded), Some(analysis)) = (&recorded, &analysis) {
            show_claims(&Claims::of(recorded, analysis, None, &written));
            claims::needed(&written, &recorded.run.cases);
        }
    }
    if let (Ok(written), Some(recorded), Some(analysis)) = (talks::parsed(&text).map_err(drop_words), &recorded, &analysis) {
        let talks = talks::of(&written, recorded, analysis);
        talks::section(&talks, &recorded.run.id);
    }
}

/// All cases of a workload, and their inputs' plans.
fn span(catalog: &Catalog, folder: &Path) {
    let everything = Selection::default();
    for preset in [Preset::Smoke, Preset::Quick, Preset::Talk, Preset::Full] {
        drop(matrix(catalog, &everything, preset, 2));
    }
    drop(matrix_to_profile(catalog, &everything, 2));
    for workload in &catalog.workloads {
        for block in workload.presets.values().flatten() {
            for (input, size) in block.inputs.iter().flat_map(|input| block.sizes.iter().map(move |size| (input, size.0))) {
                let Ok(pool) = Pool::plan(&Layout::at(folder), &workload.inputs[input], Some(size)) else { continue };
                let _ = (pool.missing().count(), pool.resident_bytes(workload.inputs[input].form), pool.driver_bytes());
            }
        }
    }
}

/// Lines that a worker said, and what the driver makes of each; receipts and the probe's words are such lines, too.
pub fn replies(data: &[u8], folder: &Path) {
    let list = Integers { count: 3, sha256: "00".repeat(32), values: None };
    let expected = vec![
        Expected::Exactly(Answer::Integer("7".into())),
        Expected::Exactly(Answer::Integers(list.clone())),
        Expected::Exactly(Answer::Uint32(list)),
        Expected::Near(2.5),
        Expected::Raises("RuntimeError"),
        Expected::Exactly(Answer::None(())),
    ];
    let contender = Contender::for_answers(expected);
    for line in data.split(|&byte| byte == b'\n') {
        match serde_json::from_slice::<Reply>(line) {
            Ok(Reply::Verified { answers, .. }) => {
                for (at, answer) in answers.iter().enumerate() {
                    (0..contender.expected.len()).for_each(|item| drop(check(&contender, at + item, answer)));
                }
            }
            Ok(Reply::Sampled(sampled)) => {
                sampled.answers.iter().for_each(|last| drop(check(&contender, last.item, &last.answer)));
            }
            Ok(Reply::Watched(watched)) => {
                let held = rhythm::held(&watched);
                let _ = (rhythm::call_ns(&watched), rhythm::fastest_ns(&watched));
                rhythm::class(held.unwrap_or_default(), rhythm::handed_over(&watched));
            }
            Ok(Reply::Weighed(weighed)) => {
                let looks: Vec<_> = [weighed.before, weighed.holding, weighed.after]
                    .into_iter()
                    .flatten()
                    .map(|footprint| (footprint, weighed.references))
                    .collect();
                let _ = memory::slopes(&looks, 1 << 15);
            }
            Ok(Reply::Failed(raised)) => drop(describe(&raised)),
            Ok(other) => drop(format!("{other:?}")),
            Err(error) => drop(error.to_string()),
        }
    }
    let path = folder.join("receipt.json");
    fs::write(&path, data).expect("a folder to write to");
    let _ = Receipt::read(&path).map(|receipt| receipt.for_the_run());
}

/// Records of perf events, each with kind, flags and length before it; and the same bytes as the texts that `perf script`, a perf map and
/// the pprof sampler write.
pub fn perf(data: &[u8], _: &Path) {
    let mut rest = data;
    while let Some((head, body)) = rest.split_first_chunk::<8>() {
        let [kind, _, low, high, length, more, ..] = *head;
        let length = usize::from(u16::from_le_bytes([length, more])).min(body.len());
        drop(record::read(kind.into(), u16::from_le_bytes([low, high]), &body[..length]));
        rest = &body[length..];
    }
    perf::read_script(data);
    let text = String::from_utf8_lossy(data);
    let map = perf_map::PerfMap::parse(&text);
    [0, 1, 0x7f00_0000_0010, u64::MAX].iter().for_each(|&address| assert!(map.name(address).is_none_or(|name| !name.contains('\n'))));
    text.lines().for_each(|line| assert!(perf_map::python_function(line).is_none_or(|(name, _)| name.len() <= line.len())));
    pprof::read(&text);
}

/// A file that pyperf wrote, compared with itself.
pub fn pyperf(data: &[u8], folder: &Path) {
    let path = folder.join("suite.json");
    fs::write(&path, data).expect("a folder to write to");
    let Ok(suite) = Suite::read(&path).map_err(drop_words) else { return };
    let side = Side::of_pyperf("suite.json", &suite);
    show_comparison(&side, &side);
}
