//! The header and the library are two descriptions of one border: a C program that follows the first must work with the second.

use std::env;
use std::path::Path;
use std::process::Command;

#[test]
fn a_c_program_calls_everything_the_header_declares() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = env::current_exe().expect("a test has a path").with_file_name("header_test");
    let library = program.with_file_name(format!("{}bindbench_kernels{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX));
    let folder = program.parent().expect("it is in a folder");
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let compiled = Command::new(compiler)
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror"])
        .arg("-I")
        .arg(root.join("include"))
        .arg(root.join("tests/header.c"))
        .arg(library)
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .arg("-o")
        .arg(&program)
        .status()
        .expect("there is a C compiler");
    assert!(compiled.success(), "header.c does not compile: {compiled}");
    let status = Command::new(&program).status().expect("just compiled");
    assert!(status.success(), "the check in this line of header.c failed: {status}");
}
