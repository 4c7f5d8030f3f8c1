//! A gate as Markdown, for the page that a CI shows of a job.

use crate::format;
use crate::markdown::{lay_out, list, literal, paragraph};

use super::show::{grid, headlines, is_different, reasons, tally};
use super::{Gated, Verdict};

/// The gate as Markdown: the verdict, what failed or got faster, what is open, the table.
pub fn markdown(gated: &Gated) -> String {
    let mut text = format!("## bindbench gate\n\n**{}**\n\n", literal(&tally(gated)));
    let sides = gated.sides.iter().map(|(side, what)| format!("{side}: {what}"));
    list(&mut text, sides.chain(gated.notes.iter().map(|note| format!("Note: {note}"))));
    for cell in gated.cells.iter().filter(|cell| is_different(cell)) {
        headlines(cell, gated).iter().for_each(|headline| text += &format!("\n{}\n", paragraph(headline)));
        if let Some(command) = &cell.flamegraph {
            text += &format!("\nFlamegraph of the difference:\n\n```\n{}\n```\n", format::one_line(command));
        }
    }
    let open: Vec<String> = gated
        .cells
        .iter()
        .filter(|cell| cell.verdict == Verdict::Inconclusive)
        .map(|cell| format!("{}: {}", cell.name, reasons(cell)))
        .collect();
    if !open.is_empty() {
        text += "\nInconclusive:\n\n";
        list(&mut text, open.into_iter());
    }
    text.push('\n');
    lay_out(&mut text, &grid(gated));
    if !gated.left_out.is_empty() {
        text += "\nNot on both sides:\n\n";
        list(&mut text, gated.left_out.iter().cloned());
    }
    text + "\n"
}
