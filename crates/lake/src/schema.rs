//! Arrow schemas of the tables, derived from the declared OCSF columns.

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use std::sync::{Arc, LazyLock};
use yagura_event::column::{COLUMNS, ColumnType};

/// Partition column: the day of receipt, UTC (Delta `date`).
pub const RECEIVED_DAY: &str = "received_day";
/// Partition column: the tenant's bucket.
pub const BUCKET: &str = "bucket";
/// The column every scan of one tenant's data is filtered by.
pub const TENANT: &str = "tenant";

/// The tables of the lake.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TableKind {
    /// One row per event.
    Events,
    /// One row per rule hitting one event.
    Matches,
    /// One row per value, tenant and source, or several that add up.
    Sightings,
}

impl TableKind {
    /// All tables, in the order they are committed.
    pub const ALL: [Self; 3] = [Self::Events, Self::Matches, Self::Sightings];

    /// Name in SQL and of the directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Matches => "matches",
            Self::Sightings => "sightings",
        }
    }

    /// All columns, the partition columns last.
    pub fn schema(self) -> SchemaRef {
        static EVENTS: LazyLock<SchemaRef> = LazyLock::new(|| with_partitions(event_fields()));
        static MATCHES: LazyLock<SchemaRef> = LazyLock::new(|| with_partitions(match_fields()));
        static SIGHTINGS: LazyLock<SchemaRef> =
            LazyLock::new(|| with_partitions(sighting_fields()));
        match self {
            Self::Events => Arc::clone(&EVENTS),
            Self::Matches => Arc::clone(&MATCHES),
            Self::Sightings => Arc::clone(&SIGHTINGS),
        }
    }

    /// The columns that data files hold: all but the partition columns.
    pub fn file_schema(self) -> SchemaRef {
        let schema = self.schema();
        let fields: Vec<FieldRef> =
            schema.fields().iter().take(schema.fields().len() - 2).cloned().collect();
        Arc::new(Schema::new(fields))
    }

    /// The partition columns, in the order of the directories.
    pub fn partition_fields() -> Vec<FieldRef> {
        vec![
            Arc::new(Field::new(RECEIVED_DAY, DataType::Date32, true)),
            Arc::new(Field::new(BUCKET, DataType::Int32, true)),
        ]
    }

    /// Columns whose least and greatest value of each file are in the log.
    pub fn stats_columns(self) -> &'static [&'static str] {
        match self {
            Self::Events => {
                &["time", "received_time", TENANT, "feed", "source", "class_uid", "lsn"]
            }
            Self::Matches => &["time", "received_time", TENANT, "feed", "source", "rule", "lsn"],
            Self::Sightings => &["kind", "value", TENANT, "source", "first", "last"],
        }
    }

    /// Columns a data file is sorted by. Records of one source compress better beside each other
    /// than between those of others.
    pub fn sort_columns(self) -> &'static [&'static str] {
        match self {
            Self::Events => &[TENANT, "class_uid", "source", "time", "lsn", "sub"],
            Self::Matches => &[TENANT, "rule", "time", "lsn"],
            Self::Sightings => &["kind", "value", TENANT, "source"],
        }
    }
}

/// The Arrow type of a declared column.
pub fn arrow_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Text => DataType::Utf8,
        ColumnType::I64 => DataType::Int64,
        ColumnType::F64 => DataType::Float64,
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Time => time_type(),
        ColumnType::Strings => DataType::List(element(DataType::Utf8)),
        ColumnType::Objects => DataType::List(element(DataType::Struct(object_fields()))),
    }
}

/// Microseconds UTC.
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The element of a list, named as the Parquet format asks.
pub fn element(kind: DataType) -> FieldRef {
    Arc::new(Field::new("element", kind, true))
}

/// The fields of a generic object.
pub fn object_fields() -> Fields {
    ["name", "type", "value"].map(|name| Field::new(name, DataType::Utf8, true)).to_vec().into()
}

fn event_fields() -> Vec<Field> {
    let mut fields: Vec<Field> = COLUMNS
        .iter()
        .map(|column| Field::new(column.name, arrow_type(column.kind), true))
        .collect();
    for (name, kind) in [
        ("unmapped", DataType::Utf8),
        ("raw_bytes", DataType::Binary),
        ("context", DataType::Utf8),
        ("lsn", DataType::Int64),
        ("sub", DataType::Int32),
        ("stream", DataType::Int64),
        ("batch", DataType::Int64),
        ("issues", DataType::Utf8),
    ] {
        fields.push(Field::new(name, kind, true));
    }
    fields
}

fn match_fields() -> Vec<Field> {
    [
        ("id", DataType::Utf8),
        (TENANT, DataType::Utf8),
        ("rule", DataType::Utf8),
        ("event", DataType::Utf8),
        ("time", time_type()),
        ("received_time", time_type()),
        ("source", DataType::Utf8),
        ("feed", DataType::Utf8),
        ("fields", DataType::Utf8),
        ("keys", DataType::Utf8),
        ("parties", DataType::Utf8),
        ("lsn", DataType::Int64),
        ("stream", DataType::Int64),
        ("batch", DataType::Int64),
    ]
    .map(|(name, kind)| Field::new(name, kind, true))
    .to_vec()
}

fn sighting_fields() -> Vec<Field> {
    [
        ("kind", DataType::Utf8),
        ("value", DataType::Utf8),
        (TENANT, DataType::Utf8),
        ("source", DataType::Utf8),
        ("count", DataType::Int64),
        ("first", time_type()),
        ("last", time_type()),
    ]
    .map(|(name, kind)| Field::new(name, kind, true))
    .to_vec()
}

fn with_partitions(fields: Vec<Field>) -> SchemaRef {
    let mut fields: Vec<FieldRef> = fields.into_iter().map(Arc::new).collect();
    fields.extend(TableKind::partition_fields());
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_distinct_and_the_named_columns_exist() {
        for kind in TableKind::ALL {
            let schema = kind.schema();
            let names: BTreeSet<&String> = schema.fields().iter().map(|f| f.name()).collect();
            assert_eq!(names.len(), schema.fields().len());
            for name in kind.stats_columns().iter().chain(kind.sort_columns()) {
                assert!(schema.index_of(name).is_ok(), "{name}");
            }
            assert_eq!(kind.file_schema().fields().len() + 2, schema.fields().len());
        }
    }
}
