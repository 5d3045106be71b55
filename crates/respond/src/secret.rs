//! Secrets by reference: `env:NAME` or `file:PATH`; never printed, never logged.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::io::Read;
use std::path::PathBuf;

/// Longest secret, in bytes; a longer file is something else.
const SECRET_BYTES_MAX: usize = 4 * 1024;

/// A secret's value. It has no `Display`, and its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Where a secret is: in an environment variable or in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretRef {
    /// `env:NAME`.
    Env(String),
    /// `file:PATH`; a line end after the secret does not belong to it.
    File(PathBuf),
    /// Something else, which may be a secret and is not kept. Only a configuration that was not
    /// checked has it: whoever reads one shows the lines that it cannot read.
    Wrong,
}

/// What is wrong with a reference that is none.
const BY_REFERENCE: &str = "a secret is given by reference, as env:NAME or file:PATH";

impl SecretRef {
    /// Reads a reference.
    pub fn parse(text: &str) -> Self {
        let sound = |rest: &&str| !rest.is_empty() && !rest.contains(['\0', '\n', '\r', '=']);
        let whole = |rest: &&str| !rest.is_empty() && !rest.contains(['\0', '\n', '\r']);
        if let Some(name) = text.strip_prefix("env:").filter(sound) {
            return Self::Env(name.to_owned());
        }
        if let Some(path) = text.strip_prefix("file:").filter(whole) {
            return Self::File(path.into());
        }
        Self::Wrong
    }

    /// Checks that it is a reference.
    ///
    /// # Errors
    /// A message that does not repeat what was given.
    pub fn check(&self) -> Result<(), String> {
        if *self == Self::Wrong { Err(BY_REFERENCE.to_owned()) } else { Ok(()) }
    }

    /// Fetches the secret. It is fetched for each use, so that a changed one is used at once.
    ///
    /// # Errors
    /// A message with the reference.
    pub fn resolve(&self) -> Result<Secret, String> {
        let value = match self {
            Self::Wrong => return Err(BY_REFERENCE.to_owned()),
            Self::Env(name) => std::env::var(name).map_err(|_| {
                format!("the environment variable {name} is not set, or not in utf-8")
            })?,
            Self::File(path) => {
                let fault = |e: std::io::Error| format!("cannot read {}: {e}", path.display());
                let mut text = String::new();
                std::fs::File::open(path)
                    .map_err(fault)?
                    .take(SECRET_BYTES_MAX as u64 + 3)
                    .read_to_string(&mut text)
                    .map_err(fault)?;
                let end = text.strip_suffix('\n').unwrap_or(&text);
                end.strip_suffix('\r').unwrap_or(end).to_owned()
            }
        };
        match value.len() {
            0 => Err(format!("the secret {self} is empty")),
            1..=SECRET_BYTES_MAX => Ok(Secret(value)),
            _ => Err(format!("the secret {self} has more than {SECRET_BYTES_MAX} bytes")),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong => f.write_str("(no reference)"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::parse(&String::deserialize(from)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn references_are_read_and_secrets_not_shown() {
        for text in ["env:SMTP_PASSWORD", "file:/etc/yagura/smtp password"] {
            assert_eq!(SecretRef::parse(text).to_string(), text);
        }
        for text in ["hunter2", "env:", "file:", "env:A=b", "file:/a\nb", ""] {
            let wrong = SecretRef::parse(text);
            assert!(wrong.check().unwrap_err().contains("by reference"));
            assert_eq!(wrong.resolve().unwrap_err(), wrong.check().unwrap_err());
            assert!(!format!("{wrong} {wrong:?}").contains("hunter2"));
        }
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret(..)");
    }

    #[test]
    fn secrets_are_fetched_within_limits() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("secret");
        let reference = SecretRef::File(path.clone());
        let fetch = |text: &str| {
            std::fs::write(&path, text).unwrap();
            reference.resolve()
        };
        assert_eq!(fetch("hunter2\r\n").unwrap().expose(), "hunter2");
        assert_eq!(fetch(" two words ").unwrap().expose(), " two words ");
        assert!(fetch("\n").unwrap_err().contains("is empty"));
        let most = "x".repeat(SECRET_BYTES_MAX);
        assert_eq!(fetch(&format!("{most}\n")).unwrap().expose(), most);
        assert!(fetch(&format!("{most}x")).unwrap_err().contains("more than 4096"));
        let gone = SecretRef::File(dir.path().join("gone")).resolve().unwrap_err();
        assert!(gone.contains("cannot read"), "{gone}");
        let unset = SecretRef::Env("YAGURA_TEST_UNSET".to_owned()).resolve().unwrap_err();
        assert!(unset.contains("YAGURA_TEST_UNSET is not set"), "{unset}");
    }
}
