//! Rules that say what time is spent on, by the names of functions: a strategy's own, in the table `[profile]` of its manifest.

use std::collections::BTreeMap;

use bindbench_model::profile::Activity;
use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Deserializer};

/// Patterns of names. A function's name is matched as it is shown in a picture: Rust's with its path, Python's with its file.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Further libraries that are the binding, by their file's name.
    pub libraries: GlobSet,
    functions: Vec<(Activity, GlobSet)>,
}

impl Rules {
    /// What time in a function is spent on; none when no rule knows it. Where two know it, the one that stands first in the order of
    /// [`Activity::ALL`] says it.
    pub fn activity(&self, function: &str) -> Option<Activity> {
        self.functions.iter().find(|(_, names)| names.is_match(function)).map(|(activity, _)| *activity)
    }
}

#[derive(Deserialize)]
struct RulesToml {
    #[serde(default)]
    libraries: Vec<String>,
    #[serde(flatten)]
    functions: BTreeMap<Activity, Vec<String>>,
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RulesToml { libraries, functions } = RulesToml::deserialize(deserializer)?;
        let compiled = |texts: &[String]| compile(texts).map_err(serde::de::Error::custom);
        let functions = functions.iter().map(|(activity, texts)| Ok((*activity, compiled(texts)?))).collect::<Result<_, D::Error>>()?;
        Ok(Self { libraries: compiled(&libraries)?, functions })
    }
}

fn compile(texts: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for text in texts {
        set.add(Glob::new(text).map_err(|error| format!("{text:?} is no pattern: {}", error.kind()))?);
    }
    set.build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_and_libraries_are_known_by_their_names() {
        let rules: Rules =
            toml::from_str("libraries = [\"libffi*\"]\nkernel = [\"kmp_*\"]\nargument_conversion = [\"*::extract*\"]\n").unwrap();
        assert!(rules.libraries.is_match("libffi.so.8") && !rules.libraries.is_match("libc.so.6"));
        assert_eq!(rules.activity("kmp_find"), Some(Activity::Kernel));
        assert_eq!(rules.activity("<i64 as pyo3::FromPyObject>::extract"), Some(Activity::ArgumentConversion));
        assert_eq!(rules.activity("main"), None);
        assert_eq!(Rules::default().activity("main"), None);
    }

    #[test]
    fn what_is_no_activity_and_what_is_no_pattern_is_refused() {
        let error = |text: &str| toml::from_str::<Rules>(text).unwrap_err().to_string();
        assert!(error("kernels = [\"x\"]").contains("unknown variant `kernels`"), "{}", error("kernels = [\"x\"]"));
        assert!(error("kernel = [\"{x\"]").contains("\"{x\" is no pattern"), "{}", error("kernel = [\"{x\"]"));
    }
}
