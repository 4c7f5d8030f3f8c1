//! Throughput over that of one thread, against the number of threads.

use std::collections::{BTreeMap, BTreeSet};

use crate::format;
use crate::tables::{Row, Table};

use super::axis::Axis;
use super::canvas::{Anchor, Ink, Letters, draw, shortened, width};
use super::ratios::tick_text;
use super::sizes::labels;
use super::{MOST_LANES, Plot, heading};

const WIDTH: i32 = 640;
const TOP: i32 = 40;
const BOTTOM: i32 = 52;
const LEFT: i32 = 60;

/// The plot of the size with the most scaling rows; none where one thread is all there is.
pub fn plot(table: &Table) -> Option<Plot> {
    let mut by_size: BTreeMap<Option<u64>, Vec<&Row>> = BTreeMap::new();
    for row in table.rows.iter().filter(|row| row.scaling.is_some()) {
        by_size.entry(row.size).or_default().push(row);
    }
    let rows = by_size.into_values().max_by_key(Vec::len)?;
    let mut lanes: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        lanes.entry(&row.lane).or_default().push(row);
    }
    let lanes: Vec<(&str, Vec<&Row>)> = lanes.into_iter().take(MOST_LANES).collect();
    let threads: BTreeSet<u32> = rows.iter().map(|row| row.threads).chain([1]).collect();
    let most = threads.last().copied().unwrap_or(1);
    let height = 360_i32.max(TOP + BOTTOM + 16 * lanes.len() as i32);
    let right = WIDTH - lanes.iter().map(|(lane, _)| width(&shortened(lane, 30), Letters::Small)).max().unwrap_or(0) - 34;
    let highest = rows.iter().filter_map(|row| row.scaling?.interval()).map(|(_, high)| high).fold(f64::from(most), f64::max);
    let x = Axis::linear(1.0, f64::from(most), LEFT, right);
    let y = Axis::linear(0.0, highest.min(f64::from(most) * 1.5) * 1.05, height - BOTTOM, TOP);
    let title = heading(table, rows.first().map(|row| &**row)).replace(&format!(", {} threads", rows[0].threads), "");
    let svg = draw(WIDTH, height, |canvas| {
        let bottom = height - BOTTOM;
        canvas.text(&title, (8, 14), Anchor::Start, Letters::Bold, Ink::Text);
        for tick in y.ticks(5) {
            canvas.line((LEFT, y.at(tick)), (right, y.at(tick)), Ink::Grid, 1);
            canvas.text(&tick_text(tick), (LEFT - 8, y.at(tick)), Anchor::End, Letters::Small, Ink::Muted);
        }
        for count in &threads {
            let at = x.at(f64::from(*count));
            canvas.line((at, TOP), (at, bottom), Ink::Grid, 1);
            canvas.text(&count.to_string(), (at, bottom + 14), Anchor::Middle, Letters::Small, Ink::Muted);
        }
        canvas.dashes((x.at(1.0), y.at(1.0)), (x.at(f64::from(most)), y.at(f64::from(most))), Ink::Muted);
        // Side by side, as far as there is room before the next number of threads: intervals are not to hide each other.
        let apart = ((right - LEFT) / most.max(2) as i32 / 2 / lanes.len().max(1) as i32).clamp(1, 5);
        let mut ends = Vec::new();
        for (n, (lane, rows)) in lanes.iter().enumerate() {
            let mut places = vec![(x.at(1.0), y.at(1.0))];
            for row in rows {
                let Some(scaling) = row.scaling else { continue };
                let at = x.at(f64::from(row.threads)) - n as i32 * apart;
                if let Some((low, high)) = scaling.interval() {
                    canvas.line((at, y.at(low)), (at, y.at(high)), Ink::Series(n), 1);
                }
                places.push((at, y.at(scaling.point())));
            }
            canvas.path(places.iter().copied(), Ink::Series(n), 2);
            places[1..].iter().for_each(|&place| canvas.marker(n, place, Ink::Series(n)));
            ends.extend(places.last().map(|place| (n, *lane, place.1)));
        }
        labels(canvas, ends, right, height);
        canvas.text("threads that call at the same time", ((LEFT + right) / 2, bottom + 36), Anchor::Middle, Letters::Plain, Ink::Text);
        canvas.text("work done, over that of one thread", (8, TOP - 10), Anchor::Start, Letters::Small, Ink::Text);
    });
    let texts: Vec<String> =
        rows.iter().filter_map(|row| Some(format!("{} {} with {}", row.lane, format::ratio(row.scaling?.point()), row.threads))).collect();
    Some(Plot {
        name: "threads".into(),
        heading: format!("Scaling over threads: {title}"),
        says: format!("Throughput over that of one thread: {}.", texts.join(", ")),
        caption:
            "Dashed: perfect scaling. Flat at 1: one thread at a time, as with a GIL that is held. Strokes: 95 % intervals; lanes stand \
                  side by side so that these can be told apart."
                .into(),
        svg,
    })
}
