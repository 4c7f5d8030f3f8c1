//! Time against size, lane by lane, with the places where one overtakes another.

use std::collections::BTreeSet;

use crate::format;
use crate::growth::by_lane;
use crate::tables::{Row, Table};

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Ink, Letters, draw, shortened, width};
use super::{MOST_LANES, Plot, heading};

const WIDTH: i32 = 820;
const TOP: i32 = 52;
const BOTTOM: i32 = 52;
const LEFT: i32 = 74;
/// Distance of labels at the lines' ends.
const LABEL: i32 = 16;
/// More crossings than this hide the lines.
const MOST_CROSSINGS: usize = 12;
/// More sizes than this have no tick of their own.
const MOST_TICKS: usize = 9;
const LONGEST_LANE: usize = 30;

/// The plot of a table; none with one size.
pub fn plot(table: &Table) -> Option<Plot> {
    let lanes: Vec<(&str, Vec<(u64, &Row)>)> = by_lane(table).into_iter().take(MOST_LANES).collect();
    let sizes: BTreeSet<u64> = lanes.iter().flat_map(|(_, rows)| rows).map(|(size, _)| *size).filter(|size| *size > 0).collect();
    let growth = table.growth.as_ref()?;
    if sizes.len() < 2 {
        return None;
    }
    let height = (TOP + BOTTOM + LABEL * lanes.len() as i32).max(400);
    let right = WIDTH - lanes.iter().map(|(lane, _)| width(&shortened(lane, LONGEST_LANE), Letters::Small)).max().unwrap_or(0) - 34;
    let x = Axis::logarithmic(sizes.iter().map(|size| *size as f64), LEFT, right);
    let times = lanes.iter().flat_map(|(_, rows)| rows).filter_map(|(_, row)| row.time_ns).map(|time| time.point());
    let y = Axis::logarithmic(times, height - BOTTOM, TOP);
    let title = heading(table, None);
    let svg = draw(WIDTH, height, |canvas| {
        canvas.text(&title, (8, 14), Anchor::Start, Letters::Bold, Ink::Text);
        grid(canvas, &x, &y, &sizes, table, right, height);
        let mut ends: Vec<(usize, &str, i32)> = Vec::new();
        for (n, (lane, rows)) in lanes.iter().enumerate() {
            let places: Vec<(i32, i32)> =
                rows.iter().filter_map(|(size, row)| Some((x.at(*size as f64), y.at(row.time_ns?.point())))).collect();
            for (size, row) in rows {
                if let Some((low, high)) = row.time_ns.and_then(|time| time.interval()) {
                    canvas.line((x.at(*size as f64), y.at(low)), (x.at(*size as f64), y.at(high)), Ink::Series(n), 1);
                }
            }
            canvas.path(places.iter().copied(), Ink::Series(n), 2);
            places.iter().for_each(|&place| canvas.marker(n, place, Ink::Series(n)));
            ends.extend(places.last().map(|place| (n, *lane, place.1)));
        }
        labels(canvas, ends, right, height);
        for (size, time) in crossings(table, &lanes) {
            canvas.ring((x.at(size), y.at(time)), 6, Ink::Text);
        }
    });
    let caption = format!(
        "Both scales are logarithmic. Rings: where a lane overtakes another for good ({} below). Vertical strokes: 95 % intervals.",
        format::count(growth.overtakes.len(), "line")
    );
    let says = format!("Time of a call against size for {}; the numbers are in the table.", format::count(lanes.len(), "lane"));
    Some(Plot { name: "sizes".into(), heading: format!("Time against size: {title}"), says, caption, svg })
}

fn grid(canvas: &mut Canvas, x: &Axis, y: &Axis, sizes: &BTreeSet<u64>, table: &Table, right: i32, height: i32) {
    let bottom = height - BOTTOM;
    for tick in y.ticks(8) {
        canvas.line((LEFT, y.at(tick)), (right, y.at(tick)), Ink::Grid, 1);
        canvas.text(
            &format::time(tick).replace(".00 ", " ").replace(".0 ", " "),
            (LEFT - 8, y.at(tick)),
            Anchor::End,
            Letters::Small,
            Ink::Muted,
        );
    }
    let step = sizes.len().div_ceil(MOST_TICKS);
    let mut free_from = i32::MIN;
    for size in sizes.iter().step_by(step) {
        let (at, text) = (x.at(*size as f64), format::size(*size, table.unit));
        canvas.line((at, TOP), (at, bottom), Ink::Grid, 1);
        let half = width(&text, Letters::Small) / 2;
        if at - half > free_from {
            canvas.text(&text, (at, bottom + 14), Anchor::Middle, Letters::Small, Ink::Muted);
            free_from = at + half + 4;
        }
    }
    let unit = if table.unit == bindbench_model::Unit::Bytes { "size of the input" } else { "items of the input" };
    canvas.text(unit, ((LEFT + right) / 2, bottom + 36), Anchor::Middle, Letters::Plain, Ink::Text);
    canvas.text("time of a call", (8, TOP - 14), Anchor::Start, Letters::Small, Ink::Text);
}

/// Names at the ends of lines, moved apart until all can be read.
pub(super) fn labels(canvas: &mut Canvas, mut ends: Vec<(usize, &str, i32)>, right: i32, height: i32) {
    ends.sort_by_key(|(.., y)| *y);
    let last = height - BOTTOM + LABEL / 2;
    let mut at: Vec<i32> = Vec::new();
    for (.., y) in &ends {
        at.push(at.last().map_or(*y, |above| (*y).max(above + LABEL)));
    }
    let mut below = last + LABEL;
    for place in at.iter_mut().rev() {
        *place = (*place).min(below - LABEL);
        below = *place;
    }
    for ((n, lane, y), label) in ends.into_iter().zip(at) {
        canvas.line((right + 2, y), (right + 14, label), Ink::Grid, 1);
        canvas.marker(n, (right + 20, label), Ink::Series(n));
        canvas.text(&shortened(lane, LONGEST_LANE), (right + 28, label), Anchor::Start, Letters::Small, Ink::Text);
    }
}

/// Size and time at which lines meet, the first few.
fn crossings(table: &Table, lanes: &[(&str, Vec<(u64, &Row)>)]) -> Vec<(f64, f64)> {
    let overtakes = table.growth.iter().flat_map(|growth| &growth.overtakes);
    let meetings = overtakes.flat_map(|overtake| overtake.beats.iter().map(|(_, about)| (overtake.lane.as_str(), *about)));
    let time = |lane: &str, size: u64| {
        let (_, rows) = lanes.iter().find(|(other, _)| *other == lane)?;
        let pair = rows.windows(2).find(|pair| (pair[0].0..=pair[1].0).contains(&size))?;
        let point = |(at, row): (u64, &Row)| Some(((at.max(1) as f64).ln(), row.time_ns?.point().ln()));
        let ((x0, y0), (x1, y1)) = (point(pair[0])?, point(pair[1])?);
        let part = if x1 > x0 { ((size.max(1) as f64).ln() - x0) / (x1 - x0) } else { 0.0 };
        Some((y0 + part * (y1 - y0)).exp())
    };
    meetings.filter_map(|(lane, size)| Some((size as f64, time(lane, size)?))).take(MOST_CROSSINGS).collect()
}
