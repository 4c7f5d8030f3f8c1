//! The sampler: the kernel's own timer (`cpu-clock` of `perf_event_open`), which looks at every thread of a worker and of the processes
//! it starts, and copies registers and stack. No perf program is needed, and nothing in the worker knows of it.
//!
//! Two events are opened for each CPU while the worker is still alone, and everything it starts inherits them: one that only tells of
//! mappings, forks and new programs, on from the beginning; and the timer, which is on only while it is told to. They have ring buffers
//! of their own, so that a flood of samples never drowns a mapping.

use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use perf_event::events::Software;
use perf_event::{Builder, SampleFlag};

use super::maps;
use super::record::{self, Event, MOST_HELD, REGISTERS, Record, STACK_BYTES};
use super::refusal::Refused;

/// Ring buffers of samples begin with this, for each CPU, and are halved until the kernel agrees.
const MOST_BYTES: usize = 4 << 20;
/// A ring buffer has to hold several samples.
const LEAST_BYTES: usize = 256 << 10;
/// Ring buffer of mappings and forks, for each CPU.
const EVENTS_BYTES: usize = 128 << 10;
/// How long the ring buffers are left alone. At 999 Hz the least of them is full after 7 ms.
const PAUSE: Duration = Duration::from_millis(4);

/// What was recorded.
#[derive(Debug, Default)]
pub struct Recording {
    /// In the order of time.
    pub records: Vec<Record>,
    /// Samples that were taken and not kept.
    pub lost: u64,
    /// Whether the kernel let itself be looked at, too.
    pub with_kernel: bool,
}

/// A sampler at work.
pub struct Sampler {
    rings: Arc<Mutex<Vec<Ring>>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<(Vec<Record>, u64)>>,
    known: Vec<Record>,
    with_kernel: bool,
}

/// Events of one CPU.
struct Ring {
    sampler: perf_event::Sampler,
    is_timer: bool,
}

impl Sampler {
    /// Attaches to a process that has one thread and has started nothing yet. The timer is off. Every process that is started is told
    /// of at once.
    ///
    /// # Errors
    /// When the kernel does not allow it.
    pub fn attach(pid: u32, hertz: u64, started: impl Fn(u32) + Send + 'static) -> Result<Self, Refused> {
        let cpus = online_cpus();
        let mut rings = Vec::new();
        for &cpu in &cpus {
            let told = events(pid, cpu).build().map_err(Refused::by_the_kernel)?;
            let sampler = told.sampled(EVENTS_BYTES).map_err(|source| Refused::NoMemory { source, least: EVENTS_BYTES >> 10 })?;
            rings.push(Ring { sampler, is_timer: false });
        }
        // Unprivileged users see no kernel (perf_event_paranoid = 2), but their own programs.
        let with_kernel = match timer(pid, cpus[0], hertz, true).build() {
            Ok(_) => true,
            Err(error) if Refused::is_denial(&error) => false,
            Err(error) => return Err(Refused::by_the_kernel(error)),
        };
        let mut bytes = MOST_BYTES;
        for &cpu in &cpus {
            let sampler = loop {
                let timer = timer(pid, cpu, hertz, with_kernel).build().map_err(Refused::by_the_kernel)?;
                match timer.sampled(bytes) {
                    Ok(sampler) => break sampler,
                    Err(_) if bytes / 2 >= LEAST_BYTES => bytes /= 2,
                    Err(source) => return Err(Refused::NoMemory { source, least: LEAST_BYTES >> 10 }),
                }
            };
            rings.push(Ring { sampler, is_timer: true });
        }
        for ring in &mut rings {
            if !ring.is_timer {
                ring.sampler.enable().map_err(Refused::by_the_kernel)?;
            }
        }
        // After the events are on: what is mapped now is seen at least once.
        let mapped = maps::of(pid).map_err(|source| Refused::Gone { source })?;
        // Records from before everything else.
        let known = mapped.into_iter().map(|mapping| Record { time: 0, event: Event::Mapped { pid, mapping } }).collect();
        let rings = Arc::new(Mutex::new(rings));
        let stop = Arc::new(AtomicBool::new(false));
        let reader = {
            let (rings, stop) = (Arc::clone(&rings), Arc::clone(&stop));
            std::thread::spawn(move || read_until(&rings, &stop, &started))
        };
        Ok(Self { rings, stop, reader: Some(reader), known, with_kernel })
    }

    /// Switches the timer on or off, for everything the worker has started as well.
    ///
    /// # Errors
    /// When the kernel does not allow it.
    pub fn switch(&self, on: bool) -> io::Result<()> {
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        rings.iter_mut().filter(|ring| ring.is_timer).try_for_each(|ring| if on { ring.sampler.enable() } else { ring.sampler.disable() })
    }

    /// Detaches, and returns all that was recorded.
    pub fn finish(mut self) -> Recording {
        let (read, lost) = self.end();
        let mut records = std::mem::take(&mut self.known);
        records.extend(read);
        // Each CPU's records are in order; those of several are not. Stable: what is known from the beginning stays there.
        records.sort_by_key(|record| record.time);
        Recording { records, lost, with_kernel: self.with_kernel }
    }

    fn end(&mut self) -> (Vec<Record>, u64) {
        self.stop.store(true, Ordering::Relaxed);
        self.reader.take().and_then(|reader| reader.join().ok()).unwrap_or_default()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.end();
    }
}

/// Mappings, forks, new programs.
fn events(pid: u32, cpu: usize) -> Builder<'static> {
    let mut builder = Builder::new(Software::DUMMY);
    inherited(&mut builder, pid, cpu);
    builder.mmap(true).mmap2(true).comm(true).comm_exec(true).task(true);
    builder
}

/// The timer.
fn timer(pid: u32, cpu: usize, hertz: u64, with_kernel: bool) -> Builder<'static> {
    let mut builder = Builder::new(Software::CPU_CLOCK);
    inherited(&mut builder, pid, cpu);
    builder
        .sample_frequency(hertz)
        .sample(SampleFlag::IP | SampleFlag::CALLCHAIN | SampleFlag::REGS_USER | SampleFlag::STACK_USER)
        .sample_regs_user(REGISTERS)
        .sample_stack_user(STACK_BYTES)
        .exclude_kernel(!with_kernel)
        // The program's part of the chain is unwound from the copy of its stack.
        .exclude_callchain_user(true);
    builder
}

fn inherited(builder: &mut Builder, pid: u32, cpu: usize) {
    // A process's id is positive and fits.
    builder.observe_pid(pid.cast_signed()).one_cpu(cpu).inherit(true).sample_id_all(true);
    builder.sample(SampleFlag::TID | SampleFlag::TIME).read_format(perf_event::ReadFormat::empty());
}

fn read_until(rings: &Mutex<Vec<Ring>>, stop: &AtomicBool, started: &dyn Fn(u32)) -> (Vec<Record>, u64) {
    let (mut records, mut lost, mut held) = (Vec::new(), 0, 0);
    loop {
        // Looked at before, so that what was written until then is still read.
        let last = stop.load(Ordering::Relaxed);
        let mut rings = rings.lock().unwrap_or_else(PoisonError::into_inner);
        for ring in rings.iter_mut() {
            while let Some(raw) = ring.sampler.next_record() {
                match record::read(raw.ty(), raw.misc(), &raw.to_contiguous()) {
                    Some(Record { event: Event::Lost { count }, .. }) => lost += count,
                    Some(Record { event: Event::Sample(sample), .. }) if held + sample.stack.len() > MOST_HELD => lost += 1,
                    Some(record) => {
                        if let Event::Forked { pid, parent } = record.event
                            && pid != parent
                        {
                            started(pid);
                        }
                        held += if let Event::Sample(sample) = &record.event { sample.stack.len() } else { 0 };
                        records.push(record);
                    }
                    None => {}
                }
            }
        }
        if last {
            return (records, lost);
        }
        drop(rings);
        std::thread::sleep(PAUSE);
    }
}

/// The CPUs that there are. Workers are pinned to some of them, but what they start may wander.
fn online_cpus() -> Vec<usize> {
    let listed = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let range = |text: &str| -> Option<Vec<usize>> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some((first.parse().ok()?..=last.parse().ok()?).collect())
    };
    let cpus: Vec<usize> = listed.trim().split(',').filter_map(range).flatten().collect();
    if cpus.is_empty() { vec![0] } else { cpus }
}
