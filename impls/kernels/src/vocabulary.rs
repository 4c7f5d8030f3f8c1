//! The tokens by their bytes: a hash table with open addressing.

use std::iter;
use std::ops::Range;

use crate::Error;

/// The rank of what is no token.
pub const NONE: u32 = u32::MAX;

/// Every token's rank, which is its id too, by its bytes.
#[derive(Debug)]
pub struct Vocabulary {
    /// As they were given; the slots refer to them.
    tokens: Vec<u8>,
    /// A power of two of them, at most half of them taken.
    slots: Vec<Slot>,
    /// The rank of each single byte: every text is made of them.
    single: [u32; 256],
    /// Length of the longest token.
    longest: usize,
}

/// A token's place in the table. Half of its hash is here too: what is not the token looked for is hardly ever compared with it.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    rank: u32,
    start: u32,
    length: u32,
}

impl Slot {
    const EMPTY: Self = Self { hash: 0, rank: NONE, start: 0, length: 0 };
}

impl Vocabulary {
    /// From every token in the order of its rank, each as one byte with its length and then its bytes. They are copied.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a token is empty, cut off or there twice, when a byte has none, or when they are 4 GiB or more;
    /// [`Error::Memory`] when they don't fit.
    pub fn new(tokens: &[u8]) -> Result<Self, Error> {
        if u32::try_from(tokens.len()).is_err() {
            return Err(Error::Invalid);
        }
        let mut copy = Vec::new();
        copy.try_reserve_exact(tokens.len()).map_err(|_| Error::Memory)?;
        copy.extend_from_slice(tokens);
        let size = (2 * places(tokens).count()).next_power_of_two();
        let mut slots = Vec::new();
        slots.try_reserve_exact(size).map_err(|_| Error::Memory)?;
        slots.resize(size, Slot::EMPTY);
        let mut vocabulary = Self { tokens: copy, slots, single: [NONE; 256], longest: 0 };
        for (rank, place) in (0..).zip(places(tokens)) {
            vocabulary.insert(rank, place)?;
        }
        if vocabulary.single.contains(&NONE) {
            return Err(Error::Invalid);
        }
        Ok(vocabulary)
    }

    fn insert(&mut self, rank: u32, place: Range<usize>) -> Result<(), Error> {
        let token = self.tokens.get(place.clone()).filter(|token| !token.is_empty()).ok_or(Error::Invalid)?;
        let hash = hash(token);
        let index = self.find(token, hash);
        if self.slots[index].rank != NONE {
            return Err(Error::Invalid);
        }
        if let &[byte] = token {
            self.single[usize::from(byte)] = rank;
        }
        self.longest = self.longest.max(token.len());
        // Both are below the length of the tokens, which fits.
        self.slots[index] = Slot { hash: (hash >> 32) as u32, rank, start: place.start as u32, length: token.len() as u32 };
        Ok(())
    }

    /// The rank of these bytes, [`NONE`] if they are no token.
    #[must_use]
    pub fn rank(&self, bytes: &[u8]) -> u32 {
        if bytes.len() > self.longest {
            return NONE; // so that looking up a long piece costs nothing
        }
        self.slots[self.find(bytes, hash(bytes))].rank
    }

    /// The rank of one byte.
    #[must_use]
    pub fn rank_of_byte(&self, byte: u8) -> u32 {
        self.single[usize::from(byte)]
    }

    /// Where these bytes are in the table, or the empty slot where they would be.
    #[inline]
    fn find(&self, bytes: &[u8], hash: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut index = hash as usize & mask;
        loop {
            let slot = self.slots[index];
            if slot.rank == NONE || (slot.hash == (hash >> 32) as u32 && self.token(slot) == bytes) {
                return index;
            }
            index = (index + 1) & mask;
        }
    }

    #[inline]
    fn token(&self, slot: Slot) -> &[u8] {
        &self.tokens[slot.start as usize..][..slot.length as usize]
    }
}

/// Where each token's bytes are; the last may be said to go beyond the end.
fn places(tokens: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut end = 0;
    iter::from_fn(move || {
        let length = usize::from(*tokens.get(end)?);
        let start = end + 1;
        end = start + length;
        Some(start..end)
    })
}

/// Multiply and xor, eight bytes at a time. Nobody can be hurt by chosen collisions here: the table is full of tokens already.
#[inline]
fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let mut hash = bytes.len() as u64;
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    mix(hash, rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)))
}

#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 32
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Every single byte, in order, and then these.
    pub fn tokens(merged: &[&str]) -> Vec<u8> {
        let single = (0..=u8::MAX).flat_map(|byte| [1, byte]);
        let merged = merged.iter().flat_map(|token| iter::once(token.len() as u8).chain(token.bytes()));
        single.chain(merged).collect()
    }

    #[test]
    fn has_the_ranks_of_its_tokens_and_of_nothing_else() {
        let vocabulary = Vocabulary::new(&tokens(&["ab", "abc", "0123456789abcdef"])).expect("as it should be");
        assert_eq!(vocabulary.rank_of_byte(b'a'), 97);
        let ranks = ["a", "ab", "abc", "0123456789abcdef"].map(|token| vocabulary.rank(token.as_bytes()));
        assert_eq!(ranks, [97, 256, 257, 258]);
        for other in ["", "ba", "ab\0", "0123456789abcdeg", "0123456789abcdef0"] {
            assert_eq!(vocabulary.rank(other.as_bytes()), NONE, "{other:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_vocabulary() {
        let good = tokens(&["ab"]);
        for bad in [&[], &good[2..], &good[..good.len() - 1], &tokens(&["ab", ""]), &tokens(&["ab", "ab"])] {
            assert_eq!(Vocabulary::new(bad).err(), Some(Error::Invalid));
        }
    }
}
