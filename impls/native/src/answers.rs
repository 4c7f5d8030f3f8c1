//! What a call returned → what the driver compares, in the words of Python.

use bindbench_protocol::{Answer, Integers, Raised};
use sha2::{Digest, Sha256};

use crate::kernels::{Failure, Found};

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

impl Returned for Found {
    fn answer(self, with_values: bool) -> Answer {
        let mut digest = Sha256::new();
        for offset in self.iter() {
            digest.update(offset.to_le_bytes());
        }
        Answer::Integers(Integers {
            count: self.len() as u64,
            sha256: hex::encode(digest.finalize()),
            values: with_values.then(|| self.to_vec()),
        })
    }
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
            Failure::Empty => Exception::ValueError,
            Failure::Memory => Exception::MemoryError,
            Failure::Unknown(_) => Exception::RuntimeError,
        };
        raised(exception, failure.to_string())
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
        traceback: None,
    }
}
