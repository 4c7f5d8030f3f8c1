//! `bindbench doctor`: what is here, what is missing, and the command that installs it.

use std::path::PathBuf;
use std::process::ExitCode;

use bindbench_catalog::Need;
use bindbench_inspect::Backend;
use bindbench_measure::callgrind::{Callgrind, REMEDY};
use bindbench_measure::instrument::Instrument;
use bindbench_model::Counter;
use bindbench_setup::Workshop;
use bindbench_setup::layout::Layout;
use bindbench_setup::needs::remedy;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, LineStyle, Table};
use miette::{Diagnostic, Result, bail};

use super::{noise, print};

/// What to look at.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Measure the machine instead, for 20 s, or a minute where it is busy: how finely runs here tell things apart, and what disturbs them
    #[arg(long)]
    noise: bool,
}

/// Looks around and prints what it sees; changes nothing. Exit status 2 when nothing could be measured here.
///
/// # Errors
/// When a manifest is not as it should be, or what the machine is measured with can't be set up.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    if args.noise {
        return noise::run(catalogs);
    }
    let workshop = Workshop::open(Layout::find(), catalogs)?;
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none())).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["what", "found", "what to do"]);
    for (need, tool) in [(Need::Cargo, "rustc"), (Need::Cc, "cc"), (Need::Cython, "cython"), (Need::Maturin, "maturin")] {
        let found = workshop.tools.versions.get(tool).cloned();
        let what_to_do = if found.is_some() { "" } else { remedy(need) };
        table.add_row([tool, found.as_deref().unwrap_or("missing"), what_to_do]);
    }
    let callgrind = Callgrind::find().ok().map(|callgrind| callgrind.version);
    let what_to_do = format!("only to count instructions (`run --counter instructions`): {REMEDY}");
    let what_to_do = if callgrind.is_some() { "" } else { &what_to_do };
    table.add_row(["valgrind", callgrind.as_deref().unwrap_or("missing"), what_to_do]);
    let refused = Instrument::of(&[Counter::Hardware]).err();
    let found = refused.as_ref().map_or_else(|| "works".to_owned(), ToString::to_string);
    let what_to_do = refused.map_or("", |_| "only to count instructions quickly: `run --counter hardware`");
    table.add_row(["CPU's counters", &found, what_to_do]);
    for interpreter in &workshop.found {
        let found = format!("{}  {}", interpreter.program.display(), interpreter.flags.join(", "));
        let headers = if interpreter.include.is_some() { "" } else { remedy(Need::PythonHeaders) };
        table.add_row([interpreter.name.as_str(), found.trim_end(), headers]);
    }
    if workshop.found.is_empty() {
        table.add_row(["Python 3.9 or newer", "missing", remedy(Need::PythonHeaders)]);
    } else if !workshop.found.iter().any(|interpreter| interpreter.has_venv) && which::which("uv").is_err() {
        let venv = "apt install python3-venv | install uv from PyPI";
        table.add_row(["venv", "no interpreter has it", venv]);
    }
    if cfg!(feature = "pyspy") {
        let refused = Backend::PySpy.choose(1, || bail!("py-spy needs nothing to be built")).err();
        let found = refused.as_ref().map_or_else(|| "allowed".to_owned(), ToString::to_string);
        let what_to_do = refused.and_then(|refused| Some(refused.help()?.to_string())).unwrap_or_default();
        table.add_row(["ptrace, for py-spy", &found, &what_to_do]);
    }
    print(&format!("{table}\n"))?;
    let enough = !workshop.found.is_empty();
    Ok(if enough { ExitCode::SUCCESS } else { ExitCode::from(2) })
}
