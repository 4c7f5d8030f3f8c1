//! Byte pair encoding: each piece of a text is a token, or is merged from single bytes, the pair of the lowest rank first.
//!
//! Looking for that pair anew after every merge would take the square of a piece's length. A heap of pairs takes n log n.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::Error;
use crate::pieces::Classes;
use crate::vocabulary::{NONE, Vocabulary};

/// A vocabulary, ready for use.
#[derive(Debug)]
pub struct Bpe {
    vocabulary: Vocabulary,
    classes: Classes,
}

impl Bpe {
    /// From every token in the order of its id, each as one byte with its length and then its bytes, and from the class of every
    /// code point (0 other, 1 letter, 2 number, 3 white space).
    ///
    /// # Errors
    /// [`Error::Invalid`] when one of them is not like that, or a byte has no token; [`Error::Memory`] when they don't fit.
    pub fn new(tokens: &[u8], classes: &[u8]) -> Result<Self, Error> {
        Ok(Self { vocabulary: Vocabulary::new(tokens)?, classes: Classes::new(classes)? })
    }

    /// The tokens of a text.
    ///
    /// # Errors
    /// [`Error::Memory`] when they don't fit, or a piece has 4 GiB or more.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        let text = text.as_bytes();
        let mut tokens = Vec::new();
        let mut merger = Merger::default();
        let mut start = 0;
        while start < text.len() {
            let end = self.classes.end_of_piece(text, start);
            let piece = &text[start..end];
            match self.vocabulary.rank(piece) {
                NONE => merger.merge(&self.vocabulary, piece, &mut tokens)?,
                token => push(&mut tokens, token)?,
            }
            start = end;
        }
        Ok(tokens)
    }

    /// The first place at or after `near` at which a text in UTF-8 can be cut, so that the tokens of the parts are those of the
    /// whole. `near` may lie within a character.
    #[must_use]
    pub fn cut(&self, text: &[u8], near: usize) -> usize {
        self.classes.cut(text, near)
    }
}

fn push(tokens: &mut Vec<u32>, token: u32) -> Result<(), Error> {
    tokens.try_reserve(1).map_err(|_| Error::Memory)?;
    tokens.push(token);
    Ok(())
}

/// Memory to merge in, used for one piece after the other.
#[derive(Default)]
struct Merger {
    /// One for each byte; those where a part of the piece starts are a list, linked both ways.
    parts: Vec<Part>,
    /// Pairs of neighbours, the rank in the upper and the position in the lower half: the leftmost of the lowest rank is on top.
    pairs: BinaryHeap<Reverse<u64>>,
}

/// A token within a piece. Places are `u32`, or the list would be twice as large.
struct Part {
    previous: u32,
    next: u32,
    token: u32,
    /// The rank of this part and the next one together.
    pair: u32,
}

impl Merger {
    fn merge(&mut self, vocabulary: &Vocabulary, piece: &[u8], tokens: &mut Vec<u32>) -> Result<(), Error> {
        let end = u32::try_from(piece.len()).ok().filter(|&end| end != NONE).ok_or(Error::Memory)?;
        self.parts.clear();
        self.pairs.clear();
        self.parts.try_reserve_exact(piece.len()).map_err(|_| Error::Memory)?;
        // A merge takes one pair away and adds two at most.
        self.pairs.try_reserve_exact(2 * piece.len()).map_err(|_| Error::Memory)?;
        for (start, &byte) in (0..end).zip(piece) {
            let previous = start.checked_sub(1).unwrap_or(NONE);
            self.parts.push(Part { previous, next: start + 1, token: vocabulary.rank_of_byte(byte), pair: NONE });
        }
        for start in 0..end {
            self.look_up_pair(vocabulary, piece, start);
        }
        while let Some(Reverse(entry)) = self.pairs.pop() {
            let (rank, start) = ((entry >> 32) as u32, entry as u32);
            let Part { previous, next, pair, .. } = self.parts[start as usize];
            if pair != rank {
                continue; // one of the two has been merged since
            }
            self.parts[next as usize].pair = NONE;
            let next = self.parts[next as usize].next;
            if next < end {
                self.parts[next as usize].previous = start;
            }
            self.parts[start as usize].next = next;
            self.parts[start as usize].token = rank;
            self.look_up_pair(vocabulary, piece, start);
            if previous != NONE {
                self.look_up_pair(vocabulary, piece, previous);
            }
        }
        let mut start = 0;
        while start < end {
            let Part { next, token, .. } = self.parts[start as usize];
            push(tokens, token)?;
            start = next;
        }
        Ok(())
    }

    /// Sets the rank of the pair that starts here, and remembers the pair if there is one.
    fn look_up_pair(&mut self, vocabulary: &Vocabulary, piece: &[u8], start: u32) {
        let middle = self.parts[start as usize].next;
        let rank = match self.parts.get(middle as usize) {
            Some(second) => vocabulary.rank(&piece[start as usize..second.next as usize]),
            None => NONE,
        };
        self.parts[start as usize].pair = rank;
        if rank != NONE {
            self.pairs.push(Reverse(u64::from(rank) << 32 | u64::from(start)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::time::Instant;

    use super::*;
    use crate::{pieces, vocabulary};
    use proptest::prelude::*;

    /// Tokens 256 and on.
    const MERGED: [&str; 13] = ["aa", "ab", "bc", "aaa", "aabc", "babc", "abab", "é", " a", " ab", "1 ", "  ", "\n\n"];

    static BPE: LazyLock<Bpe> =
        LazyLock::new(|| Bpe::new(&vocabulary::tests::tokens(&MERGED), &pieces::tests::classes()).expect("both are as they should be"));

    /// Looks for the pair of the lowest rank anew before every merge.
    fn naive(vocabulary: &Vocabulary, piece: &[u8]) -> Vec<u32> {
        let mut borders: Vec<usize> = (0..=piece.len()).collect();
        let rank = |from, to| vocabulary.rank(&piece[from..to]);
        while let Some((best, inner)) = borders.windows(3).map(|three| rank(three[0], three[2])).zip(1..).min()
            && best != NONE
        {
            borders.remove(inner);
        }
        borders.windows(2).map(|two| rank(two[0], two[1])).collect()
    }

    #[test]
    fn of_nothing() {
        assert_eq!(BPE.encode(""), Ok(vec![]));
    }

    #[test]
    fn a_piece_that_is_a_token_is_not_merged() {
        assert_eq!(BPE.encode("babc"), Ok(vec![261]));
        assert_eq!(BPE.encode("cbabc"), Ok(vec![99, 98, 257, 99]));
    }

    #[test]
    fn the_lowest_rank_first_and_the_leftmost_of_equals() {
        assert_eq!(BPE.encode("aaaaa"), Ok(vec![256, 259]));
        assert_eq!(BPE.encode("caabc"), Ok(vec![99, 260]));
    }

    /// A search of the whole piece before every merge would take a hundred times as long.
    #[test]
    fn ten_times_the_word_is_not_a_hundred_times_the_work() {
        let seconds = |length| {
            let word = "a".repeat(length);
            let start = Instant::now();
            assert!(BPE.encode(&word).is_ok_and(|tokens| tokens.len() == length / 2));
            start.elapsed().as_secs_f64()
        };
        let (one, ten) = (seconds(1_000_000), seconds(10_000_000));
        assert!(ten < 40.0 * one, "{one} s and {ten} s");
    }

    proptest! {
        #[test]
        fn merges_as_the_naive_way_does(piece in "[abcé]{0,60}") {
            let mut tokens = Vec::new();
            prop_assert_eq!(Merger::default().merge(&BPE.vocabulary, piece.as_bytes(), &mut tokens), Ok(()));
            prop_assert_eq!(tokens, naive(&BPE.vocabulary, piece.as_bytes()));
        }

        #[test]
        fn parts_together_are_the_whole(text in pieces::tests::text()) {
            let whole = BPE.encode(&text);
            for near in 0..=text.len() {
                let (first, second) = text.split_at(BPE.cut(text.as_bytes(), near));
                let parts = BPE.encode(first).and_then(|first| Ok([first, BPE.encode(second)?].concat()));
                prop_assert_eq!(&parts, &whole);
            }
        }
    }
}
