//! Rounds by a worker and all that it started, again and again while a loop runs: whoever runs is held and looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bindbench_worker::descendants;

use super::held::{Caught, Held};
use crate::interleave::PythonCall;
use crate::record::{Event, MOST_HELD, Record};

/// After a round all are left alone for so many times as long as it took, on average: so they are slowed by a twentieth at most.
const REST: u32 = 20;

/// How often it is asked what was started, and what was mapped.
const ASK: Duration = Duration::from_millis(50);

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Mappings and samples, in the order of time.
    pub records: Vec<Record>,
    /// For each sample among them, what the interpreter knows: innermost first.
    pub python: Vec<Vec<PythonCall>>,
    /// Samples that there was no room for.
    pub lost: u64,
    /// What a sample stands for, nanoseconds; none without a round.
    pub sample_ns: Option<f64>,
}

/// Rounds that are made by a thread of their own, which is the one that all are held by.
pub struct Rounds {
    turn: Arc<Turn>,
    walker: Option<JoinHandle<Seen>>,
}

/// Whether rounds are to be made. Whoever makes one has the lock: it is not given away before all are let go.
#[derive(Default)]
struct Turn {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    since: Option<Instant>,
    /// Time during which rounds were to be made, without the present.
    past: Duration,
    ended: bool,
}

impl Rounds {
    /// By a worker, and by all it has started and is going to start. None is made yet.
    pub fn start(worker: Held, hertz: u64) -> Self {
        let turn = Arc::new(Turn::default());
        let mut family = Family::new(worker);
        family.ask();
        family.welcome_all();
        let theirs = Arc::clone(&turn);
        let walker = std::thread::spawn(move || walk(&theirs, family, Duration::from_secs(1) / u32::try_from(hertz).unwrap_or(u32::MAX)));
        Self { turn, walker: Some(walker) }
    }

    /// Switches rounds on or off. Once they are off, nobody is held.
    pub fn switch(&self, on: bool) {
        let mut state = self.turn.lock();
        if let Some(since) = state.since.take() {
            state.past += since.elapsed();
        }
        state.since = on.then(Instant::now);
        self.turn.changed.notify_all();
    }

    /// Ends them.
    pub fn finish(mut self) -> Seen {
        self.end()
    }

    fn end(&mut self) -> Seen {
        self.switch(false);
        self.turn.lock().ended = true;
        self.turn.changed.notify_all();
        self.walker.take().and_then(|walker| walker.join().ok()).unwrap_or_default()
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        self.end();
    }
}

impl Turn {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for so long, and until a round is to be made; none when there will be none any more.
    fn wait(&self, rest: Duration) -> Option<MutexGuard<'_, State>> {
        loop {
            std::thread::sleep(rest);
            let state = self.lock();
            if state.ended {
                return None;
            }
            if state.since.is_some() {
                return Some(state);
            }
            // And then for so long again: the first round must not come right at the beginning of a loop, time and again.
            drop(self.changed.wait_while(state, |state| state.since.is_none() && !state.ended));
        }
    }
}

/// Makes rounds until it is told to end.
fn walk(turn: &Turn, mut family: Family, period: Duration) -> Seen {
    let (mut rounds, mut rest) = (0_u32, period);
    while let Some(state) = turn.wait(rest) {
        let begun = Instant::now();
        family.look();
        rounds += 1;
        let took = begun.elapsed();
        drop(state);
        family.welcome();
        if family.asked.elapsed() >= ASK {
            family.ask();
        }
        rest = pause(period.max(took * REST));
    }
    let sample_ns = (rounds > 0).then(|| turn.lock().past.as_nanos() as f64 / f64::from(rounds));
    Seen { sample_ns, ..family.seen }
}

/// A pause of random length that never keeps step with what is looked at: exponentially distributed, and cut where next to none are longer.
fn pause(mean: Duration) -> Duration {
    let unit = -(1.0 - rand::random::<f64>()).ln();
    mean.mul_f64(unit.min(5.0))
}

/// A worker and what it started.
struct Family {
    worker: u32,
    members: BTreeMap<u32, Held>,
    /// Whoever was asked about, with Python or without.
    known: BTreeSet<u32>,
    /// To find an interpreter takes longer than a round.
    attaching: Vec<JoinHandle<Option<Held>>>,
    asked: Instant,
    begun: Instant,
    held_bytes: usize,
    seen: Seen,
}

impl Family {
    fn new(worker: Held) -> Self {
        let (worker_pid, now) = (worker.pid, Instant::now());
        Self {
            worker: worker_pid,
            members: [(worker_pid, worker)].into(),
            known: [worker_pid].into(),
            attaching: Vec::new(),
            asked: now,
            begun: now,
            held_bytes: 0,
            seen: Seen::default(),
        }
    }

    /// Looks for what was started, and for what was mapped.
    fn ask(&mut self) {
        for pid in descendants(self.worker) {
            if self.known.insert(pid) {
                // A process without Python has nothing that could be read here.
                self.attaching.push(std::thread::spawn(move || Held::attach(pid).ok()));
            }
        }
        let time = self.now_ns();
        for member in self.members.values_mut() {
            self.seen.records.extend(mappings(member, time));
        }
        self.asked = Instant::now();
    }

    /// Takes in those whose interpreter was found by now.
    fn welcome(&mut self) {
        let (found, others): (Vec<_>, Vec<_>) = self.attaching.drain(..).partition(JoinHandle::is_finished);
        self.attaching = others;
        self.take_in(found);
    }

    /// Waits until it is known of all.
    fn welcome_all(&mut self) {
        let all = std::mem::take(&mut self.attaching);
        self.take_in(all);
    }

    fn take_in(&mut self, found: Vec<JoinHandle<Option<Held>>>) {
        let time = self.now_ns();
        for mut member in found.into_iter().filter_map(|attaching| attaching.join().ok().flatten()) {
            self.seen.records.extend(mappings(&mut member, time));
            self.members.insert(member.pid, member);
        }
    }

    /// Looks at everyone who runs. Whoever is gone is forgotten.
    fn look(&mut self) {
        let Self { members, held_bytes, seen, begun, .. } = self;
        members.retain(|_, member| {
            let time = begun.elapsed().as_nanos() as u64;
            let Ok(caught) = member.look() else { return false };
            for Caught { native, python } in caught {
                if *held_bytes + native.stack.len() > MOST_HELD {
                    seen.lost += 1;
                    continue;
                }
                *held_bytes += native.stack.len();
                seen.records.push(Record { time, event: Event::Sample(native) });
                seen.python.push(python);
            }
            true
        });
    }

    fn now_ns(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }
}

fn mappings(member: &mut Held, time: u64) -> impl Iterator<Item = Record> {
    let pid = member.pid;
    member.newly_mapped().into_iter().map(move |mapping| Record { time, event: Event::Mapped { pid, mapping } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_as_long_as_they_should_on_average() {
        let mean = Duration::from_millis(6);
        let pauses: Vec<Duration> = (0..20_000).map(|_| pause(mean)).collect();
        let seen = pauses.iter().sum::<Duration>().as_secs_f64() / 20_000.0;
        assert!((seen / mean.as_secs_f64() - 1.0).abs() < 0.05, "{seen} s");
        assert!(pauses.iter().max().unwrap() <= &(mean * 5));
    }

    #[test]
    fn no_round_is_made_before_it_is_due_nor_after_the_end() {
        let turn = Turn::default();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| turn.wait(Duration::ZERO).map(|state| state.since.is_some()));
            std::thread::sleep(Duration::from_millis(20));
            assert!(!waiter.is_finished());
            turn.lock().since = Some(Instant::now());
            turn.changed.notify_all();
            assert_eq!(waiter.join().unwrap(), Some(true));
        });
        turn.lock().ended = true;
        assert!(turn.wait(Duration::ZERO).is_none());
    }
}
