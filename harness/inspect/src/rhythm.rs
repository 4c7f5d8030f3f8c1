//! From the beats of a heart beside some calls to a word on the GIL.
//!
//! A beat is a sleep of half a millisecond, and the GIL is needed to come out of it. Idle, it takes as long as the median of the idle
//! beats. What it takes longer is what it waited for a CPU, which the system tells, and what it waited for the GIL.
//!
//! Two ways of asking for the GIL answer two questions. *Patiently* (a switch interval longer than any call): a heart that waits for the
//! GIL sleeps until it is free, so its waits are told apart even on a busy machine. *Impatiently* (an interval of half a millisecond): an
//! interpreter hands the GIL over again and again, native code does not. But an impatient heart wakes at every interval, and waits for a
//! CPU each time while it waits for the GIL: these can't be told apart any more.

use bindbench_model::gauges::GilClass;
use bindbench_protocol::{Beat, Span, Watched};
use bindbench_stats::median;

/// Calls shorter than this tell nothing: a beat takes a tenth of it.
pub const SHORTEST_NS: u64 = 5_000_000;

/// Longer than any call that is watched.
pub const PATIENT_NS: u64 = 1_000_000_000;

/// How soon an impatient heart asks for the GIL.
pub const IMPATIENT_NS: u64 = 500_000;

/// A caller that ran for less between two beats was not interrupted in its work.
const WORTH_COUNTING_NS: u64 = IMPATIENT_NS * 4 / 5;

/// Below this share the GIL is free, above that one it is held for the whole call. METHODOLOGY.md has what was seen: released calls
/// below 0.06, held ones above 0.8, and once 0.71 beside CPU hogs.
const FREE: f64 = 0.2;
const WHOLE: f64 = 0.65;

/// Between native code, seen to let the heart beat in at most 0.1 of the times, and an interpreter, at least 0.6.
const OBLIGING: f64 = 0.35;

/// Median time of the calls, nanoseconds; none without calls.
pub fn call_ns(watched: &Watched) -> Option<u64> {
    let mut times: Vec<f64> = watched.calls.iter().map(|call| (call.end_ns.saturating_sub(call.start_ns)) as f64).collect();
    median(&mut times).map(|time| time as u64)
}

/// Time of the fastest call, nanoseconds: what it takes when nothing else wants the CPU. None without calls.
pub fn fastest_ns(watched: &Watched) -> Option<u64> {
    watched.calls.iter().map(|call| call.end_ns.saturating_sub(call.start_ns)).min()
}

/// Share of the calls' time for which a patient heart waited for the GIL: of the time for which it was in a position to, for while it
/// waits for a CPU it can't. None without calls or idle beats.
pub fn held(watched: &Watched) -> Option<f64> {
    let mut idle: Vec<f64> = watched.idle.iter().map(|beat| length(beat).saturating_sub(beat.queue_ns) as f64).collect();
    let idle_ns = median(&mut idle)? as u64;
    let (mut waited_ns, mut queued_ns): (u64, u64) = (0, 0);
    // These are a worker's words, and may be any numbers.
    let sum = u64::saturating_add;
    for beat in &watched.beats {
        // What it waited for in the pauses between calls is not the calls' doing.
        let inside = overlap_ns(beat, &watched.calls);
        let waited = length(beat).saturating_sub(idle_ns.saturating_add(beat.queue_ns)).min(inside);
        waited_ns = sum(waited_ns, waited);
        queued_ns = sum(queued_ns, beat.queue_ns.min(inside - waited));
    }
    let total = total_ns(watched)?.saturating_sub(queued_ns);
    (total > 0).then(|| waited_ns as f64 / total as f64)
}

/// How often an impatient heart beat during calls, as a share of the times it could have: once in a sleep and an interval of what the
/// caller ran.
pub fn handed_over(watched: &Watched) -> Option<f64> {
    let inside = |beat: &&Beat| watched.calls.iter().any(|call| call.start_ns < beat.end_ns && beat.end_ns < call.end_ns);
    let ran = |beat: &Beat| if watched.queues_known { beat.caller_ran_ns } else { length(beat) };
    // A caller that did not run between two beats was given the GIL and waits for a CPU: it hands nothing over. That is how a held
    // call looks before it begins and after it has ended, on a busy machine.
    let beats = watched.beats.iter().filter(inside).filter(|beat| ran(beat) >= WORTH_COUNTING_NS).count();
    let during = watched.beats.iter().filter(|beat| overlap_ns(beat, &watched.calls) > 0);
    let ran = during.map(ran).fold(0, u64::saturating_add);
    (!watched.calls.is_empty()).then(|| beats as f64 * (2 * IMPATIENT_NS) as f64 / ran.max(1) as f64)
}

/// Whether the GIL is held for so much of the calls that the impatient question is worth asking.
pub fn is_whole(held: f64) -> bool {
    held >= WHOLE
}

/// The word for a share, and for what an impatient heart was told.
pub fn class(held: f64, handed_over: Option<f64>) -> GilClass {
    if held < FREE {
        GilClass::Released
    } else if !is_whole(held) {
        GilClass::Mixed
    } else if handed_over.is_some_and(|share| share > OBLIGING) {
        GilClass::Interpreter
    } else {
        GilClass::Held
    }
}

fn total_ns(watched: &Watched) -> Option<u64> {
    (!watched.calls.is_empty())
        .then(|| watched.calls.iter().map(|call| call.end_ns.saturating_sub(call.start_ns)).fold(0, u64::saturating_add))
}

fn length(beat: &Beat) -> u64 {
    beat.end_ns.saturating_sub(beat.start_ns)
}

/// How much of a beat lies in calls. Both are in the order of time.
fn overlap_ns(beat: &Beat, calls: &[Span]) -> u64 {
    let from = calls.partition_point(|call| call.end_ns <= beat.start_ns);
    let touched = calls[from..].iter().take_while(|call| call.start_ns < beat.end_ns);
    touched.map(|call| call.end_ns.min(beat.end_ns).saturating_sub(call.start_ns.max(beat.start_ns))).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IDLE: u64 = 560_000;
    const PAUSE: u64 = 1_000_000;

    /// What a beat is late by, for the GIL and for a CPU; and how long the caller ran.
    type Late = (u64, u64, u64);

    /// Calls with pauses, and a heart that is late by what a function of the moment it would wake at says.
    fn watched(calls: u64, call_ns: u64, late: impl Fn(u64) -> Late) -> Watched {
        let calls: Vec<Span> =
            (0..calls).map(|i| i * (call_ns + PAUSE)).map(|start_ns| Span { start_ns, end_ns: start_ns + call_ns }).collect();
        let mut beats = Vec::new();
        let mut start_ns = 0;
        while start_ns < calls.last().unwrap().end_ns {
            let (gil, queue_ns, caller_ran_ns) = late(start_ns + IDLE);
            let end_ns = start_ns + IDLE + gil + queue_ns;
            beats.push(Beat { start_ns, end_ns, queue_ns, caller_ran_ns });
            start_ns = end_ns + 10_000;
        }
        let idle = (0..300).map(|i| Beat { start_ns: i * IDLE, end_ns: (i + 1) * IDLE, queue_ns: 0, caller_ran_ns: 0 }).collect();
        Watched { queues_known: true, idle, beats, calls }
    }

    /// From a moment to the end of the call that runs then, if one does.
    fn to_the_end_of_the_call(moment: u64, call_ns: u64) -> u64 {
        call_ns.saturating_sub(moment % (call_ns + PAUSE))
    }

    proptest! {
        #[test]
        fn a_busy_machine_changes_no_class(call_ms in 12..80_u64, queues in prop::collection::vec(0..4_000_000_u64, 16)) {
            let call_ns = call_ms * 1_000_000;
            let queue = |moment: u64| queues[(moment / 700_000 % 16) as usize];
            let calls = 400 / call_ms + 2;
            let share = |late: &dyn Fn(u64) -> Late| held(&watched(calls, call_ns, late)).unwrap();
            let released = share(&|moment| (0, queue(moment), 0));
            prop_assert_eq!(class(released, None), GilClass::Released, "{}", released);
            let whole = share(&|moment| (to_the_end_of_the_call(moment, call_ns), queue(moment), 0));
            prop_assert!(is_whole(whole) && whole <= 1.0, "{}", whole);
            // Who runs Python code hands it over an interval after it gets a CPU.
            let python = handed_over(&watched(calls, call_ns, |moment| (IMPATIENT_NS + queue(moment), 0, 2 * IMPATIENT_NS))).unwrap();
            prop_assert_eq!(class(whole, Some(python)), GilClass::Interpreter, "{}", python);
            // After native code has ended, it may wait for a CPU with the GIL at hand, and the heart beats meanwhile.
            let native = |moment| match to_the_end_of_the_call(moment, call_ns).saturating_sub(queue(moment)) {
                0 => (0, 0, 0),
                spins => (spins, 0, spins),
            };
            let native = handed_over(&watched(calls, call_ns, native)).unwrap();
            prop_assert_eq!(class(whole, Some(native)), GilClass::Held, "{}", native);
        }

        #[test]
        fn a_share_is_between_none_and_all(late in prop::collection::vec((0..50_000_000_u64, 0..9_000_000_u64), 8)) {
            let seen = watched(20, 20_000_000, |moment| {
                let (gil, queue) = late[(moment / 1_000_000 % 8) as usize];
                (gil, queue, queue)
            });
            let held = held(&seen).unwrap();
            prop_assert!((0.0..=1.0).contains(&held), "{}", held);
            prop_assert!(handed_over(&seen).unwrap() >= 0.0);
        }
    }

    #[test]
    fn a_call_that_lets_go_half_way_is_mixed() {
        let half = |moment: u64| (8_000_000_u64.saturating_sub(moment % 21_000_000), 0, 0);
        let held = held(&watched(20, 20_000_000, half)).unwrap();
        assert!((0.3..0.45).contains(&held), "{held}");
        assert_eq!(class(held, None), GilClass::Mixed);
    }

    #[test]
    fn no_calls_tell_nothing() {
        assert_eq!((call_ns(&Watched::default()), fastest_ns(&Watched::default())), (None, None));
        assert_eq!((held(&Watched::default()), handed_over(&Watched::default())), (None, None));
    }
}
