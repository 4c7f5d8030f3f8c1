//! The parts: what is compared, and under what circumstances.

use std::time::Duration;

/// How long a call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Some nanoseconds: nothing but the call.
    Noop,
    /// Some 10 µs.
    Micro,
    /// Some 1 ms.
    Milli,
}

impl Class {
    const ALL: [Self; 3] = [Self::Noop, Self::Micro, Self::Milli];

    /// The variant of `spinning` that takes so long.
    pub fn variant(self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Micro => "micro",
            Self::Milli => "milli",
        }
    }

    /// Its lane.
    pub fn lane(self) -> String {
        format!("spinning/{}", self.variant())
    }

    /// Its Python module.
    pub fn module(self) -> String {
        format!("spinning_{}", self.variant())
    }

    /// So many calls take some 40 ms: for tools that time whole programs.
    pub fn calls_of_a_program(self) -> u64 {
        match self {
            Self::Noop => 1_000_000,
            Self::Micro => 4_000,
            Self::Milli => 40,
        }
    }

    /// Slowdowns to look for, in per cent. The bar is the first.
    fn slowdowns(self) -> &'static [f64] {
        match self {
            Self::Noop => &[5.0, 3.0, 2.0, 1.0],
            Self::Micro | Self::Milli => &[2.0, 1.0, 0.5],
        }
    }
}

/// Comparisons of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Of what.
    pub class: Class,
    /// Head is slower by so many per cent; none: the two builds are the same.
    pub slower: Option<f64>,
    /// Another program keeps a CPU busy meanwhile.
    pub hog: bool,
}

impl Part {
    /// All of them: those that the bars are about first.
    pub fn all() -> Vec<Self> {
        let mut parts = Vec::new();
        for hog in [false, true] {
            parts.extend(Class::ALL.map(|class| Self { class, slower: None, hog }));
            let slower = |rank: usize| Class::ALL.into_iter().filter_map(move |class| Some((class, *class.slowdowns().get(rank)?)));
            let ranked = (0..4).flat_map(slower);
            parts.extend(ranked.map(|(class, percent)| Self { class, slower: Some(percent), hog }));
        }
        parts
    }

    /// `equal/noop/idle`, `slower/micro/2/hog`.
    pub fn name(&self) -> String {
        let state = if self.hog { "hog" } else { "idle" };
        match self.slower {
            None => format!("equal/{}/{state}", self.class.variant()),
            Some(percent) => format!("slower/{}/{percent}/{state}", self.class.variant()),
        }
    }

    /// Comparisons that are wanted of it.
    pub fn trials(&self) -> u32 {
        if self.slower.is_some() { 40 } else { 100 }
    }

    /// Time for one of them.
    pub fn time(&self) -> Duration {
        Duration::from_secs(if self.slower.is_some() { 10 } else { 5 })
    }
}
