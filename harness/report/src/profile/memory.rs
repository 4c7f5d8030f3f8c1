//! Memory: how far calls raise it, what they copy, what processes share, and what leaks.

use bindbench_model::Case;
use bindbench_model::gauges::{Leak, MemoryUse};
use bindbench_model::profile::{Profile, ProfiledCell};

use super::split::Table;
use super::title;
use crate::format::significant;

/// More copies than declared, by so much, are a finding. Half a copy is more than an allocator's or the system's inaccuracy.
const MORE_COPIES: f64 = 0.5;

const HEADER: [&str; 12] =
    ["lane", "python", "imported", "input made", "in a call", "copies", "declared", "kept", "PSS", "RSS", "processes", "leaked a call"];

/// A table for each case that was weighed.
pub fn tables(profile: &Profile) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for (cell, used) in weighed(profile) {
        let title = format!("Memory in {}", title(&as_weighed(cell, used)));
        if tables.last().is_none_or(|table| table.title != title) {
            tables.push(Table { title, header: HEADER.map(str::to_owned).into(), rows: Vec::new() });
        }
        if let Some(table) = tables.last_mut() {
            table.rows.push(row(cell, used));
        }
    }
    tables
}

/// The case with the size that was weighed.
fn as_weighed(cell: &ProfiledCell, used: &MemoryUse) -> Case {
    Case { size: used.size, ..cell.case.clone() }
}

fn weighed(profile: &Profile) -> impl Iterator<Item = (&ProfiledCell, &MemoryUse)> {
    profile.cells.iter().filter_map(|cell| Some((cell, cell.memory.as_ref()?)))
}

fn row(cell: &ProfiledCell, used: &MemoryUse) -> Vec<String> {
    let none = || "–".to_owned();
    let bytes = |bytes: Option<u64>| bytes.map_or_else(none, mebibytes);
    vec![
        cell.lane.clone(),
        cell.interpreter.clone().unwrap_or_else(none),
        bytes(used.import_peak_bytes),
        bytes(used.input_peak_bytes),
        bytes(used.call_peak_bytes),
        used.copies().map_or_else(none, |copies| format!("{copies:.1}")),
        used.declared_copies.map_or_else(none, |copies| copies.to_string()),
        bytes(used.kept_bytes),
        bytes(used.proportional_bytes),
        bytes(used.resident_bytes),
        used.processes.to_string(),
        used.leak.as_ref().map_or_else(none, leaked),
    ]
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// What stays behind in each call, or below what it would not have been seen.
fn leaked(leak: &Leak) -> String {
    let mut parts = vec![if leak.keeps_memory() {
        let blocks =
            leak.blocks.filter(|blocks| blocks.low > 0.5).map(|blocks| format!(", {:.2} blocks", blocks.point)).unwrap_or_default();
        format!("{} B [{}, {}]{blocks}", significant(leak.bytes.point), significant(leak.bytes.low), significant(leak.bytes.high))
    } else {
        format!("< {} B", significant(leak.finest_bytes.max(leak.bytes.high.max(0.0))))
    }];
    parts.extend(leak.miscounted().map(|(_, slope)| format!("{:+.2} references", slope.point)));
    parts.join(", ")
}

/// Lanes that leak, and lanes that copy more than their manifest says.
pub fn findings(profile: &Profile) -> Vec<String> {
    let mut findings = Vec::new();
    for interpreter in profile.interpreters.iter().filter(|interpreter| interpreter.implementation != "cpython") {
        if weighed(profile).any(|(cell, _)| cell.interpreter.as_ref() == Some(&interpreter.name)) {
            findings.push(format!(
                "memory on {}: what nobody uses stays until its collector comes by, so neither copies nor leaks are told",
                interpreter.name
            ));
        }
    }
    for (cell, used) in weighed(profile) {
        let python = cell.interpreter.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
        let place = format!("{} in {}{python}", cell.lane, title(&as_weighed(cell, used)));
        if let Some(leak) = used.leak.as_ref().filter(|leak| leak.keeps_memory()) {
            findings.push(format!("{place}: leaks {} in every call, seen over {} calls", leaked(leak), leak.calls));
        }
        for (referred, slope) in used.leak.iter().flat_map(Leak::miscounted) {
            let (does, count) = if slope.point > 0.0 {
                ("keeps", format!("{:.2}", slope.point))
            } else {
                ("gives back, without having taken it,", format!("{:.2}", -slope.point))
            };
            let calls = used.leak.as_ref().map_or(0, |leak| leak.calls);
            findings.push(format!("{place}: {does} a reference to {referred} in every call ({count} a call, seen over {calls} calls)"));
        }
        if let (Some(copies), Some(declared)) = (used.copies(), used.declared_copies)
            && copies > f64::from(declared) + MORE_COPIES
        {
            findings.push(format!("{place}: the manifest declares {declared} copies of the input, and memory rose by {copies:.1} of it"));
        }
    }
    findings
}
