//! Runs made up for tests: cells of known speed, with noise that is the same in every test.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bindbench_model::{
    Case, Cell, Comparison, Environment, Form, Gil, Interpreter, LaneRecord, Parallel, Plan, ReceiptRecord, Run, RunState, SCHEMA, Sample,
    Status, Unit, WorkloadRecord, time_only,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::Recorded;

/// SHA-256 of the kernels library of synthetic runs.
pub const KERNELS: &str = "5f3c9a1b2d4e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8";

/// A run being made up.
pub struct Synthetic {
    /// Everything but the samples.
    pub run: Run,
    /// Time of one call, by cell.
    speeds: Vec<f64>,
}

impl Synthetic {
    /// A finished run without lanes or cases.
    pub fn new(generations: u32, rounds: u32) -> Self {
        let run = Run {
            schema: SCHEMA,
            bindbench: "0.1.0".into(),
            id: "20261121T081205Z-9f3a".into(),
            command: vec!["bindbench".into(), "run".into()],
            preset: "talk".into(),
            seed: 42,
            started: "2026-11-21T08:12:05Z".into(),
            state: RunState::Finished,
            plan: Plan {
                generations,
                rounds,
                budget_s: 60.0,
                fixed_rounds: false,
                all_twins: false,
                resumed: Vec::new(),
                counters: time_only(),
            },
            environment: Environment {
                os: "linux".into(),
                kernel_release: "6.1.0".into(),
                arch: "x86_64".into(),
                cpu: "Imaginary 9000".into(),
                cpus: vec![0, 1],
                memory_bytes: 16 << 30,
                pinned: true,
                ..Environment::default()
            },
            interpreters: Vec::new(),
            kernels_sha256: Some(KERNELS.into()),
            workloads: Vec::new(),
            lanes: Vec::new(),
            cases: Vec::new(),
            cells: Vec::new(),
            skipped: Vec::new(),
            inputs: Default::default(),
            workers: Vec::new(),
            notes: Vec::new(),
            counting: None,
            unmet: Vec::new(),
            gate: None,
        };
        Self { run, speeds: Vec::new() }
    }

    /// Adds an interpreter.
    pub fn interpreter(&mut self, name: &str, flags: &[&str]) {
        self.run.interpreters.push(Interpreter {
            name: name.into(),
            implementation: "cpython".into(),
            version: name.into(),
            flags: flags.iter().map(|&flag| flag.into()).collect(),
            libpython: None,
            gil_enabled: Some(true),
        });
    }

    /// Adds a workload with the baselines of its controlled and its published tables.
    pub fn workload(&mut self, name: &str, controlled: &[&str], published: &[&str]) {
        let ids = |lanes: &[&str]| lanes.iter().map(|&lane| lane.into()).collect();
        self.run.workloads.push(WorkloadRecord {
            name: name.into(),
            summary: String::new(),
            baseline_controlled: ids(controlled),
            baseline_published: ids(published),
            inputs: std::collections::BTreeMap::new(),
        });
    }

    /// Adds a lane, built for every interpreter there is.
    pub fn lane(&mut self, id: &str, comparison: Comparison) {
        let controlled = comparison == Comparison::Controlled;
        let native = id.starts_with("native/");
        let names = self.run.interpreters.iter().map(|interpreter| Some(interpreter.name.clone()));
        let interpreters: Vec<Option<String>> = if native { vec![None] } else { names.collect() };
        let receipt = |interpreter| ReceiptRecord {
            interpreter,
            artifacts: BTreeMap::new(),
            imports: BTreeMap::new(),
            kernels_sha256: controlled.then(|| KERNELS.into()),
            build: None,
        };
        self.run.lanes.push(LaneRecord {
            id: id.into(),
            summary: String::new(),
            comparison,
            kernel: "rust".into(),
            binding: id.split('/').next().unwrap_or_default().into(),
            gil: Gil::Held,
            parallel: Parallel::None,
            declared: Default::default(),
            commit: None,
            receipts: interpreters.into_iter().map(receipt).collect(),
        });
    }

    /// Adds a case: `workload.operation`, with its input, size and threads.
    pub fn case(&mut self, operation: &str, input: &str, form: Option<Form>, size: Option<u64>, threads: u32) -> u32 {
        let (workload, operation) = operation.split_once('.').expect("a test names workload.operation");
        let id = self.run.cases.len() as u32;
        self.run.cases.push(Case {
            id,
            workload: workload.into(),
            operation: operation.into(),
            input: input.into(),
            form,
            size,
            unit: if form == Some(Form::Bytes) { Unit::Bytes } else { Unit::Items },
            threads,
            net_of_loop: workload == "call",
        });
        id
    }

    /// Adds a cell in which a call takes `nanoseconds`.
    pub fn cell(&mut self, case: u32, lane: &str, interpreter: Option<&str>, nanoseconds: f64) -> u32 {
        let id = self.run.cells.len() as u32;
        self.run.cells.push(Cell {
            id,
            case,
            lane: lane.into(),
            interpreter: interpreter.map(str::to_owned),
            twin: false,
            loops: (5e6 / nanoseconds).clamp(1.0, 1e6) as u64,
            sample_ns: 5_000_000,
            rounds: self.run.plan.rounds,
            alone: false,
            remembers: None,
            status: Status::Ok,
        });
        self.speeds.push(nanoseconds);
        id
    }

    /// Adds the twin of a cell; in truth it takes `factor` as long.
    pub fn twin(&mut self, of: u32, factor: f64) -> u32 {
        let original = self.run.cells[of as usize].clone();
        let speed = self.speeds[of as usize] * factor;
        let id = self.cell(original.case, &original.lane, original.interpreter.as_deref(), speed);
        self.run.cells[id as usize].twin = true;
        self.run.cells[id as usize].loops = original.loops;
        id
    }

    /// Samples every live cell in every round. `noise` is the standard deviation of a sample's log-time; that of a generation is half of it.
    pub fn recorded(self, noise: f64) -> Recorded {
        let mut rng = ChaCha8Rng::seed_from_u64(self.run.seed);
        let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let Plan { generations, rounds, .. } = self.run.plan;
        let mut samples = Vec::new();
        for generation in 0..generations {
            let layouts: Vec<f64> = self.speeds.iter().map(|_| noise / 2.0 * normal()).collect();
            for round in 0..rounds {
                for cell in self.run.cells.iter().filter(|cell| cell.status.has_number()) {
                    let id = cell.id as usize;
                    let empty_ns = self.run.cases[cell.case as usize].net_of_loop.then_some(10 * cell.loops);
                    let time = self.speeds[id] * cell.loops as f64 + empty_ns.unwrap_or(0) as f64;
                    samples.push(Sample {
                        generation,
                        round,
                        position: cell.id,
                        cell: cell.id,
                        loops: cell.loops,
                        elapsed_ns: (time * (layouts[id] + noise * normal()).exp()).round() as u64,
                        empty_ns,
                        digest_ok: true,
                    });
                }
            }
        }
        Recorded { folder: PathBuf::from("runs").join(&self.run.id), run: self.run, samples, damage: Vec::new(), counts: Vec::new() }
    }
}
