//! Identifiers: sortable event ids, hashed match and finding ids, short incident ids.

use crate::tenant::TenantName;
use std::fmt;

/// Position of an entry in the journal, from 1; 0 means "before the first".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Lsn(pub u64);

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event's id: (node 16 bits, journal epoch 16, LSN 64, sub-record 32), sortable as a number.
///
/// In `scan`, which has no journal, it is (content hash 64 bits, record 64 bits).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct EventId(pub u128);

impl EventId {
    /// The id of sub-record `sub` of the journal's record `lsn`.
    pub fn journal(node: u16, epoch: u16, lsn: Lsn, sub: u32) -> Self {
        Self(
            (u128::from(node) << 112)
                | (u128::from(epoch) << 96)
                | (u128::from(lsn.0) << 32)
                | u128::from(sub),
        )
    }

    /// The id of record `record` (from 1) in content whose hash begins with `content_hash`.
    pub fn content(content_hash: u64, record: u64) -> Self {
        Self((u128::from(content_hash) << 64) | u128::from(record))
    }

    /// The id as text, without the formatter: every row holds it.
    pub fn hex(self) -> Hex {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0.to_be_bytes()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Hex(digits)
    }

    /// Reads the 32 hexadecimal digits that `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        digits.then(|| u128::from_str_radix(text, 16).ok().map(Self))?
    }

    /// The journal position inside a [`EventId::journal`] id.
    pub fn lsn(self) -> Lsn {
        Lsn(((self.0 >> 32) & u128::from(u64::MAX)) as u64)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hex().as_str())
    }
}

/// An id as 32 hexadecimal digits.
#[derive(Clone, Copy)]
pub struct Hex([u8; 32]);

impl Hex {
    /// The digits.
    pub fn as_str(&self) -> &str {
        // They are ASCII, always.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

macro_rules! hashed_id {
    ($(#[$doc:meta])* $name:ident, $label:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
        pub struct $name(pub u128);

        impl $name {
            /// Hashes length-prefixed parts, so that no two lists of parts collide by joining.
            pub fn of(parts: &[&[u8]]) -> Self {
                let mut hasher = blake3::Hasher::new();
                hasher.update($label);
                for part in parts {
                    hasher.update(&(part.len() as u64).to_le_bytes());
                    hasher.update(part);
                }
                let mut head = [0u8; 16];
                hasher.finalize_xof().fill(&mut head);
                Self(u128::from_be_bytes(head))
            }

            /// Reads the 32 hexadecimal digits that `Display` writes.
            pub fn parse(text: &str) -> Option<Self> {
                (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok().map(Self))?
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }
    };
}

hashed_id!(
    /// A match's id: (tenant, rule id, event).
    MatchId,
    b"yagura match 1"
);
hashed_id!(
    /// A finding's id: (tenant, rule id, group, first deciding event).
    FindingId,
    b"yagura finding 1"
);

impl MatchId {
    /// The id of `rule` hitting `event` in `tenant`.
    pub fn new(tenant: &TenantName, rule: &str, event: EventId) -> Self {
        Self::of(&[tenant.as_str().as_bytes(), rule.as_bytes(), &event.0.to_be_bytes()])
    }
}

impl FindingId {
    /// The id of the finding of `rule` and `group` that `first` decided.
    pub fn new(tenant: &TenantName, rule: &str, group: &str, first: EventId) -> Self {
        Self::of(&[
            tenant.as_str().as_bytes(),
            rule.as_bytes(),
            group.as_bytes(),
            &first.0.to_be_bytes(),
        ])
    }
}

/// An incident's short id, such as `INC-2026-0042`: year of opening and a number per tenant.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct IncidentId(pub String);

impl IncidentId {
    /// The `number`-th incident (from 1) of `year`.
    pub fn new(year: i32, number: u32) -> Self {
        Self(format!("INC-{year:04}-{number:04}"))
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_sort_by_lsn_then_sub_record() {
        let a = EventId::journal(1, 1, Lsn(7), 9);
        let b = EventId::journal(1, 1, Lsn(8), 0);
        assert!(a < b);
        assert_eq!(b.lsn(), Lsn(8));
    }

    #[test]
    fn hashed_parts_do_not_run_into_each_other() {
        assert_ne!(FindingId::of(&[b"ab", b"c"]), FindingId::of(&[b"a", b"bc"]));
        let id = FindingId::of(&[b"x"]);
        assert_eq!(FindingId::parse(&id.to_string()), Some(id));
    }
}
