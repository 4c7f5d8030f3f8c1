//! The options that name two builds, and the workshop that has both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bindbench_catalog::{CHECKOUT, Catalog};
use bindbench_model::GateRecord;
use bindbench_setup::Workshop;
use bindbench_setup::checkout::{Worktree, commit_of};
use bindbench_setup::layout::Layout;
use bindbench_setup::receipt::fingerprint;
use miette::{Result, bail};

/// Which two builds.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Two builds")]
pub struct Sides {
    /// What was there before: a checkout of bindbench, or a folder with strategies
    #[arg(long, value_name = "DIR", conflicts_with = "base_rev")]
    base: Option<PathBuf>,
    /// What was there before: a branch, tag or commit; it is checked out into a worktree that is removed in the end
    #[arg(long, value_name = "REV")]
    base_rev: Option<String>,
    /// What is there now, likewise [default: the folders given with --catalog, or else this checkout]
    #[arg(long, value_name = "DIR")]
    head: Option<PathBuf>,
    /// The commits that the revision was when a gate began that goes on now.
    #[arg(skip)]
    base_commits: Vec<String>,
}

/// A workshop in which every lane is there twice, as `lane@base` and `lane@head`.
#[derive(Debug)]
pub struct BothSides {
    /// The workshop.
    pub workshop: Workshop,
    /// What base and head are, for people.
    pub names: BTreeMap<String, String>,
    /// What to know before trusting a comparison of the two.
    pub notes: Vec<String>,
    /// What it takes to open the same again.
    pub record: GateRecord,
    /// To be kept as long as the sources in them are needed.
    pub(super) worktrees: Vec<Worktree>,
}

impl Sides {
    /// Whether two builds are named, or one of them.
    pub fn are_named(&self) -> bool {
        self.base.is_some() || self.base_rev.is_some() || self.head.is_some()
    }

    /// Opens both.
    ///
    /// # Errors
    /// When base is not named, a folder has no strategies, or a revision can't be checked out.
    pub fn open(&self, catalogs: &[PathBuf]) -> Result<BothSides> {
        let layout = Layout::find();
        let (given, head) = match &self.head {
            Some(folder) => ("--head", vec![strategies_in(folder)]),
            None if catalogs.is_empty() => (CHECKOUT, vec![layout.root().join("impls")]),
            None => ("--catalog", catalogs.to_vec()),
        };
        let mut worktrees: Vec<Worktree> = Vec::new();
        let base = match (&self.base, &self.base_rev) {
            (Some(folder), _) => vec![strategies_in(folder)],
            (None, Some(revision)) => {
                let commit = |at: usize| self.base_commits.get(at).unwrap_or(revision);
                head.iter().enumerate().map(|(at, folder)| at_revision(folder, commit(at), &mut worktrees)).collect::<Result<_>>()?
            }
            (None, None) => bail!(
                help = "`--base DIR` names a folder, `--base-rev REV` a revision",
                "there is nothing to compare {} with",
                names_of(&head)
            ),
        };
        let name = |folders: &[PathBuf], revision: Option<&String>| {
            let folder = |folder: &PathBuf| match (revision, commit_of(folder)) {
                (Some(revision), Some(commit)) => format!("{revision}, commit {commit}"),
                (_, Some(commit)) => format!("{}, commit {commit}", folder.display()),
                (_, None) => folder.display().to_string(),
            };
            folders.iter().map(folder).collect::<Vec<_>>().join("; ")
        };
        let names = BTreeMap::from([("base".to_owned(), name(&base, self.base_rev.as_ref())), ("head".to_owned(), name(&head, None))]);
        let catalog = Catalog::of_sides(layout.root(), (if self.base.is_some() { "--base" } else { "--base-rev" }, &base), (given, &head))?;
        let notes = kernels(&layout, &base, &head).into_iter().collect();
        let record = self.record(catalogs, base.iter().filter_map(|folder| commit_of(folder)).collect());
        Ok(BothSides { workshop: Workshop::with(layout, catalog), names, notes, record, worktrees })
    }

    /// What it takes to open the same again, from wherever.
    fn record(&self, catalogs: &[PathBuf], base_commits: Vec<String>) -> GateRecord {
        let full = |folder: &PathBuf| folder.canonicalize().unwrap_or_else(|_| folder.clone());
        GateRecord {
            catalogs: catalogs.iter().map(full).collect(),
            base: self.base.as_ref().map(full),
            base_rev: self.base_rev.clone(),
            base_commits: if self.base_rev.is_some() { base_commits } else { Vec::new() },
            head: self.head.as_ref().map(full),
            ..GateRecord::default()
        }
    }

    /// The same sides as in a gate that was begun before.
    pub fn of(record: &GateRecord) -> Self {
        let GateRecord { base, base_rev, base_commits, head, .. } = record.clone();
        Self { base, base_rev, head, base_commits }
    }

    /// The options again, as words of a command line.
    pub fn words(&self, catalogs: &[PathBuf]) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        catalogs.iter().for_each(|folder| option("--catalog", folder.display().to_string()));
        self.base.iter().for_each(|folder| option("--base", folder.display().to_string()));
        self.base_rev.iter().for_each(|revision| option("--base-rev", revision.clone()));
        self.head.iter().for_each(|folder| option("--head", folder.display().to_string()));
        words
    }
}

fn names_of(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(" and ")
}

/// The strategies of a checkout of bindbench are in `impls/`; another folder holds them itself.
fn strategies_in(folder: &Path) -> PathBuf {
    let inside = folder.join("impls");
    if inside.is_dir() && folder.join("harness/workloads").is_dir() { inside } else { folder.to_owned() }
}

/// A folder as it was at a revision of the repository it is in.
fn at_revision(folder: &Path, revision: &str, worktrees: &mut Vec<Worktree>) -> Result<PathBuf> {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let known = worktrees.iter().position(|worktree| folder.starts_with(worktree.repository()));
    let at = match known {
        Some(at) => at,
        None => {
            worktrees.push(Worktree::add(&folder, revision)?);
            worktrees.len() - 1
        }
    };
    worktrees[at].of(&folder)
}

/// The kernels that controlled lanes share are built once, from this checkout: a change of theirs is not what is compared here.
fn kernels(layout: &Layout, base: &[PathBuf], head: &[PathBuf]) -> Option<String> {
    let digest = |folder: &Path| fingerprint(&[folder.join("kernels/src")], &[]).ok();
    let ours = digest(&layout.root().join("impls"))?;
    let differ = base.iter().chain(head).filter_map(|folder| digest(folder)).any(|other| other != ours);
    differ.then(|| {
        format!(
            "the shared kernels (impls/kernels) differ between the two; lanes that call them are measured with those of {} on both sides",
            layout.root().display()
        )
    })
}
