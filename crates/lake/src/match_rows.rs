//! From matches to rows of the `matches` table.

use crate::columns::times;
use crate::error::LakeError;
use crate::rows::day_of;
use crate::schema::TableKind;
use crate::tail::TailBatch;
use arrow::array::{
    ArrayRef, Date32Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use std::sync::Arc;
use yagura_event::{EventId, Lsn, Match, MatchId};

/// The rows of the matches above `after`, or `None` where there are none. The LSN is that of
/// the record that made the match.
///
/// # Errors
/// [`LakeError::Arrow`] if the columns do not fit together, which would be a defect.
pub fn match_rows(
    matches: &[(Lsn, Match)],
    bucket_of: &dyn Fn(&str) -> i32,
    after: Lsn,
) -> Result<Option<TailBatch>, LakeError> {
    let mut new: Vec<&(Lsn, Match)> = matches.iter().filter(|(lsn, _)| *lsn > after).collect();
    new.sort_by_key(|(lsn, _)| *lsn);
    let (Some((first, _)), Some((last, _))) = (new.first(), new.last()) else {
        return Ok(None);
    };
    let text = |value: &dyn Fn(&Match) -> String| -> ArrayRef {
        let mut out = StringBuilder::new();
        new.iter().for_each(|(_, m)| out.append_value(value(m)));
        Arc::new(out.finish())
    };
    let time = |value: &dyn Fn(&Match) -> i64| -> ArrayRef {
        let mut out: TimestampMicrosecondBuilder = times();
        new.iter().for_each(|(_, m)| out.append_value(value(m)));
        Arc::new(out.finish())
    };
    let integer = |value: &dyn Fn(Lsn, &Match) -> u64| -> ArrayRef {
        let mut out = Int64Builder::new();
        new.iter().for_each(|(lsn, m)| out.append_value(value(*lsn, m).cast_signed()));
        Arc::new(out.finish())
    };
    let mut day = Date32Builder::new();
    let mut bucket = Int32Builder::new();
    for (_, m) in &new {
        day.append_value(day_of(m.received_time));
        bucket.append_value(bucket_of(&m.tenant));
    }
    let columns: Vec<ArrayRef> = vec![
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
        Arc::new(day.finish()),
        Arc::new(bucket.finish()),
    ];
    let rows = RecordBatch::try_new(TableKind::Matches.schema(), columns)?;
    Ok(Some(TailBatch::new(rows, *first, *last)))
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
