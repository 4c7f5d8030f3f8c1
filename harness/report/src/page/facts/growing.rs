//! Facts about growing: with threads, and with the size of the input.

use bindbench_model::Parallel;
use bindbench_stats::Onset;

use crate::format;
use crate::page::tables::about_size;

use super::{Fact, Facts, case, fact, name};

impl Facts<'_> {
    /// The best and the worst over threads.
    pub(super) fn scaling(&self) -> Option<Fact> {
        let rows = self.report.tables.iter().enumerate().flat_map(|(at, table)| table.rows.iter().map(move |row| (at, table, row)));
        let mut scaled: Vec<_> =
            rows.filter(|(_, _, row)| !row.native).filter_map(|(at, table, row)| Some((at, table, row, row.scaling?.point()))).collect();
        scaled.sort_by(|a, b| b.3.total_cmp(&a.3));
        let (at, table, best, most) = scaled.first()?;
        let worst = scaled.iter().rfind(|(other, _, row, _)| other == at && row.threads == best.threads)?;
        if best.scaling?.interval()?.0 <= worst.2.scaling?.interval()?.1 {
            return None;
        }
        let text = format!(
            "With {} threads, {} does {} times the work of one thread, {} {} times ({}).",
            best.threads,
            best.lane,
            format::ratio(*most),
            worst.2.lane,
            format::ratio(worst.3),
            case(table, best)
        );
        Some(fact(text, *at))
    }

    /// Where parallelism of a lane's own begins to pay.
    pub(super) fn overtaking(&self) -> Option<Fact> {
        let all = self.report.tables.iter().enumerate().filter_map(|(at, table)| Some((at, table, table.growth.as_ref()?)));
        let parallel = |lane: &str| self.entry(lane).is_some_and(|entry| entry.parallel != Parallel::None);
        let candidates = all.flat_map(|(at, table, growth)| growth.overtakes.iter().map(move |overtake| (at, table, overtake)));
        candidates.filter(|(_, _, overtake)| parallel(&overtake.lane)).find_map(|(at, table, overtake)| {
            let (beaten, about) = overtake.beats.iter().find(|(lane, _)| !parallel(lane))?;
            let text = format!(
                "{} beats {beaten} at {} from about {} on; on less it is slower.",
                overtake.lane,
                name(table),
                about_size(*about, table.unit)
            );
            Some(fact(text, at))
        })
    }

    /// Where the dearest binding stops to matter.
    pub(super) fn share(&self) -> Option<Fact> {
        let all = self.report.tables.iter().enumerate().filter_map(|(at, table)| Some((at, table, table.growth.as_ref()?)));
        let onsets = all.flat_map(|(at, table, growth)| growth.lanes.iter().map(move |lane| (at, table, lane)));
        let between = onsets.filter_map(|(at, table, lane)| match lane.binding_below_5_percent {
            Some(Onset::Between { about, .. }) if self.entry(&lane.lane)?.parallel == Parallel::None => Some((at, table, lane, about)),
            _ => None,
        });
        let (at, table, lane, about) = between.max_by_key(|(.., about)| *about)?;
        let text = format!(
            "From about {} on, less than 5 % of the time of {} in {} is the binding's.",
            about_size(about, table.unit),
            lane.lane,
            name(table)
        );
        Some(fact(text, at))
    }
}
