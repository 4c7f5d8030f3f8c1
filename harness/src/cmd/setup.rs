//! `bindbench setup`: environments, builds, receipts, inputs.

use std::path::PathBuf;
use std::process::ExitCode;

use bindbench_catalog::{Input, Preset, Recipe, Selection, matrix};
use bindbench_measure::environment::allowed_cpus;
use bindbench_measure::not_ready;
use bindbench_model::{Case, case_name};
use bindbench_setup::inputs::{Pool, make_pool};
use bindbench_setup::layout::Layout;
use bindbench_setup::room::Wanted;
use bindbench_setup::{Workshop, room, texts};
use clap::Parser;
use miette::Result;

use super::interrupt::AtOnce;
use super::{list, say};

const EXIT_STATUS: &str = "Exit status:
  0  fine; lanes that a wide pattern matches and that can't be built here are listed
  2  usage or configuration
  4  something asked for by name (`-s capi/c`, or all that a pattern matches) can't be measured: the reasons are listed
  130  stopped by Ctrl-C; the next set-up goes on";

/// What to set up; everything when nothing is selected.
#[derive(Clone, Debug, Parser)]
#[command(after_help = EXIT_STATUS)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// The preset whose inputs are made; those of others are made when they are measured
    #[arg(long, value_enum, default_value_t = Preset::Talk)]
    preset: Preset,
    /// Also time how long each strategy takes to build, from nothing and after a change; the report's table of lifecycles shows it
    #[arg(long)]
    time_builds: bool,
}

/// Exit status where something that was asked for by name is not ready.
const NOT_BUILT: u8 = 4;

/// Sets up the selected lanes for the selected interpreters and shows where they stand.
///
/// # Errors
/// When a selection matches nothing, or environments can't be made.
pub fn run(args: &Args, catalogs: &[PathBuf]) -> Result<ExitCode> {
    let _stopped = AtOnce::with("stopped; what is set up stays, and the same command goes on")?;
    let workshop = set_up(&args.selection, args.preset, catalogs)?;
    if args.time_builds {
        let lanes = args.selection.lanes(&workshop.catalog)?;
        workshop.time_builds(&lanes, &workshop.interpreters(&args.selection.pythons, &lanes)?)?;
    }
    list::show(&workshop, &args.selection, false)?;
    let unmet = not_ready(&workshop, &args.selection)?;
    if unmet.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    // The reasons stand below the table.
    let names = unmet.iter().map(|what| what.split(" (").next().unwrap_or_default()).collect::<Vec<_>>();
    say(&format!("exit status {NOT_BUILT}: asked for by name, and not ready: {}", names.join(", ")));
    Ok(ExitCode::from(NOT_BUILT))
}

/// The set-up itself.
///
/// # Errors
/// As above.
pub fn set_up(selection: &Selection, preset: Preset, catalogs: &[PathBuf]) -> Result<Workshop> {
    let workshop = Workshop::open(Layout::find(), catalogs)?;
    let cases = matrix(&workshop.catalog, selection, preset, allowed_cpus().len())?.cases;
    set_up_in(workshop, selection, &cases)
}

/// The same in a workshop that is open already, with the inputs of these cases.
///
/// # Errors
/// As above.
pub(super) fn set_up_in(mut workshop: Workshop, selection: &Selection, cases: &[Case]) -> Result<Workshop> {
    let catalog = workshop.catalog.clone();
    let lanes = selection.lanes(&catalog)?;
    let interpreters = workshop.interpreters(&selection.pythons, &lanes)?;
    workshop.lock_to_change()?;
    let inputs: Vec<(&Case, &Input)> =
        cases.iter().filter_map(|case| Some((case, catalog.workload(&case.workload)?.inputs.get(&case.input)?))).collect();
    let (of_text, others): (Vec<_>, Vec<_>) =
        inputs.iter().partition(|(_, input)| input.arguments.iter().any(|recipe| matches!(recipe, Recipe::Text(_))));
    // Before anything that takes long. How many slices a text has is known when it is there.
    check_room(&workshop, &others)?;
    workshop.set_up(&lanes, &interpreters)?;
    if !of_text.is_empty() {
        texts::make(&workshop.layout)?;
    }
    check_room(&workshop, &inputs)?;
    for (case, input) in inputs {
        make_pool(&workshop.layout, input, case.size)?;
    }
    Ok(workshop)
}

/// Looks whether all inputs have room. What workers need of memory is looked at when they are to be started.
fn check_room(workshop: &Workshop, inputs: &[(&Case, &Input)]) -> Result<()> {
    let wanted = inputs.iter().map(|(case, input)| {
        let pool = Pool::plan(&workshop.layout, input, case.size)?;
        Ok(Wanted { what: case_name(case), pool, worker_bytes: 0 })
    });
    Ok(room::check(&workshop.layout.inputs(), &wanted.collect::<Result<Vec<_>>>()?)?)
}
