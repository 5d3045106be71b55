//! The loaded set of sources: the built-in ones and a data directory's, which win by name.

use crate::def::{self, Names, Source, SourceError, SourceText};
use std::path::Path;
use yagura_event::{ClassUid, FieldTableBuilder, LogsourceId, LogsourceTable, SourceChoice};

/// Definitions embedded at compile time: folder, `source.toml`, `messages.toml`.
const BUILTIN: &[(&str, Option<&str>, Option<&str>)] =
    &include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// Largest definition file read from a data directory, in bytes; larger ones are refused.
pub const DEFINITION_BYTES_MAX: u64 = 4 << 20;

/// A loaded, checked set of sources, sorted by name. A source's index is its place in it.
#[derive(Debug)]
pub struct Sources {
    texts: Vec<SourceText>,
    pub(crate) list: Vec<Source>,
    pub(crate) names: Names,
    logsources: LogsourceTable,
    hash: [u8; 16],
}

/// What `yagura sources` shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceInfo<'a> {
    /// The source's name.
    pub name: &'a str,
    /// Products it reads.
    pub products: &'a [String],
    /// Its decoders, joined by `+`.
    pub decoder: String,
    /// Names of the OCSF classes it gives, sorted, without the Base Event.
    pub classes: Vec<&'static str>,
}

impl Sources {
    /// The built-in sources.
    ///
    /// # Errors
    /// The first fault of a definition.
    pub fn builtin() -> Result<Self, SourceError> {
        Self::compile(builtin_texts())
    }

    /// The built-in sources and those in the folders of `dir`, which win by name. A missing
    /// `dir` holds none.
    ///
    /// # Errors
    /// The first fault of a definition, or a file that cannot be read.
    pub fn load(dir: &Path) -> Result<Self, SourceError> {
        let mut texts = builtin_texts();
        for text in read_dir(dir)? {
            texts.retain(|known| known.name != text.name);
            texts.push(text);
        }
        Self::compile(texts)
    }

    /// Compiles definitions.
    ///
    /// # Errors
    /// The first fault, by source name.
    pub fn compile(mut texts: Vec<SourceText>) -> Result<Self, SourceError> {
        texts.sort_by(|a, b| a.name.cmp(&b.name));
        let (mut names, mut logsources) = (Names::default(), LogsourceTable::default());
        for name in WELL_KNOWN {
            names.intern(name);
        }
        let list = texts
            .iter()
            .map(|text| def::compile(text, &mut names, &mut logsources))
            .collect::<Result<Vec<_>, _>>()?;
        let hash = hash(&texts);
        Ok(Self { texts, list, names, logsources, hash })
    }

    /// Interns every field name the sources know.
    pub fn intern(&self, fields: &mut FieldTableBuilder) {
        for name in self.names.all() {
            fields.intern(name);
        }
    }

    /// The distinct logsources that events can have.
    pub fn logsources(&self) -> &LogsourceTable {
        &self.logsources
    }

    /// The name of the source with this index; `None` for `u16::MAX` (not recognised).
    pub fn name(&self, index: u16) -> Option<&str> {
        self.list.get(usize::from(index)).map(|source| source.name.as_str())
    }

    /// The index of a source by name.
    pub fn find(&self, name: &str) -> Option<u16> {
        self.list.iter().position(|source| source.name == name).map(|at| at as u16)
    }

    /// Logsource and class of everything that records of a source may be.
    pub fn events_of(&self, index: u16) -> impl Iterator<Item = (LogsourceId, ClassUid)> + '_ {
        let events = self.list.get(usize::from(index)).into_iter().flat_map(|s| &s.events);
        events.map(|event| (event.logsource, event.class))
    }

    /// Whether records of this choice may have header lines before them
    /// ([`crate::Framer::with_headers`]).
    pub fn reads_headers(&self, choice: &SourceChoice) -> bool {
        let SourceChoice::Named(name) = choice else { return true };
        let source = self.list.iter().find(|source| source.name == *name);
        source.is_some_and(|s| s.decoders.iter().any(|d| d.reads_header().is_some()))
    }

    /// Every source, by name.
    pub fn list(&self) -> impl Iterator<Item = SourceInfo<'_>> {
        self.list.iter().map(|source| {
            let mut classes: Vec<_> = source
                .events
                .iter()
                .filter(|event| event.class.0 != 0)
                .map(|event| event.class.class().name)
                .collect();
            classes.sort_unstable();
            classes.dedup();
            SourceInfo {
                name: &source.name,
                products: &source.products,
                decoder: source.decode.join("+"),
                classes,
            }
        })
    }

    /// The content address of the whole set.
    pub fn hash(&self) -> [u8; 16] {
        self.hash
    }

    /// The definitions' text, for an epoch's store.
    pub fn texts(&self) -> &[SourceText] {
        &self.texts
    }
}

/// Names that decoders write whatever the definitions say.
const WELL_KNOWN: &[&str] = &[
    "pri",
    "facility",
    "severity",
    "version",
    "timestamp",
    "hostname",
    "program",
    "pid",
    "msgid",
    "message",
    "kind",
    "host",
    "user",
    "_path",
    "date-time",
    "cs-uri",
];

fn builtin_texts() -> Vec<SourceText> {
    BUILTIN
        .iter()
        .map(|(name, source, messages)| SourceText {
            name: (*name).to_owned(),
            source: (format!("sources/{name}/source.toml"), source.unwrap_or_default().to_owned()),
            messages: messages
                .map(|text| (format!("sources/{name}/messages.toml"), text.to_owned())),
        })
        .collect()
}

fn read_dir(dir: &Path) -> Result<Vec<SourceText>, SourceError> {
    let unreadable = |path: &Path, error: std::io::Error| {
        SourceError::file(&path.display().to_string(), format!("cannot be read: {error}"))
    };
    let read = |path: &Path| -> Result<(String, String), SourceError> {
        let length = path.metadata().map_err(|error| unreadable(path, error))?.len();
        if length > DEFINITION_BYTES_MAX {
            let message = format!("longer than {DEFINITION_BYTES_MAX} bytes");
            return Err(SourceError::file(&path.display().to_string(), message));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
        Ok((path.display().to_string(), text))
    };
    let mut texts = Vec::new();
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(texts) };
    for entry in entries {
        let folder = entry.map_err(|error| unreadable(dir, error))?.path();
        let (source, messages) = (folder.join("source.toml"), folder.join("messages.toml"));
        if !source.is_file() {
            continue;
        }
        texts.push(SourceText {
            name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            source: read(&source)?,
            messages: if messages.is_file() { Some(read(&messages)?) } else { None },
        });
    }
    Ok(texts)
}

fn hash(texts: &[SourceText]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"yagura sources 1");
    for text in texts {
        let messages = text.messages.as_ref().map_or("", |(_, text)| text.as_str());
        for part in [text.name.as_str(), text.source.1.as_str(), messages] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    let mut head = [0; 16];
    hasher.finalize_xof().fill(&mut head);
    head
}
