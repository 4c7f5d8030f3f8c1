//! Workers that follow a script: the run loop is tried without a process.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bindbench_protocol::{Answer, ItemAnswer, Loaded, Reply, Request, Sampled};
use bindbench_worker::{Connection, Ending, Launch, Limits, Lost, Transport};

/// What a worker was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The worker, by the order in which they were started.
    pub worker: usize,
    /// Its lane.
    pub lane: String,
    /// How many samples it was asked for before.
    pub samples: usize,
    /// What it was asked for.
    pub request: Request,
}

/// What a worker says, where it is not what a worker should say.
pub type Answers = Box<dyn Fn(&Asked) -> Option<Result<Reply, Lost>> + Send + Sync>;

/// Where scripted workers come from.
pub struct Script {
    answers: Answers,
    /// Lanes of which no worker can be started.
    pub unstartable: Vec<&'static str>,
    /// How each worker ends.
    pub ending: Ending,
    heard: Mutex<Heard>,
}

/// What happened.
#[derive(Default)]
struct Heard {
    asked: Vec<Asked>,
    started: Vec<(String, u32)>,
    notes: Vec<String>,
}

impl Script {
    /// Every worker does as it should.
    pub fn fine() -> Self {
        Self::with(|_| None)
    }

    /// Where this has an answer, it is given.
    pub fn with(answers: impl Fn(&Asked) -> Option<Result<Reply, Lost>> + Send + Sync + 'static) -> Self {
        Self { answers: Box::new(answers), unstartable: Vec::new(), ending: Ending::default(), heard: Mutex::default() }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that was asked.
    pub fn asked(&self) -> Vec<Asked> {
        self.heard().asked.clone()
    }

    /// Lanes of the workers that were started, with their hash seeds.
    pub fn started(&self) -> Vec<(String, u32)> {
        self.heard().started.clone()
    }
}

/// The answer that every test expects of a right lane.
pub fn right() -> Answer {
    Answer::Integer("7".into())
}

/// One that is not.
pub fn wrong() -> Answer {
    Answer::Integer("8".into())
}

/// A sample that took so long, with this answer to item 0.
pub fn sampled(elapsed_ns: u64, answer: Answer) -> Reply {
    Reply::Sampled(Sampled { elapsed_ns, empty_ns: None, answers: vec![ItemAnswer { item: 0, answer }] })
}

/// A worker of a script.
pub struct Scripted<'s> {
    script: &'s Script,
    number: usize,
    lane: String,
    samples: usize,
    reply: Option<Result<Reply, Lost>>,
}

impl Connection for Scripted<'_> {
    fn id(&self) -> u32 {
        self.number as u32 + 1
    }

    fn send(&mut self, request: &Request) -> Result<(), Lost> {
        let asked = Asked { worker: self.number, lane: self.lane.clone(), samples: self.samples, request: request.clone() };
        self.samples += usize::from(matches!(request, Request::Sample(_)));
        self.reply = Some((self.script.answers)(&asked).unwrap_or_else(|| Ok(usual(request))));
        self.script.heard().asked.push(asked);
        Ok(())
    }

    fn receive(&mut self) -> Result<Reply, Lost> {
        self.reply.take().expect("it was asked")
    }

    fn finish(&mut self) -> Result<(), Lost> {
        self.send(&Request::Finish)
    }

    fn last_words(&self) -> Option<String> {
        Some(format!("the last words of {}", self.lane))
    }
}

fn usual(request: &Request) -> Reply {
    match request {
        Request::Load(_) => Reply::Loaded(Loaded { import_ns: 11, gil_enabled: Some(true), ..Loaded::default() }),
        Request::Prepare(_) => Reply::Prepared {},
        Request::Verify { count, .. } => Reply::Verified { answers: vec![right(); count.unwrap_or(1)], first_ns: Some(1) },
        Request::Sample(sample) => Reply::Sampled(Sampled {
            elapsed_ns: 5,
            empty_ns: sample.empty.then_some(2),
            answers: vec![ItemAnswer { item: sample.first, answer: right() }],
        }),
        Request::Drop { .. } => Reply::Dropped {},
        Request::Finish => Reply::Finished { peak_resident_bytes: Some(1 << 20) },
        other => panic!("no run asks for {other:?}"),
    }
}

impl<'s> Transport for &'s Script {
    type Worker = Scripted<'s>;

    fn start(self, launch: &Launch, hash_seed: u32, _: &Path, _: Limits) -> io::Result<Scripted<'s>> {
        let lane = launch.load.lane.clone();
        if self.unstartable.iter().any(|other| **other == lane) {
            return Err(io::Error::other("no such program"));
        }
        let mut heard = self.heard();
        heard.started.push((lane.clone(), hash_seed));
        Ok(Scripted { script: self, number: heard.started.len() - 1, lane, samples: 0, reply: None })
    }

    fn end(self, workers: &mut [&mut Scripted<'s>], _: Duration) -> Vec<Ending> {
        vec![self.ending.clone(); workers.len()]
    }

    fn note(self, lane: &str, ending: &Ending) {
        self.heard().notes.extend(ending.note(lane));
    }

    fn sweep(self) -> Vec<String> {
        Vec::new()
    }

    fn take_notes(self) -> Vec<String> {
        std::mem::take(&mut self.heard().notes)
    }
}
