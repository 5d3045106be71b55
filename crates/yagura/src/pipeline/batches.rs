//! Open batches: their matches in spill files, correlated when the batch closes.

use crate::pipeline::judge::JudgeError;
use crate::pipeline::snapshot::{BatchState, aside};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yagura_detect::correlate::spill::{SORT_CHUNK_BYTES, SpillReader, SpillWriter, sort};
use yagura_detect::correlate::{BatchCorrelator, Limits, Plan};
use yagura_disk::{File, Fs, create_dirs};
use yagura_event::{Finding, Lsn, Match};

/// Folder of the spill files in the data directory.
pub const BATCH_DIR: &str = "batches";

/// Bytes of matches gathered before they are appended to the file.
const BUFFER_BYTES: usize = 1024 * 1024;

/// The batches that are open, or closed and still needed by a replay.
pub struct Batches {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    open: BTreeMap<u64, Batch>,
    /// Streams whose position changed since the last commit: (batch, stream, records).
    moved: BTreeMap<(u64, u64), u64>,
}

struct Batch {
    tenant: String,
    settings: String,
    file: Option<Box<dyn File>>,
    writer: SpillWriter<Vec<u8>>,
    closed: bool,
    /// Its tenant is gone, and so is what it says.
    erased: bool,
    streams: BTreeMap<u64, u64>,
}

impl Batches {
    /// No batch is open.
    pub fn new(fs: Arc<dyn Fs>, data: &Path) -> Self {
        Self { fs, dir: data.join(BATCH_DIR), open: BTreeMap::new(), moved: BTreeMap::new() }
    }

    /// Takes up the batches of a snapshot, each spill file cut to the length it had there.
    ///
    /// # Errors
    /// [`JudgeError::Aside`] where a file is missing or shorter than it was.
    pub fn restore(&mut self, states: &[BatchState]) -> Result<(), JudgeError> {
        for state in states {
            let mut file = None;
            if state.spilled == 0 {
                // The snapshot is older than the file: the replay writes it anew.
                self.remove_left(state.batch)?;
            } else {
                let mut opened = self
                    .fs
                    .open_append(&self.path(state.batch))
                    .map_err(aside("open a batch's spill file"))?;
                let len = opened.len().map_err(aside("measure a batch's spill file"))?;
                if len < state.spilled {
                    return Err(JudgeError::Aside(format!(
                        "the spill file of batch {} has {len} bytes of {}; restore it",
                        state.batch, state.spilled
                    )));
                }
                opened.truncate(state.spilled).map_err(aside("cut a batch's spill file"))?;
                file = Some(opened);
            }
            self.open.insert(
                state.batch,
                Batch {
                    tenant: state.tenant.clone(),
                    settings: state.settings.clone(),
                    file,
                    writer: SpillWriter::resume(Vec::new(), state.spilled),
                    closed: false,
                    erased: false,
                    streams: state.streams.iter().copied().collect(),
                },
            );
        }
        Ok(())
    }

    /// Begins a batch; one that is open already goes on.
    ///
    /// # Errors
    /// [`JudgeError::Aside`].
    pub fn open(&mut self, batch: u64, tenant: &str, settings: &str) -> Result<(), JudgeError> {
        if self.open.contains_key(&batch) {
            return Ok(());
        }
        // A process that died after this entry may have left a file: the replay writes it anew.
        self.remove_left(batch)?;
        let opened = Batch {
            tenant: tenant.to_owned(),
            settings: settings.to_owned(),
            file: None,
            writer: SpillWriter::resume(Vec::new(), 0),
            closed: false,
            erased: false,
            streams: BTreeMap::new(),
        };
        self.open.insert(batch, opened);
        Ok(())
    }

    /// Forgets the batches of a tenant; returns their numbers. Their files go with the next
    /// snapshot: the one before may still name them.
    pub fn forget(&mut self, tenant: &str) -> BTreeSet<u64> {
        let of = self.open.iter_mut().filter(|(_, batch)| batch.tenant == tenant);
        let mut numbers = BTreeSet::new();
        for (number, batch) in of {
            (batch.closed, batch.erased) = (true, true);
            numbers.insert(*number);
        }
        self.moved.retain(|(batch, _), _| !numbers.contains(batch));
        numbers
    }

    /// Whether a batch is known, and of a tenant that is.
    pub fn knows(&self, batch: u64) -> bool {
        self.open.get(&batch).is_some_and(|batch| !batch.erased)
    }

    /// Counts a record of a batch's stream; `new` where the store does not know it yet.
    pub fn progress(&mut self, batch: u64, stream: u64, new: bool) {
        let Some(state) = self.open.get_mut(&batch) else { return };
        let records = state.streams.entry(stream).or_default();
        *records += 1;
        if new {
            self.moved.insert((batch, stream), *records);
        }
    }

    /// Appends a match to its batch's file.
    ///
    /// # Errors
    /// [`JudgeError::Aside`].
    pub fn spill(&mut self, found: &Match) -> Result<(), JudgeError> {
        let number = found.batch;
        let Some(batch) = self.open.get_mut(&number) else { return Ok(()) };
        if batch.writer.bytes() == 0 {
            batch.writer = SpillWriter::create(Vec::new()).map_err(aside("begin a spill file"))?;
        }
        batch.writer.append(found).map_err(aside("spill a match"))?;
        if batch.writer.get_mut().len() >= BUFFER_BYTES {
            self.write(number, false)?;
        }
        Ok(())
    }

    /// Makes every spill file durable and describes the batches for a snapshot.
    ///
    /// # Errors
    /// [`JudgeError::Aside`].
    pub fn sync(&mut self) -> Result<Vec<BatchState>, JudgeError> {
        let numbers: Vec<u64> = self.open.keys().copied().collect();
        for number in numbers {
            self.write(number, true)?;
        }
        if !self.open.is_empty() && self.fs.exists(&self.dir).map_err(aside("see the batches"))? {
            self.fs.sync_dir(&self.dir).map_err(aside("sync the batches' folder"))?;
        }
        // A batch closed by now is not needed by a replay that begins at this snapshot.
        let open = self.open.iter().filter(|(_, batch)| !batch.closed);
        Ok(open.map(|(number, batch)| batch.state(*number)).collect())
    }

    fn write(&mut self, number: u64, sync: bool) -> Result<(), JudgeError> {
        let path = self.path(number);
        let Some(batch) = self.open.get_mut(&number) else { return Ok(()) };
        let bytes = std::mem::take(batch.writer.get_mut());
        if batch.file.is_none() && !bytes.is_empty() {
            create_dirs(self.fs.as_ref(), &self.dir)
                .map_err(aside("create the batches' folder"))?;
            batch.file = Some(self.fs.create_new(&path).map_err(aside("create a spill file"))?);
        }
        let Some(file) = &mut batch.file else { return Ok(()) };
        if !bytes.is_empty() {
            file.append(&bytes).map_err(aside("append to a spill file"))?;
        }
        if sync {
            file.sync().map_err(aside("sync a spill file"))?;
        }
        Ok(())
    }

    /// Ends a batch: its matches sorted by event time and correlated on their own.
    ///
    /// # Errors
    /// [`JudgeError::Aside`].
    pub fn close(
        &mut self,
        number: u64,
        aborted: bool,
        plan: Arc<Plan>,
        lsn: Lsn,
    ) -> Result<Vec<Finding>, JudgeError> {
        self.write(number, false)?;
        let path = self.path(number);
        let Some(batch) = self.open.get_mut(&number) else { return Ok(Vec::new()) };
        batch.closed = true;
        if aborted || batch.erased || batch.file.is_none() {
            return Ok(Vec::new());
        }
        let bytes = self.fs.read(&path).map_err(aside("read a spill file"))?;
        let reader = SpillReader::new(Cursor::new(bytes));
        let sorted = sort([reader], SORT_CHUNK_BYTES, |run| Ok(Cursor::new(run.to_vec())))
            .map_err(aside("sort a batch's matches"))?;
        let output = BatchCorrelator::run(plan, Limits::default(), lsn, sorted)
            .map_err(aside("correlate a batch"))?;
        Ok(output.findings)
    }

    /// Positions that changed since the last call: (batch, stream, records).
    pub fn positions(&mut self) -> Vec<(u64, u64, u64)> {
        let moved = std::mem::take(&mut self.moved);
        moved.into_iter().map(|((batch, stream), records)| (batch, stream, records)).collect()
    }

    /// Removes closed batches once a snapshot behind their close is current.
    ///
    /// # Errors
    /// [`JudgeError::Aside`].
    pub fn forget_closed(&mut self) -> Result<(), JudgeError> {
        let closed: Vec<u64> =
            self.open.iter().filter(|(_, batch)| batch.closed).map(|(n, _)| *n).collect();
        for number in closed {
            if let Some(Batch { file: Some(_), .. }) = self.open.remove(&number) {
                self.fs.remove(&self.path(number)).map_err(aside("remove a spill file"))?;
            }
        }
        Ok(())
    }

    fn remove_left(&self, number: u64) -> Result<(), JudgeError> {
        let path = self.path(number);
        if self.fs.exists(&path).map_err(aside("look for a batch's spill file"))? {
            self.fs.remove(&path).map_err(aside("remove a batch's old spill file"))?;
        }
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number:020}.spill"))
    }
}

impl Batch {
    fn state(&self, batch: u64) -> BatchState {
        BatchState {
            batch,
            tenant: self.tenant.clone(),
            settings: self.settings.clone(),
            spilled: self.writer.bytes(),
            streams: self.streams.iter().map(|(stream, records)| (*stream, *records)).collect(),
        }
    }
}
