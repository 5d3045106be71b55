//! Rules on the first line and the length of files and functions.

use super::{Problem, Tree};

/// Longest file, in lines: what can be read in one sitting. Longer ones are split by idea.
const FILE_LINES_MAX: usize = 500;

/// Longest function, in lines from `fn` to the brace. Longer ones hide their steps.
const FUNCTION_LINES_MAX: usize = 70;

/// Every Rust file opens with one `//!` sentence saying what it is for.
pub fn first_line(tree: &Tree) -> Vec<Problem> {
    let bare = tree.rust().filter(|(file, _)| {
        let first = file.text.lines().next().unwrap_or_default();
        !first.strip_prefix("//! ").is_some_and(|text| text.contains(char::is_alphabetic))
    });
    let message = "open the file with one `//!` sentence that says what it is for";
    bare.map(|(file, _)| Problem::new(&file.path, 1, message)).collect()
}

/// No Rust file is longer than the limit, except below a directory `generated`.
pub fn files(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, _) in tree.rust() {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX && !file.path.contains("/generated/") {
            let message = format!("{lines} lines, at most {FILE_LINES_MAX}: split it by idea");
            problems.push(Problem::new(&file.path, 0, message));
        }
    }
    problems
}

/// No function outside tests is longer than the limit.
pub fn functions(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| !file.path.contains("/generated/")) {
        for function in source.functions() {
            let (first, last) = (*function.lines.start(), *function.lines.end());
            let lines = last - first + 1;
            if lines > FUNCTION_LINES_MAX && !source.is_test(first) {
                let message = format!(
                    "function `{}` has {lines} lines, at most {FUNCTION_LINES_MAX}: name its steps",
                    function.name
                );
                problems.push(Problem::new(&file.path, first, message));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::tests::problems;
    use super::*;

    #[test]
    fn a_file_without_its_sentence_is_found() {
        let found = problems(
            first_line,
            &[
                ("crates/x/src/good.rs", "//! Does something.\n"),
                ("crates/x/src/code.rs", "use std::fs;\n"),
                ("crates/x/src/comment.rs", "// Does something.\n"),
                ("crates/x/src/empty.rs", ""),
                ("crates/x/src/blank.rs", "//! \n"),
                ("web/not_ours.rs", "fn main() {}\n"),
            ],
        );
        let paths: Vec<_> = found.iter().filter_map(|p| p.split(':').next()).collect();
        let expected =
            ["code", "comment", "empty", "blank"].map(|n| format!("crates/x/src/{n}.rs"));
        assert_eq!(paths, expected);
    }

    #[test]
    fn a_file_one_line_too_long_is_found() {
        let (most, more) = ("//\n".repeat(FILE_LINES_MAX), "//\n".repeat(FILE_LINES_MAX + 1));
        let found = problems(
            files,
            &[
                ("crates/x/src/most.rs", &most),
                ("crates/x/src/more.rs", &more),
                ("crates/x/src/generated/table.rs", &more),
            ],
        );
        assert_eq!(found, ["crates/x/src/more.rs:0: 501 lines, at most 500: split it by idea"]);
    }

    #[test]
    fn a_function_one_line_too_long_is_found() {
        let function = |lines: usize| format!("fn f() {{\n{}}}\n", "\n".repeat(lines - 2));
        let (most, more) = (function(FUNCTION_LINES_MAX), function(FUNCTION_LINES_MAX + 1));
        let test = format!("#[cfg(test)]\nmod tests {{\n#[test]\n{more}}}\n");
        let table = format!("const T: &[u8] = &[\n{}];\n", "1,\n".repeat(FUNCTION_LINES_MAX + 1));
        let found = problems(
            functions,
            &[
                ("crates/x/src/most.rs", &most),
                ("crates/x/src/more.rs", &format!("\n{more}")),
                ("crates/x/src/test.rs", &test),
                ("crates/x/src/table.rs", &table),
            ],
        );
        let message = "function `f` has 71 lines, at most 70: name its steps";
        assert_eq!(found, [format!("crates/x/src/more.rs:2: {message}")]);
    }
}
