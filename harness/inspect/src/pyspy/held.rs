//! A process that is held for a moment: stopped by ptrace, and what it was doing read from its registers and its memory.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};

use nix::sys::ptrace::getregs;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use py_spy::PythonSpy;
use py_spy::config::{Config, LineNo, LockingStrategy};
use remoteprocess::Process;

use crate::interleave::PythonCall;
use crate::maps;
use crate::record::{Mapping, REGISTER_COUNT, STACK_BYTES, Sample};
use crate::refusal::Refused;

/// py-spy is tried so often, 20 ms apart: a process that was just started has no interpreter yet.
const ATTEMPTS: u64 = 25;

/// Parts in which memory is asked for: the kernel copies whole ones, up to the first that is not there. A page is such a part.
const PART: usize = 4096;

/// A process that can be held.
pub struct Held {
    /// Its number.
    pub pid: u32,
    spy: PythonSpy,
    mapped: Vec<Mapping>,
}

/// What a thread was doing.
#[derive(Clone, Debug)]
pub struct Caught {
    /// Registers and native stack.
    pub native: Box<Sample>,
    /// What the interpreter knows, innermost first; empty for a thread that it does not know.
    pub python: Vec<PythonCall>,
}

impl Held {
    /// Finds the interpreter in a process.
    ///
    /// # Errors
    /// py-spy's words, when there is none.
    pub fn attach(pid: u32) -> Result<Self, String> {
        let config =
            Config { blocking: LockingStrategy::AlreadyLocked, collect_thread_names: false, lineno: LineNo::NoLine, ..Config::default() };
        let spy = PythonSpy::retry_new(pid.cast_signed(), &config, ATTEMPTS).map_err(|error| format!("{error:#}"))?;
        Ok(Self { pid, spy, mapped: Vec::new() })
    }

    /// What was mapped into it since it was asked last.
    pub fn newly_mapped(&mut self) -> Vec<Mapping> {
        // A process that is gone maps nothing more.
        let now = maps::of(self.pid).unwrap_or_default();
        if now == self.mapped {
            return Vec::new();
        }
        let new = now.iter().filter(|mapping| !self.mapped.contains(mapping)).cloned().collect();
        self.mapped = now;
        new
    }

    /// Holds it, if any of its threads is running, and says what these were doing.
    ///
    /// # Errors
    /// When it is gone.
    pub fn look(&mut self) -> io::Result<Vec<Caught>> {
        let threads = self.spy.process.threads().map_err(reason)?;
        // Asked before, for then none of them runs.
        let running: Vec<i32> =
            threads.iter().filter(|thread| thread.active().unwrap_or(false)).filter_map(|thread| thread.id().ok()).collect();
        if running.is_empty() {
            return Ok(Vec::new());
        }
        let standstill = self.spy.process.lock().map_err(reason)?;
        let natives: Vec<(u64, Box<Sample>)> = running.iter().filter_map(|&tid| self.native(tid)).collect();
        // Where a thread is right in between two functions there may be nothing that could be read: then its stack does not fit.
        let traces = self.spy.get_stack_traces().unwrap_or_default();
        drop(standstill);
        let mut python: HashMap<u64, Vec<PythonCall>> = traces.into_iter().map(|trace| (trace.thread_id, calls(trace.frames))).collect();
        let caught = natives.into_iter().map(|(thread, native)| Caught { native, python: python.remove(&thread).unwrap_or_default() });
        Ok(caught.collect())
    }

    /// A thread's registers and stack; with the address of its control block, by which the C library and so the interpreter know it.
    fn native(&self, tid: i32) -> Option<(u64, Box<Sample>)> {
        // It may have ended before it could be held.
        let all = getregs(Pid::from_raw(tid)).ok()?;
        let registers: [u64; REGISTER_COUNT] = [
            all.rax, all.rbx, all.rcx, all.rdx, all.rsi, all.rdi, all.rbp, all.rsp, all.rip, all.r8, all.r9, all.r10, all.r11, all.r12,
            all.r13, all.r14, all.r15,
        ];
        let stack = memory(self.pid, all.rsp, STACK_BYTES as usize).unwrap_or_default();
        let sample = Sample { pid: self.pid, tid: tid.cast_unsigned(), kernel: Vec::new(), registers: Some(registers), stack };
        Some((all.fs_base, Box::new(sample)))
    }
}

/// Holds a process, whatever it is, and reads a word of its memory.
///
/// # Errors
/// What the kernel refused.
pub fn try_on(pid: u32) -> Result<(), Refused> {
    let denied = |call| move |source| Refused::by_the_kernel_to(call, source);
    let process = Process::new(pid.cast_signed()).map_err(reason).map_err(denied("ptrace"))?;
    let _standstill = process.lock().map_err(reason).map_err(denied("ptrace"))?;
    let registers = getregs(Pid::from_raw(pid.cast_signed())).map_err(io::Error::from).map_err(denied("ptrace"))?;
    memory(pid, registers.rsp, size_of::<u64>()).map_err(denied("process_vm_readv")).map(drop)
}

/// Memory of another process, so much of it as is there.
fn memory(pid: u32, address: u64, bytes: usize) -> io::Result<Vec<u8>> {
    let mut copy = vec![0; bytes];
    let (start, mut parts) = (address as usize, Vec::new());
    let mut base = start;
    while base < start.saturating_add(bytes) {
        let len = (PART - base % PART).min(start + bytes - base);
        parts.push(RemoteIoVec { base, len });
        base += len;
    }
    let read = process_vm_readv(Pid::from_raw(pid.cast_signed()), &mut [IoSliceMut::new(&mut copy)], &parts)?;
    copy.truncate(read);
    Ok(copy)
}

/// Frames as py-spy has them, innermost first.
fn calls(frames: Vec<py_spy::Frame>) -> Vec<PythonCall> {
    frames
        .into_iter()
        // How calls from native code are marked has changed with 3.12.
        .map(|frame| PythonCall { function: frame.name, file: frame.filename, is_entry: frame.is_entry || frame.is_shim_entry })
        .collect()
}

fn reason(error: remoteprocess::Error) -> io::Error {
    match error {
        remoteprocess::Error::NixError(errno) => errno.into(),
        remoteprocess::Error::IOError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
