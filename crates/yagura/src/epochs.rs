//! Rules, sources and indicators that were in force, kept by content so that a replay uses the
//! same.
//!
//! An epoch is one JSON file. It names the rules' texts, the sources' texts, indicator lists and
//! warning lists, each of which is a file of its own, `parts/<content hash>.zst`: a list that
//! changes every hour, or a rule that is switched off and on, does not keep the others with it.

use crate::engine::Engine;
use crate::intel::Intel;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yagura_detect::RuleSet;
use yagura_disk::{Fs, create_dirs, write_atomic};
use yagura_enrich::{Indicators, List, WarningList, Warnings};
use yagura_event::Lsn;
use yagura_journal::{Entry, EntryKind, JournalHandle};
use yagura_parse::{SourceText, Sources};

/// Folder of the epochs in the data directory.
pub const DIR: &str = "epochs";
const HISTORY: &str = "history.json";
const PARTS: &str = "parts";

/// zstd's own choice between speed and size.
const PARTS_LEVEL: i32 = 3;

/// What an engine is built from.
#[derive(Serialize, Deserialize)]
struct Content {
    /// Content address of the rule files' paths and texts.
    rules: String,
    /// Content address of the sources' texts.
    sources: String,
    /// Ids of rules that are switched off.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    off: BTreeSet<String>,
    /// Content addresses of indicator lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lists: Vec<String>,
    /// Content addresses of warning lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
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

    /// Keeps what `engine` was built from; `intel` is what its indicators were.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn save(
        &self,
        engine: &Engine,
        rules: &[(String, String)],
        intel: Option<&Intel>,
    ) -> anyhow::Result<()> {
        if self.fs.exists(&self.path(engine.hash()))? {
            return Ok(());
        }
        create_dirs(self.fs.as_ref(), &self.dir.join(PARTS))?;
        let (mut lists, mut warnings) = (Vec::new(), Vec::new());
        if let Some(intel) = intel {
            for list in &intel.lists {
                lists.push(self.save_part(&list.encode())?);
            }
            for list in &intel.warnings {
                warnings.push(self.save_part(&list.encode())?);
            }
        }
        self.write_epoch(engine, rules, lists, warnings)
    }

    /// Keeps what `engine` was built from, whose indicators are those of the epoch `like`.
    ///
    /// # Errors
    /// Where that epoch cannot be read, or a file cannot be written.
    pub fn save_like(
        &self,
        engine: &Engine,
        rules: &[(String, String)],
        like: [u8; 16],
    ) -> anyhow::Result<()> {
        if self.fs.exists(&self.path(engine.hash()))? {
            return Ok(());
        }
        let content = self.content(like)?;
        self.write_epoch(engine, rules, content.lists, content.warnings)
    }

    fn write_epoch(
        &self,
        engine: &Engine,
        rules: &[(String, String)],
        lists: Vec<String>,
        warnings: Vec<String>,
    ) -> anyhow::Result<()> {
        let sources = engine.sources().texts().iter().map(|text| Text {
            name: text.name.clone(),
            source: text.source.clone(),
            messages: text.messages.clone(),
        });
        let sources: Vec<Text> = sources.collect();
        let content = Content {
            rules: self.save_part(&serde_json::to_vec(rules)?)?,
            sources: self.save_part(&serde_json::to_vec(&sources)?)?,
            off: engine.off().clone(),
            lists,
            warnings,
        };
        let path = self.path(engine.hash());
        write_atomic(self.fs.as_ref(), &path, &serde_json::to_vec(&content)?)
            .context("cannot keep the rules in force")
    }

    fn content(&self, hash: [u8; 16]) -> anyhow::Result<Content> {
        let path = self.path(hash);
        let unread = || format!("cannot read rules that were in force, {}", path.display());
        let bytes = self.fs.read(&path).with_context(unread)?;
        serde_json::from_slice(&bytes).with_context(unread)
    }

    /// Builds the engine of `hash`.
    ///
    /// # Errors
    /// Where the epoch is not there or not what its name says.
    pub fn load(&self, hash: [u8; 16]) -> anyhow::Result<Arc<Engine>> {
        let content = self.content(hash)?;
        let texts: Vec<Text> = serde_json::from_slice(&self.part(&content.sources)?)?;
        let texts = texts.into_iter().map(|text| SourceText {
            name: text.name,
            source: text.source,
            messages: text.messages,
        });
        let sources = Sources::compile(texts.collect())?;
        let files: Vec<(String, String)> = serde_json::from_slice(&self.part(&content.rules)?)?;
        let mut engine = Engine::new(Arc::new(sources), Arc::new(RuleSet::load(files)));
        if !content.off.is_empty() {
            engine = engine.with_off(&content.off);
        }
        if !content.lists.is_empty() || !content.warnings.is_empty() {
            let lists = content.lists.iter().map(|name| Ok(List::decode(&self.part(name)?)?));
            let warnings =
                content.warnings.iter().map(|name| Ok(WarningList::decode(&self.part(name)?)?));
            let lists = lists.collect::<anyhow::Result<Vec<_>>>()?;
            let warnings = warnings.collect::<anyhow::Result<Vec<_>>>()?;
            let set = Indicators::new(&lists, Warnings::new(&warnings))?;
            engine = engine.with_indicators(Some(Arc::new(set)));
        }
        if engine.hash() != hash {
            let path = self.path(hash);
            bail!("rules that were in force are damaged; restore {}", path.display());
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
            true => serde_json::from_slice(&self.fs.read(&path)?)
                .with_context(|| format!("{} is damaged; restore it", path.display()))?,
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

    /// Keeps texts, or the canonical form of a list, under their content address.
    fn save_part(&self, content: &[u8]) -> anyhow::Result<String> {
        let name = blake3::hash(content).to_hex().to_string();
        let path = self.part_path(&name);
        if !self.fs.exists(&path)? {
            let packed = zstd::encode_all(content, PARTS_LEVEL)?;
            write_atomic(self.fs.as_ref(), &path, &packed)
                .context("cannot keep rules or indicators in force")?;
        }
        Ok(name)
    }

    fn part(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.part_path(name);
        let wrong =
            || format!("cannot read rules or indicators that were in force: {}", path.display());
        let packed = self.fs.read(&path).with_context(wrong)?;
        let content = zstd::decode_all(packed.as_slice()).with_context(wrong)?;
        anyhow::ensure!(blake3::hash(&content).to_hex().as_str() == name, wrong());
        Ok(content)
    }

    fn part_path(&self, name: &str) -> PathBuf {
        self.dir.join(PARTS).join(format!("{name}.zst"))
    }

    fn path(&self, hash: [u8; 16]) -> PathBuf {
        self.dir.join(format!("{:032x}.json", u128::from_be_bytes(hash)))
    }
}
