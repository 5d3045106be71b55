//! Words in texts: where they may begin and end, and a quick search for ASCII ones.

/// An ASCII word to be found in texts.
#[derive(Debug)]
pub struct Word {
    lower: Vec<u8>,
    /// The byte looked for first, the rarest in logs, and its place.
    rare: usize,
    begins: bool,
    ends: bool,
}

/// Whether a word's border must lie beside this character.
pub fn is_bordered(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    c.is_alphanumeric() && !is_unspaced(c)
}

/// Letters of scripts that put no spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff          // Thai, Lao
        | 0x1000..=0x109f        // Myanmar
        | 0x1100..=0x11ff        // Hangul jamo
        | 0x1780..=0x17ff        // Khmer
        | 0x2e80..=0x303f        // radicals, iteration marks
        | 0x3040..=0x30ff        // kana
        | 0x3130..=0x318f        // Hangul jamo
        | 0x31f0..=0x31ff        // kana
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff // Han
        | 0xa960..=0xa97f | 0xac00..=0xd7ff // Hangul
        | 0xff66..=0xff9f        // half-width kana
        | 0x2_0000..=0x3_ffff)
}

impl Word {
    /// The word `text`, with a border before and behind it where asked and fit.
    pub fn new(text: &str, begins: bool, ends: bool) -> Self {
        let lower = text.to_ascii_lowercase().into_bytes();
        let rare = (0..lower.len()).min_by_key(|at| commonness(lower[*at])).unwrap_or(0);
        let border = |byte: Option<&u8>| byte.is_some_and(|b| is_bordered(char::from(*b)));
        let begins = begins && border(lower.first());
        let ends = ends && border(lower.last());
        Self { lower, rare, begins, ends }
    }

    /// The word, and whether a border must lie before and behind it.
    pub(crate) fn shape(&self) -> Option<(&str, bool, bool)> {
        Some((std::str::from_utf8(&self.lower).ok()?, self.begins, self.ends))
    }

    /// Whether it is in the text.
    pub fn is_in(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let Some(rare) = self.lower.get(self.rare) else { return true };
        let found = |at: usize| {
            let Some(start) = at.checked_sub(self.rare) else { return false };
            let end = start + self.lower.len();
            bytes.get(start..end).is_some_and(|part| part.eq_ignore_ascii_case(&self.lower))
                && !(self.begins && borders(text[..start].chars().next_back()))
                && !(self.ends && borders(text[end..].chars().next()))
        };
        memchr::memchr2_iter(*rare, rare.to_ascii_uppercase(), bytes).any(found)
    }
}

fn borders(c: Option<char>) -> bool {
    c.is_some_and(is_bordered)
}

/// How often a byte stands in logs, roughly.
fn commonness(byte: u8) -> u8 {
    match byte {
        b' ' | b'e' | b'0' | b'1' => 9,
        b'a' | b't' | b'i' | b'o' | b'n' | b's' | b'r' | b'2'..=b'9' => 8,
        b'.' | b'"' | b':' | b'=' | b'/' | b'-' | b',' | b'd' | b'c' | b'l' => 7,
        b'u' | b'm' | b'p' | b'h' | b'f' | b'b' => 5,
        b'g' | b'w' | b'y' | b'v' | b'_' | b'[' | b']' | b'(' | b')' => 3,
        _ => 1,
    }
}
