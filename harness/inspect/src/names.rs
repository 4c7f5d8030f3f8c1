//! From where a frame is to what it is called.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use super::class::{Class, Owners};
use super::perf_map::{PerfMaps, python_function};
use super::unwind::{Place, Unwound};

/// A frame as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Unique among the frames of a profile; without the characters that separate frames in folded stacks.
    pub name: String,
    /// Whose code it is.
    pub class: Class,
    /// The file of a Python function.
    pub source: Option<String>,
    /// Whether its function's name was found; otherwise it is called after the file it is in.
    pub named: bool,
}

/// Frames by their numbers.
#[derive(Debug, Default)]
pub struct Frames {
    frames: Vec<Frame>,
    numbers: HashMap<(String, Class), usize>,
    taken: HashMap<String, Class>,
}

impl Frames {
    /// The number of a frame. One that is called like another class's frame is told apart by its class.
    pub fn number(&mut self, mut frame: Frame) -> usize {
        let key = (frame.name.clone(), frame.class);
        if let Some(&known) = self.numbers.get(&key) {
            return known;
        }
        if *self.taken.entry(frame.name.clone()).or_insert(frame.class) != frame.class {
            frame.name = format!("{} [{}]", frame.name, frame.class.label());
        }
        self.frames.push(frame);
        self.numbers.insert(key, self.frames.len() - 1);
        self.frames.len() - 1
    }

    /// The frame of a number.
    pub fn get(&self, number: usize) -> &Frame {
        &self.frames[number]
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter()
    }
}

/// Finds names; each place is looked up once.
pub struct Namer<'a> {
    unwound: &'a Unwound,
    maps: &'a PerfMaps,
    owners: &'a Owners,
    known: HashMap<(u32, Place), usize>,
    /// All frames that were named.
    pub frames: Frames,
}

impl<'a> Namer<'a> {
    /// Knows nothing yet.
    pub fn new(unwound: &'a Unwound, maps: &'a PerfMaps, owners: &'a Owners) -> Self {
        Self { unwound, maps, owners, known: HashMap::new(), frames: Frames::default() }
    }

    /// The number of the frame at a place in a process.
    pub fn name(&mut self, pid: u32, place: &Place) -> usize {
        // Only code made at run time is another one in another process.
        let key = (if matches!(place, Place::Made(_)) { pid } else { 0 }, place.clone());
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let frame = match place {
            Place::Kernel(address) => kernel_frame(*address),
            Place::Image { image, address } => self.native(*image, *address),
            Place::Made(address) => self.made(pid, *address),
            Place::Nowhere => unknown("[unknown]"),
        };
        let number = self.frames.number(frame);
        self.known.insert(key, number);
        number
    }

    fn native(&self, image: usize, address: u64) -> Frame {
        let (path, read) = &self.unwound.images[image];
        match read.as_ref().and_then(|read| read.function(address)) {
            Some(symbol) => {
                let name = tidy_name(symbol);
                Frame { class: self.owners.class_of_function(path, &name), name, source: None, named: true }
            }
            None => {
                let name = format!("[{}]", tidy(&file_name(path)));
                Frame { class: self.owners.class_of(path), name, source: None, named: false }
            }
        }
    }

    fn made(&self, pid: u32, address: u64) -> Frame {
        // A forked process goes on in code of its parent's, and says nothing of it.
        let mut asked = Some(pid);
        while let Some(pid) = asked {
            if let Some(name) = self.maps.of(pid).and_then(|map| map.name(address)) {
                return match python_function(name) {
                    Some((function, file)) => python_frame(function, file),
                    None => Frame { name: tidy(name), class: Class::Interpreter, source: None, named: true },
                };
            }
            asked = self.unwound.parents.get(&pid).copied().filter(|&parent| parent != pid);
        }
        unknown("[code made at run time]")
    }
}

/// A function of a file in Python.
pub fn python_frame(function: &str, file: &str) -> Frame {
    Frame { name: tidy(&python_name(function, file)), class: Class::Python, source: Some(file.to_owned()), named: true }
}

/// A function as it is shown, from its linker's name.
pub fn tidy_name(symbol: &str) -> String {
    tidy(&demangled(symbol))
}

fn unknown(name: &str) -> Frame {
    Frame { name: name.to_owned(), class: Class::Unknown, source: None, named: false }
}

/// Function, and the last folder and the file that it is in: paths of the machine tell a reader nothing.
fn python_name(function: &str, file: &str) -> String {
    let mut parts = Path::new(file).iter().rev().map(|part| part.to_string_lossy());
    let name = parts.next().unwrap_or_default();
    match parts.next().filter(|folder| *folder != "/") {
        Some(folder) => format!("{function} ({folder}/{name})"),
        None => format!("{function} ({name})"),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().trim_matches(['[', ']']).to_owned()
}

/// Rust's and C++'s names as their programmers write them.
fn demangled(symbol: &str) -> String {
    if let Ok(name) = rustc_demangle::try_demangle(symbol) {
        return format!("{name:#}");
    }
    let options = cpp_demangle::DemangleOptions::new().no_params().no_return_type();
    let cpp = cpp_demangle::Symbol::new(symbol).ok().and_then(|name| name.demangle_with_options(&options).ok());
    cpp.unwrap_or_else(|| symbol.to_owned())
}

/// In folded stacks a semicolon is the end of a frame, a line break that of a stack.
fn tidy(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c == ';' {
                ':'
            } else if c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect()
}

fn kernel_frame(address: u64) -> Frame {
    system_frame(kernel_symbols().range(address))
}

/// A function of the operating system; none where it hides its names.
pub fn system_frame(symbol: Option<&str>) -> Frame {
    let name = symbol.map_or_else(|| "[operating system]".to_owned(), |name| format!("{name}_[k]"));
    Frame { named: symbol.is_some(), name, class: Class::System, source: None }
}

/// The kernel's functions, ascending; none where it hides their addresses (`kernel.kptr_restrict`).
struct KernelSymbols(Vec<(u64, String)>);

impl KernelSymbols {
    fn parse(text: &str) -> Self {
        let symbol = |line: &str| {
            let mut words = line.split_whitespace();
            let address = u64::from_str_radix(words.next()?, 16).ok().filter(|&address| address != 0)?;
            let is_code = words.next()?.eq_ignore_ascii_case("t");
            is_code.then_some((address, words.next()?.to_owned()))
        };
        let mut symbols: Vec<_> = text.lines().filter_map(symbol).collect();
        symbols.sort();
        Self(symbols)
    }

    fn range(&self, address: u64) -> Option<&str> {
        let next = self.0.partition_point(|symbol| symbol.0 <= address);
        Some(self.0.get(next.checked_sub(1)?)?.1.as_str())
    }
}

fn kernel_symbols() -> &'static KernelSymbols {
    static SYMBOLS: OnceLock<KernelSymbols> = OnceLock::new();
    SYMBOLS.get_or_init(|| KernelSymbols::parse(&fs::read_to_string("/proc/kallsyms").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_source() {
        assert_eq!(demangled("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"), "core::fmt::Write::write_fmt");
        assert_eq!(demangled("_RNvCs5wu2PyyBVFV_4kern4find"), "kern::find");
        assert_eq!(demangled("_ZN7quicktl6encodeERKSs"), "quicktl::encode");
        assert_eq!(demangled("PyObject_Call"), "PyObject_Call");
        assert_eq!(tidy("<[u8; 4]>\n"), "<[u8: 4]> ");
        assert_eq!(python_name("Worker._sample", "/somewhere/bindbench_worker/worker.py"), "Worker._sample (bindbench_worker/worker.py)");
        assert_eq!(python_name("loop", "<the timed loop>"), "loop (<the timed loop>)");
    }

    #[test]
    fn a_name_of_two_classes_is_two_frames() {
        let mut frames = Frames::default();
        let frame = |class| Frame { name: "memcpy".into(), class, source: None, named: true };
        let (a, b) = (frames.number(frame(Class::Library)), frames.number(frame(Class::Kernel)));
        assert_ne!(a, b);
        assert_eq!(frames.number(frame(Class::Kernel)), b);
        assert_eq!(frames.get(b).name, "memcpy [native kernel]");
    }

    #[test]
    fn the_kernels_functions_are_those_that_are_not_hidden() {
        let symbols = KernelSymbols::parse("ffffffff81000000 T _stext\nffffffff81000100 t do_fault\nffffffff82000000 D data\n");
        assert_eq!(symbols.range(0xffff_ffff_8100_0180), Some("do_fault"));
        assert_eq!(symbols.range(0), None);
        assert_eq!(KernelSymbols::parse("0000000000000000 T _stext\n").range(5), None);
    }
}
