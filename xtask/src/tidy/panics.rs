//! The rule against code that stops the process instead of returning an error.

use super::{Problem, Tree};

/// Crates that exist for tests and for building.
const EXEMPT: [&str; 2] = ["crates/testkit/", "xtask/"];

/// No `unwrap` and no `expect` outside tests. A parser's own method `self.expect(...)` is none.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, source) in tree.rust() {
        if !file.path.contains("/src/") || EXEMPT.iter().any(|e| file.path.starts_with(e)) {
            continue;
        }
        for (number, line) in source.product_lines() {
            let unwrap = line.contains(".unwrap()");
            let expect = line.match_indices(".expect(").any(|(at, _)| !ends_in_self(&line[..at]));
            if unwrap || expect {
                let message = "return an error instead of `unwrap` or `expect`";
                problems.push(Problem::new(&file.path, number, message));
            }
        }
    }
    problems
}

fn ends_in_self(before: &str) -> bool {
    before.strip_suffix("self").is_some_and(|rest| !rest.ends_with(super::source::is_word))
}

#[cfg(test)]
mod tests {
    use super::super::tests::problems;
    use super::*;

    #[test]
    fn unwrap_and_expect_outside_tests_are_found() {
        let text = "\
fn a() {
    b().unwrap();
    b()
        .expect(\"never\");
    itself.expect(\"b\");
    // c.unwrap() in a comment
    d(\".unwrap()\");
    self.expect(Token::End)?;
    e().unwrap_or_default();
}
#[cfg(test)]
mod tests {
    fn f() { g().unwrap() }
}
";
        let found = problems(
            check,
            &[
                ("crates/x/src/a.rs", text),
                ("crates/x/src/tests.rs", text),
                ("crates/x/tests/a.rs", text),
                ("crates/testkit/src/a.rs", text),
            ],
        );
        let lines: Vec<_> = found.iter().filter_map(|p| p.split(':').nth(1)).collect();
        assert_eq!(lines, ["2", "4", "5"]);
    }
}
