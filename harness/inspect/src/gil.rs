//! The pass `gil`: calls with a heartbeat beside them, long enough to tell who has the GIL meanwhile.

use std::time::Duration;

use bindbench_measure::trouble::Trouble;
use bindbench_model::Form;
use bindbench_model::gauges::{GilShare, GilWatch};
use bindbench_protocol::{Reply, Request, Watch, Watched};
use miette::Report;

use super::rhythm::{IMPATIENT_NS, PATIENT_NS, SHORTEST_NS, call_ns, class, fastest_ns, handed_over, held, is_whole};
use super::sitting::{Sitting, Studio};
use super::sizes::Sizes;
use super::subject::Subject;
use bindbench_measure::trouble::unexpected;

/// How long calls are watched.
const SPAN: Duration = Duration::from_secs(1);

/// How long calls are tried out, to find an input that makes them long enough.
const TRIAL: Duration = Duration::from_millis(40);

/// Calls of about this length tell most: long beside a beat, and many in a second.
const IDEAL_NS: u64 = 25_000_000;

/// Where the search for a size begins, bytes or items: no call of it takes for ever.
const FIRST_SIZE: u64 = 1 << 16;

/// Why there is no word on a cell.
#[derive(Debug)]
pub enum NoWord {
    /// The cell can't be looked at, or the user pressed Ctrl-C.
    Trouble(Trouble),
    /// An input can't be made.
    Everything(Report),
}

impl From<Trouble> for NoWord {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Report> for NoWord {
    fn from(report: Report) -> Self {
        Self::Everything(report)
    }
}

/// Watches a cell's calls, with an input that makes them long enough.
///
/// # Errors
/// When the cell can't be looked at.
pub fn take(subject: &Subject, sizes: &Sizes, studio: &Studio) -> Result<GilWatch, NoWord> {
    if let Some(reason) = unwatchable(subject) {
        return Ok(GilWatch::NotWatched { reason: reason.to_owned() });
    }
    let (largest, mut size) = (sizes.largest(subject), sizes.largest(subject).map(|largest| largest.min(FIRST_SIZE)));
    loop {
        let resized = match size {
            Some(size) => sizes.resize(subject, size)?,
            None => subject.clone(),
        };
        let mut sitting = Sitting::start(&resized, &resized.launch, studio)?;
        if sitting.load()?.gil_enabled == Some(false) {
            let reason = "this interpreter runs without a GIL".to_owned();
            return Ok(GilWatch::NotWatched { reason });
        }
        let tried = watch(&mut sitting, &resized, TRIAL, IMPATIENT_NS)?;
        let mut call_ns = fastest_ns(&tried).unwrap_or_default();
        if call_ns < IDEAL_NS / 2
            && let Some(longer) = longer(size, largest, call_ns)
        {
            size = Some(longer);
            continue;
        }
        if call_ns >= SHORTEST_NS {
            let patient = watch(&mut sitting, &resized, SPAN, PATIENT_NS)?;
            // On a busy machine all calls of a trial may have been long for want of a CPU.
            call_ns = fastest_ns(&patient).unwrap_or_default();
            if call_ns >= SHORTEST_NS
                && let Some(share) = share(&mut sitting, &resized, &patient)?
            {
                sitting.finish();
                return Ok(GilWatch::Told(share));
            }
            if let Some(longer) = longer(size, largest, call_ns) {
                size = Some(longer);
                continue;
            }
        }
        return Ok(GilWatch::TooShort { call_ns, size });
    }
}

/// What patiently watched calls tell, and where that leaves a question, impatiently watched ones. None when they tell nothing.
fn share(sitting: &mut Sitting, subject: &Subject, patient: &Watched) -> Result<Option<GilShare>, Trouble> {
    let (Some(call_ns), Some(held)) = (call_ns(patient), held(patient)) else { return Ok(None) };
    let handed_over = match is_whole(held) {
        true => handed_over(&watch(sitting, subject, SPAN, IMPATIENT_NS)?),
        false => None,
    };
    Ok(Some(GilShare {
        class: class(held, handed_over),
        held,
        handed_over,
        calls: patient.calls.len() as u64,
        call_ns,
        size: subject.case.size,
        queues_known: patient.queues_known,
    }))
}

/// Why nothing could be learnt from watching.
fn unwatchable(subject: &Subject) -> Option<&'static str> {
    if subject.cell.interpreter.is_none() {
        return Some("without Python there is no GIL");
    }
    if !subject.is_cpython {
        return Some("only CPython waits for a switch interval before it asks for the GIL, which is what the heartbeat goes by");
    }
    if subject.case.threads > 1 {
        return Some("one calling thread is enough, and another case has it");
    }
    match subject.case.form {
        // What is counted is what is made, or called.
        None if subject.case.size.is_some() => Some("it makes or calls Python objects, for which the GIL is needed in any lane"),
        Some(Form::Boxed) => Some("a list's items are Python objects, for which the GIL is needed in any lane"),
        // How long a call takes that has no input to speak of is seen when it is tried.
        None | Some(_) => None,
    }
}

/// A size that makes calls last as they should, if there is a larger one.
fn longer(size: Option<u64>, largest: Option<u64>, call_ns: u64) -> Option<u64> {
    let (size, largest) = size.zip(largest)?;
    Some(next_size(size, call_ns).min(largest)).filter(|&longer| longer > size)
}

/// The power of two that makes calls last as they should, if their time grows with the input.
fn next_size(size: u64, call_ns: u64) -> u64 {
    let factor = IDEAL_NS / call_ns.max(1);
    size.saturating_mul(factor.clamp(2, 1 << 20)).checked_next_power_of_two().unwrap_or(u64::MAX)
}

fn watch(sitting: &mut Sitting, subject: &Subject, span: Duration, switch_interval_ns: u64) -> Result<Watched, Trouble> {
    let watch = Watch { cell: subject.cell.id, first: 0, duration_ns: span.as_nanos() as u64, switch_interval_ns };
    match sitting.ask(&Request::Watch(watch))? {
        Reply::Watched(watched) => Ok(watched),
        other => Err(unexpected(&other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_until_calls_are_long_enough() {
        assert_eq!(next_size(65_536, 25_000), 65_536 * 1024);
        assert_eq!(next_size(65_536, 0), 1 << 36);
        assert_eq!(next_size(65_536, 24_000_000), 131_072);
        assert_eq!(next_size(u64::MAX, 1), u64::MAX);
        assert_eq!(longer(Some(65_536), Some(1 << 20), 1_000_000), Some(1 << 20));
        assert_eq!((longer(Some(1 << 20), Some(1 << 20), 1), longer(None, None, 1)), (None, None));
    }
}
