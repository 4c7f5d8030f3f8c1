//! Which samples are taken, in which order, and what is asked of whom.

use std::collections::{BTreeMap, BTreeSet};

use bindbench_model::{RunState, Unit};
use bindbench_protocol::Request;

use super::super::{Outcome, schedule};
use super::script::Script;
use super::{Tried, samples};

const LANES: [&str; 3] = ["a/a", "b/b", "c/c"];

/// Rows of `samples.csv`: generation, round, cell.
fn places(tried: &Tried) -> Vec<(u32, u32, u32)> {
    tried.recorded().samples.iter().map(|sample| (sample.generation, sample.round, sample.cell)).collect()
}

fn measured(script: &Script) -> Tried {
    let mut tried = Tried::with(&LANES, |_| ());
    assert_eq!(tried.measure(script), Outcome::Finished);
    tried
}

#[test]
fn every_cell_is_sampled_once_in_each_round_of_each_generation() {
    let places = places(&measured(&Script::fine()));
    assert_eq!(places.len(), 2 * 3 * 6);
    assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), places.len());
}

#[test]
fn what_is_on_disk_is_in_the_order_that_the_seed_draws() {
    let tried = measured(&Script::fine());
    let run = &tried.session.run;
    let drawn = (0..2).flat_map(|generation| {
        (0..3).flat_map(move |round| {
            schedule::round(&run.cells, run.seed, generation, round).order.into_iter().map(move |cell| (generation, round, cell))
        })
    });
    assert_eq!(places(&tried), drawn.collect::<Vec<_>>());
}

#[test]
fn positions_count_the_samples_of_a_round() {
    let rows = measured(&Script::fine()).recorded().samples;
    for round in rows.chunk_by(|a, b| (a.generation, a.round) == (b.generation, b.round)) {
        assert_eq!(round.iter().map(|row| row.position).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    }
}

#[test]
fn one_seed_is_one_order_and_another_is_another() {
    let of = |seed| {
        let mut tried = Tried::with(&LANES, |run| run.seed = seed);
        tried.measure(&Script::fine());
        places(&tried)
    };
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
}

#[test]
fn lanes_of_a_case_follow_each_other() {
    let rows = measured(&Script::fine()).recorded().samples;
    for round in rows.chunk_by(|a, b| (a.generation, a.round) == (b.generation, b.round)) {
        let cases: Vec<u32> = round.iter().map(|row| row.cell / 3).collect();
        assert!(cases[..3].iter().all(|case| *case == cases[0]) && cases[3..].iter().all(|case| *case == 1 - cases[0]), "{cases:?}");
    }
}

#[test]
fn lanes_of_a_case_begin_a_round_at_the_same_input() {
    let script = Script::fine();
    measured(&script);
    let mut begun: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let samples = samples(&script.asked());
    for (at, (_, sample)) in samples.iter().enumerate() {
        begun.entry(at / 6).or_default().insert(sample.first);
    }
    assert!(begun.values().all(|firsts| firsts.len() == 1), "{begun:?}");
    assert!(begun.values().flatten().collect::<BTreeSet<_>>().len() > 1, "every round begins at the same");
}

#[test]
fn a_cell_with_fewer_rounds_takes_part_in_the_first_ones() {
    let mut tried = Tried::with(&LANES, |run| run.cells[1].rounds = 1);
    tried.measure(&Script::fine());
    let own: Vec<_> = places(&tried).into_iter().filter(|(.., cell)| *cell == 1).collect();
    assert_eq!(own, [(0, 0, 1), (1, 0, 1)]);
    assert_eq!(places(&tried).len(), 2 * (3 * 5 + 1));
}

#[test]
fn a_row_has_what_the_worker_said() {
    for row in measured(&Script::fine()).recorded().samples {
        assert_eq!((row.loops, row.elapsed_ns, row.digest_ok), (4, 5, true));
        assert_eq!(row.empty_ns, (row.cell < 3).then_some(2), "only `call` is net of the loop");
    }
}

#[test]
fn only_what_is_net_of_it_is_asked_for_an_empty_loop() {
    let script = Script::fine();
    measured(&script);
    assert!(samples(&script.asked()).iter().all(|(_, sample)| sample.empty == (sample.cell < 3) && sample.loops == 4));
}

#[test]
fn each_generation_has_fresh_workers_with_a_hash_seed_of_its_own() {
    let script = Script::fine();
    measured(&script);
    let started = script.started();
    assert_eq!(started.len(), 2 * 3);
    let (first, second) = started.split_at(3);
    for generation in [first, second] {
        assert_eq!(generation.iter().map(|(lane, _)| lane.as_str()).collect::<BTreeSet<_>>(), LANES.into());
        assert!(generation.iter().all(|(_, seed)| *seed == generation[0].1 && *seed != 0));
    }
    assert_ne!(first[0].1, second[0].1);
}

#[test]
fn workers_are_not_always_started_in_the_same_order() {
    let orders: BTreeSet<Vec<String>> = (0..8)
        .map(|seed| {
            let script = Script::fine();
            Tried::with(&LANES, |run| run.seed = seed).measure(&script);
            script.started().into_iter().take(3).map(|(lane, _)| lane).collect()
        })
        .collect();
    assert!(orders.len() > 1);
}

#[test]
fn a_worker_loads_then_prepares_each_cell_once_then_is_sampled() {
    let script = Script::fine();
    measured(&script);
    for worker in 0..6 {
        let own: Vec<Request> = script.asked().into_iter().filter(|asked| asked.worker == worker).map(|asked| asked.request).collect();
        assert!(matches!(own[0], Request::Load(_)));
        assert!(matches!(own[1], Request::Prepare(_)));
        let prepared = own.iter().filter(|request| matches!(request, Request::Prepare(_))).count();
        assert_eq!(prepared, 2);
        assert_eq!(own.last(), Some(&Request::Finish));
        assert_eq!(own.iter().filter(|request| **request == Request::Finish).count(), 1);
    }
}

#[test]
fn warming_up_is_in_no_row_and_precedes_every_round() {
    let script = Script::fine();
    let tried = measured(&script);
    let asked = script.asked();
    let all = asked.iter().filter(|asked| matches!(asked.request, Request::Sample(_))).count();
    assert_eq!(all, places(&tried).len() + 2 * 6);
}

#[test]
fn a_slow_cell_is_not_warmed_up() {
    let script = Script::fine();
    let mut tried = Tried::with(&["a/a"], |run| run.cells[0].sample_ns = 60_000_000);
    tried.measure(&script);
    let of = |cell: u32| {
        let is_one = |request: &Request| matches!(request, Request::Sample(sample) if sample.cell == cell);
        script.asked().iter().filter(|asked| is_one(&asked.request)).count()
    };
    assert_eq!((of(0), of(1)), (6, 6 + 2));
}

#[test]
fn what_does_not_fit_beside_the_others_is_made_and_dropped_around_every_sample() {
    let script = Script::fine();
    let mut tried = Tried::with(&["a/a"], |run| run.cells[1].alone = true);
    tried.measure(&script);
    let own: Vec<&'static str> = script
        .asked()
        .iter()
        .filter_map(|asked| match &asked.request {
            Request::Prepare(prepare) if prepare.cell == 1 => Some("prepare"),
            Request::Sample(sample) if sample.cell == 1 => Some("sample"),
            Request::Drop { cell: 1 } => Some("drop"),
            _ => None,
        })
        .collect();
    assert_eq!(own, ["prepare", "sample", "drop"].repeat(6));
}

#[test]
fn a_worker_is_told_to_stay_on_its_cpus_once() {
    let script = Script::fine();
    let mut tried = Tried::with(&["a/a"], |_| ());
    tried.session.gear.contenders.iter_mut().for_each(|contender| contender.cpus = Some(vec![1]));
    tried.measure(&script);
    let told: Vec<_> = script
        .asked()
        .into_iter()
        .filter_map(|asked| match asked.request {
            Request::Sample(sample) => Some((asked.worker, sample.cpus?)),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(0, vec![1]), (1, vec![1])]);
}

#[test]
fn the_record_of_a_worker_has_its_import_its_memory_and_its_first_calls() {
    let tried = measured(&Script::fine());
    let run = tried.recorded().run;
    assert_eq!(run.workers.len(), 6);
    for worker in &run.workers {
        assert_eq!((worker.import_ns, worker.peak_resident_bytes), (11, Some(1 << 20)));
        assert_eq!(worker.first_calls.iter().map(|first| run.cells[first.cell as usize].case).collect::<Vec<_>>(), [0, 1]);
        assert!(!worker.twin && worker.interpreter.as_deref() == Some("3.13.0"));
    }
}

#[test]
fn a_run_that_is_done_says_so_on_disk() {
    let run = measured(&Script::fine()).recorded().run;
    assert_eq!(run.state, RunState::Finished);
    assert!(run.environment.load_after.is_some());
    assert_eq!(run.cases[0].unit, Unit::Items);
}
