//! What git knows of a folder: the commit it was checked out from, and how to get another one beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use miette::{Context, IntoDiagnostic, Result, bail, miette};
use rustix::process::{Pid, test_kill_process};

use super::layout::Layout;

/// git in a folder, whatever repository the surrounding process (a hook, say) is busy with, and without running anybody's hooks.
fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.args(["-c", "core.hooksPath=/dev/null", "-C"]).arg(folder);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    command
}

/// The commit of the git checkout that a folder is in, in full, with `-dirty` where a file of the checkout has changed since, other than
/// what this program writes there itself. None outside of git, and without git.
pub fn commit_of(folder: &Path) -> Option<String> {
    let told = answer(git(folder).args(["rev-parse", "--show-toplevel", "HEAD"])).ok()?;
    let [repository, commit] = told.lines().collect::<Vec<_>>()[..] else { return None };
    let layout = Layout::at(repository);
    let ours = [layout.reports(), layout.flamegraphs()].map(|ours| format!(":(exclude){}", ours.display()));
    let ours = if layout.is_checkout() { &ours[..] } else { &[] };
    let changed =
        answer(git(folder).args(["--no-optional-locks", "status", "--porcelain", "--untracked-files=no", "--", ":(top)"]).args(ours));
    let changed = changed.ok()?;
    Some(if changed.is_empty() { commit.to_owned() } else { format!("{commit}-dirty") })
}

/// Another commit of a repository, checked out into a folder of its own that is gone when this is.
#[derive(Debug)]
pub struct Worktree {
    repository: PathBuf,
    folder: PathBuf,
    /// As it was asked for.
    revision: String,
    commit: String,
}

impl Worktree {
    /// Checks out `revision` of the repository that a folder is in.
    ///
    /// It is made inside of the repository's `.git`: there no build tool finds a workspace around it but the one it comes with, as it
    /// would below the checkout, and nobody has to ignore it.
    ///
    /// # Errors
    /// When the folder is in no repository, that has no such revision, or git fails.
    pub fn add(inside: &Path, revision: &str) -> Result<Self> {
        let told = answer(git(inside).args(["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir"]))
            .wrap_err_with(|| format!("{} is in no git repository, so it has no other revision", inside.display()))?;
        let [repository, common] = told.lines().collect::<Vec<_>>()[..] else { bail!("git does not say where its repository is: {told}") };
        let wanted = format!("{revision}^{{commit}}");
        let commit = answer(git(inside).args(["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])).map_err(|_| {
            miette!(
                help = "a branch, a tag or a commit; a shallow clone has few of them: `git fetch --unshallow`",
                "{repository} has no revision {revision}"
            )
        })?;
        let folders = Path::new(common).join("bindbench");
        fs::create_dir_all(&folders).into_diagnostic().wrap_err_with(|| format!("can't make {}", folders.display()))?;
        remove_orphans(Path::new(repository), &folders);
        let folder = folders.join(format!("{:.12}-{}", commit.trim(), std::process::id()));
        answer(git(inside).args(["worktree", "add", "--detach", "--force"]).arg(&folder).arg(commit.trim()))
            .wrap_err_with(|| format!("can't check {revision} out into {}", folder.display()))?;
        Ok(Self { repository: repository.into(), folder, revision: revision.to_owned(), commit: commit.trim().to_owned() })
    }

    /// Where `inside`, a folder of the repository, is in it.
    ///
    /// # Errors
    /// When the revision has no such folder.
    pub fn of(&self, inside: &Path) -> Result<PathBuf> {
        let prefix = answer(git(inside).args(["rev-parse", "--show-prefix"]))?;
        let folder = self.folder.join(prefix.trim_end_matches('\n'));
        if !folder.is_dir() {
            let help = "choose a revision that has it";
            bail!(help = help, "there was no {} in the revision {}, commit {:.12}", inside.display(), self.revision, self.commit);
        }
        Ok(folder)
    }

    /// The repository's own checkout.
    pub fn repository(&self) -> &Path {
        &self.repository
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        remove(&self.repository, &self.folder);
    }
}

/// Removes a worktree; what git does not know any more is removed all the same.
fn remove(repository: &Path, folder: &Path) {
    git(repository).args(["worktree", "remove", "--force", "--force"]).arg(folder).output().ok();
    fs::remove_dir_all(folder).ok();
    git(repository).args(["worktree", "prune"]).output().ok();
    if let Some(parent) = folder.parent() {
        // Fails while others are in it, as it should.
        fs::remove_dir(parent).ok();
    }
}

/// Worktrees of drivers that were killed before they could remove them: their names end in the driver's process.
fn remove_orphans(repository: &Path, folders: &Path) {
    for folder in fs::read_dir(folders).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let process = name.rsplit_once('-').and_then(|(_, process)| Pid::from_raw(process.parse().ok()?));
        if process.is_some_and(|process| test_kill_process(process).is_err_and(|error| error == rustix::io::Errno::SRCH)) {
            git(repository).args(["worktree", "remove", "--force", "--force"]).arg(&folder).output().ok();
            fs::remove_dir_all(&folder).ok();
        }
    }
    git(repository).args(["worktree", "prune"]).output().ok();
}

/// What git prints.
fn answer(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } = command.output().map_err(|error| {
        miette!(help = "Debian, Ubuntu: apt install git; without it, `--base DIR` names a folder", "can't run git: {error}")
    })?;
    if !status.success() {
        bail!("git says: {}", String::from_utf8_lossy(&stderr).trim());
    }
    String::from_utf8(stdout).into_diagnostic().wrap_err("git says something that is no UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(folder: &Path, arguments: &[&str]) {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        let output = git(folder).args(identity).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A repository with a folder `catalog` in it, whose file `a` was 1 at the first commit, which has a tag, and is 2 now.
    fn repository() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("catalog");
        fs::create_dir(&inside).unwrap();
        run(folder.path(), &["init", "--quiet"]);
        for text in ["1", "2"] {
            fs::write(inside.join("a"), text).unwrap();
            run(folder.path(), &["add", "."]);
            run(folder.path(), &["commit", "--quiet", "-m", text]);
            if text == "1" {
                run(folder.path(), &["tag", "-a", "v1", "-m", "v1"]);
            }
        }
        (folder, inside)
    }

    #[test]
    fn a_commit_is_told_clean_or_dirty_and_tags_do_not_matter() {
        assert_eq!(commit_of(tempfile::tempdir().unwrap().path()), None);
        let (_folder, inside) = repository();
        let clean = commit_of(&inside).unwrap();
        assert!(clean.len() == 40 && clean.chars().all(|c| c.is_ascii_hexdigit()), "{clean}");
        fs::write(inside.join("a"), "3").unwrap();
        assert_eq!(commit_of(&inside), Some(format!("{clean}-dirty")));
    }

    /// Whoever measures writes reports, and has changed nothing that is measured.
    #[test]
    fn what_runs_write_into_a_checkout_makes_it_no_other_commit() {
        let (folder, inside) = repository();
        let layout = Layout::at(folder.path());
        for written in [layout.reports(), layout.flamegraphs(), inside.join("reports")] {
            fs::create_dir(&written).unwrap();
            fs::write(written.join("index.html"), "1").unwrap();
        }
        run(folder.path(), &["add", "."]);
        run(folder.path(), &["commit", "--quiet", "-m", "reports"]);
        let clean = commit_of(&inside).unwrap();
        fs::write(layout.reports().join("index.html"), "2").unwrap();
        fs::write(layout.flamegraphs().join("index.html"), "2").unwrap();
        assert_eq!(commit_of(&inside), Some(format!("{clean}-dirty")), "somebody else's reports are theirs");
        for part in ["harness/workloads", "impls"] {
            fs::create_dir_all(folder.path().join(part)).unwrap();
        }
        assert_eq!(commit_of(&inside), Some(clean.clone()));
        fs::write(inside.join("reports/index.html"), "2").unwrap();
        assert_eq!(commit_of(&inside), Some(format!("{clean}-dirty")));
    }

    #[test]
    fn another_revision_is_there_for_a_while_and_then_gone() {
        let (folder, inside) = repository();
        let worktree = Worktree::add(&inside, "v1").unwrap();
        let before = worktree.of(&inside).unwrap();
        assert_eq!(fs::read_to_string(before.join("a")).unwrap(), "1");
        assert_eq!(commit_of(&before).map(|commit| commit.len()), Some(40));
        drop(worktree);
        assert!(!before.exists() && !folder.path().join(".git/bindbench").exists());
        assert_eq!(answer(git(&inside).args(["worktree", "list"])).unwrap().lines().count(), 1);
        assert_eq!(fs::read_to_string(inside.join("a")).unwrap(), "2");
    }

    #[test]
    fn what_a_killed_driver_left_is_removed() {
        let (folder, inside) = repository();
        let mut dead = Command::new("true").spawn().unwrap();
        dead.wait().unwrap();
        let left = folder.path().join(format!(".git/bindbench/0123456789ab-{}", dead.id()));
        fs::create_dir_all(&left).unwrap();
        drop(Worktree::add(&inside, "HEAD").unwrap());
        assert!(!left.exists());
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let (_folder, inside) = repository();
        assert!(Worktree::add(&inside, "v9").unwrap_err().to_string().contains("has no revision v9"));
        assert!(Worktree::add(&inside, "--help").is_err());
        assert!(Worktree::add(tempfile::tempdir().unwrap().path(), "HEAD").unwrap_err().to_string().contains("is in no git repository"));
        let new = inside.parent().unwrap().join("new");
        fs::create_dir(&new).unwrap();
        assert!(Worktree::add(&inside, "v1").unwrap().of(&new).unwrap_err().to_string().contains("there was no"));
    }
}
