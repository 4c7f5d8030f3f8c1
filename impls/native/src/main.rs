//! The worker without Python: it speaks the protocol of `bindbench_protocol`, and calls the same shared library as every other
//! controlled lane. What is left of a call when there is no binding at all is the floor under all of them.

mod answers;
mod arguments;
mod cell;
mod kernels;
mod operations;
mod process;
mod worker;

use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::os::fd::FromRawFd;
use std::process::ExitCode;

use bindbench_protocol::{REPLIES_FD, REQUESTS_FD};

use crate::worker::Worker;

fn main() -> ExitCode {
    let (Some(requests), Some(replies)) = (descriptor(REQUESTS_FD), descriptor(REPLIES_FD)) else {
        eprintln!("bindbench-native is started by bindbench, which sets {REQUESTS_FD} and {REPLIES_FD}");
        return ExitCode::from(2);
    };
    match converse(BufReader::new(requests), replies) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("bindbench-native: {error}");
            ExitCode::FAILURE
        }
        // Without requests, or without anybody to answer, there is nothing to do.
        _ => ExitCode::SUCCESS,
    }
}

/// One request, one reply, until there are no more.
fn converse(requests: impl BufRead, mut replies: impl Write) -> io::Result<()> {
    let mut worker = Worker::default();
    for line in requests.lines() {
        let mut reply = serde_json::to_vec(&worker.reply_to(&line?))?;
        reply.push(b'\n');
        replies.write_all(&reply)?;
        if worker.finished {
            break;
        }
    }
    Ok(())
}

#[allow(unsafe_code)]
fn descriptor(variable: &str) -> Option<File> {
    let number = env::var(variable).ok()?.parse().ok().filter(|&number| number >= 0)?;
    // SAFETY: the driver opened this descriptor for this process alone, and each variable is read once: there is no other owner.
    Some(unsafe { File::from_raw_fd(number) })
}
