//! What a driver would say to a worker, in a file: a worker that reads it does the same work, and nobody has to be there.
//!
//! A worker takes its requests from whatever descriptor an environment variable names. So no other entry into it is needed: a shell opens
//! the file in the place of the driver's pipe.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bindbench_catalog::{Lane, Oracle, passing};
use bindbench_files::atomic;
use bindbench_model::{Case, quoted};
use bindbench_protocol::{Prepare, REPLIES_FD, REQUESTS_FD, Request, Sample};
use bindbench_setup::Workshop;
use bindbench_setup::inputs::make_pool;
use bindbench_worker::Launch;
use miette::{Context, IntoDiagnostic, Result, miette};

/// Descriptors of the worker: the ones that the driver gives it.
const REQUESTS: u32 = 3;
const REPLIES: u32 = 4;

/// The only cell of the worker.
const CELL: u32 = 0;

/// A worker's command line and environment, and the file it takes its requests from.
#[derive(Clone, Debug)]
pub struct Script {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Variables to set, or to remove (none).
    pub environment: BTreeMap<String, Option<String>>,
    /// One request a line.
    pub requests: PathBuf,
}

impl Script {
    /// Writes the requests that make a lane call a case so many times, into a file of their own and into `requests.jsonl` beside it,
    /// which is always the last one's.
    ///
    /// # Errors
    /// When the case's inputs can't be made, or the disk refuses.
    pub fn write(workshop: &Workshop, lane: &Lane, case: &Case, launch: &Launch, calls: u64) -> Result<Self> {
        let folder = workshop.layout.build().join("debug");
        let workload = workshop.catalog.workload(&case.workload).ok_or_else(|| miette!("there is no workload {}", case.workload))?;
        let pool = make_pool(&workshop.layout, &workload.inputs[&case.input], case.size)?;
        let form = case.form.and_then(|form| passing(lane, &case.workload, form));
        let prepare = Prepare {
            cell: CELL,
            workload: case.workload.clone(),
            operation: case.operation.clone(),
            pool: pool.arguments(form),
            threads: case.threads as usize,
            raises: workload.operations[&case.operation].oracle == Oracle::RaisesRuntimeError,
        };
        let mut load = launch.load.clone();
        load.modules.retain(|workload, _| *workload == case.workload);
        let sample = Sample { cell: CELL, loops: calls, first: 0, empty: false, cpus: None };
        let requests = [Request::Load(load), Request::Prepare(prepare), Request::Sample(sample), Request::Finish];
        let mut text = String::new();
        for request in requests {
            text += &serde_json::to_string(&request).into_diagnostic()?;
            text.push('\n');
        }
        let size = case.size.map(|size| format!("-{size}")).unwrap_or_default();
        let name = format!("{}-{}.{}-{}{size}.jsonl", lane.id.replace('/', "-"), case.workload, case.operation, case.input);
        fs::create_dir_all(&folder).into_diagnostic().wrap_err_with(|| format!("can't make {}", folder.display()))?;
        for path in [folder.join(&name), folder.join("requests.jsonl")] {
            atomic::replace(&path, text.as_bytes()).into_diagnostic().wrap_err_with(|| format!("can't write {}", path.display()))?;
        }
        Ok(Self::of(launch, folder.join(name)))
    }

    fn of(launch: &Launch, requests: PathBuf) -> Self {
        let command = launch.command(0);
        let text = |word: &std::ffi::OsStr| word.to_string_lossy().into_owned();
        let mut environment: BTreeMap<String, Option<String>> =
            command.get_envs().map(|(name, value)| (text(name), value.map(text))).collect();
        environment.insert(REQUESTS_FD.to_owned(), Some(REQUESTS.to_string()));
        environment.insert(REPLIES_FD.to_owned(), Some(REPLIES.to_string()));
        let command = std::iter::once(command.get_program()).chain(command.get_args()).map(text).collect();
        Self { command, environment, requests }
    }

    /// The arguments of its program, for a shell: what it reads, and where its replies go.
    pub fn arguments(&self, replies: &str) -> String {
        let words: Vec<String> = self.command.iter().skip(1).map(|word| quoted(word)).collect();
        format!("{} {REQUESTS}<{} {REPLIES}>{replies}", words.join(" "), quoted(&self.requests.to_string_lossy())).trim_start().to_owned()
    }

    /// For pasting into a shell; replies come out on its stdout.
    pub fn for_a_shell(&self) -> String {
        let mut lines = vec!["env".to_owned()];
        for (name, value) in &self.environment {
            lines.push(match value {
                None => format!("-u {}", quoted(name)),
                Some(value) => format!("{}={}", quoted(name), quoted(value)),
            });
        }
        // `env` takes what is to be removed first.
        lines[1..].sort_by_key(|line| !line.starts_with("-u "));
        lines.push(format!("{} {}", quoted(self.program()), self.arguments("&1")));
        lines.join(" \\\n  ") + "\n"
    }

    /// The program.
    pub fn program(&self) -> &str {
        self.command.first().map_or("false", String::as_str)
    }

    /// Folder of the interpreter's own files, where its gdb extension may lie.
    pub fn home(&self) -> Option<PathBuf> {
        let program = Path::new(self.program()).canonicalize().ok()?;
        Some(program.parent()?.parent()?.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_protocol::Load;

    #[test]
    fn a_shell_takes_it_as_it_was_meant() {
        let launch = Launch {
            command: vec!["/a b/python".into(), "-m".into(), "it's".into()],
            environment: [("KEY".to_owned(), "$HOME and more".to_owned())].into(),
            load: Load::default(),
            bare: false,
        };
        let text = Script::of(&launch, PathBuf::from("/x y/r.jsonl")).for_a_shell();
        let words = shlex::split(&text.replace("\\\n", " ")).expect("words");
        for word in ["KEY=$HOME and more", "/a b/python", "it's", "BINDBENCH_REQUESTS_FD=3", "PYTHONHASHSEED=0", "3</x y/r.jsonl", "4>&1"] {
            assert!(words.iter().any(|found| found == word), "{word}: {words:?}");
        }
        assert_eq!(words[0], "env");
    }
}
