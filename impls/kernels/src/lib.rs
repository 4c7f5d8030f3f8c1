//! The kernels every controlled lane calls: safe functions over plain slices, and in [`abi`] the C functions through which all
//! bindings reach them. Nothing here knows of Python.
//!
//! They are deliberately plain, the algorithm of the textbook with one byte or one number at a time, because they stand for "the
//! same work" in several languages. What differs between two controlled lanes is then the binding and nothing else.

pub mod abi;
pub mod bpe;
pub mod call;
pub mod kmp;
pub mod moments;
pub mod pieces;
pub mod vocabulary;

/// Why a kernel has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The data or the pattern is empty.
    Empty,
    /// Memory for the result could not be had.
    Memory,
    /// No UTF-8, or no vocabulary.
    Invalid,
    /// The result does not fit 64 bits.
    Overflow,
}
