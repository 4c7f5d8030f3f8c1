//! Two builds of the same strategies in one catalog: the lanes of one are called `capi/c@base`, those of the other `capi/c@head`.

use std::path::{Path, PathBuf};

use super::manifest::{self, Strategy};
use super::workload::read_workloads;
use super::{Catalog, CatalogError, Selection};

/// One of two builds that are measured against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What was there before.
    Base,
    /// What is there now.
    Head,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Base, Self::Head];

    /// What the names of its lanes end in.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Base => "@base",
            Self::Head => "@head",
        }
    }

    /// Which side, after what is not there.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Base => " in base",
            Self::Head => " in head",
        }
    }

    /// A lane's side, and its name without it.
    pub fn of(lane: &str) -> Option<(&str, Self)> {
        Self::BOTH.into_iter().find_map(|side| Some((lane.strip_suffix(side.suffix())?, side)))
    }

    /// The name of a lane on this side.
    pub fn lane(self, lane: &str) -> String {
        format!("{lane}{}", self.suffix())
    }
}

impl Catalog {
    /// The strategies of two sets of catalogs, and the workloads below the root. A strategy of both is there twice, as two strategies: it is
    /// built twice, and measured twice. Each set comes after what named it: an option, or [`super::CHECKOUT`].
    ///
    /// # Errors
    /// As [`Catalog::read`].
    pub fn of_sides(root: &Path, base: (&'static str, &[PathBuf]), head: (&'static str, &[PathBuf])) -> Result<Self, CatalogError> {
        let mut strategies: Vec<Strategy> = Vec::new();
        for (side, (given, folders)) in [(Side::Base, base), (Side::Head, head)] {
            for folder in folders {
                // Another revision may have had other workloads.
                for strategy in manifest::read_strategies(given, folder, None)?.into_iter().map(|strategy| on_side(strategy, side)) {
                    super::refuse_twice(&strategies, &strategy)?;
                    strategies.push(strategy);
                }
            }
        }
        Ok(Self { strategies, workloads: read_workloads(&root.join("harness/workloads"))? })
    }

    /// Lanes that only one of the two sides has, with their sides' names.
    pub fn without_counterpart(&self) -> Vec<String> {
        let has = |id: &str| self.lanes().any(|lane| lane.id == id);
        let other = |side| if side == Side::Base { Side::Head } else { Side::Base };
        let lonely = |id: &&String| Side::of(id).is_some_and(|(lane, side)| !has(&other(side).lane(lane)));
        self.lanes().map(|lane| &lane.id).filter(lonely).cloned().collect()
    }
}

fn on_side(mut strategy: Strategy, side: Side) -> Strategy {
    strategy.name += side.suffix();
    for lane in &mut strategy.lanes {
        lane.id += side.suffix();
        lane.strategy.clone_from(&strategy.name);
    }
    strategy
}

impl Selection {
    /// The same selection of lanes on both sides. A pattern that names its side already stays as it is.
    #[must_use]
    pub fn on_both_sides(&self) -> Self {
        let both = |pattern: &String| match Side::of(pattern) {
            Some(_) => vec![pattern.clone()],
            None => Side::BOTH.iter().map(|side| side.lane(pattern)).collect(),
        };
        Self { lanes: self.lanes.iter().flat_map(both).collect(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/catalogs");
        let (base, head) = ([tests.join("steady")], [tests.join("steady"), tests.join("stranger")]);
        Catalog::of_sides(root, ("--base", &base), ("--head", &head)).unwrap()
    }

    #[test]
    fn a_lane_is_there_on_both_sides() {
        let catalog = catalog();
        let ids: Vec<&str> = catalog.lanes().map(|lane| lane.id.as_str()).filter(|id| id.starts_with("steady/slow@")).collect();
        assert_eq!(ids, ["steady/slow@base", "steady/slow@head"]);
        let lane = catalog.lane("steady/slow@head").unwrap();
        assert_eq!(catalog.strategy_of(lane).unwrap().name, "steady@head");
        assert!(catalog.without_counterpart().iter().all(|id| id.starts_with("stranger/") && id.ends_with("@head")));
        assert!(!catalog.without_counterpart().is_empty());
    }

    #[test]
    fn names_of_sides_are_made_and_taken_apart() {
        assert_eq!(Side::of("capi/c@base"), Some(("capi/c", Side::Base)));
        assert_eq!(Side::of("capi/c"), None);
        let selection = Selection { lanes: vec!["capi/*".into(), "!capi/c".into(), "pyo3/held@head".into()], ..Selection::default() };
        let both = ["capi/*@base", "capi/*@head", "!capi/c@base", "!capi/c@head", "pyo3/held@head"];
        assert_eq!(selection.on_both_sides().lanes, both);
    }
}
