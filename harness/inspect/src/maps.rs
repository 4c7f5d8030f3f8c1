//! `/proc/PID/maps`: the code that is mapped into a process now.

use std::fs;
use std::io;

use super::record::Mapping;

/// What is mapped executable.
///
/// # Errors
/// When the process is gone, or the system does not tell.
pub fn of(pid: u32) -> io::Result<Vec<Mapping>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    Ok(maps.lines().filter_map(mapping).collect())
}

/// A line of the file; none when it is no code.
fn mapping(line: &str) -> Option<Mapping> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let flags = words.next()?;
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    let offset = number(words.next()?)?;
    let path = match words.nth(2).unwrap_or_default().trim_start() {
        "" => "//anon",
        path => path,
    };
    flags.contains('x').then_some(Mapping { start: number(start)?, end: number(end)?, offset, path: path.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_found_among_what_is_mapped() {
        let file = "7f00-7fff r-xp 00001000 fd:00 42                         /opt/my python/bin/python3.13";
        let expected = Mapping { start: 0x7f00, end: 0x7fff, offset: 0x1000, path: "/opt/my python/bin/python3.13".into() };
        assert_eq!(mapping(file), Some(expected));
        assert_eq!(mapping("7f00-7fff r-xp 00000000 00:00 0 ").unwrap().path.to_str(), Some("//anon"));
        assert_eq!(mapping("7f00-7fff rw-p 00000000 00:00 0 "), None);
        assert_eq!(mapping("nonsense"), None);
    }
}
