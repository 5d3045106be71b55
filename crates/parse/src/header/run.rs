//! Finds a run of lines that begin with `#` and tells whether it is a header.

use super::{Directive, HEADER_BYTES_MAX, Style, directive};
use std::ops::Range;

/// What the buffered bytes begin with.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Run {
    /// More bytes are needed to tell.
    More,
    /// A header that names columns and takes the place of the one in force.
    Header {
        /// Its lines, comments among them.
        lines: Vec<Range<usize>>,
        /// The first byte behind it.
        next: usize,
    },
    /// Lines of the header in force without columns (`#close`, `#Date:`): they join it.
    Joins {
        /// The lines.
        lines: Vec<Range<usize>>,
        /// The first byte behind them.
        next: usize,
    },
    /// No header: records up to here.
    Plain {
        /// The first byte that is to be looked at again.
        next: usize,
    },
}

/// Looks at `rest`, which begins with `#` at the start of a line.
pub(crate) fn run(rest: &[u8], ended: bool, in_force: Option<Style>) -> Run {
    let mut lines = Vec::new();
    let (mut at, mut next) = (0, 0);
    loop {
        let line = rest.get(at..).unwrap_or_default();
        if line.is_empty() {
            if ended || at >= HEADER_BYTES_MAX {
                break;
            }
            return Run::More;
        }
        let end = memchr::memchr(b'\n', line);
        let Some(len) = end.or(ended.then_some(line.len())) else {
            if rest.len() < HEADER_BYTES_MAX && (line[0] == b'#' || blank(line)) {
                return Run::More;
            }
            break;
        };
        let after = at + len + usize::from(end.is_some());
        if !blank(&line[..len]) {
            if line[0] != b'#' || after > HEADER_BYTES_MAX {
                break;
            }
            lines.push(at..at + len);
            next = after;
        }
        at = after;
    }
    if lines.is_empty() {
        // One line beyond the limit, or the last one without its end.
        return Run::Plain { next: 1 };
    }
    decide(rest, lines, next, in_force)
}

fn blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

fn decide(rest: &[u8], lines: Vec<Range<usize>>, next: usize, in_force: Option<Style>) -> Run {
    let texts: Vec<_> =
        lines.iter().map(|range| String::from_utf8_lossy(&rest[range.clone()])).collect();
    let found: Vec<Option<Directive<'_>>> = texts.iter().map(|text| directive(text)).collect();
    if names_columns(&found) {
        return Run::Header { lines, next };
    }
    let joins = |d: &Option<Directive<'_>>| {
        d.is_some_and(|d| Some(d.style) == in_force && !d.word.eq_ignore_ascii_case("fields"))
    };
    if in_force.is_some() && found.iter().all(joins) {
        return Run::Joins { lines, next };
    }
    Run::Plain { next }
}

/// Whether the lines name the columns of what follows. One line alone may be a remark that
/// looks like it, so Zeek's `#fields` needs a second one of Zeek's, and `#Fields:` either a
/// second directive or two columns.
fn names_columns(found: &[Option<Directive<'_>>]) -> bool {
    let of = |style| found.iter().flatten().filter(move |d| d.style == style);
    let fields = |style| of(style).find(|d| d.word.eq_ignore_ascii_case("fields"));
    if fields(Style::Zeek).is_some() && of(Style::Zeek).count() > 1 {
        return true;
    }
    fields(Style::W3c).is_some_and(|d| {
        let columns = d.rest.split([' ', '\t', ',']).filter(|name| !name.is_empty()).count();
        columns > 1 || (columns == 1 && of(Style::W3c).count() > 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZEEK: &str = "### note\n#separator \\x09\n#fields\ta\tb\n";

    #[track_caller]
    fn check(text: &str, ended: bool, in_force: Option<Style>, kind: &str, next: usize) {
        let (got, at) = match run(text.as_bytes(), ended, in_force) {
            Run::More => ("more", 0),
            Run::Header { next, .. } => ("header", next),
            Run::Joins { next, .. } => ("joins", next),
            Run::Plain { next } => ("plain", next),
        };
        assert_eq!((got, at), (kind, next), "{text:?}");
    }

    #[test]
    fn a_run_is_a_header_if_it_names_columns() {
        check(&format!("{ZEEK}1\t2\n"), false, None, "header", ZEEK.len());
        check(ZEEK, false, None, "more", 0);
        check(ZEEK, true, None, "header", ZEEK.len());
        check("#Fields: a b\n1 2\n", false, None, "header", 13);
        check("#Software: x\n\n#Fields: a\n1\n", false, None, "header", 25);
        check("#Fields: see below\r\n\r\nx\n", false, None, "header", 20);
        check("# a remark\n# another\nx\n", false, None, "plain", 21);
        check("#fields\tof study\nx\n", false, None, "plain", 17);
        check("#Fields:\nx\n", false, None, "plain", 9);
    }

    #[test]
    fn lines_without_columns_join_a_header_of_their_kind() {
        check("#close\t2024\n", true, Some(Style::Zeek), "joins", 12);
        check("#close\t2024\nx", false, None, "plain", 12);
        check("#Date: 2024-01-01\nx", false, Some(Style::W3c), "joins", 18);
        check("#Date: 2024-01-01\nx", false, Some(Style::Zeek), "plain", 18);
        check("#Date: 2024-01-01\n# x\nx", false, Some(Style::W3c), "plain", 22);
    }

    #[test]
    fn a_run_at_the_limit_is_whole_and_beyond_it_cut() {
        let header = "#Software: x\n#Fields: a b\n";
        let filler = |n: usize| format!("#{}\n", "x".repeat(n - 2));
        let room = HEADER_BYTES_MAX - header.len();
        let text = format!("{header}{}1 2\n", filler(room));
        check(&text, false, None, "header", HEADER_BYTES_MAX);
        let text = format!("{header}{}1 2\n", filler(room + 1));
        check(&text, false, None, "header", header.len());
        check(&filler(HEADER_BYTES_MAX + 1), false, None, "plain", 1);
        check(&filler(HEADER_BYTES_MAX + 9)[..HEADER_BYTES_MAX], false, None, "plain", 1);
    }
}
