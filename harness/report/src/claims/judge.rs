//! Judges the tests of a claim by the cells of one interpreter.

use bindbench_analysis::Analysis;
use bindbench_model::Run;
use bindbench_stats::{Bounds, Standing, six_digits};
use bindbench_store::profile::Profiled;

use crate::finder::{Finder, Missing, Setting};
use crate::format;

use super::file::{Claim, Test};
use super::profiled::Looked;
use super::quantity::{Gauge, Quantity, Unit};
use super::relation::{Limits, Relation, Seen};
use super::{Finding, Verdict};

/// What there is to judge by.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    run: &'a Run,
    gauge: Gauge<'a>,
    interpreter: Option<&'a str>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(run: &'a Run, analysis: &'a Analysis, profiled: Option<&'a Profiled>, interpreter: Option<&'a str>) -> Self {
        let gauge = Gauge { analysis, finder: Finder::new(run, analysis), looked: Looked { run, profiled } };
        Self { run, gauge, interpreter }
    }

    fn cpus(&self) -> usize {
        self.run.environment.cpus.len()
    }

    /// Why nothing can be told about the claim on this machine, with this interpreter.
    pub(super) fn unfit(&self, claim: &Claim) -> Option<String> {
        let threads = claim.tests.iter().map(|test| test.threads as usize).max().unwrap_or(1);
        let needed = claim.cpus.max(threads);
        if needed > self.cpus() {
            return Some(format!("it takes {}; this run had {}", format::count(needed, "CPU"), self.cpus()));
        }
        let interpreter = self.run.interpreters.iter().find(|interpreter| Some(interpreter.name.as_str()) == self.interpreter);
        let off = interpreter.is_some_and(|interpreter| interpreter.gil_enabled == Some(false));
        (claim.gil && off).then(|| "the GIL is off in this interpreter".to_owned())
    }

    /// The finding of a test for which something is missing.
    pub(super) fn missing(&self, test: &Test, why: String) -> Finding {
        let (above, below) = self.bounds(test);
        Finding {
            says: test.says.clone(),
            what: String::new(),
            unit: match test.relation {
                Relation::Scaling { .. } => Unit::Scaling,
                Relation::Gil { .. } => Unit::GilHeld,
                Relation::Share { .. } => Unit::Share,
                _ => Unit::Ratio,
            },
            measured: None,
            above,
            below,
            gil: gil(test),
            resolution: None,
            verdict: Verdict::Inconclusive,
            why: Some(why),
        }
    }

    /// What a test finds, in the first of its cases in which nothing is missing.
    pub(super) fn findings(&self, test: &Test) -> Vec<Finding> {
        let setting = |case| Setting { case, threads: test.threads, interpreter: self.interpreter };
        let alternatives = match (&test.relation, test.cases.is_empty()) {
            (Relation::NoWinner { .. }, _) | (_, true) => vec![None],
            _ => test.cases.iter().map(Some).collect(),
        };
        let mut missing: Option<Missing> = None;
        for case in alternatives {
            match self.gauge.quantities(&test.relation, &test.cases, setting(case)) {
                Ok(quantities) => return quantities.into_iter().map(|quantity| self.finding(test, quantity)).collect(),
                // What is missing in a case that was measured says more than that another one was not.
                Err(new) if missing.as_ref().is_none_or(|kept| kept.case && !new.case) => missing = Some(new),
                Err(_) => {}
            }
        }
        let names: Vec<String> = test.cases.iter().map(ToString::to_string).collect();
        let why = match missing {
            Some(missing) if missing.case && names.len() > 1 => format!("none of {} was measured", names.join(", ")),
            Some(missing) => missing.why,
            None => "no case is named".to_owned(),
        };
        vec![self.missing(test, why)]
    }

    fn finding(&self, test: &Test, quantity: Quantity) -> Finding {
        let (above, below) = self.bounds(test);
        let standing = match (quantity.standing, quantity.resolution) {
            (Some(standing), _) => standing,
            (None, Some(resolution)) => Bounds { above, below }.stand(&quantity.measured, resolution),
            (None, None) => Standing::Unclear,
        };
        let verdict = match standing {
            _ if test.limits == Limits::default() && above.is_none() && quantity.standing.is_none() => Verdict::Reported,
            Standing::Inside => Verdict::Confirmed,
            Standing::Outside => Verdict::Refuted,
            Standing::Unclear => Verdict::Inconclusive,
        };
        // Of an order there is a finding for each two neighbours: their names say more than what they show together.
        let says = test.says.clone().filter(|_| !matches!(test.relation, Relation::Order { .. }));
        Finding {
            says,
            verdict,
            why: (verdict == Verdict::Inconclusive).then(|| unclear(&quantity, above, below)),
            what: quantity.what,
            unit: quantity.unit,
            measured: Some(quantity.measured),
            above: above.map(six_digits),
            below: below.map(six_digits),
            gil: gil(test),
            resolution: quantity.resolution.map(six_digits),
        }
    }

    /// What the quantity has to keep to on this machine. Of an order, every ratio to the next has to be above 1.
    fn bounds(&self, test: &Test) -> (Option<f64>, Option<f64>) {
        match test.relation {
            Relation::Order { .. } => (Some(1.0), None),
            _ => {
                let number = |limit: Option<super::relation::Limit>| limit.map(|limit| limit.on(self.cpus()));
                (number(test.limits.above), number(test.limits.below))
            }
        }
    }
}

/// What a test says about the GIL.
fn gil(test: &Test) -> Option<Seen> {
    match test.relation {
        Relation::Gil { seen, .. } => Some(seen),
        _ => None,
    }
}

fn unclear(quantity: &Quantity, above: Option<f64>, below: Option<f64>) -> String {
    let bounds: Vec<String> = above.iter().chain(below.iter()).map(|&bound| format::ratio(bound)).collect();
    if quantity.unit == Unit::GilHeld {
        return "it was seen neither held nor free throughout".to_owned();
    }
    if quantity.standing.is_some() {
        return "not every lane was seen beaten, and none was seen to beat all others".to_owned();
    }
    match (quantity.measured.interval(), quantity.resolution) {
        (None, _) => "an interval takes 3 generations".to_owned(),
        (_, None) => "no resolution is known: no lane has two numbers to compare".to_owned(),
        (Some(_), Some(resolution)) => {
            let band = format::percent(resolution);
            format!("within its interval and the resolution, {band}, it can't be told from {}", bounds.join(" or "))
        }
    }
}
