//! Verdicts as text: one layout, for a terminal and as Markdown.

use crate::format;
use crate::grid::{Grid, GridRow, Tone};
use crate::page::{Section, SectionTable};
use crate::terminal::{Look, lay_out};
use crate::{markdown as page, terminal as screen};

use super::quantity::Unit;
use super::{Claims, Finding, ForInterpreter, Judged, Seen, Verdict};

const COLUMNS: [(&str, bool); 7] =
    [("#", true), ("Verdict", false), ("Claim", false), ("Measured", true), ("95 %", false), ("Has to be", false), ("Resolution", true)];

/// Title of the reasons.
const INCONCLUSIVE: &str = "Why some are inconclusive";

/// The verdicts as text.
pub fn terminal(claims: &Claims, look: Look) -> String {
    let mut text = String::new();
    for line in heading(claims) {
        screen::line(&mut text, &line);
    }
    for interpreter in &claims.interpreters {
        screen::line(&mut text, &format!("\n{}", title(interpreter)));
        screen::line(&mut text, &lay_out(&grid(interpreter), look));
        for (title, lines) in sections(interpreter) {
            screen::line(&mut text, &format!("{title}:"));
            lines.iter().for_each(|line| screen::line(&mut text, &format!("  {}", format::one_line(line))));
        }
    }
    text
}

/// The verdicts as Markdown: `claims.md`.
pub fn markdown(claims: &Claims) -> String {
    let mut text = format!("# bindbench: the claims, by run {}\n\n", page::literal(&claims.run));
    page::list(&mut text, heading(claims).into_iter());
    for interpreter in &claims.interpreters {
        text += &format!("\n## {}\n\n", page::literal(&title(interpreter)));
        page::lay_out(&mut text, &grid(interpreter));
        for (title, lines) in sections(interpreter) {
            text += &format!("\n### {title}\n\n");
            page::list(&mut text, lines.into_iter());
        }
    }
    text
}

/// The verdicts as a part of the page.
pub fn section(claims: &Claims) -> Section {
    let table = |interpreter: &ForInterpreter| {
        let notes = sections(interpreter).into_iter().filter(|(title, _)| *title == INCONCLUSIVE).flat_map(|(_, lines)| lines).collect();
        SectionTable::new(title(interpreter), notes, grid(interpreter))
    };
    Section {
        id: "claims".to_owned(),
        title: "The talks' claims".to_owned(),
        lead: heading(claims),
        tables: claims.interpreters.iter().map(table).collect(),
        command: format!("cargo bindbench claims {}", claims.run),
    }
}

fn heading(claims: &Claims) -> Vec<String> {
    let mut lines = vec![
        format!("Claims, judged by run {} on {}", claims.run, format::count(claims.cpus, "CPU")),
        "A claim is confirmed or refuted where its whole interval, and the resolution around the bound, lie on one side; else this run \
         can't tell."
            .to_owned(),
    ];
    if !claims.doubts.is_empty() {
        lines.push(format!("There is no verdict on any: the run can't vouch for its intervals: {}.", claims.doubts.join("; ")));
    }
    lines
}

fn title(interpreter: &ForInterpreter) -> String {
    match &interpreter.interpreter {
        Some(name) => format!("Python {name}: {}", interpreter.tally()),
        None if interpreter.named_by_claims => format!("Claims that name their interpreters: {}", interpreter.tally()),
        None => format!("No Python: {}", interpreter.tally()),
    }
}

/// A row for each claim; where it has several findings, a row for each below it.
fn grid(interpreter: &ForInterpreter) -> Grid {
    let mut rows = Vec::new();
    for claim in &interpreter.claims {
        let says = format!("{} ({})", claim.says, claim.source);
        match &claim.findings[..] {
            [finding] => rows.push(row(&claim.id, claim.verdict, &says, Some(finding))),
            findings => {
                rows.push(row(&claim.id, claim.verdict, &says, None));
                // Without a cell there is nothing to show of it but the reason, which stands below.
                let measured = findings.iter().filter(|finding| finding.measured.is_some());
                rows.extend(measured.map(|finding| {
                    let label = finding.says.as_ref().unwrap_or(&finding.what);
                    row("", finding.verdict, &format!("– {label}"), Some(finding))
                }));
            }
        }
    }
    Grid { columns: COLUMNS.to_vec(), rows }
}

fn row(id: &str, verdict: Verdict, says: &str, finding: Option<&Finding>) -> GridRow {
    let text = |of: fn(&Finding) -> String| finding.map(of).unwrap_or_default();
    GridRow {
        cells: vec![
            id.to_owned(),
            name(verdict).to_owned(),
            says.to_owned(),
            text(measured),
            text(|finding| finding.measured.map(|measured| format::ratio_interval(&measured)).unwrap_or_default()),
            text(bounds),
            text(|finding| finding.resolution.map(format::band).unwrap_or_default()),
        ],
        new_case: false,
        values: Vec::new(),
        tone: match verdict {
            Verdict::Confirmed => Tone::Faster,
            Verdict::Refuted => Tone::Slower,
            Verdict::Inconclusive | Verdict::Reported => Tone::Plain,
        },
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "confirmed",
        Verdict::Refuted => "refuted",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Reported => "no verdict",
    }
}

fn measured(finding: &Finding) -> String {
    let Some(measured) = finding.measured else { return String::new() };
    let number = format::ratio(measured.point());
    match finding.unit {
        Unit::Ratio | Unit::Scaling => number,
        Unit::NanosecondsPerByte => format!("{number} ns/B"),
        Unit::NanosecondsPerItem => format!("{number} ns/item"),
        Unit::GilHeld => format!("{} held", format::percent(measured.point())),
        Unit::Share => format!("{} of samples", format::percent(measured.point())),
    }
}

fn bounds(finding: &Finding) -> String {
    match finding.gil {
        Some(Seen::Held) => return "held".to_owned(),
        Some(Seen::Released) => return "released".to_owned(),
        None => {}
    }
    match (finding.above.map(format::ratio), finding.below.map(format::ratio)) {
        (Some(above), Some(below)) => format!("{above} to {below}"),
        (Some(above), None) => format!("> {above}"),
        (None, Some(below)) => format!("< {below}"),
        (None, None) => String::new(),
    }
}

/// What stands below the table: how each claim was judged, why some were not, and what to know.
fn sections(interpreter: &ForInterpreter) -> Vec<(&'static str, Vec<String>)> {
    let each = |lines: fn(&Judged) -> Vec<String>| -> Vec<String> {
        let of = |claim| lines(claim).into_iter().map(move |line| format!("{}: {line}", claim.id));
        interpreter.claims.iter().flat_map(of).collect()
    };
    let looked_at = each(|claim| {
        let mut lines: Vec<String> = claim.findings.iter().filter(|f| !f.what.is_empty()).map(|f| f.what.clone()).collect();
        lines.dedup();
        lines
    });
    let sections = [
        ("What was compared", looked_at),
        (INCONCLUSIVE, each(|claim| claim.why.clone())),
        ("What to know", each(|claim| claim.note.iter().cloned().collect())),
    ];
    sections.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
}
