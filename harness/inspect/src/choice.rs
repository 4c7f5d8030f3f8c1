//! The choice of a way to take samples: the first that works on this machine.

use std::path::PathBuf;

use clap::ValueEnum;

use super::refusal::Refused;
use super::way::Way;
use super::{builtin, perf, pyspy};

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// The first of the others that works here
    Auto,
    /// The sampler of this program
    Sampler,
    /// perf, the program that comes with Linux
    Perf,
    /// py-spy, where it is built in: names Python functions on 3.11 and older, too
    PySpy,
    /// A library inside the worker, which needs no permission: native functions only
    Pprof,
}

/// The way that is taken, and those that would have been better.
#[derive(Debug)]
pub struct Choice {
    /// The first one that works here.
    pub way: Way,
    /// Why those before it don't.
    pub refused: Vec<Refused>,
}

impl Backend {
    /// The ways that are tried, in this order. METHODOLOGY.md has the numbers that it comes from.
    fn tried(self) -> &'static [Self] {
        match self {
            Self::Auto => &[Self::Sampler, Self::Perf, Self::PySpy, Self::Pprof],
            Self::Sampler => &[Self::Sampler],
            Self::Perf => &[Self::Perf],
            Self::PySpy => &[Self::PySpy],
            Self::Pprof => &[Self::Pprof],
        }
    }

    /// Looks for a way that works on this machine at so many samples a second. pprof's library is only built when it comes to that.
    ///
    /// # Errors
    /// What was refused, what to allow, and what is lost meanwhile.
    pub fn choose(self, hertz: u64, build_pprof: impl Fn() -> miette::Result<PathBuf>) -> Result<Choice, Refused> {
        let mut refused = Vec::new();
        for backend in self.tried() {
            let found = match backend {
                Self::Perf => perf::find(hertz).map(|program| Way::Perf { program }),
                Self::PySpy => pyspy::check().map(|()| Way::PySpy),
                Self::Pprof => build_pprof().map(|library| Way::Pprof { library }).map_err(Refused::no_pprof),
                Self::Sampler | Self::Auto => builtin::check(hertz).map(|()| Way::Builtin),
            };
            match found {
                Ok(way) => return Ok(Choice { way, refused }),
                Err(refusal) => refused.push(refusal),
            }
        }
        Err(match <[Refused; 1]>::try_from(refused) {
            Ok([only]) => only,
            Err(several) => Refused::Everywhere { refused: several },
        })
    }
}

#[cfg(test)]
mod tests {
    use miette::miette;

    use super::*;

    #[test]
    fn a_way_that_is_forced_is_taken_or_refused_and_nothing_else_is_tried() {
        let found = Backend::Pprof.choose(999, || Ok("/l.so".into())).unwrap();
        assert_eq!((found.way, found.refused.len()), (Way::Pprof { library: "/l.so".into() }, 0));
        let refused = Backend::Pprof.choose(999, || Err(miette!("no network").wrap_err("it does not build"))).unwrap_err();
        assert_eq!(refused.to_string(), "pprof's library can't be built: it does not build: no network");
    }
}
