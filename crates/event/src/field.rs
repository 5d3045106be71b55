//! Interned names of the fields that sources and rules know.
//!
//! The table is built once per epoch (sources and rules in force) and then shared; names it
//! does not hold stay as text in the batch's arena.

use ahash::AHashMap;

/// An interned field name, or [`FieldId::UNKNOWN`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FieldId(pub u32);

impl FieldId {
    /// A name that is not interned; the span's `name_off` and `name_len` hold its text.
    pub const UNKNOWN: Self = Self(u32::MAX);
}

/// Collects names before the table is frozen.
#[derive(Clone, Default, Debug)]
pub struct FieldTableBuilder {
    names: Vec<Box<str>>,
    ids: AHashMap<Box<str>, FieldId>,
}

impl FieldTableBuilder {
    /// The id of `name`, new or already known. Names are case-sensitive.
    pub fn intern(&mut self, name: &str) -> FieldId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = FieldId(u32::try_from(self.names.len()).unwrap_or(u32::MAX - 1));
        self.names.push(name.into());
        self.ids.insert(name.into(), id);
        id
    }

    /// Freezes the table.
    pub fn build(self) -> FieldTable {
        let ids = self.ids.into_iter().map(|(name, id)| (name.into_boxed_bytes(), id));
        FieldTable { names: self.names, ids: ids.collect() }
    }
}

/// The frozen table of interned names.
#[derive(Clone, Default, Debug)]
pub struct FieldTable {
    names: Vec<Box<str>>,
    ids: AHashMap<Box<[u8]>, FieldId>,
}

impl FieldTable {
    /// The id of `name`, or [`FieldId::UNKNOWN`].
    pub fn get(&self, name: &[u8]) -> FieldId {
        self.ids.get(name).copied().unwrap_or(FieldId::UNKNOWN)
    }

    /// The text of an interned name; empty for [`FieldId::UNKNOWN`].
    pub fn name(&self, id: FieldId) -> &str {
        self.names.get(id.0 as usize).map_or("", |name| name)
    }

    /// How many names are interned.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether no name is interned.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}
