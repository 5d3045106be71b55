//! Plain lists: one entry a line, with comments in the usual styles.
//!
//! `#`, `;`, `//` and `!` begin a comment, at the beginning or behind white space. What follows
//! an entry on its line is one, too. A line of a hosts file (`0.0.0.0 bad.example`) names the
//! host; `first - last` and `address mask` are ranges.

use super::line::Lines;
use super::{End, Sink};
use crate::list::Statement;
use crate::network;
use crate::refusal::Refusal;
use std::io::Read;
use std::net::IpAddr;

/// Names in every hosts file that mean the machine itself.
const OWN_NAMES: [&str; 9] = [
    "localhost",
    "localhost.localdomain",
    "local",
    "broadcasthost",
    "ip6-localhost",
    "ip6-loopback",
    "ip6-localnet",
    "ip6-allnodes",
    "0.0.0.0",
];

pub(super) fn read<R: Read>(mut lines: Lines<R>, sink: &mut Sink) -> End {
    let said = Statement::default();
    loop {
        let (line, long) = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => return End::Done,
            Err(error) => return sink.io(&error),
        };
        sink.next_line();
        if long {
            sink.refuse(Refusal::TooLong, &line);
            continue;
        }
        let entry = bare(&line);
        if !entry.is_empty() && !take(entry, &said, sink) {
            return sink.too_many();
        }
    }
}

/// The line without comments.
pub(super) fn bare(line: &str) -> &str {
    let line = line.trim().trim_start_matches('\u{feff}');
    if is_comment(line) {
        return "";
    }
    let cut = |at: usize| {
        let before = line[..at].chars().next_back();
        before.is_some_and(char::is_whitespace) && is_comment(&line[at..])
    };
    let marks = line.char_indices().filter(|(_, c)| matches!(c, '#' | ';' | '/' | '!'));
    let end = marks.map(|(at, _)| at).find(|at| cut(*at)).unwrap_or(line.len());
    line[..end].trim_end()
}

fn is_comment(text: &str) -> bool {
    text.starts_with(['#', ';', '!']) || text.starts_with("//")
}

/// Whether a first word says that names follow, as in a hosts file.
pub(super) fn is_sink_hole(word: &str) -> bool {
    word.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified() || ip.is_loopback())
}

/// Takes a line without comments; false once the list is too long.
fn take(line: &str, said: &Statement, sink: &mut Sink) -> bool {
    let mut words = line.split_whitespace();
    let Some(first) = words.next() else { return true };
    let second = words.next();
    let Some(second) = second else { return sink.entry(alone(first), said) };
    if is_sink_hole(first) {
        let names = std::iter::once(second).chain(words);
        let mut names = names.filter(|name| !OWN_NAMES.contains(name));
        return names.all(|name| sink.entry(name, said));
    }
    if matches!(second, "-" | "–") {
        let last = words.next().unwrap_or_default();
        return sink.entry(&format!("{first}-{last}"), said);
    }
    if network::address(first).is_some() {
        if network::mask_len(second).is_some() {
            return sink.entry(&format!("{first}/{second}"), said);
        }
        if network::address(second).is_some() {
            return sink.entry(&format!("{first}-{second}"), said);
        }
    }
    sink.entry(alone(first), said)
}

/// A word without what some lists write right behind an address or a name.
fn alone(word: &str) -> &str {
    let word = word.trim_end_matches([',', ';', '#']);
    if word.contains(['/', '@']) {
        // All of these may be in a URL.
        return word;
    }
    let end = word.find(['#', ',', ';']).unwrap_or(word.len());
    let bar = word[..end].find('|').filter(|at| *at > 1);
    &word[..bar.unwrap_or(end)]
}
