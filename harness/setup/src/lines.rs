//! Sources, counted: lines that are neither blank nor comment only, kernel and glue apart, and how many of them are `unsafe`.
//!
//! A count, not a parser: a string with a brace or a comment sign in it may be misread. It is the same count for all strategies.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bindbench_model::Lines;

/// What begins a comment, by the end of a file's name; files with other ends are no sources.
const LANGUAGES: [(&str, &[&str]); 10] = [
    ("py", &["#"]),
    ("pyx", &["#"]),
    ("pxi", &["#"]),
    ("pxd", &["#"]),
    ("c", &["//", "/*", "*"]),
    ("h", &["//", "/*", "*"]),
    ("cpp", &["//", "/*", "*"]),
    ("hpp", &["//", "/*", "*"]),
    ("zig", &["//"]),
    ("rs", &["//", "/*"]),
];

/// Folders in which nothing is a source of the strategy's.
const APART: [&str; 4] = ["target", "tests", "benches", "__pycache__"];

/// Counts the sources in a strategy's folder. Those in `kernel` (files or folders, relative to it) are its own kernel.
///
/// # Errors
/// When a file can't be read.
pub fn count(folder: &Path, kernel: &[PathBuf]) -> io::Result<Lines> {
    let mut lines = Lines::default();
    let files = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !APART.contains(&entry.file_name().to_string_lossy().as_ref()));
    for file in files {
        let file = file?;
        let end = file.path().extension().map(|end| end.to_string_lossy().into_owned()).unwrap_or_default();
        let Some((_, comments)) = LANGUAGES.iter().find(|(language, _)| *language == end) else { continue };
        let text = fs::read_to_string(file.path())?;
        let counted = text.lines().filter(|line| is_code(line, comments)).count() as u64;
        let own = file.path().strip_prefix(folder).is_ok_and(|path| kernel.iter().any(|kernel| path.starts_with(kernel)));
        *(if own { &mut lines.kernel } else { &mut lines.glue }) += counted;
        if end == "rs" {
            *lines.unsafe_rust.get_or_insert(0) += unsafe_lines(&text);
        }
    }
    Ok(lines)
}

fn is_code(line: &str, comments: &[&str]) -> bool {
    let line = line.trim();
    !line.is_empty() && !comments.iter().any(|comment| line.starts_with(comment))
}

/// Lines of code from each `unsafe` to the brace that closes what it opens.
fn unsafe_lines(text: &str) -> u64 {
    let mut counted = 0;
    // Some(depth): inside of what an `unsafe` began; 0 until its brace opens.
    let mut inside: Option<u32> = None;
    for line in text.lines().filter(|line| is_code(line, &["//", "/*"])) {
        let code = line.split("//").next().unwrap_or(line);
        let mut rest = code;
        let mut counts = inside.is_some();
        if inside.is_none()
            && let Some(at) = find_word(code, "unsafe")
        {
            counts = true;
            rest = &code[at + "unsafe".len()..];
            // An attribute such as `#[unsafe(no_mangle)]` opens nothing.
            inside = (!rest.trim_start().starts_with('(')).then_some(0);
        }
        for c in rest.chars() {
            inside = match (inside, c) {
                (Some(depth), '{') => Some(depth + 1),
                (Some(0 | 1), '}') | (Some(0), ';') => None,
                (Some(depth), '}') => Some(depth - 1),
                (other, _) => other,
            };
        }
        counted += u64::from(counts);
    }
    counted
}

fn find_word(text: &str, word: &str) -> Option<usize> {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .map(|(at, _)| at)
        .find(|&at| !text[..at].ends_with(part_of_word) && !text[at + word.len()..].starts_with(part_of_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_and_glue_are_counted_apart_without_blanks_comments_and_tests() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("kernels")).unwrap();
        fs::create_dir_all(folder.path().join("tests")).unwrap();
        fs::write(folder.path().join("kernels/a.c"), "/* why\n * so */\nint f(void)\n{\n\n    return 1; // one\n}\n").unwrap();
        fs::write(folder.path().join("glue.py"), "# a\n\nimport x\n    # b\nx.y()\n").unwrap();
        fs::write(folder.path().join("tests/t.py"), "assert True\n").unwrap();
        fs::write(folder.path().join("README.md"), "text\n").unwrap();
        let lines = count(folder.path(), &["kernels".into()]).unwrap();
        assert_eq!(lines, Lines { kernel: 4, glue: 2, unsafe_rust: None });
    }

    #[test]
    fn unsafe_counts_to_its_closing_brace() {
        let text = "fn a() {\n    let x = unsafe { *p };\n    y();\n}\nunsafe fn b() {\n    z();\n}\n#[unsafe(no_mangle)]\nfn c() {}\n// unsafe\nlet unsafely = 1;\n";
        assert_eq!(unsafe_lines(text), 5);
    }
}
