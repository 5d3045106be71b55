//! Rules on the shape of the sources, run as `cargo xtask tidy` and as a test.

mod crates;
mod leftovers;
mod length;
mod panics;
mod paths;
mod source;

use std::fmt;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::cargo;
use source::Source;

/// Every rule, with the name under which it reports.
const RULES: &[(&str, Rule)] = &[
    ("first-line", length::first_line),
    ("file-length", length::files),
    ("function-length", length::functions),
    ("crate-layers", crates::layers),
    ("crate-cycle", crates::cycles),
    ("architecture-page", crates::architecture),
    ("lints-inherited", crates::lints),
    ("panic", panics::check),
    ("leftover", leftovers::check),
    ("machine-path", paths::check),
];

type Rule = fn(&Tree) -> Vec<Problem>;

/// Directories that hold nothing of ours: build output, dependencies, run-time data.
const SKIPPED_DIRS: [&str; 6] = ["target", ".git", "node_modules", "yagura-data", "dist", ".shots"];

/// Where our Rust files are.
const OURS: [&str; 4] = ["crates/", "fuzz/", "oracle/", "xtask/"];

/// Longest file that is read, in bytes. Longer ones are data, which no rule is about.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// One place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// File, relative to the root.
    path: String,
    /// Line, from 1; 0 if the whole file is meant.
    line: usize,
    /// Name of the rule; filled in by `check`.
    rule: &'static str,
    /// What is wrong and what to do.
    message: String,
}

impl Problem {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into(), rule: "" }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} [{}]", self.path, self.line, self.message, self.rule)
    }
}

/// What the rules look at.
#[derive(Default)]
pub struct Tree {
    /// Every text file, sorted by path.
    files: Vec<File>,
    /// The output of `cargo metadata --no-deps`.
    metadata: serde_json::Value,
}

/// One text file.
struct File {
    /// Path relative to the root, with `/`.
    path: String,
    text: String,
    /// The parts of a Rust file, if it is below one of [`OURS`].
    rust: Option<Source>,
}

impl File {
    fn new(path: String, text: String) -> Self {
        let ours = OURS.iter().any(|dir| path.starts_with(dir));
        let rust = (ours && path.ends_with(".rs")).then(|| Source::new(&path, &text));
        Self { path, text, rust }
    }
}

impl Tree {
    /// Reads the tree below `root`.
    ///
    /// # Errors
    /// If a directory cannot be read, or cargo does not accept the manifests.
    fn read(root: &Path) -> Result<Self> {
        let mut tree = Self { files: Vec::new(), metadata: metadata(root)? };
        tree.read_dir(root, "")?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    fn read_dir(&mut self, dir: &Path, prefix: &str) -> Result<()> {
        for entry in std::fs::read_dir(dir).with_context(|| format!("cannot list {prefix}"))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if !SKIPPED_DIRS.contains(&name.as_str()) {
                    self.read_dir(&entry.path(), &format!("{path}/"))?;
                }
            } else if kind.is_file() && entry.metadata()?.len() <= FILE_BYTES_MAX {
                // What is not UTF-8 is a sample, not a source.
                if let Ok(text) = String::from_utf8(std::fs::read(entry.path())?) {
                    self.files.push(File::new(path, text));
                }
            }
        }
        Ok(())
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// Our Rust files with their paths and texts.
    fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files.iter().filter_map(|file| Some((file, file.rust.as_ref()?)))
    }
}

/// Runs every rule over the tree at `root`; the result is sorted by file, line and rule.
///
/// # Errors
/// If the tree cannot be read.
pub fn run(root: &Path) -> Result<Vec<Problem>> {
    Ok(check(&Tree::read(root)?))
}

fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for &(rule, check) in RULES {
        problems.extend(check(tree).into_iter().map(|problem| Problem { rule, ..problem }));
    }
    problems.sort();
    problems
}

fn metadata(root: &Path) -> Result<serde_json::Value> {
    let args = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let output = cargo::command(root, &args)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed; its message is above");
    }
    serde_json::from_slice(&output.stdout).context("cannot read cargo metadata")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problems that `rule` finds in these files, as `path:line: message`.
    pub fn problems(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree {
            files: files.iter().map(|(p, t)| File::new(p.to_string(), t.to_string())).collect(),
            ..Tree::default()
        };
        rule(&tree).iter().map(|p| format!("{}:{}: {}", p.path, p.line, p.message)).collect()
    }

    #[test]
    fn the_workspace_is_tidy() {
        let problems = run(&crate::root()).unwrap();
        let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(list.is_empty(), "{} problems:\n{}", list.len(), list.join("\n"));
    }

    #[test]
    fn problems_are_sorted_and_name_their_rule() {
        let bad = ["b.rs", "a.rs"].map(|name| {
            File::new(format!("crates/x/src/{name}"), "fn f() { g().unwrap(); }\n".into())
        });
        let tree = Tree { files: bad.into(), ..Tree::default() };
        let list: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(list.len(), 4, "{list:?}");
        assert!(list[0].starts_with("crates/x/src/a.rs:1: ") && list[0].ends_with("[first-line]"));
        assert!(list[3].starts_with("crates/x/src/b.rs:1: ") && list[3].ends_with("[panic]"));
    }
}
