//! The driver's end of the protocol: lines to a worker and lines from it. Nothing here waits longer than it is told to, or grows without
//! end.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;

/// No reply is longer. The longest are those to `call`, with all values of a list: a million of them take 20 MB.
const LONGEST_REPLY: usize = 64 << 20;

/// The two pipes.
#[derive(Debug)]
pub struct Channel {
    requests: File,
    replies: File,
    /// What has arrived.
    buffer: Vec<u8>,
    /// So much of it has no end of a line.
    searched: usize,
}

/// Why nothing comes any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Its other end is closed.
    Closed,
    /// A line has become too long.
    TooLong,
}

impl Broken {
    /// What a worker did that does not end its line.
    pub fn too_long() -> String {
        format!("its reply is longer than {} MiB", LONGEST_REPLY >> 20)
    }
}

impl Channel {
    /// A channel over two pipes.
    ///
    /// # Errors
    /// When the system refuses to make them non-blocking.
    pub fn new(requests: OwnedFd, replies: OwnedFd) -> io::Result<Self> {
        // The worker's ends stay as they are.
        ioctl_fionbio(&requests, true)?;
        ioctl_fionbio(&replies, true)?;
        Ok(Self { requests: requests.into(), replies: replies.into(), buffer: Vec::new(), searched: 0 })
    }

    /// Writes what there is room for, and takes it off `unsent`; waits for room, but not longer than `pause`.
    ///
    /// # Errors
    /// When the worker can't receive any more.
    pub fn send_some(&mut self, unsent: &mut &[u8], pause: Duration) -> Result<(), Broken> {
        match self.requests.write(unsent) {
            Ok(written) => *unsent = &unsent[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait(&self.requests, PollFlags::OUT, pause),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(Broken::Closed),
        }
        Ok(())
    }

    /// The next line, without its end, if it has arrived.
    pub fn line(&mut self) -> Option<Vec<u8>> {
        let Some(end) = self.buffer[self.searched..].iter().position(|&byte| byte == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let mut line: Vec<u8> = self.buffer.drain(..=self.searched + end).collect();
        line.pop();
        self.searched = 0;
        Some(line)
    }

    /// Reads what has arrived; waits for it, but not longer than `pause`.
    ///
    /// # Errors
    /// When the worker can't send any more, or does not come to an end.
    pub fn receive_some(&mut self, pause: Duration) -> Result<(), Broken> {
        let mut block = [0; 1 << 16];
        match self.replies.read(&mut block) {
            Ok(0) => return Err(Broken::Closed),
            Ok(_) if self.buffer.len() >= LONGEST_REPLY => return Err(Broken::TooLong),
            Ok(read) => self.buffer.extend_from_slice(&block[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait(&self.replies, PollFlags::IN, pause),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(Broken::Closed),
        }
        Ok(())
    }

    /// Whether something has arrived that was not taken.
    pub fn has_more(&mut self) -> bool {
        // A worker that is gone is seen when it is spoken to.
        self.receive_some(Duration::ZERO).ok();
        !self.buffer.is_empty()
    }
}

/// An error shows itself at the next try.
fn wait(pipe: &File, flags: PollFlags, pause: Duration) {
    if !pause.is_zero() {
        let pause = Timespec { tv_sec: pause.as_secs().cast_signed(), tv_nsec: pause.subsec_nanos().into() };
        poll(&mut [PollFd::new(&pipe.as_fd(), flags)], Some(&pause)).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    fn pair() -> (Channel, io::PipeReader, io::PipeWriter) {
        let (their_requests, requests) = io::pipe().unwrap();
        let (replies, their_replies) = io::pipe().unwrap();
        (Channel::new(requests.into(), replies.into()).unwrap(), their_requests, their_replies)
    }

    #[test]
    fn lines_come_in_pieces_and_several_at_a_time() {
        let (mut channel, _requests, mut replies) = pair();
        assert_eq!((channel.receive_some(SOON), channel.line(), channel.has_more()), (Ok(()), None, false));
        replies.write_all(b"ab").unwrap();
        assert_eq!((channel.receive_some(SOON), channel.line(), channel.has_more()), (Ok(()), None, true));
        replies.write_all(b"c\n\nde\nf").unwrap();
        channel.receive_some(SOON).unwrap();
        let lines: Vec<Option<Vec<u8>>> = (0..4).map(|_| channel.line()).collect();
        assert_eq!(lines, [Some(b"abc".to_vec()), Some(Vec::new()), Some(b"de".to_vec()), None]);
        drop(replies);
        assert_eq!(channel.receive_some(SOON), Err(Broken::Closed));
    }

    #[test]
    fn a_line_without_an_end_is_cut_off() {
        let (mut channel, _requests, mut replies) = pair();
        let endless = std::thread::spawn(move || while replies.write_all(&[b'x'; 1 << 16]).is_ok() {});
        let broken = loop {
            match channel.receive_some(SOON) {
                Ok(()) => assert_eq!(channel.line(), None),
                Err(broken) => break broken,
            }
        };
        assert_eq!(broken, Broken::TooLong);
        drop(channel);
        endless.join().unwrap();
    }

    #[test]
    fn a_worker_that_does_not_read_keeps_nobody_waiting() {
        let (mut channel, requests, _replies) = pair();
        let line = vec![b'x'; 1 << 20];
        let mut unsent = &line[..];
        for _ in 0..100 {
            channel.send_some(&mut unsent, SOON).unwrap();
        }
        assert!(!unsent.is_empty() && unsent.len() < line.len());
        drop(requests);
        assert_eq!(channel.send_some(&mut unsent, SOON), Err(Broken::Closed));
    }
}
