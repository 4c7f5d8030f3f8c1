//! What else runs on the machine: the CPU time that others use while nothing here does.

use std::fs;
use std::thread;
use std::time::Duration;

/// Shares of the time of all CPUs, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbours {
    /// Other processes and the kernel.
    pub busy: f64,
    /// Other virtual machines on the same host, as far as the hypervisor tells.
    pub stolen: f64,
}

/// Watches the machine for a while, and does nothing meanwhile. None where the system does not tell (other systems than Linux).
pub fn watch(span: Duration) -> Option<Neighbours> {
    let before = Ticks::now()?;
    thread::sleep(span);
    Ticks::now()?.since(before)
}

/// Sums over all CPUs since the machine started, in ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ticks {
    busy: u64,
    stolen: u64,
    idle: u64,
}

impl Ticks {
    fn now() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The line `cpu user nice system idle iowait irq softirq steal …` of proc(5).
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find(|line| line.starts_with("cpu "))?;
        let ticks: Vec<u64> = line.split_whitespace().skip(1).map(str::parse).collect::<Result<_, _>>().ok()?;
        let [user, nice, system, idle, iowait, irq, softirq, stolen] = ticks.get(..8)?.try_into().ok()?;
        Some(Self { busy: user + nice + system + irq + softirq, stolen, idle: idle + iowait })
    }

    fn since(self, before: Self) -> Option<Neighbours> {
        let past = |of: fn(&Self) -> u64| of(&self).saturating_sub(of(&before)) as f64;
        let (busy, stolen) = (past(|ticks| ticks.busy), past(|ticks| ticks.stolen));
        let all = busy + stolen + past(|ticks| ticks.idle);
        (all > 0.0).then(|| Neighbours { busy: busy / all, stolen: stolen / all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_time() {
        let before = Ticks::parse("cpu  100 0 50 1000 10 0 0 5 0 0\ncpu0 1 2 3\n").unwrap();
        let after = Ticks::parse("cpu  130 5 60 1145 15 2 3 25 0 0\n").unwrap();
        let seen = after.since(before).unwrap();
        assert!((seen.busy - 50.0 / 220.0).abs() < 1e-12 && (seen.stolen - 20.0 / 220.0).abs() < 1e-12, "{seen:?}");
        assert_eq!(before.since(before), None);
        assert_eq!(Ticks::parse("cpu 1 2\n"), None);
        assert_eq!(Ticks::parse(""), None);
    }
}
