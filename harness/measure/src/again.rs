//! What has to be the same for a run that was stopped to go on: its numbers are to be of one machine, and of one build.

use std::collections::BTreeMap;

use bindbench_model::{Environment, Interpreter, Run};
use bindbench_setup::imports::Imports;

/// Why a run can't go on here.
///
/// # Errors
/// What differs, in a sentence.
pub fn same_machine(run: &Run, now: &Environment) -> Result<(), String> {
    let then = &run.environment;
    let known = [
        ("the CPU", &then.cpu, &now.cpu),
        ("the system", &then.os, &now.os),
        ("the system's kernel", &then.kernel_release, &now.kernel_release),
        ("the architecture", &then.arch, &now.arch),
    ];
    if let Some((what, then, now)) = known.into_iter().find(|(_, then, now)| !then.is_empty() && then != now) {
        return Err(format!("{what} was {then:?} when the run began, and is {now:?} now: one run is one machine"));
    }
    if let Some(missing) = then.cpus.iter().find(|cpu| !now.cpus.contains(cpu)) {
        return Err(format!("it was begun on CPUs {:?}, and CPU {missing} is not allowed now (`taskset`, a container?)", then.cpus));
    }
    match (&then.unicode, &now.unicode) {
        (Some(then), Some(now)) if then != now => {
            return Err(format!("Unicode was {then} when the run began, and is {now} now: texts are cut anew"));
        }
        _ => {}
    }
    let (Some(then), Some(now)) = (&then.variables, &now.variables) else { return Ok(()) };
    let of = |variables: &BTreeMap<String, String>, name| variables.get(name).map_or("not set".to_owned(), |value| format!("{value:?}"));
    let names = then.keys().chain(now.keys()).filter(|name| *name != SEARCH_PATH);
    match names.into_iter().find(|name| then.get(*name) != now.get(*name)) {
        Some(name) => Err(format!(
            "the variable {name} was {} when the run began, and is {} now: it can change what is measured",
            of(then, name),
            of(now, name)
        )),
        None => Ok(()),
    }
}

/// `cargo run` sets it for what it starts: the same run may have been begun by cargo and go on without, so it is only noted. Which libraries
/// a lane loads is known besides.
const SEARCH_PATH: &str = "LD_LIBRARY_PATH";

/// Why what was measured then is not what is here.
///
/// # Errors
/// What differs, in a sentence.
pub fn same_programs(run: &Run, interpreters: &[Interpreter], kernels_sha256: Option<&str>) -> Result<(), String> {
    for then in &run.interpreters {
        let Some(now) = interpreters.iter().find(|now| now.name == then.name) else {
            return Err(format!("Python {} is not here any more", then.name));
        };
        let identity = |known: &Interpreter| (known.implementation.clone(), known.version.clone(), known.flags.clone());
        if identity(then) != identity(now) {
            return Err(format!(
                "Python {} is another build than when the run began: {:?} then, {:?} now",
                then.name, then.version, now.version
            ));
        }
    }
    match (run.kernels_sha256.as_deref(), kernels_sha256) {
        (Some(then), now) if Some(then) != now => {
            let short = |sha256: &str| format!("{sha256:.12}…");
            let now = now.map_or("is not built".to_owned(), |now| format!("has SHA-256 {}", short(now)));
            Err(format!(
                "the shared kernels library (impls/kernels) {now}, and the run was begun with {}: one run is one build",
                short(then)
            ))
        }
        _ => Ok(()),
    }
}

/// Checks that lanes import what they did when the run began. Returns a note where that is not known.
///
/// # Errors
/// Which lane does not, and what.
pub fn same_imports(begun: &Run, imports: &BTreeMap<(String, Option<String>), Imports>) -> Result<Option<String>, String> {
    let mut unknown = false;
    for lane in &begun.lanes {
        for receipt in &lane.receipts {
            let Some(imports) = imports.get(&(lane.id.clone(), receipt.interpreter.clone())) else { continue };
            unknown |= receipt.imports.is_empty();
            if let Some(what) = imports.unlike(&receipt.imports).first() {
                return Err(format!("{}: {what} changed since the run began: one run is one build", lane.id));
            }
        }
    }
    let note = "When the run went on, it was not known whether its lanes' sources were still the same: it was begun by a bindbench that kept no \
                digests.";
    Ok(unknown.then(|| note.to_owned()))
}

/// What differs and is no reason not to go on; a reader should know it.
pub fn differences(run: &Run, now: &Environment) -> Vec<String> {
    let then = &run.environment;
    let text = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
    let of = |number: Option<u32>| text(number.map(|number| number.to_string()));
    let search = |of: &Environment| of.variables.as_ref().and_then(|variables| variables.get(SEARCH_PATH).cloned()).unwrap_or_default();
    let facts = [
        (SEARCH_PATH, search(then), if then.variables.is_some() { search(now) } else { String::new() }),
        ("bindbench", run.bindbench.clone(), env!("CARGO_PKG_VERSION").to_owned()),
        ("the frequency governor", text(then.governor.clone()), text(now.governor.clone())),
        ("kernel.randomize_va_space", of(then.aslr), of(now.aslr)),
        ("kernel.sched_autogroup_enabled", of(then.autogroup.map(u32::from)), of(now.autogroup.map(u32::from))),
    ];
    let differs = |(what, then, now): (&str, String, String)| {
        (then != now).then(|| format!("When the run went on, {what} was {now}; {then} before."))
    };
    facts.into_iter().filter_map(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindbench_store::synthetic::Synthetic;

    fn begun() -> Run {
        let mut made = Synthetic::new(1, 1);
        made.interpreter("3.13.0", &["pgo"]);
        made.run.environment = Environment {
            os: "linux".into(),
            kernel_release: "6.1.0".into(),
            arch: "x86_64".into(),
            cpu: "EPYC".into(),
            cpus: vec![0, 1],
            aslr: Some(2),
            ..Environment::default()
        };
        made.run.kernels_sha256 = Some("a".repeat(64));
        made.run
    }

    #[test]
    fn another_machine_is_refused_and_what_differs_is_named() {
        let run = begun();
        let refused = |change: fn(&mut Environment)| {
            let mut now = run.environment.clone();
            change(&mut now);
            same_machine(&run, &now).err().unwrap_or_default()
        };
        assert_eq!(refused(|_| {}), "");
        assert_eq!(refused(|now| now.cpus.push(2)), "");
        assert!(refused(|now| now.cpu = "Xeon".into()).contains(r#"the CPU was "EPYC" when the run began, and is "Xeon" now"#));
        assert!(refused(|now| now.kernel_release = "6.2.0".into()).contains("the system's kernel"));
        assert!(refused(|now| now.cpus = vec![0]).contains("CPU 1 is not allowed now"));
        assert!(refused(|now| now.unicode = Some("17".into())).is_empty(), "it was not recorded");
        assert!(refused(|now| now.variables = Some(variables(&[("LD_PRELOAD", "x.so")]))).is_empty(), "it was not recorded");
    }

    fn variables(set: &[(&str, &str)]) -> BTreeMap<String, String> {
        set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn other_variables_are_refused_by_name_and_the_search_path_is_noted() {
        let with = |set: &[(&str, &str)]| Environment { variables: Some(variables(set)), ..begun().environment };
        let run = Run { environment: with(&[("RAYON_NUM_THREADS", "1"), (SEARCH_PATH, "/a")]), ..begun() };
        assert_eq!(same_machine(&run, &with(&[("RAYON_NUM_THREADS", "1"), (SEARCH_PATH, "/b")])), Ok(()));
        let said = same_machine(&run, &with(&[("RAYON_NUM_THREADS", "2")])).unwrap_err();
        assert!(said.starts_with("the variable RAYON_NUM_THREADS was \"1\" when the run began, and is \"2\" now"), "{said}");
        let said = same_machine(&run, &with(&[("RAYON_NUM_THREADS", "1"), ("GLIBC_TUNABLES", "x")])).unwrap_err();
        assert!(said.starts_with("the variable GLIBC_TUNABLES was not set when the run began, and is \"x\" now"), "{said}");
        let noted = differences(&run, &with(&[(SEARCH_PATH, "/b")]));
        assert!(noted.contains(&"When the run went on, LD_LIBRARY_PATH was /b; /a before.".to_owned()), "{noted:?}");
    }

    #[test]
    fn other_programs_are_refused() {
        let run = begun();
        let (kernels, interpreters) = (run.kernels_sha256.clone(), run.interpreters.clone());
        assert_eq!(same_programs(&run, &interpreters, kernels.as_deref()), Ok(()));
        assert!(
            same_programs(&run, &interpreters, None).unwrap_err().contains("(impls/kernels) is not built, and the run was begun with aaa")
        );
        let without = Run { kernels_sha256: None, ..run.clone() };
        assert_eq!(same_programs(&without, &interpreters, Some("bb")), Ok(()), "no lane of the run can have called them");
        assert!(
            same_programs(&run, &interpreters, Some("bb")).unwrap_err().contains("SHA-256 bb…, and the run was begun with aaaaaaaaaaaa…")
        );
        assert!(same_programs(&run, &[], None).unwrap_err().contains("Python 3.13.0 is not here"));
        let other = [Interpreter { flags: vec!["debug".into()], ..interpreters[0].clone() }];
        assert!(same_programs(&run, &other, None).unwrap_err().contains("another build"));
    }

    #[test]
    fn what_is_harmless_is_noted() {
        let run = Run { bindbench: env!("CARGO_PKG_VERSION").into(), ..begun() };
        assert_eq!(differences(&run, &run.environment), Vec::<String>::new());
        let now = Environment { aslr: Some(0), ..run.environment.clone() };
        assert_eq!(differences(&run, &now), ["When the run went on, kernel.randomize_va_space was 0; 2 before."]);
    }
}
