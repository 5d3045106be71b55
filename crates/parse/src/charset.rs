//! From a record's bytes to text: the context's charset, and what to do where it is not that.
//!
//! A record is always journalled as its own bytes. Parsing works on UTF-8; where that is not
//! what was received, the event keeps both (`Event::raw` and `Event::original`), so that the
//! record is recovered by taking `raw_bytes` where there is one and else `raw_data`.

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS};
use std::borrow::Cow;
use yagura_event::Charset;

/// A record as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decoded<'a> {
    /// The text; not UTF-8 only where `lossy`.
    pub text: Cow<'a, [u8]>,
    /// Whether `text` is the record's own bytes and these are not UTF-8.
    pub lossy: bool,
    /// What was wrong, in words for a person.
    pub issue: Option<&'static str>,
}

impl<'a> Decoded<'a> {
    fn own(bytes: &'a [u8], issue: Option<&'static str>) -> Self {
        Self { text: Cow::Borrowed(bytes), lossy: false, issue }
    }

    fn new(text: String, issue: Option<&'static str>) -> Self {
        Self { text: Cow::Owned(text.into_bytes()), lossy: false, issue }
    }

    /// Whether the text was decoded, so that the record's own bytes are kept beside it.
    pub fn is_decoded(&self) -> bool {
        matches!(self.text, Cow::Owned(_))
    }
}

/// Decodes a record. A record that is not in `charset` is read as what it shows itself to be,
/// with an issue.
pub fn decode(charset: Charset, bytes: &[u8]) -> Decoded<'_> {
    match charset {
        Charset::Auto => auto(bytes),
        Charset::Utf8 if std::str::from_utf8(bytes).is_ok() => Decoded::own(bytes, None),
        Charset::Utf8 => replaced(bytes),
        Charset::Utf16le => utf16(bytes, u16::from_le_bytes),
        Charset::Utf16be => utf16(bytes, u16::from_be_bytes),
        Charset::ShiftJis => configured(bytes, SHIFT_JIS),
        Charset::EucJp => configured(bytes, EUC_JP),
        Charset::Iso2022Jp => configured(bytes, ISO_2022_JP),
    }
}

fn replaced(bytes: &[u8]) -> Decoded<'_> {
    Decoded { text: Cow::Borrowed(bytes), lossy: true, issue: Some("not valid UTF-8") }
}

fn auto(bytes: &[u8]) -> Decoded<'_> {
    let utf8 = std::str::from_utf8(bytes).is_ok();
    if utf8 && !escapes(bytes) {
        return Decoded::own(bytes, None);
    }
    match recognise(bytes) {
        Some((charset, text)) => Decoded::new(text, Some(read_as(charset))),
        None if utf8 => Decoded::own(bytes, None),
        None => replaced(bytes),
    }
}

fn read_as(charset: Charset) -> &'static str {
    match charset {
        Charset::ShiftJis => "read as Shift_JIS",
        Charset::EucJp => "read as EUC-JP",
        Charset::Iso2022Jp => "read as ISO-2022-JP",
        _ => "read as UTF-8",
    }
}

fn configured<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Decoded<'a> {
    if bytes.is_ascii() && !escapes(bytes) {
        return Decoded::own(bytes, None);
    }
    let utf8 = std::str::from_utf8(bytes).is_ok();
    // Three-byte sequences throughout are UTF-8: the same bytes are valid, and nonsense, in
    // the Japanese charsets.
    if utf8 && bytes.iter().any(|b| *b >= 0xE0) {
        return Decoded::own(bytes, Some(read_as(Charset::Utf8)));
    }
    if let Some(text) = strict(encoding, bytes) {
        return Decoded::new(text, None);
    }
    if utf8 {
        return Decoded::own(bytes, Some(read_as(Charset::Utf8)));
    }
    match recognise(bytes) {
        Some((charset, text)) => Decoded::new(text, Some(read_as(charset))),
        None => {
            let (text, _) = encoding.decode_without_bom_handling(bytes);
            Decoded::new(text.into_owned(), Some("not valid in the charset, bytes are replaced"))
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Decoded<'_> {
    // Text of another hand in the file has no zero byte, which UTF-16 has at each line's end
    // and in every word of ASCII.
    if !bytes.contains(&0) && bytes.len() > 2 && std::str::from_utf8(bytes).is_ok() {
        let ascii = bytes.iter().filter(|b| b.is_ascii()).count();
        if ascii * 2 > bytes.len() {
            return Decoded::own(bytes, Some(read_as(Charset::Utf8)));
        }
    }
    let mut bad = bytes.len() % 2 == 1;
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut text = String::with_capacity(bytes.len());
    for letter in char::decode_utf16(units) {
        text.push(letter.unwrap_or_else(|_| {
            bad = true;
            char::REPLACEMENT_CHARACTER
        }));
    }
    if bytes.len() % 2 == 1 {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    Decoded::new(text, bad.then_some("not valid UTF-16, some is replaced"))
}

/// The Japanese charset that bytes show themselves to be in, and their text. ASCII is none.
pub fn recognise(bytes: &[u8]) -> Option<(Charset, String)> {
    if bytes.is_ascii() {
        let text = escapes(bytes).then(|| strict(ISO_2022_JP, bytes)).flatten()?;
        return japanese(&text).then_some((Charset::Iso2022Jp, text));
    }
    let euc = strict(EUC_JP, bytes).filter(|text| japanese(text));
    let sjis = strict(SHIFT_JIS, bytes).filter(|text| japanese(text));
    match (euc, sjis) {
        // Pairs of half-width katakana in Shift_JIS are kanji in EUC-JP; kana in EUC-JP are
        // such pairs in Shift_JIS. Full-width kana decide.
        (Some(euc), Some(sjis)) if !kana(&euc) && half_width_only(&sjis) => {
            Some((Charset::ShiftJis, sjis))
        }
        (Some(euc), _) => Some((Charset::EucJp, euc)),
        (None, Some(sjis)) => Some((Charset::ShiftJis, sjis)),
        (None, None) => None,
    }
}

/// What a file's first lines say of all of it: a charset that every line beyond ASCII shows.
pub fn sniff(head: &[u8]) -> Option<Charset> {
    let mut found = None;
    let whole = memchr::memrchr(b'\n', head).map_or(head, |end| &head[..end]);
    for line in whole.split(|b| *b == b'\n') {
        if line.is_ascii() && !escapes(line) {
            continue;
        }
        if std::str::from_utf8(line).is_ok() && !escapes(line) {
            return None;
        }
        // A line too short to tell is read by what the others say.
        let Some((charset, _)) = recognise(line) else { continue };
        if found.is_some_and(|known| known != charset) {
            return None;
        }
        found = Some(charset);
    }
    found
}

/// Whether escape sequences of ISO-2022-JP occur that switch to Japanese letters.
fn escapes(bytes: &[u8]) -> bool {
    memchr::memchr_iter(0x1b, bytes).any(|at| {
        let rest = bytes.get(at + 1..).unwrap_or_default();
        [&b"$B"[..], b"$@", b"$(D", b"(I"].iter().any(|escape| rest.starts_with(escape))
    })
}

fn strict(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(Cow::into_owned)
}

fn is_kana(letter: char) -> bool {
    ('\u{3041}'..='\u{30ff}').contains(&letter)
}

fn kana(text: &str) -> bool {
    text.chars().any(is_kana)
}

fn is_half_width(letter: char) -> bool {
    ('\u{ff61}'..='\u{ff9f}').contains(&letter)
}

fn half_width_only(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii() || is_half_width(letter))
}

/// Whether decoded text looks Japanese, so that a stray accented letter does not: full-width
/// kana, or two wide letters or three half-width ones beside each other.
fn japanese(text: &str) -> bool {
    let (mut wide, mut half) = (0, 0);
    for letter in text.chars() {
        if is_kana(letter) {
            return true;
        }
        half = if is_half_width(letter) { half + 1 } else { 0 };
        let kanji = ('\u{3000}'..='\u{303f}').contains(&letter)
            || ('\u{4e00}'..='\u{9fff}').contains(&letter)
            || ('\u{ff01}'..='\u{ff5e}').contains(&letter);
        wide = if kanji { wide + 1 } else { 0 };
        if wide >= 2 || half >= 3 {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Feb 14 12:00:00 host sshd: ユーザー 認証に失敗しました (失敗)";

    #[track_caller]
    fn check(charset: Charset, bytes: &[u8], text: &str, issue: Option<&str>) {
        let decoded = decode(charset, bytes);
        assert_eq!(String::from_utf8_lossy(&decoded.text), text);
        assert_eq!(decoded.issue, issue);
    }

    fn encoded(encoding: &'static Encoding) -> Vec<u8> {
        let (bytes, _, bad) = encoding.encode(TEXT);
        assert!(!bad);
        bytes.into_owned()
    }

    #[test]
    fn japanese_charsets_are_recognised_a_record_at_a_time() {
        check(Charset::Auto, TEXT.as_bytes(), TEXT, None);
        check(Charset::Auto, &encoded(SHIFT_JIS), TEXT, Some("read as Shift_JIS"));
        check(Charset::Auto, &encoded(EUC_JP), TEXT, Some("read as EUC-JP"));
        check(Charset::Auto, &encoded(ISO_2022_JP), TEXT, Some("read as ISO-2022-JP"));
        // Half-width katakana: `ｴﾗｰ`.
        check(Charset::Auto, b"\xb4\xd7\xb0 1", "ｴﾗｰ 1", Some("read as Shift_JIS"));
    }

    #[test]
    fn a_configured_charset_wins_unless_the_record_is_not_in_it() {
        check(Charset::ShiftJis, &encoded(SHIFT_JIS), TEXT, None);
        check(Charset::EucJp, &encoded(EUC_JP), TEXT, None);
        check(Charset::Iso2022Jp, &encoded(ISO_2022_JP), TEXT, None);
        check(Charset::ShiftJis, TEXT.as_bytes(), TEXT, Some("read as UTF-8"));
        check(Charset::EucJp, &encoded(SHIFT_JIS), TEXT, Some("read as Shift_JIS"));
        check(Charset::ShiftJis, b"plain", "plain", None);
        assert!(!decode(Charset::ShiftJis, b"plain").is_decoded());
    }

    #[test]
    fn western_bytes_and_colours_are_not_japanese() {
        for bytes in [&b"caf\xe9 au lait"[..], b"\xe9t\xe9 2024", b"na\xefve r\xe9sum\xe9"] {
            let decoded = decode(Charset::Auto, bytes);
            assert_eq!((decoded.lossy, decoded.issue), (true, Some("not valid UTF-8")));
            assert_eq!(decoded.text, bytes);
        }
        check(Charset::Auto, b"\x1b[31mred\x1b(B", "\u{1b}[31mred\u{1b}(B", None);
    }

    #[test]
    fn utf16_of_either_order_and_broken() {
        let le: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(Charset::Utf16le, &le, TEXT, None);
        check(Charset::Utf16be, &be, TEXT, None);
        let issue = Some("not valid UTF-16, some is replaced");
        check(Charset::Utf16le, b"a\0\x00\xd8b\0", "a\u{fffd}b", issue);
        check(Charset::Utf16le, b"a\0b", "a\u{fffd}", issue);
        check(Charset::Utf16le, b"plain text", "plain text", Some("read as UTF-8"));
    }

    #[test]
    fn a_head_of_one_charset_tells_it() {
        let lines = |parts: &[&[u8]]| parts.join(&b'\n');
        let (sjis, euc) = (encoded(SHIFT_JIS), encoded(EUC_JP));
        assert_eq!(sniff(&lines(&[b"x", &sjis, b"y", b"\x82"])), Some(Charset::ShiftJis));
        assert_eq!(sniff(&lines(&[&euc, b"y", b""])), Some(Charset::EucJp));
        assert_eq!(sniff(&lines(&[&sjis, &euc, b""])), None);
        assert_eq!(sniff(&lines(&[&sjis, TEXT.as_bytes(), b""])), None);
        assert_eq!(sniff(b"plain\nascii\n"), None);
    }
}
