//! What two sides were measured on and with, and where they differ: some differences are good to know, others forbid a comparison.

use std::collections::{BTreeMap, BTreeSet};

use bindbench_model::{CellKey, Run};
use bindbench_store::pyperf::Suite;

/// What is known of one side: a name and a value each.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Where these differ, a ratio would say nothing of the lanes.
    decisive: BTreeMap<String, String>,
    /// Builds of interpreters, which are as decisive, by their names.
    interpreters: BTreeMap<String, String>,
    /// Where these differ, a reader should know.
    noted: BTreeMap<String, String>,
}

/// Where two sides differ: a sentence each.
#[derive(Debug, Default)]
pub(super) struct Differing {
    /// They should not be compared.
    pub(super) decisive: Vec<String>,
    /// Good to know.
    pub(super) noted: Vec<String>,
}

impl Facts {
    /// The machine, as far as it is known.
    pub(super) fn machine(&self) -> Option<&String> {
        self.decisive.get("CPU model")
    }

    /// Forgets the interpreters that no cell of interest runs in.
    pub(super) fn keep_interpreters(&mut self, names: &BTreeSet<String>) {
        self.interpreters.retain(|name, _| names.contains(name));
    }

    /// Where `after` differs from this.
    pub(super) fn differing(&self, after: &Self) -> Differing {
        // What only one of the two knows can't be compared: another set of inputs, a tool that the other did not need.
        let both = |before: &BTreeMap<String, String>, after: &BTreeMap<String, String>| {
            let pairs = before.iter().filter_map(|(name, value)| Some((name.clone(), value.clone(), after.get(name)?.clone())));
            pairs.filter(|(_, value, other)| value != other).collect::<Vec<_>>()
        };
        let say = |(name, value, other): (String, String, String)| format!("{name}: {value} → {other}");
        let mut decisive: Vec<String> = both(&self.decisive, &after.decisive).into_iter().map(say).collect();
        let builds = both(&self.interpreters, &after.interpreters);
        decisive.extend(builds.into_iter().map(|(name, value, other)| format!("Python {name} is another build: {value} → {other}")));
        Differing { decisive, noted: both(&self.noted, &after.noted).into_iter().map(say).collect() }
    }
}

fn or_unknown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "not told".to_owned(), |value| value.to_string())
}

/// What a run has recorded.
pub(super) fn of_run(run: &Run) -> Facts {
    let environment = &run.environment;
    let mut facts = Facts::default();
    let mut decisive = |name: &str, value: String| facts.decisive.insert(name.to_owned(), value);
    decisive("CPU model", environment.cpu.clone());
    decisive("system", format!("{} {}", environment.os, environment.arch));
    for (file, sha256) in &run.inputs {
        decisive(&format!("the input {file}"), crate::format::digest(sha256).to_owned());
    }
    for cell in &run.cells {
        let case = &run.cases[cell.case as usize];
        let form = case.form.map_or_else(|| "no form".to_owned(), |form| form.to_string());
        let net = if case.net_of_loop { "net of the loop" } else { "with the loop" };
        decisive(&format!("the contract of {}", CellKey::of(cell, run).case()), format!("{form}, {net}"));
        decisive(&format!("what {}.{} is made of", case.workload, case.input), or_unknown(run.made_of(case)));
    }
    for interpreter in &run.interpreters {
        let build = format!("{} ({})", interpreter.version, interpreter.flags.join(", "));
        facts.interpreters.insert(interpreter.name.clone(), build);
    }
    let mut noted = |name: &str, value: String| facts.noted.insert(name.to_owned(), value);
    noted("bindbench", run.bindbench.clone());
    noted("kernel release", environment.kernel_release.clone());
    noted("CPUs", format!("{:?}", environment.cpus));
    noted("memory, GiB", (environment.memory_bytes >> 30).to_string());
    noted("frequency governor", or_unknown(environment.governor.clone()));
    noted("address space layout randomisation", or_unknown(environment.aslr));
    noted("autogroup", or_unknown(environment.autogroup));
    noted("workers pinned", environment.pinned.to_string());
    noted("garbage collector", environment.gc.clone());
    noted("Unicode", or_unknown(environment.unicode.clone()));
    noted("machine busy before the first sample", busy(run).to_owned());
    if let Some(counting) = &run.counting {
        noted("what counted instructions", counting.tool.clone());
        noted("the same layout for all that was counted", counting.fixed_layout.to_string());
    }
    noted("generations", run.plan.generations.to_string());
    noted("rounds", run.plan.rounds.to_string());
    noted("kernels library", or_unknown(run.kernels_sha256.as_deref().map(crate::format::digest)));
    for (tool, version) in &environment.tools {
        noted(&format!("tool {tool}"), version.clone());
    }
    for interpreter in &run.interpreters {
        noted(&format!("libpython of {}", interpreter.name), interpreter.libpython.clone().unwrap_or_else(|| "linked in".to_owned()));
        let gil = interpreter.gil_enabled.map(|on| if on { "on" } else { "off" });
        noted(&format!("GIL of {}", interpreter.name), or_unknown(gil));
    }
    for lane in &run.lanes {
        if let Some(commit) = &lane.commit {
            noted(&format!("commit of {}", lane.id), commit.clone());
        }
    }
    noted("notes", if run.notes.is_empty() { "none".to_owned() } else { run.notes.join(" ") });
    facts
}

/// As the report warns of it.
fn busy(run: &Run) -> &'static str {
    let environment = &run.environment;
    match environment.load_before {
        Some(load) if load > 0.5 * environment.cpus.len() as f64 => "yes",
        Some(_) => "no",
        None => "not told",
    }
}

/// What pyperf has recorded.
pub(super) fn of_pyperf(suite: &Suite) -> Facts {
    let mut facts = Facts::default();
    let Some(benchmark) = suite.benchmarks.first() else { return facts };
    let text = |name: &str| suite.of(benchmark, name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    for (ours, theirs) in
        [("CPU model", "cpu_model_name"), ("Python implementation", "python_implementation"), ("Python", "python_version")]
    {
        facts.decisive.extend(text(theirs).map(|value| (ours.to_owned(), value)));
    }
    for (ours, theirs) in [("platform", "platform"), ("host", "hostname"), ("pyperf", "perf_version"), ("CPU affinity", "cpu_affinity")] {
        facts.noted.extend(text(theirs).map(|value| (ours.to_owned(), value)));
    }
    facts
}
