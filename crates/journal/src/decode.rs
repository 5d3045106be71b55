//! Bytes to entries; never panics, whatever the bytes.

use crate::codec::{CodecError, Cursor};
use crate::entry::{Count, CountKind, Entry, EntryKind, FileDone, Mark, Record, RecordRef};
use yagura_event::{ContextId, TenantName};

/// Decodes a record's payload without copying.
pub(crate) fn decode_record(payload: &[u8]) -> Result<RecordRef<'_>, CodecError> {
    let mut at = Cursor(payload);
    Ok(RecordRef {
        tenant: at.text()?,
        feed: at.text()?,
        peer: at.text()?,
        context: ContextId(at.array()?),
        stream: u64::from_le_bytes(at.array()?),
        batch: at.varint()?,
        position: at.varint()?,
        bytes: at.0,
    })
}

/// Decodes the payload of an entry of `kind`.
pub(crate) fn decode(kind: EntryKind, payload: &[u8]) -> Result<Entry, CodecError> {
    let mut at = Cursor(payload);
    let entry = match kind {
        EntryKind::Record => {
            let r = decode_record(payload)?;
            at = Cursor(&[]);
            Entry::Record(Record {
                tenant: tenant(r.tenant)?,
                feed: r.feed.to_owned(),
                context: r.context,
                stream: r.stream,
                batch: r.batch,
                peer: r.peer.to_owned(),
                position: r.position,
                bytes: r.bytes.to_vec(),
            })
        }
        EntryKind::Context => {
            Entry::Context { id: ContextId(at.array()?), json: at.text()?.to_owned() }
        }
        EntryKind::Tick => Entry::Tick,
        EntryKind::Epoch => Entry::Epoch { hash: at.array()? },
        EntryKind::BatchOpen => Entry::BatchOpen {
            batch: at.varint()?,
            tenant: tenant(at.text()?)?,
            settings: at.text()?.to_owned(),
        },
        EntryKind::BatchClose => {
            Entry::BatchClose { batch: at.varint()?, aborted: flag(at.byte()?)? }
        }
        EntryKind::Counts => Entry::Counts(counts(&mut at)?),
        EntryKind::FileDone => Entry::FileDone(FileDone {
            tenant: tenant(at.text()?)?,
            feed: at.text()?.to_owned(),
            path: at.text()?.to_owned(),
            hash: at.array()?,
            bytes: at.varint()?,
            records: at.varint()?,
        }),
        EntryKind::Note => Entry::Note(at.text()?.to_owned()),
        EntryKind::IdempotencyKey => Entry::IdempotencyKey {
            tenant: tenant(at.text()?)?,
            key: at.text()?.to_owned(),
            response: at.text()?.to_owned(),
        },
        EntryKind::Mark => Entry::Mark(Mark {
            tenant: tenant(at.text()?)?,
            feed: at.text()?.to_owned(),
            key: at.text()?.to_owned(),
            value: at.text()?.to_owned(),
        }),
        EntryKind::Erase => Entry::Erase { tenant: tenant(at.text()?)? },
        EntryKind::Retrospect => {
            Entry::Retrospect { tenant: tenant(at.text()?)?, finding: at.text()?.to_owned() }
        }
    };
    at.end()?;
    Ok(entry)
}

fn counts(at: &mut Cursor<'_>) -> Result<Vec<Count>, CodecError> {
    let number = at.varint()?;
    // A count has at least 12 bytes: a longer list than fits is refused before any room is made.
    if number > at.0.len() as u64 / 12 {
        return Err(CodecError::Short);
    }
    let mut counts = Vec::with_capacity(number as usize);
    for _ in 0..number {
        counts.push(Count {
            tenant: tenant(at.text()?)?,
            feed: at.text()?.to_owned(),
            hour: i64::from_le_bytes(at.array()?),
            kind: match at.byte()? {
                0 => CountKind::Received,
                1 => CountKind::Rejected(at.text()?.to_owned()),
                2 => CountKind::Duplicate,
                3 => CountKind::KernelDropped,
                _ => return Err(CodecError::Tag),
            },
            count: at.varint()?,
        });
    }
    Ok(counts)
}

fn tenant(name: &str) -> Result<TenantName, CodecError> {
    TenantName::new(name).map_err(|_| CodecError::Tenant)
}

fn flag(byte: u8) -> Result<bool, CodecError> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(CodecError::Tag),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::codec::encode;
    use proptest::prelude::*;

    fn a_tenant() -> impl Strategy<Value = TenantName> {
        (0u32..50, 0usize..50)
            .prop_map(|(n, pad)| TenantName::new(&format!("t{n}{}", "x".repeat(pad))).unwrap())
    }

    fn a_count() -> impl Strategy<Value = Count> {
        let kind = prop_oneof![
            Just(CountKind::Received),
            ".{0,20}".prop_map(CountKind::Rejected),
            Just(CountKind::Duplicate),
            Just(CountKind::KernelDropped),
        ];
        (a_tenant(), ".{0,8}", any::<i64>(), kind, any::<u64>())
            .prop_map(|(tenant, feed, hour, kind, count)| Count { tenant, feed, hour, kind, count })
    }

    fn a_record() -> impl Strategy<Value = Record> {
        let numbers = (any::<u64>(), any::<u64>(), any::<u64>());
        let bytes = prop::collection::vec(any::<u8>(), 0..300);
        (a_tenant(), ".{0,8}", any::<[u8; 16]>(), numbers, ".{0,20}", bytes).prop_map(
            |(tenant, feed, context, (stream, batch, position), peer, bytes)| Record {
                tenant,
                feed,
                context: ContextId(context),
                stream,
                batch,
                peer,
                position,
                bytes,
            },
        )
    }

    fn an_entry() -> impl Strategy<Value = Entry> {
        prop_oneof![
            a_record().prop_map(Entry::Record),
            (any::<[u8; 16]>(), ".{0,80}")
                .prop_map(|(id, json)| Entry::Context { id: ContextId(id), json }),
            Just(Entry::Tick),
            any::<[u8; 16]>().prop_map(|hash| Entry::Epoch { hash }),
            (any::<u64>(), a_tenant(), ".{0,40}").prop_map(|(batch, tenant, settings)| {
                Entry::BatchOpen { batch, tenant, settings }
            }),
            (any::<u64>(), any::<bool>())
                .prop_map(|(batch, aborted)| Entry::BatchClose { batch, aborted }),
            prop::collection::vec(a_count(), 0..6).prop_map(Entry::Counts),
            (a_tenant(), ".{0,8}", ".{0,40}", any::<[u8; 16]>(), any::<u64>(), any::<u64>())
                .prop_map(|(tenant, feed, path, hash, bytes, records)| {
                    Entry::FileDone(FileDone { tenant, feed, path, hash, bytes, records })
                }),
            ".{0,40}".prop_map(Entry::Note),
            (a_tenant(), ".{0,40}", ".{0,40}").prop_map(|(tenant, key, response)| {
                Entry::IdempotencyKey { tenant, key, response }
            }),
            (a_tenant(), ".{0,8}", ".{0,40}", ".{0,40}").prop_map(|(tenant, feed, key, value)| {
                Entry::Mark(Mark { tenant, feed, key, value })
            }),
            a_tenant().prop_map(|tenant| Entry::Erase { tenant }),
            (a_tenant(), ".{0,40}")
                .prop_map(|(tenant, finding)| Entry::Retrospect { tenant, finding }),
        ]
    }

    proptest! {
        #[test]
        fn entries_survive_the_codec(entry in an_entry()) {
            let mut bytes = Vec::new();
            encode(&entry, &mut bytes);
            prop_assert_eq!(decode(entry.kind(), &bytes).unwrap(), entry);
        }

        #[test]
        fn a_cut_control_entry_is_refused(entry in an_entry(), keep in 0.0f64..1.0) {
            let mut bytes = Vec::new();
            encode(&entry, &mut bytes);
            let cut = (bytes.len() as f64 * keep) as usize;
            if cut < bytes.len() && !matches!(entry, Entry::Record(_)) {
                prop_assert!(decode(entry.kind(), &bytes[..cut]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(kind in 1u8..13, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let kind = EntryKind::from_byte(kind).unwrap();
            if let Ok(entry) = decode(kind, &bytes) {
                prop_assert_eq!(entry.kind(), kind);
            }
        }
    }

    #[test]
    fn long_numbers_and_impossible_lists_are_refused() {
        assert_eq!(Cursor(&[0xff; 10]).varint(), Err(CodecError::Varint));
        let mut most = [0xff; 10];
        most[9] = 1;
        assert_eq!(Cursor(&most).varint(), Ok(u64::MAX));
        let list = [0xff, 0xff, 0xff, 0xff, 0x0f];
        assert_eq!(decode(EntryKind::Counts, &list), Err(CodecError::Short));
        assert_eq!(decode(EntryKind::Tick, &[0]), Err(CodecError::Trailing));
        assert_eq!(decode(EntryKind::BatchClose, &[1, 2]), Err(CodecError::Tag));
    }
}
