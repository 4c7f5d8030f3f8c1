//! Finds the cell of a run that a data file names, or says why there is none with a number.

use std::collections::HashMap;

use bindbench_analysis::Analysis;
use bindbench_model::{Case, Cell, Comparison, LaneRecord, Run, Status};
use globset::Glob;

use super::cell_names::{CaseName, CellName};
use super::format;

/// What a cell's name leaves open.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'n> {
    /// The case, unless the cell names one.
    pub case: Option<&'n CaseName>,
    /// The number of threads, unless the cell names one.
    pub threads: u32,
    /// Name of the interpreter, unless the cell names one; none where only native lanes were measured.
    pub interpreter: Option<&'n str>,
}

/// Why a cell can't be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// In words that can follow on a colon.
    pub why: String,
    /// The whole case is missing: another one may be there.
    pub case: bool,
}

impl From<String> for Missing {
    fn from(why: String) -> Self {
        Self { why, case: false }
    }
}

/// The interpreter of a run that a glob means.
pub fn named<'r>(run: &'r Run, glob: &str) -> Option<&'r str> {
    let glob = Glob::new(glob).ok()?.compile_matcher();
    run.interpreters.iter().map(|interpreter| interpreter.name.as_str()).find(|name| glob.is_match(name))
}

/// The cells of a run, twins aside.
#[derive(Debug)]
pub struct Finder<'a> {
    run: &'a Run,
    analysis: &'a Analysis,
    lanes: HashMap<&'a str, &'a LaneRecord>,
    cells: HashMap<(u32, &'a str), Vec<&'a Cell>>,
}

impl<'a> Finder<'a> {
    /// Of all cells.
    pub fn new(run: &'a Run, analysis: &'a Analysis) -> Self {
        let mut cells: HashMap<_, Vec<&Cell>> = HashMap::new();
        for cell in run.cells.iter().filter(|cell| !cell.twin) {
            cells.entry((cell.case, cell.lane.as_str())).or_default().push(cell);
        }
        Self { run, analysis, lanes: run.lanes.iter().map(|lane| (lane.id.as_str(), lane)).collect(), cells }
    }

    /// The cell of that name, which has a number.
    ///
    /// # Errors
    /// Why there is none.
    pub fn find(&self, name: &CellName, setting: Setting) -> Result<&'a Cell, Missing> {
        let (lane, case, threads, python) = match name {
            CellName::Missing(why) => return Err(why.clone().into()),
            CellName::Lane { lane, case, threads, python } => (lane, case.as_ref().or(setting.case), threads, python),
        };
        let interpreter = match python {
            Some(glob) => Some(named(self.run, glob).ok_or_else(|| format!("no interpreter {glob} was measured"))?),
            None => setting.interpreter,
        };
        let named = case.ok_or_else(|| format!("no case is named for {lane}"))?;
        if !self.lanes.contains_key(lane.as_str()) {
            let skipped = self.skipped(lane, interpreter, named);
            let why = skipped.map_or_else(|| format!("{lane} was not measured"), |reason| format!("{lane} was skipped: {reason}"));
            return Err(why.into());
        }
        let case = self.case(named, threads.unwrap_or(setting.threads)).map_err(|why| Missing { why, case: true })?;
        let cells = self.cells.get(&(case.id, lane.as_str())).into_iter().flatten();
        let here = |cell: &&&Cell| cell.interpreter.is_none() || cell.interpreter.as_deref() == interpreter;
        match cells.copied().find(|cell| here(&cell)) {
            Some(cell) => Ok(self.with_a_number(cell)?),
            None => Err(Missing::from(match self.skipped(lane, interpreter, named) {
                Some(reason) => format!("{lane} has no {}: {reason}", named.of_operation()),
                None => format!("{lane} was not measured in {}", self.describe(case)),
            })),
        }
    }

    /// A case in words: `std.std of ints, 5,000, 2 threads`.
    pub fn describe(&self, case: &Case) -> String {
        let mut text = format!("{}.{}", case.workload, case.operation);
        // An operation without a size takes nothing that would be worth a word.
        if let Some(size) = case.size {
            text += &format!(" of {}, {}", case.input, format::size(size, case.unit));
        }
        if case.threads > 1 {
            text += &format!(", {}", format::count(case.threads as usize, "thread"));
        }
        text
    }

    /// The case of a cell.
    pub fn case_of(&self, cell: &Cell) -> &'a Case {
        &self.run.cases[cell.case as usize]
    }

    fn case(&self, named: &CaseName, threads: u32) -> Result<&'a Case, String> {
        let of_operation = |case: &&Case| case.workload == named.workload && case.operation == named.operation;
        let all: Vec<&Case> = self.run.cases.iter().filter(of_operation).collect();
        if all.is_empty() {
            return Err(format!("{} was not measured", named.of_operation()));
        }
        let of_input = |case: &&&Case| named.input.as_ref().is_none_or(|input| case.input == *input);
        let mut found = all.iter().filter(of_input).filter(|case| case.size == named.size && case.threads == threads);
        let threads = if threads > 1 { format!(" with {}", format::count(threads as usize, "thread")) } else { String::new() };
        match (found.next(), found.next()) {
            (Some(case), None) => Ok(case),
            (Some(one), Some(other)) => {
                Err(format!("{named}{threads} stands for several inputs, {} and {}: name one", one.input, other.input))
            }
            (None, _) => Err(format!("{named}{threads} was not measured")),
        }
    }

    /// Why a lane, or its operation, has no cell, as the run noted it.
    fn skipped(&self, lane: &str, interpreter: Option<&str>, case: &CaseName) -> Option<&'a str> {
        let concerns = |operation: &str| {
            let named = operation.split(' ').next().unwrap_or_default();
            named == case.workload || named == case.of_operation()
        };
        let skipped = self.run.skipped.iter().find(|skip| {
            let here = skip.interpreter.is_none() || skip.interpreter.as_deref() == interpreter;
            skip.lane == lane && here && skip.operation.as_deref().is_none_or(concerns)
        });
        skipped.map(|skip| skip.reason.as_str())
    }

    fn with_a_number(&self, cell: &'a Cell) -> Result<&'a Cell, String> {
        if !cell.status.has_number() {
            let status = match &cell.status {
                Status::Wrong { .. } => "wrong".to_owned(),
                other => other.to_string(),
            };
            return Err(format!("{} has no number: {status}", cell.lane));
        }
        if self.analysis.is_wrong(cell.id) {
            return Err(format!("{} has no number: wrong", cell.lane));
        }
        if self.analysis.samples().count(cell.id) == 0 {
            return Err(format!("{} has no sample", cell.lane));
        }
        if self.strayed(cell) {
            return Err(format!("{} is declared controlled, and loads another kernel than the shared one", cell.lane));
        }
        Ok(cell)
    }

    /// A lane declared controlled that was seen to load another library. Systems other than Linux don't tell.
    fn strayed(&self, cell: &Cell) -> bool {
        let Some(lane) = self.lanes.get(cell.lane.as_str()).filter(|lane| lane.comparison == Comparison::Controlled) else {
            return false;
        };
        let receipt = lane.receipts.iter().find(|receipt| receipt.interpreter == cell.interpreter);
        let loaded = receipt.and_then(|receipt| receipt.kernels_sha256.as_ref());
        let told = loaded.is_some() || self.run.environment.os == "linux";
        told && self.run.kernels_sha256.is_some() && loaded != self.run.kernels_sha256.as_ref()
    }
}
