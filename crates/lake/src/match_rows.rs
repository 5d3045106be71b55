//! From matches to rows of the `matches` table.

use crate::columns::times;
use crate::error::LakeError;
use crate::rows::day_of;
use crate::schema::TableKind;
use crate::tail::MatchTail;
use arrow::array::{
    ArrayRef, Date32Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use std::sync::Arc;
use yagura_event::{EventId, Lsn, Match, MatchId};

/// The rows of the matches from place `from` on, with the partition columns.
///
/// # Errors
/// [`LakeError::Arrow`] if the columns do not fit together, which would be a defect.
pub(crate) fn match_rows(matches: &MatchTail, from: usize) -> Result<RecordBatch, LakeError> {
    let list: Vec<&(Lsn, Match)> = matches.list.iter().skip(from).collect();
    let mut columns = file_columns(&list);
    let mut day = Date32Builder::new();
    let mut bucket = Int32Builder::new();
    for ((_, found), of) in list.iter().zip(matches.buckets.iter().skip(from)) {
        day.append_value(day_of(found.received_time));
        bucket.append_value(*of);
    }
    columns.extend([Arc::new(day.finish()) as ArrayRef, Arc::new(bucket.finish())]);
    Ok(RecordBatch::try_new(TableKind::Matches.schema(), columns)?)
}

/// The rows of the matches in their order, as a data file holds them.
///
/// # Errors
/// As for [`match_rows`].
pub(crate) fn match_file_rows(list: &[&(Lsn, Match)]) -> Result<RecordBatch, LakeError> {
    Ok(RecordBatch::try_new(TableKind::Matches.file_schema(), file_columns(list))?)
}

fn file_columns(list: &[&(Lsn, Match)]) -> Vec<ArrayRef> {
    let text = |value: &dyn Fn(&Match) -> String| -> ArrayRef {
        let mut out = StringBuilder::new();
        list.iter().for_each(|(_, m)| out.append_value(value(m)));
        Arc::new(out.finish())
    };
    let time = |value: &dyn Fn(&Match) -> i64| -> ArrayRef {
        let mut out: TimestampMicrosecondBuilder = times(list.len());
        list.iter().for_each(|(_, m)| out.append_value(value(m)));
        Arc::new(out.finish())
    };
    let integer = |value: &dyn Fn(Lsn, &Match) -> u64| -> ArrayRef {
        let mut out = Int64Builder::new();
        list.iter().for_each(|(lsn, m)| out.append_value(value(*lsn, m).cast_signed()));
        Arc::new(out.finish())
    };
    vec![
        text(&|m| MatchId(m.id).to_string()),
        text(&|m| m.tenant.clone()),
        text(&|m| m.rule.clone()),
        text(&|m| EventId(m.event).to_string()),
        time(&|m| m.time),
        time(&|m| m.received_time),
        text(&|m| m.source.clone()),
        text(&|m| m.feed.clone()),
        text(&|m| pairs_json(&m.fields)),
        text(&|m| pairs_json(&m.keys)),
        text(&|m| serde_json::to_string(&m.parties).unwrap_or_default()),
        integer(&|lsn, _| lsn.0),
        integer(&|_, m| m.stream),
        integer(&|_, m| m.batch),
    ]
}

/// Names with their values as one JSON object; repeated names become arrays.
fn pairs_json(pairs: &[(String, String)]) -> String {
    use serde_json::{Map, Value};
    let mut object = Map::new();
    for (name, value) in pairs {
        let value = Value::String(value.clone());
        match object.get_mut(name) {
            None => {
                object.insert(name.clone(), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(single) => *single = Value::Array(vec![single.take(), value]),
        }
    }
    Value::Object(object).to_string()
}
