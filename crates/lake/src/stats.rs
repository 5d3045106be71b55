//! Least and greatest values of a data file, as Delta's log holds them.

use crate::schema::TableKind;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::common::ScalarValue;
use serde_json::{Map, Value, json};
use yagura_event::time::{Micros, parse_rfc3339, rfc3339};

/// Longest text kept as a least or greatest value, in bytes. A longer one is left out, which
/// only means that the file cannot be passed over by it.
const STATS_TEXT_BYTES_MAX: usize = 256;

/// What the log says about a file's columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileStats {
    /// Rows.
    pub records: u64,
    min: Map<String, Value>,
    max: Map<String, Value>,
    nulls: Map<String, Value>,
}

impl FileStats {
    /// Of the rows of one file.
    pub fn of(kind: TableKind, rows: &RecordBatch) -> Self {
        let mut stats = Self { records: rows.num_rows() as u64, ..Self::default() };
        for name in kind.stats_columns() {
            let Some(column) = rows.column_by_name(name) else { continue };
            stats.nulls.insert((*name).to_owned(), json!(column.null_count()));
            let (least, greatest) = bounds(column.as_ref());
            if let Some(value) = least {
                stats.min.insert((*name).to_owned(), value);
            }
            if let Some(value) = greatest {
                stats.max.insert((*name).to_owned(), value);
            }
        }
        stats
    }

    /// Of the rows of several files together. What is not known of one of them is not known.
    pub fn together<'a>(kind: TableKind, all: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let mut stats = Self { records: all.clone().map(|s| s.records).sum(), ..Self::default() };
        let schema = kind.schema();
        for name in kind.stats_columns() {
            let Ok(field) = schema.field_with_name(name) else { continue };
            // A file whose rows are all null there has no bounds and says so.
            let held = all.clone().filter(|s| s.nulls(name) != Some(s.records));
            let order = |value: &&Value| scalar(value, field.data_type(), 0);
            let bound = |of: fn(&Self) -> &Map<String, Value>| {
                held.clone().map(|s| of(s).get(*name)).collect::<Option<Vec<_>>>()
            };
            let less = |a: &&Value, b: &&Value| {
                order(a).partial_cmp(&order(b)).unwrap_or(std::cmp::Ordering::Equal)
            };
            let least = bound(|s| &s.min).and_then(|all| all.into_iter().min_by(less));
            let greatest = bound(|s| &s.max).and_then(|all| all.into_iter().max_by(less));
            if let Some(value) = least {
                stats.min.insert((*name).to_owned(), value.clone());
            }
            if let Some(value) = greatest {
                stats.max.insert((*name).to_owned(), value.clone());
            }
            let nulls: Option<u64> = all.clone().map(|s| s.nulls(name)).sum();
            if let Some(nulls) = nulls {
                stats.nulls.insert((*name).to_owned(), json!(nulls));
            }
        }
        stats
    }

    /// The JSON text of the log (Delta protocol, "Per-file Statistics").
    pub fn to_json(&self) -> String {
        json!({
            "numRecords": self.records,
            "minValues": self.min,
            "maxValues": self.max,
            "nullCount": self.nulls,
        })
        .to_string()
    }

    /// Reads the log's text; what cannot be read is unknown.
    pub fn parse(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let object = |name: &str| value.get(name).and_then(Value::as_object).cloned();
        Self {
            records: value.get("numRecords").and_then(Value::as_u64).unwrap_or_default(),
            min: object("minValues").unwrap_or_default(),
            max: object("maxValues").unwrap_or_default(),
            nulls: object("nullCount").unwrap_or_default(),
        }
    }

    /// The least value of a column, if known.
    pub fn min(&self, name: &str, kind: &DataType) -> Option<ScalarValue> {
        scalar(self.min.get(name)?, kind, 0)
    }

    /// The greatest value of a column, if known.
    pub fn max(&self, name: &str, kind: &DataType) -> Option<ScalarValue> {
        // Times in the log are cut to milliseconds by other writers.
        scalar(self.max.get(name)?, kind, 999)
    }

    /// How many rows of a column are null, if known.
    pub fn nulls(&self, name: &str) -> Option<u64> {
        self.nulls.get(name)?.as_u64()
    }
}

fn bounds(column: &dyn Array) -> (Option<Value>, Option<Value>) {
    match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            let keep = |text: Option<&str>| {
                text.filter(|t| t.len() <= STATS_TEXT_BYTES_MAX).map(|t| json!(t))
            };
            (keep(min_string(texts)), keep(max_string(texts)))
        }
        DataType::Int64 => {
            let numbers = column.as_primitive::<Int64Type>();
            (min(numbers).map(|n| json!(n)), max(numbers).map(|n| json!(n)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let times = column.as_primitive::<TimestampMicrosecondType>();
            let floor = |t: Micros| t.div_euclid(1_000) * 1_000;
            let ceil = |t: Micros| floor(t.saturating_add(999));
            (
                min(times).map(|t| json!(rfc3339(floor(t)))),
                max(times).map(|t| json!(rfc3339(ceil(t)))),
            )
        }
        _ => (None, None),
    }
}

fn scalar(value: &Value, kind: &DataType, more: Micros) -> Option<ScalarValue> {
    match kind {
        DataType::Utf8 => Some(ScalarValue::Utf8(Some(value.as_str()?.to_owned()))),
        DataType::Utf8View => Some(ScalarValue::Utf8View(Some(value.as_str()?.to_owned()))),
        DataType::Int64 => Some(ScalarValue::Int64(Some(value.as_i64()?))),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let time = parse_rfc3339(value.as_str()?)?.saturating_add(more);
            Some(ScalarValue::TimestampMicrosecond(Some(time), zone.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use arrow::array::{Int64Array, StringArray, TimestampMicrosecondArray};
    use std::sync::Arc;

    #[test]
    fn bounds_survive_json_and_never_narrow() {
        let time = 1_700_000_000_123_456;
        let times = TimestampMicrosecondArray::from(vec![time, time + 1]).with_timezone("UTC");
        let long = "x".repeat(STATS_TEXT_BYTES_MAX + 1);
        let rows = RecordBatch::try_from_iter([
            ("time", Arc::new(times) as Arc<dyn Array>),
            ("lsn", Arc::new(Int64Array::from(vec![Some(7), None]))),
            ("feed", Arc::new(StringArray::from(vec!["a", long.as_str()]))),
        ])
        .unwrap();
        let stats = FileStats::parse(&FileStats::of(TableKind::Events, &rows).to_json());
        assert_eq!(stats.records, 2);
        let kind = crate::schema::time_type();
        let micros = |s: Option<ScalarValue>| match s {
            Some(ScalarValue::TimestampMicrosecond(Some(t), _)) => t,
            other => panic!("{other:?}"),
        };
        assert!(micros(stats.min("time", &kind)) <= time);
        assert!(micros(stats.max("time", &kind)) > time);
        assert_eq!(stats.max("lsn", &DataType::Int64), Some(ScalarValue::Int64(Some(7))));
        assert_eq!(stats.nulls("lsn"), Some(1));
        assert_eq!(stats.min("feed", &DataType::Utf8), Some(ScalarValue::from("a")));
        assert_eq!(stats.max("feed", &DataType::Utf8), None);
    }
}
