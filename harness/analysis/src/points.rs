//! From the rows of a run to the points that statistics take: nanoseconds of one call, in the series of the cell's id.

use std::collections::BTreeMap;

use bindbench_model::{Count, Run, Sample};
use bindbench_stats::{Instructions, Point, Samples};

/// A run's samples, by cell. A cell of which a sample had a wrong answer has none; where the case asks for it they are net of the empty loop.
pub fn samples(run: &Run, samples: &[Sample]) -> Samples {
    let wrong = wrong(run, samples);
    let right = samples.iter().filter(|sample| !wrong[sample.cell as usize]);
    Samples::new(run.cells.len(), right.map(|sample| (sample.cell, point(run, sample))))
}

/// Whether a sample of a cell had a wrong answer, by the cells' ids.
pub(super) fn wrong(run: &Run, samples: &[Sample]) -> Vec<bool> {
    let mut wrong = vec![false; run.cells.len()];
    samples.iter().filter(|sample| !sample.digest_ok).for_each(|sample| wrong[sample.cell as usize] = true);
    wrong
}

fn point(run: &Run, sample: &Sample) -> Point {
    let calls = sample.loops.max(1) as f64;
    let is_net = run.cases[run.cells[sample.cell as usize].case as usize].net_of_loop;
    Point {
        generation: sample.generation,
        round: sample.round,
        value: sample.elapsed_ns as f64 / calls,
        overhead: is_net.then(|| sample.empty_ns.unwrap_or(0) as f64 / calls),
    }
}

/// What one generation says of pairs of base, head and base's twin, by the cells' ids: the log-ratios of head, and of the twin, to base.
pub fn of_generation(run: &Run, samples: &[Sample], pairs: &[(u32, u32, Option<u32>)]) -> Vec<Option<(f64, f64)>> {
    let mut cells: BTreeMap<u32, Vec<Point>> = BTreeMap::new();
    samples.iter().for_each(|sample| cells.entry(sample.cell).or_default().push(point(run, sample)));
    let wrong = wrong(run, samples);
    let points = |cell: u32| cells.get(&cell).filter(|_| !wrong[cell as usize]).map(Vec::as_slice);
    pairs.iter().map(|&(base, head, twin)| bindbench_stats::of_generation(points(base)?, points(head)?, points(twin?)?)).collect()
}

/// Instructions of one call of a cell; none where it was not counted.
pub fn instructions(cell: u32, counts: &[Count]) -> Option<Instructions> {
    Instructions::of(counts.iter().filter(|count| count.cell == cell).map(Count::of_a_call))
}
