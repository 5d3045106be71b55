//! The two images of a simulated file system, and what a power cut may make of them.

use crate::rng::Rng;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Component, Path};
use yagura_disk::Metadata;

/// Unit in which unsynced bytes may be missing in the middle of a file.
const PAGE_BYTES: usize = 4096;

const ROOT: usize = 0;

#[derive(Clone)]
enum DataChange {
    Append(Vec<u8>),
    Truncate(usize),
}

#[derive(Clone, Default)]
struct FileNode {
    volatile: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<DataChange>,
}

#[derive(Clone, Default)]
struct DirNode {
    volatile: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
}

#[derive(Clone)]
enum Node {
    File(FileNode),
    Dir(DirNode),
}

/// One atomic change of names: (directory, name, node or nothing) each.
#[derive(Clone)]
struct NameChange(Vec<(usize, String, Option<usize>)>);

#[derive(Clone)]
pub(crate) struct Image {
    nodes: Vec<Node>,
    /// Unsynced changes of names in the order in which they were made.
    unsynced: Vec<NameChange>,
}

impl Default for Image {
    fn default() -> Self {
        Self { nodes: vec![Node::Dir(DirNode::default())], unsynced: Vec::new() }
    }
}

fn not_found(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{} does not exist", path.display()))
}

fn exists(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, format!("{} exists", path.display()))
}

fn names(path: &Path) -> impl Iterator<Item = String> {
    path.components().filter_map(|c| match c {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    })
}

impl Image {
    fn find(&self, path: &Path) -> io::Result<usize> {
        names(path).try_fold(ROOT, |at, name| match &self.nodes[at] {
            Node::Dir(dir) => dir.volatile.get(&name).copied().ok_or_else(|| not_found(path)),
            Node::File(_) => Err(not_found(path)),
        })
    }

    pub fn find_file(&self, path: &Path) -> io::Result<usize> {
        let node = self.find(path)?;
        match self.nodes[node] {
            Node::File(_) => Ok(node),
            Node::Dir(_) => Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory")),
        }
    }

    pub fn find_dir(&self, path: &Path) -> io::Result<usize> {
        let node = self.find(path)?;
        match self.nodes[node] {
            Node::Dir(_) => Ok(node),
            Node::File(_) => {
                Err(io::Error::new(io::ErrorKind::NotADirectory, "is not a directory"))
            }
        }
    }

    /// The directory of `path` and its name there.
    fn place(&self, path: &Path) -> io::Result<(usize, String)> {
        let name = names(path).last().ok_or_else(|| not_found(path))?;
        let dir = self.find_dir(path.parent().unwrap_or(Path::new("")))?;
        Ok((dir, name))
    }

    fn change(&mut self, changes: Vec<(usize, String, Option<usize>)>) {
        for (dir, name, node) in &changes {
            if let Node::Dir(dir) = &mut self.nodes[*dir] {
                apply(&mut dir.volatile, name, *node);
            }
        }
        self.unsynced.push(NameChange(changes));
    }

    fn file(&mut self, node: usize) -> Option<&mut FileNode> {
        match &mut self.nodes[node] {
            Node::File(file) => Some(file),
            Node::Dir(_) => None,
        }
    }

    pub fn create_dirs(&mut self, path: &Path) -> io::Result<()> {
        let mut at = ROOT;
        for name in names(path) {
            let Node::Dir(dir) = &self.nodes[at] else {
                return Err(exists(path));
            };
            at = match dir.volatile.get(&name) {
                Some(&node) => node,
                None => {
                    let node = self.nodes.len();
                    self.nodes.push(Node::Dir(DirNode::default()));
                    self.change(vec![(at, name, Some(node))]);
                    node
                }
            };
        }
        self.find_dir(path).map(|_| ())
    }

    pub fn create_file(&mut self, path: &Path) -> io::Result<usize> {
        let (dir, name) = self.place(path)?;
        if self.find(path).is_ok() {
            return Err(exists(path));
        }
        let node = self.nodes.len();
        self.nodes.push(Node::File(FileNode::default()));
        self.change(vec![(dir, name, Some(node))]);
        Ok(node)
    }

    pub fn hard_link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.find_file(from)?;
        let (dir, name) = self.place(to)?;
        if self.find(to).is_ok() {
            return Err(exists(to));
        }
        self.change(vec![(dir, name, Some(node))]);
        Ok(())
    }

    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.find_file(from)?;
        let (from_dir, from_name) = self.place(from)?;
        let (to_dir, to_name) = self.place(to)?;
        if (from_dir, &from_name) != (to_dir, &to_name) {
            self.change(vec![(from_dir, from_name, None), (to_dir, to_name, Some(node))]);
        }
        Ok(())
    }

    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.find_file(path)?;
        let (dir, name) = self.place(path)?;
        self.change(vec![(dir, name, None)]);
        Ok(())
    }

    pub fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        match &self.nodes[self.find_dir(path)?] {
            Node::Dir(dir) => Ok(dir.volatile.keys().cloned().collect()),
            Node::File(_) => Err(not_found(path)),
        }
    }

    pub fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let node = self.find(path)?;
        let is_dir = matches!(self.nodes[node], Node::Dir(_));
        Ok(Metadata { len: self.bytes(node).len() as u64, is_dir })
    }

    pub fn bytes(&self, node: usize) -> &[u8] {
        match &self.nodes[node] {
            Node::File(file) => &file.volatile,
            Node::Dir(_) => &[],
        }
    }

    pub fn append(&mut self, node: usize, bytes: &[u8]) {
        if let Some(file) = self.file(node) {
            file.volatile.extend_from_slice(bytes);
            file.unsynced.push(DataChange::Append(bytes.to_vec()));
        }
    }

    pub fn truncate(&mut self, node: usize, len: u64) {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if let Some(file) = self.file(node) {
            file.volatile.truncate(len);
            file.unsynced.push(DataChange::Truncate(len));
        }
    }

    pub fn sync_file(&mut self, node: usize) {
        if let Some(file) = self.file(node) {
            for change in std::mem::take(&mut file.unsynced) {
                apply_data(&mut file.durable, &change);
            }
        }
    }

    /// A failed sync: the pages count as clean and never reach the disk.
    pub fn drop_unsynced(&mut self, node: usize) {
        if let Some(file) = self.file(node) {
            for change in std::mem::take(&mut file.unsynced) {
                match change {
                    DataChange::Append(bytes) => {
                        file.durable.resize(file.durable.len() + bytes.len(), 0)
                    }
                    DataChange::Truncate(len) => file.durable.truncate(len),
                }
            }
        }
    }

    /// Makes the names in `dir` durable, with everything they depend on: a move takes the
    /// other directory's changes up to it along.
    pub fn sync_dir(&mut self, dir: usize) {
        let mut until: HashMap<usize, usize> = HashMap::from([(dir, usize::MAX)]);
        let mut included = BTreeSet::new();
        for (i, change) in self.unsynced.iter().enumerate().rev() {
            let covered = change.0.iter().any(|(d, ..)| until.get(d).is_some_and(|&u| i < u));
            if covered {
                included.insert(i);
                for (d, ..) in &change.0 {
                    let limit = until.entry(*d).or_insert(0);
                    *limit = (*limit).max(i + 1);
                }
            }
        }
        let unsynced = std::mem::take(&mut self.unsynced);
        for (i, change) in unsynced.into_iter().enumerate() {
            if included.contains(&i) {
                self.settle(&change);
            } else {
                self.unsynced.push(change);
            }
        }
    }

    fn settle(&mut self, change: &NameChange) {
        for (dir, name, node) in &change.0 {
            if let Node::Dir(dir) = &mut self.nodes[*dir] {
                apply(&mut dir.durable, name, *node);
            }
        }
    }

    pub fn flip(&mut self, path: &Path, offset: u64, mask: u8) -> io::Result<()> {
        let node = self.find_file(path)?;
        self.sync_file(node);
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes =
            self.file(node).and_then(|f| Some((f.volatile.get_mut(at)?, f.durable.get_mut(at)?)));
        let (volatile, durable) = bytes.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "offset is beyond the file's end")
        })?;
        *volatile ^= mask;
        *durable ^= mask;
        Ok(())
    }

    /// One of the images a power cut can leave, chosen by `rng`.
    pub fn after_crash(&self, rng: &mut Rng) -> Self {
        let mut image = self.clone();
        let kept = self.kept_changes(rng);
        for (i, change) in self.unsynced.iter().enumerate() {
            if kept.contains(&i) {
                image.settle(change);
            }
        }
        image.unsynced.clear();
        for node in &mut image.nodes {
            match node {
                Node::File(file) => file.crash(rng),
                Node::Dir(dir) => dir.volatile = dir.durable.clone(),
            }
        }
        image
    }

    /// Of each directory's unsynced changes a prefix; a move is in both or in neither.
    fn kept_changes(&self, rng: &mut Rng) -> BTreeSet<usize> {
        let mut of_dir: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (i, change) in self.unsynced.iter().enumerate() {
            let dirs: BTreeSet<usize> = change.0.iter().map(|(d, ..)| *d).collect();
            for dir in dirs {
                of_dir.entry(dir).or_default().push(i);
            }
        }
        let mut until: BTreeMap<usize, usize> = BTreeMap::new();
        for (&dir, changes) in &of_dir {
            let keep = rng.range(0, changes.len() as u64) as usize;
            until.insert(dir, changes.get(keep).copied().unwrap_or(usize::MAX));
        }
        let keeps = |until: &BTreeMap<usize, usize>, dir: usize, i: usize| {
            until.get(&dir).is_some_and(|&u| i < u)
        };
        loop {
            let mut settled = true;
            for (i, change) in self.unsynced.iter().enumerate() {
                let kept = change.0.iter().filter(|(d, ..)| keeps(&until, *d, i)).count();
                if kept > 0 && kept < change.0.len() {
                    settled = false;
                    for (dir, ..) in &change.0 {
                        let limit = until.entry(*dir).or_insert(i);
                        *limit = (*limit).min(i);
                    }
                }
            }
            if settled {
                break;
            }
        }
        let all = |i: usize| self.unsynced[i].0.iter().all(|(d, ..)| keeps(&until, *d, i));
        (0..self.unsynced.len()).filter(|&i| all(i)).collect()
    }
}

impl FileNode {
    /// Keeps a prefix of the unsynced changes, the last one perhaps in part, perhaps with
    /// pages missing.
    fn crash(&mut self, rng: &mut Rng) {
        let changes = std::mem::take(&mut self.unsynced);
        let keep = rng.range(0, changes.len() as u64) as usize;
        let mut unsure = self.durable.len();
        for change in &changes[..keep] {
            apply_data(&mut self.durable, change);
            unsure = unsure.min(self.durable.len());
        }
        if let Some(DataChange::Append(bytes)) = changes.get(keep) {
            let torn = rng.range(0, bytes.len() as u64) as usize;
            self.durable.extend_from_slice(&bytes[..torn]);
        }
        if self.durable.len() > unsure && rng.chance(30) {
            let pages = self.durable.len() / PAGE_BYTES - unsure / PAGE_BYTES + 1;
            let page = unsure / PAGE_BYTES + rng.range(1, pages as u64) as usize - 1;
            let from = (page * PAGE_BYTES).max(unsure);
            let to = ((page + 1) * PAGE_BYTES).min(self.durable.len());
            self.durable[from..to.max(from)].fill(0);
        }
        self.volatile = self.durable.clone();
    }
}

fn apply(names: &mut BTreeMap<String, usize>, name: &str, node: Option<usize>) {
    match node {
        Some(node) => names.insert(name.to_owned(), node),
        None => names.remove(name),
    };
}

fn apply_data(bytes: &mut Vec<u8>, change: &DataChange) {
    match change {
        DataChange::Append(more) => bytes.extend_from_slice(more),
        DataChange::Truncate(len) => bytes.truncate(*len),
    }
}
