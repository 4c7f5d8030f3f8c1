//! The timed loop, as the Python worker has it: `for x in xs: r = f(x)` between two readings of the clock.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use bindbench_protocol::{Answer, ItemAnswer, Pass, Raised, Sampled};

use crate::answers::{Exception, Returned, raised};
use crate::process::{cpu_time, nanoseconds};

/// One operation and its inputs, whatever their types.
pub trait Cell {
    /// The answers to `count` inputs from `first` on, to all the others without a count; and the nanoseconds of the first call.
    fn verify(&self, first: usize, count: Option<usize>) -> (Vec<Answer>, Option<u64>);
    /// One call on every input.
    fn pass(&self) -> Pass;
    /// The answer to the first input, with all its values.
    fn call_once(&self) -> Answer;
    /// Times `loops` calls in every thread.
    fn sample(&self, loops: u64, first: usize, empty: bool) -> Result<Sampled, Raised>;
}

/// An operation and its inputs. The types are known where the loop is compiled, so a call in it is nothing but the kernel's.
pub struct Prepared<Input, Call> {
    /// Never empty.
    pub inputs: Vec<Input>,
    /// Threads that call at the same time.
    pub threads: usize,
    /// The operation.
    pub call: Call,
}

impl<Input, Output, Call> Cell for Prepared<Input, Call>
where
    Input: Sync,
    Output: Returned + Send,
    Call: Fn(&Input) -> Output + Sync,
{
    fn verify(&self, first: usize, count: Option<usize>) -> (Vec<Answer>, Option<u64>) {
        let asked = self.inputs.iter().skip(first).take(count.unwrap_or(usize::MAX));
        let mut first_ns = None;
        let answers = asked.map(|input| {
            let start = Instant::now();
            let output = (self.call)(input);
            first_ns.get_or_insert_with(|| nanoseconds(start.elapsed()));
            output.answer(false)
        });
        (answers.collect(), first_ns)
    }

    fn pass(&self) -> Pass {
        let mut pass = Pass { answers: Vec::new(), cpu_ns: Vec::new(), wall_ns: Vec::new() };
        for input in &self.inputs {
            let (start, cpu) = (Instant::now(), cpu_time());
            let output = (self.call)(input);
            pass.cpu_ns.push(nanoseconds(cpu_time().saturating_sub(cpu)));
            pass.wall_ns.push(nanoseconds(start.elapsed()));
            pass.answers.push(output.answer(false));
        }
        pass
    }

    fn call_once(&self) -> Answer {
        (self.call)(&self.inputs[0]).answer(true)
    }

    fn sample(&self, loops: u64, first: usize, empty: bool) -> Result<Sampled, Raised> {
        let (Ok(count), true) = (usize::try_from(loops), loops > 0) else {
            return Err(raised(Exception::ValueError, format!("a sample cannot have {loops} calls")));
        };
        let (elapsed_ns, outputs) = self.time(count, first, &self.call);
        // After the calls: they find the caches in the same state, whether the empty loop is asked for or not.
        let empty_ns = empty.then(|| self.time(count, first, |_| ()).0);
        let answers = outputs
            .into_iter()
            .enumerate()
            .map(|(thread, output)| ItemAnswer {
                item: (first % self.inputs.len() + thread + (count - 1) % self.inputs.len()) % self.inputs.len(),
                answer: output.answer(false),
            })
            .collect();
        Ok(Sampled { elapsed_ns, empty_ns, answers })
    }
}

impl<Input: Sync, Call> Prepared<Input, Call> {
    /// Nanoseconds from the first thread's start to the last one's end, and what each thread's last call returned.
    fn time<Output: Send>(&self, count: usize, first: usize, call: impl Fn(&Input) -> Output + Sync) -> (u64, Vec<Output>) {
        let (inputs, first) = (&self.inputs, first % self.inputs.len());
        if self.threads == 1 {
            let span = timed(inputs, count, first, call);
            return (nanoseconds(span.end - span.start), vec![span.output]);
        }
        let barrier = Barrier::new(self.threads);
        let run = &|own_first: usize| {
            barrier.wait();
            timed(inputs, count, own_first % inputs.len(), &call)
        };
        let spans: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (first..first + self.threads).map(|own| scope.spawn(move || run(own))).collect();
            threads.into_iter().map(|thread| thread.join().expect("kernels do not panic")).collect()
        });
        let start = spans.iter().map(|span| span.start).min();
        let end = spans.iter().map(|span| span.end).max();
        let elapsed = end.zip(start).map_or(0, |(end, start)| nanoseconds(end - start));
        (elapsed, spans.into_iter().map(|span| span.output).collect())
    }
}

struct Span<Output> {
    start: Instant,
    end: Instant,
    output: Output,
}

/// Never inlined: every operation has a loop of its own, compiled once, whoever asks for it.
#[inline(never)]
fn timed<Input, Output>(inputs: &[Input], count: usize, first: usize, call: impl Fn(&Input) -> Output) -> Span<Output> {
    let mut output = None;
    let mut next = first;
    let start = Instant::now();
    for _ in 0..count {
        output = Some(black_box(call(black_box(&inputs[next]))));
        next += 1;
        if next == inputs.len() {
            next = 0;
        }
    }
    let end = Instant::now();
    Span { start, end, output: output.expect("a sample has at least one call") }
}
