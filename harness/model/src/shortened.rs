//! Texts that others wrote: a lane's exception may have a message of megabytes.

use std::borrow::Cow;

/// Head and tail of a text that has more than so many characters, and how many are left out between them.
pub fn shortened(text: &str, longest: usize) -> Cow<'_, str> {
    // No character takes less than a byte.
    let count = if text.len() <= longest { 0 } else { text.chars().count() };
    if count <= longest {
        return Cow::Borrowed(text);
    }
    let place = |nth: usize| text.char_indices().nth(nth).map_or(text.len(), |(at, _)| at);
    let tail = longest / 3;
    let head = longest - tail;
    let left_out = count - longest;
    Cow::Owned(format!("{} […{left_out} characters left out…] {}", &text[..place(head)], &text[place(count - tail)..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_long_texts_are_cut_and_say_so() {
        assert_eq!(shortened("éé", 2), "éé");
        assert_eq!(shortened("", 0), "");
        assert_eq!(shortened("abcdefghi", 3), "ab […6 characters left out…] i");
    }

    proptest! {
        #[test]
        fn head_tail_and_count_make_up_the_whole(text in ".{0,40}", longest in 0_usize..45) {
            let cut = shortened(&text, longest);
            let count = text.chars().count();
            if count <= longest {
                prop_assert_eq!(cut, text.as_str());
            } else {
                let said = format!(" […{} characters left out…] ", count - longest);
                let (head, tail) = cut.split_once(&said).unwrap();
                prop_assert!(text.starts_with(head) && text.ends_with(tail));
                prop_assert_eq!(head.chars().count() + tail.chars().count(), longest);
            }
        }
    }
}
