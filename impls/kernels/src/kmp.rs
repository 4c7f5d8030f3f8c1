//! Knuth, Morris and Pratt's search: every byte of the text is read once, whatever the pattern.

use std::ops::Range;

use crate::Error;

/// Every offset in `range` at which `pattern` stands in `text`, ascending, overlapping ones too.
///
/// Reads up to `pattern.len() - 1` bytes past the end of the range, so neighbouring ranges miss nothing and count nothing twice.
/// What lies beyond the text is cut off the range.
///
/// # Errors
/// [`Error::Empty`] for an empty pattern, [`Error::Memory`] when the table or the offsets don't fit.
pub fn find(text: &[u8], pattern: &[u8], range: Range<usize>) -> Result<Vec<u64>, Error> {
    if pattern.is_empty() {
        return Err(Error::Empty);
    }
    let end = range.end.saturating_add(pattern.len() - 1).min(text.len());
    let window = text.get(range.start..end).unwrap_or_default();
    let mut found = Vec::new();
    if window.len() < pattern.len() {
        return Ok(found);
    }
    let borders = borders(pattern)?;
    let (mut matched, mut at) = (0, 0);
    // The same three steps as in every other language's kernel here: to the next byte that could begin a match, along the match,
    // back to the longest border. A loop over bytes with the fallback inside is the same algorithm at half the speed.
    while at < window.len() {
        if matched == 0 {
            at += window[at..].iter().take_while(|&&byte| byte != pattern[0]).count();
        }
        while at < window.len() && window[at] == pattern[matched] {
            at += 1;
            matched += 1;
            if matched == pattern.len() {
                found.try_reserve(1).map_err(|_| Error::Memory)?;
                found.push((range.start + at - matched) as u64);
                matched = borders[matched];
            }
        }
        matched = borders[matched];
    }
    Ok(found)
}

/// `borders[k]`: length of the longest proper prefix of `pattern[..k]` that is also its suffix; what stays matched when the next byte differs.
fn borders(pattern: &[u8]) -> Result<Vec<usize>, Error> {
    let mut borders = Vec::new();
    borders.try_reserve_exact(pattern.len() + 1).map_err(|_| Error::Memory)?;
    borders.extend([0, 0]);
    let mut border = 0;
    for &byte in &pattern[1..] {
        while border > 0 && pattern[border] != byte {
            border = borders[border];
        }
        if pattern[border] == byte {
            border += 1;
        }
        borders.push(border);
    }
    Ok(borders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(text: &[u8], pattern: &[u8]) -> Vec<u64> {
        (0_u64..).zip(text.windows(pattern.len())).filter(|(_, window)| *window == pattern).map(|(offset, _)| offset).collect()
    }

    /// Two letters and NUL: overlaps and long borders are the rule.
    fn bytes(length: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop::sample::select(vec![0, b'a', b'b']), length)
    }

    #[test]
    fn overlapping_and_nul() {
        assert_eq!(find(b"aaaa", b"aa", 0..4), Ok(vec![0, 1, 2]));
        assert_eq!(find(b"\0a\0a\0", b"\0a\0", 0..5), Ok(vec![0, 2]));
    }

    #[test]
    fn nothing_to_find_or_nothing_to_find_it_in() {
        assert_eq!(find(b"", b"", 0..0), Err(Error::Empty));
        assert_eq!(find(b"", b"a", 0..0), Ok(vec![]));
        assert_eq!(find(b"a", b"aa", 0..1), Ok(vec![]));
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "C can pass any two numbers")]
    fn ranges_beyond_the_text_or_turned_around() {
        assert_eq!(find(b"aaa", b"a", 1..usize::MAX), Ok(vec![1, 2]));
        assert_eq!(find(b"aaa", b"aa", 0..usize::MAX), Ok(vec![0, 1]));
        assert_eq!(find(b"aaa", b"a", 9..12), Ok(vec![]));
        assert_eq!(find(b"aaa", b"a", 2..1), Ok(vec![]));
        assert_eq!(find(b"aaaaaa", b"aaa", 3..1), Ok(vec![]));
        assert_eq!(find(b"aaaaaa", b"aaa", 3..3), Ok(vec![]));
    }

    #[test]
    fn borders_of_the_textbook() {
        assert_eq!(borders(b"ababaca"), Ok(vec![0, 0, 0, 1, 2, 3, 0, 1]));
    }

    proptest! {
        #[test]
        fn agrees_with_naive_search(text in bytes(0..200), pattern in bytes(1..6)) {
            prop_assert_eq!(find(&text, &pattern, 0..text.len()), Ok(naive(&text, &pattern)));
        }

        #[test]
        fn agrees_with_naive_search_on_any_bytes(text in proptest::collection::vec(any::<u8>(), 0..300), from in 0_usize..300, length in 1_usize..20) {
            let from = from.min(text.len());
            let pattern = &text[from..(from + length).min(text.len())];
            prop_assume!(!pattern.is_empty());
            prop_assert_eq!(find(&text, pattern, 0..text.len()), Ok(naive(&text, pattern)));
        }

        #[test]
        fn ranges_together_are_the_whole(text in bytes(0..200), pattern in bytes(1..6), mut cuts in proptest::collection::vec(0_usize..220, 0..6)) {
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Result<Vec<_>, _> = cuts.windows(2).map(|cut| find(&text, &pattern, cut[0]..cut[1])).collect();
            prop_assert_eq!(pieces.map(|pieces| pieces.concat()), Ok(naive(&text, &pattern)));
        }
    }
}
