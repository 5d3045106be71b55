//! The rule against notes and debugging aids left in the sources.

use super::source::is_word;
use super::{Problem, Tree};

/// Kinds of files in which a marker is a note to ourselves; elsewhere it may be data.
const KINDS: [&str; 6] = [".rs", ".toml", ".md", ".sh", ".ts", ".tsx"];

/// The markers, in two halves so that this file does not contain them.
const MARKERS: [(&str, &str); 3] = [("TO", "DO"), ("FIX", "ME"), ("XX", "X")];

/// No marker words in sources and pages, and no `dbg` macro in Rust.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.files.iter().filter(|f| KINDS.iter().any(|kind| f.path.ends_with(kind))) {
        for (number, line) in (1..).zip(file.text.lines()) {
            for (head, tail) in MARKERS {
                if contains_word(line, &format!("{head}{tail}")) {
                    let message = format!("`{head}{tail}`: do it, or open an issue");
                    problems.push(Problem::new(&file.path, number, message));
                }
            }
        }
    }
    for (file, source) in tree.rust() {
        for (number, line) in (1..).zip(source.code.lines()) {
            if contains_word(line, "dbg") && line.contains("dbg!") {
                problems.push(Problem::new(&file.path, number, "remove the `dbg` macro"));
            }
        }
    }
    problems
}

fn contains_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(is_word) && !line[at + word.len()..].starts_with(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::problems;
    use super::*;

    #[test]
    fn markers_and_debugging_are_found() {
        let [todo, fixme, note] = MARKERS.map(|(head, tail)| format!("{head}{tail}"));
        let text = format!("// {todo}: later\n// {note}X {fixme}d\nf(); dbg!(1);\n\"dbg!(2)\"\n");
        let found = problems(
            check,
            &[
                ("crates/x/src/a.rs", &text),
                ("docs/a.md", &format!("first\n({fixme})\n")),
                ("sources/x/samples/a.log", &format!("{todo} {note}\n")),
            ],
        );
        assert_eq!(
            found,
            [
                format!("crates/x/src/a.rs:1: `{todo}`: do it, or open an issue"),
                format!("docs/a.md:2: `{fixme}`: do it, or open an issue"),
                "crates/x/src/a.rs:3: remove the `dbg` macro".to_owned(),
            ]
        );
    }
}
