//! What a worker is to the rest of the driver: something that is started, asked, and ended. Here it is a process of this machine; in tests it
//! is a script.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bindbench_protocol::{Reply, Request};

use super::ending::{Ending, end_all};
use super::guard::Guard;
use super::launch::Launch;
use super::process::{Limits, Lost, Worker};

/// A worker that has been started.
pub trait Connection {
    /// The number of its process.
    fn id(&self) -> u32;

    /// Sends a request; its reply is to be received before the next one is sent.
    ///
    /// # Errors
    /// When the worker is gone.
    fn send(&mut self, request: &Request) -> Result<(), Lost>;

    /// Waits for a reply.
    ///
    /// # Errors
    /// When the worker is gone.
    fn receive(&mut self) -> Result<Reply, Lost>;

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    /// When the worker is gone.
    fn ask(&mut self, request: &Request) -> Result<Reply, Lost> {
        self.send(request)?;
        self.receive()
    }

    /// Sends the last request. Its reply is not worth waiting for as long as for others.
    ///
    /// # Errors
    /// When the worker is gone.
    fn finish(&mut self) -> Result<(), Lost>;

    /// What it printed last, for an error message.
    fn last_words(&self) -> Option<String>;
}

/// Where workers come from.
pub trait Transport: Copy + Sync {
    /// A worker.
    type Worker: Connection;

    /// Starts one, with `PYTHONHASHSEED` as given; what it prints goes to the file `log`.
    ///
    /// # Errors
    /// When it can't be started.
    fn start(self, launch: &Launch, hash_seed: u32, log: &Path, limits: Limits) -> io::Result<Self::Worker>;

    /// Ends workers, all at the same time. They have so long to end by themselves; then they are killed, with all they started.
    fn end(self, workers: &mut [&mut Self::Worker], patience: Duration) -> Vec<Ending>;

    /// Takes note of how a worker of a lane ended.
    fn note(self, lane: &str, ending: &Ending);

    /// Ends what is left of workers that are gone, once all of them are. Returns the programs' names.
    fn sweep(self) -> Vec<String>;

    /// The notes so far, once.
    fn take_notes(self) -> Vec<String>;
}

/// Processes of this machine, and what looks after them while they think.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Kills them if the driver is killed.
    pub guard: &'a Guard,
    /// Set by Ctrl-C.
    pub interrupt: &'a AtomicBool,
}

impl<'a> Transport for Watch<'a> {
    type Worker = Worker<'a>;

    fn start(self, launch: &Launch, hash_seed: u32, log: &Path, limits: Limits) -> io::Result<Worker<'a>> {
        Worker::start(launch, hash_seed, log, limits, self.guard, self.interrupt)
    }

    fn end(self, workers: &mut [&mut Worker<'a>], patience: Duration) -> Vec<Ending> {
        end_all(workers, patience)
    }

    fn note(self, lane: &str, ending: &Ending) {
        self.guard.note(lane, ending);
    }

    fn sweep(self) -> Vec<String> {
        self.guard.sweep()
    }

    fn take_notes(self) -> Vec<String> {
        self.guard.take_notes()
    }
}

impl Connection for Worker<'_> {
    fn id(&self) -> u32 {
        Worker::id(self)
    }

    fn send(&mut self, request: &Request) -> Result<(), Lost> {
        Worker::send(self, request)
    }

    fn receive(&mut self) -> Result<Reply, Lost> {
        Worker::receive(self)
    }

    fn finish(&mut self) -> Result<(), Lost> {
        Worker::finish(self)
    }

    fn last_words(&self) -> Option<String> {
        Worker::last_words(self)
    }
}
