//! Set-up: interpreters, environments, builds, receipts, inputs. Everything it makes is below `build/`.

// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod bpe;
pub mod build;
mod cargo_library;
pub mod checkout;
pub mod child;
pub mod definitions;
pub mod environments;
pub mod frozen;
pub mod imports;
pub mod inputs;
pub mod interpreters;
mod kernels;
pub mod launch;
pub mod layout;
pub mod lines;
pub mod needs;
pub mod oracle;
pub mod packages;
mod place;
pub mod receipt;
pub mod room;
pub mod samplers;
pub mod texts;

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bindbench_catalog::{Catalog, Lane, Need, Strategy};
use bindbench_files::atomic;
use bindbench_files::lock::{Lock, LockError};
use indicatif::{ProgressBar, ProgressStyle};
use miette::{Context, IntoDiagnostic, Result, miette};
use rayon::prelude::*;

use build::{State, Target};
use interpreters::{Interpreter, InterpreterError};
use layout::Layout;
use needs::Tools;

/// What is on this machine and what was set up of it.
#[derive(Debug)]
pub struct Workshop {
    /// Where things are.
    pub layout: Layout,
    /// All strategies and workloads.
    pub catalog: Catalog,
    /// All interpreters found, newest first.
    pub found: Vec<Interpreter>,
    /// The programs that build.
    pub tools: Tools,
    /// That of `build/`, once somebody changes or measures what is there.
    lock: Option<Arc<Lock>>,
}

impl Workshop {
    /// Reads the catalog and looks around. Changes nothing, but removes what processes that were killed had begun to write.
    ///
    /// # Errors
    /// When a manifest is not as it should be.
    pub fn open(layout: Layout, catalogs: &[std::path::PathBuf]) -> Result<Self> {
        let catalog = Catalog::read(layout.root(), catalogs)?;
        Ok(Self::with(layout, catalog))
    }

    /// The same with a catalog that was read already.
    pub fn with(layout: Layout, catalog: Catalog) -> Self {
        for folder in [layout.build(), layout.inputs(), layout.texts()] {
            atomic::sweep(&folder);
        }
        let found = interpreters::find(&layout.probe());
        let tools = Tools::find(&layout.tools());
        Self { layout, catalog, found, tools, lock: None }
    }

    /// Keeps other drivers from `build/`, for as long as this is there.
    ///
    /// # Errors
    /// When one is at work there.
    pub fn lock_to_change(&mut self) -> Result<()> {
        let lock = Lock::to_change(&self.layout.build_lock(), &self.layout.build())?;
        child::guard(&lock).into_diagnostic().wrap_err("can't start the guard")?;
        self.lock = Some(Arc::new(lock));
        Ok(())
    }

    /// Keeps other drivers from changing `build/`, for as long as this, or what is returned, is there.
    ///
    /// # Errors
    /// When one is at work there.
    pub fn lock_to_read(&mut self) -> Result<Arc<Lock>, LockError> {
        let lock = match self.lock.take() {
            Some(lock) => {
                lock.share()?;
                lock
            }
            None => Arc::new(Lock::to_read(&self.layout.build_lock(), &self.layout.build())?),
        };
        Ok(Arc::clone(self.lock.insert(lock)))
    }

    /// The interpreters a selection means.
    ///
    /// # Errors
    /// When one is not there.
    pub fn interpreters(&self, wanted: &[String], lanes: &[&Lane]) -> Result<Vec<Interpreter>> {
        let strategies = self.strategies_of(lanes, |lane| !lane.is_native());
        let probe = self.layout.probe();
        interpreters::pick(&self.found, wanted, &strategies, &probe).map_err(|error| match error {
            InterpreterError::None if self.found.is_empty() => interpreters::none(&probe).into(),
            error => error.into(),
        })
    }

    /// The strategies of those of the lanes for which `wanted` holds.
    fn strategies_of(&self, lanes: &[&Lane], wanted: impl Fn(&Lane) -> bool) -> Vec<&Strategy> {
        let is_one = |strategy: &&Strategy| lanes.iter().any(|lane| lane.strategy == strategy.name && wanted(lane));
        self.catalog.strategies.iter().filter(is_one).collect()
    }

    /// What has to be built for these lanes and interpreters: strategies with native lanes once, those with others for each interpreter.
    pub fn targets<'a>(&'a self, lanes: &[&Lane], interpreters: &'a [Interpreter]) -> Vec<Target<'a>> {
        let native = self.strategies_of(lanes, Lane::is_native).into_iter().map(|strategy| Target { strategy, interpreter: None });
        let others = self.strategies_of(lanes, |lane| !lane.is_native()).into_iter();
        let each =
            others.flat_map(|strategy| interpreters.iter().map(move |interpreter| Target { strategy, interpreter: Some(interpreter) }));
        native.chain(each).collect()
    }

    /// Where a lane stands for an interpreter.
    pub fn state(&self, lane: &Lane, interpreter: Option<&Interpreter>) -> State {
        let supported = |implementation: &String| lane.implementations.as_ref().is_none_or(|names| names.contains(implementation));
        if let Some(interpreter) = interpreter.filter(|interpreter| !supported(&interpreter.implementation)) {
            return State::Skipped(format!("{} does not run on {}", lane.id, interpreter.implementation));
        }
        let Some(strategy) = self.catalog.strategy_of(lane) else { return State::Unbuilt };
        match (Target { strategy, interpreter }).state(&self.layout, &self.tools) {
            State::Ready(receipt) => {
                let environment = interpreter.map_or(Ok(()), |one| environments::as_made(one, &self.layout.environment(&one.name)));
                match (receipt.without_packages.get(&lane.id), environment) {
                    (Some(reason), _) => State::Skipped(reason.clone()),
                    (None, Err(reason)) => State::Stale(reason),
                    (None, Ok(())) => State::Ready(receipt),
                }
            }
            other => other,
        }
    }

    /// That of `build/`, where it is held.
    pub fn lock(&self) -> Option<Arc<Lock>> {
        self.lock.clone()
    }

    /// Makes environments, the kernels, and all that is not built yet or no longer what its receipt says.
    ///
    /// # Errors
    /// When environments or kernels can't be made. A strategy that can't be built is no error: its receipt says why.
    pub fn set_up(&mut self, lanes: &[&Lane], interpreters: &[Interpreter]) -> Result<()> {
        place::check_checkout(self.layout.root())?;
        self.strategies_of(lanes, |_| true).iter().try_for_each(|strategy| place::check_strategy(&strategy.folder))?;
        let steps = spinner();
        steps.set_message("tools from PyPI");
        environments::make_tools(&self.layout.tools(), &self.layout.tools_lock(), &self.found)?;
        self.tools = Tools::find(&self.layout.tools());
        steps.set_message("environments");
        let uv = self.tools.program("uv").ok_or_else(|| {
            let help = "`bindbench clean` removes all that set-up made; `bindbench setup` makes it again";
            miette!(help = help, "the environment of the tools, {}, has no uv: it is damaged", self.layout.tools().display())
        })?;
        for interpreter in interpreters {
            environments::make_for(interpreter, &self.layout.environment(&interpreter.name), uv)?;
        }
        if self.strategies_of(lanes, |_| true).iter().any(|strategy| strategy.needs.contains(&Need::Kernels))
            && self.tools.meet(Need::Kernels).is_ok()
        {
            steps.set_message("kernels");
            kernels::build(&self.layout, &self.tools)?;
        }
        steps.set_message("vocabulary");
        bpe::make(&self.layout.bpe())?;
        steps.finish_and_clear();
        let built = self.build_all(&self.targets(lanes, interpreters));
        let left = child::end_what_is_left();
        if !left.is_empty() {
            // Whoever closed stderr does not want to know.
            writeln!(io::stderr(), "build steps left processes behind ({}), which were killed", left.join(", ")).ok();
        }
        built
    }

    /// Builds what is not ready, each target on a core of its own.
    fn build_all(&self, targets: &[Target]) -> Result<()> {
        let todo: Vec<&Target> = targets
            .par_iter()
            .filter(|target| match target.state(&self.layout, &self.tools) {
                // A build that failed is tried again: whatever kept it may have been mended outside of what a fingerprint sees.
                State::Failed(_) | State::Stale(_) | State::Unbuilt => true,
                State::Skipped(_) | State::Ready(_) => false,
            })
            .collect();
        let bar = ProgressBar::new(todo.len() as u64).with_style(bar_style("building {msg}"));
        bar.enable_steady_tick(std::time::Duration::from_millis(500));
        todo.par_iter().try_for_each(|target| {
            let name = match target.interpreter {
                Some(interpreter) => format!("{} for {}", target.strategy.name, interpreter.name),
                None => target.strategy.name.clone(),
            };
            bar.set_message(name);
            let built = target.build(&self.layout, &self.tools);
            bar.inc(1);
            built.map(drop)
        })?;
        bar.finish_and_clear();
        Ok(())
    }

    /// Builds every target twice, one target after the other: from nothing, and again after its sources were touched. The receipts keep
    /// how long each took.
    ///
    /// # Errors
    /// As [`Workshop::set_up`].
    pub fn time_builds(&self, lanes: &[&Lane], interpreters: &[Interpreter]) -> Result<()> {
        let targets: Vec<Target> =
            self.targets(lanes, interpreters).into_iter().filter(|target| !target.strategy.build.steps.is_empty()).collect();
        let bar = ProgressBar::new(targets.len() as u64).with_style(bar_style("building {msg} twice"));
        bar.enable_steady_tick(std::time::Duration::from_millis(500));
        for target in targets {
            bar.set_message(target.strategy.name.clone());
            target.time(&self.layout, &self.tools)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Program of an interpreter's environment.
    pub fn python(&self, interpreter: &Interpreter) -> std::path::PathBuf {
        self.layout.environment(&interpreter.name).join("bin/python")
    }
}

/// Without the user's own settings of Python: they are not meant for what set-up runs.
pub fn without_python_variables(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PYTHON")) {
        command.env_remove(name);
    }
    command
}

fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} set-up: {msg} [{elapsed}]").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// The style of all progress bars: what is done, how far it is, time left.
pub fn bar_style(what: &str) -> ProgressStyle {
    let template = format!("[{{bar:30}}] {{pos}}/{{len}} {what} (left: {{eta}})");
    ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

/// Removes all that set-up made.
///
/// # Errors
/// When a driver is at work there, or the disk refuses.
pub fn clean(layout: &Layout) -> Result<()> {
    let build = layout.build();
    if !build.exists() {
        return Ok(());
    }
    let lock = Lock::to_change(&layout.build_lock(), &build)?;
    let removed =
        std::fs::read_dir(&build).and_then(|mut entries| entries.try_for_each(|entry| remove(&entry?.path(), &layout.build_lock())));
    drop(lock);
    // Another driver may have made it anew already.
    std::fs::remove_dir(&build).ok();
    removed.into_diagnostic().wrap_err_with(|| format!("can't remove {}", build.display()))
}

fn remove(path: &Path, but: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(path)? {
        _ if path == but => Ok(()),
        folder if folder.is_dir() => std::fs::remove_dir_all(path),
        _ => std::fs::remove_file(path),
    }
}
