//! From registers and a copy of the stack to where every frame is: unwinding by the tables that compilers leave in programs and libraries
//! (framehop), and across the code that CPython makes at run time, for which there are no tables.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use framehop::x86_64::{CacheX86_64, Reg, UnwindRegsX86_64, UnwinderX86_64};
use framehop::{FrameAddress, Module, Unwinder};

use super::image::{Bytes, Image};
use super::record::{Event, Mapping, Record, Sample};

/// When and where a sample was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds of some clock, the same for all samples.
    pub time_ns: u64,
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
}

/// Recursion deeper than this is cut.
const MOST_FRAMES: usize = 1024;

/// Registers as `record::REGISTERS` has them.
const ORDER: [Reg; 8] = [Reg::RAX, Reg::RBX, Reg::RCX, Reg::RDX, Reg::RSI, Reg::RDI, Reg::RBP, Reg::RSP];
const ORDER_HIGH: [Reg; 8] = [Reg::R8, Reg::R9, Reg::R10, Reg::R11, Reg::R12, Reg::R13, Reg::R14, Reg::R15];

/// Where a frame is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the kernel.
    Kernel(u64),
    /// In a program or library.
    Image {
        /// Index in [`Unwound::images`].
        image: usize,
        /// As the file states it.
        address: u64,
    },
    /// In code made at run time.
    Made(u64),
    /// Nobody knows.
    Nowhere,
}

/// One sample, unwound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// When and where.
    pub moment: Moment,
    /// Innermost first; never empty.
    pub places: Vec<Place>,
    /// It goes down to where its thread began.
    pub rooted: bool,
}

/// All samples of a recording.
#[derive(Debug, Default)]
pub struct Unwound {
    /// In the order of time.
    pub stacks: Vec<Stack>,
    /// Programs and libraries; what could not be read has no image.
    pub images: Vec<(PathBuf, Option<Arc<Image>>)>,
    /// Process → the process that it was forked from.
    pub parents: BTreeMap<u32, u32>,
}

/// Unwinds every sample in the address space that its process had at that time.
pub fn unwind(records: &[Record]) -> Unwound {
    let mut images = Images::default();
    let mut processes: HashMap<u32, Process> = HashMap::new();
    let (mut stacks, mut parents) = (Vec::new(), BTreeMap::new());
    for Record { time, event } in records {
        match event {
            Event::Mapped { pid, mapping } => processes.entry(*pid).or_default().map(mapping, &mut images),
            Event::Executed { pid } => drop(processes.insert(*pid, Process::default())),
            Event::Forked { pid, parent } if pid != parent => {
                let child = processes.get(parent).map(Process::fork).unwrap_or_default();
                processes.insert(*pid, child);
                parents.insert(*pid, *parent);
            }
            Event::Sample(sample) => stacks.push(processes.entry(sample.pid).or_default().unwind(*time, sample, &images)),
            Event::Forked { .. } | Event::Lost { .. } => {}
        }
    }
    Unwound { stacks, images: images.read, parents }
}

/// Finds where the frames of stacks are that were unwound inside their process, by what is mapped into it. They are given as addresses,
/// innermost first, to be looked up as they are.
pub fn locate(mappings: &[Mapping], stacks: &[(Moment, Vec<u64>)]) -> Unwound {
    let (mut images, mut process) = (Images::default(), Process::default());
    for mapping in mappings {
        process.map(mapping, &mut images);
    }
    let located = stacks.iter().map(|(moment, addresses)| {
        let places: Vec<Place> = addresses.iter().map(|&address| process.place(address)).collect();
        let rooted = match places.last() {
            Some(&Place::Image { image, address }) => images.read[image].1.as_ref().is_some_and(|image| image.is_root(address)),
            _ => false,
        };
        Stack { moment: *moment, places: if places.is_empty() { vec![Place::Nowhere] } else { places }, rooted }
    });
    Unwound { stacks: located.collect(), images: images.read, parents: BTreeMap::new() }
}

/// Files that are mapped, each read once.
#[derive(Default)]
struct Images {
    read: Vec<(PathBuf, Option<Arc<Image>>)>,
    known: HashMap<PathBuf, usize>,
}

impl Images {
    fn of(&mut self, path: &Path) -> usize {
        if let Some(&known) = self.known.get(path) {
            return known;
        }
        let image = if path == Path::new("[vdso]") { Image::vdso() } else { Image::read(path) };
        self.read.push((path.to_owned(), image.map(Arc::new)));
        self.known.insert(path.to_owned(), self.read.len() - 1);
        self.read.len() - 1
    }
}

/// The address space of a process.
#[derive(Default)]
struct Process {
    mappings: BTreeMap<u64, Mapped>,
    unwinder: UnwinderX86_64<Bytes>,
    cache: CacheX86_64,
}

#[derive(Clone)]
struct Mapped {
    end: u64,
    content: Content,
}

#[derive(Clone, Copy)]
enum Content {
    /// To be taken away from an address to get the file's.
    Image { image: usize, bias: u64 },
    /// Made at run time.
    Made,
    /// A file that can't be read.
    Unreadable { image: usize },
}

impl Process {
    fn fork(&self) -> Self {
        Self { mappings: self.mappings.clone(), unwinder: self.unwinder.clone(), cache: CacheX86_64::new() }
    }

    fn map(&mut self, mapping: &Mapping, images: &mut Images) {
        // What was there is gone: nothing says so when memory is unmapped, only when it is used again.
        let replaced: Vec<u64> =
            self.mappings.range(..mapping.end).filter(|(_, mapped)| mapped.end > mapping.start).map(|(&start, _)| start).collect();
        for start in replaced {
            self.mappings.remove(&start);
            self.unwinder.remove_module(start);
        }
        let content = if mapping.path.is_absolute() && !mapping.path.starts_with("//anon") || mapping.path == Path::new("[vdso]") {
            let image = images.of(&mapping.path);
            let read = images.read[image].1.as_ref();
            match read.and_then(|read| Some((read, read.bias(mapping.start, mapping.offset)?))) {
                Some((read, bias)) => {
                    let name = mapping.path.display().to_string();
                    self.unwinder.add_module(Module::new(name, mapping.start..mapping.end, bias, read.sections()));
                    Content::Image { image, bias }
                }
                None => Content::Unreadable { image },
            }
        } else {
            Content::Made
        };
        self.mappings.insert(mapping.start, Mapped { end: mapping.end, content });
    }

    fn at(&self, address: u64) -> Option<Content> {
        let (_, mapped) = self.mappings.range(..=address).next_back()?;
        (address < mapped.end).then_some(mapped.content)
    }

    fn place(&self, address: u64) -> Place {
        match self.at(address) {
            Some(Content::Image { image, bias }) => Place::Image { image, address: address.wrapping_sub(bias) },
            Some(Content::Unreadable { image }) => Place::Image { image, address: 0 },
            Some(Content::Made) => Place::Made(address),
            None => Place::Nowhere,
        }
    }

    fn unwind(&mut self, time_ns: u64, sample: &Sample, images: &Images) -> Stack {
        let mut places: Vec<Place> = sample.kernel.iter().copied().map(Place::Kernel).collect();
        let rooted = sample.registers.is_some_and(|registers| self.walk(&registers, &sample.stack, &mut places, images));
        if places.is_empty() {
            places.push(Place::Nowhere);
        }
        Stack { moment: Moment { time_ns, pid: sample.pid, tid: sample.tid }, places, rooted }
    }

    /// Adds the program's frames, innermost first; whether the last one is where a thread begins.
    fn walk(&mut self, registers: &[u64; 17], stack: &[u8], places: &mut Vec<Place>, images: &Images) -> bool {
        let mut regs = unwinding_registers(registers);
        let bottom = regs.sp();
        let read = |address: u64| -> Result<u64, ()> {
            let at = usize::try_from(address.checked_sub(bottom).ok_or(())?).map_err(|_| ())?;
            stack.get(at..).and_then(|rest| rest.first_chunk()).map(|word| u64::from_le_bytes(*word)).ok_or(())
        };
        let mut address = FrameAddress::from_instruction_pointer(regs.ip());
        for depth in 0..MOST_FRAMES {
            let looked_up = address.address_for_lookup();
            let content = self.at(looked_up);
            places.push(self.place(looked_up));
            let caller = match content {
                Some(Content::Made) => self.leave_trampoline(&mut regs, depth == 0, &read),
                Some(Content::Image { image, bias }) => {
                    match self.unwinder.unwind_frame(address, &mut regs, &mut self.cache, &mut { read }) {
                        Ok(Some(caller)) => Some(caller),
                        Ok(None) => {
                            let image = images.read[image].1.as_ref();
                            return image.is_some_and(|image| image.is_root(looked_up.wrapping_sub(bias)));
                        }
                        Err(_) => None,
                    }
                }
                Some(Content::Unreadable { .. }) | None => None,
            };
            let Some(caller) = caller.and_then(FrameAddress::from_return_address) else { return false };
            address = caller;
        }
        false
    }

    /// CPython's trampolines (`Objects/asm_trampoline.S`) make room of 8 bytes and call: `sub rsp, 8` up to 3.12, `push rbp; mov rbp, rsp`
    /// from 3.13 on. So the return address is at `[sp+8]`, and the stack pointer was 16 lower than before the call. Of the two, the one
    /// with a frame pointer shows itself: then rbp is what rsp is.
    fn leave_trampoline(&self, regs: &mut UnwindRegsX86_64, innermost: bool, read: &impl Fn(u64) -> Result<u64, ()>) -> Option<u64> {
        let sp = regs.sp();
        let above = read(sp.checked_add(8)?).ok()?;
        // The timer may have struck before its first instruction, or after its last but one: then the return address is on top.
        if innermost && self.at(above).is_none() {
            let caller = read(sp).ok().filter(|&caller| self.at(caller).is_some())?;
            regs.set_sp(sp + 8);
            return Some(caller);
        }
        if regs.bp() == sp {
            regs.set_bp(read(sp).ok()?);
        }
        regs.set_sp(sp.checked_add(16)?);
        regs.set_ip(above);
        Some(above)
    }
}

fn unwinding_registers(registers: &[u64; 17]) -> UnwindRegsX86_64 {
    let (low, ip, high) = (&registers[..8], registers[8], &registers[9..]);
    let mut regs = UnwindRegsX86_64::new(ip, registers[7], registers[6]);
    for (register, &value) in ORDER.iter().chain(&ORDER_HIGH).zip(low.iter().chain(high)) {
        regs.set(*register, value);
    }
    regs
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::maps;

    #[test]
    fn addresses_are_found_in_the_files_that_are_mapped() {
        let mapped = maps::of(std::process::id()).unwrap();
        let moment = Moment { time_ns: 3, pid: 1, tid: 1 };
        let here = addresses_are_found_in_the_files_that_are_mapped as fn() as usize as u64;
        let unwound = locate(&mapped, &[(moment, vec![here, 0]), (moment, Vec::new())]);
        let [Stack { places, rooted: false, .. }, nothing] = &unwound.stacks[..] else { panic!("{:?}", unwound.stacks) };
        let [Place::Image { image, address }, Place::Nowhere] = places[..] else { panic!("{places:?}") };
        let (path, read) = &unwound.images[image];
        assert_eq!(*path, std::env::current_exe().unwrap());
        assert!(read.as_ref().unwrap().function(address).unwrap().contains("addresses_are_found"));
        assert_eq!(nothing.places, [Place::Nowhere]);
    }
}
