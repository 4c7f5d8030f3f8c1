//! What a test of a claim says about cells, as the file has it and as it is judged.

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use toml::Spanned;

use crate::cell_names::{CaseName, CellName};

use super::file::Test;

/// How cells are related.
#[derive(Clone, Debug)]
pub enum Relation {
    /// Time of one over time of the other.
    Ratio {
        /// One.
        of: CellName,
        /// The other.
        to: CellName,
        /// Each time is divided by its size first.
        per_item: bool,
    },
    /// One ratio over another.
    RatioOfRatios {
        /// The two of one, then the two of the other.
        cells: Box<[CellName; 4]>,
    },
    /// Throughput with several threads over that with one.
    Scaling {
        /// With several.
        of: CellName,
    },
    /// Time over size, in nanoseconds.
    TimePerItem {
        /// The cell.
        of: CellName,
    },
    /// Each takes longer than the next.
    Order {
        /// The slowest first.
        cells: Vec<CellName>,
    },
    /// No lane is the fastest in every case.
    NoWinner {
        /// The lanes.
        lanes: Vec<CellName>,
    },
    /// What happens to the GIL during calls.
    Gil {
        /// Of this lane; the case's size does not matter.
        of: CellName,
        /// What is claimed.
        seen: Seen,
    },
    /// The share of a profile's samples that have one of some functions on their stacks.
    Share {
        /// Of this lane; the case's size does not matter.
        of: CellName,
        /// The functions.
        functions: GlobSet,
    },
}

/// What a claim says about the GIL during a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    /// Nobody else gets it.
    Held,
    /// It is free.
    Released,
}

impl Relation {
    /// All the cells in it.
    pub(super) fn cells(&self) -> Vec<&CellName> {
        match self {
            Self::Ratio { of, to, .. } => vec![of, to],
            Self::RatioOfRatios { cells } => cells.iter().collect(),
            Self::Scaling { of } | Self::TimePerItem { of } | Self::Gil { of, .. } | Self::Share { of, .. } => vec![of],
            Self::Order { cells } | Self::NoWinner { lanes: cells } => cells.iter().collect(),
        }
    }
}

/// What a quantity has to keep to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// It has to be above this.
    pub above: Option<Limit>,
    /// It has to be below this.
    pub below: Option<Limit>,
}

/// A number, or one that depends on the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// This.
    Number(f64),
    /// How many CPUs the run had.
    Cpus,
}

impl Limit {
    /// On a machine with so many CPUs.
    pub fn on(self, cpus: usize) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Cpus => cpus as f64,
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Limit;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number above 0, or \"cpus\"")
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Limit, E> {
                if number > 0.0 && number.is_finite() { Ok(Limit::Number(number)) } else { Err(E::custom("a bound is a number above 0")) }
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Limit, E> {
                self.visit_f64(number as f64)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Limit, E> {
                if text == "cpus" { Ok(Limit::Cpus) } else { Err(E::custom(format!("{text:?} is neither a number nor \"cpus\""))) }
            }
        }
        deserializer.deserialize_any(Written)
    }
}

/// The relations' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Ratio,
    RatioOfRatios,
    Scaling,
    TimePerItem,
    Order,
    NoWinner,
    Gil,
    Share,
}

/// A `[[claim.test]]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestToml {
    pub(super) says: Option<String>,
    pub(super) relation: Spanned<Kind>,
    case: Option<Spanned<CaseName>>,
    #[serde(default)]
    cases: Vec<Spanned<CaseName>>,
    threads: Option<u32>,
    of: Option<Spanned<CellName>>,
    to: Option<Spanned<CellName>>,
    against_of: Option<Spanned<CellName>>,
    against_to: Option<Spanned<CellName>>,
    #[serde(default)]
    cells: Vec<Spanned<CellName>>,
    #[serde(default)]
    per_item: bool,
    seen: Option<Seen>,
    #[serde(default)]
    functions: Vec<String>,
    above: Option<Limit>,
    below: Option<Limit>,
    about: Option<f64>,
    within: Option<f64>,
}

impl TestToml {
    /// All cells it names.
    pub(super) fn cells(&self) -> impl Iterator<Item = &Spanned<CellName>> {
        [&self.of, &self.to, &self.against_of, &self.against_to].into_iter().flatten().chain(&self.cells)
    }

    /// All cases it names for its cells.
    pub(super) fn cases(&self) -> impl Iterator<Item = &Spanned<CaseName>> {
        self.case.iter().chain(&self.cases)
    }

    /// With everything that its relation needs, and nothing else. A test of which no verdict is wanted needs no bounds.
    pub(super) fn checked(self, reported: bool) -> Result<Test, String> {
        let kind = *self.relation.get_ref();
        let written = [
            ("of", self.of.is_some()),
            ("to", self.to.is_some()),
            ("against_of", self.against_of.is_some()),
            ("against_to", self.against_to.is_some()),
            ("cells", !self.cells.is_empty()),
            ("per_item", self.per_item),
            ("seen", self.seen.is_some()),
            ("functions", !self.functions.is_empty()),
        ];
        let (name, needed): (&str, &[&str]) = match kind {
            Kind::Ratio => ("ratio", &["of", "to"]),
            Kind::RatioOfRatios => ("ratio-of-ratios", &["of", "to", "against_of", "against_to"]),
            Kind::Scaling => ("scaling", &["of"]),
            Kind::TimePerItem => ("time-per-item", &["of"]),
            Kind::Order => ("order", &["cells"]),
            Kind::NoWinner => ("no-winner", &["cells"]),
            Kind::Gil => ("gil", &["of", "seen"]),
            Kind::Share => ("share", &["of", "functions"]),
        };
        for (key, there) in written {
            let allowed = needed.contains(&key) || kind == Kind::Ratio && key == "per_item";
            if there && !allowed {
                return Err(format!("the relation {name} has no `{key}`; it takes {}", listed(needed)));
            }
            if !there && needed.contains(&key) {
                return Err(format!("the relation {name} needs `{key}`; it takes {}", listed(needed)));
            }
        }
        let limits = self.limits(kind, name, reported)?;
        let cases: Vec<CaseName> = self.cases().map(|case| case.get_ref().clone()).collect();
        let fewest = |n| if self.cells.len() < n { Err(format!("the relation {name} takes {n} `cells` or more")) } else { Ok(()) };
        let threads = self.threads.unwrap_or(1);
        let relation = match (kind, self.of, self.to, self.against_of, self.against_to) {
            (Kind::Ratio, Some(of), Some(to), ..) => Relation::Ratio { of: of.into_inner(), to: to.into_inner(), per_item: self.per_item },
            (Kind::RatioOfRatios, Some(of), Some(to), Some(against_of), Some(against_to)) => {
                Relation::RatioOfRatios { cells: Box::new([of, to, against_of, against_to].map(Spanned::into_inner)) }
            }
            (Kind::Scaling, Some(of), ..) if threads > 1 => Relation::Scaling { of: of.into_inner() },
            (Kind::Scaling, ..) => return Err("the relation scaling needs `threads`, 2 or more".to_owned()),
            (Kind::TimePerItem, Some(of), ..) => Relation::TimePerItem { of: of.into_inner() },
            (Kind::Share, Some(of), ..) => Relation::Share { of: of.into_inner(), functions: globs(&self.functions)? },
            (Kind::Gil, Some(of), ..) => Relation::Gil { of: of.into_inner(), seen: self.seen.unwrap_or(Seen::Held) },
            (Kind::Order, ..) => {
                fewest(2)?;
                Relation::Order { cells: self.cells.into_iter().map(Spanned::into_inner).collect() }
            }
            (Kind::NoWinner, ..) => {
                fewest(2)?;
                if cases.is_empty() {
                    return Err("the relation no-winner needs `cases`".to_owned());
                }
                Relation::NoWinner { lanes: self.cells.into_iter().map(Spanned::into_inner).collect() }
            }
            _ => return Err(format!("the relation {name} takes {}", listed(needed))),
        };
        Ok(Test { says: self.says, cases, threads, relation, limits })
    }

    fn limits(&self, kind: Kind, name: &str, reported: bool) -> Result<Limits, String> {
        let bounded = self.above.is_some() || self.below.is_some();
        let any = bounded || self.about.is_some() || self.within.is_some();
        if matches!(kind, Kind::Order | Kind::NoWinner | Kind::Gil) {
            return if any { Err(format!("the relation {name} has no bounds")) } else { Ok(Limits::default()) };
        }
        match (self.about, self.within) {
            (Some(about), Some(within)) if !bounded && about > 0.0 && within > 1.0 => {
                Ok(Limits { above: Some(Limit::Number(about / within)), below: Some(Limit::Number(about * within)) })
            }
            (None, None) if bounded || reported => Ok(Limits { above: self.above, below: self.below }),
            _ => Err("bounds are `above`, `below` or both; or `about` (above 0) with `within`, a factor above 1".to_owned()),
        }
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(|error| format!("`functions`: {error}"))?);
    }
    set.build().map_err(|error| format!("`functions`: {error}"))
}

/// `` `of`, `to` ``.
fn listed(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
