//! What the passes `gil` and `memory` found out about a cell: part of `profile.json`.

use std::collections::BTreeMap;
use std::fmt;

use bindbench_stats::Slope;
use serde::{Deserialize, Serialize};

use super::axes::{Gil, Parallel};

/// What a heartbeat beside the calls told about the GIL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum GilWatch {
    /// Who had it.
    Told(GilShare),
    /// Its calls end before a heartbeat could tell anything, at the largest input tried.
    TooShort {
        /// Median time of a call, nanoseconds.
        call_ns: u64,
        /// Size of that input.
        size: Option<u64>,
    },
    /// It was not watched.
    NotWatched {
        /// Why.
        reason: String,
    },
}

/// How the GIL was held during some calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GilShare {
    /// In one word.
    pub class: GilClass,
    /// Share of the calls' time during which the heartbeat was ready to run and did not get the GIL, while nobody asked for it; 0 to 1.
    pub held: f64,
    /// Of a GIL that is held nearly always: how often it was handed over during calls, when it was asked for every half millisecond,
    /// as a share of what an interpreter could do; about 0 or about 1.
    pub handed_over: Option<f64>,
    /// Calls watched.
    pub calls: u64,
    /// Their median time, nanoseconds.
    pub call_ns: u64,
    /// Size of the input, which is chosen so that calls are long enough; none where it has none.
    pub size: Option<u64>,
    /// Waits for a CPU were known, and are not taken for waits for the GIL.
    pub queues_known: bool,
}

/// What happens to the GIL during a call, as it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GilClass {
    /// Nobody else gets it until the call ends.
    Held,
    /// It is free.
    Released,
    /// The call runs Python code, which hands it over when it is asked to: every switch interval.
    Interpreter,
    /// Free for a part of the call, and held for another.
    Mixed,
}

impl fmt::Display for GilClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Held => "held",
            Self::Released => "released",
            Self::Interpreter => "interpreter",
            Self::Mixed => "held for a part",
        })
    }
}

impl GilClass {
    /// What is wrong with a manifest that declares this, if anything. A lane whose work is done by other processes says nothing about
    /// the GIL of this one; and who runs Python code holds it as far as a manifest can tell.
    pub fn contradicts(self, declared: Gil, parallel: Parallel) -> Option<String> {
        let fits = match declared {
            Gil::Held => self != Self::Released,
            Gil::Released => matches!(self, Self::Released | Self::Mixed),
            Gil::Absent => false,
        };
        let elsewhere = parallel == Parallel::Processes;
        (!fits && !elsewhere).then(|| format!("the manifest declares the GIL {declared}, and it was seen {self}"))
    }
}

/// What some calls did to memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemoryUse {
    /// Size of the input that was weighed; none where it has none.
    pub size: Option<u64>,
    /// Peak of the worker's resident set until the lane was imported, bytes.
    pub import_peak_bytes: Option<u64>,
    /// Its peak while the input was made.
    pub input_peak_bytes: Option<u64>,
    /// Its peak during the first call.
    pub call_peak_bytes: Option<u64>,
    /// The input by itself: bytes of the text, or 8 for each number. None without an input to speak of.
    pub input_bytes: Option<u64>,
    /// Copies of it that the lane's manifest declares.
    pub declared_copies: Option<u32>,
    /// How far the resident set rose above what it was before that call.
    pub rise_bytes: Option<u64>,
    /// What of that was still there when the call had returned, and is the answer's, or a cache's.
    pub kept_bytes: Option<u64>,
    /// Proportional set of the worker and all it started while calls ran, bytes: pages shared by n processes count one n-th in each.
    pub proportional_bytes: Option<u64>,
    /// Resident sets of the same processes, summed up: shared pages count in each.
    pub resident_bytes: Option<u64>,
    /// How many processes these were.
    pub processes: usize,
    /// Whether something stays behind in every call.
    pub leak: Option<Leak>,
}

/// Growth of the worker over very many calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leak {
    /// Bytes of its resident set for each call.
    pub bytes: Slope,
    /// Blocks of the interpreter's allocator for each call; none where it does not count them.
    pub blocks: Option<Slope>,
    /// References for each call to what it is given and what it shares, which need no memory; empty where nobody counts them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<Referred, Slope>,
    /// Calls that the slopes rest on.
    pub calls: u64,
    /// Less than this for each call would not have been seen, bytes.
    pub finest_bytes: f64,
}

/// Objects whose references are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Referred {
    /// The arguments, and the items of lists among them.
    Arguments,
    /// The operation, and functions among the arguments.
    Functions,
    /// None, small ints, types: what all code has in common, as far as it does not live for ever.
    Shared,
    /// All objects of the process.
    Total,
}

impl fmt::Display for Referred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Arguments => "its arguments",
            Self::Functions => "the function, or one that it is given",
            Self::Shared => "None, a small int or a type",
            Self::Total => "some object",
        })
    }
}

/// Less often than in every other call nothing is counted as kept.
const OFTEN: f64 = 0.5;

/// So many references to what all code shares come and go between the first look and the last one, whatever is called.
const OF_OTHERS: f64 = 200.0;

impl Leak {
    /// Whether it leaks, in one way or another.
    pub fn is_one(&self) -> bool {
        self.keeps_memory() || self.miscounted().next().is_some()
    }

    /// It grows beyond all doubt, by more than an allocator's leftovers; or a block stays in every other call at least, though it may lie in
    /// memory that was free.
    pub fn keeps_memory(&self) -> bool {
        let grows = self.bytes.low > 0.0 && self.bytes.point > self.finest_bytes;
        grows || self.blocks.is_some_and(|blocks| blocks.low > OFTEN)
    }

    /// References that are kept, or given back without having been taken, in every other call at least. All objects together are only told
    /// of where nothing else is.
    pub fn miscounted(&self) -> impl Iterator<Item = (Referred, &Slope)> {
        let are = |(referred, slope): &(&Referred, &Slope)| {
            let least = match referred {
                Referred::Arguments | Referred::Functions => OFTEN,
                Referred::Shared | Referred::Total => OFTEN.max(OF_OTHERS / self.calls.max(1) as f64),
            };
            slope.low > least || slope.high < -least
        };
        let own = self.references.iter().filter(are).any(|(referred, _)| *referred != Referred::Total);
        let told = self.references.iter().filter(are).filter(move |(referred, _)| !(own && **referred == Referred::Total));
        told.map(|(referred, slope)| (*referred, slope))
    }
}

impl MemoryUse {
    /// Copies of the input that a call makes: how far memory rose, less what stayed, over the input.
    pub fn copies(&self) -> Option<f64> {
        let transient = self.rise_bytes?.saturating_sub(self.kept_bytes?);
        Some(transient as f64 / self.input_bytes.filter(|&bytes| bytes > 0)? as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_contradicted_by_what_was_seen_only() {
        let words = |class: GilClass, declared| class.contradicts(declared, Parallel::None).is_some();
        let classes = [GilClass::Held, GilClass::Released, GilClass::Interpreter, GilClass::Mixed];
        assert_eq!(classes.map(|class| words(class, Gil::Held)), [false, true, false, false]);
        assert_eq!(classes.map(|class| words(class, Gil::Released)), [true, false, true, false]);
        assert_eq!(GilClass::Released.contradicts(Gil::Held, Parallel::Processes), None);
        assert!(GilClass::Held.contradicts(Gil::Released, Parallel::Threads).is_some_and(|words| words.contains("seen held")));
    }

    #[test]
    fn what_stays_is_no_copy() {
        let used = MemoryUse { input_bytes: Some(100), rise_bytes: Some(250), kept_bytes: Some(50), ..MemoryUse::default() };
        assert_eq!(used.copies(), Some(2.0));
        assert_eq!(MemoryUse { kept_bytes: Some(300), ..used.clone() }.copies(), Some(0.0));
        assert_eq!(MemoryUse { input_bytes: None, ..used }.copies(), None);
    }

    fn slope(point: f64, low: f64) -> Slope {
        Slope { point, low, high: 2.0 * point - low }
    }

    #[test]
    fn references_that_are_kept_or_given_away_are_a_leak_without_memory() {
        let leak = |references: &[(Referred, f64)]| Leak {
            bytes: slope(0.0, -1.0),
            blocks: Some(slope(0.0, 0.0)),
            references: references.iter().map(|&(referred, point)| (referred, slope(point, point - 0.01))).collect(),
            calls: 1000,
            finest_bytes: 64.0,
        };
        let told = |references: &[(Referred, f64)]| leak(references).miscounted().map(|(referred, _)| referred).collect::<Vec<_>>();
        assert_eq!(told(&[(Referred::Arguments, 1.0), (Referred::Shared, 0.0), (Referred::Total, 1.0)]), [Referred::Arguments]);
        assert_eq!(told(&[(Referred::Shared, -1.0)]), [Referred::Shared], "None is given back too often");
        assert_eq!(told(&[(Referred::Arguments, 0.0), (Referred::Total, 1.0)]), [Referred::Total]);
        assert_eq!(told(&[(Referred::Arguments, 0.01), (Referred::Shared, 0.2)]), []);
        let few = Leak { calls: 11, ..leak(&[(Referred::Shared, 4.0), (Referred::Arguments, 1.0)]) };
        assert_eq!(
            few.miscounted().map(|(referred, _)| referred).collect::<Vec<_>>(),
            [Referred::Arguments],
            "in so few calls chance is more"
        );
        assert!(leak(&[(Referred::Functions, 1.0)]).is_one() && !leak(&[(Referred::Functions, 1.0)]).keeps_memory());
        let before_it_was_counted =
            r#"{"bytes": {"point": 0.0, "low": 0.0, "high": 0.0}, "blocks": null, "calls": 1, "finest_bytes": 1.0}"#;
        assert!(serde_json::from_str::<Leak>(before_it_was_counted).unwrap().references.is_empty());
    }

    #[test]
    fn a_leak_is_beyond_doubt_and_beyond_leftovers() {
        let leak =
            |point, low| Leak { bytes: slope(point, low), blocks: None, references: BTreeMap::new(), calls: 1000, finest_bytes: 64.0 };
        assert!(leak(96.0, 95.0).is_one());
        assert!(!leak(96.0, -1.0).is_one(), "it may as well be none");
        assert!(!leak(60.0, 59.0).is_one(), "an allocator may leave as much");
        let blocks = |point, low| Some(slope(point, low));
        assert!(Leak { blocks: blocks(3.0, 2.9), ..leak(0.0, -1.0) }.is_one(), "in memory that was free");
        assert!(!Leak { blocks: blocks(0.1, -0.1), ..leak(0.0, -1.0) }.is_one());
    }
}
