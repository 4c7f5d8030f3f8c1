//! One worker by itself, without the driver: as a command line for a shell, and under gdb.

mod gdb;
mod script;

pub use gdb::{Gdb, NoBreakpoint, breakpoint};
pub use script::Script;
