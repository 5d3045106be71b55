//! The object store of the tables: every operation through [`Fs`], every write durable.
//!
//! A put is a temporary file in the target's directory, synced, then linked (put if absent)
//! or renamed (overwrite) into place, and the directory synced. Object paths are relative to
//! the lake's directory.

use crate::error::LakeError;
use crate::footers::Footers;
use crate::ranges::read_close;
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetFileReaderFactory, ParquetFileReaderFactory,
};
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::execution::cache::default_cache::DefaultCache;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{
    Attributes, CopyMode, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result, UploadPart,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use yagura_disk::put::TEMPORARY_SUFFIX;
use yagura_disk::{Fs, create_dirs, put_if_absent, write_atomic};

const NAME: &str = "yagura";

/// Memory for descriptions of data files; those not asked for the longest give way.
const FOOTERS_BYTES_MAX: usize = 128 << 20;

/// Hash and length of what was put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// BLAKE3 of the bytes handed to the store, not of what the disk gives back.
    pub hash: blake3::Hash,
    /// Bytes.
    pub size: u64,
}

/// An object store over a directory of an [`Fs`].
#[derive(Clone)]
pub struct FsStore {
    fs: Arc<dyn Fs>,
    root: PathBuf,
    written: Arc<Mutex<BTreeMap<String, Written>>>,
    /// Directories whose own names are known to be durable.
    ready: Arc<Mutex<BTreeSet<PathBuf>>>,
    footers: Arc<FileMetadataCache>,
}

impl FsStore {
    /// A store over `root`.
    pub fn new(fs: Arc<dyn Fs>, root: &Path) -> Self {
        let (root, written, ready) = (root.to_owned(), Arc::default(), Arc::default());
        let footers = Arc::new(DefaultCache::new(FOOTERS_BYTES_MAX));
        Self { fs, root, written, ready, footers }
    }

    /// Reads data files for queries. What describes a file is read and understood once: a name is
    /// given to one content only.
    pub(crate) fn reader_factory(&self) -> Arc<dyn ParquetFileReaderFactory> {
        let footers = Arc::clone(&self.footers);
        let files = CachedParquetFileReaderFactory::new(Arc::new(self.clone()), footers);
        Arc::new(Footers(files))
    }

    /// The file system below.
    pub fn fs(&self) -> &Arc<dyn Fs> {
        &self.fs
    }

    /// The file of an object path.
    pub fn file(&self, object: &str) -> PathBuf {
        self.root.join(object)
    }

    /// Paths of what a directory of objects holds, as they are within it.
    ///
    /// # Errors
    /// Those of listing.
    pub async fn paths_in(&self, dir: &str) -> Result<BTreeSet<String>> {
        let prefix = ObjectPath::from(dir);
        let within = format!("{dir}/");
        let path =
            |meta: ObjectMeta| meta.location.as_ref().strip_prefix(&within).map(str::to_owned);
        self.list(Some(&prefix))
            .try_filter_map(|meta| std::future::ready(Ok(path(meta))))
            .try_collect()
            .await
    }

    /// Deletes what a process that died was writing in a directory of objects: it is whole
    /// nowhere. Only for the one that writes there.
    ///
    /// # Errors
    /// Those of listing and deleting.
    pub fn drop_temporaries(&self, dir: &str) -> io::Result<()> {
        let mut pending = vec![dir.to_owned()];
        while let Some(dir) = pending.pop() {
            let names = match self.fs.list(&self.file(&dir)) {
                Ok(names) => names,
                Err(e) if is_absent(&e) => continue,
                Err(e) => return Err(e),
            };
            for name in names {
                let path = format!("{dir}/{name}");
                if path.ends_with(TEMPORARY_SUFFIX) {
                    self.fs.remove(&self.file(&path))?;
                } else if !looks_like_file(&path) {
                    pending.push(path);
                }
            }
        }
        Ok(())
    }

    /// Names in a directory of objects, sorted; none where there is no directory.
    ///
    /// # Errors
    /// [`LakeError::Io`].
    pub(crate) fn names(&self, dir: &str) -> Result<Vec<String>, LakeError> {
        match self.fs.list(&self.file(dir)) {
            Ok(names) => Ok(names),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(LakeError::Io { action: "list", path: dir.to_owned(), source }),
        }
    }

    /// Deletes an object, if it is there.
    ///
    /// # Errors
    /// [`LakeError::Io`].
    pub(crate) fn remove(&self, object: &str) -> Result<(), LakeError> {
        match self.fs.remove(&self.file(object)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(LakeError::Io { action: "delete", path: object.to_owned(), source })
            }
            _ => Ok(()),
        }
    }

    /// Takes what was put under `prefix` since the last call, by object path.
    pub fn take_written(&self, prefix: &str) -> BTreeMap<String, Written> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, kept) =
            std::mem::take(&mut *written).into_iter().partition(|(p, _)| p.starts_with(prefix));
        *written = kept;
        taken
    }

    /// Writes an object durably, replacing one of the same name.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn put_bytes(&self, object: &str, bytes: &[u8]) -> io::Result<Written> {
        self.write(object, bytes, true)
    }

    /// Writes an object durably that no version of a table names: its hash is not kept.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn put_beside(&self, object: &str, bytes: &[u8]) -> io::Result<()> {
        let file = self.file(object);
        if let Some(dir) = file.parent() {
            self.make_ready(dir)?;
        }
        write_atomic(self.fs.as_ref(), &file, bytes)
    }

    fn write(&self, object: &str, bytes: &[u8], replace: bool) -> io::Result<Written> {
        let file = self.file(object);
        if let Some(dir) = file.parent() {
            self.make_ready(dir)?;
        }
        if replace {
            write_atomic(self.fs.as_ref(), &file, bytes)?;
        } else {
            put_if_absent(self.fs.as_ref(), &file, bytes)?;
        }
        let done = Written { hash: blake3::hash(bytes), size: bytes.len() as u64 };
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.insert(object.to_owned(), done);
        Ok(done)
    }

    /// Creates a directory and makes its name durable. One that exists may have been created
    /// by a process that died before it synced the parent, so each is synced once anyway.
    fn make_ready(&self, dir: &Path) -> io::Result<()> {
        let known =
            |dir: &Path| self.ready.lock().unwrap_or_else(PoisonError::into_inner).contains(dir);
        if known(dir) {
            return Ok(());
        }
        create_dirs(self.fs.as_ref(), dir)?;
        let above = dir.ancestors().skip(1).take_while(|at| at.starts_with(&self.root));
        for parent in above.chain(self.root.parent()).filter(|at| !at.as_os_str().is_empty()) {
            self.fs.sync_dir(parent)?;
        }
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).insert(dir.to_owned());
        Ok(())
    }

    /// Writes an object's own bytes once more, durably: after a failed sync nothing else
    /// proves that they will stay.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn rewrite(&self, object: &str) -> io::Result<()> {
        let bytes = self.fs.read(&self.file(object))?;
        self.write(object, &bytes, true).map(|_| ())
    }

    fn meta(&self, location: &ObjectPath) -> Result<ObjectMeta> {
        let found = self
            .fs
            .metadata(&self.file(location.as_ref()))
            .map_err(|e| translate(location.as_ref(), e))?;
        if found.is_dir {
            let gone = io::Error::from(io::ErrorKind::NotFound);
            return Err(translate(location.as_ref(), gone));
        }
        Ok(meta_of(location.clone(), found.len))
    }

    /// Every object below `prefix` whose path is greater than `after`; a missing directory
    /// is empty. Files that are not whole yet are left out.
    fn walk(&self, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectMeta>> {
        let mut found = Vec::new();
        let mut pending = vec![prefix.to_owned()];
        while let Some(dir) = pending.pop() {
            let names = match self.fs.list(&self.file(&dir)) {
                Ok(names) => names,
                Err(e) if is_absent(&e) => continue,
                Err(e) => return Err(translate(&dir, e)),
            };
            for name in names {
                let path = if dir.is_empty() { name } else { format!("{dir}/{name}") };
                let file = looks_like_file(&path);
                if path.ends_with(TEMPORARY_SUFFIX)
                    || (file && after.is_some_and(|after| path.as_str() <= after))
                {
                    continue;
                }
                let meta = match self.fs.metadata(&self.file(&path)) {
                    Ok(meta) => meta,
                    Err(e) if is_absent(&e) => continue,
                    Err(e) => return Err(translate(&path, e)),
                };
                if meta.is_dir {
                    pending.push(path);
                } else if after.is_none_or(|after| path.as_str() > after) {
                    let location = ObjectPath::parse(&path)
                        .map_err(|e| Error::Generic { store: NAME, source: Box::new(e) })?;
                    found.push(meta_of(location, meta.len));
                }
            }
        }
        found.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        Ok(found)
    }
}

/// Names of log entries, data files and their indexes, which need no look at the disk to be passed over.
fn looks_like_file(path: &str) -> bool {
    [".json", ".parquet", ".sums", ".idx"].iter().any(|end| path.ends_with(end))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Files are never changed in place, so their time of change says nothing: it is left at 0.
fn meta_of(location: ObjectPath, size: u64) -> ObjectMeta {
    ObjectMeta { location, last_modified: Default::default(), size, e_tag: None, version: None }
}

fn translate(path: &str, error: io::Error) -> Error {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound { path, source: Box::new(error) },
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source: Box::new(error) },
        _ => Error::Generic { store: NAME, source: format!("{path}: {error}").into() },
    }
}

impl fmt::Debug for FsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FsStore").field("root", &self.root).finish()
    }
}

impl fmt::Display for FsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FsStore({})", self.root.display())
    }
}

#[async_trait]
impl ObjectStore for FsStore {
    async fn put_opts(
        &self,
        location: &ObjectPath,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let replace = match opts.mode {
            PutMode::Overwrite => true,
            PutMode::Create => false,
            PutMode::Update(_) => {
                return Err(Error::NotSupported { source: "conditional update".into() });
            }
        };
        self.write(location.as_ref(), &Bytes::from(payload), replace)
            .map_err(|e| translate(location.as_ref(), e))?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &ObjectPath,
        _opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Upload { store: self.clone(), location: location.clone(), bytes: Vec::new() }))
    }

    async fn get_opts(&self, location: &ObjectPath, options: GetOptions) -> Result<GetResult> {
        let meta = self.meta(location)?;
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            None => 0..meta.size,
            Some(range) => {
                within(range, meta.size).ok_or_else(|| cut_short(location.as_ref(), meta.size))?
            }
        };
        let bytes = if options.head {
            Vec::new()
        } else {
            let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
            self.fs
                .read_range(&self.file(location.as_ref()), range.start, len)
                .map_err(|e| translate(location.as_ref(), e))?
        };
        let body = stream::once(async move { Ok(Bytes::from(bytes)) }).boxed();
        Ok(GetResult {
            payload: GetResultPayload::Stream(body),
            meta,
            range,
            attributes: Attributes::default(),
        })
    }

    async fn get_ranges(&self, location: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let path = location.as_ref();
        let (file, size) = (self.file(path), self.meta(location)?.size);
        if ranges.iter().any(|range| range.start > range.end || range.end > size) {
            return Err(cut_short(path, size));
        }
        read_close(ranges, |apart| {
            let length = |part: &Range<u64>| usize::try_from(part.end - part.start);
            let part = |part: &Range<u64>| (part.start, length(part).unwrap_or(usize::MAX));
            let parts: Vec<(u64, usize)> = apart.iter().map(part).collect();
            self.fs.read_ranges(&file, &parts).map_err(|e| translate(path, e))
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<ObjectPath>>,
    ) -> BoxStream<'static, Result<ObjectPath>> {
        let store = self.clone();
        locations
            .and_then(move |location| {
                let store = store.clone();
                async move {
                    match store.fs.remove(&store.file(location.as_ref())) {
                        Err(e) if !is_absent(&e) => Err(translate(location.as_ref(), e)),
                        _ => Ok(location),
                    }
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, Result<ObjectMeta>> {
        listing(self.walk(prefix.map_or("", |p| p.as_ref()), None))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&ObjectPath>,
        offset: &ObjectPath,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        listing(self.walk(prefix.map_or("", |p| p.as_ref()), Some(offset.as_ref())))
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> Result<ListResult> {
        let base = prefix.map_or("", |p| p.as_ref());
        let depth = base.split('/').filter(|part| !part.is_empty()).count();
        let mut common_prefixes: Vec<ObjectPath> = Vec::new();
        let mut objects = Vec::new();
        for meta in self.walk(base, None)? {
            let parts: Vec<_> = meta.location.parts().take(depth + 2).collect();
            if parts.len() == depth + 1 {
                objects.push(meta);
                continue;
            }
            let folder = ObjectPath::from_iter(parts.into_iter().take(depth + 1));
            if common_prefixes.last() != Some(&folder) {
                common_prefixes.push(folder);
            }
        }
        common_prefixes.dedup();
        Ok(ListResult { common_prefixes, objects })
    }

    async fn copy_opts(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: CopyOptions,
    ) -> Result<()> {
        let bytes =
            self.fs.read(&self.file(from.as_ref())).map_err(|e| translate(from.as_ref(), e))?;
        let replace = options.mode == CopyMode::Overwrite;
        self.write(to.as_ref(), &bytes, replace).map_err(|e| translate(to.as_ref(), e))?;
        Ok(())
    }
}

fn listing(found: Result<Vec<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
    match found {
        Ok(found) => stream::iter(found.into_iter().map(Ok)).boxed(),
        Err(error) => stream::once(async move { Err(error) }).boxed(),
    }
}

/// The part of an object of `size` bytes that is `range`; `None` where it has fewer: readers take
/// what they get for as much as they asked for.
fn within(range: &GetRange, size: u64) -> Option<Range<u64>> {
    let (start, end) = match range {
        GetRange::Bounded(range) => (range.start, range.end),
        GetRange::Offset(start) => (*start, size),
        GetRange::Suffix(len) => (size.saturating_sub(*len), size),
    };
    (start <= end && end <= size).then_some(start..end)
}

fn cut_short(path: &str, size: u64) -> Error {
    let text = format!("{path} is cut short: it has {size} bytes; `yagura check` says more");
    Error::Generic { store: NAME, source: text.into() }
}

/// Parts are kept in memory and put at once: only checkpoints are written this way.
#[derive(Debug)]
struct Upload {
    store: FsStore,
    location: ObjectPath,
    bytes: Vec<u8>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        for chunk in data.iter() {
            self.bytes.extend_from_slice(chunk);
        }
        Box::pin(async { Ok(()) })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let bytes = std::mem::take(&mut self.bytes);
        self.store
            .write(self.location.as_ref(), &bytes, true)
            .map_err(|e| translate(self.location.as_ref(), e))?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        self.bytes.clear();
        Ok(())
    }
}
