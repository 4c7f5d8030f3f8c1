//! Python modules written with PyO3 over the shared kernels library, one per lane.
//!
//! The lanes differ in one thing only, the line between the converted arguments and the kernel: [`held`] calls it, [`released`]
//! calls it detached from the interpreter, [`parallel`] calls it detached on every core. What crosses the border, and at what
//! price, is in [`input`], [`buffer`] and [`boxed`]; what Python may look at without paying, in [`tokens`]; the kernels' C functions are in [`ffi`].

mod boxed;
mod buffer;
mod ffi;
mod held;
mod input;
mod parallel;
mod released;
mod search;
mod tokens;
mod vocabulary;

use pyo3::prelude::*;

/// The table of contents, as Python sees it. `gil_used = false` is the promise that nothing here needs the GIL for its own
/// safety (the only state is a vocabulary that never changes), so a free-threaded interpreter leaves it off when it imports this
/// module.
#[pymodule(gil_used = false)]
mod bindbench_pyo3 {
    use super::{Bound, PyAnyMethods, PyModule, PyResult, vocabulary};

    #[pymodule_export]
    use super::tokens::Tokens;

    #[pyo3::pymodule(gil_used = false)]
    mod held {
        #[pymodule_export]
        use crate::held::{
            add, call_back, encode, encode_buffer, fail, find_all, give_list, length, mean, noop, std_, sum, take_list, var,
        };
    }

    #[pyo3::pymodule(gil_used = false)]
    mod released {
        #[pymodule_export]
        use crate::released::{
            add, call_back, encode, encode_buffer, fail, find_all, give_list, length, mean, noop, std_, sum, take_list, var,
        };
    }

    #[pyo3::pymodule(gil_used = false)]
    mod rayon {
        #[pymodule_export]
        use crate::parallel::{encode, encode_buffer, find_all, mean, std_, sum, var};
    }

    #[pyo3::pymodule(gil_used = false)]
    mod search {
        #[pymodule_export]
        use crate::search::find_all;
    }

    /// Runs on import, once.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        vocabulary::load()?;
        register(module)
    }

    /// An extension module is no package, so `import bindbench_pyo3.held` would look for a file and fail: what has no file must
    /// be entered in `sys.modules` by hand.
    fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let modules = module.py().import("sys")?.getattr("modules")?;
        for name in ["held", "released", "rayon", "search"] {
            modules.set_item(format!("bindbench_pyo3.{name}"), module.getattr(name)?)?;
        }
        Ok(())
    }
}
