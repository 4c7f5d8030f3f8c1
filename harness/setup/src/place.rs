//! Where a checkout can be built: its folder's name goes into command lines, search paths and scripts that others write.

use std::path::Path;

use miette::{Result, miette};

/// Refuses a checkout in which nothing could be built, before anything is.
///
/// # Errors
/// The character that is in the way, and why.
pub fn check_checkout(root: &Path) -> Result<()> {
    refuse("the checkout", root, obstacle(root))
}

/// Refuses a strategy's folder that can't be told to anybody. What else tools don't take, they say themselves.
///
/// # Errors
/// As above.
pub fn check_strategy(folder: &Path) -> Result<()> {
    let is_told = folder.to_str().is_some_and(|text| !text.contains(char::is_control));
    refuse("the strategy", folder, if is_told { None } else { obstacle(folder) })
}

fn refuse(what: &str, folder: &Path, obstacle: Option<(String, &'static str)>) -> Result<()> {
    let Some((character, why)) = obstacle else { return Ok(()) };
    Err(miette!(
        help = "move it to, or clone it into, a folder whose whole path is without that",
        "nothing can be built in {what} {folder:?}: its path has {character}, and {why}"
    ))
}

/// What is in the way: a character, and what it means to whom.
fn obstacle(folder: &Path) -> Option<(String, &'static str)> {
    let Some(text) = folder.to_str() else {
        return Some(("bytes that are no UTF-8".to_owned(), "build tools take their options as text"));
    };
    text.chars().find_map(|c| {
        let why = match c {
            c if c.is_control() => "build tools read paths line by line",
            '"' | '$' | '`' | '\\' => "the scripts that pip installs have it in quotes, where a shell reads it as something else",
            ':' => "search paths, PYTHONPATH for one, are divided by it",
            '%' => "LLVM's linker puts digits in its place",
            '#' => "uv takes what follows it for a part of an address",
            ',' => "the compiler divides the linker's options by it",
            _ => return None,
        };
        Some((format!("the character {c:?}"), why))
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_path_that_tools_would_read_as_something_else_is_refused_with_the_character() {
        for fine in ["/home/me/bind bench", "/home/é (a)&b c=e;f~g'h [i] {j} !k+l@m^n|o<p>q?r*s"] {
            check_checkout(Path::new(fine)).unwrap_or_else(|error| panic!("{error}"));
        }
        for (path, character) in [
            ("/a/b$c", "the character '$'"),
            ("/a/b\"c", "the character '\"'"),
            ("/a/b`c", "the character '`'"),
            ("/a\\b", "the character '\\\\'"),
            ("/a/b\nc", "the character '\\n'"),
            ("/a/b\tc", "the character '\\t'"),
            ("/a:b/c", "the character ':'"),
            ("/a,b/c", "the character ','"),
            ("/a%b/c", "the character '%'"),
            ("/a#b/c", "the character '#'"),
        ] {
            let error = check_checkout(Path::new(path)).unwrap_err().to_string();
            assert!(error.contains(character) && error.contains(&format!("the checkout {path:?}")), "{error}");
        }
        let error = check_strategy(Path::new(OsStr::from_bytes(b"/a/\xff"))).unwrap_err().to_string();
        assert!(check_strategy(Path::new("/a/b\nc")).is_err() && check_strategy(Path::new("/a:b/$c")).is_ok());
        assert!(error.contains("no UTF-8") && error.contains("\"/a/\\xFF\""), "{error}");
    }
}
