//! A cell over many runs, with its levels and where they changed.

use bindbench_stats::median;

use crate::format;
use crate::history::{History, Series};

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Ink, Letters, draw, width};
use super::{Plot, file_name};

const WIDTH: i32 = 820;
const HEIGHT: i32 = 320;
const TOP: i32 = 60;
const BOTTOM: i32 = 56;
const LEFT: i32 = 74;
const RIGHT: i32 = WIDTH - 24;

/// A plot for each cell that two runs or more have.
pub fn plots(history: &History) -> Vec<Plot> {
    history.series.iter().filter(|series| series.points.len() > 1).map(|series| plot(history, series)).collect()
}

fn plot(history: &History, series: &Series) -> Plot {
    let last = series.points.len() - 1;
    // Runs stand at even distances: what matters is which one came after which.
    let x = Axis::linear(-0.5, last as f64 + 0.5, LEFT, RIGHT);
    let ends = series.points.iter().flat_map(|point| {
        let (low, high) = point.value.interval().unwrap_or((point.value.point(), point.value.point()));
        [low, high, point.value.point()]
    });
    let y = Axis::logarithmic(ends, HEIGHT - BOTTOM, TOP);
    let title = series.floor.as_ref().map_or_else(|| series.name.clone(), |floor| format!("{} over {floor}", series.name));
    let svg = draw(WIDTH, HEIGHT, |canvas| {
        canvas.text(&title, (8, 14), Anchor::Start, Letters::Bold, Ink::Text);
        let unit = if series.floor.is_some() { "ratio: above is slower" } else { "time of a call" };
        canvas.text(unit, (8, 36), Anchor::Start, Letters::Small, Ink::Muted);
        for tick in y.ticks(6) {
            canvas.line((LEFT, y.at(tick)), (RIGHT, y.at(tick)), Ink::Grid, 1);
            let text = if series.floor.is_some() { super::tick_text(tick) } else { format::time(tick) };
            canvas.text(&text, (LEFT - 8, y.at(tick)), Anchor::End, Letters::Small, Ink::Muted);
        }
        dates(canvas, history, series, &x);
        levels(canvas, series, &x, &y);
        for (at, point) in series.points.iter().enumerate() {
            let at = x.at(at as f64);
            if let Some((low, high)) = point.value.interval() {
                canvas.line((at, y.at(low)), (at, y.at(high)), Ink::Same, 1);
            }
            canvas.dot((at, y.at(point.value.point())), 3, Ink::Text);
        }
    });
    let changes = match series.changes.len() {
        0 => "no change of its level".to_owned(),
        n => format::count(n, "change") + " of its level",
    };
    Plot {
        name: file_name(&series.name),
        heading: format!("History: {title}"),
        says: format!("{title} over {}, with {changes}.", format::count(series.points.len(), "run")),
        caption:
            "Dots: runs, the oldest first, with 95 % intervals. Lines: the median of a level. Dashes: where the level changed, and the \
                  commits between."
                .to_owned(),
        svg,
    }
}

/// The day of a run, where there is room for it.
fn dates(canvas: &mut Canvas, history: &History, series: &Series, x: &Axis) {
    let mut free_from = i32::MIN;
    for (at, point) in series.points.iter().enumerate() {
        let started = &history.runs[point.run].started;
        let day = started.get(..10).unwrap_or(started);
        let (at, half) = (x.at(at as f64), width(day, Letters::Small) / 2);
        if at - half > free_from.max(0) && at + half < WIDTH {
            canvas.line((at, HEIGHT - BOTTOM), (at, HEIGHT - BOTTOM + 4), Ink::Muted, 1);
            canvas.text(day, (at, HEIGHT - BOTTOM + 16), Anchor::Middle, Letters::Small, Ink::Muted);
            free_from = at + half + 8;
        }
    }
}

/// The median of each level as a line, and a dashed line between two of them.
fn levels(canvas: &mut Canvas, series: &Series, x: &Axis, y: &Axis) {
    let cuts: Vec<usize> = series.changes.iter().map(|change| change.at).collect();
    let starts = [0].into_iter().chain(cuts.iter().copied());
    for (start, end) in starts.zip(cuts.iter().copied().chain([series.points.len()])) {
        let mut values: Vec<f64> = series.points[start..end].iter().map(|point| point.value.point()).collect();
        let Some(level) = median(&mut values) else { continue };
        let (from, to) = (x.at(start as f64 - 0.4), x.at(end as f64 - 0.6));
        canvas.line((from, y.at(level)), (to, y.at(level)), Ink::Series(0), 2);
    }
    for (n, change) in series.changes.iter().enumerate() {
        let at = x.at(change.at as f64 - 0.5);
        let ink = if change.factor > 1.0 { Ink::Slower } else { Ink::Faster };
        canvas.dashes((at, TOP - 8), (at, HEIGHT - BOTTOM), ink);
        let commits = change.commits.as_ref().map(|commits| format!(" {}", crate::history::between(commits))).unwrap_or_default();
        let text = format!("× {}{commits}", format::fine_ratio(change.factor));
        let half = width(&text, Letters::Small) / 2;
        // Texts of neighbouring changes stand at two heights, so that they don't cover each other.
        let place = (at.clamp(LEFT + half, RIGHT - half), if n % 2 == 0 { TOP - 16 } else { HEIGHT - BOTTOM + 36 });
        canvas.text(&text, place, Anchor::Middle, Letters::Small, ink);
    }
}
