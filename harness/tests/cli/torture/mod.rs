//! Torture: lanes that go wrong in every way, drivers that are killed at any moment. A short form of each part is one of the usual tests;
//! the whole is `cargo xtask torture`, which sets the variables read here.

mod builds;
mod hostile;
mod kills;
