//! Command lines, as people type them again.

use std::borrow::Cow;

/// A command line as one would type it.
pub fn shell(words: &[String]) -> String {
    let mut words = words.iter();
    // Where the program lay says nothing to others.
    let program = words.next().map(|program| program.rsplit('/').next().unwrap_or(program).to_owned());
    program.into_iter().chain(words.map(|word| quoted(word))).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    // The only error is a NUL byte, which no word of a command line can have.
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_typed_again() {
        let words = ["/somewhere/bindbench", "run", "-s", "pyo3/*", "it's", ""].map(str::to_owned);
        assert_eq!(shell(&words), r#"bindbench run -s 'pyo3/*' "it's" ''"#);
    }
}
