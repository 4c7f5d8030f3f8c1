//! Programs and shared libraries: where their code is, how to unwind it, and what its functions are called.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use framehop::ExplicitModuleSectionInfo;
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SegmentFlags, SymbolKind};

/// `PF_X`: a segment that is mapped executable.
const EXECUTABLE: u32 = 1;

/// An ELF file, read whole. Addresses are those that the file states.
#[derive(Debug)]
pub struct Image {
    /// The file.
    pub path: PathBuf,
    /// Executable segments: place in the file, and address.
    segments: Vec<(Range<u64>, u64)>,
    /// Ascending.
    symbols: Vec<Symbol>,
    /// Where the system enters it.
    entry: u64,
    sections: Sections,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Symbol {
    address: u64,
    size: u64,
    name: String,
}

/// What unwinding needs: addresses and bytes.
#[derive(Clone, Debug, Default)]
struct Sections {
    text: Option<(Range<u64>, Bytes)>,
    eh_frame: Option<(Range<u64>, Bytes)>,
    eh_frame_hdr: Option<(Range<u64>, Bytes)>,
}

/// A part of a file.
#[derive(Clone, Debug, Default)]
pub struct Bytes {
    file: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // The section was cut out of this very file, so it is in it; else it is empty.
        self.file.get(self.range.clone()).unwrap_or_default()
    }
}

impl Image {
    /// Reads a file. None when there is none, or it is no ELF file.
    pub fn read(path: &Path) -> Option<Self> {
        Self::parse(path, fs::read(path).ok()?)
    }

    /// The code that the kernel puts into every process, `[vdso]`: clocks are read there. It is the same for all of them, so it is read
    /// from this one.
    pub fn vdso() -> Option<Self> {
        let maps = fs::read_to_string("/proc/self/maps").ok()?;
        let range = maps.lines().find(|line| line.ends_with("[vdso]"))?.split(' ').next()?;
        let (start, end) = range.split_once('-')?;
        let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
        let read = || -> io::Result<Vec<u8>> {
            let mut memory = File::open("/proc/self/mem")?;
            memory.seek(SeekFrom::Start(start))?;
            let mut bytes = vec![0; (end - start) as usize];
            memory.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        Self::parse(Path::new("[vdso]"), read().ok()?)
    }

    fn parse(path: &Path, file: Vec<u8>) -> Option<Self> {
        let file = Arc::new(file);
        let elf = object::File::parse(file.as_slice()).ok()?;
        let executable = |flags| matches!(flags, SegmentFlags::Elf { p_flags, .. } if p_flags.0 & EXECUTABLE != 0);
        let segments = elf.segments().filter(|segment| executable(segment.flags())).map(|segment| {
            let (offset, size) = segment.file_range();
            (offset..offset + size, segment.address())
        });
        let segments = segments.collect();
        let mut symbols = symbols(&elf);
        if elf.symbols().next().is_none() {
            // Stripped: a distribution's package of debugging symbols may be installed.
            symbols.extend(separate_symbols(&elf));
        }
        symbols.sort();
        symbols.dedup_by_key(|symbol| symbol.address);
        let section = |name: &str| {
            let section = elf.section_by_name(name)?;
            let (offset, size) = section.file_range()?;
            let bytes = Bytes { file: Arc::clone(&file), range: usize::try_from(offset).ok()?..usize::try_from(offset + size).ok()? };
            Some((section.address()..section.address() + section.size(), bytes))
        };
        let sections = Sections { text: section(".text"), eh_frame: section(".eh_frame"), eh_frame_hdr: section(".eh_frame_hdr") };
        Some(Self { path: path.to_owned(), segments, symbols, entry: elf.entry(), sections })
    }

    /// What has to be added to the file's addresses to get a process's, when the file was mapped from `offset` on at `start`. The segment
    /// that is mapped executable decides: a linker may give the others another distance of address and place in the file.
    pub fn bias(&self, start: u64, offset: u64) -> Option<u64> {
        // Whole pages are mapped, so a mapping may begin before its segment does.
        let page = 0xfff;
        let (place, address) = self.segments.iter().find(|(place, _)| (place.start & !page..place.end).contains(&offset))?;
        Some(start.wrapping_sub(offset).wrapping_add(place.start).wrapping_sub(*address))
    }

    /// For the unwinder.
    pub fn sections(&self) -> ExplicitModuleSectionInfo<Bytes> {
        let Sections { text, eh_frame, eh_frame_hdr } = self.sections.clone();
        ExplicitModuleSectionInfo {
            text_svma: text.as_ref().map(|(range, _)| range.clone()),
            text: text.map(|(_, bytes)| bytes),
            eh_frame_svma: eh_frame.as_ref().map(|(range, _)| range.clone()),
            eh_frame: eh_frame.map(|(_, bytes)| bytes),
            eh_frame_hdr_svma: eh_frame_hdr.as_ref().map(|(range, _)| range.clone()),
            eh_frame_hdr: eh_frame_hdr.map(|(_, bytes)| bytes),
            ..ExplicitModuleSectionInfo::default()
        }
    }

    /// The function at an address, as the linker calls it.
    pub fn function(&self, address: u64) -> Option<&str> {
        let next = self.symbols.partition_point(|symbol| symbol.address <= address);
        let symbol = self.symbols.get(next.checked_sub(1)?)?;
        // Functions written in assembly may have no size: they go on to the next one.
        (symbol.size == 0 || address < symbol.address + symbol.size).then_some(symbol.name.as_str())
    }

    /// Whether a thread begins at this address: a stack that ends here is whole. The C library's `clone3` and a stripped program's
    /// `_start` have no names, but they are where they are.
    pub fn is_root(&self, address: u64) -> bool {
        /// Longer than any `_start`.
        const START: u64 = 0x40;
        match self.function(address) {
            Some(name) => begins_a_thread(name),
            None => is_c_library(&self.path) || (self.entry..self.entry + START).contains(&address),
        }
    }
}

/// Whether a function is where a thread begins.
pub fn begins_a_thread(function: &str) -> bool {
    // In the C library's debugging symbols, names for its own use begin with __GI_.
    let name = function.trim_start_matches("__GI_").trim_start_matches('_');
    ["start", "clone", "clone3", "start_thread", "dl_start_user", "thread_start"].contains(&name)
}

/// Whether a file is the C library, or what loads it.
pub fn is_c_library(path: &Path) -> bool {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    ["libc.", "libc-", "ld-", "libpthread"].iter().any(|begin| file.starts_with(begin))
}

fn symbols(elf: &object::File) -> Vec<Symbol> {
    let all = elf.symbols().chain(elf.dynamic_symbols());
    let code = all.filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition());
    code.filter_map(|symbol| Some(Symbol { address: symbol.address(), size: symbol.size(), name: symbol.name().ok()?.to_owned() }))
        .collect()
}

/// Symbols from where distributions put them: <https://sourceware.org/gdb/current/onlinedocs/gdb.html/Separate-Debug-Files.html>.
fn separate_symbols(elf: &object::File) -> Vec<Symbol> {
    let Some([first, rest @ ..]) = elf.build_id().ok().flatten() else { return Vec::new() };
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let Ok(file) = fs::read(format!("/usr/lib/debug/.build-id/{first:02x}/{rest}.debug")) else { return Vec::new() };
    object::File::parse(file.as_slice()).map(|elf| symbols(&elf)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program of these tests: it is there wherever they are, and it has symbols.
    fn own() -> Image {
        Image::read(&std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn functions_are_found_by_any_address_in_them() {
        let image = own();
        let start = image.symbols.iter().find(|symbol| symbol.name == "_start").expect("_start");
        assert_eq!(image.function(start.address), Some("_start"));
        assert_eq!(image.function(start.address + start.size.max(2) - 1), Some("_start"));
        assert_eq!(image.function(0), None);
        assert!(image.is_root(start.address + 5));
        let main = image.symbols.iter().find(|symbol| symbol.name == "main").expect("main");
        assert!(!image.is_root(main.address));
    }

    #[test]
    fn the_executable_segment_decides_where_a_file_is() {
        let segments = vec![(0x1_0700..0x2_0000, 0x1_1700)];
        let image = Image { path: "x".into(), segments, symbols: Vec::new(), entry: 0, sections: Sections::default() };
        // Mapped from the page that the segment begins in: the file's 0x1_1700 is at 0x7f00_0700.
        assert_eq!(image.bias(0x7f00_0000, 0x1_0000), Some(0x7f00_0700 - 0x1_1700));
        assert_eq!(image.bias(0x7f00_0000, 0), None);
    }

    #[test]
    fn the_kernels_own_code_has_a_clock() {
        let vdso = Image::vdso().expect("a vdso");
        assert!(vdso.symbols.iter().any(|symbol| symbol.name.contains("clock_gettime")), "{:?}", vdso.symbols);
        assert!(Image::parse(Path::new("x"), b"no ELF file".to_vec()).is_none());
    }
}
