//! Where the time goes, as tables on a terminal and in Markdown, as JSON, and as the page that lists the pictures.

mod gil;
mod index;
mod memory;
mod split;

use std::fs;
use std::io;
use std::path::Path;

pub(super) use split::Table;

use bindbench_files::atomic;
use bindbench_model::Case;
use bindbench_model::profile::{Activity, Difference, MIXED, Profile, Stacks};

use super::format::size;
use super::markdown::{list, literal, paragraph};

/// More unknown or undecided samples than this are worth a word.
const MUCH: f64 = 0.05;

/// A profile for a terminal; `out` is the folder of the pictures.
pub fn text(profile: &Profile, out: &Path) -> String {
    let mut text = String::new();
    for table in tables(profile) {
        text += &format!("{}\n{}\n\n", table.title, table.laid_out());
    }
    for note in notes(profile) {
        text += &format!("{note}\n");
    }
    for difference in &profile.differences {
        text += &format!("{}: {}\n", differs(difference), out.join(&difference.picture).display());
    }
    text += &format!("pictures: {}\n", out.join("index.html").display());
    text
}

/// A profile as JSON, with a line feed at its end.
///
/// # Errors
/// Never in practice: every key is a string.
pub fn json(profile: &Profile) -> serde_json::Result<String> {
    serde_json::to_string_pretty(profile).map(|text| text + "\n")
}

/// Writes `profile.md` and `index.html` beside the pictures.
///
/// # Errors
/// When the disk refuses.
pub fn write(profile: &Profile, out: &Path) -> io::Result<()> {
    fs::create_dir_all(out)?;
    atomic::replace(&out.join("profile.md"), markdown(profile).as_bytes())?;
    atomic::replace(&out.join("index.html"), index::render(profile).as_bytes())
}

/// What every pass has to show.
fn tables(profile: &Profile) -> Vec<Table> {
    [split::tables(profile), gil::tables(profile), memory::tables(profile)].into_iter().flatten().collect()
}

fn markdown(profile: &Profile) -> String {
    let mut text = format!("# bindbench: where the time goes\n\n{}\n", paragraph(&about(profile)));
    for table in tables(profile) {
        text += &format!("\n## {}\n\n{}", literal(&table.title), table.markdown());
    }
    let notes = notes(profile);
    if !notes.is_empty() {
        text += "\n## Notes\n\n";
        list(&mut text, notes.into_iter());
    }
    text
}

/// On what, and by which bindbench.
fn about(profile: &Profile) -> String {
    let environment = &profile.environment;
    format!("{}, {} {}; bindbench {}, {}", environment.cpu, environment.os, environment.kernel_release, profile.bindbench, profile.started)
}

/// What to know before believing a picture.
fn notes(profile: &Profile) -> Vec<String> {
    let mut notes = Vec::new();
    for cell in &profile.cells {
        let name = format!("{} in {}{}", cell.lane, title(&cell.case), interpreter(cell.interpreter.as_deref()));
        if !cell.status.has_number() {
            notes.push(format!("{name}: {}", cell.status));
        }
        if let Some(stacks) = &cell.stacks {
            notes.extend(doubts(stacks, cell.interpreter.is_none()).into_iter().map(|doubt| format!("{name}: {doubt}")));
        }
    }
    notes.extend(gil::findings(profile));
    notes.extend(memory::findings(profile));
    notes.extend(profile.notes.iter().cloned());
    let skipped = profile.skipped.iter().map(|skipped| {
        let what = skipped.operation.as_ref().map(|operation| format!(", {operation}")).unwrap_or_default();
        format!("{}{}{what}: {}", skipped.lane, interpreter(skipped.interpreter.as_deref()), skipped.reason)
    });
    notes.extend(skipped);
    notes
}

/// Why a picture is to be taken with care. Nobody misses Python in a native lane's.
fn doubts(stacks: &Stacks, native: bool) -> Vec<String> {
    let mut doubts = Vec::new();
    let per_cent = |samples| format!("{:.1} %", 100.0 * stacks.share(samples));
    if stacks.samples == 0 {
        doubts.push("no sample was taken: it waits for others all the time, or the loops were too short".to_owned());
        return doubts;
    }
    let is_whole = stacks.is_mixed() || native && stacks.share(stacks.rooted) >= MIXED;
    if !is_whole {
        doubts.push(format!("{} ({} of the stacks are whole)", stacks.kind(), per_cent(stacks.rooted)));
    }
    let other = stacks.split.get(&Activity::Other).copied().unwrap_or_default();
    if stacks.share(other) > MUCH {
        doubts.push(format!("{} of the samples fit no rule; rules for its functions belong into its strategy.toml", per_cent(other)));
    }
    if stacks.share(stacks.unknown) > MUCH {
        doubts.push(format!("{} of the samples are in functions without a name", per_cent(stacks.unknown)));
    }
    if stacks.share(stacks.lost) > MUCH {
        doubts.push(format!("{} samples were lost; fewer a second (--hertz) would not be", stacks.lost));
    }
    doubts
}

/// What a differential flamegraph shows.
fn differs(difference: &Difference) -> String {
    let Difference { case, first, second, interpreter: name, .. } = difference;
    format!("{second} against {first}, {}{}", title(case), interpreter(name.as_deref()))
}

fn interpreter(name: Option<&str>) -> String {
    name.map(|name| format!(" on {name}")).unwrap_or_default()
}

/// A case on one line.
fn title(case: &Case) -> String {
    let Case { workload, operation, input, size: bytes_or_items, unit, threads, .. } = case;
    let size = bytes_or_items.map(|n| format!(", {}", size(n, *unit))).unwrap_or_default();
    let threads = if *threads == 1 { String::new() } else { format!(", {threads} threads") };
    format!("{workload}.{operation} of {input}{size}{threads}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_can_not_be_trusted_says_so() {
        let fine = Stacks { samples: 1000, rooted: 990, with_python: 900, split: [(Activity::Other, 50)].into(), ..Stacks::default() };
        assert_eq!(doubts(&fine, false), Vec::<String>::new());
        let native = Stacks { with_python: 0, ..fine.clone() };
        assert_eq!((doubts(&native, true).len(), doubts(&native, false).len()), (0, 1));
        let bad = Stacks { rooted: 500, unknown: 60, lost: 100, split: [(Activity::Other, 51)].into(), ..fine };
        let words = doubts(&bad, false).join("\n");
        for word in ["50.0 % of the stacks are whole", "5.1 % of the samples fit no rule", "6.0 % of the samples", "100 samples were lost"]
        {
            assert!(words.contains(word), "{word}: {words}");
        }
        assert!(doubts(&Stacks::default(), true)[0].contains("no sample was taken"));
    }
}
