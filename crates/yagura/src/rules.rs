//! Rules in force: those embedded, those of the data directory, those that are named.

use crate::looks;
use std::path::{Path, PathBuf};
use yagura_detect::{RuleError, RuleSet, rule_files};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/rules.rs"));
}

/// The rules that come with the program, as (path, text).
pub fn builtin() -> Vec<(String, String)> {
    embedded::RULES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// Folder of the user's own rules in the data directory.
pub const DIR: &str = "rules";

/// Rule texts from `builtin`, the data directory's `rules/` and `paths`. A text that is there
/// twice is taken once. Files that cannot be read are among the errors.
pub fn collect(
    with_builtin: bool,
    data: Option<&Path>,
    paths: &[PathBuf],
) -> (Vec<(String, String)>, Vec<RuleError>) {
    let mut files = if with_builtin { builtin() } else { Vec::new() };
    let mut places: Vec<PathBuf> = Vec::new();
    if let Some(own) = data.map(|d| d.join(DIR)).filter(|d| d.is_dir()) {
        places.push(own);
    }
    places.extend(paths.iter().cloned());
    let (found, errors) = rule_files(&places);
    for (path, text) in found {
        if !files.iter().any(|(_, known)| *known == text) {
            files.push((path, text));
        }
    }
    (files, errors)
}

/// What tells whether the rule files of `places`, or source definitions among them, have changed.
pub fn fingerprint(places: &[PathBuf]) -> [u8; 32] {
    let endings = ["yml", "yaml", "toml"];
    looks::fingerprint(places, &|path| {
        path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known))
    })
}

/// Loads what [`collect`] found, unreadable files listed among the set's errors.
pub fn load(with_builtin: bool, data: Option<&Path>, paths: &[PathBuf]) -> RuleSet {
    let (files, errors) = collect(with_builtin, data, paths);
    let mut set = RuleSet::load(files);
    set.errors.extend(errors);
    set
}
