//! What a call returned → what the driver compares, in the words of Python.

use bindbench_protocol::{Answer, Integers, Raised};
use sha2::{Digest, Sha256};

use crate::kernels::{Failure, NoVocabulary, Owned};

/// A result of a kernel.
pub trait Returned {
    /// It, in the form the driver compares; a list's items only `with_values`.
    fn answer(self, with_values: bool) -> Answer;
}

impl Returned for () {
    fn answer(self, _: bool) -> Answer {
        Answer::None(())
    }
}

impl Returned for i64 {
    fn answer(self, _: bool) -> Answer {
        Answer::Integer(self.to_string())
    }
}

impl Returned for usize {
    fn answer(self, _: bool) -> Answer {
        Answer::Integer(self.to_string())
    }
}

impl Returned for f64 {
    fn answer(self, _: bool) -> Answer {
        Answer::Float(if self.is_nan() { "nan".to_owned() } else { format!("{self:?}") })
    }
}

/// What in Python is a list of ints.
impl<Item: Copy + Into<u64>> Returned for Owned<Item> {
    fn answer(self, with_values: bool) -> Answer {
        Answer::Integers(integers(&self, with_values))
    }
}

/// What in Python is an object with the buffer protocol.
pub struct Buffer(pub Owned<u32>);

impl Returned for Buffer {
    fn answer(self, with_values: bool) -> Answer {
        Answer::Uint32(integers(&self.0, with_values))
    }
}

fn integers<Item: Copy + Into<u64>>(items: &[Item], with_values: bool) -> Integers {
    let values = || items.iter().map(|&item| item.into());
    let mut digest = Sha256::new();
    for value in values() {
        digest.update(value.to_le_bytes());
    }
    Integers { count: items.len() as u64, sha256: hex::encode(digest.finalize()), values: with_values.then(|| values().collect()) }
}

impl<Output: Returned, Error: Into<Raised>> Returned for Result<Output, Error> {
    fn answer(self, with_values: bool) -> Answer {
        match self {
            Ok(output) => output.answer(with_values),
            Err(error) => Answer::Raised(error.into()),
        }
    }
}

impl From<Failure> for Raised {
    fn from(failure: Failure) -> Self {
        let exception = match failure {
            Failure::Empty | Failure::Invalid => Exception::ValueError,
            Failure::Memory => Exception::MemoryError,
            Failure::Overflow => Exception::OverflowError,
            Failure::Unknown(_) => Exception::RuntimeError,
        };
        raised(exception, failure.to_string())
    }
}

impl From<&NoVocabulary> for Raised {
    fn from(error: &NoVocabulary) -> Self {
        raised(Exception::ImportError, error.to_string()) // as the modules of other lanes can't be imported without
    }
}

/// The exceptions of Python this worker speaks of.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::enum_variant_names, reason = "they are Python's names")]
pub enum Exception {
    /// Memory that is not contiguous.
    BufferError,
    /// The lane can't be loaded.
    ImportError,
    /// No such operation or cell.
    LookupError,
    /// Allocation failed.
    MemoryError,
    /// A file can't be read, or the system refuses something.
    OSError,
    /// An int beyond 64 bits.
    OverflowError,
    /// Something that should not happen.
    RuntimeError,
    /// An argument of the wrong kind.
    TypeError,
    /// An argument of the right kind that makes no sense.
    ValueError,
}

/// An exception as a Python worker would describe it.
pub fn raised(exception: Exception, message: impl Into<String>) -> Raised {
    let own: &[&str] = if matches!(exception, Exception::OverflowError) { &["ArithmeticError"] } else { &[] };
    let bases = [own, &["Exception", "BaseException", "object"]].concat();
    Raised {
        kind: format!("{exception:?}"),
        message: message.into(),
        bases: bases.into_iter().map(str::to_owned).collect(),
        ..Raised::default()
    }
}
