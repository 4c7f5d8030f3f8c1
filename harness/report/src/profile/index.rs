//! `index.html`: all pictures of a folder, each with the split of its time as a bar. One file, no script, nothing from elsewhere.

use std::fmt::Write;

use bindbench_model::profile::{Activity, Profile, ProfiledCell, Stacks};

use super::split::{Table, sampled, short};
use super::{about, differs, doubts, gil, memory, notes, title};

/// Narrower parts of a bar have no label.
const ROOM_FOR_A_LABEL: f64 = 0.08;

/// What the second links are.
const FIREFOX: &str = "Samples are for the <a href=\"https://profiler.firefox.com\">Firefox Profiler</a>: drop the file on its page, which \
keeps it in your browser. ";

const STYLE: &str = "\
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin: 2rem 0 .4rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25rem .6rem .25rem 0; vertical-align: middle }
td.bar { width: 60% } td.number { text-align: right; font-variant-numeric: tabular-nums }
.split { display: flex; height: 1.5rem; border: 1px solid #888 } .split span { overflow: hidden; font-size: 12px; line-height: 1.5rem;
text-align: center; color: #000; white-space: nowrap } .legend span { display: inline-block; padding: 0 .6rem; margin: 0 .3rem .3rem 0;
border: 1px solid #888; color: #000 } .doubt { color: #8a3b00 } footer { color: #555; margin-top: 2rem }";

/// The page.
pub fn render(profile: &Profile) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>bindbench: where the time goes</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Where the time goes</h1>\n<p>{}</p>\n\
         <p>Each bar is all samples of a lane's steady loop, one part for each thing the time was spent on; the link is the flamegraph. {}\
         Shares of different lanes are shares of different times: how long a call takes is in the tables of a run.</p>\n",
        escaped(&about(profile)),
        if sampled(profile).iter().any(|(_, stacks)| stacks.firefox.is_some()) { FIREFOX } else { "" }
    );
    page += "<p class=\"legend\">";
    for activity in Activity::ALL {
        page += &format!("<span style=\"background:{}\">{activity}</span>", colour(activity));
    }
    page += "</p>\n";
    let mut last = String::new();
    for (cell, stacks) in sampled(profile) {
        let case = title(&cell.case);
        if case != last {
            page += if last.is_empty() { "" } else { "</table>\n" };
            page +=
                &format!("<h2>{}</h2>\n<table>\n<tr><th>lane<th>python<th>split of the time<th>samples<th>rooted</tr>\n", escaped(&case));
            last = case;
        }
        page += &row(cell, stacks);
    }
    page += if last.is_empty() { "<p>No cell has samples.</p>\n" } else { "</table>\n" };
    for table in gil::tables(profile).iter().chain(&memory::tables(profile)) {
        page += &plain(table);
    }
    if !profile.differences.is_empty() {
        page += "<h2>Differences</h2>\n<ul>\n";
        for difference in &profile.differences {
            let words = differs(difference);
            page += &format!("<li><a href=\"{}\">{}</a></li>\n", address(&difference.picture.to_string_lossy()), escaped(&words));
        }
        page += "</ul>\n";
    }
    let notes = notes(profile);
    if !notes.is_empty() {
        page += "<h2>Notes</h2>\n<ul>\n";
        for note in notes {
            page += &format!("<li>{}</li>\n", escaped(&note));
        }
        page += "</ul>\n";
    }
    page + "<footer>Written by <code>bindbench profile</code>; the numbers are in profile.md and profile.json.</footer>\n</body>\n</html>\n"
}

/// A table of words and numbers.
fn plain(table: &Table) -> String {
    let line = |tag: &str, cells: &[String]| {
        let cells: String = cells.iter().map(|cell| format!("<{tag}>{}", escaped(cell))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = table.rows.iter().map(|row| line("td", row)).collect();
    format!("<h2>{}</h2>\n<table>\n{}{rows}</table>\n", escaped(&table.title), line("th", &table.header))
}

fn row(cell: &ProfiledCell, stacks: &Stacks) -> String {
    let mut bar = String::new();
    for activity in Activity::ALL {
        let share = stacks.share(stacks.split.get(&activity).copied().unwrap_or_default());
        if share > 0.0 {
            let per_cent = 100.0 * share;
            let label = if share >= ROOM_FOR_A_LABEL { format!("{} {per_cent:.0} %", short(activity)) } else { String::new() };
            // Writing into a string can't fail.
            let _ = write!(
                bar,
                "<span style=\"width:{per_cent:.2}%;background:{}\" title=\"{activity} {per_cent:.1} %\">{label}</span>",
                colour(activity)
            );
        }
    }
    let doubt = if doubts(stacks, cell.interpreter.is_none()).is_empty() {
        ""
    } else {
        " <span class=\"doubt\" title=\"see the notes\">(!)</span>"
    };
    let firefox = stacks.firefox.as_ref().map(|path| format!(" <a href=\"{}\" download>samples</a>", address(&path.to_string_lossy())));
    format!(
        "<tr><td><a href=\"{}\">{}</a>{doubt}{}<td>{}<td class=\"bar\"><div class=\"split\">{bar}</div><td class=\"number\">{}\
         <td class=\"number\">{:.1} %</tr>\n",
        address(&stacks.picture.to_string_lossy()),
        escaped(&cell.lane),
        firefox.unwrap_or_default(),
        escaped(cell.interpreter.as_deref().unwrap_or("–")),
        stacks.samples,
        100.0 * stacks.share(stacks.rooted)
    )
}

/// Okabe and Ito's palette again (<https://jfly.uni-koeln.de/color/>), and two greys.
fn colour(activity: Activity) -> &'static str {
    match activity {
        Activity::Interpreter => "#c8ced6",
        Activity::ArgumentConversion => "#e69f00",
        Activity::ResultBoxing => "#f0e442",
        Activity::BindingGlue => "#d55e00",
        Activity::Kernel => "#009e73",
        Activity::Copying => "#56b4e9",
        Activity::Allocation => "#4d8fc4",
        Activity::Gil => "#cc79a7",
        Activity::System => "#8f8f8f",
        Activity::Other => "#ffffff",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A relative path as part of an address: whatever could mean something there is written in per cents.
fn address(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => text.push(byte as char),
            other => text += &format!("%{other:02X}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_nothing_but_themselves() {
        assert_eq!(escaped("<script>\"&"), "&lt;script&gt;&quot;&amp;");
        assert_eq!(address("kmp/a b/\"x\".svg"), "kmp/a%20b/%22x%22.svg");
    }
}
