//! What `perf script` tells, as stacks of named frames.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::path::Path;

use crate::class::{Class, Owners};
use crate::fold::NamedStack;
use crate::image::{begins_a_thread, is_c_library};
use crate::names::{Frame, Frames, python_frame, system_frame, tidy_name};
use crate::perf_map::python_function;
use crate::unwind::Moment;

/// What it is asked for: for each sample a line with process, thread and time, then its stack, innermost first, then an empty line.
/// Names come as linkers know them: perf does not know Rust's present ones.
pub const ARGUMENTS: [&str; 10] = [
    "--fields",
    "pid,tid,time,ip,sym,dso",
    "--ns",
    "--no-inline",
    "--no-demangle",
    "--max-stack",
    "1024",
    "--show-task-events",
    "--show-lost-events",
    "--force",
];

/// The first function that a process forked by multiprocessing calls. What was below the fork runs in code that the parent made, which perf
/// knows nothing of in the child: `perf inject` takes only the dump that has the process's own number.
const FORKED: (&str, &str) = ("BaseProcess._bootstrap", "multiprocessing/process.py");

/// Addresses of the operating system are in the upper half.
const SYSTEM: u64 = 1 << 63;

/// What was read so far.
#[derive(Debug)]
pub struct Script<'a> {
    owners: &'a Owners,
    known: HashMap<String, Known>,
    open: Option<Sample>,
    /// All frames.
    pub frames: Frames,
    /// All samples, in the order of time.
    pub stacks: Vec<NamedStack>,
    /// Samples that perf or the kernel dropped.
    pub lost: u64,
    /// Processes that were started.
    pub forked: Vec<u32>,
}

/// A place in a program.
#[derive(Clone, Copy, Debug)]
struct Known {
    number: usize,
    root: Root,
}

/// Whether a thread begins here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    Yes,
    /// If it was forked, and nothing below this is known.
    Forked,
    /// If nothing called it: the C library's `clone3` has no name.
    Perhaps,
    No,
}

#[derive(Debug)]
struct Sample {
    moment: Moment,
    /// Innermost first.
    places: Vec<Known>,
}

impl<'a> Script<'a> {
    /// Has read nothing yet.
    pub fn new(owners: &'a Owners) -> Self {
        let (known, frames, stacks, forked) = (HashMap::new(), Frames::default(), Vec::new(), Vec::new());
        Self { owners, known, open: None, frames, stacks, lost: 0, forked }
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// When the pipe breaks.
    pub fn read(&mut self, mut text: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        while text.read_until(b'\n', &mut line)? > 0 {
            self.line(String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
        self.close();
        Ok(())
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() {
            self.close();
        } else if let Some((moment, rest)) = header(line) {
            self.close();
            if let Some(event) = rest.strip_prefix("PERF_RECORD_") {
                self.event(event);
            } else {
                self.open = Some(Sample { moment, places: Vec::new() });
                // Without a stack, its only place is on the same line.
                self.place(rest);
            }
        } else {
            self.place(line.trim_start());
        }
    }

    /// `FORK(CHILD:THREAD):(PARENT:THREAD)`, `LOST lost 5`.
    fn event(&mut self, text: &str) {
        if let Some(started) = text.strip_prefix("FORK(") {
            let pid = |text: &str| text.split(':').next()?.parse::<u32>().ok();
            let parent = started.split_once("):(").and_then(|(_, parent)| pid(parent));
            self.forked.extend(pid(started).filter(|child| parent != Some(*child)));
        } else if text.starts_with("LOST") {
            let count = text.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default();
            self.lost = self.lost.saturating_add(count);
        }
    }

    /// `7f12ab main+0x12 (/usr/bin/x)`: address, function, file.
    fn place(&mut self, text: &str) {
        let Some(sample) = &mut self.open else { return };
        let Some((address, text)) = text.split_once(' ') else { return };
        let Ok(address) = u64::from_str_radix(address, 16) else { return };
        let known = *self.known.entry(text.to_owned()).or_insert_with(|| {
            // Linkers' names have no spaces. The names of Python functions have a path, but their code is in a file of perf's.
            let place = text.strip_suffix(')').unwrap_or(text);
            let cut = if place.starts_with("py::") { place.rsplit_once(" (") } else { place.split_once(" (") };
            let (symbol, file) = cut.unwrap_or((text, "[unknown]"));
            // A linker may add a version: `memcpy@@GLIBC_2.14`.
            let symbol = symbol.split_once("@@").map_or(symbol, |(symbol, _)| symbol);
            let symbol = Some(symbol).filter(|symbol| *symbol != "[unknown]");
            if address >= SYSTEM || is_system(file) {
                return Known { number: self.frames.number(system_frame(symbol)), root: Root::No };
            }
            Known { number: self.frames.number(frame(symbol, file, self.owners)), root: root(symbol, file) }
        });
        sample.places.push(known);
    }

    fn close(&mut self) {
        let Some(Sample { moment, mut places }) = self.open.take() else { return };
        // What is called by nobody is where the thread begins; perf may go a step beyond it.
        let known = places.iter().rev().take(3).position(|place| place.root == Root::Yes);
        let unnamed = || places.last().is_some_and(|place| place.root == Root::Perhaps).then_some(0);
        let forked = || places.iter().rev().position(|place| place.root == Root::Forked);
        let outermost = known.or_else(unnamed).or_else(forked);
        if let Some(beyond) = outermost {
            places.truncate(places.len() - beyond);
        }
        let mut frames: Vec<usize> = places.iter().rev().map(|place| place.number).collect();
        if frames.is_empty() {
            frames.push(self.frames.number(unknown("[unknown]")));
        }
        self.stacks.push(NamedStack { moment, frames, rooted: outermost.is_some() });
    }
}

/// `1234/1240 5678.901234567: REST`: process, thread, seconds.
fn header(line: &str) -> Option<(Moment, &str)> {
    let (ids, rest) = line.trim_start().split_once(' ')?;
    let (pid, tid) = ids.split_once('/')?;
    let (time, rest) = rest.trim_start().split_once(':')?;
    let (seconds, nanoseconds) = time.split_once('.')?;
    let whole_ns = seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?;
    let time_ns = whole_ns.checked_add(format!("{nanoseconds:0<9}").parse().ok()?)?;
    Some((Moment { time_ns, pid: pid.parse().ok()?, tid: tid.trim_end().parse().ok()? }, rest.trim_start()))
}

/// Whether a name is that of the operating system's kernel, or of one of its modules: `[kernel.kallsyms]`, `[ext4]`.
fn is_system(file: &str) -> bool {
    file.starts_with('[') && file.ends_with(']') && !["[vdso]", "[unknown]", "[heap]", "[stack]"].contains(&file)
}

fn root(symbol: Option<&str>, file: &str) -> Root {
    match symbol {
        // `_start` of a stripped program has no name; what it calls has.
        Some(symbol) if begins_a_thread(symbol) || symbol.starts_with("__libc_start_main") => Root::Yes,
        Some(symbol) if python_function(symbol).is_some_and(|(function, file)| function == FORKED.0 && file.ends_with(FORKED.1)) => {
            Root::Forked
        }
        None if is_c_library(Path::new(file)) => Root::Perhaps,
        _ => Root::No,
    }
}

fn frame(symbol: Option<&str>, file: &str, owners: &Owners) -> Frame {
    let made = file.contains("/jitted-") || file.starts_with("/tmp/perf-") || file.starts_with("[JIT]") || file == "//anon";
    match symbol {
        Some(symbol) if made => match python_function(symbol) {
            Some((function, file)) => python_frame(function, file),
            None => Frame { name: tidy_name(symbol), class: Class::Interpreter, source: None, named: true },
        },
        None if made => unknown("[code made at run time]"),
        None if file == "[unknown]" => unknown("[unknown]"),
        Some(symbol) => {
            let name = tidy_name(symbol);
            Frame { class: owners.class_of_function(Path::new(file), &name), name, source: None, named: true }
        }
        None => {
            let file_name = Path::new(file).file_name().map_or(file.into(), |name| name.to_string_lossy());
            let name = format!("[{}]", file_name.trim_matches(['[', ']']).replace(';', ":"));
            Frame { class: owners.class_of(Path::new(file)), name, source: None, named: false }
        }
    }
}

fn unknown(name: &str) -> Frame {
    Frame { name: name.to_owned(), class: Class::Unknown, source: None, named: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "\
 4711/4711  5000.000000500: PERF_RECORD_FORK(4713:4713):(4711:4711)
 4711/4711  5000.000000600: PERF_RECORD_FORK(4711:4712):(4711:4711)

 4711/4712  5001.5:
\tffffffff81000010 do_fault ([kernel.kallsyms])
\t    7f0000000010 kmp_find (/b/kernels/libk.so)
\t    7f0000000020 py::loop:<the timed loop> (/tmp/jitted-4711-17.so)
\t    7f0000000030 _PyEval_EvalFrameDefault (/p/bin/python3.13)
\t    7f0000000040 __libc_start_main@@GLIBC_2.34 (/lib/libc.so.6)
\t    7f0000000050 [unknown] (/p/bin/python3.13)

 4711/4711  5002.000000001:     7f0000000060 [unknown] (/b/my libs (old)/x.so)

 4711/4711  5003.000000001: PERF_RECORD_LOST lost 12
 4713/4713  5004.000000001:
\t               0 [unknown] ([unknown])
";

    /// Nanoseconds, process, thread, whether it is whole, frames.
    type Seen = (u64, u32, u32, bool, Vec<(String, Class)>);

    #[test]
    fn samples_are_read_with_their_stacks_down_to_the_root() {
        let owners = Owners { kernel: vec!["/b/kernels".into()], ..Owners::default() };
        let mut script = Script::new(&owners);
        script.read(TEXT.as_bytes()).unwrap();
        let seen: Vec<Seen> = script
            .stacks
            .iter()
            .map(|stack| {
                let frames = stack.frames.iter().map(|&number| script.frames.get(number)).map(|frame| (frame.name.clone(), frame.class));
                (stack.moment.time_ns, stack.moment.pid, stack.moment.tid, stack.rooted, frames.collect())
            })
            .collect();
        let whole = [
            ("__libc_start_main", Class::Library),
            ("_PyEval_EvalFrameDefault", Class::Interpreter),
            ("loop (<the timed loop>)", Class::Python),
            ("kmp_find", Class::Kernel),
            ("do_fault_[k]", Class::System),
        ];
        let named = |frames: &[(&str, Class)]| frames.iter().map(|&(name, class)| (name.to_owned(), class)).collect::<Vec<_>>();
        assert_eq!(seen[0], (5_001_500_000_000, 4711, 4712, true, named(&whole)));
        assert_eq!(seen[1], (5_002_000_000_001, 4711, 4711, false, named(&[("[x.so]", Class::Library)])));
        assert_eq!(seen[2], (5_004_000_000_001, 4713, 4713, false, named(&[("[unknown]", Class::Unknown)])));
        assert_eq!((script.lost, script.forked.as_slice(), seen.len()), (12, &[4713][..], 3));
        let lines = script.stacks[0].frames.iter().filter_map(|&number| script.frames.get(number).source.as_deref()).collect::<Vec<_>>();
        assert_eq!(lines, ["<the timed loop>"]);
    }

    #[test]
    fn a_forked_process_begins_with_its_first_own_function() {
        let text = "\
 4713/4713  5001.5:
\t    7f0000000010 kmp_find (/b/kernels/libk.so)
\t    7f0000000020 py::BaseProcess._bootstrap:/p/lib/python3.13/multiprocessing/process.py (/tmp/jitted-4713-17.so)
\t    7f0000000030 py_trampoline_evaluator (/p/bin/python3.13)
\t    7f0000000040 PyObject_Vectorcall (/p/bin/python3.13)
\t    7f0000000030 _PyEval_EvalFrameDefault (/p/bin/python3.13)
\t    7f0000000050 [unknown] (/tmp/perf-4711.map)

 4713/4713  5002.5:
\t    7f0000000020 py::BaseProcess._bootstrap:/my/process.py (/tmp/jitted-4713-17.so)
";
        let owners = Owners::default();
        let mut script = Script::new(&owners);
        script.read(text.as_bytes()).unwrap();
        let seen: Vec<_> = script.stacks.iter().map(|stack| (stack.rooted, stack.frames.len())).collect();
        assert_eq!(seen, [(true, 2), (false, 1)]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "([0-9a-f/.: \t\n()]|PERF_RECORD_(FORK|LOST)){0,200}") {
            let owners = Owners::default();
            let mut script = Script::new(&owners);
            script.read(text.as_bytes()).unwrap();
            prop_assert!(script.stacks.iter().all(|stack| !stack.frames.is_empty()));
        }
    }
}
