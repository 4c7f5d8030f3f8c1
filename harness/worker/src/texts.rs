//! Texts in replies: a lane wrote them, and may have written megabytes. They are cut where they arrive; the whole is in the worker's log.

use bindbench_model::shortened;
use bindbench_protocol::{Answer, Raised, Reply};

use super::log::Log;

/// The longest text, in characters.
const LONGEST: usize = 2000;

/// The longest name of a type.
const LONGEST_NAME: usize = 200;

/// A type with more bases than this has its last ones in vain: `object` and its like are there anyhow.
const MOST_BASES: usize = 64;

/// Cuts all texts of a reply, and says of every exception where it was raised.
pub fn cut(reply: &mut Reply, log: &Log) {
    match reply {
        Reply::Failed(raised) => cut_raised(raised, log),
        Reply::Verified { answers, .. } => answers.iter_mut().for_each(|answer| cut_answer(answer, log)),
        Reply::Sampled(sampled) => sampled.answers.iter_mut().for_each(|last| cut_answer(&mut last.answer, log)),
        Reply::Probed { passes } => passes.iter_mut().flat_map(|pass| &mut pass.answers).for_each(|answer| cut_answer(answer, log)),
        Reply::Called { answer } => cut_answer(answer, log),
        _ => {}
    }
}

fn cut_answer(answer: &mut Answer, log: &Log) {
    match answer {
        Answer::Raised(raised) => cut_raised(raised, log),
        Answer::Other(text) => cut_text(text, LONGEST),
        // Digits are compared, all of them.
        _ => {}
    }
}

fn cut_raised(raised: &mut Raised, log: &Log) {
    cut_text(&mut raised.kind, LONGEST_NAME);
    cut_text(&mut raised.message, LONGEST);
    raised.bases.truncate(MOST_BASES);
    raised.bases.iter_mut().for_each(|base| cut_text(base, LONGEST_NAME));
    if let Some(traceback) = raised.traceback.take() {
        let log = log.in_its_run().map(|log| format!("traceback in {log}"));
        let place: Vec<String> = place(&traceback).into_iter().chain(log).collect();
        raised.place = (!place.is_empty()).then(|| place.join(", "));
    }
}

fn cut_text(text: &mut String, longest: usize) {
    if text.len() > longest {
        *text = shortened(text, longest).into_owned();
    }
}

/// The innermost frame of a traceback as Python writes it, `raises.py:9 in add`.
fn place(traceback: &str) -> Option<String> {
    let line = traceback.lines().rfind(|line| line.trim_start().starts_with("File \""))?;
    let (file, rest) = line.trim_start().strip_prefix("File \"")?.rsplit_once("\", line ")?;
    let (line, function) = rest.split_once(", in ").map_or((rest, None), |(line, function)| (line, Some(function)));
    let file = file.rsplit('/').next().unwrap_or(file);
    let text = format!("{file}:{line}{}", function.map(|function| format!(" in {function}")).unwrap_or_default());
    Some(shortened(&text, LONGEST_NAME).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACEBACK: &str = "Traceback (most recent call last):\n  File \"/w/timing.py\", line 3, in verify\n    f(x)\n  \
                             File \"/a b/raises.py\", line 9, in add\n    raise Odd()\nOdd\n";

    #[test]
    fn the_place_is_the_innermost_frame() {
        assert_eq!(place(TRACEBACK).as_deref(), Some("raises.py:9 in add"));
        assert_eq!(place("  File \"a.py\", line 1\n    (\nSyntaxError").as_deref(), Some("a.py:1"));
        assert_eq!(place("Odd: File \"x\""), None);
        assert_eq!(place("  File \"x"), None);
    }

    #[test]
    fn what_is_long_is_cut_and_what_is_compared_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (log, _file) = Log::open(&folder.path().join("a.log")).unwrap();
        let long = "x".repeat(1 << 20);
        let raised = Raised {
            kind: long.clone(),
            message: long.clone(),
            bases: vec![long.clone(); 1000],
            traceback: Some(format!("{TRACEBACK}{long}")),
            place: None,
        };
        let mut failed = Reply::Failed(raised.clone());
        cut(&mut failed, &log);
        let text = serde_json::to_string(&failed).unwrap();
        assert!(text.len() < 20_000 && text.contains("characters left out"), "{} bytes", text.len());
        let Reply::Failed(Raised { place, .. }) = failed else { panic!("another reply") };
        assert_eq!(place.as_deref(), Some("raises.py:9 in add"));
        let digits = Answer::Integer("7".repeat(5000));
        let mut verified = Reply::Verified { answers: vec![digits.clone(), Answer::Other(long), Answer::Raised(raised)], first_ns: None };
        cut(&mut verified, &log);
        assert!(serde_json::to_string(&verified).unwrap().len() < 30_000);
        assert!(matches!(verified, Reply::Verified { answers, .. } if answers[0] == digits));
    }
}
