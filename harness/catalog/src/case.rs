//! One case, named: `workload.operation[:input[:size]]`. What is left out is what the talk preset has first.

use bindbench_model::Case;

use super::selection::nearest;
use super::{Catalog, CatalogError, Lane, Preset, Size, Workload, passing};

impl Catalog {
    /// The lane of an id.
    ///
    /// # Errors
    /// When there is none, with the nearest.
    pub fn lane(&self, id: &str) -> Result<&Lane, CatalogError> {
        self.lanes().find(|lane| lane.id == id).ok_or_else(|| {
            let ids: Vec<String> = self.lanes().map(|lane| lane.id.clone()).collect();
            CatalogError::Unknown { what: "lane", name: id.to_owned(), nearest: nearest(id, &ids) }
        })
    }

    /// The case that a text names, for a lane: it has to have the operation, and to take the input's form.
    ///
    /// # Errors
    /// When nothing has a name in it, or the lane does not take part.
    pub fn case(&self, text: &str, lane: &Lane) -> Result<Case, CatalogError> {
        self.case_for(text, Some(lane))
    }

    /// The case that a text names, whoever takes part in it.
    ///
    /// # Errors
    /// When nothing has a name in it.
    pub(super) fn case_for(&self, text: &str, lane: Option<&Lane>) -> Result<Case, CatalogError> {
        let no_case = |message: String| CatalogError::NoCase { text: text.to_owned(), message };
        let mut parts = text.splitn(3, ':');
        let name = parts.next().unwrap_or_default();
        let (input, size) = (parts.next(), parts.next());
        let (workload, operation) = name.split_once('.').ok_or_else(|| no_case("the operation is missing".to_owned()))?;
        let names: Vec<String> = self.workloads.iter().map(|workload| workload.name.clone()).collect();
        let unknown = |what, name: &str, names: &mut dyn Iterator<Item = &String>| CatalogError::Unknown {
            what,
            name: name.to_owned(),
            nearest: nearest(name, names),
        };
        let workload = self.workload(workload).ok_or_else(|| unknown("workload", workload, &mut names.iter()))?;
        if !workload.operations.contains_key(operation) {
            return Err(unknown("operation", operation, &mut workload.operations.keys()));
        }
        match lane.map(|lane| (&lane.id, lane.has(&workload.name, operation))) {
            None | Some((_, Ok(true))) => {}
            Some((id, Ok(false))) => return Err(no_case(format!("{id} has no {}", workload.name))),
            Some((id, Err((what, why)))) => return Err(no_case(format!("{id} has no {what}: {why}"))),
        }
        if let Some(input) = input
            && !workload.inputs.contains_key(input)
        {
            return Err(unknown("input", input, &mut workload.inputs.keys()));
        }
        let size = size.map(|size| size.parse::<Size>().map_err(no_case)).transpose()?;
        let case = usual(workload, operation, input, lane).ok_or_else(|| {
            let of = input.map(|input| format!(" of {input}")).unwrap_or_default();
            let taken = lane.map(|lane| format!(" in a form that {} takes", lane.id)).unwrap_or_default();
            no_case(format!("no preset has {name}{of}{taken}"))
        })?;
        match (case.size, size) {
            (None, Some(_)) => Err(no_case(format!("{} has no size", case.input))),
            (usual, given) => Ok(Case { size: given.map_or(usual, |Size(size)| Some(size)), ..case }),
        }
    }
}

/// The first case of an operation, of an input where one is named, whose form the lane takes, if there is one: in the talk preset, or else
/// in one of the others.
fn usual(workload: &Workload, operation: &str, input: Option<&str>, lane: Option<&Lane>) -> Option<Case> {
    let presets = [Preset::Talk, Preset::Full, Preset::Quick, Preset::Smoke];
    let mut blocks = presets.iter().filter_map(|preset| workload.presets.get(preset)).flatten();
    blocks.find_map(|block| {
        let has = block.operations.iter().any(|name| name == operation);
        let mut inputs = block.inputs.iter().filter(|name| has && input.is_none_or(|input| input == *name));
        let takes = |name: &&String| match (workload.inputs[*name].form, lane) {
            (Some(form), Some(lane)) => passing(lane, &workload.name, form).is_some(),
            _ => true,
        };
        let name = inputs.find(takes)?;
        Some(case_of(workload, operation, name, block.sizes.first().map(|&Size(size)| size)))
    })
}

/// A case with one thread.
pub fn case_of(workload: &Workload, operation: &str, input: &str, size: Option<u64>) -> Case {
    Case {
        id: 0,
        workload: workload.name.clone(),
        operation: operation.to_owned(),
        input: input.to_owned(),
        form: workload.inputs[input].form,
        size,
        unit: workload.inputs[input].unit,
        threads: 1,
        net_of_loop: workload.net_of_loop,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn catalog() -> Catalog {
        Catalog::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")), &[]).unwrap()
    }

    fn case(lane: &str, text: &str) -> Result<(String, String, Option<u64>), String> {
        let catalog = catalog();
        let found = catalog.case(text, catalog.lane(lane).unwrap());
        found.map(|case| (case.operation, case.input, case.size)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_comes_from_the_presets() {
        let named = |operation: &str, input: &str, size| Ok((operation.to_owned(), input.to_owned(), size));
        assert_eq!(case("capi/rust", "std.std"), named("std", "ints", Some(10)));
        assert_eq!(case("native/rust", "std.std"), named("std", "float64", Some(10)), "it takes no list");
        assert_eq!(case("capi/rust", "std.std:float64"), named("std", "float64", Some(10)));
        assert_eq!(case("capi/rust", "std.std:float64:64KiB"), named("std", "float64", Some(65_536)));
        assert_eq!(case("capi/rust", "call.noop"), named("noop", "nothing", None));
        assert_eq!(case("multiprocess/rust", "kmp.find_all"), named("find_all", "talk", Some(4096)));
    }

    #[test]
    fn what_is_not_there_is_refused_with_what_is_near() {
        let catalog = catalog();
        let pure = catalog.lane("python/pure").unwrap();
        let near = |text: &str| match catalog.case(text, pure) {
            Err(CatalogError::Unknown { what, nearest, .. }) => (what, nearest),
            other => panic!("{other:?}"),
        };
        assert_eq!(near("stt.std").0, "workload");
        assert!(near("std.srd").1.contains("std"));
        assert_eq!(near("std.std:float6"), ("input", "float64, floats, ints".to_owned()));
        assert!(matches!(catalog.lane("pyo/held"), Err(CatalogError::Unknown { nearest, .. }) if nearest.starts_with("pyo3/held")));
        for (lane, text, why) in [
            ("python/pure", "std", "the operation is missing"),
            ("python/pure", "std.std:ints:5x", "unknown unit"),
            ("python/pure", "call.noop:nothing:5", "has no size"),
            ("native/rust", "std.std:ints", "no preset has"),
            ("native/rust", "call.fail", "no exceptions"),
            ("pyo3/rayon", "call.noop", "nothing to share out"),
        ] {
            let error = case(lane, text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
