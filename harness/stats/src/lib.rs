#![doc = include_str!("../README.md")]
// What prints has to cope with a reader that is gone, or a disk that is full: `println!` panics then.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod bounds;
mod change_points;
mod curves;
mod discovery;
mod gate;
mod independent;
mod instructions;
mod interval;
mod pairs;
mod resolution;
mod share;
mod slope;
mod variance;

#[cfg(test)]
mod noise;
#[cfg(test)]
mod simulation;

pub use bounds::{Bounds, Standing};
pub use change_points::{ChangePoint, FEWEST_RUNS, change_points, strongest};
pub use curves::{Compared, Curve, Onset, Piece, onset};
pub use discovery::{FALSE_DISCOVERY_RATE, adjusted};
pub use gate::{Finding, Gate, Known, LOOKS, Why, of_generation};
pub use independent::{Mean, Quotient};
pub use instructions::{Change, Instructions, Span};
pub use interval::{Estimate, FEWEST_GENERATIONS, Scale, median, six_digits};
pub use pairs::{NoRatio, Point, Samples};
pub use resolution::{Resolution, Twin, Verdict, WIDEST, allowed, verdict, widening};
pub use share::wilson;
pub use slope::Slope;
pub use variance::Components;
