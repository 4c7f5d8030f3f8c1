//! JUnit XML, which most CI systems show.
//!
//! The layout is that of Jenkins's and GitLab's readers: `testsuites` / `testsuite` / `testcase`, with `failure` and `skipped`.

use std::borrow::Cow;

use quick_xml::escape::escape;

use super::format::one_line;

/// A test case: a cell.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// What it is grouped by.
    pub class: String,
    /// Its name in there.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a test case.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// It is fine, with what there is to say.
    Passed(String),
    /// It is not: in short, and in full.
    Failed {
        /// In short.
        message: String,
        /// In full.
        text: String,
    },
    /// It is not known, with the reason.
    Skipped(String),
}

/// The test cases as one suite.
pub(super) fn render(suite: &str, cases: &[Case]) -> String {
    let failures = cases.iter().filter(|case| matches!(case.outcome, Outcome::Failed { .. })).count();
    let skipped = cases.iter().filter(|case| matches!(case.outcome, Outcome::Skipped(_))).count();
    let numbers = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"", cases.len());
    let head = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {numbers}>\n");
    let suite = format!("<testsuite name=\"{}\" {numbers}>\n", text_of(suite));
    head + &suite + &cases.iter().map(element).collect::<String>() + "</testsuite>\n</testsuites>\n"
}

fn element(case: &Case) -> String {
    let head = format!("<testcase classname=\"{}\" name=\"{}\"", text_of(&case.class), text_of(&case.name));
    let inside = match &case.outcome {
        Outcome::Passed(says) => format!("<system-out>{}</system-out>", text_of(says)),
        Outcome::Failed { message, text } => format!("<failure message=\"{}\">{}</failure>", text_of(message), text_of(text)),
        Outcome::Skipped(why) => format!("<skipped message=\"{}\"/>", text_of(why)),
    };
    format!("{head}>\n{inside}\n</testcase>\n")
}

/// Text as it may stand in XML: escaped, and without the control characters that XML knows no way to write.
fn text_of(text: &str) -> Cow<'static, str> {
    escape(one_line(text)).into_owned().into()
}
