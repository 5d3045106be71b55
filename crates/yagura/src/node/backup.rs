//! A copy of the data directory while it is in use.
//!
//! ```text
//! hold removals and cuts ─> findings ─> snapshots ─> tables' logs ─> their files ─> journal ─> VERSION
//! ```
//! Each part may be newer than those before it. The journal comes last and was not cut, so it
//! reaches from the oldest part to beyond the newest: the copy opens like a directory after a
//! crash. Without `VERSION` a copy that was broken off is no data directory.

use crate::epochs;
use crate::intel;
use crate::node::door::META_FILE;
use crate::node::{JUDGE_FILE, Node, SOURCES_DIR};
use crate::pipeline::batches::BATCH_DIR;
use crate::pipeline::snapshot::SNAPSHOT_DIR;
use crate::rules;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use yagura_disk::put::TEMPORARY_SUFFIX;
use yagura_disk::{Fs as _, RealFs};
use yagura_lake::sums::SUMS_DIR;
use yagura_lake::table::LOG_DIR;
use yagura_lake::{EXPIRED_DIR, INDEX_DIR, LAKE_DIR, REPARSE_DIR, TableKind};
use yagura_meta::PeopleStore;

/// How often the log of a table is listed again where an entry appeared out of turn.
const LISTINGS_MAX: usize = 20;

/// What was copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Copied {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Why no copy was begun.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The folder is taken.
    #[error("{0} is not empty; name a folder that is empty or not there")]
    Taken(PathBuf),
    /// The copy would copy itself.
    #[error("{0} is in the data directory; name a folder elsewhere, best on another disk")]
    Within(PathBuf),
    /// There is one already.
    #[error("another backup is being made; wait for it")]
    Busy,
}

/// Copies a node's data directory to `to`.
///
/// # Errors
/// [`Refused`]; those of the file system and the store, which leave a copy without `VERSION`.
pub fn run(node: &Node, to: &Path) -> anyhow::Result<Copied> {
    let from = fs::canonicalize(&node.data)
        .with_context(|| format!("cannot read {}", node.data.display()))?;
    let to = prepare(&from, to)?;
    let hold = node.removals.hold().ok_or(Refused::Busy)?;
    node.progress.hold_journal(true);
    let copied = Transfer { from, to, done: Copied::default() }.run(node);
    // What an erasure deleted is gone before one may end.
    let released = hold.release().context("files that went meanwhile cannot be removed");
    node.progress.hold_journal(false);
    released?;
    copied
}

/// The folder, made where it is missing.
fn prepare(from: &Path, to: &Path) -> anyhow::Result<PathBuf> {
    let to = &std::path::absolute(to).context("the folder for the copy")?;
    let read = || format!("cannot read {}", to.display());
    // What there is of the path may lead into the data directory by a link.
    let there = to.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    if fs::canonicalize(there).with_context(read)?.starts_with(from) {
        return Err(Refused::Within(to.to_owned()).into());
    }
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let to = fs::canonicalize(to).with_context(read)?;
    if names(&to)?.is_empty() { Ok(to) } else { Err(Refused::Taken(to).into()) }
}

struct Transfer {
    from: PathBuf,
    to: PathBuf,
    done: Copied,
}

impl Transfer {
    fn run(mut self, node: &Node) -> anyhow::Result<Copied> {
        let judge = self.to.join(JUDGE_FILE);
        node.judge()?.copy_to(&judge)?;
        self.settle(&judge)?;
        let people = self.to.join(META_FILE);
        PeopleStore::open(&self.from.join(META_FILE))?.copy_to(&people)?;
        self.settle(&people)?;
        for dir in [SNAPSHOT_DIR, BATCH_DIR] {
            self.tree(Path::new(dir), &|_| true)?;
        }
        for kind in TableKind::ALL {
            self.table(&Path::new(LAKE_DIR).join(kind.name()))?;
        }
        for dir in [INDEX_DIR, EXPIRED_DIR, REPARSE_DIR] {
            self.tree(&Path::new(LAKE_DIR).join(dir), &|_| true)?;
        }
        for dir in ["journal", epochs::DIR, rules::DIR, SOURCES_DIR, intel::DIR] {
            self.tree(Path::new(dir), &|_| true)?;
        }
        for name in ["poison.json", "VERSION"] {
            if self.from.join(name).exists() {
                self.file(Path::new(name))?;
            }
        }
        sync_dir(&self.to)?;
        Ok(self.done)
    }

    /// A table's log up to a version, the checksums up to it, and every data file.
    fn table(&mut self, table: &Path) -> anyhow::Result<()> {
        let log = table.join(LOG_DIR);
        let pointer = log.join("_last_checkpoint");
        // A checkpoint that it names is in the listing after it.
        if self.from.join(&pointer).exists() {
            self.file(&pointer)?;
        }
        let entries = self.entries(&log)?;
        let newest = entries.iter().next_back().copied();
        let upto = |name: &str| {
            let version = name.split_once('.').and_then(|(number, _)| number.parse().ok());
            version.is_some_and(|version: u64| newest.is_some_and(|newest| version <= newest))
        };
        self.tree(&log, &upto)?;
        self.tree(&table.join(SUMS_DIR), &upto)?;
        for name in names(&self.from.join(table))? {
            if !name.starts_with('_') {
                self.tree(&table.join(name), &|_| true)?;
            }
        }
        Ok(())
    }

    /// Versions of a log, without a gap: a listing may miss one that came while it was made.
    fn entries(&self, log: &Path) -> anyhow::Result<BTreeSet<u64>> {
        for _ in 0..LISTINGS_MAX {
            let names = names(&self.from.join(log))?;
            let versions: BTreeSet<u64> =
                names.iter().filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect();
            let bounds = versions.first().zip(versions.last());
            if bounds.is_none_or(|(first, last)| last - first + 1 == versions.len() as u64) {
                return Ok(versions);
            }
        }
        bail!("the log {} lacks entries; `yagura check` says more", log.display())
    }

    /// What is below a folder and whose name is wanted, but for what is not whole yet.
    fn tree(&mut self, dir: &Path, wanted: &dyn Fn(&str) -> bool) -> anyhow::Result<()> {
        let source = self.from.join(dir);
        let list = names(&source)?;
        if list.is_empty() {
            return Ok(());
        }
        let target = self.to.join(dir);
        fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
        for name in list.iter().filter(|name| !name.ends_with(TEMPORARY_SUFFIX)) {
            let path = dir.join(name);
            if source.join(name).is_dir() {
                self.tree(&path, wanted)?;
            } else if wanted(name) {
                self.file(&path)?;
            }
        }
        sync_dir(&target)
    }

    fn file(&mut self, path: &Path) -> anyhow::Result<()> {
        let (source, target) = (self.from.join(path), self.to.join(path));
        if let Some(dir) = target.parent() {
            fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        fs::copy(&source, &target).with_context(|| format!("cannot copy {}", source.display()))?;
        self.settle(&target)
    }

    /// Makes a file durable and counts it.
    fn settle(&mut self, target: &Path) -> anyhow::Result<()> {
        let synced = fs::File::open(target).and_then(|file| {
            file.sync_all()?;
            file.metadata()
        });
        let meta = synced.with_context(|| format!("cannot write {}", target.display()))?;
        self.done.files += 1;
        self.done.bytes += meta.len();
        Ok(())
    }
}

/// Names in a folder, sorted; none where there is no folder.
fn names(dir: &Path) -> anyhow::Result<Vec<String>> {
    match RealFs.list(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        names => names.with_context(|| format!("cannot read {}", dir.display())),
    }
}

fn sync_dir(dir: &Path) -> anyhow::Result<()> {
    RealFs.sync_dir(dir).with_context(|| format!("cannot write {}", dir.display()))
}
