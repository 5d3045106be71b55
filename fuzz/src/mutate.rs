//! Changes to bytes that keep enough of their structure to get past the first check.

use yagura_testkit::rng::Rng;

/// Longest input made, in bytes: past the record limit of one MiB, which must hold too.
pub const INPUT_BYTES_MAX: usize = 1_200_000;

/// Longest run that is repeated at once, in bytes.
const REPEAT_BYTES_MAX: usize = 300_000;

/// What breaks parsers: ends of escapes, odd numbers, deep brackets, foreign text.
pub const SCRAPS: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xc3",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\\u0000",
    b"\"",
    b"'",
    b"<",
    b">",
    b"&",
    b"&#x0;",
    b"&#x110000;",
    b"&lt",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"{",
    b"}",
    b"[",
    b"]",
    b"{\"a\":",
    b"[[[[",
    b"(",
    b")",
    b"%",
    b"|",
    b"=",
    b"=\"",
    b",",
    b";",
    b":",
    b"\t",
    b"\n",
    b"\r\n",
    b"\r",
    b" ",
    b"  ",
    b"0",
    b"-1",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"1e999",
    b"NaN",
    b"0x",
    b"4294967296",
    b"65536",
    b"256.1.1.1",
    b"::",
    b"fe80::1%",
    b"null",
    b"true",
    b"1970-01-01T00:00:00Z",
    b"9999-12-31T23:59:60Z",
    b"Feb 30 25:61:61",
    b"<999>",
    b"<13>1 - - - - - -",
    "é".as_bytes(),
    "日本".as_bytes(),
    "\u{202e}".as_bytes(),
    "ſ".as_bytes(),
    "İ".as_bytes(),
];

/// One to six changes of `data`; `words` and `others` are what may be put in.
pub fn mutate(data: &mut Vec<u8>, words: &[Vec<u8>], others: &[Vec<u8>], rng: &mut Rng) {
    for _ in 0..rng.range(1, 6) {
        one(data, words, others, rng);
        data.truncate(INPUT_BYTES_MAX);
    }
}

fn one(data: &mut Vec<u8>, words: &[Vec<u8>], others: &[Vec<u8>], rng: &mut Rng) {
    let at = place(data, rng);
    match rng.range(0, 13) {
        0 if !data.is_empty() => {
            let at = at.min(data.len() - 1);
            data[at] ^= 1 << rng.range(0, 7);
        }
        1 if !data.is_empty() => {
            let at = at.min(data.len() - 1);
            data[at] = rng.bits() as u8;
        }
        2 => data.truncate(at),
        3 => {
            data.drain(..at);
        }
        4 => {
            let to = (at + span(rng)).min(data.len());
            data.drain(at..to);
        }
        5 => {
            let to = (at + span(rng)).min(data.len());
            let part = data[at..to].to_vec();
            let into = place(data, rng);
            data.splice(into..into, part);
        }
        6 => {
            let to = (at + span(rng)).min(data.len());
            let part = data[at..to].to_vec();
            let most = (REPEAT_BYTES_MAX / part.len().max(1)).min(100_000) as u64;
            let times = if rng.chance(5) { rng.range(1, most) } else { rng.range(1, 40) };
            data.splice(at..at, part.repeat(times.min(most) as usize));
        }
        7 | 8 if !words.is_empty() => {
            let word = rng.pick(words).clone();
            data.splice(at..at, word);
        }
        9 if !others.is_empty() => {
            let other = rng.pick(others);
            let from = place(other, rng);
            let to = (from + span(rng)).min(other.len());
            data.splice(at..at, other[from..to].iter().copied());
        }
        10 if !others.is_empty() => {
            // The first half of this, the second of that: headers of one, body of another.
            let other = rng.pick(others);
            let from = place(other, rng);
            data.truncate(at);
            data.extend_from_slice(&other[from..]);
        }
        11 => replace_number(data, at, rng),
        _ => {
            let scrap = rng.pick(SCRAPS);
            data.splice(at..at, scrap.iter().copied());
        }
    }
}

/// A position; often at the edge of a word, where structure is.
fn place(data: &[u8], rng: &mut Rng) -> usize {
    let at = rng.range(0, data.len() as u64) as usize;
    if rng.chance(50) {
        return at;
    }
    let edge = |w: &[u8]| w[0].is_ascii_alphanumeric() != w[1].is_ascii_alphanumeric();
    data[at..].windows(2).take(64).position(edge).map_or(at, |ahead| at + ahead + 1)
}

fn span(rng: &mut Rng) -> usize {
    if rng.chance(80) { rng.range(1, 24) as usize } else { rng.range(1, 4_000) as usize }
}

/// Puts another number in the place of the next one.
fn replace_number(data: &mut Vec<u8>, at: usize, rng: &mut Rng) {
    let Some(ahead) = data[at..].iter().position(u8::is_ascii_digit) else { return };
    let from = at + ahead;
    let len = data[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let number = match rng.range(0, 4) {
        0 => "0".to_owned(),
        1 => u64::MAX.to_string(),
        2 => "9".repeat(rng.range(1, 80) as usize),
        3 => rng.range(0, 70_000).to_string(),
        _ => rng.bits().to_string(),
    };
    data.splice(from..from + len, number.into_bytes());
}
