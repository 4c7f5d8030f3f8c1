//! How the workers of what was set up are started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bindbench_catalog::{Entry, Lane};
use bindbench_protocol::{BPE, KERNELS, Load};
use bindbench_worker::Launch;
use miette::{Result, miette};

use super::build::{placeholders_of, substitute};
use super::interpreters::Interpreter;
use super::receipt::Receipt;
use super::{Workshop, packages};

/// How to start the worker of a lane that is ready.
///
/// # Errors
/// When a native lane's command has an unknown placeholder.
pub fn launch(workshop: &Workshop, lane: &Lane, interpreter: Option<&Interpreter>, receipt: &Receipt) -> Result<Launch> {
    let strategy = workshop.catalog.strategy_of(lane).ok_or_else(|| miette!("{} belongs to no strategy", lane.id))?;
    let mut launch = launch_from(workshop, (lane, &strategy.folder), interpreter, receipt, &workshop.layout.pyscripts())?;
    if interpreter.is_some() {
        // It imports what people edit: nothing is to be left beside that.
        launch.environment.insert("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned());
    }
    Ok(launch)
}

/// The same with the lane's sources, and the worker's package, in these folders.
///
/// # Errors
/// As above.
pub fn launch_from(
    workshop: &Workshop,
    (lane, sources): (&Lane, &Path),
    interpreter: Option<&Interpreter>,
    receipt: &Receipt,
    worker: &Path,
) -> Result<Launch> {
    let strategy = workshop.catalog.strategy_of(lane).ok_or_else(|| miette!("{} belongs to no strategy", lane.id))?;
    let layout = &workshop.layout;
    let mut environment = BTreeMap::from([
        (KERNELS.to_owned(), layout.kernels_library().display().to_string()),
        (BPE.to_owned(), layout.bpe().display().to_string()),
    ]);
    let mut modules = BTreeMap::new();
    let command = match (&lane.entry, interpreter) {
        (Entry::Python(names), Some(interpreter)) => {
            modules.clone_from(names);
            environment.insert("PYTHONPATH".to_owned(), worker.display().to_string());
            vec![workshop.python(interpreter).display().to_string(), "-m".to_owned(), "bindbench_worker".to_owned()]
        }
        (Entry::Python(_), None) => return Err(miette!("{} needs an interpreter", lane.id)),
        (Entry::Native { command, .. }, _) => {
            let mut places = placeholders_of(layout, strategy, None, &receipt.out);
            places.insert("source", vec![sources.display().to_string()]);
            let words: Result<Vec<_>, _> = command.iter().map(|word| substitute(word, &places)).collect();
            words.map_err(|error| miette!("{} {error}", lane.id))?.concat()
        }
    };
    let mut paths: Vec<PathBuf> = vec![receipt.out.clone(), sources.to_owned()];
    if lane.packages.is_some() {
        paths.insert(0, packages::folder(&receipt.out, lane));
    }
    Ok(Launch { command, environment, load: Load { lane: lane.id.clone(), paths, modules, cpus: None, timeless: false }, bare: false })
}
