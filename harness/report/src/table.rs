//! A table of a report, independent of how it is shown: lanes compared on one operation, input, form and interpreter.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bindbench_model::{Comparison, Form, Unit};
use bindbench_stats::{Estimate, Resolution, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use super::growth::Growth;

/// Lanes compared on one operation and input.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Table {
    /// `kmp`.
    pub workload: String,
    /// `find_all`.
    pub operation: String,
    /// Name of the input.
    pub input: String,
    /// How it is passed.
    pub form: Option<Form>,
    /// Name of the interpreter; none when only native lanes were measured.
    pub interpreter: Option<String>,
    /// What its lanes are declared to be; [`Table::kind`] is what they are.
    pub comparison: Comparison,
    /// For controlled tables: whether one kernel is behind all lanes.
    pub kernel: Kernel,
    /// Times are net of the empty loop.
    pub net_of_loop: bool,
    /// What sizes count.
    pub unit: Unit,
    /// By size and threads; within that the fastest first, lanes without a number last.
    pub rows: Vec<Row>,
    /// How the lanes grow with the size; none where there is one size only.
    pub growth: Option<Growth>,
    /// Lanes whose rows are not like for like → what differs.
    pub unlike: BTreeMap<String, Vec<String>>,
}

impl Table {
    /// `controlled`, `as published`, or `not controlled` when lanes declared so load different kernels.
    pub fn kind(&self) -> String {
        match self.kernel {
            Kernel::Differs(_) => "not controlled".to_owned(),
            _ => self.comparison.to_string(),
        }
    }

    /// The rows of one case: that in which most lanes have a ratio, of these the one with the fewest threads, then the largest.
    pub fn representative(&self) -> Vec<&Row> {
        let cases = self.rows.chunk_by(|a, b| (a.size, a.threads) == (b.size, b.threads));
        let key = |rows: &&[Row]| {
            let ratios = rows.iter().filter(|row| row.ratio.is_some()).count();
            (ratios, Reverse(rows[0].threads), rows[0].size)
        };
        cases.max_by_key(key).unwrap_or_default().iter().collect()
    }
}

/// Whether the lanes of a table share one kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// Each lane has its own: as published.
    OfTheirOwn,
    /// One file behind all of them; its SHA-256, where known.
    Shared(Option<String>),
    /// Declared controlled, and not so: lanes with the SHA-256 they load (none: they load no kernels library).
    Differs(Vec<(String, Option<String>)>),
}

/// A lane in a case.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Row {
    /// The cell's id in `run.json` and `samples.csv`.
    pub cell: u32,
    /// The lane's id.
    pub lane: String,
    /// The lane needs no Python: it stands in every interpreter's table.
    pub native: bool,
    /// Size of the input.
    pub size: Option<u64>,
    /// Python threads calling at the same time.
    pub threads: u32,
    /// Time of one call, in nanoseconds.
    pub time_ns: Option<Estimate>,
    /// The time can't be told from that of the empty loop.
    pub near_zero: bool,
    /// The lane that the ratio refers to.
    pub baseline: Option<String>,
    /// Time over the baseline's time: below 1 is faster.
    pub ratio: Option<Estimate>,
    /// What the ratio says; none for the baseline itself and where there is no ratio.
    pub verdict: Option<Verdict>,
    /// Units of size done in a second by all threads together.
    pub throughput_per_s: Option<f64>,
    /// Throughput over that of one thread.
    pub scaling: Option<Estimate>,
    /// What this run can't tell apart in this case.
    pub resolution: Option<Resolution>,
    /// How many samples the numbers rest on.
    pub samples: usize,
    /// `ok`, or why there is no number.
    pub status: String,
}

impl Row {
    /// Ratios of this case refer to this lane.
    pub fn is_baseline(&self) -> bool {
        self.baseline.as_ref() == Some(&self.lane)
    }
}
