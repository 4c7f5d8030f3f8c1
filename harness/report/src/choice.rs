//! The selection grammar over cells that were recorded: there is no catalog to ask, so the names are those of the runs.

use bindbench_catalog::{CatalogError, Patterns, Selection, Size, nearest};
use bindbench_model::CellKey;

/// Which recorded cells a selection means.
#[derive(Debug)]
pub struct Choice {
    operations: Patterns,
    lanes: Patterns,
    interpreters: Patterns,
    sizes: Vec<u64>,
    threads: Vec<u32>,
}

impl Choice {
    /// Compiles a selection.
    ///
    /// # Errors
    /// When a pattern is none, or when it, a size or a number of threads matches nothing among the cells.
    pub fn new(selection: &Selection, cells: &[&CellKey]) -> Result<Self, CatalogError> {
        let names = |of: fn(&CellKey) -> Vec<String>| cells.iter().map(|key| of(key)).collect::<Vec<_>>();
        let sizes: Vec<String> = cells.iter().filter_map(|key| Some(Size(key.size?).to_string())).collect();
        known("--size", &selection.sizes.iter().map(Size::to_string).collect::<Vec<_>>(), &sizes)?;
        let threads: Vec<String> = cells.iter().map(|key| key.threads.to_string()).collect();
        known("--threads", &selection.threads.iter().map(u32::to_string).collect::<Vec<_>>(), &threads)?;
        Ok(Self {
            operations: Patterns::compile("--workload", &selection.workloads, &names(operation))?,
            lanes: Patterns::compile("--lane", &selection.lanes, &names(lane))?,
            interpreters: Patterns::compile("--python", &selection.pythons, &names(interpreter))?,
            sizes: selection.sizes.iter().map(|&Size(size)| size).collect(),
            threads: selection.threads.clone(),
        })
    }

    /// Whether a cell is meant.
    pub fn has(&self, key: &CellKey) -> bool {
        self.operations.select(&operation(key))
            && self.lanes.select(&lane(key))
            && (key.interpreter.is_none() || self.interpreters.select(&interpreter(key)))
            && (self.sizes.is_empty() || key.size.is_none_or(|size| self.sizes.contains(&size)))
            && (self.threads.is_empty() || self.threads.contains(&key.threads))
    }
}

/// All of what was given is there.
fn known(option: &'static str, given: &[String], there: &[String]) -> Result<(), CatalogError> {
    match given.iter().find(|given| !there.contains(given)) {
        None => Ok(()),
        Some(none) => Err(CatalogError::NoMatch { option, pattern: none.clone(), side: "", nearest: nearest(none, there) }),
    }
}

fn operation(key: &CellKey) -> Vec<String> {
    vec![key.workload.clone(), format!("{}.{}", key.workload, key.operation)]
}

fn lane(key: &CellKey) -> Vec<String> {
    vec![key.lane.clone()]
}

/// A version stands for all that it is the beginning of: `3.13` for `3.13.0`.
fn interpreter(key: &CellKey) -> Vec<String> {
    let Some(name) = &key.interpreter else { return Vec::new() };
    let shorter = name.match_indices('.').map(|(at, _)| name[..at].to_owned());
    shorter.chain([name.clone(), "all".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(lane: &str, operation: &str, size: Option<u64>, interpreter: Option<&str>) -> CellKey {
        let (workload, operation) = operation.split_once('.').unwrap();
        CellKey {
            lane: lane.into(),
            workload: workload.into(),
            operation: operation.into(),
            input: "x".into(),
            size,
            bytes: false,
            threads: 1,
            interpreter: interpreter.map(str::to_owned),
        }
    }

    #[test]
    fn names_come_from_what_was_recorded() {
        let keys = [
            key("pyo3/held", "std.std", Some(10), Some("3.13.0")),
            key("pyo3/held", "std.sum", Some(5000), Some("3.12.1")),
            key("native/rust", "std.sum", Some(10), None),
        ];
        let chosen = |change: fn(&mut Selection)| {
            let mut selection = Selection::default();
            change(&mut selection);
            let choice = Choice::new(&selection, &keys.iter().collect::<Vec<_>>()).map_err(|error| error.to_string())?;
            Ok::<_, String>(keys.iter().map(|key| choice.has(key)).collect::<Vec<_>>())
        };
        assert_eq!(chosen(|_| {}).unwrap(), [true; 3]);
        assert_eq!(chosen(|s| s.workloads = vec!["std".into(), "!std.std".into()]).unwrap(), [false, true, true]);
        assert_eq!(chosen(|s| s.pythons = vec!["3.13".into()]).unwrap(), [true, false, true], "native lanes have no interpreter");
        assert_eq!(chosen(|s| s.sizes = vec![Size(10)]).unwrap(), [true, false, true]);
        assert_eq!(chosen(|s| s.threads = vec![1]).unwrap(), [true; 3]);
        assert_eq!(chosen(|s| s.threads = vec![2]).unwrap_err(), "--threads 2 matches nothing");
        assert_eq!(chosen(|s| s.sizes = vec![Size(10), Size(11)]).unwrap_err(), "--size 11 matches nothing");
        assert_eq!(chosen(|s| s.lanes = vec!["pyo/held".into()]).unwrap_err(), "--lane pyo/held matches nothing");
    }
}
