//! What a record looks like before anything of it is read.

use crate::decode::syslog;
use crate::sink::Sink;
use std::ops::Range;

/// Whether the record, or what follows its syslog header, looks like a JSON object.
pub(crate) fn is_object(sink: &mut Sink<'_, '_>) -> bool {
    let record = sink.record();
    let body = whole(record);
    match (record.get(body.start), body.end.checked_sub(1).and_then(|last| record.get(last))) {
        (Some(b'{'), _) => true,
        (_, Some(b'}')) => {
            let mark = sink.mark();
            let inner = syslog::unwrap(sink);
            sink.rollback(mark);
            let text = inner.and_then(|range| record.get(range)).unwrap_or_default();
            text.starts_with(b"{\"") || text.starts_with(b"@cee:")
        }
        _ => false,
    }
}

/// The record without a byte order mark and white space around it.
pub(crate) fn whole(record: &[u8]) -> Range<usize> {
    let bom = if record.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let blank = |b: &u8| b.is_ascii_whitespace();
    let start = bom + record[bom..].iter().take_while(|b| blank(b)).count();
    let end = record.iter().rposition(|b| !blank(b)).map_or(start, |at| at + 1);
    start..end.max(start)
}
