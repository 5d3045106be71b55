//! Files given on the command line: folders walked in order, archives looked into, host and
//! user named by path.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use yagura_collect::container::{Fault, Part, Shelf, expand};
use yagura_parse::{Framer, RECORD_BYTES_MAX};

/// Deepest folder followed; deeper ones are an error, since links may lead in circles.
pub const DEPTH_MAX: usize = 32;

/// Endings that a compressed file has in addition to its own name.
const PACKED_ENDINGS: &[&str] = &[".gz", ".zst", ".bz2", ".xz"];

/// One file to read.
#[derive(Clone, Debug)]
pub struct Input {
    /// As given or found; a file in an archive is `archive!file`, `-` is standard input.
    pub path: PathBuf,
    /// Below the folder or archive that was given, with `/`; the file's name where a file was
    /// given. An archive in a folder counts as a folder, a compressed file has the name that
    /// it has without its compression: a file is known again, packed or not.
    pub relative: String,
    /// Host named by the path.
    pub host: Option<String>,
    /// User named by the path.
    pub user: Option<String>,
    /// The file's bytes; none for what can be read only once.
    part: Option<Part>,
    /// Bytes of a packed file, once counted, and what was wrong with it.
    len: OnceLock<(u64, Fault)>,
}

impl Input {
    /// Opens the file's own bytes, out of its archives and compressions. Damage found while
    /// reading ends the reader and is in the [`Fault`].
    ///
    /// # Errors
    /// From the file system; for standard input and pipes, which are read elsewhere.
    pub fn open(&self) -> io::Result<(Box<dyn Read>, Fault)> {
        match &self.part {
            Some(part) => part.open(),
            None => Err(io::Error::other("it is not a regular file")),
        }
    }

    /// Whether the file can be read again and again.
    pub fn is_regular(&self) -> bool {
        self.part.is_some()
    }

    /// The length of the file's own bytes; a packed file is read for it once.
    ///
    /// # Errors
    /// As for [`Input::open`].
    pub fn length(&self) -> io::Result<u64> {
        if !self.part.as_ref().is_some_and(Part::is_packed) {
            return std::fs::metadata(&self.path).map(|meta| meta.len());
        }
        if let Some((len, _)) = self.len.get() {
            return Ok(*len);
        }
        let (mut reader, fault) = self.open()?;
        let len = io::copy(&mut reader, &mut io::sink())?;
        Ok(self.len.get_or_init(|| (len, fault)).0)
    }

    /// The damage met when a packed file was read for its length.
    pub fn damage(&self) -> Option<Fault> {
        self.len.get().map(|(_, fault)| fault.clone())
    }
}

/// What the command line names.
#[derive(Debug, Default)]
pub struct Listing {
    /// The files.
    pub inputs: Vec<Input>,
    /// What was wrong with archives among them, each as `path: fault`.
    pub faults: Vec<String>,
    shelf: Shelf,
}

/// Why inputs cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file system said no.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Folders are nested too deep.
    #[error("{path} is nested deeper than {DEPTH_MAX} folders")]
    Deep {
        /// The folder.
        path: PathBuf,
    },
    /// A `--path` pattern is not valid.
    #[error("path pattern {pattern:?}: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// What was wrong with an input that was read to its end, each as `path: fault`: a damaged
/// compression or event log, records that were cut.
pub fn faults(path: &Path, container: &Fault, framer: &mut Framer<impl Read>) -> Vec<String> {
    let path = path.display();
    let known = framer.take_faults();
    let more = framer.fault_count().saturating_sub(known.len() as u64);
    let mut texts: Vec<String> = known.iter().map(|fault| format!("{path}: {fault}")).collect();
    texts.extend(container.get().map(|fault| format!("{path}: {fault}")));
    if more > 0 {
        texts.push(format!("{path}: and {more} more damaged places"));
    }
    let skipped = framer.skipped_bytes();
    if skipped > 0 {
        texts.push(format!(
            "{path}: records longer than {RECORD_BYTES_MAX} bytes were cut; {skipped} bytes are left out"
        ));
    }
    texts
}

/// Lists the files of `paths`, folders walked and sorted by name, archives looked into, each
/// file with what the first matching pattern names. Hidden files (a leading dot) inside
/// folders and archives are left out.
///
/// # Errors
/// [`InputError`] for the first path that cannot be read.
pub fn list(paths: &[PathBuf], patterns: &[Pattern]) -> Result<Listing, InputError> {
    let mut listing = Listing::default();
    for path in paths {
        if path.as_os_str() == "-" {
            listing.inputs.push(named(path.clone(), "-".to_owned(), patterns, None));
            continue;
        }
        let meta = std::fs::metadata(path)
            .map_err(|source| InputError::Io { path: path.clone(), source })?;
        if meta.is_dir() {
            walk(path, path, 0, patterns, &mut listing)?;
        } else if meta.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            listing.add(path, &name, "", patterns)?;
        } else {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            listing.inputs.push(named(path.clone(), name, patterns, None));
        }
    }
    Ok(listing)
}

impl Listing {
    /// Adds a regular file, called `name`, or the files that it holds, below `folder`.
    fn add(
        &mut self,
        path: &Path,
        name: &str,
        folder: &str,
        patterns: &[Pattern],
    ) -> Result<(), InputError> {
        let io = |source| InputError::Io { path: path.to_owned(), source };
        let (parts, faults) = expand(path, &self.shelf).map_err(io)?;
        let shown = path.display();
        self.faults.extend(faults.into_iter().map(|fault| format!("{shown}: {fault}")));
        for part in parts {
            let mut relative = match part.inner() {
                [] => name.to_owned(),
                inner => format!("{folder}{}", places(inner)),
            };
            if part.is_compressed()
                && let Some(bare) = PACKED_ENDINGS.iter().find_map(|e| relative.strip_suffix(e))
                && !bare.is_empty()
            {
                relative = bare.to_owned();
            }
            let whole: PathBuf = match part.inner() {
                [] => path.to_owned(),
                inner => format!("{shown}!{}", inner.join("!")).into(),
            };
            self.inputs.push(named(whole, relative, patterns, Some(part)));
        }
        Ok(())
    }
}

/// Names inside archives as one path, without the components that only climb.
fn places(inner: &[String]) -> String {
    let parts = inner.iter().flat_map(|name| name.split('/'));
    parts.filter(|part| !["", ".", ".."].contains(part)).collect::<Vec<_>>().join("/")
}

fn walk(
    root: &Path,
    dir: &Path,
    depth: usize,
    patterns: &[Pattern],
    listing: &mut Listing,
) -> Result<(), InputError> {
    if depth > DEPTH_MAX {
        return Err(InputError::Deep { path: dir.to_owned() });
    }
    let io = |source| InputError::Io { path: dir.to_owned(), source };
    let mut entries: Vec<PathBuf> = std::fs::read_dir(dir)
        .map_err(io)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()
        .map_err(io)?;
    entries.sort();
    for path in entries {
        if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, depth + 1, patterns, listing)?;
        } else {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            let parts: Vec<_> =
                relative.components().map(|c| c.as_os_str().to_string_lossy()).collect();
            let name = parts.join("/");
            listing.add(&path, &name, &format!("{name}/"), patterns)?;
        }
    }
    Ok(())
}

fn named(path: PathBuf, relative: String, patterns: &[Pattern], part: Option<Part>) -> Input {
    let (host, user) = Pattern::name(patterns, &relative);
    Input { path, relative, host, user, part, len: OnceLock::new() }
}

/// The user of a file called `<user>.bash_history`.
fn history_user(relative: &str) -> Option<String> {
    let name = relative.rsplit('/').next()?;
    let user = name.strip_suffix(".bash_history").or_else(|| name.strip_suffix(".zsh_history"))?;
    (!user.is_empty()).then(|| user.to_owned())
}

/// A pattern such as `{host}/.../{user}.bash_history`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(Vec<Place>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    /// Any number of components.
    Rest,
    /// One component: text before, what is named, text after.
    Named { before: String, name: Name, after: String },
    /// One component as written.
    Literal(String),
    /// Any one component.
    Any,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Name {
    Host,
    User,
}

#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Names {
    host: Option<String>,
    user: Option<String>,
}

impl Pattern {
    /// Reads a pattern: components separated by `/`, each text, `*`, `...` for any number,
    /// or text with one `{host}` or `{user}` in it.
    ///
    /// # Errors
    /// [`InputError::Pattern`] for an unknown name or an unclosed brace.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        let wrong = |reason| InputError::Pattern { pattern: text.to_owned(), reason };
        let mut parts = Vec::new();
        for part in text.split('/').filter(|part| !part.is_empty()) {
            parts.push(match part {
                "..." | "**" => Place::Rest,
                "*" => Place::Any,
                _ => match part.split_once('{') {
                    None => Place::Literal(part.to_owned()),
                    Some((before, rest)) => {
                        let (name, after) =
                            rest.split_once('}').ok_or_else(|| wrong("'{' is not closed"))?;
                        let name = match name {
                            "host" => Name::Host,
                            "user" => Name::User,
                            _ => return Err(wrong("only {host} and {user} can be named")),
                        };
                        if after.contains('{') {
                            return Err(wrong("one name for each path component"));
                        }
                        Place::Named { before: before.to_owned(), name, after: after.to_owned() }
                    }
                },
            });
        }
        if parts.is_empty() {
            return Err(wrong("it is empty"));
        }
        Ok(Self(parts))
    }

    /// Host and user that the first matching one of `patterns` names in `relative`; the user
    /// of a shell history by its own name.
    pub fn name(patterns: &[Self], relative: &str) -> (Option<String>, Option<String>) {
        let names = patterns.iter().find_map(|p| p.names(relative)).unwrap_or_default();
        (names.host, names.user.or_else(|| history_user(relative)))
    }

    fn names(&self, relative: &str) -> Option<Names> {
        let components: Vec<&str> = relative.split('/').collect();
        let mut names = Names::default();
        matches(&self.0, &components, &mut names).then_some(names)
    }
}

fn matches(parts: &[Place], components: &[&str], names: &mut Names) -> bool {
    let Some((part, parts)) = parts.split_first() else { return components.is_empty() };
    if *part == Place::Rest {
        // A trailing `...` stands for the file itself, so it takes at least one component.
        let least = usize::from(parts.is_empty());
        return (least..=components.len()).any(|skip| matches(parts, &components[skip..], names));
    }
    let Some((component, components)) = components.split_first() else { return false };
    let found = match part {
        Place::Rest | Place::Any => None,
        Place::Literal(text) if text == component => None,
        Place::Literal(_) => return false,
        Place::Named { before, name, after } => {
            let inner = component
                .strip_prefix(before.as_str())
                .and_then(|rest| rest.strip_suffix(after.as_str()))
                .filter(|inner| !inner.is_empty());
            match inner {
                None => return false,
                Some(inner) => Some((*name, inner.to_owned())),
            }
        }
    };
    if !matches(parts, components, names) {
        return false;
    }
    match found {
        Some((Name::Host, value)) => names.host = Some(value),
        Some((Name::User, value)) => names.user = Some(value),
        None => {}
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(pattern: &str, path: &str) -> Option<(Option<String>, Option<String>)> {
        Pattern::parse(pattern).unwrap().names(path).map(|n| (n.host, n.user))
    }

    #[test]
    fn hosts_and_users_by_place() {
        let host = Some("web1".to_owned());
        assert_eq!(names("{host}/...", "web1/a/b.log"), Some((host.clone(), None)));
        assert_eq!(names("{host}/...", "web1/b.log"), Some((host.clone(), None)));
        assert_eq!(names("{host}/...", "b.log"), None);
        assert_eq!(
            names("{host}/.../{user}.bash_history", "web1/x/y/nina.bash_history"),
            Some((host, Some("nina".to_owned())))
        );
        assert_eq!(names("logs/*/x", "logs/a/y"), None);
    }

    #[test]
    fn wrong_patterns_say_why() {
        for pattern in ["{hots}/...", "{host", "", "{host}{user}"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
