//! Packages from PyPI that a lane calls: wheels, pinned by a lock with hashes, each lane's in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use bindbench_catalog::Lane;
use bindbench_model::shortened;
use walkdir::WalkDir;

use super::build::Target;
use super::child;
use super::layout::Layout;
use super::needs::Tools;
use super::receipt::{Artifact, Receipt};
use super::without_python_variables;

/// What uv says when there is no wheel, and trying again is no use; anything else may be the network.
const UNSOLVABLE: &str = "No solution found";

/// Where a lane's packages are, in what its strategy's build left.
pub fn folder(out: &Path, lane: &Lane) -> PathBuf {
    out.join("packages").join(lane.variant())
}

/// Installs the packages of all lanes. One that has no wheel for the interpreter costs its lane alone: the receipt says why.
///
/// # Errors
/// A sentence, when there is no installer, PyPI can't be reached, or what was installed can't be read.
pub fn install(target: &Target, layout: &Layout, tools: &Tools, receipt: &mut Receipt) -> Result<(), String> {
    let Some(interpreter) = target.interpreter else { return Ok(()) };
    for lane in &target.strategy.lanes {
        let Some(lock) = &lane.packages else { continue };
        let uv = tools.program("uv").ok_or("needs uv, which `bindbench setup` installs")?;
        let folder = folder(&receipt.out, lane);
        let mut command = Command::new(uv);
        command.args(["pip", "install", "--quiet", "--no-config", "--only-binary", ":all:", "--require-hashes", "--no-deps", "--python"]);
        command.arg(layout.environment(&interpreter.name).join("bin/python"));
        command.arg("--target").arg(&folder).arg("-r").arg(target.strategy.folder.join(lock));
        receipt.commands.push(words(&command));
        let output = child::output(without_python_variables(&mut command)).map_err(|error| format!("can't run uv: {error}"))?;
        if output.status.success() {
            receipt.artifacts.append(&mut shared_objects(&folder)?);
            continue;
        }
        let reason = reason(&String::from_utf8_lossy(&output.stderr));
        if !reason.contains(UNSOLVABLE) {
            return Err(reason);
        }
        receipt.without_packages.insert(lane.id.clone(), reason);
    }
    Ok(())
}

fn words(command: &Command) -> Vec<String> {
    std::iter::once(command.get_program()).chain(command.get_args()).map(|word| word.to_string_lossy().into_owned()).collect()
}

fn shared_objects(folder: &Path) -> Result<Vec<Artifact>, String> {
    let files = WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    let objects = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "so"));
    let artifact = |path: &Path| Artifact::of(path).map_err(|error| format!("can't read {}: {error}", path.display()));
    objects.map(|file| artifact(file.path())).collect()
}

/// What uv says, drawn as a tree over several lines, as one sentence.
fn reason(said: &str) -> String {
    let plain = said.replace(['×', '╰', '─', '▶', '│', '├'], " ");
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.trim_start_matches("error: ");
    format!("its packages can't be installed: {}", shortened(words, 600))
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn a_tree_becomes_a_sentence() {
        let said = "error: No solution found when resolving dependencies\n  ╰─▶ cause: Because a==1 has no wheels with a matching\n      Python ABI tag, we\n";
        let sentence = "its packages can't be installed: No solution found when resolving dependencies cause: Because a==1 has no wheels with a matching Python ABI tag, we";
        assert_eq!(reason(said), sentence);
    }
}
