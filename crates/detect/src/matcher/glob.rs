//! Text patterns compiled to the cheapest form that decides them.

use crate::ir::{DASHES, Glob, Piece};
use memchr::memmem::Finder;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) enum TextMatch {
    /// Any text.
    Always,
    /// Equal.
    Equals(Box<[u8]>),
    /// Begins with it.
    Start(Box<[u8]>),
    /// Ends with it.
    End(Box<[u8]>),
    /// Contains it.
    Within(Box<Finder<'static>>),
    /// Wildcards in between.
    Pieces(Box<Pieces>),
}

/// Runs of fixed pieces with `*` between them.
#[derive(Clone, Debug)]
pub(crate) struct Pieces {
    runs: Vec<Vec<Piece>>,
    open_start: bool,
    open_end: bool,
}

impl TextMatch {
    /// Compiles a normalised pattern.
    pub fn new(glob: &Glob) -> Self {
        match glob.0.as_slice() {
            [] => Self::Equals(Box::default()),
            [Piece::Any] => Self::Always,
            [Piece::Lit(lit)] => Self::Equals(lit.as_slice().into()),
            [Piece::Lit(lit), Piece::Any] => Self::Start(lit.as_slice().into()),
            [Piece::Any, Piece::Lit(lit)] => Self::End(lit.as_slice().into()),
            [Piece::Any, Piece::Lit(lit), Piece::Any] => {
                Self::Within(Box::new(Finder::new(lit.as_slice()).into_owned()))
            }
            pieces => {
                let runs = pieces.split(|piece| *piece == Piece::Any);
                Self::Pieces(Box::new(Pieces {
                    runs: runs.filter(|run| !run.is_empty()).map(<[Piece]>::to_vec).collect(),
                    open_start: pieces.first() == Some(&Piece::Any),
                    open_end: pieces.last() == Some(&Piece::Any),
                }))
            }
        }
    }

    /// Whether `text` fulfils the pattern. Of a text that was cut (`cut`) the end is not
    /// known, so patterns that reach the end are not fulfilled.
    pub fn is_match(&self, text: &[u8], cut: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Equals(lit) => !cut && *text == **lit,
            Self::Start(lit) => text.starts_with(lit),
            Self::End(lit) => !cut && text.ends_with(lit),
            Self::Within(finder) => finder.find(text).is_some(),
            Self::Pieces(pieces) => pieces.is_match(text, cut),
        }
    }
}

impl Pieces {
    /// Takes each run at its first place after the one before; the last at the end unless
    /// the pattern is open there. Without `*` inside runs the first place is never wrong.
    fn is_match(&self, text: &[u8], cut: bool) -> bool {
        if cut && !self.open_end {
            return false;
        }
        let mut at = 0usize;
        for (index, run) in self.runs.iter().enumerate() {
            let first = index == 0 && !self.open_start;
            let last = index + 1 == self.runs.len() && !self.open_end;
            let end = match (first, last) {
                (true, true) => run_at(run, text, 0).filter(|end| *end == text.len()),
                (true, false) => run_at(run, text, 0),
                (false, true) => at_end(run, text, at),
                (false, false) => find(run, text, at),
            };
            match end {
                Some(end) => at = end,
                None => return false,
            }
        }
        true
    }
}

/// The end of `run` if it stands at `at`.
fn run_at(run: &[Piece], text: &[u8], mut at: usize) -> Option<usize> {
    for piece in run {
        let rest = text.get(at..)?;
        at += match piece {
            Piece::Lit(lit) => rest.starts_with(lit).then_some(lit.len())?,
            Piece::One => char_len(rest)?,
            Piece::Dash => DASHES.iter().find(|dash| rest.starts_with(dash.as_bytes()))?.len(),
            Piece::Any => 0,
        };
    }
    Some(at)
}

/// Bytes of the first character; one for a byte that begins none.
fn char_len(text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    let len = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    Some(if len <= text.len() && std::str::from_utf8(&text[..len]).is_ok() { len } else { 1 })
}

/// The end of the first place of `run` at or after `from`.
fn find(run: &[Piece], text: &[u8], from: usize) -> Option<usize> {
    if let Some(Piece::Lit(lit)) = run.first() {
        let mut at = from;
        while let Some(found) = memchr::memmem::find(text.get(at..)?, lit) {
            if let Some(end) = run_at(run, text, at + found) {
                return Some(end);
            }
            at += found + 1;
        }
        return None;
    }
    (from..=text.len()).filter(|at| is_boundary(text, *at)).find_map(|at| run_at(run, text, at))
}

/// The end of the text if `run` ends there and begins at or after `from`.
fn at_end(run: &[Piece], text: &[u8], from: usize) -> Option<usize> {
    let (mut least, mut most) = (0usize, 0usize);
    for piece in run {
        let (a, b) = match piece {
            Piece::Lit(lit) => (lit.len(), lit.len()),
            Piece::One => (1, 4),
            Piece::Dash => (1, 3),
            Piece::Any => (0, 0),
        };
        least += a;
        most += b;
    }
    let first = text.len().saturating_sub(most).max(from);
    let last = text.len().checked_sub(least)?;
    (first..=last)
        .filter(|at| is_boundary(text, *at))
        .find(|at| run_at(run, text, *at) == Some(text.len()))
        .map(|_| text.len())
}

/// Whether a character can begin at `at`.
fn is_boundary(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|byte| byte & 0xc0 != 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str, expect: bool) {
        let glob = Glob::new(pattern.chars().map(|c| match c {
            '*' => Piece::Any,
            '?' => Piece::One,
            '~' => Piece::Dash,
            c => Piece::Lit(c.to_string().into_bytes()),
        }));
        assert_eq!(
            TextMatch::new(&glob).is_match(text.as_bytes(), false),
            expect,
            "{pattern} {text}"
        );
    }

    #[test]
    fn patterns_of_every_form() {
        for (pattern, text, expect) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-c-b-c", true),
            ("a*b*c", "ab", false),
            ("*ab?", "xabab\u{e9}", true),
            ("*ab?", "xab", false),
            ("?", "\u{20ac}", true),
            ("??", "\u{20ac}", false),
            ("* ~x*", "a \u{2014}x", true),
            ("* ~x*", "a+x", false),
            ("a?*", "a", false),
            ("*a*a", "a", false),
            ("*aab*", "aaab", true),
            ("?b*", "ab", true),
        ] {
            check(pattern, text, expect);
        }
    }

    #[test]
    fn the_end_of_a_cut_text_is_not_known() {
        let any_end = TextMatch::new(&Glob::new([Piece::Any, Piece::Lit(b"x".to_vec())]));
        assert!(any_end.is_match(b"ax", false) && !any_end.is_match(b"ax", true));
    }
}
