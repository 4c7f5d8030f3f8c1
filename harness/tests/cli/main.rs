//! The program as people run it, on bad input and with bad luck. Each test has a checkout of its own, see [`sandbox`].

mod builds;
mod damage;
mod disk;
mod input;
mod interruptions;
mod misfits;
mod output;
mod sandbox;
