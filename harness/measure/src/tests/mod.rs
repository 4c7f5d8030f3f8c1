//! The run loop, tried with scripted workers.

mod calibration;
mod order;
mod resuming;
mod script;
mod troubles;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use bindbench_catalog::Preset;
use bindbench_model::{Comparison, Run, Sample, Status, time_only};
use bindbench_protocol::{Load, Sample as Ask};
use bindbench_setup::frozen::Frozen;
use bindbench_setup::layout::Layout;
use bindbench_setup::oracle::Expected;
use bindbench_store::synthetic::Synthetic;
use bindbench_store::{Recorded, RunFolder};
use bindbench_worker::{Launch, Limits};
use tempfile::TempDir;

use super::contender::Contender;
use super::crew::Gear;
use super::{Options, Outcome, Session};
use script::{Asked, Script};

/// Items in the pool of every cell.
const ITEMS: usize = 4;

/// A session and its folder.
struct Tried {
    folder: TempDir,
    session: Session,
}

impl Tried {
    /// A run of some lanes in two cases, `call.add` net of the loop and `std.sum`, in two generations of three rounds. All is calibrated.
    fn with(lanes: &[&str], edit: impl FnOnce(&mut Run)) -> Self {
        let mut made = Synthetic::new(2, 3);
        made.interpreter("3.13.0", &[]);
        ["call", "std"].iter().for_each(|workload| made.workload(workload, &[], &[]));
        lanes.iter().for_each(|lane| made.lane(lane, Comparison::AsPublished));
        for operation in ["call.add", "std.sum"] {
            let case = made.case(operation, "x", None, None, 1);
            for lane in lanes {
                let cell = made.cell(case, lane, Some("3.13.0"), 1_000.0);
                made.run.cells[cell as usize].loops = 4;
                made.run.cells[cell as usize].sample_ns = 4_000;
            }
        }
        made.run.state = bindbench_model::RunState::Running;
        edit(&mut made.run);
        Self::of(made.run, Vec::new())
    }

    fn of(run: Run, recorded: Vec<Sample>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        symlink(repository.join("pyscripts"), folder.path().join("pyscripts")).unwrap();
        let frozen = Frozen::of(&Layout::at(folder.path()), &run.id).unwrap();
        let run_folder = RunFolder::create(&folder.path().join("runs"), &run).unwrap();
        let launch = |lane: &str| Launch {
            command: vec!["worker".into()],
            environment: BTreeMap::new(),
            load: Load { lane: lane.into(), ..Load::default() },
            bare: false,
        };
        let launches = run.cells.iter().map(|cell| ((cell.lane.clone(), cell.interpreter.clone()), launch(&cell.lane))).collect();
        let contenders = run.cells.iter().map(|cell| contender(cell.id, &run)).collect();
        let limits = Limits { time: Duration::from_secs(1), memory: 1 << 30 };
        let gear = Gear { launches, imports: BTreeMap::new(), frozen, contenders, limits, logs: folder.path().to_owned() };
        let session = Session {
            done: recorded.iter().map(|sample| (sample.generation, sample.round)).collect(),
            run,
            folder: run_folder,
            gear,
            recorded,
            resting: BTreeSet::new(),
            counts: Vec::new(),
            kernels_name: "kernels.so".into(),
            build: None,
            company: None,
        };
        Self { folder, session }
    }

    fn measure(&mut self, script: &Script) -> Outcome {
        let options = Options {
            preset: Preset::Smoke,
            generations: None,
            rounds: None,
            budget: None,
            seed: None,
            limits: self.session.gear.limits,
            loops_from: None,
            twins: false,
            counters: time_only(),
        };
        self.session.measure(&options, script).unwrap()
    }

    /// What is on disk.
    fn recorded(&self) -> Recorded {
        let runs = self.folder.path().join("runs");
        Recorded::read(&runs.join(&self.session.run.id)).unwrap()
    }

    fn status(&self, lane: &str) -> &Status {
        &self.session.run.cells.iter().find(|cell| cell.lane == lane).unwrap().status
    }
}

fn contender(cell: u32, run: &Run) -> Contender {
    let case = &run.cases[run.cells[cell as usize].case as usize];
    let mut contender = Contender::for_answers(vec![Expected::Exactly(script::right()); ITEMS]);
    contender.prepare.cell = cell;
    contender.prepare.workload.clone_from(&case.workload);
    contender.prepare.operation.clone_from(&case.operation);
    contender.net_of_loop = case.net_of_loop;
    contender
}

/// The samples that were asked for, but for those that warm up: of each worker, cell by cell, the first.
fn samples(asked: &[Asked]) -> Vec<(Asked, Ask)> {
    let mut warm = BTreeSet::new();
    let is_sample = |asked: &Asked| match &asked.request {
        bindbench_protocol::Request::Sample(sample) => Some((asked.clone(), sample.clone())),
        _ => None,
    };
    asked.iter().filter_map(is_sample).filter(|(asked, sample)| !warm.insert((asked.worker, sample.cell))).collect()
}
