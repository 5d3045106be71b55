//! The checked, compiled form of a source definition: tests, mappings, ties.

use crate::convert::Convert;
use crate::time::Format;
use ahash::AHashMap;
use yagura_event::{ClassUid, ColumnId, LogsourceId, ObservableKind, RelationKind};

/// Index of a field name in the loaded sources' common list.
pub type Name = u32;

/// One `[[event]]`: when it applies and what the record then means.
#[derive(Clone, Debug)]
pub struct EventDef {
    /// All must hold.
    pub when: Vec<Test>,
    /// The OCSF class.
    pub class: ClassUid,
    /// Sigma's logsource.
    pub logsource: LogsourceId,
    /// Where the time is.
    pub time: Option<TimeDef>,
    /// Fields that name the host, the first present wins.
    pub host: Vec<Name>,
    /// Constants.
    pub set: Vec<(ColumnId, Constant)>,
    /// Columns from fields.
    pub map: Vec<MapDef>,
    /// Sigma's names for fields.
    pub sigma: Vec<AliasDef>,
    /// Ties.
    pub relate: Vec<RelateDef>,
    /// Whether `actor.user.name` comes from the feed where the record names none.
    pub context_user: bool,
}

/// One condition on a field. A field that occurs several times passes if one value does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Test {
    /// The field.
    pub field: Name,
    /// How it is compared.
    pub op: Op,
    /// Any of these.
    pub values: Vec<Box<[u8]>>,
    /// Whether the outcome is turned round.
    pub negate: bool,
}

/// How a [`Test`] compares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// Equal to a value, by case.
    Equals,
    /// Begins with one.
    Starts,
    /// Ends with one.
    Ends,
    /// Contains one.
    Contains,
    /// Is there at all.
    Exists,
    /// Is a smaller number than the other field's value.
    Below(Name),
    /// Is an address.
    Ip,
    /// Is there, and the record has no other fields than these and such as begin with `_`:
    /// for kinds of record whose few names many products use.
    AloneWith(Vec<Name>),
}

/// Where a record's time is and how it is written.
#[derive(Clone, Debug)]
pub struct TimeDef {
    /// Fields, the first that reads as a time wins.
    pub fields: Vec<Name>,
    /// The time is in all of the fields together, those that are there, with a space between.
    pub join: bool,
    /// Tried in order.
    pub formats: Vec<Format>,
}

/// A constant value of a column.
#[derive(Clone, PartialEq, Debug)]
pub enum Constant {
    /// Text.
    Text(Box<str>),
    /// Integer.
    I64(i64),
    /// Truth value.
    Bool(bool),
}

/// Columns a mapping fills.
#[derive(Clone, Debug)]
pub enum Target {
    /// One column.
    Column(ColumnId),
    /// Parts of an object by a converter that splits: the columns in the converter's order.
    Parts(Vec<Option<ColumnId>>),
}

/// One `map` entry.
#[derive(Clone, Debug)]
pub struct MapDef {
    /// What is filled.
    pub target: Target,
    /// Fields, the first present and set wins.
    pub fields: Vec<Name>,
    /// How.
    pub convert: Convert,
    /// Source value to enumeration number; key `*` for any other.
    pub values: Option<AHashMap<Box<[u8]>, i64>>,
    /// The enumeration that follows a text column's value.
    pub number: Option<ColumnId>,
    /// A field whose value would say nothing new: where this one holds the same, the entry is
    /// left out (an address translated to itself).
    pub unless: Option<Name>,
    /// Whether an enumeration's caption goes into its text column: not where another entry
    /// fills that with the source's own word.
    pub caption: bool,
}

/// One `sigma` entry: a further name for a field's value, possibly converted.
#[derive(Clone, Debug)]
pub struct AliasDef {
    /// Sigma's name.
    pub name: Name,
    /// Fields, the first present wins; all its values get the alias.
    pub fields: Vec<Name>,
    /// How.
    pub convert: Convert,
}

/// One end of a tie.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// A column of the event; its kind is the column's.
    Column(ColumnId, ObservableKind),
    /// A source field, of this kind.
    Field(Name, ObservableKind),
}

/// One `relate` entry.
#[derive(Clone, Copy, Debug)]
pub struct RelateDef {
    /// How the two are tied.
    pub kind: RelationKind,
    /// The first.
    pub from: End,
    /// The second.
    pub to: End,
}

/// Finds the events that a record may be by one discriminating field's value.
#[derive(Clone, Debug, Default)]
pub struct Dispatch {
    /// The field that most events test for equality.
    pub field: Option<Name>,
    /// Events by that field's value, in order, those that do not test it among them.
    pub by_value: AHashMap<Box<[u8]>, Vec<u16>>,
    /// Events that do not test it, in order.
    pub others: Vec<u16>,
}

impl Dispatch {
    /// Chooses the field and builds the tables.
    pub fn new(events: &[EventDef]) -> Self {
        let mut uses: AHashMap<Name, usize> = AHashMap::new();
        for test in events.iter().flat_map(|event| event.when.iter().filter(|t| plain(t))) {
            *uses.entry(test.field).or_default() += 1;
        }
        let Some(field) =
            uses.iter().max_by_key(|(name, n)| (**n, u32::MAX - **name)).map(|u| *u.0)
        else {
            return Self { others: (0..events.len() as u16).collect(), ..Self::default() };
        };
        let tested = |event: &EventDef| {
            event.when.iter().find(|t| plain(t) && t.field == field).map(|t| t.values.clone())
        };
        let mut by_value: AHashMap<Box<[u8]>, Vec<u16>> = AHashMap::new();
        for value in events.iter().filter_map(tested).flatten() {
            by_value.entry(value).or_default();
        }
        let mut others = Vec::new();
        for (at, event) in events.iter().enumerate() {
            match tested(event) {
                Some(values) => {
                    for value in values {
                        let list = by_value.entry(value).or_default();
                        if list.last() != Some(&(at as u16)) {
                            list.push(at as u16);
                        }
                    }
                }
                None => {
                    others.push(at as u16);
                    by_value.values_mut().for_each(|list| list.push(at as u16));
                }
            }
        }
        Self { field: Some(field), by_value, others }
    }
}

fn plain(test: &Test) -> bool {
    test.op == Op::Equals && !test.negate
}
