//! Records of the Linux audit system, as auditd, audisp and the kernel write them.
//!
//! ```text
//! node=host type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2 ... key="k"<GS>ARCH=x86_64
//! type=USER_LOGIN msg=audit(1364481363.243:24288): pid=1 uid=0 msg='op=login acct="kim" res=success'
//! audit: type=1400 audit(1364481363.243:24289): apparmor="DENIED" operation="open"
//! ```
//! Fields keep their names, which Sigma uses; those in `msg='...'` and in the enriched part
//! are not told apart from the others; only the peer's `hostname` is `remote_hostname`, since a
//! syslog header has one too. Added are `audit_time` and `serial`, `SYSCALL` by number
//! where it is not enriched, `cmdline` of the arguments of `EXECVE`, and the parts of a socket
//! address. Text that the kernel wrote as hexadecimal digits is decoded. Values that say
//! "unset" (`?`, `(null)`, `(none)`) are left out.

use super::auditd_names as names;
use super::{Decoder, Malformed};
use crate::sink::{NAME_BYTES_MAX, Sink};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use yagura_event::SpanType::{self, Number, String as Text};

/// The decoder; see the module.
#[derive(Clone, Copy, Debug)]
pub struct Auditd;

const SHAPE: Malformed = Malformed::new("not an audit record");

/// How far into a line its `type=` may begin: behind a host's name or the kernel's uptime.
const TYPE_WITHIN: usize = 300;

/// How rsyslog writes the control character before the enriched part.
const SEPARATOR: &[u8] = b"#035";

/// Most of a command line that is put together from its arguments, in bytes; `a0`, `a1` ... hold
/// all of them.
const COMMAND_BYTES_MAX: usize = 32 * 1024;

/// Most arguments of one record that are put together.
const ARGUMENTS_MAX: usize = 512;

impl Decoder for Auditd {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let bytes = sink.record().get(..body.end).unwrap_or_default();
        let at = kind(sink, bytes, body.start).ok_or(SHAPE)?;
        let at = stamp(sink, bytes, at).ok_or(SHAPE)?;
        let at = access_vector(sink, bytes, at);
        let hex = sink.get(b"type").is_some_and(|kind| kind == b"EXECVE");
        pairs(sink, at..bytes.len(), hex, true);
        derive(sink);
        Ok(())
    }
}

/// `node=` and `type=`; returns the place behind them.
fn kind(sink: &mut Sink<'_, '_>, bytes: &[u8], start: usize) -> Option<usize> {
    let head = bytes.get(start..(start + TYPE_WITHIN).min(bytes.len()))?;
    let at = memchr::memmem::find_iter(head, b"type=")
        .find(|at| *at == 0 || head[at - 1] == b' ')?
        + start;
    let value = at + 5..word(bytes, at + 5);
    if value.is_empty() {
        return None;
    }
    if let Some(node) = memchr::memmem::find(&bytes[start..at], b"node=") {
        let node = start + node + 5;
        sink.plain(b"node", node..word(bytes, node), Text);
    }
    match crate::convert::integer(&bytes[value.clone()]).and_then(names::record) {
        Some(name) => sink.decoded(b"type", name.as_bytes(), value.clone(), Text),
        None => sink.plain(b"type", value.clone(), Text),
    }
    Some(value.end)
}

/// `msg=audit(time:serial):`; returns the place behind it. A record without it keeps its text
/// as `msg`.
fn stamp(sink: &mut Sink<'_, '_>, bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at + 1..)?;
    let begin = rest.strip_prefix(b"msg=").unwrap_or(rest);
    let offset = bytes.len() - begin.len();
    let Some(inner) = begin.strip_prefix(b"audit(") else {
        (begin.len() < rest.len()).then(|| sink.plain(b"msg", offset..bytes.len(), Text))?;
        return Some(bytes.len());
    };
    let close = memchr::memchr(b')', inner)?;
    let colon = memchr::memchr(b':', &inner[..close])?;
    let start = offset + 6;
    sink.plain(b"audit_time", start..start + colon, Number);
    sink.plain(b"serial", start + colon + 1..start + close, Number);
    Some(start + close + 1 + usize::from(inner.get(close + 1) == Some(&b':')))
}

/// `avc:  denied  { read } for`; returns the place behind the braces.
fn access_vector(sink: &mut Sink<'_, '_>, bytes: &[u8], at: usize) -> usize {
    let text = &bytes[at..];
    let Some(avc) = text.trim_ascii_start().strip_prefix(b"avc:") else { return at };
    let avc = avc.trim_ascii_start();
    let verb = bytes.len() - avc.len();
    let end = word(bytes, verb);
    sink.plain(b"seresult", verb..end, Text);
    let (Some(open), Some(close)) =
        (memchr::memchr(b'{', &bytes[end..]), memchr::memchr(b'}', &bytes[end..]))
    else {
        return end;
    };
    if open < close {
        let inner = &bytes[end + open + 1..end + close];
        let lead = inner.len() - inner.trim_ascii_start().len();
        let from = end + open + 1 + lead;
        sink.plain(b"seperms", from..from + inner.trim_ascii().len(), Text);
    }
    end + close + 1
}

/// Reads pairs; `hex` says that the arguments `a0`, `a1` ... are text, `outer` that a quoted
/// `msg` holds further pairs.
fn pairs(sink: &mut Sink<'_, '_>, range: Range<usize>, hex: bool, outer: bool) {
    let bytes = sink.record().get(..range.end).unwrap_or_default();
    let mut at = range.start;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(SEPARATOR) {
            at += SEPARATOR.len();
            continue;
        }
        let key = rest
            .iter()
            .take(NAME_BYTES_MAX)
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'[' | b']'))
            .count();
        if key == 0 || rest.get(key) != Some(&b'=') {
            at += key.max(1);
            continue;
        }
        let name = renamed(&bytes[at..at + key], &bytes[..at]);
        let start = at + key + 1;
        at = match bytes.get(start) {
            Some(b'"') => {
                let end = find(bytes, start + 1, b'"');
                sink.plain(name, start + 1..end, Text);
                end + 1
            }
            Some(quote @ (b'\'' | b'{')) => {
                let close = if *quote == b'{' { b'}' } else { b'\'' };
                let end = find(bytes, start + 1, close);
                if outer {
                    let inner = access_vector(sink, &bytes[..end], start + 1);
                    pairs(sink, inner..end, hex, false);
                } else {
                    sink.plain(name, start + 1..end, Text);
                }
                end + 1
            }
            _ => {
                let end = value_end(bytes, start);
                value(sink, name, start..end, hex);
                end
            }
        };
    }
}

/// Older kernels write `old auid=1 new auid=2` at a log-in, newer ones `old-auid=1 auid=2`.
fn renamed<'n>(name: &'n [u8], before: &[u8]) -> &'n [u8] {
    match name {
        b"auid" if before.ends_with(b" old ") => b"old-auid",
        b"ses" if before.ends_with(b" old ") => b"old-ses",
        _ => name,
    }
}

/// Where a bare value ends: at a space or before the enriched part.
fn value_end(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start..];
    let len =
        rest.iter().position(|b| matches!(b, b' ' | b'\t' | b'\n' | 0x1d)).unwrap_or(rest.len());
    start + memchr::memmem::find(&rest[..len], SEPARATOR).unwrap_or(len)
}

/// A bare value.
fn value(sink: &mut Sink<'_, '_>, name: &[u8], range: Range<usize>, hex: bool) {
    let text = &sink.record()[range.clone()];
    if matches!(text, b"" | b"?" | b"(null)" | b"(none)" | b"\"\"" | b"?,") {
        return;
    }
    match name {
        b"ses" if text == b"4294967295" => return,
        b"hostname" => return sink.plain(b"remote_hostname", range, Text),
        b"saddr" => return address(sink, range),
        b"key" => {
            if let Some(keys) = unhex(text) {
                for key in keys.split(|b| *b == 1).filter(|key| !key.is_empty()) {
                    sink.decoded(b"key", key, range.clone(), Text);
                }
                return;
            }
        }
        b"proctitle" | b"comm" | b"exe" | b"cwd" | b"name" | b"acct" | b"cmd" | b"data"
        | b"path" | b"dir" | b"watch" | b"vm" | b"sw" | b"file" => {
            if let Some(mut decoded) = unhex(text) {
                let end = decoded.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
                decoded.truncate(end);
                decoded.iter_mut().filter(|b| **b == 0).for_each(|b| *b = b' ');
                return sink.decoded(name, &decoded, range, Text);
            }
        }
        [b'a', digits @ ..] if hex && digits.first().is_some_and(u8::is_ascii_digit) => {
            if let Some(decoded) = unhex(text) {
                return sink.decoded(name, &decoded, range, Text);
            }
        }
        _ => {}
    }
    // A leading zero says that the digits are octal or an id.
    let number = text.iter().all(u8::is_ascii_digit) && (text.len() == 1 || text[0] != b'0');
    sink.plain(name, range, if number { Number } else { SpanType::String });
}

/// The bytes of hexadecimal digits, if these are text: the kernel writes only text so that
/// holds a space, a quote, or a byte that is no printable ASCII.
fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() < 2 || !text.len().is_multiple_of(2) {
        return None;
    }
    let bytes = digits(text)?;
    bytes.iter().any(|b| !(0x21..=0x7e).contains(b) || *b == b'"').then_some(bytes)
}

fn digits(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'A'..=b'F' => Some(b - b'A' + 10),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    text.chunks_exact(2).map(|two| Some(digit(two[0])? * 16 + digit(two[1])?)).collect()
}

/// A socket address: the value, and under the enriched record's names what it says.
fn address(sink: &mut Sink<'_, '_>, range: Range<usize>) {
    let text = &sink.record()[range.clone()];
    let hex = text.iter().take_while(|b| b.is_ascii_hexdigit()).count() & !1;
    sink.plain(b"saddr", range.start..range.start + hex, Text);
    let Some(bytes) = digits(&text[..hex]) else { return };
    let port = |sink: &mut Sink<'_, '_>| {
        if let Some(port) = bytes.get(2..4) {
            let port = u16::from_be_bytes([port[0], port[1]]);
            sink.decoded(b"lport", port.to_string().as_bytes(), range.clone(), Number);
        }
    };
    let mut ip = |family: &[u8], ip: String| {
        sink.decoded(b"saddr_fam", family, range.clone(), Text);
        sink.decoded(b"laddr", ip.as_bytes(), range.clone(), Text);
        port(sink);
    };
    match bytes.get(..2) {
        Some([2, 0]) => {
            if let Some(Ok(v4)) = bytes.get(4..8).map(<[u8; 4]>::try_from) {
                ip(b"inet", Ipv4Addr::from(v4).to_string());
            }
        }
        Some([10, 0]) => {
            if let Some(Ok(v6)) = bytes.get(8..24).map(<[u8; 16]>::try_from) {
                ip(b"inet6", Ipv6Addr::from(v6).to_canonical().to_string());
            }
        }
        Some([1, 0]) => {
            let path = bytes.get(2..).unwrap_or_default();
            let path = path.strip_prefix(&[0]).unwrap_or(path);
            let path = path.split(|b| *b == 0).next().unwrap_or_default();
            sink.decoded(b"saddr_fam", b"local", range.clone(), Text);
            sink.decoded(b"path", path, range.clone(), Text);
        }
        _ => {}
    }
}

/// What follows from the fields together.
fn derive(sink: &mut Sink<'_, '_>) {
    if sink.get(b"SYSCALL").is_none()
        && let Some(call) = sink.get(b"syscall")
    {
        let name = match crate::convert::integer(call) {
            None => Some(call.to_vec()),
            Some(number) => sink
                .get(b"arch")
                .and_then(|arch| names::syscall(arch, usize::try_from(number).ok()?))
                .map(|name| name.as_bytes().to_vec()),
        };
        if let Some(name) = name {
            sink.derived(b"SYSCALL", &name);
        }
    }
    if sink.get(b"type").is_some_and(|kind| kind == b"EXECVE") {
        let mut line = Vec::new();
        for argument in arguments(sink) {
            if !line.is_empty() {
                line.push(b' ');
            }
            line.extend_from_slice(argument);
            if line.len() > COMMAND_BYTES_MAX {
                break;
            }
        }
        line.truncate(COMMAND_BYTES_MAX);
        if !line.is_empty() {
            sink.derived(b"cmdline", &line);
        }
    }
}

/// The values of `a0`, `a1` ... in the order they stand in, parts of a long one (`a1[0]`) too.
fn arguments<'s>(sink: &'s Sink<'_, '_>) -> impl Iterator<Item = &'s [u8]> {
    sink.spans()
        .iter()
        .filter(|span| {
            let name = sink.name(span);
            name.first() == Some(&b'a')
                && name.get(1).is_some_and(u8::is_ascii_digit)
                && name[1..].iter().all(|b| b.is_ascii_digit() || matches!(b, b'[' | b']'))
        })
        .map(|span| sink.value(span))
        .take(ARGUMENTS_MAX)
}

fn find(bytes: &[u8], from: usize, byte: u8) -> usize {
    let from = from.min(bytes.len());
    from + memchr::memchr(byte, &bytes[from..]).unwrap_or(bytes.len() - from)
}

fn word(bytes: &[u8], at: usize) -> usize {
    find(bytes, at, b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::checks::fields_of;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let got = fields_of(&Auditd, text).ok().map(|fields| fields.join("|"));
        assert_eq!(got.as_deref(), expect, "{text}");
    }

    #[test]
    fn system_calls_and_their_enriched_part() {
        check(
            "type=SYSCALL msg=audit(1718356211.500:10): arch=c000003e syscall=59 success=yes tty=(none) comm=\"id\" key=\"k\"\u{1d}ARCH=x86_64 SYSCALL=execve UID=\"root\"",
            Some(
                "type=SYSCALL|audit_time=1718356211.500|serial=10|arch=c000003e|syscall=59|success=yes|comm=id|key=k|ARCH=x86_64|SYSCALL=execve|UID=root",
            ),
        );
        check(
            "node=web1 type=SYSCALL msg=audit(1.2:3): arch=c000003e syscall=319 key=6101620A#035X=1",
            Some(
                "node=web1|type=SYSCALL|audit_time=1.2|serial=3|arch=c000003e|syscall=319|key=a|key=b\n|X=1|SYSCALL=memfd_create",
            ),
        );
    }

    #[test]
    fn nested_pairs_hexadecimal_text_and_addresses() {
        check(
            "type=USER_AUTH msg=audit(1.2:3): user pid=9 uid=0 msg='op=PAM:authentication acct=\"kim\" hostname=? addr=192.0.2.1 terminal=ssh res=failed'\u{1d}UID=\"root\"",
            Some(
                "type=USER_AUTH|audit_time=1.2|serial=3|pid=9|uid=0|op=PAM:authentication|acct=kim|addr=192.0.2.1|terminal=ssh|res=failed|UID=root",
            ),
        );
        check(
            "type=EXECVE msg=audit(1.2:3): argc=3 a0=\"sh\" a1=\"-c\" a2=6C73202D6C",
            Some(
                "type=EXECVE|audit_time=1.2|serial=3|argc=3|a0=sh|a1=-c|a2=ls -l|cmdline=sh -c ls -l",
            ),
        );
        check(
            "type=PROCTITLE msg=audit(1.2:3): proctitle=6C73002D6C00",
            Some("type=PROCTITLE|audit_time=1.2|serial=3|proctitle=ls -l"),
        );
        check(
            "type=SOCKADDR msg=audit(1.2:3): saddr=02000050C00002010000000000000000",
            Some(
                "type=SOCKADDR|audit_time=1.2|serial=3|saddr=02000050C00002010000000000000000|saddr_fam=inet|laddr=192.0.2.1|lport=80",
            ),
        );
        // Digits that would decode to plain text were never encoded.
        check(
            "type=CWD msg=audit(1.2:3): cwd=6162 name=2f",
            Some("type=CWD|audit_time=1.2|serial=3|cwd=6162|name=2f"),
        );
    }

    #[test]
    fn the_kernels_own_lines_and_odd_ones() {
        check(
            "[ 12.5] audit: type=1400 audit(1.2:3): apparmor=\"DENIED\" operation=\"open\"",
            Some("type=AVC|audit_time=1.2|serial=3|apparmor=DENIED|operation=open"),
        );
        check(
            "type=AVC msg=audit(1.2:3): avc:  denied  { read write } for  pid=5 comm=\"x\"",
            Some(
                "type=AVC|audit_time=1.2|serial=3|seresult=denied|seperms=read write|pid=5|comm=x",
            ),
        );
        check(
            "type=USER_AVC msg=audit(1.2:3): pid=1 msg='avc:  denied  { send } for  exe=\"/x\" tclass=y : exe=\"/z\"'",
            Some(
                "type=USER_AVC|audit_time=1.2|serial=3|pid=1|seresult=denied|seperms=send|exe=/x|tclass=y|exe=/z",
            ),
        );
        check(
            "type=LOGIN msg=audit(1.2:3): pid=1 uid=0 old auid=4 new auid=5 old ses=6 new ses=7",
            Some(
                "type=LOGIN|audit_time=1.2|serial=3|pid=1|uid=0|old-auid=4|auid=5|old-ses=6|ses=7",
            ),
        );
        check("type=UNKNOWN[1329] msg=odd", Some("type=UNKNOWN[1329]|msg=odd"));
        for text in ["", "type=", "type=X", "type=X audit(1.2", "some type of thing", "type= msg="]
        {
            check(text, None);
        }
    }
}
