//! What each request does.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use bindbench_protocol::{Call, Load, Loaded, Prepare, Probe, Raised, Reply, Request, Sample, Sampled, Weigh, Weighed};

use crate::answers::{Exception, raised};
use crate::cell::Cell;
use crate::kernels::Kernels;
use crate::operations::prepare;
use crate::process;

/// The shared library, loaded, and the cells prepared for it.
#[derive(Default)]
pub struct Worker {
    /// The last request was [`Request::Finish`].
    pub finished: bool,
    timeless: bool,
    kernels: Option<&'static Kernels>,
    cells: HashMap<u32, Box<dyn Cell>>,
}

impl Worker {
    /// The reply to one line.
    pub fn reply_to(&mut self, line: &str) -> Reply {
        let reply = serde_json::from_str(line)
            .map_err(|error| raised(Exception::ValueError, format!("not a request: {error}")))
            // A kernel's panic is its cell's affair: the next one may be fine.
            .and_then(|request| catch_unwind(AssertUnwindSafe(|| self.answer(request))).unwrap_or_else(|panic| Err(panicked(&*panic))));
        reply.unwrap_or_else(Reply::Failed)
    }

    fn answer(&mut self, request: Request) -> Result<Reply, Raised> {
        match request {
            Request::Load(load) => self.load(&load),
            Request::Prepare(cell) => self.prepare(&cell),
            Request::Verify { cell, first, count } => {
                let (answers, first_ns) = self.cell(cell)?.verify(first, count);
                Ok(Reply::Verified { answers, first_ns })
            }
            Request::Sample(sample) => self.sample(&sample),
            Request::Drop { cell } => {
                self.cell(cell)?;
                self.cells.remove(&cell);
                Ok(Reply::Dropped {})
            }
            Request::Call(call) => self.call(&call),
            Request::Probe(probe) => self.probe(&probe),
            Request::Watch(_) => Err(raised(Exception::RuntimeError, "there is no GIL to watch without Python")),
            Request::Weigh(weigh) => self.weigh(&weigh),
            Request::Record(_) => Err(raised(Exception::RuntimeError, "only workers in Python load a sampler")),
            Request::Finish => {
                self.finished = true;
                Ok(Reply::Finished { peak_resident_bytes: process::peak_resident_bytes() })
            }
        }
    }

    fn load(&mut self, load: &Load) -> Result<Reply, Raised> {
        if let Some(cpus) = &load.cpus {
            process::stay_on(cpus)?;
        }
        let start = Instant::now();
        let kernels = Kernels::load().map_err(|error| raised(Exception::ImportError, error.to_string()))?;
        let import_ns = process::nanoseconds(start.elapsed());
        self.kernels = Some(Box::leak(Box::new(kernels)));
        self.timeless = load.timeless;
        let (pid, import_ns) = if load.timeless { (0, 0) } else { (std::process::id(), import_ns) };
        Ok(Reply::Loaded(Loaded { pid, import_ns, version: None, gil_enabled: None, libraries: process::libraries() }))
    }

    fn prepare(&mut self, cell: &Prepare) -> Result<Reply, Raised> {
        let prepared = prepare(self.kernels()?, &cell.workload, &cell.operation, &cell.pool, cell.threads);
        self.cells.insert(cell.cell, prepared?);
        Ok(Reply::Prepared {})
    }

    fn sample(&mut self, sample: &Sample) -> Result<Reply, Raised> {
        let cell = self.cell(sample.cell)?;
        if let Some(cpus) = &sample.cpus {
            process::stay_on(cpus)?;
        }
        let sampled = cell.sample(sample.loops, sample.first, sample.empty)?;
        Ok(Reply::Sampled(if self.timeless {
            Sampled { elapsed_ns: 0, empty_ns: sampled.empty_ns.map(|_| 0), ..sampled }
        } else {
            sampled
        }))
    }

    /// Between two looks at the memory goes what a sample calls. Its answers are gone before anybody could look at them.
    fn weigh(&mut self, weigh: &Weigh) -> Result<Reply, Raised> {
        let cell = self.cell(weigh.cell)?;
        let before = process::footprint();
        let has_peak = process::forget_the_peak();
        let elapsed_ns = cell.sample(weigh.loops, weigh.first, false)?.elapsed_ns;
        let peak_bytes = has_peak.then(process::peak_resident_bytes).flatten();
        Ok(Reply::Weighed(Weighed { before, elapsed_ns, peak_bytes, holding: None, after: process::footprint(), references: None }))
    }

    fn call(&mut self, call: &Call) -> Result<Reply, Raised> {
        let pool = [call.arguments.clone()];
        let cell = prepare(self.kernels()?, &call.workload, &call.operation, &pool, 1)?;
        Ok(Reply::Called { answer: cell.call_once() })
    }

    fn probe(&self, probe: &Probe) -> Result<Reply, Raised> {
        let cell = prepare(self.kernels()?, &probe.workload, &probe.operation, &probe.inputs, 1)?;
        Ok(Reply::Probed { passes: (0..probe.passes).map(|_| cell.pass()).collect() })
    }

    fn kernels(&self) -> Result<&'static Kernels, Raised> {
        self.kernels.ok_or_else(|| raised(Exception::LookupError, "nothing is loaded"))
    }

    fn cell(&self, number: u32) -> Result<&dyn Cell, Raised> {
        let cell = self.cells.get(&number).map(AsRef::as_ref);
        cell.ok_or_else(|| raised(Exception::LookupError, format!("cell {number} is not prepared")))
    }
}

/// A panic as PyO3 would raise it; where it came from is in the log.
fn panicked(panic: &(dyn Any + Send)) -> Raised {
    let message = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
    Raised { kind: "PanicException".to_owned(), ..raised(Exception::RuntimeError, message.unwrap_or_default()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_message() {
        let of = |panic: fn()| panicked(&*catch_unwind(panic).unwrap_err());
        let told = of(|| panic!("at {}", 3));
        assert_eq!((told.kind.as_str(), told.message.as_str()), ("PanicException", "at 3"));
        assert_eq!(of(|| panic!("plain")).message, "plain");
    }
}
