//! Ratios to the baseline with their intervals, and the resolution as a band around 1.

use bindbench_stats::Verdict;

use crate::format;
use crate::tables::{Row, Table};

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Ink, Letters, draw, shortened, width};
use super::{MOST_LANES, Plot, heading};

const ROW: i32 = 24;
const TOP: i32 = 34;
const BOTTOM: i32 = 46;
const WIDTH: i32 = 760;
const LONGEST_LANE: usize = 32;

/// The plot of one case; none without a ratio.
pub fn plot(table: &Table, rows: &[&Row]) -> Option<Plot> {
    let shown = &rows[..rows.len().min(MOST_LANES)];
    let baseline = shown.iter().find_map(|row| row.baseline.as_deref())?;
    let ends = |row: &&&Row| row.ratio.map(|ratio| ratio.interval().unwrap_or((ratio.point(), ratio.point())));
    let ratios: Vec<(f64, f64)> = shown.iter().filter_map(|row| ends(&row)).collect();
    if ratios.is_empty() {
        return None;
    }
    let left = shown.iter().map(|row| width(&shortened(&row.lane, LONGEST_LANE), Letters::Plain)).max().unwrap_or(0) + 16;
    let right = WIDTH - 26 - shown.iter().map(|row| width(&beside(row), Letters::Small)).max().unwrap_or(0);
    let band = rows[0].resolution.as_ref().map_or(0.0, |resolution| resolution.fraction);
    let values = ratios.iter().flat_map(|(low, high)| [*low, *high]).chain([1.0 / (1.0 + band), 1.0 + band]);
    let axis = Axis::logarithmic(values, left, right);
    let height = TOP + ROW * shown.len() as i32 + BOTTOM;
    let title = heading(table, rows.first().copied());
    let svg = draw(WIDTH, height, |canvas| {
        canvas.text(&title, (8, 14), Anchor::Start, Letters::Bold, Ink::Text);
        let bottom = height - BOTTOM;
        if band > 0.0 {
            canvas.rectangle((axis.at(1.0 / (1.0 + band)), TOP - 4), (axis.at(1.0 + band), bottom), Ink::Band);
        }
        let mut free_from = i32::MIN;
        for tick in axis.ticks(7) {
            let (at, text) = (axis.at(tick), tick_text(tick));
            canvas.line((at, TOP - 4), (at, bottom), Ink::Grid, 1);
            let half = width(&text, Letters::Small) / 2;
            if at - half > free_from {
                canvas.text(&text, (at, bottom + 12), Anchor::Middle, Letters::Small, Ink::Muted);
                free_from = at + half + 4;
            }
        }
        canvas.line((axis.at(1.0), TOP - 4), (axis.at(1.0), bottom), Ink::Muted, 1);
        for (at, row) in shown.iter().enumerate() {
            line(canvas, row, &axis, left, right, TOP + ROW * at as i32 + ROW / 2);
        }
        let label = format!("time / time of {baseline} (log scale): left of 1 is faster");
        canvas.text(&label, ((left + right) / 2, bottom + 32), Anchor::Middle, Letters::Plain, Ink::Text);
    });
    Some(Plot { name: "ratios".into(), heading: format!("Ratios: {title}"), says: says(shown, baseline), caption: caption(band), svg })
}

fn line(canvas: &mut Canvas, row: &Row, axis: &Axis, left: i32, right: i32, y: i32) {
    canvas.text(&shortened(&row.lane, LONGEST_LANE), (left - 12, y), Anchor::End, Letters::Plain, Ink::Text);
    let ink = if row.ratio.is_some() { Ink::Text } else { Ink::Muted };
    canvas.text(&beside(row), (right + 14, y), Anchor::Start, Letters::Small, ink);
    if row.is_baseline() {
        canvas.marker(3, (axis.at(1.0), y), Ink::Text);
    }
    let Some(ratio) = row.ratio else { return };
    let ink = match row.verdict {
        Some(Verdict::Faster) => Ink::Faster,
        Some(Verdict::Slower) => Ink::Slower,
        _ => Ink::Same,
    };
    if let Some((low, high)) = ratio.interval() {
        let (low, high) = (axis.at(low), axis.at(high));
        canvas.line((low, y), (high, y), ink, 2);
        canvas.line((low, y - 4), (low, y + 4), ink, 2);
        canvas.line((high, y - 4), (high, y + 4), ink, 2);
    }
    let place = (axis.at(ratio.point()), y);
    if ink == Ink::Same { canvas.ring(place, 4, ink) } else { canvas.dot(place, 5, ink) }
}

/// The ratio in figures, or why there is none.
fn beside(row: &Row) -> String {
    match row.ratio {
        _ if row.is_baseline() => "baseline".to_owned(),
        Some(ratio) => format!("{} {}", format::ratio(ratio.point()), format::ratio_interval(&ratio)),
        None if row.near_zero => "no more than the loop".to_owned(),
        None => shortened(row.status.split(':').next().unwrap_or_default(), 24),
    }
}

/// `0.5`, `1`, `2,000`, `30 k`: without zeros that say nothing.
pub fn tick_text(value: f64) -> String {
    let (value, unit) = match value.abs() {
        large if large >= 1e9 => (value / 1e9, " G"),
        large if large >= 1e6 => (value / 1e6, " M"),
        large if large >= 1e4 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let text = format::significant(value);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

fn caption(band: f64) -> String {
    let resolution = if band > 0.0 { format!("Grey band: this run's resolution, {}. ", format::band(band)) } else { String::new() };
    format!("{resolution}Bars: 95 % intervals. Filled: a verdict; a ring: none.")
}

fn says(rows: &[&Row], baseline: &str) -> String {
    let texts: Vec<String> = rows.iter().filter_map(|row| Some(format!("{} {}", row.lane, format::ratio(row.ratio?.point())))).collect();
    format!("Times over the time of {baseline}: {}.", texts.join(", "))
}
