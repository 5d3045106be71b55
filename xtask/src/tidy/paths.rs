//! The rule against paths that exist on one developer's machine only.

use super::source::is_word;
use super::{Problem, Tree};

/// First directories of private paths, without the slash in front so that this file does not
/// contain them.
const PRIVATE: [&str; 6] =
    ["work/", "root/.cargo", "root/.cache", "root/.rustup", "tmp/tgt", "tmp/bash"];

/// Another one, which log lines and rules name with good reason.
const PRIVATE_UNLESS_DATA: &str = "root/";

/// Kinds of files that are never log lines or rules.
const NOT_DATA: [&str; 4] = [".md", ".toml", ".sh", "/run"];

/// Directories of data, whatever the kind of file.
const DATA_DIRS: [&str; 3] = ["sources/", "rules/", "tests/scenarios/"];

/// No line names a path of one machine.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &tree.files {
        let is_data = DATA_DIRS.iter().any(|dir| file.path.starts_with(dir))
            || !NOT_DATA.iter().any(|kind| file.path.ends_with(kind));
        let unless_data = (!is_data).then_some(PRIVATE_UNLESS_DATA);
        let patterns: Vec<String> =
            PRIVATE.into_iter().chain(unless_data).map(|dir| format!("/{dir}")).collect();
        for (number, line) in (1..).zip(file.text.lines()) {
            if let Some(found) = patterns.iter().find(|pattern| names_path(line, pattern)) {
                let message = format!("`{found}` is a path of one machine");
                problems.push(Problem::new(&file.path, number, message));
            }
        }
    }
    problems
}

/// Whether `line` has `path` where a path can start: not behind a word, a dot or a dash, as in
/// an URL or a relative path.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|c: char| is_word(c) || matches!(c, '.' | '-' | '/' | '}' | '~'))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::problems;
    use super::*;

    #[test]
    fn private_paths_are_found() {
        let slash = |path: &str| format!("/{path}");
        let (work, root) = (slash("work/main"), slash("root/notes"));
        let cached = slash("root/.cargo/registry");
        let found = problems(
            check,
            &[
                ("crates/x/src/a.rs", &format!("f(\"{work}\");\n// {root}\n// {cached}\n")),
                ("docs/a.md", &format!("see `{root}`\nhttp://a.example{work} .{work}\n")),
                ("sources/x/source.toml", &format!("path = \"{root}\"\n")),
            ],
        );
        let places: Vec<_> = found.iter().filter_map(|p| p.split(": ").next()).collect();
        assert_eq!(places, ["crates/x/src/a.rs:1", "crates/x/src/a.rs:3", "docs/a.md:1"]);
    }
}
