//! The selection grammar, the same for every command: `-w GLOB`, `-s GLOB`, `-p VERSION`; repeatable; a leading `!` excludes;
//! the last match wins.

use globset::{GlobBuilder, GlobMatcher};

use super::error::CatalogError;
use super::{Catalog, Lane, Side, Size};

/// What the user wants to look at or to measure.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Selection (repeatable; a leading ! excludes; the last match wins)")]
pub struct Selection {
    /// Workload or workload.operation: `kmp`, `std.*`, `!call.fail`
    #[arg(short = 'w', long = "workload", value_name = "GLOB")]
    pub workloads: Vec<String>,
    /// Lane: `ctypes/rust`, `pyo3/*`, `!multiprocess/*`
    #[arg(short = 's', long = "lane", value_name = "GLOB")]
    pub lanes: Vec<String>,
    /// Interpreter: a version (`3.13`, `3.14t`, `pypy3.11`), a program's path, or `all`
    #[arg(short = 'p', long = "python", value_name = "VERSION")]
    pub pythons: Vec<String>,
    /// Size of the input, instead of the preset's: `5000`, `64KiB`, `1GiB`
    #[arg(long = "size", value_name = "SIZE")]
    pub sizes: Vec<Size>,
    /// Number of Python threads that call at the same time, instead of the preset's
    #[arg(long = "threads", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Vec<u32>,
}

/// Patterns of one option, compiled.
#[derive(Clone, Debug)]
pub struct Patterns {
    patterns: Vec<(bool, GlobMatcher)>,
}

impl Patterns {
    /// Compiles the patterns of one option and checks that each matches at least one of the names (given as alternatives:
    /// a name and the wider names that stand for it too).
    ///
    /// # Errors
    /// A pattern that is not a glob, or that matches nothing.
    pub fn compile(option: &'static str, texts: &[String], names: &[Vec<String>]) -> Result<Self, CatalogError> {
        let mut patterns = Vec::new();
        for text in texts {
            let (include, glob) = match text.strip_prefix('!') {
                Some(glob) => (false, glob),
                None => (true, text.as_str()),
            };
            let matcher = GlobBuilder::new(glob)
                .build()
                .map_err(|error| CatalogError::Pattern { option, pattern: text.clone(), message: error.kind().to_string() })?
                .compile_matcher();
            if !names.iter().flatten().any(|name| matcher.is_match(name)) {
                // A gate asks for what was typed on either side.
                let (typed, side) = Side::of(text).map_or((text.as_str(), ""), |(typed, side)| (typed, side.name()));
                return Err(CatalogError::NoMatch {
                    option,
                    pattern: typed.to_owned(),
                    side,
                    nearest: nearest(glob, names.iter().flatten()),
                });
            }
            patterns.push((include, matcher));
        }
        Ok(Self { patterns })
    }

    /// Whether a name is selected. With no pattern everything is; when the first one excludes, it excludes from everything.
    pub fn select(&self, alternatives: &[String]) -> bool {
        let start = self.patterns.first().is_none_or(|(include, _)| !include);
        self.patterns
            .iter()
            .rev()
            .find(|(_, matcher)| alternatives.iter().any(|name| matcher.is_match(name)))
            .map_or(start, |(include, _)| *include)
    }
}

/// Up to three names nearest to what was typed.
pub fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n String>) -> String {
    let mut all: Vec<&String> = names.into_iter().collect();
    all.sort();
    all.dedup();
    all.sort_by(|a, b| strsim::jaro_winkler(b, text).total_cmp(&strsim::jaro_winkler(a, text)));
    all.iter().take(3).map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The names an operation can be selected by.
pub(super) fn operation_names(workload: &str, operation: &str) -> Vec<String> {
    vec![workload.to_owned(), format!("{workload}.{operation}")]
}

impl Selection {
    /// The patterns for lanes.
    ///
    /// # Errors
    /// See [`Patterns::compile`].
    pub fn lane_patterns(&self, catalog: &Catalog) -> Result<Patterns, CatalogError> {
        let names: Vec<_> = catalog.lanes().map(|lane| vec![lane.id.clone()]).collect();
        Patterns::compile("--lane", &self.lanes, &names)
    }

    /// The patterns for operations.
    ///
    /// # Errors
    /// See [`Patterns::compile`].
    pub fn operation_patterns(&self, catalog: &Catalog) -> Result<Patterns, CatalogError> {
        let names: Vec<_> = catalog
            .workloads
            .iter()
            .flat_map(|workload| workload.operations.keys().map(|operation| operation_names(&workload.name, operation)))
            .collect();
        Patterns::compile("--workload", &self.workloads, &names)
    }

    /// The selected lanes, in the catalog's order.
    ///
    /// # Errors
    /// See [`Patterns::compile`]; also when the patterns together leave none.
    pub fn lanes<'c>(&self, catalog: &'c Catalog) -> Result<Vec<&'c Lane>, CatalogError> {
        let patterns = self.lane_patterns(catalog)?;
        let lanes: Vec<_> = catalog.lanes().filter(|lane| patterns.select(std::slice::from_ref(&lane.id))).collect();
        if lanes.is_empty() {
            return Err(CatalogError::Nothing { why: "no lane is left".to_owned() });
        }
        Ok(lanes)
    }

    /// The selected lanes that are to be measured: all but those that are there to teach. These have a fault on purpose, and take
    /// part when they are named in full, and not when a pattern happens to match them.
    ///
    /// # Errors
    /// As above.
    pub fn contenders<'c>(&self, catalog: &'c Catalog) -> Result<Vec<&'c Lane>, CatalogError> {
        let mut lanes = self.lanes(catalog)?;
        lanes.retain(|lane| lane.teaching.is_none() || self.lanes.contains(&lane.id));
        if lanes.is_empty() {
            return Err(CatalogError::Nothing { why: "the only lanes left are there to teach: name one in full with --lane".to_owned() });
        }
        Ok(lanes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(texts: &[&str]) -> Vec<Vec<String>> {
        texts.iter().map(|text| vec![(*text).to_owned()]).collect()
    }

    fn selected(patterns: &[&str], among: &[&str]) -> Vec<String> {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        let compiled = Patterns::compile("--lane", &patterns, &names(among)).expect("patterns that match");
        among.iter().filter(|name| compiled.select(&[(**name).to_owned()])).map(ToString::to_string).collect()
    }

    const LANES: [&str; 5] = ["capi/c", "capi/rust", "ctypes/rust", "pyo3/held", "pyo3/released"];

    #[test]
    fn nothing_selects_everything_and_the_last_match_wins() {
        assert_eq!(selected(&[], &LANES), LANES);
        assert_eq!(selected(&["pyo3/*"], &LANES), ["pyo3/held", "pyo3/released"]);
        assert_eq!(selected(&["*/rust", "!ctypes/*"], &LANES), ["capi/rust"]);
        assert_eq!(selected(&["!ctypes/*", "*/rust"], &LANES), LANES);
        assert_eq!(selected(&["{capi,pyo3}/*", "!capi/?", "!pyo3/*", "pyo3/held"], &LANES), ["capi/rust", "pyo3/held"]);
    }

    #[test]
    fn an_exclusion_first_excludes_from_everything() {
        assert_eq!(selected(&["!pyo3/*"], &LANES), ["capi/c", "capi/rust", "ctypes/rust"]);
        assert_eq!(selected(&["!*", "capi/c"], &LANES), ["capi/c"]);
    }

    #[test]
    fn a_workload_stands_for_all_its_operations() {
        let operations = [operation_names("std", "sum"), operation_names("std", "mean"), operation_names("kmp", "find_all")];
        let select = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
            let patterns = Patterns::compile("--workload", &texts, &operations).expect("patterns that match");
            operations.iter().map(|names| patterns.select(names)).collect::<Vec<_>>()
        };
        assert_eq!(select(&["std"]), [true, true, false]);
        assert_eq!(select(&["std", "!std.mean"]), [true, false, false]);
        assert_eq!(select(&["!std"]), [false, false, true]);
        assert_eq!(select(&["*.sum"]), [true, false, false]);
    }

    #[test]
    fn a_pattern_that_matches_nothing_names_the_nearest() {
        let error = Patterns::compile("--lane", &["!pyo/held".into()], &names(&LANES)).expect_err("no match");
        assert!(matches!(&error, CatalogError::NoMatch { nearest, .. } if nearest.starts_with("pyo3/held")), "{error:?}");
        assert!(matches!(Patterns::compile("--lane", &["{".into()], &names(&LANES)), Err(CatalogError::Pattern { .. })));
    }

    proptest! {
        /// The grammar in one line: whoever speaks last of a name decides; nobody did, then the first pattern's sign does.
        #[test]
        fn the_last_pattern_that_names_a_lane_decides(picks in prop::collection::vec((any::<bool>(), 0..LANES.len()), 1..8)) {
            let texts: Vec<String> = picks.iter().map(|(include, at)| format!("{}{}", if *include { "" } else { "!" }, LANES[*at])).collect();
            let patterns = Patterns::compile("--lane", &texts, &names(&LANES)).unwrap();
            for (at, lane) in LANES.iter().enumerate() {
                let last = picks.iter().filter(|(_, named)| *named == at).map(|(include, _)| *include).next_back();
                prop_assert_eq!(patterns.select(&[(*lane).to_owned()]), last.unwrap_or(!picks[0].0), "{} in {:?}", lane, &texts);
            }
        }
    }
}
