//! Whose code a frame is: the colours of the pictures, and the first answer to where the time goes.

use std::path::{Path, PathBuf};

use bindbench_catalog::Rules;
use bindbench_model::profile::Activity;
use serde::{Deserialize, Serialize};

/// Whose code a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A Python function.
    Python,
    /// The interpreter and its standard library's extensions.
    Interpreter,
    /// The binding: what stands between Python and the kernel.
    Glue,
    /// The code that does the work.
    Kernel,
    /// Shared libraries of the system.
    Library,
    /// The operating system.
    System,
    /// Nobody knows.
    Unknown,
}

impl Class {
    /// All of them, in the order of a stack from Python outwards.
    pub const ALL: [Self; 7] = [Self::Python, Self::Interpreter, Self::Glue, Self::Kernel, Self::Library, Self::System, Self::Unknown];

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Interpreter => "interpreter",
            Self::Glue => "glue (the binding)",
            Self::Kernel => "native kernel",
            Self::Library => "system libraries",
            Self::System => "operating system",
            Self::Unknown => "unknown",
        }
    }

    /// Red, green, blue. Okabe and Ito's palette, which people with any kind of colour blindness can tell apart
    /// (<https://jfly.uni-koeln.de/color/>), lightened where black text has to be read on it.
    pub fn colour(self) -> (u8, u8, u8) {
        match self {
            Self::Python => (86, 180, 233),
            Self::Interpreter => (200, 206, 214),
            Self::Glue => (230, 159, 0),
            Self::Kernel => (64, 190, 150),
            Self::Library => (240, 228, 66),
            Self::System => (214, 140, 180),
            Self::Unknown => (255, 255, 255),
        }
    }
}

/// What belongs to whom, for one lane and interpreter.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    /// Files or folders whose code is the binding.
    pub glue: Vec<PathBuf>,
    /// Files or folders whose code does the work; they go before those of the binding.
    pub kernel: Vec<PathBuf>,
    /// What the strategy says of its functions, and of libraries that are the binding, too.
    pub rules: Rules,
}

impl Owners {
    /// Whose a program or library is.
    pub fn class_of(&self, path: &Path) -> Class {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let within = |folders: &[PathBuf]| folders.iter().any(|folder| path.starts_with(folder));
        if within(&self.kernel) {
            Class::Kernel
        } else if within(&self.glue) || self.rules.libraries.is_match(name.as_ref()) {
            Class::Glue
        } else if is_interpreter(path, &name) {
            Class::Interpreter
        } else {
            Class::Library
        }
    }

    /// Whose a function in a program or library is: a binding may have the kernel in it.
    pub fn class_of_function(&self, path: &Path, function: &str) -> Class {
        match self.class_of(path) {
            Class::Glue if self.rules.activity(function) == Some(Activity::Kernel) => Class::Kernel,
            class => class,
        }
    }
}

fn is_interpreter(path: &Path, name: &str) -> bool {
    ["python", "libpython", "pypy", "libpypy"].iter().any(|begin| name.starts_with(begin))
        || path.components().any(|folder| folder.as_os_str() == "lib-dynload")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_go_before_the_binding_and_both_before_the_interpreter() {
        let owners = Owners {
            glue: vec!["/b/strategies/x".into()],
            kernel: vec!["/b/kernels/libk.so".into(), "/b/strategies/x/packages".into()],
            rules: toml::from_str("libraries = [\"_ctypes.*\"]\nkernel = [\"kmp_*\"]").unwrap(),
        };
        let class = |path: &str| owners.class_of(Path::new(path));
        assert_eq!(class("/b/kernels/libk.so"), Class::Kernel);
        assert_eq!(class("/b/strategies/x/python_x.so"), Class::Glue);
        assert_eq!(class("/b/strategies/x/packages/n/core.so"), Class::Kernel);
        assert_eq!(class("/p/lib/python3.13/lib-dynload/_ctypes.cpython-313.so"), Class::Glue);
        assert_eq!(class("/p/lib/python3.13/lib-dynload/_json.cpython-313.so"), Class::Interpreter);
        assert_eq!(class("/p/bin/python3.13"), Class::Interpreter);
        assert_eq!(class("/lib/libc.so.6"), Class::Library);
        assert_eq!(class("[vdso]"), Class::Library);
        assert_eq!(owners.class_of_function(Path::new("/b/strategies/x/python_x.so"), "kmp_find"), Class::Kernel);
        assert_eq!(owners.class_of_function(Path::new("/b/strategies/x/python_x.so"), "find_all"), Class::Glue);
    }
}
