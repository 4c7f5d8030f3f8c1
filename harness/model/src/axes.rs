//! The axes along which lanes differ, as manifests declare them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which of the two comparisons a lane belongs to; they are never mixed in one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Comparison {
    /// Calls the shared kernels library: the binding is the only difference.
    #[serde(rename = "controlled")]
    Controlled,
    /// Has an algorithm or a compiler of its own.
    #[serde(rename = "as published")]
    AsPublished,
}

/// What happens to the GIL while the kernel works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Gil {
    /// Held.
    Held,
    /// Released where the data allow.
    Released,
    /// There is none.
    Absent,
}

/// Parallelism of the lane's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Parallel {
    /// One call uses one CPU.
    None,
    /// Native threads.
    Threads,
    /// Processes.
    Processes,
}

/// How an input is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A list of Python objects.
    Boxed,
    /// A `str`.
    Text,
    /// A `bytes` object.
    Bytes,
    /// An object with the buffer protocol.
    Buffer,
    /// A file, mapped by the lane.
    Mapped,
}

macro_rules! display_as_written {
    ($($axis:ident: $($variant:ident = $text:literal),+;)+) => {$(
        impl fmt::Display for $axis {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),+ })
            }
        }
    )+};
}

display_as_written! {
    Comparison: Controlled = "controlled", AsPublished = "as published";
    Gil: Held = "held", Released = "released", Absent = "absent";
    Parallel: None = "none", Threads = "threads", Processes = "processes";
    Form: Boxed = "boxed list", Text = "str", Bytes = "bytes", Buffer = "buffer", Mapped = "mmap";
}
