//! Cutting a text into the pieces within which byte pairs are merged: the pattern of the vocabulary cl100k_base, written out by hand.
//!
//! Texts are bytes here, UTF-8 as those of a `str`. (Others do no harm, they only have no meaning.)

use crate::Error;

/// Number of code points.
const CODE_POINTS: usize = 0x11_0000;

/// What the pattern wants to know of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// None of the others.
    Other,
    /// `\p{L}`
    Letter,
    /// `\p{N}`
    Number,
    /// `\s`
    Space,
}

/// The class of every code point.
#[derive(Debug)]
pub struct Classes(Vec<Class>);

impl Classes {
    /// From a byte for each code point, the number of its class.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there are more or fewer of them, or other numbers; [`Error::Memory`] when they don't fit.
    pub fn new(numbers: &[u8]) -> Result<Self, Error> {
        if numbers.len() != CODE_POINTS {
            return Err(Error::Invalid);
        }
        let mut classes = Vec::new();
        classes.try_reserve_exact(CODE_POINTS).map_err(|_| Error::Memory)?;
        for number in numbers {
            classes.push(match number {
                0 => Class::Other,
                1 => Class::Letter,
                2 => Class::Number,
                3 => Class::Space,
                _ => return Err(Error::Invalid),
            });
        }
        Ok(Self(classes))
    }

    /// Where the piece ends that starts at `start`, before the end of the text: the first alternative that matches, of
    ///
    /// `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s`
    #[must_use]
    pub fn end_of_piece(&self, text: &[u8], start: usize) -> usize {
        let (class, second) = self.character(text, start);
        match class {
            Class::Letter => return self.run(text, second, Class::Letter),
            Class::Number => return self.up_to_three_numbers(text, second),
            Class::Other | Class::Space => {}
        }
        let first = text[start];
        if first == b'\''
            && let Some(length) = contraction(&text[second..])
        {
            return second + length;
        }
        // What the first character may be in front of.
        let next = if second < text.len() { self.character(text, second).0 } else { Class::Space };
        if next == Class::Letter && !is_line_break(first) {
            return self.run(text, second, Class::Letter);
        }
        if class == Class::Other || (first == b' ' && next == Class::Other) {
            let end = self.run(text, second, Class::Other);
            return end + text[end..].iter().take_while(|&&byte| is_line_break(byte)).count();
        }
        let end = self.run(text, second, Class::Space);
        if end == text.len() {
            return end;
        }
        if let Some(last) = text[start..end].iter().rposition(|&byte| is_line_break(byte)) {
            return start + last + 1;
        }
        // The last one is left for the piece after, unless it is the only one.
        match start_of_character(text, end - 1) {
            last if last > start => last,
            _ => end,
        }
    }

    /// The first place at or after `near` at which the text can be cut without cutting a piece: 0, its end, or between a letter
    /// or number and a character of another class.
    ///
    /// There a piece ends, whatever came before, and how it was found does not depend on what comes after. `near` may lie within a
    /// character.
    #[must_use]
    pub fn cut(&self, text: &[u8], near: usize) -> usize {
        if near == 0 {
            return 0;
        }
        let mut at = match text.get(near) {
            Some(&byte) if is_continuation(byte) => self.character(text, start_of_character(text, near)).1,
            Some(_) => near,
            None => return text.len(),
        };
        let mut before = self.character(text, start_of_character(text, at - 1)).0;
        while at < text.len() {
            let (class, next) = self.character(text, at);
            if class != before && matches!(before, Class::Letter | Class::Number) {
                break;
            }
            (before, at) = (class, next);
        }
        at
    }

    /// The class of the character at `at`, and where the next one starts.
    #[inline]
    fn character(&self, text: &[u8], at: usize) -> (Class, usize) {
        let first = text[at];
        if first < 0x80 {
            return (self.0[usize::from(first)], at + 1);
        }
        let (bits, more) = match first {
            0xf0.. => (first & 0x07, 3),
            0xe0.. => (first & 0x0f, 2),
            _ => (first & 0x1f, 1),
        };
        let next = (at + 1 + more).min(text.len());
        let code_point = text[at + 1..next].iter().fold(usize::from(bits), |bits, byte| bits << 6 | usize::from(byte & 0x3f));
        (self.0.get(code_point).copied().unwrap_or(Class::Other), next)
    }

    /// Where the characters of a class end that start at `at`.
    #[inline]
    fn run(&self, text: &[u8], mut at: usize, class: Class) -> usize {
        while at < text.len() {
            let (found, next) = self.character(text, at);
            if found != class {
                break;
            }
            at = next;
        }
        at
    }

    /// Where one to three numbers end, the first of which ends at `at`.
    fn up_to_three_numbers(&self, text: &[u8], mut at: usize) -> usize {
        for _ in 0..2 {
            if at == text.len() {
                break;
            }
            let (class, next) = self.character(text, at);
            if class != Class::Number {
                break;
            }
            at = next;
        }
        at
    }
}

/// How many bytes after an apostrophe belong to it: `(?i:[sdmt]|ll|ve|re)`.
fn contraction(text: &[u8]) -> Option<usize> {
    match text {
        [b's' | b'S' | b'd' | b'D' | b'm' | b'M' | b't' | b'T', ..] => Some(1),
        [b'l' | b'L', b'l' | b'L', ..] | [b'v' | b'V' | b'r' | b'R', b'e' | b'E', ..] => Some(2),
        [0xc5, 0xbf, ..] => Some(2), // ſ, an s when case does not matter
        _ => None,
    }
}

fn is_line_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Where the character starts that the byte at `at` belongs to.
fn start_of_character(text: &[u8], at: usize) -> usize {
    text[..=at].iter().rposition(|&byte| !is_continuation(byte)).unwrap_or(0)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use super::*;
    use proptest::prelude::*;

    /// The standard library's idea of the classes: a little different from the regular expressions', which does not matter here.
    pub fn classes() -> Vec<u8> {
        let class = |code_point| match char::from_u32(code_point) {
            Some(character) if character.is_alphabetic() => 1,
            Some(character) if character.is_numeric() => 2,
            Some(character) if character.is_whitespace() => 3,
            _ => 0,
        };
        (0..CODE_POINTS as u32).map(class).collect()
    }

    static CLASSES: LazyLock<Classes> = LazyLock::new(|| Classes::new(&classes()).expect("as it should be"));

    /// Texts full of what the pattern looks at.
    pub fn text() -> impl Strategy<Value = String> {
        let parts = ["a", "S", "ll", "é", "ſ", "中", "1", "٣", "'", "!", "😀", "\u{301}", " ", "\t", "\u{a0}", "\r", "\n", "  \n "];
        proptest::collection::vec(prop::sample::select(parts.to_vec()), 0..30).prop_map(|parts| parts.concat())
    }

    fn pieces(text: &str) -> Vec<&str> {
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let end = CLASSES.end_of_piece(text.as_bytes(), start);
            pieces.push(&text[start..end]);
            start = end;
        }
        pieces
    }

    #[test]
    fn as_the_pattern_says() {
        let expected: [&[&str]; 22] = [
            &[],
            &["Hello", " world", "!"],
            &["don", "'t", " we", "'LL", " o", "'clock"],
            &["'s", "a", "'ſ", "'re", "x", "'vE"],
            &["'"],
            &["a", "'"],
            &["'''", "s"],
            &["'é"],
            &["(word", ").", "word", "!!", "word"],
            &["中文", "😀é"],
            &["123", "٤56", "7", "a", "1"],
            &[" ", "12"],
            &["\t", "!"],
            &[" ", " !"],
            &["a", " !?\r\n\n", " b"],
            &["   "],
            &["a", "  ", " b"],
            &["a", "\n", "b"],
            &["a", "  \n \r\n", "  ", " b"],
            &["a", "\n  \n  "],
            &["\u{a0}a"],
            &["\u{2003}", "\u{2003}", "1"],
        ];
        for expected in expected {
            assert_eq!(pieces(&expected.concat()), expected);
        }
    }

    #[test]
    fn refuses_what_are_no_classes() {
        let good = classes();
        for bad in [&[], &good[1..], &[good[1..].to_vec(), vec![4]].concat()] {
            assert_eq!(Classes::new(bad).err(), Some(Error::Invalid));
        }
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        for text in [&[0xff][..], &[0x80, 0x80], &[b'a', 0xe4], &[0xf7, 0xbf, 0xbf, 0xbf], &[0xc3, b'a', b'\'', 0xc5]] {
            let mut start = 0;
            while start < text.len() {
                let end = CLASSES.end_of_piece(text, start);
                assert!((start + 1..=text.len()).contains(&end));
                start = end;
            }
            assert!((0..8).all(|near| CLASSES.cut(text, near) <= text.len()));
        }
    }

    proptest! {
        #[test]
        fn cuts_at_the_first_good_place(text in text()) {
            let class = |character| CLASSES.0[character as usize];
            let good = |at: usize| match (text[..at].chars().next_back(), text[at..].chars().next()) {
                (Some(before), Some(after)) => class(before) != class(after) && matches!(class(before), Class::Letter | Class::Number),
                _ => true,
            };
            for near in 0..text.len() + 3 {
                let first = (near..text.len()).find(|&at| text.is_char_boundary(at) && good(at));
                prop_assert_eq!(CLASSES.cut(text.as_bytes(), near), first.unwrap_or(text.len()));
            }
        }
    }
}
