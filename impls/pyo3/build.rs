//! Links the shared kernels library: the very file every controlled lane loads, not a copy of it.

use std::{env, path::PathBuf, process::exit};

const VARIABLE: &str = "BINDBENCH_KERNELS";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={VARIABLE}");

    let folder = env::var_os(VARIABLE)
        .map(PathBuf::from)
        .filter(|library| library.is_file())
        .and_then(|library| library.parent().map(PathBuf::from));
    let Some(folder) = folder else {
        println!("cargo:error={VARIABLE} must be the full path of the shared kernels library (impls/kernels, built in release)");
        exit(1);
    };
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rustc-link-lib=dylib=bindbench_kernels");
    // The loader looks there at run time too, so that no LD_LIBRARY_PATH is needed.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", folder.display());
}
