//! Domain names: one form for lists and events, and which are refused.

use crate::refusal::Refusal;
use std::net::IpAddr;
use yagura_suffix::{Suffix, suffix};

/// Longest name, in bytes (RFC 1035 section 2.3.4).
pub const NAME_BYTES_MAX: usize = 253;

/// Top-level names that are in no registry and yet name single owners or exercises: hidden
/// services (RFC 7686 and others), names for examples and tests (RFC 2606, RFC 6761), names
/// inside organisations.
const OUTSIDE_REGISTRIES: [&str; 18] = [
    "onion", "i2p", "bit", "zero", "lib", "emc", "coin", "bazar", "eth", "crypto", "example",
    "test", "invalid", "local", "internal", "lan", "corp", "home",
];

/// Writes `text` into `out` as names are compared: lower case, without trailing dots, in
/// Punycode. `None` where it is no name with a dot in it.
pub fn normal<'a>(text: &str, out: &'a mut String) -> Option<&'a str> {
    out.clear();
    let text = text.trim_end_matches('.');
    if text.len() > NAME_BYTES_MAX || !text.contains('.') {
        return None;
    }
    if text.is_ascii() {
        out.push_str(text);
        out.make_ascii_lowercase();
    } else {
        out.push_str(&idna::domain_to_ascii(text).ok()?);
    }
    is_name(out).then_some(out.as_str())
}

/// Whether lower-case labels are letters, digits, `-` and `_`, and the last one no number.
fn is_name(name: &str) -> bool {
    let mut last = "";
    for label in name.split('.') {
        let fine = !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !fine {
            return false;
        }
        last = label;
    }
    last.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Reads a domain as an indicator: `*.name`, `.name` and `||name^` stand for the name.
///
/// # Errors
/// [`Refusal::PublicSuffix`] unless `wide`; [`Refusal::Unrecognised`] for what is no name or
/// ends in no known top-level domain (`setup.exe`).
pub fn read(text: &str, wide: bool) -> Result<String, Refusal> {
    let text = text.strip_prefix("||").unwrap_or(text);
    let text = text.split('^').next().unwrap_or(text);
    let text = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    let mut name = String::new();
    if normal(text, &mut name).is_none() {
        let label = text.trim_end_matches('.').to_ascii_lowercase();
        let top = suffix(&label).is_some_and(|suffix| suffix.known);
        return Err(if top { Refusal::PublicSuffix } else { Refusal::Unrecognised });
    }
    let top = name.rsplit('.').next().unwrap_or_default();
    let Some(suffix) = suffix(&name) else { return Err(Refusal::Unrecognised) };
    if !suffix.known && !OUTSIDE_REGISTRIES.contains(&top) {
        return Err(Refusal::Unrecognised);
    }
    if suffix.len == name.len() && !wide && !is_customer(&name, suffix) {
        return Err(Refusal::PublicSuffix);
    }
    Ok(name)
}

/// Whether a suffix is one customer's name for all that: where a provider lists every name
/// below its own as a suffix (`*.compute.example`), each of them is one machine.
fn is_customer(name: &str, of: Suffix) -> bool {
    let Some((_, parent)) = name.split_once('.') else { return false };
    let other = format!("a-name-of-nobody.{parent}");
    of.private && suffix(&other).is_some_and(|suffix| suffix.len == other.len())
}

/// The host of `host`, `host:port` and `[address]:port`.
pub fn without_port(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('[')
        && let Some((ip, _)) = rest.split_once(']')
    {
        return ip;
    }
    match text.rsplit_once(':') {
        Some((host, port))
            if !host.contains(':')
                && !port.is_empty()
                && port.len() <= 5
                && port.bytes().all(|b| b.is_ascii_digit()) =>
        {
            host
        }
        _ => text,
    }
}

/// The address that a host is, if it is one.
pub fn as_address(host: &str) -> Option<IpAddr> {
    // A name ends in a letter, an IPv4 address in a digit: most names are told apart here.
    let last = host.as_bytes().last()?;
    if !last.is_ascii_digit() && !host.contains(':') {
        return None;
    }
    host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}
