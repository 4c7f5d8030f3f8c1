//! Commands of this program that are printed to be pasted: they begin as it was started itself, and are quoted for a shell.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bindbench_model::quoted;

/// The words that this process was started with. What is no Unicode in them is shown as U+FFFD: they are for people.
pub(super) fn command_line() -> Vec<String> {
    env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// The words that start a command of this program again: through cargo, where cargo started it, or by the path it was called by.
pub(super) fn again(command: &str) -> Vec<String> {
    words(env::var_os("CARGO").is_some(), env::args_os().next(), command)
}

fn words(by_cargo: bool, program: Option<OsString>, command: &str) -> Vec<String> {
    let mut words = match (by_cargo, program) {
        // The alias of `.cargo/config.toml`.
        (true, _) => vec!["cargo".to_owned(), "bindbench".to_owned()],
        (false, program) => vec![program.map_or_else(|| "bindbench".to_owned(), |program| program.to_string_lossy().into_owned())],
    };
    words.push(command.to_owned());
    words
}

/// The words as a line for a shell.
pub(super) fn pasted(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Adds an option with a path, as it was typed.
pub(super) fn with_path(words: &mut Vec<String>, option: &str, path: &Path) {
    words.extend([option.to_owned(), path.to_string_lossy().into_owned()]);
}

/// The command that goes on with a run which was stopped: `runs` is where its folder is looked for, if that was said.
pub(super) fn resume(command: &str, folder: &Path, runs: Option<&Path>, usual: &Path, catalogs: &[PathBuf]) -> Vec<String> {
    let mut words = again(command);
    let name = folder.file_name().map(Path::new).unwrap_or(folder);
    if runs.unwrap_or(usual).join(name) == folder {
        with_path(&mut words, "--resume", name);
        runs.iter().for_each(|runs| with_path(&mut words, "--runs", runs));
    } else {
        with_path(&mut words, "--resume", folder);
    }
    catalogs.iter().for_each(|catalog| with_path(&mut words, "--catalog", catalog));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_begins_as_this_program_was_started() {
        let of = |by_cargo, program: &str| words(by_cargo, Some(program.into()), "run").join(" ");
        assert_eq!(of(true, "/x/target/release/bindbench"), "cargo bindbench run");
        assert_eq!(of(false, "target/debug/bindbench"), "target/debug/bindbench run");
        assert_eq!(words(false, None, "run"), ["bindbench", "run"]);
    }

    #[test]
    fn a_run_is_named_by_its_folder_where_its_name_alone_is_not_enough() {
        let resume = |folder: &str, runs: Option<&str>| {
            let words = resume("run", Path::new(folder), runs.map(Path::new), Path::new("/usual"), &["my lanes".into()]);
            pasted(&words).split_once(" run ").unwrap().1.to_owned()
        };
        assert_eq!(resume("/usual/x-1", None), "--resume x-1 --catalog 'my lanes'");
        assert_eq!(resume("my runs/x-1", Some("my runs")), "--resume x-1 --runs 'my runs' --catalog 'my lanes'");
        assert_eq!(resume("/else where/x-1", Some("r")), "--resume '/else where/x-1' --catalog 'my lanes'");
    }
}
