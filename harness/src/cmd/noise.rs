//! `bindbench doctor --noise`: what this machine can tell apart, learnt from a short run in which every lane is measured twice.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bindbench_catalog::{Catalog, Input, Preset, Recipe, Selection, matrix};
use bindbench_files::atomic::Scratch;
use bindbench_measure::{Dimensions, Options, Outcome, Watch, begin, environment, neighbours};
use bindbench_model::time_only;
use bindbench_report::noise;
use bindbench_setup::layout::Layout;
use bindbench_store::Recorded;
use bindbench_worker::{Guard, Limits};
use miette::{Context, IntoDiagnostic, Result, miette};

use super::again::command_line;
use super::interrupt::{INTERRUPTED, listen};
use super::{print, say, setup};

/// Watches what others do for so long.
const IDLE: Duration = Duration::from_secs(3);

/// Then measures for about so long, and the workers have to be started besides.
const SAMPLES: Duration = Duration::from_secs(11);

/// On a busy machine all of it takes longer. Then it ends here, with what there is.
const AT_MOST: Duration = Duration::from_secs(60);

/// Enough to tell how far they differ.
const GENERATIONS: u32 = 8;

/// A request that takes longer than this is no sample of a smoke run.
const LONGEST: Duration = Duration::from_secs(60);

/// Measures, and prints what it says about other runs.
///
/// # Errors
/// When the lane to measure with can't be set up, or the disk refuses.
pub(super) fn run(catalogs: &[PathBuf]) -> Result<ExitCode> {
    let catalog = Catalog::read(Layout::find().root(), catalogs)?;
    let lane = usual_baseline(&catalog).ok_or_else(|| miette!("no workload names a lane that others are compared with"))?;
    let selection = Selection { workloads: without_texts(&catalog), lanes: vec![lane.clone()], threads: vec![1], ..Selection::default() };
    let mut workshop = setup::set_up(&selection, Preset::Smoke, catalogs)?;
    workshop.lock_to_read()?;
    let workshop = &workshop;
    let (idle, usual, most) = (IDLE.as_secs(), SAMPLES.as_secs() + 6, AT_MOST.as_secs());
    say(&format!("watching the machine for {idle} s, then measuring it for about {usual} s, or up to {most} s where it is busy"));
    let others = neighbours::watch(IDLE);
    let spanned = matrix(&workshop.catalog, &selection, Preset::Smoke, environment::allowed_cpus().len())?;
    let options = Options {
        preset: Preset::Smoke,
        generations: Some(GENERATIONS),
        rounds: None,
        budget: Some(SAMPLES),
        seed: None,
        limits: Limits { time: LONGEST, memory: environment::available_memory() / 5 * 4 },
        loops_from: None,
        twins: true,
        counters: time_only(),
    };
    let build = workshop.layout.build();
    let folder = Scratch::inside(&build).into_diagnostic();
    let folder = folder.wrap_err_with(|| format!("can't make a folder for the samples in {}", build.display()))?;
    let mut session = begin(workshop, &selection, spanned, &options, folder.path(), command_line())?;
    let pressed = listen()?;
    let interrupt = after(AT_MOST, Arc::clone(&pressed));
    let guard = Guard::with_locks(&session.locks()).into_diagnostic().wrap_err("can't start the guard")?;
    let outcome = session.measure(&options, Watch { guard: &guard, interrupt: &interrupt })?;
    if outcome == Outcome::Interrupted && pressed.load(Ordering::Relaxed) {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let recorded = Recorded::read(session.folder())?;
    let budget = |name, preset| {
        let Dimensions { generations, rounds, .. } = Dimensions::of(preset);
        (name, generations, rounds)
    };
    let budgets = [budget("quick", Preset::Quick), budget("talk", Preset::Talk), budget("full", Preset::Full)];
    print(&noise::text(&recorded, &budgets, others.map(|others| others.busy), others.map(|others| others.stolen)))?;
    Ok(ExitCode::SUCCESS)
}

/// Set when so much time is over, or when the other one is.
fn after(span: Duration, other: Arc<AtomicBool>) -> Arc<AtomicBool> {
    let set = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&set);
    let begun = Instant::now();
    thread::spawn(move || {
        while begun.elapsed() < span && !other.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
        seen.store(true, Ordering::Relaxed);
    });
    set
}

/// The workloads that need no text from anywhere.
fn without_texts(catalog: &Catalog) -> Vec<String> {
    let has_text = |input: &Input| input.arguments.iter().any(|recipe| matches!(recipe, Recipe::Text(_)));
    let without = catalog.workloads.iter().filter(|workload| !workload.inputs.values().any(has_text));
    without.map(|workload| workload.name.clone()).collect()
}

/// The lane that others are compared with in most workloads where each has its own kernel: it takes nothing but Python.
fn usual_baseline(catalog: &Catalog) -> Option<&String> {
    let all: Vec<&String> = catalog.workloads.iter().flat_map(|workload| &workload.baseline.published).collect();
    all.iter().max_by_key(|lane| all.iter().filter(|other| other == lane).count()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_set_in_the_end(flag: &AtomicBool) -> bool {
        (0..1000).any(|_| {
            thread::sleep(Duration::from_millis(20));
            flag.load(Ordering::Relaxed)
        })
    }

    #[test]
    fn it_ends_when_the_time_is_over_or_when_it_is_told_to() {
        let pressed = Arc::new(AtomicBool::new(false));
        assert!(is_set_in_the_end(&after(Duration::from_millis(1), Arc::clone(&pressed))));
        let waiting = after(Duration::from_secs(3600), Arc::clone(&pressed));
        assert!(!waiting.load(Ordering::Relaxed));
        pressed.store(true, Ordering::Relaxed);
        assert!(is_set_in_the_end(&waiting));
    }
}
