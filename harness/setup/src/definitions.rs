//! What lanes' modules define, by their source: nothing of theirs is imported, as that may take its time, or never end.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bindbench_catalog::{Entry, Lane};
use serde::{Deserialize, Serialize};

use super::Workshop;
use super::packages;

/// Lane → operation that its manifest declares, and its module does not define → the module's file.
pub type Undefined = BTreeMap<String, BTreeMap<String, String>>;

#[derive(Serialize)]
struct Asked<'a> {
    paths: Vec<PathBuf>,
    module: &'a str,
    names: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Missing {
    file: String,
    names: Vec<String>,
}

/// What can be told without running anything. Nothing is, where there is no interpreter, or it can't read a module.
pub fn undefined(workshop: &Workshop, lanes: &[&Lane]) -> Undefined {
    let asked: Vec<(&Lane, &str, Asked)> = lanes.iter().flat_map(|lane| asked(workshop, lane)).collect();
    let mut undefined = Undefined::new();
    let answers = answers(workshop, &asked.iter().map(|(_, _, asked)| asked).collect::<Vec<_>>()).unwrap_or_default();
    for ((lane, workload, _), missing) in asked.iter().zip(answers) {
        let Some(Missing { file, names }) = missing else { continue };
        let operations = names.into_iter().map(|name| (format!("{workload}.{name}"), file.clone()));
        undefined.entry(lane.id.clone()).or_default().extend(operations);
    }
    undefined
}

fn asked<'w>(workshop: &'w Workshop, lane: &'w Lane) -> Vec<(&'w Lane, &'w str, Asked<'w>)> {
    let (Entry::Python(modules), Some(strategy)) = (&lane.entry, workshop.catalog.strategy_of(lane)) else { return Vec::new() };
    // What a build has left comes first: an extension tells nothing.
    let outs = workshop.found.iter().map(|interpreter| workshop.layout.out(&strategy.name, Some(&interpreter.name)));
    let with_packages = outs.flat_map(|out| [packages::folder(&out, lane), out]);
    let paths: Vec<PathBuf> = with_packages.chain([strategy.folder.clone()]).collect();
    let of = |(workload, module): (&'w String, &'w String)| {
        let known = workshop.catalog.workload(workload)?;
        let names = known.operations.keys().filter(|operation| lane.has(workload, operation) == Ok(true)).map(String::as_str).collect();
        Some((lane, workload.as_str(), Asked { paths: paths.clone(), module, names }))
    };
    modules.iter().filter_map(of).collect()
}

fn answers(workshop: &Workshop, asked: &[&Asked]) -> Option<Vec<Option<Missing>>> {
    let interpreter = workshop.found.first().filter(|_| !asked.is_empty())?;
    let mut child = Command::new(&interpreter.program)
        .args(["-I", "-S"])
        .arg(workshop.layout.pyscripts().join("operations.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let written = child.stdin.take()?.write_all(&serde_json::to_vec(asked).ok()?);
    let output = child.wait_with_output().ok()?;
    written.ok()?;
    serde_json::from_slice(&output.stdout).ok()
}
