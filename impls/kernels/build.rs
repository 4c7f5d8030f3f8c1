//! Gives the shared library a name of its own, so that what is linked to it finds it by run path and not by the path it was built at.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libbindbench_kernels.so"),
        Ok("macos") => println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libbindbench_kernels.dylib"),
        _ => {}
    }
}
