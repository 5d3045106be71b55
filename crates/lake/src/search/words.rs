//! Words in texts: where they may begin and end, and a quick search for ASCII ones.

use aho_corasick::Span;
use aho_corasick::packed::{Builder, Searcher};
use std::sync::OnceLock;

/// Bytes of a word that are looked for at once; they have at most two forms each.
const WINDOW_BYTES: usize = 4;

/// An ASCII word to be found in texts.
#[derive(Debug)]
pub struct Word {
    lower: Vec<u8>,
    /// The byte looked for first, the rarest in logs, and its place.
    rare: usize,
    /// Finds a rare part of the word in any case, and where in it that part is; made for the first
    /// batch.
    window: OnceLock<Option<(Searcher, usize)>>,
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
        Self { lower, rare, window: OnceLock::new(), begins, ends }
    }

    /// The word, and whether a border must lie before and behind it.
    pub(crate) fn shape(&self) -> Option<(&str, bool, bool)> {
        Some((std::str::from_utf8(&self.lower).ok()?, self.begins, self.ends))
    }

    /// Whether it is in the text.
    pub fn is_in(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let Some(rare) = self.lower.get(self.rare) else { return true };
        let found = |at: usize| at.checked_sub(self.rare).is_some_and(|at| self.stands(text, at));
        memchr::memchr2_iter(*rare, rare.to_ascii_uppercase(), bytes).any(found)
    }

    /// Calls `hit` with the number of each text that the word is in. The texts lie in `bytes` one
    /// behind the other, each between two of `offsets`; `text` gives one by its number.
    pub(crate) fn each_in<'t>(
        &self,
        bytes: &[u8],
        offsets: &[i32],
        text: impl Fn(usize) -> &'t str,
        mut hit: impl FnMut(usize),
    ) {
        let texts = offsets.len().saturating_sub(1);
        let Some((searcher, within)) = self.window.get_or_init(|| window(&self.lower)) else {
            (0..texts).filter(|at| self.is_in(text(*at))).for_each(hit);
            return;
        };
        let place = |at: usize| offsets.get(at).map_or(usize::MAX, |offset| *offset as usize);
        let (mut at, end, mut number) = (place(0), place(texts).min(bytes.len()), 0);
        while at < end {
            let Some(found) = searcher.find_in(bytes, Span::from(at..end)) else { return };
            at = found.start() + 1;
            while place(number + 1) <= found.start() {
                number += 1;
            }
            let start = found.start().checked_sub(place(number) + within);
            if start.is_some_and(|start| self.stands(text(number), start)) {
                hit(number);
                at = place(number + 1);
            }
        }
    }

    /// Whether it stands in `text` from `start` on.
    fn stands(&self, text: &str, start: usize) -> bool {
        let end = start + self.lower.len();
        let part = text.as_bytes().get(start..end);
        part.is_some_and(|part| part.eq_ignore_ascii_case(&self.lower))
            && !(self.begins && borders(text[..start].chars().next_back()))
            && !(self.ends && borders(text[end..].chars().next()))
    }
}

/// What finds the rarest part of a word, and where in the word it is; `None` for one that is too
/// short, or where the processor cannot.
fn window(lower: &[u8]) -> Option<(Searcher, usize)> {
    let common = |part: &[u8]| part.iter().map(|byte| u32::from(commonness(*byte))).sum::<u32>();
    let parts = lower.windows(WINDOW_BYTES.min(lower.len()).max(2));
    let (at, part) = parts.enumerate().min_by_key(|(_, part)| common(part))?;
    let mut forms = vec![Vec::new()];
    for byte in part {
        let upper = byte.to_ascii_uppercase();
        let with = |form: &Vec<u8>, byte: u8| [form.as_slice(), &[byte]].concat();
        let mut longer: Vec<Vec<u8>> = forms.iter().map(|form| with(form, *byte)).collect();
        if upper != *byte {
            longer.extend(forms.iter().map(|form| with(form, upper)));
        }
        forms = longer;
    }
    Builder::new().extend(forms).build().map(|searcher| (searcher, at))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow::array::StringArray;
    use yagura_testkit::rng::Rng;

    #[test]
    fn in_many_texts_a_word_is_found_where_it_is_in_each() {
        let mut rng = Rng::new(7);
        let mut of = |most: u64| -> String {
            let bytes = (0..rng.range(0, most)).map(|_| rng.range(0, 6) as usize);
            bytes.map(|at| ["a", "A", "b", "1", ".", "é", "失"][at]).collect()
        };
        for _ in 0..400 {
            let texts: Vec<String> = (0..40).map(|_| of(12)).collect();
            let needle: String = of(6).chars().filter(char::is_ascii).collect();
            let array = StringArray::from(texts.clone());
            for (begins, ends) in [(false, false), (true, true), (true, false)] {
                let word = Word::new(&needle, begins, ends);
                let expected: Vec<usize> =
                    (5..texts.len()).filter(|at| word.is_in(&texts[*at])).collect();
                let mut found = Vec::new();
                let text = |at: usize| array.value(5 + at);
                let (bytes, offsets) = (array.value_data(), &array.value_offsets()[5..]);
                word.each_in(bytes, offsets, text, |at| found.push(5 + at));
                assert_eq!(found, expected, "{needle:?} in {texts:?}");
            }
        }
    }
}
