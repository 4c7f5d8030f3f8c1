//! Whether there is room for inputs: what they take on the disk and in memory is known before the first byte of them is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use sysinfo::System;
use thiserror::Error;

use super::inputs::Pool;

/// Inputs that are about to be made.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What they are for: `kmp.find_all:talk:64MiB`.
    pub what: String,
    /// The inputs.
    pub pool: Pool,
    /// Memory that the hungriest worker needs to hold them, bytes.
    pub worker_bytes: u64,
}

/// Inputs are too large for this machine. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
pub enum NoRoom {
    /// For its disk.
    #[error(
        "the inputs would take {} of {}, where {} are free; the largest are those of {largest}",
        readable(*needed), folder.display(), readable((*free).into())
    )]
    #[diagnostic(help(
        "choose a smaller `--size` or `--preset`, leave the largest out with `-w '!{}'`, or free some space",
        operation(largest)
    ))]
    Disk {
        /// Where inputs are written.
        folder: PathBuf,
        /// Bytes that are still to be written there, with what is kept free.
        needed: u128,
        /// Bytes that can be.
        free: u64,
        /// What the largest of them are for.
        largest: String,
    },
    /// For its memory.
    #[error("one input of {what} would take {} of memory, and {} are available", readable((*needed).into()), readable((*available).into()))]
    #[diagnostic(help("choose a smaller `--size` or `--preset`, or leave it out with `-w '!{}'`", operation(what)))]
    Memory {
        /// What it is for.
        what: String,
        /// Bytes that it takes, about.
        needed: u64,
        /// Bytes that can be had without swapping, less a fifth for everything else.
        available: u64,
    },
}

/// The operation in `kmp.find_all:talk:64MiB`.
fn operation(what: &str) -> &str {
    what.split(':').next().unwrap_or(what)
}

/// Looks at all that is wanted together.
///
/// # Errors
/// When it does not fit.
pub fn check(folder: &Path, wanted: &[Wanted]) -> Result<(), NoRoom> {
    fits(folder, wanted, free_disk(folder), available_memory() / 5 * 4)
}

fn fits(folder: &Path, wanted: &[Wanted], free: Option<u64>, available: u64) -> Result<(), NoRoom> {
    for Wanted { what, pool, worker_bytes } in wanted {
        let needed = pool.driver_bytes().max(*worker_bytes);
        if needed > available {
            return Err(NoRoom::Memory { what: what.clone(), needed, available });
        }
    }
    // Inputs of several cases may be in the same file.
    let missing: BTreeMap<PathBuf, (u128, &str)> =
        wanted.iter().flat_map(|wanted| wanted.pool.missing().map(|(path, bytes)| (path, (bytes, wanted.what.as_str())))).collect();
    let bytes: u128 = missing.values().map(|(bytes, _)| bytes).sum();
    // A disk that is filled to its last byte is nobody's friend.
    let needed = bytes + bytes / 16;
    match (free, missing.values().max()) {
        (Some(free), Some((_, largest))) if needed > free.into() => {
            Err(NoRoom::Disk { folder: folder.to_owned(), needed, free, largest: (*largest).to_owned() })
        }
        _ => Ok(()),
    }
}

/// Memory that new processes can have without anything being swapped out, in bytes: the machine's, or what a container leaves. As much as
/// can be where the system does not tell.
pub fn available_memory() -> u64 {
    let mut system = System::new();
    system.refresh_memory();
    available_in(&system)
}

fn available_in(system: &System) -> u64 {
    // Where there is no /proc, nothing is known; and asking for the container's part would be a panic.
    if system.total_memory() == 0 {
        return u64::MAX;
    }
    let in_container = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    system.available_memory().min(in_container)
}

/// Bytes that this user can still write in a folder, which need not be there yet; none where the system does not tell.
fn free_disk(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(there).ok().filter(|disk| disk.f_blocks > 0)?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// `73.2 GiB`.
fn readable(bytes: u128) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let place = units.iter().enumerate().rev().map(|(place, _)| place).find(|place| bytes >> (10 * place) > 0).unwrap_or(0);
    match place {
        0 => format!("{bytes} bytes"),
        _ => format!("{:.1} {}", bytes as f64 / (1_u128 << (10 * place)) as f64, units[place]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;
    use bindbench_catalog::{Input, Recipe};
    use bindbench_model::Unit;
    use proptest::prelude::*;

    fn wanted(root: &Path, recipe: Recipe, size: u64) -> Wanted {
        let input = Input { summary: String::new(), form: None, unit: Unit::Bytes, unseen: false, ragged: false, arguments: vec![recipe] };
        let pool = Pool::plan(&Layout::at(root), &input, Some(size)).unwrap();
        Wanted { what: format!("w.o:i:{size}"), worker_bytes: pool.resident_bytes(None), pool }
    }

    #[test]
    fn all_cases_are_counted_together_and_the_same_file_once() {
        let root = tempfile::tempdir().unwrap();
        let of = |size| wanted(root.path(), Recipe::Symbols, size);
        let fits = |wanted: &[Wanted], free| fits(root.path(), wanted, Some(free), u64::MAX);
        // One item and one that no sample has.
        let needed = 2 * (8 << 20) + 2 * (8 << 20) / 16;
        assert_eq!(fits(&[of(8 << 20)], needed), Ok(()));
        assert_eq!(fits(&[of(8 << 20), of(8 << 20)], needed), Ok(()));
        let Err(NoRoom::Disk { largest, .. }) = fits(&[of(8 << 20), of(9 << 20)], needed) else { panic!("there was room") };
        assert_eq!(largest, format!("w.o:i:{}", 9 << 20));
        assert_eq!(super::fits(root.path(), &[of(8 << 20)], None, u64::MAX), Ok(()), "a disk that does not tell");
    }

    #[test]
    fn a_system_that_tells_nothing_is_no_reason_to_stop() {
        assert_eq!(available_in(&System::new()), u64::MAX);
    }

    #[test]
    fn what_is_there_needs_no_room() {
        let root = tempfile::tempdir().unwrap();
        let one = wanted(root.path(), Recipe::Uniform, 1000);
        let (path, bytes) = one.pool.missing().next().unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(&path).unwrap().set_len(bytes as u64).unwrap();
        assert_eq!(fits(root.path(), &[one], Some(0), u64::MAX), Ok(()));
    }

    #[test]
    fn memory_is_that_of_the_hungriest() {
        let root = tempfile::tempdir().unwrap();
        let error = fits(root.path(), &[wanted(root.path(), Recipe::Size, 1 << 40)], None, 1 << 30).unwrap_err();
        let NoRoom::Memory { needed, .. } = &error else { panic!("{error}") };
        assert!(*needed > 1 << 40);
        assert_eq!(error.to_string(), "one input of w.o:i:1099511627776 would take 40.0 TiB of memory, and 1.0 GiB are available");
    }

    proptest! {
        /// Up to the largest number: a size is refused or fits, and nothing wraps around.
        #[test]
        fn no_size_is_too_large_to_be_refused(size in prop_oneof![Just(u64::MAX), Just(u64::MAX / 8), any::<u64>()].prop_filter("0", |&size| size > 1 << 40)) {
            let root = tempfile::tempdir().unwrap();
            for recipe in [Recipe::Symbols, Recipe::Uniform, Recipe::Integers, Recipe::Size] {
                let one = wanted(root.path(), recipe.clone(), size);
                let room = fits(root.path(), &[one], Some(1 << 40), 1 << 40);
                prop_assert!(room.is_err(), "{recipe:?} of {size}");
                prop_assert!(!room.unwrap_err().to_string().is_empty());
            }
        }
    }
}
