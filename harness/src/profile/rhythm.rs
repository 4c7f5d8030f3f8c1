//! From the beats of a heart beside some calls to a word on the GIL.
//!
//! A beat is a sleep of half a millisecond, and the GIL is needed to come out of it. Idle, it takes as long as the median of the idle
//! beats. What it takes longer is what it waited for a CPU, which the system tells, and what it waited for the GIL: a *hold*. Python
//! code that holds the GIL hands it over after a switch interval; a hold of several of them is of code that does not.

use bindbench_protocol::{Beat, Watched};

use crate::stats::median;
use crate::store::gauges::{GilClass, GilShare};

/// Calls shorter than this tell nothing: a beat takes a tenth of it.
pub const SHORTEST_NS: u64 = 5_000_000;

/// Released calls were seen at 0.00 to 0.06, all others at 0.4 and above (METHODOLOGY.md): the border lies between.
const FREE: f64 = 0.2;

/// A hold of so many switch intervals is none of the interpreter's, which takes one, and a little.
const LONG_HOLD: u64 = 4;

/// Most of the time of the calls has to lie in long holds before they are called held, and next to nothing before they are not.
const MOST: f64 = 0.5;
const NEXT_TO_NOTHING: f64 = 0.15;

/// Median time of the calls, nanoseconds; none without calls.
pub fn call_ns(watched: &Watched) -> Option<u64> {
    let mut times: Vec<f64> = watched.calls.iter().map(|call| call.end_ns.saturating_sub(call.start_ns) as f64).collect();
    median(&mut times).map(|time| time as u64)
}

/// Who had the GIL during the calls. None when there are too few beats to say, or the calls are too short.
pub fn share(watched: &Watched, size: Option<u64>) -> Option<GilShare> {
    let call_ns = call_ns(watched).filter(|&time| time >= SHORTEST_NS)?;
    let (first, last) = (watched.calls.first()?.start_ns, watched.calls.last()?.end_ns);
    let mut idle: Vec<f64> = watched.idle.iter().map(|beat| (length(beat) - beat.queue_ns.min(length(beat))) as f64).collect();
    let idle_ns = median(&mut idle)? as u64;
    // The beat during which the first call begins is mostly idle still, and so is the one that the end of the calls falls into.
    let during: Vec<&Beat> = watched.beats.iter().filter(|beat| beat.end_ns > first && beat.start_ns < last).collect();
    let total: u64 = watched.calls.iter().map(|call| call.end_ns.saturating_sub(call.start_ns)).sum();
    let (mut held_ns, mut long_ns) = (0, 0);
    for beat in &during {
        let hold = length(beat).saturating_sub(idle_ns + beat.queue_ns);
        held_ns += hold;
        // Whoever holds it and waits for a CPU can't hand it over: that makes no hold a long one.
        if hold.saturating_sub(beat.caller_queue_ns) > LONG_HOLD * watched.switch_interval_ns {
            long_ns += hold;
        }
    }
    let of_total = |ns: u64| ns as f64 / total.max(1) as f64;
    let (held, held_long) = (of_total(held_ns), of_total(long_ns));
    let class = if held < FREE {
        GilClass::Released
    } else if held_long >= MOST {
        GilClass::Held
    } else if held_long < NEXT_TO_NOTHING {
        GilClass::Interpreter
    } else {
        GilClass::Mixed
    };
    let (calls, beats) = (watched.calls.len() as u64, during.len() as u64);
    Some(GilShare { class, held, held_long, calls, call_ns, beats, size, queues_known: watched.queues_known })
}

fn length(beat: &Beat) -> u64 {
    beat.end_ns.saturating_sub(beat.start_ns)
}

#[cfg(test)]
mod tests {
    use bindbench_protocol::Span;
    use proptest::prelude::*;

    use super::*;

    const IDLE: u64 = 560_000;
    const INTERVAL: u64 = 500_000;

    /// Calls one after the other, and a heart that is late by what a function of the beat's start says: (for the GIL, for a CPU, the
    /// caller's wait for one).
    fn watched(calls: u64, call_ns: u64, late: impl Fn(u64) -> (u64, u64, u64)) -> Watched {
        let end = calls * call_ns;
        let mut beats = Vec::new();
        let mut start_ns = 0;
        while start_ns < end {
            let (gil, queue_ns, caller_queue_ns) = late(start_ns);
            let end_ns = start_ns + IDLE + gil + queue_ns;
            beats.push(Beat { start_ns, end_ns, queue_ns, caller_queue_ns });
            start_ns = end_ns + 10_000;
        }
        let idle = (0..300).map(|i| Beat { start_ns: i * IDLE, end_ns: (i + 1) * IDLE, queue_ns: 0, caller_queue_ns: 0 }).collect();
        let calls = (0..calls).map(|i| Span { start_ns: i * call_ns, end_ns: (i + 1) * call_ns }).collect();
        Watched { switch_interval_ns: INTERVAL, queues_known: true, idle, beats, calls }
    }

    /// To the end of the call that runs when the heart would wake.
    fn until_the_call_ends(start: u64, call_ns: u64) -> u64 {
        call_ns - (start + IDLE) % call_ns
    }

    fn class(watched: &Watched) -> GilClass {
        share(watched, None).unwrap().class
    }

    proptest! {
        #[test]
        fn a_busy_machine_changes_no_class(call_ms in 6..80_u64, queue in prop::collection::vec(0..4_000_000_u64, 16)) {
            let call_ns = call_ms * 1_000_000;
            let queue = |start: u64| queue[(start / 700_000 % 16) as usize];
            let calls = 400 / call_ms + 2;
            prop_assert_eq!(class(&watched(calls, call_ns, |start| (0, queue(start), 0))), GilClass::Released);
            prop_assert_eq!(class(&watched(calls, call_ns, |start| (until_the_call_ends(start, call_ns), queue(start), 0))), GilClass::Held);
            // Who runs Python code hands it over an interval after it gets a CPU.
            let python = |start: u64| (INTERVAL + queue(start), 0, queue(start));
            prop_assert_eq!(class(&watched(calls, call_ns, python)), GilClass::Interpreter);
        }

        #[test]
        fn a_share_is_between_none_and_all(lateness in prop::collection::vec(0..50_000_000_u64, 8)) {
            let seen = watched(20, 20_000_000, |start| (lateness[(start / 1_000_000 % 8) as usize], 0, 0));
            let share = share(&seen, None).unwrap();
            prop_assert!(share.held >= share.held_long && share.held_long >= 0.0 && share.held < 1.2, "{:?}", share);
        }
    }

    #[test]
    fn a_call_that_lets_go_half_way_is_mixed() {
        let half = |start: u64| {
            let into = (start + IDLE) % 20_000_000;
            (if into < 8_000_000 { 8_000_000 - into } else { 0 }, 0, 0)
        };
        let share = share(&watched(20, 20_000_000, half), Some(7)).unwrap();
        assert_eq!((share.class, share.size, share.calls), (GilClass::Mixed, Some(7), 20), "{share:?}");
        assert!((0.3..0.45).contains(&share.held), "{share:?}");
    }

    #[test]
    fn short_calls_and_no_calls_tell_nothing() {
        assert_eq!(share(&watched(100, 1_000_000, |_| (0, 0, 0)), None), None);
        assert_eq!(share(&Watched::default(), None), None);
        assert_eq!(call_ns(&Watched::default()), None);
    }
}
