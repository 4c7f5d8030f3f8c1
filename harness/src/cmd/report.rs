//! placeholder until merged
use crate::store::Recorded;
use miette::Result;
use std::path::{Path, PathBuf};
/// a
#[derive(Clone, Debug, clap::Parser)]
pub struct Args {}
/// a
pub fn run(_args: &Args) -> Result<std::process::ExitCode> {
    Ok(std::process::ExitCode::SUCCESS)
}
/// a
pub fn locate(runs: &Path, name: Option<&PathBuf>) -> Result<PathBuf> {
    Ok(runs.join(name.unwrap()))
}
/// a
pub fn show(r: &Recorded, _out: Option<&Path>, _json: bool) -> Result<()> {
    println!("{} samples {:?}", r.samples.len(), r.folder);
    Ok(())
}
