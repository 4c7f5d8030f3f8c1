//! Processes as the system lists them: who descends from whom, and an end for them that hits no other.

use std::collections::BTreeSet;

/// A process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, in the system's ticks. Numbers are used again: both together name one process, and no later one.
    pub started: u64,
    /// Its parent's number.
    pub parent: u32,
    /// Its process group.
    pub group: u32,
    /// Its session.
    pub session: u32,
    /// It runs no code any more: it gives back what it has, or its number is kept until its parent asks for it.
    pub ended: bool,
}

/// Those of a list for which `seed` holds, and all that descend from them.
pub fn with_descendants(all: &[Process], seed: impl Fn(&Process) -> bool) -> Vec<Process> {
    let mut found: Vec<Process> = all.iter().filter(|process| seed(process)).copied().collect();
    let mut pids: BTreeSet<u32> = found.iter().map(|process| process.pid).collect();
    let mut at = 0;
    while at < found.len() {
        let parent = found[at].pid;
        found.extend(all.iter().filter(|process| process.parent == parent && pids.insert(process.pid)));
        at += 1;
    }
    found
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::path::Path;
    use std::sync::OnceLock;

    use rustix::io::Errno;
    use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, pidfd_send_signal, waitpid};

    use super::{Process, with_descendants};

    /// Whether `/proc` lists this process under its own number. One mounted outside of its namespace does not: its numbers name others.
    fn sees_itself() -> bool {
        fs::read_link("/proc/self").is_ok_and(|own| own == Path::new(&std::process::id().to_string()))
    }

    /// All processes there are; none where `/proc` has other numbers for them.
    pub fn all() -> Vec<Process> {
        let entries = sees_itself().then(|| fs::read_dir("/proc").ok()).flatten();
        let entries = entries.into_iter().flatten().filter_map(Result::ok);
        entries.filter_map(|entry| Process::of(entry.file_name().to_str()?.parse().ok()?)).collect()
    }

    impl Process {
        /// The process that has the number now.
        pub fn of(pid: u32) -> Option<Self> {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The state comes after the program's name, which is in parentheses and may have some of its own.
            let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
            let number = |at: usize| fields.get(at)?.parse().ok();
            Some(Self {
                pid,
                started: fields.get(19)?.parse().ok()?,
                parent: number(1)?,
                group: number(2)?,
                session: number(3)?,
                // To give a gigabyte back takes a while, in which the process has no environment any more.
                ended: fields.first()?.starts_with(['Z', 'X']) || fields.get(6)?.parse::<u32>().ok()? & EXITING != 0,
            })
        }

        /// It is there, and runs code.
        pub fn is_running(&self) -> bool {
            Self::of(self.pid).is_some_and(|now| now.started == self.started && !now.ended)
        }

        /// Ends it, and nobody who got its number meanwhile.
        pub fn kill(&self) {
            let Some(pid) = Pid::from_raw(self.pid.cast_signed()) else { return };
            match pidfd_open(pid, PidfdFlags::empty()) {
                // What the descriptor stands for can't change any more. It may be gone by now, which is what is wanted.
                Ok(process) if self.is_running() => _ = pidfd_send_signal(process, Signal::KILL).ok(),
                Ok(_) | Err(Errno::SRCH) => {}
                // Linux before 5.3, or no descriptor to be had.
                Err(_) if self.is_running() => _ = kill_process(pid, Signal::KILL).ok(),
                Err(_) => {}
            }
        }

        /// Takes note of the end of a child that nobody else waits for.
        pub fn reap(&self) {
            if let Some(pid) = Pid::from_raw(self.pid.cast_signed()) {
                waitpid(Some(pid), WaitOptions::NOHANG).ok();
            }
        }

        /// What a variable was set to when it was started: in its own environment, or in that of the process it was forked from.
        pub fn variable(&self, name: &str) -> Option<String> {
            let environment = fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
            let value = environment.split(|&byte| byte == 0).find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
            Some(String::from_utf8_lossy(value).into_owned())
        }

        /// The resource tracker of `multiprocessing` (loky has one, too), which removes what a killed process left in `/dev/shm`, then ends.
        pub fn tidies_up(&self) -> bool {
            let command = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
            command.windows(TRACKER.len()).any(|part| part == TRACKER)
        }

        /// Its program's name.
        pub fn name(&self) -> String {
            fs::read_to_string(format!("/proc/{}/comm", self.pid)).unwrap_or_default().trim().to_owned()
        }
    }

    /// `PF_EXITING` of the kernel's flags of a process.
    const EXITING: u32 = 4;

    const TRACKER: &[u8] = b"resource_tracker import main";

    /// The children of a process's thread, where the system lists them (CONFIG_PROC_CHILDREN: most distributions' kernels have it).
    fn listed_children(pid: u32, thread: u32) -> Vec<u32> {
        let listed = fs::read_to_string(format!("/proc/{pid}/task/{thread}/children")).unwrap_or_default();
        listed.split_whitespace().filter_map(|child| child.parse().ok()).collect()
    }

    /// Whether it does. Without, all processes have to be looked at, which takes milliseconds.
    pub fn lists_children() -> bool {
        static LISTS: OnceLock<bool> = OnceLock::new();
        let own = std::process::id();
        *LISTS.get_or_init(|| sees_itself() && Path::new(&format!("/proc/{own}/task/{own}/children")).exists())
    }

    /// Processes whose parents have ended and that are this process's children since then. Only where the system lists children.
    pub fn adopted() -> Vec<u32> {
        // They come to the first thread. (So do those it started itself.)
        let own = std::process::id();
        listed_children(own, own)
    }

    /// The processes that a process started, and those that they started.
    pub fn descendants(pid: u32) -> Vec<u32> {
        if !lists_children() {
            return with_descendants(&all(), |process| process.parent == pid).iter().map(|process| process.pid).collect();
        }
        let mut found = Vec::new();
        for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok) {
            let Some(thread) = task.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            for child in listed_children(pid, thread) {
                found.push(child);
                found.extend(descendants(child));
            }
        }
        found
    }

    /// From now on, processes whose parents end become this process's children, if it is an ancestor of theirs.
    pub fn adopt() {
        // Linux before 3.4 can't: then only those are found that have kept their parents, or their marks.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).ok();
    }

    /// This process's session. 0 in a container whose first process belongs to a session outside (`docker exec` makes such ones).
    pub fn own_session() -> u32 {
        Process::of(std::process::id()).map_or(0, |own| own.session)
    }
}

/// No other system is asked: there, only a worker's process group is known.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::Process;

    pub fn all() -> Vec<Process> {
        Vec::new()
    }

    impl Process {
        pub fn of(_pid: u32) -> Option<Self> {
            None
        }

        pub fn is_running(&self) -> bool {
            false
        }

        pub fn kill(&self) {}

        pub fn reap(&self) {}

        pub fn variable(&self, _name: &str) -> Option<String> {
            None
        }

        pub fn tidies_up(&self) -> bool {
            false
        }

        pub fn name(&self) -> String {
            String::new()
        }
    }

    pub fn lists_children() -> bool {
        true
    }

    pub fn adopted() -> Vec<u32> {
        Vec::new()
    }

    pub fn descendants(_pid: u32) -> Vec<u32> {
        Vec::new()
    }

    pub fn adopt() {}

    pub fn own_session() -> u32 {
        0
    }
}

pub use system::descendants;
pub(super) use system::{adopt, adopted, all, lists_children, own_session};

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    fn process(pid: u32, parent: u32) -> Process {
        Process { pid, started: 0, parent, group: 0, session: 0, ended: false }
    }

    #[test]
    fn descendants_are_found_in_any_order_and_a_circle_ends() {
        let all = [process(5, 4), process(4, 3), process(3, 1), process(9, 1), process(7, 8), process(8, 7)];
        let pids = |seed: u32| with_descendants(&all, |process| process.pid == seed).iter().map(|process| process.pid).collect::<Vec<_>>();
        assert_eq!(pids(3), [3, 4, 5]);
        assert_eq!(pids(9), [9]);
        assert_eq!(pids(7), [7, 8]);
        assert_eq!(pids(1), [0; 0]);
    }

    #[test]
    fn this_process_is_listed_with_its_child() {
        let mut child = Command::new("sleep").arg("60").env("BINDBENCH_TEST_MARK", "abc").stdin(Stdio::null()).spawn().unwrap();
        let found = Process::of(child.id()).unwrap();
        assert_eq!(found.parent, std::process::id());
        assert_eq!(found.session, own_session());
        assert!(descendants(std::process::id()).contains(&child.id()));
        assert!(all().iter().any(|process| (process.pid, process.started) == (found.pid, found.started)));
        // It may have been forked, and not begun yet; then it has its name a moment before its environment.
        let begun = Instant::now();
        while found.variable("BINDBENCH_TEST_MARK").is_none() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::yield_now();
        }
        assert_eq!((found.name().as_str(), found.variable("BINDBENCH_TEST_MARK").as_deref()), ("sleep", Some("abc")));
        assert_eq!(found.variable("BINDBENCH_TEST_MAR"), None);
        // A later process with the same number would have started later.
        Process { started: found.started + 1, ..found }.kill();
        assert!(found.is_running() && child.try_wait().unwrap().is_none());
        found.kill();
        child.wait().unwrap();
        assert!(!found.is_running());
    }

    #[test]
    fn a_process_that_has_ended_does_not_run_though_its_number_is_kept() {
        let own = Process::of(std::process::id()).unwrap();
        assert!(own.is_running());
        let mut child = Command::new("true").spawn().unwrap();
        let found = Process::of(child.id()).unwrap();
        while found.is_running() {
            std::thread::yield_now();
        }
        assert!(Process::of(child.id()).unwrap().ended);
        assert!(child.wait().unwrap().success());
        assert_eq!(Process::of(u32::MAX), None);
    }
}
