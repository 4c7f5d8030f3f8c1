//! Builds: the steps of a strategy's manifest, run for one interpreter, and the receipt they leave.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use bindbench_catalog::{Need, Strategy};
use bindbench_model::shortened;
use miette::{Context, IntoDiagnostic, Result};

use super::child;
use super::interpreters::Interpreter;
use super::layout::Layout;
use super::lines;
use super::needs::{Tools, remedy};
use super::packages;
use super::receipt::{Artifact, Receipt, TimedBuilds, fingerprint, sha256_of};
use super::without_python_variables;

/// Changes when receipts say something that older ones don't: then everything is built anew, once.
const RECEIPTS: &str = "receipts with lines of sources";

/// A strategy to be built for an interpreter (none for a native one).
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The strategy.
    pub strategy: &'a Strategy,
    /// The interpreter.
    pub interpreter: Option<&'a Interpreter>,
}

/// Where a target stands.
#[derive(Clone, Debug)]
pub enum State {
    /// Built, and everything is as the receipt says.
    Ready(Box<Receipt>),
    /// Can't be built here: why.
    Skipped(String),
    /// Could be built here, and failed when it was tried: why.
    Failed(String),
    /// Built once; what it was built from, or what it left, has changed since: what.
    Stale(String),
    /// Not built yet.
    Unbuilt,
}

impl<'a> Target<'a> {
    fn interpreter_name(&self) -> Option<&'a str> {
        self.interpreter.map(|interpreter| interpreter.name.as_str())
    }

    /// Its receipt's path.
    pub fn receipt_path(&self, layout: &Layout) -> PathBuf {
        layout.receipt(&self.strategy.name, self.interpreter_name())
    }

    /// Where it stands, by its receipt and the files on disk.
    pub fn state(&self, layout: &Layout, tools: &Tools) -> State {
        if let Err(reason) = self.obstacle(tools) {
            return State::Skipped(reason);
        }
        let Some(receipt) = Receipt::read(&self.receipt_path(layout)) else {
            return State::Unbuilt;
        };
        let out = layout.out(&self.strategy.name, self.interpreter_name());
        if receipt.out != out && receipt.out.canonicalize().ok() != out.canonicalize().ok() {
            // What was built knows its own path, and that of the kernels: the checkout was copied or moved.
            return State::Stale(format!("it was built in {}", receipt.out.display()));
        }
        match self.fingerprint(layout, tools) {
            Ok(now) if now == receipt.fingerprint => {}
            Ok(_) => return self.differs(tools, &receipt),
            Err(error) => return State::Skipped(format!("{error}: {}", error.root_cause())),
        }
        if let Some(reason) = &receipt.failure {
            return State::Failed(reason.clone());
        }
        match receipt.artifacts.iter().try_for_each(Artifact::verify) {
            Ok(()) => State::Ready(Box::new(receipt)),
            Err(reason) => State::Stale(reason),
        }
    }

    /// Its fingerprint is another one now: what has changed, as far as the receipt tells.
    fn differs(&self, tools: &Tools, receipt: &Receipt) -> State {
        if !self.strategy.build.steps.is_empty() && tools.versions != receipt.tools {
            if let Some(broken) = tools.broken() {
                return State::Skipped(format!("{broken}; so it is not known whether what was built is still right"));
            }
            let versions = |versions: &BTreeMap<String, String>, tool: &String| versions.get(tool).cloned().unwrap_or("none".to_owned());
            let names: BTreeSet<&String> = tools.versions.keys().chain(receipt.tools.keys()).collect();
            let changed = names.into_iter().filter(|tool| tools.versions.get(*tool) != receipt.tools.get(*tool));
            let changed: Vec<String> = changed
                .map(|tool| format!("{tool} was {}, is {}", versions(&receipt.tools, tool), versions(&tools.versions, tool)))
                .collect();
            return State::Stale(format!("a tool has changed since it was built ({})", changed.join("; ")));
        }
        State::Stale("its sources or the kernels have changed since it was built".to_owned())
    }

    /// What keeps it from being built at all.
    fn obstacle(&self, tools: &Tools) -> Result<(), String> {
        self.strategy.needs.iter().try_for_each(|&need| tools.meet(need))?;
        let Some(interpreter) = self.interpreter else { return Ok(()) };
        interpreter.supported_by(self.strategy)?;
        if self.strategy.needs.contains(&Need::PythonHeaders) && interpreter.include.is_none() {
            return Err(format!("Python.h of {} is missing: {}", interpreter.name, remedy(Need::PythonHeaders)));
        }
        Ok(())
    }

    /// SHA-256 over everything the build depends on.
    fn fingerprint(&self, layout: &Layout, tools: &Tools) -> Result<String> {
        let strategy = self.strategy;
        let mut paths = vec![strategy.folder.clone()];
        paths.extend(strategy.build.depends.iter().map(|path| strategy.folder.join(path)));
        let mut texts = vec![env!("CARGO_PKG_VERSION").to_owned(), RECEIPTS.to_owned()];
        if strategy.needs.contains(&Need::Kernels) {
            texts.push(sha256_of(&layout.kernels_library()).unwrap_or_default());
        }
        if let Some(interpreter) = self.interpreter {
            texts.push(format!("{} {}", interpreter.program.display(), interpreter.description));
        }
        if !strategy.build.steps.is_empty() {
            texts.extend(tools.versions.iter().map(|(tool, version)| format!("{tool} {version}")));
        }
        fingerprint(&paths, &texts).into_diagnostic().wrap_err_with(|| format!("can't read the sources of {}", strategy.name))
    }

    /// Builds it and writes its receipt; a build that fails leaves a receipt that says so.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn build(&self, layout: &Layout, tools: &Tools) -> Result<Receipt> {
        let strategy = self.strategy;
        let started = Instant::now();
        let out = layout.out(&strategy.name, self.interpreter_name());
        let fresh = || -> std::io::Result<()> {
            if out.exists() {
                fs::remove_dir_all(&out)?;
            }
            fs::create_dir_all(&out)
        };
        fresh().into_diagnostic().wrap_err_with(|| format!("can't clear {}", out.display()))?;
        let mut receipt = Receipt {
            strategy: strategy.name.clone(),
            interpreter: self.interpreter_name().map(str::to_owned),
            fingerprint: self.fingerprint(layout, tools)?,
            built: jiff::Timestamp::now().to_string(),
            seconds: 0.0,
            commands: Vec::new(),
            tools: tools.versions.clone(),
            artifacts: Vec::new(),
            out: out.clone(),
            failure: None,
            without_packages: BTreeMap::new(),
            timed: None,
            lines: lines::count(&strategy.folder, &strategy.build.kernel)
                .into_diagnostic()
                .wrap_err_with(|| format!("can't read the sources of {}", strategy.name))?,
        };
        let built = self.run_steps(layout, tools, &mut receipt);
        receipt.failure = built.and_then(|()| packages::install(self, layout, tools, &mut receipt)).err();
        receipt.seconds = started.elapsed().as_secs_f64();
        receipt.write(&self.receipt_path(layout))?;
        Ok(receipt)
    }

    /// Builds it from nothing, then again after its sources were touched. A build that fails is not timed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn time(&self, layout: &Layout, tools: &Tools) -> Result<()> {
        let target = layout.target(&self.strategy.name, self.interpreter_name());
        if target.exists() {
            fs::remove_dir_all(&target).into_diagnostic().wrap_err_with(|| format!("can't clear {}", target.display()))?;
        }
        let clean = self.build(layout, tools)?;
        touch(&self.strategy.folder).into_diagnostic().wrap_err_with(|| format!("can't touch the sources of {}", self.strategy.name))?;
        let mut receipt = self.build(layout, tools)?;
        if clean.failure.is_none() && receipt.failure.is_none() {
            receipt.timed = Some(TimedBuilds { clean_s: clean.seconds, incremental_s: receipt.seconds });
            receipt.write(&self.receipt_path(layout))?;
        }
        Ok(())
    }

    fn run_steps(&self, layout: &Layout, tools: &Tools, receipt: &mut Receipt) -> Result<(), String> {
        let places = self.placeholders(layout, tools, &receipt.out);
        let log_path = layout.log(&self.strategy.name, self.interpreter_name());
        let log = fs::create_dir_all(log_path.parent().unwrap_or(Path::new("."))).and_then(|()| File::create(&log_path));
        let mut log = log.map_err(|error| format!("can't write {}: {error}", log_path.display()))?;
        for step in &self.strategy.build.steps {
            let words = step.iter().map(|word| substitute(word, &places)).collect::<Result<Vec<_>, _>>()?.concat();
            receipt.commands.push(words.clone());
            self.run_step(layout, &words, &mut log, &log_path)?;
        }
        for artifact in &self.strategy.build.artifacts {
            for name in substitute(artifact, &places)? {
                let path = receipt.out.join(&name);
                let artifact = Artifact::of(&path).map_err(|error| format!("the build left no {name}: {error}"))?;
                receipt.artifacts.push(artifact);
            }
        }
        Ok(())
    }

    fn run_step(&self, layout: &Layout, words: &[String], log: &mut File, log_path: &Path) -> Result<(), String> {
        use std::io::Write;
        let failed = |what: String| {
            // Compilers write in the encoding of the locale, and sometimes in none.
            let text = String::from_utf8_lossy(&fs::read(log_path).unwrap_or_default()).into_owned();
            let told = shortened(&what_went_wrong(&text).join("\n  "), 2000).into_owned();
            format!("does not build: {what}\n  {told}\n  all of it: {}", log_path.display())
        };
        let [program, arguments @ ..] = words else {
            return Err("has an empty build step".to_owned());
        };
        let mut prepare = || -> std::io::Result<(File, File)> {
            writeln!(log, "$ {}", words.join(" "))?;
            Ok((log.try_clone()?, log.try_clone()?))
        };
        let (stdout, stderr) = prepare().map_err(|error| format!("can't write {}: {error}", log_path.display()))?;
        let mut command = Command::new(program);
        without_python_variables(&mut command)
            .args(arguments)
            .current_dir(&self.strategy.folder)
            .env(bindbench_protocol::KERNELS, layout.kernels_library())
            // What the surrounding `cargo run` sets for itself is not meant for the builds it starts.
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr);
        let status = child::status(&mut command).map_err(|error| failed(format!("can't run {program}: {error}")))?;
        if status.success() { Ok(()) } else { Err(failed(format!("{program} ended with {status}"))) }
    }

    /// What stands for what in build steps; CONTRIBUTING.md lists them.
    fn placeholders(&self, layout: &Layout, tools: &Tools, out: &Path) -> BTreeMap<&'static str, Vec<String>> {
        let mut places = placeholders_of(layout, self.strategy, self.interpreter, out);
        for tool in ["cc", "cargo", "cython", "maturin", "uv"] {
            if let Some(program) = tools.program(tool) {
                places.insert(tool, vec![program.display().to_string()]);
            }
        }
        places
    }
}

/// The lines of a log that say why a build failed: from the first error on, which others follow from; else the last ones.
fn what_went_wrong(log: &str) -> Vec<&str> {
    const MOST: usize = 8;
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let is_error = |line: &&str| !line.starts_with("$ ") && ["error:", "error[", "Error:"].iter().any(|word| line.contains(word));
    let last = lines.len().saturating_sub(MOST);
    let first = lines.iter().position(is_error).unwrap_or(last).min(last);
    lines[first..].iter().take(MOST).copied().collect()
}

/// Makes every file of a folder look changed to tools that go by times.
fn touch(folder: &Path) -> std::io::Result<()> {
    let now = std::time::SystemTime::now();
    for file in walkdir::WalkDir::new(folder).into_iter().filter_entry(|entry| entry.file_name() != "target") {
        let file = file?;
        if file.file_type().is_file() {
            File::options().append(true).open(file.path())?.set_modified(now)?;
        }
    }
    Ok(())
}

/// The placeholders that need no tool.
pub fn placeholders_of(
    layout: &Layout,
    strategy: &Strategy,
    interpreter: Option<&Interpreter>,
    out: &Path,
) -> BTreeMap<&'static str, Vec<String>> {
    let one = |path: PathBuf| vec![path.display().to_string()];
    let shared: &[&str] = if cfg!(target_os = "macos") { &["-bundle", "-undefined", "dynamic_lookup"] } else { &["-shared", "-fPIC"] };
    let mut places = BTreeMap::from([
        ("source", one(strategy.folder.clone())),
        ("out", one(out.to_owned())),
        ("target", one(layout.target(&strategy.name, interpreter.map(|interpreter| interpreter.name.as_str())))),
        ("kernels", one(layout.kernels())),
        ("kernels_include", one(layout.root().join("impls/kernels/include"))),
        ("extension_flags", shared.iter().map(ToString::to_string).collect()),
    ]);
    if let Some(interpreter) = interpreter {
        places.insert("python", one(layout.environment(&interpreter.name).join("bin/python")));
        places.insert("ext_suffix", vec![interpreter.ext_suffix.clone()]);
        if let Some(include) = &interpreter.include {
            places.insert("python_include", one(include.clone()));
        }
    }
    places
}

/// Puts values in the place of `{names}`. A word that is nothing but a placeholder becomes as many words as that has.
///
/// # Errors
/// When a name stands for nothing.
pub fn substitute(word: &str, places: &BTreeMap<&'static str, Vec<String>>) -> Result<Vec<String>, String> {
    let mut text = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        let Some(values) = places.get(name) else {
            let known = places.keys().copied().collect::<Vec<_>>().join(", ");
            return Err(format!("has an unknown placeholder {{{name}}} in a build step; known here: {known}"));
        };
        if before.is_empty() && after.is_empty() && text.is_empty() {
            return Ok(values.clone());
        }
        text += before;
        text += &values.join(" ");
        rest = after;
    }
    Ok(vec![text + rest])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_log_the_first_error_is_told() {
        let warnings = "a.c:1:2: warning: unused\n".repeat(30);
        let log = format!("$ cc -Werror=x a.c\n{warnings}a.c:9:1: error: first\n{warnings}a.c:10:1: error: second\n{warnings}");
        let told = what_went_wrong(&log);
        assert_eq!((told[0], told.len()), ("a.c:9:1: error: first", 8));
        assert_eq!(what_went_wrong("$ cc a.c\n\nld: nothing found\ncollect2: error: ld returned 1\n").len(), 3);
        assert_eq!(what_went_wrong(&(1..20).map(|n| format!("{n}\n")).collect::<String>())[0], "12");
    }

    #[test]
    fn placeholders_are_put_in_anywhere_and_may_be_several_words() {
        let places = BTreeMap::from([("out", vec!["/o".to_owned()]), ("flags", vec!["-a".to_owned(), "-b".to_owned()])]);
        assert_eq!(substitute("{flags}", &places).expect("known"), ["-a", "-b"]);
        assert_eq!(substitute("-I{out}/x{out}", &places).expect("known"), ["-I/o/x/o"]);
        assert_eq!(substitute("plain", &places).expect("known"), ["plain"]);
        let error = substitute("{nowhere}", &places).expect_err("unknown");
        assert!(error.contains("{nowhere}") && error.contains("flags, out"), "{error}");
    }
}
