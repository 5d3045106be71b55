//! Tells code, comments, strings and tests apart in a Rust file, without a full parser.

use std::ops::RangeInclusive;

/// The parts of one Rust file that the rules look at.
pub struct Source {
    /// The text with comments, strings and characters blanked out, line for line.
    pub code: String,
    /// Lines (from 1) of items that exist for tests only.
    tests: Vec<RangeInclusive<usize>>,
}

/// One function with a body.
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its lines from the `fn` to the closing brace, counted from 1.
    pub lines: RangeInclusive<usize>,
}

impl Source {
    /// Reads `text`. Files called `tests.rs`, files ending in `_tests.rs` and all below a
    /// directory `tests` or `benches` are test code from end to end.
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let all = path.split('/').any(|part| matches!(part, "tests" | "benches" | "tests.rs"))
            || path.ends_with("_tests.rs")
            || code.contains("#![cfg(test)]");
        let tests = if all { vec![1..=usize::MAX] } else { test_items(&code) };
        Self { code, tests }
    }

    /// Whether this line (from 1) belongs to test code.
    pub fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|lines| lines.contains(&line))
    }

    /// The lines of code outside tests, with their numbers from 1.
    pub fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines()).filter(|(number, _)| !self.is_test(*number))
    }

    /// Every function that has a body, in order.
    pub fn functions(&self) -> Vec<Function> {
        let code = &self.code;
        let mut functions = Vec::new();
        for (at, _) in code.match_indices("fn") {
            if code[..at].ends_with(is_word) {
                continue;
            }
            let rest = &code[at + 2..];
            let name: String = rest.trim_start().chars().take_while(|c| is_word(*c)).collect();
            if name.is_empty() || !rest.starts_with(char::is_whitespace) {
                continue;
            }
            if let Some(end) = item_end(code, at).filter(|end| code[..*end].ends_with('}')) {
                let lines = line_of(code, at)..=line_of(code, end - 1);
                functions.push(Function { name, lines });
            }
        }
        functions
    }
}

/// Whether `c` can be part of a word.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The line, from 1, of the byte at `at`.
fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The lines of items that carry an attribute for tests.
fn test_items(code: &str) -> Vec<RangeInclusive<usize>> {
    let mut items = Vec::new();
    for (at, _) in code.match_indices("#[") {
        let Some(len) = matching(&code[at + 1..], '[', ']') else { continue };
        let attribute = &code[at + 2..at + len];
        if is_test_attribute(attribute) {
            let end = item_end(code, at + 1 + len).unwrap_or(code.len());
            items.push(line_of(code, at)..=line_of(code, end.saturating_sub(1)));
        }
    }
    items
}

/// Whether the text within `#[...]` marks an item as for tests only.
fn is_test_attribute(attribute: &str) -> bool {
    let attribute: String = attribute.chars().filter(|c| !c.is_whitespace()).collect();
    let name = attribute.split('(').next().unwrap_or_default();
    if name == "cfg" {
        return attribute.split(|c| !is_word(c)).any(|word| word == "test")
            && !attribute.contains("not(")
            && !attribute.contains("any(");
    }
    name == "test" || name.ends_with("::test")
}

/// Where the item that starts at `from` ends (exclusive): after its body or its semicolon.
fn item_end(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in code[from..].char_indices().map(|(at, c)| (from + at, c)) {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => return Some(at + 1),
            '{' if depth == 0 => return matching(&code[at..], '{', '}').map(|len| at + len),
            _ => {}
        }
    }
    None
}

/// The length of the bracketed text that `code` starts with, brackets included.
fn matching(code: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in code.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at + c.len_utf8());
            }
        }
    }
    None
}

/// Replaces comments and the contents of literals by spaces and keeps the line breaks.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = literal(rest, code.ends_with(is_word)).unwrap_or(0).min(rest.len());
        if len == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..len].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[len..];
        }
    }
    code
}

/// The length in bytes of the comment or literal that `text` starts with. `in_word` says that
/// the character before belongs to a word, so that no prefix such as `r` can start here.
fn literal(text: &str, in_word: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'/' if bytes.get(1) == Some(&b'/') => Some(text.find('\n').unwrap_or(text.len())),
        b'/' if bytes.get(1) == Some(&b'*') => Some(block_comment(bytes)),
        b'"' => Some(string(bytes)),
        b'\'' => character(text),
        b'r' if !in_word => raw_string(text, 1),
        b'b' | b'c' if !in_word && bytes.get(1) == Some(&b'r') => raw_string(text, 2),
        _ => None,
    }
}

fn block_comment(bytes: &[u8]) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

fn string(bytes: &[u8]) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `r"..."` or `r#"..."#` whose prefix is `prefix` bytes long.
fn raw_string(text: &str, prefix: usize) -> Option<usize> {
    let hashes = text[prefix..].bytes().take_while(|byte| *byte == b'#').count();
    let body = prefix + hashes;
    text[body..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = text[body + 1..].find(&close).map(|at| body + 1 + at + close.len());
    Some(end.unwrap_or(text.len()))
}

/// A character literal; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inner = text[1..].chars().next()?;
    if inner == '\\' {
        // The escaped character may itself be a quote, so the search starts behind it.
        return text.get(3..)?.find('\'').map(|at| 3 + at + 1);
    }
    let end = 1 + inner.len_utf8();
    text[end..].starts_with('\'').then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked() {
        let check = |text: &str, code: &str| {
            let squeezed = blank(text).split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(squeezed, code, "{text}");
        };
        check("a // b\nc", "a c");
        check("a /* b /* c */ d */ e", "a e");
        check(r#"f("x \" { y") + g"#, "f( ) + g");
        check("f(r#\"x \" { y\"#) + g", "f( ) + g");
        check("f(br\"x\\\") + g", "f( ) + g");
        check(r"let q = '\''; let b = '{'; b", "let q = ; let b = ; b");
        check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
        check("let 櫓 = '櫓'; r", "let 櫓 = ; r");
        check("for r in x {}", "for r in x {}");
        check("\"not closed", "");
    }

    #[test]
    fn test_items_are_found() {
        let text =
            "fn a() {}\n#[cfg(test)]\nmod t {\n fn b() {}\n}\nfn c() {}\n#[test]\nfn d() {\n}\n";
        let source = Source::new("crates/x/src/a.rs", text);
        let tests: Vec<usize> = (1..=9).filter(|line| source.is_test(*line)).collect();
        assert_eq!(tests, [2, 3, 4, 5, 7, 8, 9]);
        for (attribute, expected) in [
            ("cfg(test)", true),
            ("cfg(all(test, unix))", true),
            ("tokio::test(flavor = )", true),
            ("cfg(not(test))", false),
            ("cfg(any(test, feature = ))", false),
            ("derive(Debug)", false),
        ] {
            assert_eq!(is_test_attribute(attribute), expected, "{attribute}");
        }
    }

    #[test]
    fn whole_files_can_be_tests() {
        for path in ["crates/x/tests/a.rs", "crates/x/src/tests.rs", "crates/x/src/a_tests.rs"] {
            assert!(Source::new(path, "fn a() {}").is_test(1), "{path}");
        }
        assert!(!Source::new("crates/x/src/a.rs", "fn a() {}").is_test(1));
    }

    #[test]
    fn functions_end_at_their_brace() {
        let text = "trait T {\n  fn none(&self) -> [u8; 4];\n}\nfn a(\n  x: u8,\n) -> [u8; 2] {\n  \
                    [x, 1]\n}\nconst F: fn(u8) = |_| {};\nfn b() { fn c() {\n} }\n";
        let source = Source::new("crates/x/src/a.rs", text);
        let found: Vec<_> = source.functions().into_iter().map(|f| (f.name, f.lines)).collect();
        let expect = |name: &str, lines| (name.to_owned(), lines);
        assert_eq!(found, [expect("a", 4..=8), expect("b", 10..=11), expect("c", 10..=11)]);
    }
}
