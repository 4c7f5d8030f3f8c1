//! The operations by name: which arguments each takes, and which kernel it calls.

use bindbench_protocol::{Argument, Raised};

use crate::answers::{Buffer, Exception, Returned, raised};
use crate::arguments::{bytes, float64, integer, text};
use crate::cell::{Cell, Prepared};
use crate::kernels::Kernels;

/// An operation with its inputs, made ready to be called.
pub fn prepare(
    kernels: &'static Kernels,
    workload: &str,
    operation: &str,
    pool: &[Vec<Argument>],
    threads: usize,
) -> Result<Box<dyn Cell>, Raised> {
    if pool.is_empty() || threads == 0 {
        return Err(raised(Exception::ValueError, "a cell needs at least one input and one thread"));
    }
    Ok(match (workload, operation) {
        ("call", "noop") => cell(pool, threads, |[]| Ok(()), |()| kernels.noop()),
        ("call", "add") => cell(pool, threads, |[a, b]| Ok((integer(a)?, integer(b)?)), |&(a, b)| kernels.add(a, b)),
        ("call", "length") => cell(pool, threads, |[data]| bytes(data), |data| kernels.length(data)),
        ("kmp", "find_all") => {
            cell(pool, threads, |[text, pattern]| Ok((bytes(text)?, bytes(pattern)?)), |(text, pattern)| kernels.kmp_find(text, pattern))
        }
        ("std", "sum") => cell(pool, threads, |[data]| float64(data), |data| kernels.sum(data)),
        ("std", "mean") => cell(pool, threads, |[data]| float64(data), |data| kernels.mean(data)),
        ("std", "var") => cell(pool, threads, |[data]| float64(data), |data| kernels.var(data)),
        ("std", "std") => cell(pool, threads, |[data]| float64(data), |data| kernels.std(data)),
        ("bpe", "encode") => {
            let encoder = kernels.encoder()?;
            cell(pool, threads, |[data]| text(data), |data| encoder.encode(data))
        }
        ("bpe", "encode_buffer") => {
            let encoder = kernels.encoder()?;
            cell(pool, threads, |[data]| text(data), |data| encoder.encode(data).map(Buffer))
        }
        _ => return Err(raised(Exception::LookupError, format!("there is no {workload}.{operation}"))),
    })
}

/// Arguments a Python lane would refuse are refused when it is called with them; only then does a call look at what it got.
fn cell<const ARITY: usize, Input, Output>(
    pool: &[Vec<Argument>],
    threads: usize,
    input: fn(&[Argument; ARITY]) -> Result<Input, Raised>,
    call: impl Fn(&Input) -> Output + Sync + 'static,
) -> Box<dyn Cell>
where
    Input: Sync + 'static,
    Output: Returned + Send,
{
    let inputs: Vec<Result<Input, Raised>> = pool
        .iter()
        .map(|arguments| match arguments.as_slice().try_into() {
            Ok(arguments) => input(arguments),
            Err(_) => Err(raised(Exception::TypeError, format!("expected {ARITY} arguments, got {}", arguments.len()))),
        })
        .collect();
    if inputs.iter().all(Result::is_ok) {
        return Box::new(Prepared { inputs: inputs.into_iter().flatten().collect(), threads, call });
    }
    let call = move |input: &Result<Input, Raised>| input.as_ref().map(&call).map_err(Raised::clone);
    Box::new(Prepared { inputs, threads, call })
}
