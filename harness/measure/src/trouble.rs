//! What an answer, an exception or the end of a worker means for the cell that the worker was asked about.

use bindbench_model::{Status, shortened};
use bindbench_protocol::{Answer, Raised, Reply};
use bindbench_setup::oracle::Expected;
use bindbench_worker::{Lost, signal_name};

use super::contender::Contender;

/// Why a request brought nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// The cell has no number: for this reason.
    Cell(Status),
    /// The user pressed Ctrl-C.
    Interrupted,
}

/// An exception, and where it was raised.
pub fn describe(raised: &Raised) -> String {
    let place = raised.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    if raised.message.is_empty() { format!("{}{place}", raised.kind) } else { format!("{}: {}{place}", raised.kind, raised.message) }
}

/// What the end of a worker means for the cell that it was asked about.
pub fn trouble(lost: Lost, last_words: Option<String>) -> Trouble {
    Trouble::Cell(match lost {
        Lost::Interrupted => return Trouble::Interrupted,
        Lost::Crashed { signal } => Status::Crashed { signal: signal_name(signal), said: last_words },
        Lost::Exited { code } => Status::Exited { code, said: last_words },
        Lost::TimedOut { after } => Status::TimedOut { after_s: after.as_secs_f64() },
        Lost::OutOfMemory { limit } => Status::OutOfMemory { limit_bytes: limit },
        Lost::Garbled { message } => {
            let words = last_words.map(|words| format!("; it printed: {words}")).unwrap_or_default();
            Status::Raised { detail: format!("{message}{words}") }
        }
    })
}

/// Compares an answer with what was expected.
///
/// # Errors
/// The status of a lane that is wrong, or that raises where it should not.
pub fn check(contender: &Contender, item: usize, answer: &Answer) -> Result<(), Status> {
    let Some(expected) = contender.expected.get(item) else {
        return Err(Status::Wrong { detail: format!("it answered for input {item}, which its pool does not have") });
    };
    compare(expected, answer, || format!("input {item}"))
}

/// The same, of any input.
///
/// # Errors
/// As above.
pub fn compare(expected: &Expected, answer: &Answer, input: impl FnOnce() -> String) -> Result<(), Status> {
    expected.check(answer).map_err(|detail| match answer {
        Answer::Raised(raised) if !matches!(expected, Expected::Raises(_)) => Status::Raised { detail: describe(raised) },
        _ => Status::Wrong { detail: format!("{}: {detail}", input()) },
    })
}

/// The trouble with a reply to another request.
pub fn unexpected(reply: &Reply) -> Trouble {
    let detail = format!("the worker's reply does not fit the request: {}", shortened(&format!("{reply:?}"), 200));
    Trouble::Cell(Status::Raised { detail })
}
