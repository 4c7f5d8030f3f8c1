//! The CPU's own counter of a process's instructions, by `perf_event_open`: those of the program and of the threads it starts, not the kernel's.

use std::io;

use perf_event::events::{Event, Hardware};
use perf_event::{Builder, Counter, ReadFormat};

/// How long it was to count, and how long it did.
const TIMES: ReadFormat = ReadFormat::TOTAL_TIME_ENABLED.union(ReadFormat::TOTAL_TIME_RUNNING);

/// A counter at a process.
pub struct CpuCounter(Counter);

impl CpuCounter {
    /// Instructions that a process executes.
    ///
    /// # Errors
    /// When there is no such counter, or the kernel does not allow it.
    pub fn of(pid: u32) -> io::Result<Self> {
        Self::of_event(Hardware::INSTRUCTIONS, pid)
    }

    fn of_event(event: impl Event, pid: u32) -> io::Result<Self> {
        // A process's id is positive and fits.
        Builder::new(event).observe_pid(pid.cast_signed()).any_cpu().inherit(true).read_format(TIMES).enabled(true).build().map(Self)
    }

    /// What is counted while something is done.
    ///
    /// # Errors
    /// When the counter can't be read, or had to give way to others meanwhile.
    pub fn during<T>(&mut self, work: impl FnOnce() -> T) -> io::Result<(u64, T)> {
        let before = self.0.read_count_and_time()?;
        let done = work();
        let after = self.0.read_count_and_time()?;
        if after.time_running - before.time_running < after.time_enabled - before.time_enabled {
            return Err(io::Error::other("other programs use the CPU's counters, too"));
        }
        Ok((after.count - before.count, done))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};

    use perf_event::events::Software;

    use super::*;

    /// The kernel's counter of the time that a process is on a CPU stands in for the one that virtual machines don't have.
    #[test]
    fn what_another_process_does_is_counted_while_it_is_asked_for() {
        let script = "while read -r turns; do i=0; while [ $i -lt $turns ]; do i=$((i+1)); done; echo done; done";
        let mut shell =
            Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("there is a shell");
        let (mut requests, mut replies) = (shell.stdin.take().unwrap(), BufReader::new(shell.stdout.take().unwrap()));
        let mut ask = |turns: u32| {
            writeln!(requests, "{turns}").unwrap();
            replies.read_line(&mut String::new()).unwrap();
        };
        ask(1);
        let mut counter = CpuCounter::of_event(Software::TASK_CLOCK, shell.id()).unwrap();
        let (little, ()) = counter.during(|| ask(10)).unwrap();
        // Nobody counts this.
        ask(1_000_000);
        let (much, ()) = counter.during(|| ask(300_000)).unwrap();
        let (again, ()) = counter.during(|| ask(10)).unwrap();
        drop(requests);
        shell.wait().unwrap();
        assert!(little.max(again) * 10 < much, "{little} {much} {again}");
    }
}
