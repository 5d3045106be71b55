//! Writes a mail as it goes over the wire (RFC 5322, MIME): headers, then one text or two.

use crate::clean;
use crate::payload::{Mail, Part};
use crate::zone;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use lettre::Address;
use yagura_event::time::Micros;

/// Bytes of text in one encoded word: its line stays below the 76 characters of RFC 2047 section
/// 2, behind any of our header names.
const WORD_BYTES: usize = 39;

/// Longest text that goes into a header as it is.
const PLAIN_BYTES_MAX: usize = 60;

/// Characters of a line of base64 (RFC 2045 section 6.8).
const BASE64_LINE: usize = 76;

/// Longest line of a body that goes as it is; RFC 5322 section 2.1.1 allows 998.
const BODY_LINE_BYTES_MAX: usize = 900;

/// Longest name before an address, in characters.
const NAME_CHARS_MAX: usize = 100;

/// An address with or without a name: `Kim <kim@example.org>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mailbox {
    name: String,
    pub(crate) email: Address,
}

impl Mailbox {
    /// Reads it. Addresses have ASCII characters only: not every server takes others.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{text:?} is no mail address: {why}");
        if text.chars().any(char::is_control) {
            return Err(wrong("it has control characters"));
        }
        let (name, email) = match text.trim().strip_suffix('>') {
            Some(rest) => rest.rsplit_once('<').ok_or_else(|| wrong("there is no <"))?,
            None => ("", text.trim()),
        };
        let email: Address = email.parse().map_err(|e| wrong(&format!("{e}")))?;
        if !AsRef::<str>::as_ref(&email).is_ascii() {
            return Err(wrong("it has other than ascii characters"));
        }
        let name = name.trim().trim_matches('"').trim();
        Ok(Self { name: clean::header(name, NAME_CHARS_MAX), email })
    }

    fn written(&self) -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_ ".contains(&b);
        if self.name.is_empty() {
            self.email.to_string()
        } else if self.name.len() <= PLAIN_BYTES_MAX && self.name.bytes().all(plain) {
            format!("{} <{}>", self.name, self.email)
        } else {
            format!("{}\r\n <{}>", words(&self.name), self.email)
        }
    }
}

/// What a message needs beside its texts.
pub(crate) struct Envelope<'a> {
    pub(crate) id: &'a str,
    pub(crate) created: Micros,
    pub(crate) from: &'a Mailbox,
    pub(crate) to: &'a [Mailbox],
}

/// The message with CRLF line ends, ASCII only; of one notification always the same.
pub(crate) fn message(envelope: &Envelope<'_>, mail: &Mail) -> String {
    let domain = envelope.from.email.domain();
    let date = zone::timestamp(envelope.created).to_zoned(TimeZone::UTC);
    let to: Vec<String> = envelope.to.iter().map(Mailbox::written).collect();
    let mut out = String::new();
    let mut header = |name: &str, value: &str| {
        out.push_str(&format!("{name}: {value}\r\n"));
    };
    header("Date", &date.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string());
    header("Message-ID", &format!("<{}@{domain}>", envelope.id));
    if mail.thread != envelope.id {
        let thread = format!("<{}@{domain}>", clean::header(&mail.thread, WORD_BYTES));
        header("In-Reply-To", &thread);
        header("References", &thread);
    }
    // No out-of-office answers (RFC 3834).
    header("Auto-Submitted", "auto-generated");
    header("From", &envelope.from.written());
    header("To", &to.join(",\r\n "));
    header("Subject", &unstructured(&mail.subject));
    header("MIME-Version", "1.0");
    if let [part] = mail.parts.as_slice() {
        out.push_str(&single(part, part.text.is_ascii()));
        return out;
    }
    // The texts are in base64, which has no dashes: nothing in them looks like a boundary.
    let boundary = format!("yagura-{}", envelope.id);
    header("Content-Type", &format!("multipart/mixed; boundary=\"{boundary}\""));
    for part in &mail.parts {
        out.push_str(&format!("\r\n--{boundary}\r\n{}", single(part, false)));
    }
    out.push_str(&format!("\r\n--{boundary}--\r\n"));
    out
}

/// Headers and body of a text, as it is where it may be.
fn single(part: &Part, plain: bool) -> String {
    let text = part.text.replace('\r', "").replace('\n', "\r\n");
    let short = text.lines().all(|line| line.len() <= BODY_LINE_BYTES_MAX);
    let (encoding, body) =
        if plain && short { ("7bit", text) } else { ("base64", base64_lines(&text)) };
    let language = clean::header(&part.language, WORD_BYTES);
    format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Language: {language}\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\r\n{body}"
    )
}

fn base64_lines(text: &str) -> String {
    let mut out = String::new();
    for (at, c) in STANDARD.encode(text).chars().enumerate() {
        if at > 0 && at % BASE64_LINE == 0 {
            out.push_str("\r\n");
        }
        out.push(c);
    }
    out.push_str("\r\n");
    out
}

/// The value of a header of free text.
fn unstructured(text: &str) -> String {
    let text = clean::header(text, usize::MAX);
    let plain = text.is_ascii() && text.len() <= PLAIN_BYTES_MAX && !text.contains("=?");
    if plain { text } else { words(&text) }
}

/// Text as encoded words (RFC 2047), one a line.
fn words(text: &str) -> String {
    let mut rest = text;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (word, tail) = rest.split_at(rest.floor_char_boundary(WORD_BYTES));
        out.push(format!("=?utf-8?b?{}?=", STANDARD.encode(word)));
        rest = tail;
    }
    out.join("\r\n ")
}

#[cfg(test)]
mod tests;
