//! Inputs that no sample has: what a lane makes of them it can't have kept from a sample.

use bindbench_model::Cell;
use bindbench_protocol::{Pass, Probe, Reply, Request};
use bindbench_setup::oracle::FRESH_CALLS;
use bindbench_stats::median;
use bindbench_worker::Transport;
use std::time::Duration;

use super::crew::Crew;
use super::trouble::{Trouble, compare, unexpected};

/// Calls on fresh inputs go on for about this long; there is one at least.
const SPAN: Duration = Duration::from_millis(100);

/// A lane so many times as fast on what it has seen remembers it. Caches and branch predictors do less for a lane that computes: up to
/// 2.1 times was seen, for texts of 1 KiB that are cut into tokens.
const MUCH: f64 = 3.0;

/// A difference below this is what reading the clock costs, more or less.
const SHORTEST_NS: f64 = 1_000.0;

/// Of few inputs a chance disturbance, or what is cold at first, may be half: then each has to say so, and more clearly.
const MANY: usize = 8;
const MUCH_OF_FEW: f64 = 4.0;
const SHORTEST_OF_FEW_NS: f64 = 500_000.0;

/// Calls a cell's operation on fresh inputs, as many as there is time for, and then on the same again and again. Where the last call is by
/// far the quicker one, returns how many times: the lane remembers what it has seen. Both clocks have to say so, as a process's CPU time is little
/// where others do the work, and wall time is much where others want the CPU; and each half of the inputs, as the machine's speed may have changed
/// between first calls and last ones.
///
/// # Errors
/// The status of a cell whose answers are wrong.
pub fn remembers(crew: &mut Crew<impl Transport>, cell: &Cell, call_ns: u64) -> Result<Option<f64>, Trouble> {
    let contender = &crew.gear.contenders[cell.id as usize];
    let all = contender.fresh.inputs.len();
    let inputs: Vec<usize> = (0..all.min((SPAN.as_nanos() as u64 / (FRESH_CALLS as u64 * call_ns.max(1))).max(1) as usize)).collect();
    // A worker that gets no input twice has nothing from what it remembers.
    let passes = if contender.once.is_some() { 1 } else { FRESH_CALLS as u32 };
    let mut halves = Vec::new();
    for half in inputs.chunks(inputs.len().div_ceil(2).max(1)) {
        halves.push(match &ask(crew, cell, half, passes)?[..] {
            [first, .., last] => smaller(ratio(&first.cpu_ns, &last.cpu_ns), ratio(&first.wall_ns, &last.wall_ns)),
            _ => None,
        });
    }
    Ok(halves.into_iter().reduce(smaller).flatten())
}

/// The smaller one of two, if there are two.
fn smaller(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    Some(one?.min(other?))
}

/// Whether a lane still calls the functions that it is given: one call on a fresh input that has one, if there is any.
///
/// # Errors
/// As above.
pub fn still_calls(crew: &mut Crew<impl Transport>, cell: &Cell, number: usize) -> Result<(), Trouble> {
    let fresh = &crew.gear.contenders[cell.id as usize].fresh;
    if !fresh.has_functions() {
        return Ok(());
    }
    ask(crew, cell, &[number % fresh.inputs.len()], 1).map(drop)
}

/// The answers to some of a cell's fresh inputs, which are right.
fn ask(crew: &mut Crew<impl Transport>, cell: &Cell, inputs: &[usize], passes: u32) -> Result<Vec<Pass>, Trouble> {
    let contender = &crew.gear.contenders[cell.id as usize];
    if inputs.is_empty() {
        return Ok(Vec::new());
    }
    let request = Request::Probe(Probe {
        workload: contender.prepare.workload.clone(),
        operation: contender.prepare.operation.clone(),
        inputs: inputs.iter().map(|&input| contender.fresh.inputs[input].clone()).collect(),
        passes,
    });
    let found = match crew.ask_without_inputs(cell, &request)? {
        Reply::Probed { passes: found } => found,
        other => return Err(unexpected(&other)),
    };
    let fits = |pass: &Pass| [pass.answers.len(), pass.cpu_ns.len(), pass.wall_ns.len()] == [inputs.len(); 3];
    if found.len() != passes as usize || !found.iter().all(fits) {
        return Err(unexpected(&Reply::Probed { passes: found }));
    }
    let call = if contender.fresh.has_functions() { ", a function that has to be called with 0, 1, … n − 1 in this order" } else { "" };
    for (time, pass) in found.iter().enumerate() {
        for (&input, answer) in inputs.iter().zip(&pass.answers) {
            let again = if time == 0 { "" } else { ", given again" };
            let name = || format!("fresh input {input}{call}{again}");
            compare(&contender.fresh.expected[input][time], answer, name).map_err(Trouble::Cell)?;
        }
    }
    Ok(found)
}

/// How many times as fast later calls are as first ones, where they are so beyond doubt.
fn ratio(first_ns: &[u64], second_ns: &[u64]) -> Option<f64> {
    let pairs = || first_ns.iter().zip(second_ns).map(|(&first, &second)| (first as f64, second.max(1) as f64));
    let of_pairs = median(&mut pairs().map(|(first, second)| first / second).collect::<Vec<_>>())?;
    let first = median(&mut pairs().map(|(first, _)| first).collect::<Vec<_>>())?;
    let second = median(&mut pairs().map(|(_, second)| second).collect::<Vec<_>>())?;
    let times = of_pairs.min(first / second);
    let clear = if first_ns.len() < MANY {
        pairs().all(|(first, second)| first > MUCH_OF_FEW * second) && first - second > SHORTEST_OF_FEW_NS
    } else {
        times > MUCH && first - second > SHORTEST_NS
    };
    clear.then_some(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_that_remembers_is_by_far_the_quicker_one_the_second_time() {
        let of = |first: u64, second: u64, count: usize| ratio(&vec![first; count], &vec![second; count]);
        assert_eq!(of(50_000, 500, 32), Some(100.0));
        assert_eq!(of(50_000, 25_000, 32), None, "as branch predictors and caches do");
        assert_eq!(of(900, 300, 32), None, "so short that the clock is most of it");
        assert_eq!((of(7_000_000, 2_000_000, 3), of(7_000_000, 1_000_000, 3)), (None, Some(7.0)), "of few more is asked");
        assert_eq!(of(250_000, 20_000, 1), None, "what is cold at first");
        assert_eq!(of(0, 0, 0), None);
        assert_eq!(of(5_000, 0, 9), Some(5_000.0), "a clock that ticks seldom");
    }

    #[test]
    fn a_few_calls_that_were_disturbed_are_no_memory() {
        let first: Vec<u64> = (0..32).map(|at| if at % 3 == 0 { 900_000 } else { 50_000 }).collect();
        assert_eq!(ratio(&first, &[50_000; 32]), None);
        assert_eq!(ratio(&[900_000, 50_000, 900_000], &[50_000; 3]), None);
        // A machine with two speeds: every other call of either kind is slow.
        let (first, second): (Vec<u64>, Vec<u64>) = (0..32).map(|at| if at % 2 == 0 { (11_000, 10_000) } else { (11_000, 3_000) }).unzip();
        assert_eq!(ratio(&first, &second), None);
        let second: Vec<u64> = (0..32).map(|at| if at % 3 == 0 { 900_000 } else { 500 }).collect();
        assert!(ratio(&[50_000; 32], &second).is_some());
    }
}
