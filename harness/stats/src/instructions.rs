//! What counts of instructions say. There is no noise in them to be estimated: a count is the same in every process, or it is a range.

use schemars::JsonSchema;
use serde::Serialize;

/// Instructions of one call, over all processes that counted them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Instructions {
    /// The fewest.
    pub low: f64,
    /// The most: the same, where the count is exact.
    pub high: f64,
    /// Processes that counted.
    pub processes: usize,
}

impl Instructions {
    /// Of one call, as each process counted them; none where none did.
    pub fn of(calls: impl IntoIterator<Item = f64>) -> Option<Self> {
        let grown = |so_far: Option<Self>, call: f64| {
            let Self { low, high, processes } = so_far.unwrap_or(Self { low: call, high: call, processes: 0 });
            Some(Self { low: low.min(call), high: high.max(call), processes: processes + 1 })
        };
        calls.into_iter().fold(None, grown)
    }

    /// The number for people: the middle, where it is a range.
    pub fn of_a_call(&self) -> f64 {
        f64::midpoint(self.low, self.high)
    }

    /// More than one process counted, and all counted the same.
    pub fn is_exact(&self) -> bool {
        self.processes > 1 && self.low == self.high
    }

    /// Instructions over those of something else; none when that has none to divide by.
    pub fn over(&self, base: &Self) -> Option<Span> {
        (base.low > 0.0 && self.low > 0.0).then(|| Span { low: self.low / base.high, high: self.high / base.low })
    }
}

/// A ratio of two counts: a number, or, where one of them is a range, a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Span {
    /// The least it can be.
    pub low: f64,
    /// The most.
    pub high: f64,
}

/// What a ratio of counts says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// More instructions, beyond the threshold.
    More,
    /// Fewer, beyond the threshold.
    Fewer,
    /// Neither, and more are ruled out.
    Same,
    /// The counts vary too much to say.
    Unknown,
}

impl Span {
    /// The number for people.
    pub fn point(&self) -> f64 {
        (self.low * self.high).sqrt()
    }

    /// What it says, with a threshold as a fraction. One measurement is enough: what differs does so every time.
    pub fn change(&self, threshold: f64) -> Change {
        let more = 1.0 + threshold;
        if self.low > more {
            Change::More
        } else if self.high * more < 1.0 {
            Change::Fewer
        } else if self.high <= more {
            Change::Same
        } else {
            Change::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted(calls: &[u64]) -> Instructions {
        assert_eq!(Instructions::of([]), None);
        Instructions::of(calls.iter().map(|&call| call as f64)).unwrap()
    }

    #[test]
    fn a_count_is_exact_when_two_processes_agree() {
        assert!(counted(&[100, 100]).is_exact());
        assert!(!counted(&[100]).is_exact() && !counted(&[100, 101]).is_exact());
        assert_eq!(counted(&[100, 102]).of_a_call(), 101.0);
    }

    #[test]
    fn a_difference_beyond_the_threshold_is_one() {
        let change = |base: &[u64], head: &[u64]| counted(head).over(&counted(base)).unwrap().change(0.005);
        assert_eq!(change(&[1000, 1000], &[1006, 1006]), Change::More);
        assert_eq!(change(&[1000, 1000], &[1005, 1005]), Change::Same);
        assert_eq!(change(&[1006, 1006], &[1000, 1000]), Change::Fewer);
        assert_eq!(change(&[1000, 1004], &[1006, 1006]), Change::Unknown);
        assert_eq!(change(&[1000, 1004], &[1000, 1004]), Change::Same);
        assert_eq!(counted(&[10, 10]).over(&counted(&[0, 0])), None);
    }

    proptest! {
        /// There and back: what has more has fewer the other way round, and no threshold finds both.
        #[test]
        fn there_and_back_are_opposite(base in 1_u64..10_000, head in 1_u64..10_000, spread in 0_u64..50, threshold in 0.0..0.2_f64) {
            let (base, head) = (counted(&[base, base + spread]), counted(&[head, head]));
            let (there, back) = (head.over(&base).unwrap(), base.over(&head).unwrap());
            prop_assert_eq!(there.change(threshold) == Change::More, back.change(threshold) == Change::Fewer);
            prop_assert!(there.low <= there.high && there.low <= there.point() * (1.0 + 1e-12));
        }
    }
}
