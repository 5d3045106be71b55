//! Shows a rule's fault with its source line, for `yagura rules check`.

use crate::rule::RuleError;
use std::fmt::Write;

/// Longest part of a source line shown, in characters; the rest is left out.
const LINE_CHARS_MAX: usize = 160;

/// The lines of a file, found once for all its faults.
#[derive(Clone, Debug, Default)]
pub struct Lines<'t>(Vec<&'t str>);

impl<'t> Lines<'t> {
    /// The lines of `text`, which is empty where the text is not at hand.
    pub fn new(text: &'t str) -> Self {
        Self(text.lines().collect())
    }
}

/// Renders `error` over the lines of its file:
///
/// ```text
/// error[condition_syntax]: the condition has a syntax error: expected the end
///   --> rules/a.yml:12:24
///    |
/// 12 |     condition: selection and (
///    |                        ^
///    = help: ...
/// ```
pub fn render(error: &RuleError, lines: &Lines<'_>) -> String {
    let mut out = format!("error[{}]: {}\n", error.code, error.message);
    let number = error.line.to_string();
    let margin = " ".repeat(number.len());
    let column = if error.column > 0 { format!(":{}", error.column) } else { String::new() };
    let _ = writeln!(out, "{margin}--> {}:{}{column}", error.path, error.line);
    if let Some(line) = lines.0.get(error.line.saturating_sub(1) as usize) {
        let shown: String =
            line.chars().take(LINE_CHARS_MAX).map(|c| if c == '\t' { ' ' } else { c }).collect();
        let _ = writeln!(out, "{margin} |");
        let _ = writeln!(out, "{number} | {}", shown.trim_end());
        let at = error.column.saturating_sub(1) as usize;
        if error.column > 0 && at <= shown.chars().count() {
            let most = shown.chars().count().saturating_sub(at).max(1);
            let carets = "^".repeat((error.length.max(1) as usize).min(most));
            let _ = writeln!(out, "{margin} | {}{carets}", " ".repeat(at));
        }
    }
    if let Some(help) = &error.help {
        let _ = writeln!(out, "{margin} = help: {help}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuleSet;

    fn check(text: &str, expect: &str) {
        let set = RuleSet::load([("a.yml".to_owned(), text.to_owned())]);
        let shown: Vec<String> = set.errors.iter().map(|e| render(e, &Lines::new(text))).collect();
        assert_eq!(shown.concat(), expect);
    }

    #[test]
    fn a_condition_with_a_caret() {
        check(
            "title: t\nlogsource: {product: windows}\ndetection:\n  sel: {a: b}\n  condition: sel and (\n",
            "error[condition_syntax]: the condition has a syntax error: expected expr\n \
             --> a.yml:5:23\n  |\n5 |   condition: sel and (\n  |                       ^\n  \
             = help: selections, `and`, `or`, `not`, brackets, `1 of name*`, `all of them`\n",
        );
    }

    #[test]
    fn a_value_underlined() {
        check(
            "title: t\nlogsource: {}\ndetection:\n  sel:\n    ip|cidr: 10.0.0.0/99\n  condition: sel\n",
            "error[value_invalid]: `ip`: not a network\n --> a.yml:5:14\n  |\n\
             5 |     ip|cidr: 10.0.0.0/99\n  |              ^^^^^^^^^^^\n  \
             = help: write an address and the number of bits, such as 10.0.0.0/8\n",
        );
    }
}
