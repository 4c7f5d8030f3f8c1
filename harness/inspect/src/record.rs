//! Records of the kernel's perf events: their bytes → what they say. The layout is that of `perf_event_open(2)`, section "MMAP layout",
//! for events opened as `sampler` opens them.

use std::path::PathBuf;

/// Registers of x86-64 that a sample holds, as bits of `PERF_REG_X86_*` (`asm/perf_regs.h`): ax, bx, cx, dx, si, di, bp, sp, ip, then
/// r8 to r15. Most functions are unwound with sp and bp alone; those that realign their stack are not.
pub const REGISTERS: u64 = 0x1ff | 0xff << 16;

/// How many these are.
pub const REGISTER_COUNT: usize = REGISTERS.count_ones() as usize;

/// What is copied of a stack. CPython's frames are large: 16 KiB cut one stack in ten of a few calls' depth.
pub const STACK_BYTES: u32 = 32 << 10;
/// Samples beyond this are lost: stacks are held in memory until they are unwound.
pub const MOST_HELD: usize = 2 << 30;

/// `PERF_CONTEXT_KERNEL` and `PERF_CONTEXT_USER`: in a call chain, what comes next are addresses of the kernel, or of the program.
const CONTEXT_KERNEL: u64 = (-128_i64).cast_unsigned();
/// No address is above this: these are marks like the two above.
const CONTEXT_MAX: u64 = (-4095_i64).cast_unsigned();

/// `PERF_RECORD_MISC_COMM_EXEC`: the process has a new name because it runs a new program.
const MISC_EXEC: u16 = 1 << 13;
/// `PROT_EXEC`.
const EXECUTABLE: u32 = 4;

/// A record and the time it was written at, nanoseconds of the kernel's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub time: u64,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The timer struck while a thread ran.
    Sample(Box<Sample>),
    /// Code was mapped.
    Mapped {
        /// Into this process.
        pid: u32,
        /// The mapping.
        mapping: Mapping,
    },
    /// A process runs a new program: all its mappings are gone.
    Executed {
        /// The process.
        pid: u32,
    },
    /// A process started another, which has the same mappings. (Threads are started by the same record, with the same process twice.)
    Forked {
        /// The new one.
        pid: u32,
        /// The one it came from.
        parent: u32,
    },
    /// The ring buffer was full.
    Lost {
        /// Records that did not fit.
        count: u64,
    },
}

/// A mapping of executable memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// First address after it.
    pub end: u64,
    /// Where it starts in the file.
    pub offset: u64,
    /// The file, or one of the kernel's own names: `//anon`, `[vdso]`.
    pub path: PathBuf,
}

/// A thread as it was when the timer struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// Return addresses within the kernel, innermost first; empty when the program itself ran.
    pub kernel: Vec<u64>,
    /// The program's registers in the order of [`REGISTERS`]; none when it has none any more (it is ending).
    pub registers: Option<[u64; REGISTER_COUNT]>,
    /// A copy of its stack from the stack pointer on.
    pub stack: Vec<u8>,
}

/// Reads a record. `None` for kinds that tell nothing here, and for what is too short to be what it says.
pub fn read(kind: u32, misc: u16, body: &[u8]) -> Option<Record> {
    // `sample_id_all`: all but samples end with process, thread and time.
    let trailer = || Some(u64::from_le_bytes(body.last_chunk::<8>().copied()?));
    let mut fields = Fields(body);
    let event = match kind {
        // PERF_RECORD_LOST, PERF_RECORD_LOST_SAMPLES
        2 => {
            fields.u64()?;
            Event::Lost { count: fields.u64()? }
        }
        13 => Event::Lost { count: fields.u64()? },
        // PERF_RECORD_COMM
        3 if misc & MISC_EXEC != 0 => Event::Executed { pid: fields.u32()? },
        // PERF_RECORD_FORK
        7 => Event::Forked { pid: fields.u32()?, parent: fields.u32()? },
        // PERF_RECORD_SAMPLE
        9 => return sample(fields),
        // PERF_RECORD_MMAP2
        10 => mapped(fields)?,
        _ => return None,
    };
    Some(Record { time: trailer()?, event })
}

fn mapped(mut fields: Fields) -> Option<Event> {
    let (pid, _tid) = (fields.u32()?, fields.u32()?);
    let (start, length, offset) = (fields.u64()?, fields.u64()?, fields.u64()?);
    // Device and inode, or the build id.
    fields.take(24)?;
    let (protection, _flags) = (fields.u32()?, fields.u32()?);
    let name = fields.0.split(|&byte| byte == 0).next()?;
    let path = PathBuf::from(String::from_utf8_lossy(name).into_owned());
    (protection & EXECUTABLE != 0)
        .then_some(Event::Mapped { pid, mapping: Mapping { start, end: start.checked_add(length)?, offset, path } })
}

/// `PERF_SAMPLE_IP | TID | TIME | CALLCHAIN | REGS_USER | STACK_USER`, in this order.
fn sample(mut fields: Fields) -> Option<Record> {
    let _ip = fields.u64()?;
    let (pid, tid) = (fields.u32()?, fields.u32()?);
    let time = fields.u64()?;
    let (mut kernel, mut in_kernel) = (Vec::new(), false);
    for _ in 0..fields.u64()? {
        let address = fields.u64()?;
        if address >= CONTEXT_MAX {
            in_kernel = address == CONTEXT_KERNEL;
        } else if in_kernel {
            kernel.push(address);
        }
    }
    // PERF_SAMPLE_REGS_ABI_NONE: the thread has left the program for good.
    let registers = match fields.u64()? {
        0 => None,
        _ => {
            let mut registers = [0; REGISTER_COUNT];
            for register in &mut registers {
                *register = fields.u64()?;
            }
            Some(registers)
        }
    };
    let room = usize::try_from(fields.u64()?).ok()?;
    let mut stack = fields.take(room)?.to_vec();
    if room > 0 {
        stack.truncate(usize::try_from(fields.u64()?).ok()?);
    }
    Some(Record { time, event: Event::Sample(Box::new(Sample { pid, tid, kernel, registers, stack })) })
}

/// What is left of a record.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.take(8)?.first_chunk()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn pair(low: u32, high: u32) -> u64 {
        u64::from(low) | u64::from(high) << 32
    }

    #[test]
    fn a_mapping_is_read_with_its_name_and_time() {
        let mut body = bytes(&[pair(7, 8), 0x1000, 0x2000, 0x300, 0, 0, 0, pair(5, 2)]);
        body.extend(b"/lib/x.so\0\0\0\0\0\0\0");
        body.extend(bytes(&[pair(7, 8), 42]));
        let mapping = Mapping { start: 0x1000, end: 0x3000, offset: 0x300, path: "/lib/x.so".into() };
        assert_eq!(read(10, 0, &body), Some(Record { time: 42, event: Event::Mapped { pid: 7, mapping } }));
    }

    #[test]
    fn memory_that_is_not_executable_is_nothing_to_unwind() {
        let mut body = bytes(&[pair(7, 8), 0x1000, 0x2000, 0x300, 0, 0, 0, pair(3, 2)]);
        body.extend(bytes(&[0, 0, 0]));
        assert_eq!(read(10, 0, &body), None);
    }

    #[test]
    fn a_sample_has_the_part_of_the_stack_that_was_there() {
        let mut words = vec![0xdead, pair(1, 2), 99, 4, CONTEXT_KERNEL, 0xffff_ffff_8100_0000, (-512_i64).cast_unsigned(), 0x400, 2];
        words.extend(0..REGISTER_COUNT as u64);
        words.extend([16, 0x0102, 0x0304, 8]);
        let record = read(9, 0, &bytes(&words)).unwrap();
        let Event::Sample(sample) = record.event else { panic!("{record:?}") };
        assert_eq!((record.time, sample.pid, sample.tid), (99, 1, 2));
        assert_eq!(sample.kernel, [0xffff_ffff_8100_0000]);
        assert_eq!(sample.registers.unwrap()[8], 8);
        assert_eq!(sample.stack, 0x0102_u64.to_le_bytes());
    }

    #[test]
    fn a_thread_that_is_ending_has_no_registers_and_no_stack() {
        let record = read(9, 0, &bytes(&[0, pair(1, 2), 5, 0, 0, 0])).unwrap();
        let Event::Sample(sample) = record.event else { panic!("{record:?}") };
        assert_eq!((sample.registers, sample.stack.len()), (None, 0));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd_to_be_refused(kind in 0_u32..20, misc: u16, body in prop::collection::vec(any::<u8>(), 0..400)) {
            // It must not panic, nor ask for more memory than there are bytes.
            if let Some(Record { event: Event::Sample(sample), .. }) = read(kind, misc, &body) {
                prop_assert!(sample.stack.len() + 8 * sample.kernel.len() <= body.len());
            }
        }
    }
}
