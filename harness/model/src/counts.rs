//! Instructions that were counted: how, which is part of `run.json`, and the rows of `counts.csv`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is measured of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Counter {
    /// How long a call takes
    Time,
    /// How many instructions it executes, counted by valgrind: the same every time
    Instructions,
    /// How many instructions it executes, counted by the CPU: much quicker, and nearly the same every time
    Hardware,
}

/// How instructions were counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counting {
    /// What counted: `valgrind-3.19.0`.
    pub tool: String,
    /// Address space layout randomisation was off for what was counted. It can't be switched off everywhere.
    pub fixed_layout: bool,
    /// How often each cell is counted, in fresh processes: what is exact is the same in all of them.
    pub generations: u32,
    /// Cells that can't be counted → why.
    #[serde(default)]
    pub uncounted: BTreeMap<u32, String>,
}

/// A row of `counts.csv`: the instructions of a cell's loop, with some calls and with twice as many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Which set of fresh workers.
    pub generation: u32,
    /// The cell's id.
    pub cell: u32,
    /// Calls in the shorter loop.
    pub loops: u64,
    /// Instructions from one reading of the clock to the other, in the loop with `loops` calls.
    pub instructions: u64,
    /// In the loop with twice as many.
    pub instructions_twice: u64,
    /// The same of the loop without the call; none where times include the loop.
    pub empty: Option<u64>,
    /// Likewise, twice as long.
    pub empty_twice: Option<u64>,
}

impl Count {
    /// Instructions of one call: what twice as many calls execute more, (c(2N) − c(N)) / N, so that whatever a loop does once drops out.
    /// Net of the empty loop, where that was counted.
    pub fn of_a_call(&self) -> f64 {
        let more = self.instructions_twice as f64 - self.instructions as f64;
        let empty = self.empty_twice.zip(self.empty).map_or(0.0, |(twice, once)| twice as f64 - once as f64);
        (more - empty) / self.loops as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(cell: u32) -> Count {
        Count { generation: 1, cell, loops: 4, instructions: 1030, instructions_twice: 1430, empty: None, empty_twice: None }
    }

    #[test]
    fn a_call_is_what_more_calls_execute_more() {
        assert_eq!(count(0).of_a_call(), 100.0);
        assert_eq!(Count { empty: Some(60), empty_twice: Some(80), ..count(0) }.of_a_call(), 95.0);
    }
}
