//! Rules and sources that were in force, kept by content so that a replay uses the same.

use crate::engine::Engine;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yagura_detect::RuleSet;
use yagura_disk::{Fs, create_dirs, write_atomic};
use yagura_event::Lsn;
use yagura_journal::{Entry, EntryKind, JournalHandle};
use yagura_parse::{SourceText, Sources};

const DIR: &str = "epochs";
const HISTORY: &str = "history.json";

/// What an engine is built from.
#[derive(Serialize, Deserialize)]
struct Content {
    rules: Vec<(String, String)>,
    sources: Vec<Text>,
}

#[derive(Serialize, Deserialize)]
struct Text {
    name: String,
    source: (String, String),
    messages: Option<(String, String)>,
}

/// The epochs of a data directory.
#[derive(Clone)]
pub struct Epochs {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
}

impl Epochs {
    /// The epochs of `data`.
    pub fn new(fs: Arc<dyn Fs>, data: &Path) -> Self {
        Self { fs, dir: data.join(DIR) }
    }

    /// Keeps what `engine` was built from.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn save(&self, engine: &Engine, rules: &[(String, String)]) -> anyhow::Result<()> {
        let path = self.path(engine.hash());
        if self.fs.exists(&path)? {
            return Ok(());
        }
        let sources = engine.sources().texts().iter().map(|text| Text {
            name: text.name.clone(),
            source: text.source.clone(),
            messages: text.messages.clone(),
        });
        let content = Content { rules: rules.to_vec(), sources: sources.collect() };
        create_dirs(self.fs.as_ref(), &self.dir)?;
        write_atomic(self.fs.as_ref(), &path, &serde_json::to_vec(&content)?)
            .context("cannot keep the rules in force")
    }

    /// Builds the engine of `hash`.
    ///
    /// # Errors
    /// Where the epoch is not there or not what its name says.
    pub fn load(&self, hash: [u8; 16]) -> anyhow::Result<Arc<Engine>> {
        let bytes =
            self.fs.read(&self.path(hash)).context("cannot read rules that were in force")?;
        let content: Content = serde_json::from_slice(&bytes)?;
        let texts = content.sources.into_iter().map(|text| SourceText {
            name: text.name,
            source: text.source,
            messages: text.messages,
        });
        let sources = Sources::compile(texts.collect())?;
        let engine = Engine::new(Arc::new(sources), Arc::new(RuleSet::load(content.rules)));
        if engine.hash() != hash {
            bail!(
                "rules that were in force are damaged; restore the folder {}",
                self.dir.display()
            );
        }
        Ok(Arc::new(engine))
    }

    /// Positions at which epochs began, completed from the journal and written back.
    ///
    /// # Errors
    /// Those of the journal and of the file.
    pub fn history(&self, journal: &JournalHandle) -> anyhow::Result<Vec<(u64, u128)>> {
        let path = self.dir.join(HISTORY);
        let mut history: Vec<(u64, u128)> = match self.fs.exists(&path)? {
            true => serde_json::from_slice(&self.fs.read(&path)?)?,
            false => Vec::new(),
        };
        let known = history.last().map_or(0, |(lsn, _)| *lsn);
        let first = journal.stats().first.0.max(known + 1);
        if first <= journal.durable().0 {
            let mut reader = journal.reader(Lsn(first));
            while let Some(chunk) = reader.next_chunk()? {
                for entry in chunk.iter().filter(|e| e.kind == EntryKind::Epoch) {
                    if let Entry::Epoch { hash } = entry.entry()? {
                        history.push((entry.lsn.0, u128::from_be_bytes(hash)));
                    }
                }
            }
        }
        self.write(&history)?;
        Ok(history)
    }

    /// Replaces the positions.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self, history: &[(u64, u128)]) -> anyhow::Result<()> {
        let (path, bytes) = (self.dir.join(HISTORY), serde_json::to_vec(history)?);
        create_dirs(self.fs.as_ref(), &self.dir)
            .and_then(|()| write_atomic(self.fs.as_ref(), &path, &bytes))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn path(&self, hash: [u8; 16]) -> PathBuf {
        self.dir.join(format!("{:032x}.json", u128::from_be_bytes(hash)))
    }
}
