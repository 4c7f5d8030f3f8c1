//! The talks' claims, and anybody's own, judged by a recorded run.

mod file;
mod judge;
mod needs;
mod profiled;
mod quantity;
mod relation;
mod show;

#[cfg(test)]
mod tests;

use bindbench_analysis::Analysis;
use bindbench_stats::Estimate;
use bindbench_store::Recorded;
use bindbench_store::profile::Profiled;
use serde::Serialize;

use super::format;
use super::warnings::reason;

pub use file::parsed;
pub use file::{Claim, Known, Test, joined, of_the_talks, read};
pub use needs::needed;
pub use quantity::Unit;
pub use relation::Seen;
pub use show::{markdown, section, terminal};

use judge::Judge;

/// Version of the layout that `claims --json` prints.
pub const JSON_SCHEMA: u32 = 1;

/// What a run says about claims.
#[derive(Debug, Serialize)]
pub struct Claims {
    /// [`JSON_SCHEMA`].
    pub schema: u32,
    /// The run's id.
    pub run: String,
    /// CPUs that the run could use.
    pub cpus: usize,
    /// Why the run can't vouch for its intervals, and so for no verdict; empty when it can.
    pub doubts: Vec<String>,
    /// The claims, for each interpreter of the run anew; after them those that name their interpreters, once.
    pub interpreters: Vec<ForInterpreter>,
}

/// Claims, judged by what was measured with one interpreter.
#[derive(Debug, Serialize)]
pub struct ForInterpreter {
    /// Its name; none when only native lanes were measured, and for claims that name their interpreters.
    pub interpreter: Option<String>,
    /// These are the claims that name their interpreters: they are judged once, and not for each.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub named_by_claims: bool,
    /// The claims, in the order of their files.
    pub claims: Vec<Judged>,
}

/// What becomes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds here.
    Confirmed,
    /// It doesn't.
    Refuted,
    /// This run can't tell.
    Inconclusive,
    /// No verdict is wanted; it is measured and shown.
    Reported,
}

/// A claim and what became of it.
#[derive(Debug, Serialize)]
pub struct Judged {
    /// The claim's id.
    pub id: String,
    /// Who claims it.
    pub source: String,
    /// The claim.
    pub says: String,
    /// What to know to understand the verdict.
    pub note: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it is inconclusive; empty otherwise.
    pub why: Vec<String>,
    /// What was looked at.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// What it would show, where a claim has several.
    pub says: Option<String>,
    /// The quantity in words: `python/pure / capi/c, std.std of ints, 5,000`.
    pub what: String,
    /// What it is measured in.
    pub unit: Unit,
    /// The quantity; none where something is missing.
    pub measured: Option<Estimate>,
    /// It has to be above this.
    pub above: Option<f64>,
    /// It has to be below this.
    pub below: Option<f64>,
    /// What has to be seen of the GIL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gil: Option<Seen>,
    /// What this run can't tell apart around a bound, as a fraction.
    pub resolution: Option<f64>,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why it is inconclusive.
    pub why: Option<String>,
}

impl Claims {
    /// Judges claims by a run, and by a profile of the same builds where a claim asks for what a run does not have.
    pub fn new(recorded: &Recorded, profiled: Option<&Profiled>, claims: &[Claim]) -> Self {
        Self::of(recorded, &Analysis::new(recorded), profiled, claims)
    }

    /// The same with what is already known about the run's samples.
    pub fn of(recorded: &Recorded, analysis: &Analysis, profiled: Option<&Profiled>, claims: &[Claim]) -> Self {
        let run = &recorded.run;
        let doubts: Vec<String> = analysis.doubts().iter().map(reason).collect();
        let names = run.interpreters.iter().map(|interpreter| Some(interpreter.name.as_str()));
        let names: Vec<Option<&str>> = if run.interpreters.is_empty() { vec![None] } else { names.collect() };
        let (once, each): (Vec<&Claim>, Vec<&Claim>) = claims.iter().partition(|claim| claim.names_its_interpreters());
        let docket = |interpreter: Option<&str>, claims: &[&Claim]| {
            let judge = Judge::new(run, analysis, profiled, interpreter);
            let claims = claims.iter().map(|claim| judged(claim, &judge, &doubts)).collect();
            ForInterpreter { interpreter: interpreter.map(str::to_owned), named_by_claims: false, claims }
        };
        let mut interpreters: Vec<ForInterpreter> = names.into_iter().map(|name| docket(name, &each)).collect();
        interpreters.push(ForInterpreter { named_by_claims: true, ..docket(None, &once) });
        interpreters.retain(|docket| !docket.claims.is_empty());
        Self { schema: JSON_SCHEMA, run: run.id.clone(), cpus: run.environment.cpus.len(), interpreters, doubts }
    }
}

impl ForInterpreter {
    /// How many claims have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.claims.iter().filter(|claim| claim.verdict == verdict).count()
    }

    /// `33 claims: 15 confirmed, 6 refuted, 11 inconclusive, 1 without a verdict`.
    pub fn tally(&self) -> String {
        let kinds = [
            (Verdict::Confirmed, "confirmed"),
            (Verdict::Refuted, "refuted"),
            (Verdict::Inconclusive, "inconclusive"),
            (Verdict::Reported, "without a verdict"),
        ];
        let counted: Vec<String> = kinds
            .iter()
            .map(|(verdict, name)| (self.count(*verdict), name))
            .filter(|(n, _)| *n > 0)
            .map(|(n, name)| format!("{n} {name}"))
            .collect();
        format!("{}: {}", format::count(self.claims.len(), "claim"), counted.join(", "))
    }
}

/// All tests of a claim together: one that is refuted refutes it, all confirmed confirm it. Where anything is missing, or the run can't
/// vouch for its intervals, there is neither.
fn judged(claim: &Claim, judge: &Judge, doubts: &[String]) -> Judged {
    let findings: Vec<Finding> = match judge.unfit(claim) {
        Some(why) => claim.tests.iter().map(|test| judge.missing(test, why.clone())).collect(),
        None => claim.tests.iter().flat_map(|test| judge.findings(test)).collect(),
    };
    let found = |verdict| findings.iter().any(|finding| finding.verdict == verdict);
    let missing = claim.missing.is_some() || findings.iter().any(|finding| finding.measured.is_none());
    let verdict = if claim.reported {
        Verdict::Reported
    } else if missing || !doubts.is_empty() {
        Verdict::Inconclusive
    } else if found(Verdict::Refuted) {
        Verdict::Refuted
    } else if found(Verdict::Inconclusive) {
        Verdict::Inconclusive
    } else {
        Verdict::Confirmed
    };
    let mut why: Vec<String> = Vec::new();
    if verdict == Verdict::Inconclusive {
        why.extend(doubts.iter().map(|doubt| format!("the run can't vouch for its intervals: {doubt}")));
        why.extend(claim.missing.clone());
        why.extend(findings.iter().filter_map(|finding| finding.why.clone()));
        let mut seen = Vec::new();
        why.retain(|text| {
            !seen.contains(text) && {
                seen.push(text.clone());
                true
            }
        });
    }
    Judged {
        id: claim.id.clone(),
        source: claim.source.clone(),
        says: claim.says.clone(),
        note: claim.note.clone(),
        verdict,
        why,
        findings,
    }
}
