//! Makes text that an attacker may have written harmless in headers and legible in bodies.

use std::fmt::Write;

/// One line for a header: whatever breaks lines, controls a terminal or turns the direction of
/// text becomes a space, runs of spaces one. Longer than `chars_max` characters it is cut.
pub(crate) fn header(text: &str, chars_max: usize) -> String {
    let plain: String = text.chars().map(|c| if is_hostile(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    cut(&words.join(" "), chars_max)
}

/// One line for a body: the same characters as escapes (`\n`, `\x1b`, `\u{202e}`), so that people
/// see that they are there. Longer than `chars_max` characters it is cut before.
pub(crate) fn shown(text: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for c in cut(text, chars_max).chars() {
        // Writing to a string cannot fail.
        let _ = match c {
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            c if is_hostile(c) && c.is_ascii() => write!(out, "\\x{:02x}", u32::from(c)),
            c if is_hostile(c) => write!(out, "\\u{{{:x}}}", u32::from(c)),
            c => out.write_char(c),
        };
    }
    out
}

/// Controls, line and paragraph separators, marks of direction, and characters without a shape.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// At most `chars_max` characters, the last an ellipsis where some are missing.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some(_) => text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_lose_what_breaks_them() {
        let text =
            "Compromise of web1\r\nBcc: all@example.org\0\u{1b}[2J \u{202e}moc\u{2028}x\u{85}";
        assert_eq!(header(text, 200), "Compromise of web1 Bcc: all@example.org [2J moc x");
        assert_eq!(header("横展開　x", 200), "横展開 x");
        assert_eq!((header("abcde", 5), header("abcdef", 5)), ("abcde".into(), "abcd…".into()));
    }

    #[test]
    fn bodies_show_it() {
        let text = "a\r\n.\r\n\tb\u{1b}[31m\u{202e}\u{200b}é横\\n";
        assert_eq!(shown(text, 99), "a\\r\\n.\\r\\n\\tb\\x1b[31m\\u{202e}\\u{200b}é横\\n");
        assert_eq!((shown("横展開", 3), shown("横展開x", 3)), ("横展開".into(), "横展…".into()));
    }
}
