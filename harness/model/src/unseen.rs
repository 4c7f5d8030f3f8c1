//! Characters that are not shown, but acted upon.

/// Control characters, and those that change the direction of what follows them. No name has any.
pub fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
