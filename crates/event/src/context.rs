//! What a record means beyond its own bytes; content-addressed and stored before first use.

use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a feed's records are read.
///
/// `parse` is a pure function of context, record header and bytes, so everything that may
/// change the meaning of a line is in here. Contexts are stored as their canonical JSON and
/// named by its hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The tenant that owns the records.
    pub tenant: String,
    /// The tenant's configured inflow, such as `syslog` or `ingest`.
    pub feed: String,
    /// A source by name, or recognition.
    pub source: SourceChoice,
    /// Lines that came before the records and name their columns (Zeek TSV, W3C extended).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// How bytes become text.
    #[serde(default)]
    pub charset: Charset,
    /// IANA zone or offset of stamps without a zone; UTC where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Against what stamps without a year are resolved.
    pub reference: Reference,
    /// Where the records came from: a file's path as given, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The host the feed names for its records (`--path '{host}/...'`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The user the feed names for its records (`--path '.../{user}.bash_history'`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// Which source reads a feed's records.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceChoice {
    /// Recognise the source from the record.
    Auto,
    /// This source only.
    Named(String),
}

/// How bytes become text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charset {
    /// UTF-8; a record that is not is read in the Japanese charset it shows itself to be in,
    /// else its bytes are replaced. Either is flagged, and `raw_bytes` keeps the record.
    #[default]
    Auto,
    /// UTF-8; other bytes are replaced in text and kept in `raw_bytes`.
    Utf8,
    /// UTF-16, low byte first.
    Utf16le,
    /// UTF-16, high byte first.
    Utf16be,
    /// Shift_JIS with Microsoft's extensions (CP932, Windows-31J).
    ShiftJis,
    /// EUC-JP.
    EucJp,
    /// ISO-2022-JP, which switches by escape sequences.
    Iso2022Jp,
}

impl Charset {
    /// Every charset that can be configured.
    pub const ALL: [Self; 7] = [
        Self::Auto,
        Self::Utf8,
        Self::Utf16le,
        Self::Utf16be,
        Self::ShiftJis,
        Self::EucJp,
        Self::Iso2022Jp,
    ];

    /// The name shown to people and taken by `--charset`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Utf8 => "utf-8",
            Self::Utf16le => "utf-16le",
            Self::Utf16be => "utf-16be",
            Self::ShiftJis => "shift_jis",
            Self::EucJp => "euc-jp",
            Self::Iso2022Jp => "iso-2022-jp",
        }
    }

    /// The charset of a name, by any case and with `-` or `_`; common other names are known.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase().replace('_', "-");
        let known = match word.as_str() {
            "utf8" => "utf-8",
            "utf16le" | "utf-16" | "unicode" => "utf-16le",
            "utf16be" => "utf-16be",
            "cp932" | "ms932" | "windows-31j" | "sjis" | "shift-jis" => "shift_jis",
            "eucjp" => "euc-jp",
            "jis" => "iso-2022-jp",
            other => other,
        };
        Self::ALL.into_iter().find(|charset| charset.word() == known)
    }
}

/// Against what a stamp without a year is resolved (DESIGN, "Time").
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// The record's own received time: live feeds.
    Received,
    /// This time in microseconds: batches.
    At(Micros),
}

/// The first 16 bytes of the BLAKE3 hash of a context's canonical JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ContextId(pub [u8; 16]);

impl Context {
    /// A context with no charset given, no zone, no headers and no names.
    pub fn new(tenant: &str, feed: &str, source: SourceChoice, reference: Reference) -> Self {
        Self {
            tenant: tenant.to_owned(),
            feed: feed.to_owned(),
            source,
            headers: Vec::new(),
            charset: Charset::Auto,
            time_zone: None,
            reference,
            path: String::new(),
            host: None,
            user: None,
        }
    }

    /// The bytes that are stored and hashed.
    pub fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The content address.
    pub fn id(&self) -> ContextId {
        let mut id = [0u8; 16];
        id.copy_from_slice(&blake3::hash(&self.canonical()).as_bytes()[..16]);
        ContextId(id)
    }
}

impl ContextId {
    /// Reads the 32 hexadecimal digits that `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        digits.then(|| u128::from_str_radix(text, 16).ok().map(|id| Self(id.to_be_bytes())))?
    }
}

impl fmt::Display for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_charset_has_a_name_that_is_taken() {
        for charset in Charset::ALL {
            assert_eq!(Charset::from_word(charset.word()), Some(charset));
            assert_eq!(Charset::from_word(&charset.word().to_uppercase()), Some(charset));
        }
        assert_eq!(Charset::from_word("CP932"), Some(Charset::ShiftJis));
        assert_eq!(Charset::from_word("latin-1"), None);
    }

    #[test]
    fn the_id_follows_the_content_and_survives_json() -> Result<(), serde_json::Error> {
        let a = Context::new("default", "syslog", SourceChoice::Auto, Reference::Received);
        let mut b = a.clone();
        b.host = Some("web1".into());
        assert_ne!(a.id(), b.id());
        let back: Context = serde_json::from_slice(&b.canonical())?;
        assert_eq!(back.id(), b.id());
        Ok(())
    }
}
