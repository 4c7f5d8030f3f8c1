//! Lanes that are wrong, each in a way of its own, on every input of every operation: not one may have a number. And lanes that are right
//! but remember: the report has to say so.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bindbench_catalog::Catalog;
use bindbench_model::{Case, Cell, Run, Status};

use crate::sandbox::Sandbox;
use crate::tally::{self, Tally};

/// What an input can't tell: mutant, operation, input.
const BY_NATURE: [(&str, &str, &str); 3] = [
    // 3J1 can't overlap itself.
    ("mutants/apart", "find_all", "talk"),
    // Sums of ints as small as these are exact in 24 bits.
    ("mutants/single-precision", "sum", "ints"),
    ("mutants/single-precision", "mean", "ints"),
];

/// A sandbox with the mutants, and texts that need no download.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.add_catalog("mutants");
    sandbox.make_tools();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let read = |file: &str| fs::read_to_string(repository.join(file)).unwrap();
    let letters: String = ('\u{4e00}'..'\u{9000}').chain('\u{400}'..'\u{500}').collect();
    let texts = sandbox.path().join("build/texts");
    fs::create_dir_all(&texts).unwrap();
    fs::write(texts.join("prose.txt"), read("METHODOLOGY.md") + &read("CONTRIBUTING.md")).unwrap();
    fs::write(texts.join("code.txt"), ["inputs", "oracle", "receipt"].map(|file| read(&format!("harness/setup/src/{file}.rs"))).concat())
        .unwrap();
    fs::write(texts.join("multilingual.txt"), letters.repeat(2)).unwrap();
    sandbox.set_up("{mutants,memoirs,python}/*").succeeds();
    sandbox
}

fn case_of<'r>(run: &'r Run, cell: &Cell) -> &'r Case {
    &run.cases[cell.case as usize]
}

fn name(run: &Run, cell: &Cell) -> String {
    let Case { workload, operation, input, size, .. } = case_of(run, cell);
    format!("{} {workload}.{operation}:{input}:{size:?}", cell.lane)
}

/// Operations on inputs, by name.
fn questions(run: &Run) -> BTreeSet<(String, String, String)> {
    run.cases.iter().map(|case| (case.workload.clone(), case.operation.clone(), case.input.clone())).collect()
}

#[test]
fn every_input_of_every_operation_tells_every_mutant() {
    let sandbox = sandbox();
    let small = ["run", "--preset", "full", "--size", "4KiB", "--threads", "1", "--generations", "1", "--rounds", "1", "-s", "mutants/*"];
    sandbox.bindbench(&small).exits_with(1);
    let run = sandbox.recorded().run;
    let catalog = Catalog::read(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap(), &[]).unwrap();
    let blocks = catalog.workloads.iter().flat_map(|workload| workload.presets.values().flatten().map(move |block| (workload, block)));
    let all: BTreeSet<(String, String, String)> = blocks
        .flat_map(|(workload, block)| {
            let pairs = block.operations.iter().flat_map(|operation| block.inputs.iter().map(move |input| (operation, input)));
            pairs.map(|(operation, input)| (workload.name.clone(), operation.clone(), input.clone()))
        })
        .collect();
    assert_eq!(questions(&run), all, "the preset that is run has every operation on every input of all presets");

    let mut told = 0;
    for cell in run.cells.iter().filter(|cell| !cell.twin) {
        let Case { operation, input, .. } = case_of(&run, cell);
        if BY_NATURE.contains(&(cell.lane.as_str(), operation, input)) {
            assert_eq!(cell.status, Status::Ok, "{} is told: it needs no exception", name(&run, cell));
        } else {
            assert!(matches!(cell.status, Status::Wrong { .. }), "{}: {}", name(&run, cell), cell.status);
            told += 1;
        }
    }
    assert!(told > 500, "{told}");
    tally::end(&[Tally::of("mutants", told)]);
    for case in &run.cases {
        let mutants = run.cells.iter().filter(|cell| cell.case == case.id).count();
        let least = if ["noop", "fail"].contains(&case.operation.as_str()) { 1 } else { 10 };
        assert!(mutants >= least, "{mutants} mutants of {}.{}", case.workload, case.operation);
    }
}

#[test]
fn an_input_that_is_alone_in_its_pool_tells_a_constant_too() {
    let sandbox = sandbox();
    let arguments = ["run", "--preset", "full", "--size", "5MiB", "--threads", "1", "--generations", "1", "--rounds", "1"];
    sandbox
        .bindbench(&[&arguments[..], &["-w", "kmp", "-w", "call.length", "-s", "mutants/{constant,once,by-length}"]].concat())
        .exits_with(1);
    let run = sandbox.recorded().run;
    assert!(run.cells.len() >= 3 * 3, "{}", run.cells.len());
    for cell in &run.cells {
        // What comes first in a worker is right, until it is not on the input that no sample has.
        let is_first = ["talk", "symbols"].contains(&case_of(&run, cell).input.as_str());
        let wrong = matches!(&cell.status, Status::Wrong { detail } if !is_first || detail.contains("fresh input 0"));
        assert!(wrong, "{}: {}", name(&run, cell), cell.status);
    }
}

#[test]
fn a_lane_that_remembers_is_found_out_and_one_that_computes_is_not() {
    let sandbox = sandbox();
    let arguments =
        ["run", "--preset", "talk", "--generations", "1", "--rounds", "1", "--threads", "1", "-s", "memoirs/*", "-s", "python/*"];
    let cases = ["-w", "kmp", "-w", "std", "-w", "bpe", "-w", "call.take_list", "-w", "call.call_back", "--size", "20000"];
    let ended = sandbox.bindbench(&[&arguments[..], &cases].concat()).exits_with(1);
    let run = sandbox.recorded().run;
    for cell in run.cells.iter().filter(|cell| !cell.twin) {
        let Case { workload, operation, input, .. } = case_of(&run, cell);
        let (name, remembers) = (name(&run, cell), cell.lane.starts_with("memoirs/"));
        if remembers && operation == "call_back" {
            // What it remembers is what it was right about, before the function was another one.
            assert!(matches!(cell.status, Status::Wrong { .. }), "{name}: {}", cell.status);
            continue;
        }
        assert_eq!(cell.status, Status::Ok, "{name}");
        // Of unseen texts none comes twice; and to look an input up by its value may take as long as to look at it.
        let unseen = workload == "bpe" && input != "replay";
        let as_slow = cell.lane.ends_with("by-value") && ["std", "call"].contains(&workload.as_str());
        if remembers && !unseen && !as_slow {
            assert!(cell.remembers.is_some_and(|times| times > 2.0), "{name}: {:?}", cell.remembers);
        } else if !remembers {
            assert_eq!(cell.remembers, None, "{name}");
        }
    }
    ended.prints(&["memoirs/by-identity *", "times as fast on inputs that it has seen before", "so answers may be remembered"]);
    let report = sandbox.bindbench(&["report", "--json"]).json();
    assert!(report["warnings"].to_string().contains("memoirs/at-third-sight in call.take_list of ints"), "{}", report["warnings"]);
}
