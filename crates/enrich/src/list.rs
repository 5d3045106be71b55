//! One list as it was read: what it says, in a canonical form that has a content address.
//!
//! ```text
//! yagura indicators 1
//! {"name":"ipsum","statements":[{"level":"medium"},...]}
//! 4 0 192.0.2.7            kind, statement, value: separated by one space each
//! ```

use crate::kind::Kind;
use crate::refusal::Refusal;
use crate::value::Value;
use ahash::AHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write as _;
use yagura_event::{Level, Micros};

/// First line of the canonical form.
const MAGIC: &[u8] = b"yagura indicators 1\n";

/// Longest name of an indicator kept, in bytes; names are for people.
pub const NAME_BYTES_MAX: usize = 200;

/// Refused entries of which the text is kept as an example, per reason.
const EXAMPLES_MAX: usize = 3;

/// Longest example, in bytes.
const EXAMPLE_BYTES_MAX: usize = 60;

/// Refused entries that are kept one by one, per list; more are only counted. Enough to see what is
/// wrong with a list, whose further entries mostly are wrong in the same way.
pub const REFUSED_KEPT_MAX: usize = 100;

/// Longest text of a refused entry that is kept, in characters.
pub const REFUSED_CHARS_MAX: usize = 200;

/// What a list says of an indicator beside its value.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Level of its matches.
    pub level: Level,
    /// Event time from which on it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Micros>,
    /// Event time from which on it holds no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Micros>,
    /// What the list calls it: a malware family, a campaign; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl Statement {
    /// The level of a list that gives no confidence.
    pub const LEVEL: Level = Level::Medium;

    /// The level of a confidence from 0 to 100, by STIX 2.1's scale (appendix A): low below
    /// 30, medium below 70, high from there. Never critical: an indicator alone is no incident.
    pub fn level_of(confidence: f64) -> Level {
        match confidence {
            c if c >= 70.0 => Level::High,
            c if c >= 30.0 => Level::Medium,
            _ => Level::Low,
        }
    }
}

impl Default for Statement {
    fn default() -> Self {
        Self { level: Self::LEVEL, from: None, until: None, name: String::new() }
    }
}

/// An entry that was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Its line, from 1; `None` in a JSON document.
    pub line: Option<u64>,
    /// As the list has it, at most [`REFUSED_CHARS_MAX`] characters of it, control characters
    /// replaced.
    pub entry: String,
    /// Why.
    pub why: Refusal,
}

/// A list that was read.
#[derive(Clone, Default, Debug)]
pub struct List {
    /// Its name, from its file.
    pub name: String,
    /// Entries taken, by kind, repeats included.
    pub taken: BTreeMap<Kind, u64>,
    /// Entries refused, by reason.
    pub refused: BTreeMap<Refusal, u64>,
    /// The first refused entries of each reason.
    pub examples: BTreeMap<Refusal, Vec<String>>,
    /// The first [`REFUSED_KEPT_MAX`] refused entries, in the order of the list.
    pub first_refused: Vec<Refused>,
    /// Why the list as a whole, or the rest of it, was not taken.
    pub fault: Option<String>,
    statements: Vec<Statement>,
    text: Vec<u8>,
}

/// Why a canonical form cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It does not begin as one does.
    #[error("it is no list of indicators of a version known here")]
    Magic,
    /// Its head or an entry is damaged.
    #[error("it is damaged at byte {0}")]
    Damaged(usize),
}

#[derive(Serialize, Deserialize)]
struct Head {
    name: String,
    statements: Vec<Statement>,
}

impl List {
    /// Entries taken.
    pub fn count(&self) -> u64 {
        self.taken.values().sum()
    }

    /// Entries refused.
    pub fn refused_count(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Statements, by their number in [`List::entries`].
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The canonical form.
    pub fn encode(&self) -> Vec<u8> {
        let head = Head { name: self.name.clone(), statements: self.statements.clone() };
        let mut out = Vec::with_capacity(self.text.len() + 1024);
        out.extend_from_slice(MAGIC);
        out.extend(serde_json::to_vec(&head).unwrap_or_default());
        out.push(b'\n');
        out.extend_from_slice(&self.text);
        out
    }

    /// Reads a canonical form.
    ///
    /// # Errors
    /// [`ListError`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, ListError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(ListError::Magic)?;
        let end = rest.iter().position(|b| *b == b'\n').ok_or(ListError::Damaged(MAGIC.len()))?;
        let head: Head =
            serde_json::from_slice(&rest[..end]).map_err(|_| ListError::Damaged(MAGIC.len()))?;
        let text = rest[end + 1..].to_vec();
        let mut list =
            Self { name: head.name, statements: head.statements, text, ..Self::default() };
        let mut taken: BTreeMap<Kind, u64> = BTreeMap::new();
        list.each(|kind, _, _| *taken.entry(kind).or_default() += 1)?;
        list.taken = taken;
        Ok(list)
    }

    /// Calls `take` with every entry: kind, statement, value in its one form.
    ///
    /// # Errors
    /// [`ListError::Damaged`] for an entry that cannot be read.
    pub fn each(&self, mut take: impl FnMut(Kind, u32, &str)) -> Result<(), ListError> {
        let mut at = 0;
        for line in self.text.split(|b| *b == b'\n') {
            if line.is_empty() {
                continue;
            }
            let damaged = || ListError::Damaged(at);
            let text = std::str::from_utf8(line).map_err(|_| damaged())?;
            let mut parts = text.splitn(3, ' ');
            let kind = parts.next().and_then(|k| Kind::from_code(*k.as_bytes().first()?));
            let statement = parts.next().and_then(|s| s.parse::<u32>().ok());
            let (Some(kind), Some(statement), Some(value)) = (kind, statement, parts.next()) else {
                return Err(damaged());
            };
            if statement as usize >= self.statements.len() {
                return Err(damaged());
            }
            take(kind, statement, value);
            at += line.len() + 1;
        }
        Ok(())
    }
}

/// Collects a list.
pub struct Builder {
    list: List,
    known: AHashMap<Statement, u32>,
    /// The statement last used: most lists have one.
    last: (Statement, u32),
}

impl Builder {
    /// Begins a list.
    pub fn new(name: &str) -> Self {
        // It becomes part of rule ids.
        let list = List { name: name.replace(char::is_control, "_"), ..List::default() };
        Self { list, known: AHashMap::new(), last: (Statement::default(), u32::MAX) }
    }

    /// Takes a value.
    pub fn take(&mut self, value: &Value, said: &Statement) {
        let statement = self.statement(said);
        let kind = value.kind();
        self.list.text.push(kind.code());
        // Writing to memory does not fail.
        let _ = writeln!(self.list.text, " {statement} {value}");
        *self.list.taken.entry(kind).or_default() += 1;
    }

    /// Counts an entry of a line that is not taken.
    pub fn refuse(&mut self, why: Refusal, entry: &str, line: Option<u64>) {
        if self.list.first_refused.len() < REFUSED_KEPT_MAX {
            let shown = entry.chars().take(REFUSED_CHARS_MAX);
            let entry = shown.map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            self.list.first_refused.push(Refused { line, entry, why });
        }
        *self.list.refused.entry(why).or_default() += 1;
        let examples = self.list.examples.entry(why).or_default();
        if examples.len() < EXAMPLES_MAX {
            let shown = crate::url::cut(entry, EXAMPLE_BYTES_MAX);
            examples.push(shown.replace(char::is_control, "\u{fffd}"));
        }
    }

    /// Entries taken so far.
    pub fn count(&self) -> u64 {
        self.list.count()
    }

    /// Entries refused so far for one reason.
    pub fn refused(&self, why: Refusal) -> u64 {
        self.list.refused.get(&why).copied().unwrap_or_default()
    }

    /// Notes that the rest was not read.
    pub fn fault(&mut self, fault: String) {
        self.list.fault.get_or_insert(fault);
    }

    /// The list.
    pub fn finish(self) -> List {
        self.list
    }

    /// The list without entries: as a whole it is refused.
    pub fn refused_whole(self, fault: String) -> List {
        List { name: self.list.name, fault: Some(fault), ..List::default() }
    }

    fn statement(&mut self, said: &Statement) -> u32 {
        if self.last.1 != u32::MAX && self.last.0 == *said {
            return self.last.1;
        }
        let next = self.list.statements.len() as u32;
        let number = *self.known.entry(said.clone()).or_insert(next);
        if number == next {
            self.list.statements.push(said.clone());
        }
        self.last = (said.clone(), number);
        number
    }
}
