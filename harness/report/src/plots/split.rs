//! Where the time goes: a stacked bar for each lane that was profiled.

use std::collections::BTreeMap;

use bindbench_model::profile::{Activity, Profile, ProfiledCell, Stacks};

use crate::format;

use super::canvas::{Anchor, Canvas, Ink, Letters, draw, shortened, width};
use super::{MOST_LANES, Plot, file_name};

const WIDTH: i32 = 820;
const TOP: i32 = 84;
const ROW: i32 = 28;
const BOTTOM: i32 = 40;
const LONGEST_LANE: usize = 30;
/// Shares below this have no number in their part of the bar: it would not fit.
const SMALLEST_NUMBER: f64 = 0.06;

/// Workload and plot for each case and interpreter.
pub fn plots(profile: &Profile) -> Vec<(String, Plot)> {
    let mut cases: BTreeMap<String, Vec<(&ProfiledCell, &Stacks)>> = BTreeMap::new();
    for cell in &profile.cells {
        if let Some(stacks) = cell.stacks.as_ref().filter(|stacks| stacks.samples > 0) {
            cases.entry(title(cell)).or_default().push((cell, stacks));
        }
    }
    cases.into_iter().map(|(title, cells)| (cells[0].0.case.workload.clone(), plot(&title, &cells))).collect()
}

fn title(cell: &ProfiledCell) -> String {
    let case = &cell.case;
    let mut title = format!("{}.{}, input {}", case.workload, case.operation, case.input);
    if let Some(size) = case.size {
        title += &format!(", size {}", format::size(size, case.unit));
    }
    if case.threads > 1 {
        title += &format!(", {} threads", case.threads);
    }
    title
}

fn plot(title: &str, cells: &[(&ProfiledCell, &Stacks)]) -> Plot {
    let cells = &cells[..cells.len().min(MOST_LANES)];
    let name = |cell: &ProfiledCell| {
        let lane = match &cell.interpreter {
            Some(interpreter) => format!("{} ({interpreter})", cell.lane),
            None => cell.lane.clone(),
        };
        shortened(&lane, LONGEST_LANE)
    };
    let left = cells.iter().map(|(cell, _)| width(&name(cell), Letters::Plain)).max().unwrap_or(0) + 16;
    let right = WIDTH - 12;
    let height = TOP + ROW * cells.len() as i32 + BOTTOM;
    let svg = draw(WIDTH, height, |canvas| {
        canvas.text(title, (8, 14), Anchor::Start, Letters::Bold, Ink::Text);
        legend(canvas);
        for (at, (cell, stacks)) in cells.iter().enumerate() {
            let y = TOP + ROW * at as i32;
            canvas.text(&name(cell), (left - 10, y + ROW / 2), Anchor::End, Letters::Plain, Ink::Text);
            bar(canvas, stacks, left, right, y);
        }
        for percent in [0, 25, 50, 75, 100] {
            let at = left + (right - left) * percent / 100;
            let anchor = if percent == 100 { Anchor::End } else { Anchor::Middle };
            canvas.text(&format!("{percent} %"), (at, height - BOTTOM + 14), anchor, Letters::Small, Ink::Muted);
        }
    });
    let says: Vec<String> = cells
        .iter()
        .map(|(cell, stacks)| {
            let shares = stacks.split.iter().filter(|(_, samples)| stacks.share(**samples) >= 0.01);
            let shares: Vec<String> =
                shares.map(|(activity, samples)| format!("{activity} {}", format::percent(stacks.share(*samples)))).collect();
            format!("{}: {}", cell.lane, shares.join(", "))
        })
        .collect();
    Plot {
        name: format!("split-{}", file_name(title)),
        heading: format!("Where the time goes: {title}"),
        says: says.join("; "),
        caption: "Shares of the samples of each lane's stacks, in per cent. Lanes differ in how long a call takes: see the table.".into(),
        svg,
    }
}

fn legend(canvas: &mut Canvas) {
    for (n, activity) in Activity::ALL.iter().enumerate() {
        let (x, y) = (8 + 160 * (n as i32 % 5), 38 + 20 * (n as i32 / 5));
        canvas.rectangle((x, y - 6), (x + 12, y + 6), Ink::Series(n));
        canvas.text(&activity.to_string(), (x + 18, y), Anchor::Start, Letters::Small, Ink::Text);
    }
}

fn bar(canvas: &mut Canvas, stacks: &Stacks, left: i32, right: i32, y: i32) {
    let at = |samples: u64| left + (f64::from(right - left) * stacks.share(samples).min(1.0)).round() as i32;
    let mut before = 0_u64;
    for (n, activity) in Activity::ALL.iter().enumerate() {
        let samples = stacks.split.get(activity).copied().unwrap_or(0);
        let after = before.saturating_add(samples);
        let (from, to) = (at(before), at(after));
        before = after;
        if to <= from {
            continue;
        }
        canvas.rectangle((from, y + 3), (to, y + ROW - 3), Ink::Series(n));
        let share = stacks.share(samples);
        if share >= SMALLEST_NUMBER {
            let middle = (from + to) / 2;
            // On a ground of its own: no one colour of letters can be read on all colours of bars.
            canvas.rectangle((middle - 12, y + 7), (middle + 12, y + ROW - 7), Ink::Ground);
            canvas.text(&format!("{:.0}", share * 100.0), (middle, y + ROW / 2), Anchor::Middle, Letters::Small, Ink::Text);
        }
    }
}
