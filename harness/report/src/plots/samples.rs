//! The samples behind the numbers of one case: how they spread in each generation, and how they drift over the run.
//!
//! Every lane is a strip; its samples are relative to its own median, so strips of slow and fast lanes can be compared.

use bindbench_analysis::Analysis;
use bindbench_stats::median;

use crate::format;
use crate::tables::{Row, Table};

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Ink, Letters, draw, shortened, width};
use super::{Plot, heading, measurable};

const WIDTH: i32 = 820;
const TOP: i32 = 40;
const BOTTOM: i32 = 30;
const STRIP: i32 = 34;
/// Points of one lane in one generation; more are thinned.
const MOST_POINTS: usize = 48;
/// Generations that fit; more are left out, the last ones.
const MOST_GENERATIONS: usize = 24;
const LONGEST_LANE: usize = 30;

/// A lane's samples over its own median: generation by generation.
struct Strip<'r> {
    lane: &'r str,
    generations: Vec<(u32, Vec<f64>)>,
}

/// Boxes: the middle half of a generation's samples, a stroke at its median, lines to its extremes.
pub fn distribution(table: &Table, rows: &[&Row], analysis: &Analysis) -> Option<Plot> {
    let each = |canvas: &mut Canvas, left: i32, right: i32, y: &Axis, values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| y.at(sorted[((sorted.len() - 1) as f64 * part).round() as usize]);
        let middle = (left + right) / 2;
        let half = ((right - left) / 4).clamp(2, 9);
        canvas.line((middle, at(0.0)), (middle, at(1.0)), Ink::Same, 1);
        canvas.rectangle((middle - half, at(0.75)), (middle + half, at(0.25).max(at(0.75) + 1)), Ink::Series(5));
        canvas.line((middle - half, at(0.5)), (middle + half, at(0.5)), Ink::Text, 2);
    };
    let caption = "Each box: the samples of one generation (a set of fresh workers), relative to the lane's median: middle half, median, \
                   extremes. Boxes that differ from one another are luck of memory layout and hash seeds; grey is the run's resolution.";
    plot(table, rows, analysis, each).map(|(heading, svg)| Plot {
        name: "distribution".into(),
        heading: format!("Samples of each generation: {heading}"),
        says: "A box for each lane and generation; the intervals in the table say how far generations differ.".into(),
        caption: caption.into(),
        svg,
    })
}

/// Lines: the samples in the order in which they were taken.
pub fn drift(table: &Table, rows: &[&Row], analysis: &Analysis) -> Option<Plot> {
    let each = |canvas: &mut Canvas, left: i32, right: i32, y: &Axis, values: &[f64]| {
        let thinned: Vec<f64> = values.chunks(values.len().div_ceil(MOST_POINTS)).filter_map(|chunk| median(&mut chunk.to_vec())).collect();
        let x = Axis::linear(0.0, (thinned.len().max(2) - 1) as f64, left + 3, right - 3);
        match thinned.as_slice() {
            [only] => canvas.dot(((left + right) / 2, y.at(*only)), 2, Ink::Faster),
            several => canvas.path(several.iter().enumerate().map(|(n, value)| (x.at(n as f64), y.at(*value))), Ink::Faster, 1),
        }
    };
    let caption = "Time runs to the right, generation by generation; each sample relative to its lane's median. A slope that all lanes \
                   share is the machine, and pairing takes it out of the ratios; grey is the run's resolution.";
    plot(table, rows, analysis, each).map(|(heading, svg)| Plot {
        name: "drift".into(),
        heading: format!("Samples over the run: {heading}"),
        says: "A line for each lane, over the time of the run; the intervals of times in the table hold the drift.".into(),
        caption: caption.into(),
        svg,
    })
}

fn plot(
    table: &Table,
    rows: &[&Row],
    analysis: &Analysis,
    each: impl Fn(&mut Canvas, i32, i32, &Axis, &[f64]),
) -> Option<(String, String)> {
    let strips: Vec<Strip> = measurable(rows).into_iter().filter_map(|row| strip(row, analysis)).collect();
    let generations: Vec<u32> = {
        let mut all: Vec<u32> = strips.iter().flat_map(|strip| strip.generations.iter().map(|(generation, _)| *generation)).collect();
        all.sort_unstable();
        all.dedup();
        all.truncate(MOST_GENERATIONS);
        all
    };
    if strips.is_empty() || strips.iter().flat_map(|strip| &strip.generations).all(|(_, values)| values.len() < 2) {
        return None;
    }
    let reach = reach(&strips);
    let left = strips.iter().map(|strip| width(&shortened(strip.lane, LONGEST_LANE), Letters::Plain)).max().unwrap_or(0) + 16;
    let right = WIDTH - 12;
    let height = TOP + STRIP * strips.len() as i32 + BOTTOM;
    let title = heading(table, rows.first().copied());
    let band = rows.first().and_then(|row| row.resolution.as_ref()).map_or(0.0, |resolution| resolution.fraction);
    let column = |n: usize| left + (right - left) * n as i32 / generations.len() as i32;
    let svg = draw(WIDTH, height, |canvas| {
        canvas.text(&title, (8, 14), Anchor::Start, Letters::Bold, Ink::Text);
        let scale = format!("height of a strip: ±{}", format::percent(reach));
        canvas.text(&scale, (right, TOP - 10), Anchor::End, Letters::Small, Ink::Muted);
        for (at, strip) in strips.iter().enumerate() {
            let top = TOP + STRIP * at as i32;
            let y = Axis::linear(-reach, reach, top + STRIP - 3, top + 3);
            canvas.rectangle((left, y.at(band.min(reach))), (right, y.at(-band.min(reach))), Ink::Band);
            canvas.line((left, y.at(0.0)), (right, y.at(0.0)), Ink::Grid, 1);
            canvas.text(&shortened(strip.lane, LONGEST_LANE), (left - 10, y.at(0.0)), Anchor::End, Letters::Plain, Ink::Text);
            for (generation, values) in &strip.generations {
                if let Some(n) = generations.iter().position(|other| other == generation) {
                    each(canvas, column(n), column(n + 1), &y, values);
                }
            }
        }
        for (n, generation) in generations.iter().enumerate() {
            canvas.line((column(n), TOP), (column(n), height - BOTTOM), Ink::Grid, 1);
            let text = if n == 0 { format!("generation {}", generation + 1) } else { (generation + 1).to_string() };
            let room = column(n + 1) - column(n) > width(&text, Letters::Small);
            let text = if room { text } else { (generation + 1).to_string() };
            canvas.text(&text, ((column(n) + column(n + 1)) / 2, height - BOTTOM + 14), Anchor::Middle, Letters::Small, Ink::Muted);
        }
    });
    Some((title, svg))
}

fn strip<'r>(row: &'r Row, analysis: &Analysis) -> Option<Strip<'r>> {
    let mut generations: Vec<(u32, Vec<f64>)> = analysis.samples().values_by_generation(row.cell).collect();
    let mut all: Vec<f64> = generations.iter().flat_map(|(_, times)| times.iter().copied()).collect();
    let middle = median(&mut all).filter(|&middle| middle > 0.0)?;
    generations.iter_mut().flat_map(|(_, times)| times).for_each(|time| *time = *time / middle - 1.0);
    Some(Strip { lane: &row.lane, generations })
}

/// How far a strip reaches: all but the farthest twentieth of the samples, between 1 % and 100 %.
fn reach(strips: &[Strip]) -> f64 {
    let mut far: Vec<f64> =
        strips.iter().flat_map(|strip| &strip.generations).flat_map(|(_, values)| values.iter().map(|value| value.abs())).collect();
    far.sort_by(f64::total_cmp);
    far[(far.len() - 1) * 19 / 20].clamp(0.01, 1.0)
}
