//! The vocabulary of byte pair encoding: read once, when the module is imported, and shared by all threads from then on.

use std::{env, fs, path::PathBuf, sync::OnceLock};

use pyo3::{exceptions::PyRuntimeError, prelude::*};

use crate::ffi::Bpe;

const VARIABLE: &str = "BINDBENCH_BPE";

/// Of the process, as the library is. That is state, but state that never changes: no lock, and nothing the GIL would have to guard.
static BPE: OnceLock<Bpe> = OnceLock::new();

/// Reads the two files, if the environment names their folder: only `encode` and `encode_buffer` need it.
pub fn load() -> PyResult<()> {
    if let Some(folder) = env::var_os(VARIABLE).map(PathBuf::from) {
        let (tokens, classes) = (fs::read(folder.join("cl100k_base.tokens"))?, fs::read(folder.join("unicode.classes"))?);
        let bpe = Bpe::new(&tokens, &classes)?;
        BPE.get_or_init(|| bpe); // a second import changes nothing
    }
    Ok(())
}

/// The vocabulary.
pub fn bpe() -> PyResult<&'static Bpe> {
    BPE.get().ok_or_else(|| PyRuntimeError::new_err(format!("{VARIABLE} named no folder when this module was imported")))
}
