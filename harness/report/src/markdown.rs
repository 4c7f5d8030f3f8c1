//! A report as Markdown: `summary.md`.
//!
//! Whatever is shown is text: what would be markup in it, or HTML, is escaped. Only what is in backquotes is taken as code.

use super::Report;
use super::format::one_line;
use super::grid::{Grid, footnotes, notes, title};
use super::tables::Table;

/// The report as Markdown.
pub fn render(report: &Report) -> String {
    let mut text = format!("# bindbench: run {}\n\n", literal(&report.run));
    list(&mut text, report.about.iter().cloned());
    text += &format!("- **{}**\n", literal(&report.vouches.sentence()));
    list(&mut text, report.vouches.resolution().into_iter());
    if !report.warnings.is_empty() {
        text.push_str("\n## Warnings\n\n");
        list(&mut text, report.warnings.iter().map(|warning| format!("{}; {}", warning.what, warning.advice)));
    }
    if !report.notes.is_empty() {
        text.push_str("\n## Notes\n\n");
        list(&mut text, report.notes.iter().cloned());
    }
    for table in &report.tables {
        section(&mut text, table);
    }
    if let Some(counted) = &report.instructions {
        text.push_str("\n## Instructions\n\n");
        let uncounted = counted.uncounted.iter().map(|group| format!("Not counted: {}: {}", group.what.join(", "), group.reason));
        list(&mut text, counted.about.iter().cloned().chain(uncounted));
        for table in &counted.tables {
            text += &format!("\n### {}\n\n", literal(&table.title()));
            list(&mut text, std::iter::once(table.note().to_owned()).chain(table.footnotes()));
            text.push('\n');
            lay_out(&mut text, &table.grid());
        }
    }
    for talk in &report.talks {
        text += &format!("\n## {}\n\n", literal(&talk.title()));
        list(&mut text, talk.about().into_iter());
        for table in &talk.tables {
            text += &format!("\n### {}\n\n", literal(&table.title()));
            lay_out(&mut text, &table.grid());
            text.push('\n');
            list(&mut text, table.notes().into_iter());
        }
    }
    if !report.skipped.is_empty() {
        text.push_str("\n## Skipped\n\n");
        list(&mut text, report.skipped.iter().map(|group| format!("{}: {}", group.what.join(", "), group.reason)));
    }
    text
}

/// What was measured where, and some tables; for a document of somebody else's.
pub fn part(report: &Report, tables: &[Table]) -> String {
    let mut text = String::new();
    list(&mut text, report.about.iter().cloned().chain(report.caveats()));
    tables.iter().for_each(|table| section(&mut text, table));
    text
}

fn section(text: &mut String, table: &Table) {
    *text += &format!("\n## {}: {}\n\n", literal(&title(table)), literal(&table.kind()));
    list(text, notes(table).into_iter());
    text.push('\n');
    lay_out(text, &Grid::new(table));
    let footnotes = footnotes(table);
    if !footnotes.is_empty() {
        text.push('\n');
        list(text, footnotes.into_iter());
    }
}

/// Adds a table.
pub(super) fn lay_out(text: &mut String, grid: &Grid) {
    row(text, grid.columns.iter().map(|(title, _)| *title));
    row(text, grid.columns.iter().map(|(_, number)| if *number { "---:" } else { "---" }));
    for line in &grid.rows {
        row(text, line.cells.iter().map(String::as_str));
    }
}

/// Adds a list.
pub(super) fn list(text: &mut String, items: impl Iterator<Item = String>) {
    for item in items {
        *text += &format!("- {}\n", paragraph(&item));
    }
}

/// Adds a line of a table.
pub(super) fn row<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    for cell in cells {
        *text += &format!("| {} ", literal(cell).replace('|', "\\|"));
    }
    text.push_str("|\n");
}

/// A text that shows as it is, on one line of its own: nothing begins a list, a heading or a quotation.
pub(super) fn paragraph(text: &str) -> String {
    let text = literal(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    let mark = rest.split(' ').next().unwrap_or_default();
    let begins = match number {
        "" => rest.starts_with(['>', '[', '=']) || mark.trim_matches('#').is_empty() || ["-", "+", "*", "---"].contains(&mark),
        _ => [".", ")"].contains(&mark),
    };
    if begins && !rest.is_empty() { format!("{number}\\{rest}") } else { text }
}

/// A text that shows as it is, within a line. What stands between backquotes is code, in which nothing has to be escaped.
pub(super) fn literal(text: &str) -> String {
    let text = one_line(text);
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, from)) = rest.find('`').map(|at| rest.split_at(at)) {
        escape_into(&mut escaped, before, Some('`'));
        let (fence, inside) = from.split_at(from.len() - from.trim_start_matches('`').len());
        match closing(inside, fence.len()) {
            Some(end) => {
                escaped += &from[..fence.len() + end + fence.len()];
                rest = &inside[end + fence.len()..];
            }
            None => {
                fence.chars().for_each(|_| escaped += "\\`");
                rest = inside;
            }
        }
    }
    escape_into(&mut escaped, rest, None);
    escaped
}

/// Where a run of exactly so many backquotes begins.
fn closing(text: &str, length: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let run = text[at + found..].bytes().take_while(|&byte| byte == b'`').count();
        if run == length {
            return Some(at + found);
        }
        at += found + run;
    }
    None
}

/// Adds a text without backquotes; `after` is what comes after it.
fn escape_into(escaped: &mut String, text: &str, after: Option<char>) {
    let mut before = escaped.chars().next_back();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().or(after);
        let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_gap = |c: Option<char>| c.is_none_or(char::is_whitespace);
        match c {
            '<' => *escaped += "&lt;",
            '&' if is_word(next) || next == Some('#') => *escaped += "&amp;",
            // Within a word it is nothing but itself: `find_all`.
            '_' if is_word(before) && is_word(next) => escaped.push(c),
            // Nor by itself: `x * x`, and the mark of a footnote.
            '*' if is_gap(before) && is_gap(next) => escaped.push(c),
            // An interval is no link, unless an address follows.
            '(' | '[' | ':' if before == Some(']') => escaped.extend(['\\', c]),
            '\\' | '*' | '_' | '~' | '$' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
        before = Some(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markup_is_text() {
        for (text, shown) in [
            ("<img src=x onerror=alert(1)>&lt;b", "&lt;img src=x onerror=alert(1)>&amp;lt;b"),
            ("*args, **kwargs of __init__ in find_all, _x", r"\*args, \*\*kwargs of \_\_init\_\_ in find_all, \_x"),
            (
                "[0.93, 1.02] (p = 0.1), [a](javascript:b), [x]: y, ![z][w]",
                r"[0.93, 1.02] (p = 0.1), [a]\(javascript:b), [x]\: y, ![z]\[w]",
            ),
            ("`run -s 'a*' <b>` does, a <b> doesn't", "`run -s 'a*' <b>` does, a &lt;b> doesn't"),
            ("``a`<b>`` and `<i>", r"``a`<b>`` and \`&lt;i>"),
            (r"\`<b>` c:\*", r"\\`<b>` c:\\\*"),
            ("x * x, *`a`* b *", r"x * x, \*`a`\* b *"),
            ("~~gone~~ $x$ a\nb", r"\~\~gone\~\~ \$x\$ a b"),
        ] {
            assert_eq!(literal(text), shown);
        }
        for (text, shown) in [
            ("# a", r"\# a"),
            ("1. a", r"1\. a"),
            ("2.5 %", "2.5 %"),
            ("-0.2 ns", "-0.2 ns"),
            ("> a", r"\> a"),
            ("- a", r"\- a"),
            ("* a", r"\* a"),
            ("a - b", "a - b"),
        ] {
            assert_eq!(paragraph(text), shown);
        }
    }
}
