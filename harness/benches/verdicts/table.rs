//! What was found, as a table in Markdown.

use std::collections::BTreeMap;
use std::time::Duration;

use bindbench_stats::wilson;

use super::journal::{Journal, Trial};
use super::judge::Said;
use super::part::Part;

/// A row for each part, a column for each tool; then the smallest slowdown that each found in half of its trials.
pub fn table(journal: &Journal, parts: &[Part], given: Option<Duration>) -> String {
    let of = |part: &Part| -> Vec<&Trial> {
        let (name, given_s) = (part.name(), given.unwrap_or(part.time()).as_secs_f64());
        journal.trials().iter().filter(|trial| trial.part == name && trial.given_s == given_s).collect()
    };
    let found: Vec<(&Part, Vec<&Trial>)> = parts.iter().map(|part| (part, of(part))).filter(|(_, trials)| !trials.is_empty()).collect();
    let mut tools: Vec<&str> = Vec::new();
    for trial in found.iter().flat_map(|(_, trials)| trials) {
        if !tools.contains(&trial.tool.as_str()) {
            tools.push(&trial.tool);
        }
    }
    let mut text = format!("| part | s | built in | {} |\n|---|---|---|{}\n", tools.join(" | "), "---|".repeat(tools.len()));
    for (part, trials) in &found {
        let cells: Vec<String> = tools.iter().map(|tool| cell(part, &of_tool(trials, tool))).collect();
        let built_in = part.slower.map_or("nothing".to_owned(), |_| format!("{:.2} %", trials[0].truth.share * 100.0));
        text += &format!("| {} | {} | {built_in} | {} |\n", part.name(), trials[0].given_s, cells.join(" | "));
    }
    text += "\nEqual: verdicts of 'slower' or 'faster', all of them false. Slower: those that say so. In brackets the share's 95 % interval \
             (Wilson), then what a comparison took in fact, in the mean.\n";
    text + &smallest(&found, &tools) + &machines(&found)
}

/// A part, and its comparisons.
type Found<'t> = (&'t Part, Vec<&'t Trial>);

fn of_tool<'t>(trials: &[&'t Trial], tool: &str) -> Vec<&'t Trial> {
    trials.iter().copied().filter(|trial| trial.tool == tool).collect()
}

/// `3 of 100 [1.0 %, 8.5 %], 5.1 s`.
fn cell(part: &Part, trials: &[&Trial]) -> String {
    if trials.is_empty() {
        return "not asked".to_owned();
    }
    let counts = |trial: &&&Trial| if part.slower.is_some() { trial.said == Said::Slower } else { trial.said != Said::Same };
    let (hits, all) = (trials.iter().filter(counts).count(), trials.len());
    let (low, high) = wilson(hits as u64, all as u64);
    let took = trials.iter().map(|trial| trial.took_s).sum::<f64>() / all as f64;
    format!("{hits} of {all} [{:.0} %, {:.0} %], {took:.1} s", low * 100.0, high * 100.0)
}

/// By class and state, the smallest slowdown that a tool found in at least half of the trials.
fn smallest(found: &[Found], tools: &[&str]) -> String {
    let mut by_kind: BTreeMap<(bool, &str), Vec<&Found>> = BTreeMap::new();
    for entry in found.iter().filter(|(part, _)| part.slower.is_some()) {
        by_kind.entry((entry.0.hog, entry.0.class.variant())).or_default().push(entry);
    }
    let mut text = String::new();
    for ((hog, class), entries) in by_kind {
        let best = |tool: &&str| {
            let half = |(_, trials): &&&Found| {
                let trials = of_tool(trials, tool);
                let hits = trials.iter().filter(|trial| trial.said == Said::Slower).count();
                !trials.is_empty() && hits * 2 >= trials.len()
            };
            let shares = entries.iter().filter(half).map(|(_, trials)| trials[0].truth.share);
            let share = shares.min_by(f64::total_cmp).map_or("none".to_owned(), |share| format!("{:.2} %", share * 100.0));
            format!("{tool} {share}")
        };
        let state = if hog { "hog" } else { "idle" };
        text += &format!("\nSmallest found in half, {class}, {state}: {}.", tools.iter().map(best).collect::<Vec<_>>().join("; "));
    }
    if text.is_empty() { text } else { text + "\n" }
}

/// Where, and how busy it was.
fn machines(found: &[Found]) -> String {
    let mut loads: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for trial in found.iter().flat_map(|(_, trials)| trials) {
        loads.entry(&trial.cpu).or_default().push(trial.load);
    }
    let line = |(cpu, loads): (&str, Vec<f64>)| {
        let (low, high) = loads.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), load| (low.min(*load), high.max(*load)));
        format!("\n{cpu}: {} comparisons, at load averages of {low:.1} to {high:.1}.", loads.len())
    };
    loads.into_iter().map(line).collect::<String>() + "\n"
}
