//! Finds and reads rule files: the one place in this crate that touches the file system.

use crate::RULE_FILE_BYTES_MAX;
use crate::rule::RuleError;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Deepest folder below a given path; links that lead in a circle end here.
const DEPTH_MAX: usize = 32;

/// Reads `*.yml` and `*.yaml` below each of `paths` (a path that is a file is read whatever
/// its name), sorted by path, as (path, text). What cannot be read is an error of its own:
/// `file_unreadable`, `file_too_big` or `file_not_utf8`.
pub fn rule_files(paths: &[PathBuf]) -> (Vec<(String, String)>, Vec<RuleError>) {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        walk(path, 0, &mut files, &mut errors);
    }
    files.sort();
    files.dedup();
    let mut read = Vec::with_capacity(files.len());
    for path in files {
        match read_text(&path) {
            Ok(text) => read.push((path.to_string_lossy().into_owned(), text)),
            Err(error) => errors.push(*error),
        }
    }
    (read, errors)
}

fn walk(path: &Path, depth: usize, files: &mut Vec<PathBuf>, errors: &mut Vec<RuleError>) {
    let is_folder = match std::fs::metadata(path) {
        Ok(metadata) => metadata.is_dir(),
        Err(error) => {
            errors.push(*error_at(path, "file_unreadable", error.to_string(), None));
            return;
        }
    };
    if !is_folder {
        let rule = path.extension().is_some_and(|e| e == "yml" || e == "yaml");
        if rule || depth == 0 {
            files.push(path.to_owned());
        }
        return;
    }
    if depth >= DEPTH_MAX {
        let message = format!("folders are nested more than {DEPTH_MAX} deep");
        errors.push(*error_at(path, "file_unreadable", message, None));
        return;
    }
    match std::fs::read_dir(path) {
        Ok(entries) => {
            let mut below: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
            below.sort();
            below.iter().for_each(|path| walk(path, depth + 1, files, errors));
        }
        Err(error) => errors.push(*error_at(path, "file_unreadable", error.to_string(), None)),
    }
}

fn read_text(path: &Path) -> Result<String, Box<RuleError>> {
    let unreadable = |e: std::io::Error| error_at(path, "file_unreadable", e.to_string(), None);
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let limit = RULE_FILE_BYTES_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > RULE_FILE_BYTES_MAX {
        let message = format!("the file is longer than {RULE_FILE_BYTES_MAX} bytes");
        return Err(error_at(path, "file_too_big", message, Some("split it")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let message = format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to());
        error_at(path, "file_not_utf8", message, Some("save the file as UTF-8"))
    })
}

fn error_at(
    path: &Path,
    code: &'static str,
    message: String,
    help: Option<&str>,
) -> Box<RuleError> {
    Box::new(RuleError {
        path: path.to_string_lossy().into_owned(),
        line: 1,
        column: 0,
        length: 1,
        code,
        message,
        help: help.map(str::to_owned),
        id: None,
        title: None,
    })
}
