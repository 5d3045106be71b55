//! What PowerShell's events say of their host and user, in a text of one pair a line.
//!
//! | event | where | a line of it |
//! |---|---|---|
//! | 4103 | `ContextInfo`, or `Context:` in the message | `Host Application = powershell.exe -c x` |
//! | 400, 403, 600, 800 | data without a name, or the message | `HostApplication=powershell.exe -c x` |
//!
//! The pairs are added under the names of the second form.

use crate::sink::Sink;
use memchr::memmem;

/// Most lines of a context that are looked at; real ones have about twenty.
const LINES_MAX: usize = 64;

/// Names of pairs, without spaces and in lower case, and of the fields they become.
const NAMES: [(&[u8], &[u8]); 9] = [
    (b"hostapplication", b"HostApplication"),
    (b"hostid", b"HostId"),
    (b"hostname", b"HostName"),
    (b"userid", b"UserId"),
    (b"user", b"UserId"),
    (b"connecteduser", b"ConnectedUser"),
    (b"commandname", b"CommandName"),
    (b"commandpath", b"CommandPath"),
    (b"scriptname", b"ScriptName"),
];

/// Adds the pairs of an event of a PowerShell channel.
pub(super) fn context(sink: &mut Sink<'_, '_>) {
    let channel = sink.get(b"Channel").unwrap_or_default();
    if memmem::find(channel, b"PowerShell").is_none() {
        return;
    }
    // The message repeats what the fields say; the fields may have been cut from it.
    let text = place(sink, |name, value| match name {
        b"ContextInfo" => Some(0),
        b"Data" => memmem::find(value, b"HostId=").map(|_| 0),
        _ if name.starts_with(b"param") => memmem::find(value, b"HostId=").map(|_| 0),
        _ => None,
    });
    let text = text.or_else(|| {
        place(sink, |name, value| {
            let at = [&b"Context:"[..], b"Details:"].iter().find_map(|w| memmem::find(value, w));
            at.filter(|_| name == b"Message")
        })
    });
    for line in text.unwrap_or_default().split(|b| *b == b'\n').take(LINES_MAX) {
        let Some(equals) = memchr::memchr(b'=', line) else { continue };
        let key: Vec<u8> = line[..equals]
            .iter()
            .filter(|b| !b.is_ascii_whitespace())
            .map(u8::to_ascii_lowercase)
            .collect();
        let value = line[equals + 1..].trim_ascii();
        let known = NAMES.iter().find(|(name, _)| *name == key.as_slice());
        if let Some((_, name)) = known.filter(|_| !value.is_empty())
            && sink.get(name).is_none()
        {
            sink.derived(name, value);
        }
    }
}

/// The first text in which a test of name and value finds a context, from where it begins.
fn place(sink: &Sink<'_, '_>, begins: fn(&[u8], &[u8]) -> Option<usize>) -> Option<Vec<u8>> {
    sink.spans().iter().find_map(|span| {
        let value = sink.value(span);
        value.get(begins(sink.name(span), value)?..).map(<[u8]>::to_vec)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use yagura_event::{EventBatch, FieldTable, SpanType};

    #[track_caller]
    fn check(channel: &str, name: &str, text: &str, expect: &str) {
        let record = format!("{channel}{text}");
        let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
        let mut sink = Sink::new(&mut batch, &fields, record.as_bytes());
        sink.plain(b"Channel", 0..channel.len(), SpanType::String);
        sink.plain(name.as_bytes(), channel.len()..record.len(), SpanType::String);
        context(&mut sink);
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let got: Vec<_> = batch
            .spans
            .iter()
            .skip(2)
            .map(|span| {
                format!("{}={}", name(batch.bytes(span.name)), name(batch.bytes(span.value)))
            })
            .collect();
        assert_eq!(got.join("|"), expect, "{text}");
    }

    #[test]
    fn contexts_of_both_forms() {
        check(
            "Microsoft-Windows-PowerShell/Operational",
            "ContextInfo",
            "  Host ID = 7d\n  Host Application = pwsh.exe -c a=b\r\n  User = CORP\\kim\n  Connected User = \n",
            "HostId=7d|HostApplication=pwsh.exe -c a=b|UserId=CORP\\kim",
        );
        check(
            "Windows PowerShell",
            "Data",
            "\tUserId=CORP\\kim\n\tHostId=7d\n\tHostApplication=pwsh.exe\n\tHostApplication=other",
            "UserId=CORP\\kim|HostId=7d|HostApplication=pwsh.exe",
        );
        check("Windows PowerShell", "Message", "Details: \n\tHostId=7d", "HostId=7d");
        check("Windows PowerShell", "Data", "Registry", "");
        check("Security", "ContextInfo", "Host ID = 7d", "");
    }
}
