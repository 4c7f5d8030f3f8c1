//! A report put into somebody's Markdown, between two markers, with the command that put it there.

use miette::Diagnostic;
use thiserror::Error;

/// Begins what is replaced.
pub const BEGIN: &str = "<!-- bindbench: begin -->";
/// Ends it.
pub const END: &str = "<!-- bindbench: end -->";

/// Markdown without a place for a report.
#[derive(Debug, PartialEq, Eq, Error, Diagnostic)]
pub enum SpliceError {
    /// A marker is missing, or there are several.
    #[error("{file} has {found} lines `{marker}`; it takes one")]
    #[diagnostic(help("put a line `{BEGIN}` and, below it, a line `{END}` where the report is to stand"))]
    Markers {
        /// The file.
        file: String,
        /// Which marker.
        marker: &'static str,
        /// How many there are.
        found: usize,
    },
    /// They are there in the wrong order.
    #[error("{file}, line {line}: `{END}` stands before `{BEGIN}`")]
    #[diagnostic(help("put the line `{BEGIN}` above it"))]
    Order {
        /// The file.
        file: String,
        /// The line of the end, from 1.
        line: usize,
    },
}

/// The text with what is between the markers replaced. All else stays as it is, line ends too.
///
/// # Errors
/// When there is not exactly one of each marker, the first above the second.
pub fn splice(file: &str, text: &str, report: &str, command: &str) -> Result<String, SpliceError> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let find = |marker: &'static str| {
        let found: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].trim() == marker).collect();
        match found.as_slice() {
            [only] => Ok(*only),
            several => Err(SpliceError::Markers { file: file.to_owned(), marker, found: several.len() }),
        }
    };
    let (begin, end) = (find(BEGIN)?, find(END)?);
    if end < begin {
        return Err(SpliceError::Order { file: file.to_owned(), line: end + 1 });
    }
    // A comment ends at its first `-->`, or `--!>`, and so must hold neither.
    let command = super::format::one_line(command).replace("-->", "-- >").replace("--!>", "--! >");
    let made = format!("<!-- made by: {} -->\n\n{}\n\n", command.trim(), report.trim());
    Ok(lines[..=begin].concat() + &made + &lines[end..].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_between_the_markers_is_replaced() {
        let text = format!("# Mine\r\n\r\n{BEGIN}\r\nold\nold\n{END}\nmore\n");
        let spliced = splice("README.md", &text, "| a |\n", "bindbench report x").unwrap();
        assert_eq!(spliced, format!("# Mine\r\n\r\n{BEGIN}\r\n<!-- made by: bindbench report x -->\n\n| a |\n\n{END}\nmore\n"));
        assert_eq!(splice("README.md", &spliced, "| a |\n", "bindbench report x").unwrap(), spliced);
    }

    #[test]
    fn a_missing_doubled_or_swapped_marker_is_an_error() {
        let markers = |marker, found| Err(SpliceError::Markers { file: "f".into(), marker, found });
        assert_eq!(splice("f", "text", "", ""), markers(BEGIN, 0));
        assert_eq!(splice("f", &format!("{BEGIN}\n{END}\n{END}\n"), "", ""), markers(END, 2));
        assert_eq!(splice("f", &format!("a\n{END}\n{BEGIN}\n"), "", ""), Err(SpliceError::Order { file: "f".into(), line: 2 }));
    }

    proptest! {
        #[test]
        fn what_is_outside_of_the_markers_stays(before in "[a-z\n#]{0,40}", after in "[a-z\n#]{0,40}", report in "[a-z|\n]{0,40}") {
            let text = format!("{before}\n{BEGIN}\nold\n{END}\n{after}");
            let spliced = splice("f", &text, &report, "c").unwrap();
            let head = format!("{before}\n{BEGIN}\n");
            let tail = format!("{END}\n{after}");
            prop_assert!(spliced.starts_with(&head) && spliced.ends_with(&tail));
            prop_assert!(spliced.contains(report.trim()) && !spliced.contains("old\n"));
        }
    }
}
