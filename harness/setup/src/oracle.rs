//! The right answers, from implementations that no lane shares: memchr's substring search, sums in double-double
//! arithmetic, and tiktoken's own code.

use bindbench_catalog::Oracle;
use bindbench_model::shortened;
use bindbench_protocol::{Answer, Integers};
use memchr::memmem;
use miette::{Context, IntoDiagnostic, Result, bail};
use sha2::{Digest, Sha256};

use super::bpe;
use super::inputs::{Datum, Pool, to_hex};

/// Floats agree when they differ by no more than this, relative to the expected one.
const TOLERANCE: f64 = 1e-9;

/// What a call has to return or raise.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// Exactly this.
    Exactly(Answer),
    /// A float within 1e-9 relative.
    Near(f64),
    /// An exception of this type.
    Raises(&'static str),
}

impl Expected {
    /// Compares an answer with what was expected.
    ///
    /// # Errors
    /// A sentence that says what was expected and what came.
    pub fn check(&self, answer: &Answer) -> Result<(), String> {
        let fine = match (self, answer) {
            (Self::Exactly(Answer::Integers(expected)), Answer::Integers(found)) => {
                (expected.count, &expected.sha256) == (found.count, &found.sha256)
            }
            (Self::Exactly(Answer::Uint32(expected)), Answer::Uint32(found)) => {
                (expected.count, &expected.sha256) == (found.count, &found.sha256)
            }
            (Self::Exactly(expected), found) => expected == found,
            (Self::Near(expected), Answer::Float(digits)) => {
                digits.parse().is_ok_and(|found: f64| (found - expected).abs() <= TOLERANCE * expected.abs())
            }
            (Self::Raises(kind), Answer::Raised(raised)) => raised.kind == *kind || raised.bases.iter().any(|base| base == kind),
            _ => false,
        };
        if fine { Ok(()) } else { Err(format!("expected {}, got {}", self.describe(), describe(answer))) }
    }

    fn describe(&self) -> String {
        match self {
            Self::Exactly(answer) => describe(answer),
            Self::Near(value) => format!("the float {value:?} ± 1e-9 relative"),
            Self::Raises(kind) => format!("a {kind}"),
        }
    }
}

/// A lane may return an int of any size.
const LONGEST_DIGITS: usize = 200;

fn describe(answer: &Answer) -> String {
    match answer {
        Answer::None(()) => "None".to_owned(),
        Answer::Integer(digits) => format!("the int {}", shortened(digits, LONGEST_DIGITS)),
        Answer::Float(digits) => format!("the float {}", shortened(digits, LONGEST_DIGITS)),
        Answer::Integers(list) => format!("a list of {} ints with SHA-256 {:.12}…", list.count, list.sha256),
        Answer::Uint32(buffer) => format!("a buffer of {} uint32 with SHA-256 {:.12}…", buffer.count, buffer.sha256),
        Answer::Raised(raised) => format!("a {}: {}", raised.kind, raised.message),
        Answer::Other(text) => text.clone(),
    }
}

/// The right answer for every item of a pool.
///
/// # Errors
/// When an input can't be read, or a workload asks an oracle for what its inputs do not have.
pub fn expected(oracle: Oracle, pool: &Pool) -> Result<Vec<Expected>> {
    (0..pool.len()).map(|item| answer(oracle, &pool.data(item)?)).collect()
}

/// How often a fresh item is called on. A lane may begin to remember what it meets again, and again.
pub const FRESH_CALLS: usize = 4;

/// The right answers for every fresh item of a pool: of a first call on it, a second one, and so on, which are other answers only where a
/// function is called that remembers what it has been called with.
///
/// # Errors
/// As above.
pub fn expected_of_fresh(oracle: Oracle, pool: &Pool) -> Result<Vec<[Expected; FRESH_CALLS]>> {
    let all = |item| {
        let data = pool.data(item)?;
        if let (Oracle::CountUpSum, [Datum::Chain(state), Datum::Integer(n)]) = (oracle, &data[..]) {
            let mut links = chain(*state);
            return Ok([(); FRESH_CALLS].map(|()| integer((0..*n).map(&mut links).map(i128::from).sum())));
        }
        let first = answer(oracle, &data)?;
        Ok([(); FRESH_CALLS].map(|()| first.clone()))
    };
    pool.fresh().map(all).collect()
}

/// The function of [`bindbench_protocol::Callable::Chain`].
fn chain(mut state: u64) -> impl FnMut(i64) -> i64 {
    move |i| {
        state = (state.wrapping_mul(1_103_515_245).wrapping_add(i.cast_unsigned()).wrapping_add(12_345)) & 0x7fff_ffff;
        state.cast_signed()
    }
}

fn integer(value: i128) -> Expected {
    Expected::Exactly(Answer::Integer(value.to_string()))
}

fn answer(oracle: Oracle, data: &[Datum]) -> Result<Expected> {
    let sum = |values: &mut dyn Iterator<Item = i64>| integer(values.map(i128::from).sum());
    Ok(match (oracle, data) {
        (Oracle::Nothing, _) => Expected::Exactly(Answer::None(())),
        (Oracle::RaisesRuntimeError, _) => Expected::Raises("RuntimeError"),
        (Oracle::AddedArguments, data) => sum(&mut data.iter().map(|datum| if let Datum::Integer(value) = datum { *value } else { 0 })),
        (Oracle::ByteCount, [Datum::Bytes(bytes), ..]) => integer(bytes.len() as i128),
        (Oracle::IntegerSum, [Datum::Int64(values), ..]) => sum(&mut values.iter().copied()),
        (Oracle::CountUp, [.., Datum::Integer(n)]) => list(0..*n as u64),
        (Oracle::CountUpSum, [.., Datum::Integer(n)]) => integer(i128::from(*n) * (i128::from(*n) - 1) / 2),
        (Oracle::Offsets, [Datum::Bytes(text), Datum::Bytes(pattern)]) => list(offsets(text, pattern)),
        (Oracle::Tokens, [Datum::Bytes(text)]) => list(tokens(text)?),
        (Oracle::TokenBuffer, [Datum::Bytes(text)]) => Expected::Exactly(Answer::Uint32(digest(tokens(text)?))),
        (Oracle::Sum | Oracle::Mean | Oracle::Variance | Oracle::StandardDeviation, [data]) => {
            Expected::Near(moment(oracle, &floats(data)))
        }
        _ => bail!("the oracle {oracle:?} does not fit the arguments of its input: mend the workload's file"),
    })
}

fn list(values: impl Iterator<Item = u64>) -> Expected {
    Expected::Exactly(Answer::Integers(digest(values)))
}

fn digest(values: impl Iterator<Item = u64>) -> Integers {
    let (mut count, mut digest) = (0, Sha256::new());
    for value in values {
        count += 1;
        digest.update(value.to_le_bytes());
    }
    Integers { count, sha256: to_hex(&digest.finalize()), values: None }
}

/// By tiktoken's own code.
fn tokens(text: &[u8]) -> Result<impl Iterator<Item = u64>> {
    let text = str::from_utf8(text).into_diagnostic().wrap_err("an input of the oracle of tokens is no UTF-8")?;
    Ok(bpe::oracle().encode_ordinary(text).into_iter().map(u64::from))
}

/// Every offset, overlapping ones too: memchr's finder goes on after a hit, so it starts anew one byte further.
fn offsets(text: &[u8], pattern: &[u8]) -> impl Iterator<Item = u64> {
    let finder = memmem::Finder::new(pattern).into_owned();
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + finder.find(text.get(from..)?)?;
        from = at + 1;
        Some(at as u64)
    })
}

fn floats(data: &Datum) -> Vec<f64> {
    match data {
        Datum::Float64(values) => values.clone(),
        Datum::Int64(values) => values.iter().map(|&value| value as f64).collect(),
        Datum::Integer(value) => vec![*value as f64],
        Datum::Bytes(_) | Datum::Callable | Datum::Chain(_) => Vec::new(),
    }
}

fn moment(oracle: Oracle, values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = exact_sum(values.iter().copied()) / n;
    let variance = || exact_sum(values.iter().map(|x| (x - mean) * (x - mean))) / n;
    match oracle {
        Oracle::Sum => exact_sum(values.iter().copied()),
        Oracle::Mean => mean,
        Oracle::Variance => variance(),
        _ => variance().sqrt(),
    }
}

/// Neumaier's compensated sum ("Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974).
fn exact_sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut rest) = (0.0_f64, 0.0);
    for x in values {
        let next = sum + x;
        rest += if sum.abs() >= x.abs() { (sum - next) + x } else { (x - next) + sum };
        sum = next;
    }
    sum + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wrong_answer_says_what_was_expected_and_what_came() {
        let message = Expected::Near(2.0).check(&Answer::Float("2.1".into())).expect_err("2.1 is not 2");
        assert_eq!(message, "expected the float 2.0 ± 1e-9 relative, got the float 2.1");
        assert!(Expected::Near(2.0).check(&Answer::Integer("2".into())).is_err(), "the contract says float");
        assert!(Expected::Near(2.0).check(&Answer::Float("nan".into())).is_err());
        assert!(Expected::Near(2.0).check(&Answer::Float("2.0000000001".into())).is_ok());
    }

    #[test]
    fn an_exception_may_be_of_a_derived_type() {
        let raised = |kind: &str, bases: &[&str]| {
            let bases = bases.iter().map(ToString::to_string).collect();
            Answer::Raised(bindbench_protocol::Raised { kind: kind.into(), bases, ..Default::default() })
        };
        assert!(Expected::Raises("RuntimeError").check(&raised("RuntimeError", &[])).is_ok());
        assert!(Expected::Raises("RuntimeError").check(&raised("RecursionError", &["RuntimeError"])).is_ok());
        assert!(Expected::Raises("RuntimeError").check(&raised("ValueError", &["Exception"])).is_err());
    }

    #[test]
    fn the_answers_of_a_chain_depend_on_number_and_order_of_the_calls() {
        let sum = |calls: &[i64]| calls.iter().copied().map(chain(7)).sum::<i64>();
        let right = sum(&[0, 1, 2, 3]);
        for other in [&[0, 1, 2][..], &[0, 1, 2, 3, 3], &[3, 2, 1, 0], &[0, 0, 0, 0], &[1, 2, 3, 4], &[0, 2, 1, 3]] {
            assert_ne!(sum(other), right, "{other:?}");
        }
        // As the worker computes it: an int of any size, cut to 31 bits.
        assert_eq!([5].map(chain(7))[0], (1_103_515_245 * 7 + 5 + 12_345) & 0x7fff_ffff);
    }

    proptest! {
        #[test]
        fn offsets_are_those_of_a_naive_search(text in "[ab]{0,40}", pattern in "[ab]{1,4}") {
            let naive: Vec<u64> = (0..text.len()).filter(|&i| text[i..].starts_with(&pattern)).map(|i| i as u64).collect();
            prop_assert_eq!(offsets(text.as_bytes(), pattern.as_bytes()).collect::<Vec<_>>(), naive);
        }

        #[test]
        fn the_sum_keeps_what_a_plain_one_loses(big in 1e15..1e16_f64, small in prop::collection::vec(0.0..1.0_f64, 1..50)) {
            let exact = exact_sum(std::iter::once(big).chain(small.iter().copied()).chain([-big]));
            let expected = exact_sum(small.iter().copied());
            prop_assert!((exact - expected).abs() <= 1e-9 * expected.max(1.0), "{} {}", exact, expected);
        }
    }
}
