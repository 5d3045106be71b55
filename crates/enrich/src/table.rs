//! Exact tables behind prefilters: fixed-width keys and texts, each with what is said of them.

use crate::fuse::{Fuse, mix};
use std::ops::Range;

/// A fixed-width key.
pub trait Key: Ord + Copy {
    /// 64 bits that tell keys apart.
    fn hash(&self) -> u64;
}

impl Key for u32 {
    fn hash(&self) -> u64 {
        u64::from(*self)
    }
}

impl Key for u128 {
    fn hash(&self) -> u64 {
        mix((*self >> 64) as u64) ^ (*self as u64)
    }
}

impl<const N: usize> Key for [u8; N] {
    /// The beginning: hashes are random already.
    fn hash(&self) -> u64 {
        let mut head = [0u8; 8];
        head.iter_mut().zip(self).for_each(|(to, from)| *to = *from);
        u64::from_le_bytes(head)
    }
}

/// Sorted keys, each with the statements about it.
#[derive(Clone, Debug)]
pub struct Exact<K> {
    filter: Fuse,
    keys: Box<[K]>,
    says: Box<[u32]>,
}

impl<K: Key> Exact<K> {
    /// A table of (key, statement) pairs; repeated pairs count once.
    pub fn new(mut pairs: Vec<(K, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let filter = Fuse::new(pairs.iter().map(|(key, _)| key.hash()).collect());
        let (keys, says): (Vec<K>, Vec<u32>) = pairs.into_iter().unzip();
        Self { filter, keys: keys.into(), says: says.into() }
    }

    /// The statements about a key.
    pub fn find(&self, key: K) -> &[u32] {
        if self.keys.is_empty() || !self.filter.has(key.hash()) {
            return &[];
        }
        let from = self.keys.partition_point(|known| *known < key);
        let more = self.keys[from..].iter().take_while(|known| **known == key).count();
        &self.says[from..from + more]
    }

    /// Distinct keys.
    pub fn count(&self) -> usize {
        let repeats = self.keys.windows(2).filter(|pair| pair[0] == pair[1]).count();
        self.keys.len() - repeats
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.filter.bytes() + self.keys.len() * (size_of::<K>() + size_of::<u32>())
    }
}

/// Hashes a text from its end, so that a name's parents are hashed on the way.
#[derive(Clone, Copy)]
pub struct Backwards(u64);

impl Backwards {
    /// Of no bytes.
    pub fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// With one more byte in front.
    pub fn push(&mut self, byte: u8) {
        self.0 = (self.0.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0xf135_7aea_2e62_a9c5);
    }

    /// The hash.
    pub fn get(self) -> u64 {
        mix(self.0)
    }

    /// The hash of a whole text.
    pub fn of(text: &[u8]) -> u64 {
        let mut hash = Self::new();
        text.iter().rev().for_each(|byte| hash.push(*byte));
        hash.get()
    }
}

/// Most bytes of all texts of a table: offsets have 32 bits.
pub const TEXTS_BYTES_MAX: usize = u32::MAX as usize;

/// Texts sorted by hash, each with the statements about it.
#[derive(Clone, Debug)]
pub struct Texts {
    filter: Fuse,
    /// High halves of the hashes, ascending.
    marks: Box<[u32]>,
    /// Where each text begins; the next one's beginning is its end.
    begins: Box<[u32]>,
    says: Box<[u32]>,
    bytes: Box<[u8]>,
}

/// Texts on their way into a table.
#[derive(Default)]
pub struct TextsBuilder {
    entries: Vec<(u64, u32, u32, u32)>,
    bytes: Vec<u8>,
}

impl TextsBuilder {
    /// Adds a text; false where the table is full.
    pub fn push(&mut self, text: &str, says: u32) -> bool {
        let begin = self.bytes.len();
        if begin + text.len() > TEXTS_BYTES_MAX {
            return false;
        }
        self.bytes.extend_from_slice(text.as_bytes());
        let hash = Backwards::of(text.as_bytes());
        self.entries.push((hash, begin as u32, text.len() as u32, says));
        true
    }

    /// The table; repeated (text, statement) pairs count once.
    pub fn build(self) -> Texts {
        let Self { mut entries, bytes: from } = self;
        let text = |begin: u32, len: u32| &from[begin as usize..begin as usize + len as usize];
        entries
            .sort_unstable_by(|a, b| (a.0, text(a.1, a.2), a.3).cmp(&(b.0, text(b.1, b.2), b.3)));
        entries.dedup_by(|a, b| a.3 == b.3 && text(a.1, a.2) == text(b.1, b.2));
        let filter = Fuse::new(entries.iter().map(|entry| entry.0).collect());
        let mut bytes = Vec::with_capacity(from.len());
        let mut begins = Vec::with_capacity(entries.len() + 1);
        for (_, begin, len, _) in &entries {
            begins.push(bytes.len() as u32);
            bytes.extend_from_slice(text(*begin, *len));
        }
        begins.push(bytes.len() as u32);
        Texts {
            filter,
            marks: entries.iter().map(|entry| (entry.0 >> 32) as u32).collect(),
            says: entries.iter().map(|entry| entry.3).collect(),
            begins: begins.into(),
            bytes: bytes.into(),
        }
    }
}

impl Texts {
    /// Whether a text with this hash may be in the table.
    pub fn may_have(&self, hash: u64) -> bool {
        !self.marks.is_empty() && self.filter.has(hash)
    }

    /// The statements about `text`, whose hash is `hash`.
    pub fn find(&self, text: &[u8], hash: u64) -> impl Iterator<Item = u32> + '_ {
        let range = if self.may_have(hash) { self.range(text, hash) } else { 0..0 };
        self.says[range].iter().copied()
    }

    fn range(&self, text: &[u8], hash: u64) -> Range<usize> {
        let mark = (hash >> 32) as u32;
        let mut from = self.marks.partition_point(|known| *known < mark);
        let same = |at: usize| self.marks.get(at) == Some(&mark);
        while same(from) && self.text(from) != text {
            from += 1;
        }
        let mut to = from;
        while same(to) && self.text(to) == text {
            to += 1;
        }
        from..to
    }

    fn text(&self, at: usize) -> &[u8] {
        &self.bytes[self.begins[at] as usize..self.begins[at + 1] as usize]
    }

    /// Distinct texts.
    pub fn count(&self) -> usize {
        let repeats = (1..self.marks.len()).filter(|at| {
            self.marks[*at] == self.marks[at - 1] && self.text(*at) == self.text(at - 1)
        });
        self.marks.len() - repeats.count()
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.filter.bytes() + self.marks.len() * 12 + self.bytes.len()
    }
}
