//! From `EventBatch` to rows of the `events` table.

use crate::columns::{ColumnBuilder, times};
use crate::error::LakeError;
use crate::schema::{BUCKET, RECEIVED_DAY, TENANT, TableKind};
use crate::tail::TailBatch;
use arrow::array::{
    ArrayRef, BinaryBuilder, Date32Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::Schema;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use yagura_event::column::COLUMNS;
use yagura_event::json::{issues_detail, write_unmapped};
use yagura_event::time::DAY;
use yagura_event::{EventBatch, EventRef, FieldTable, Lsn};

/// The names that numbers in a batch stand for.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// Interned field names.
    pub fields: &'a FieldTable,
    /// The loaded sources, by `Event::source`.
    pub sources: &'a [String],
}

/// The rows of the events above `after`, or `None` where there are none. `bucket_of` names
/// a tenant's bucket. Events are expected in LSN order.
///
/// # Errors
/// [`LakeError::Arrow`] if the columns do not fit together, which would be a defect.
pub fn event_rows(
    batch: &EventBatch,
    names: Names<'_>,
    bucket_of: &dyn Fn(&str) -> i32,
    after: Lsn,
) -> Result<Option<TailBatch>, LakeError> {
    let mut rows = EventRows::new(names);
    let contexts: Vec<ContextNames> = batch
        .contexts
        .iter()
        .map(|c| ContextNames { id: c.id().to_string(), bucket: bucket_of(&c.tenant) })
        .collect();
    for event in batch.iter().filter(|event| event.lsn() > after) {
        if let Some(context) = contexts.get(event.event().context as usize) {
            rows.push(event, context);
        }
    }
    rows.finish()
}

struct ContextNames {
    id: String,
    bucket: i32,
}

struct EventRows<'a> {
    names: Names<'a>,
    len: usize,
    first: Lsn,
    last: Lsn,
    body: Vec<Option<ColumnBuilder>>,
    head: Head,
    rest: Rest,
    scratch: Vec<u8>,
}

struct Head {
    event_id: StringBuilder,
    tenant: StringBuilder,
    feed: StringBuilder,
    source: StringBuilder,
    time: TimestampMicrosecondBuilder,
    received_time: TimestampMicrosecondBuilder,
    class_uid: Int64Builder,
    raw_data: StringBuilder,
}

struct Rest {
    unmapped: StringBuilder,
    raw_bytes: BinaryBuilder,
    context: StringBuilder,
    lsn: Int64Builder,
    sub: Int32Builder,
    stream: Int64Builder,
    batch: Int64Builder,
    issues: StringBuilder,
    received_day: Date32Builder,
    bucket: Int32Builder,
}

impl<'a> EventRows<'a> {
    fn new(names: Names<'a>) -> Self {
        Self {
            names,
            len: 0,
            first: Lsn::default(),
            last: Lsn::default(),
            body: COLUMNS.iter().map(|_| None).collect(),
            head: Head {
                event_id: StringBuilder::new(),
                tenant: StringBuilder::new(),
                feed: StringBuilder::new(),
                source: StringBuilder::new(),
                time: times(),
                received_time: times(),
                class_uid: Int64Builder::new(),
                raw_data: StringBuilder::new(),
            },
            rest: Rest {
                unmapped: StringBuilder::new(),
                raw_bytes: BinaryBuilder::new(),
                context: StringBuilder::new(),
                lsn: Int64Builder::new(),
                sub: Int32Builder::new(),
                stream: Int64Builder::new(),
                batch: Int64Builder::new(),
                issues: StringBuilder::new(),
                received_day: Date32Builder::new(),
                bucket: Int32Builder::new(),
            },
            scratch: Vec::new(),
        }
    }

    fn push(&mut self, event: EventRef<'_>, context: &ContextNames) {
        if self.len == 0 {
            self.first = event.lsn();
        }
        self.last = self.last.max(event.lsn());
        for (id, value) in event.values() {
            let Some(slot) = self.body.get_mut(usize::from(id.0)) else { continue };
            slot.get_or_insert_with(|| ColumnBuilder::new(id.column().kind)).put(
                self.len,
                event.batch(),
                *value,
            );
        }
        self.push_head(event);
        self.push_rest(event, context);
        self.len += 1;
    }

    fn push_head(&mut self, event: EventRef<'_>) {
        let head = event.event();
        let out = &mut self.head;
        // Writing to a builder cannot fail.
        let _ = write!(out.event_id, "{}", head.id);
        out.event_id.append_value("");
        out.tenant.append_value(&event.context().tenant);
        out.feed.append_value(&event.context().feed);
        out.source.append_option(self.names.sources.get(usize::from(head.source)));
        out.time.append_value(head.time);
        out.received_time.append_value(head.received_time);
        out.class_uid.append_value(i64::from(head.class.0));
        out.raw_data.append_value(String::from_utf8_lossy(event.raw()));
        self.rest.raw_bytes.append_option(event.raw_bytes());
    }

    fn push_rest(&mut self, event: EventRef<'_>, context: &ContextNames) {
        let head = event.event();
        let out = &mut self.rest;
        self.scratch.clear();
        let unmapped = write_unmapped(event, self.names.fields, &mut self.scratch);
        let text = std::str::from_utf8(&self.scratch).ok();
        out.unmapped.append_option(text.filter(|_| unmapped));
        out.context.append_value(&context.id);
        out.lsn.append_value(head.id.lsn().0.cast_signed());
        out.sub.append_value((head.id.0 as u32).cast_signed());
        out.stream.append_value(head.stream.cast_signed());
        out.batch.append_value(head.batch.cast_signed());
        out.issues.append_option(issues_detail(event));
        out.received_day.append_value(day_of(head.received_time));
        out.bucket.append_value(context.bucket);
    }

    fn finish(mut self) -> Result<Option<TailBatch>, LakeError> {
        if self.len == 0 {
            return Ok(None);
        }
        let mut columns = self.fixed_columns();
        for (column, builder) in COLUMNS.iter().zip(std::mem::take(&mut self.body)) {
            if let Some(builder) = builder {
                columns.insert(column.name, builder.finish(self.len));
            }
        }
        let schema = TableKind::Events.schema();
        let (fields, arrays): (Vec<_>, Vec<_>) = schema
            .fields()
            .iter()
            .filter_map(|field| Some((Arc::clone(field), columns.remove(field.name().as_str())?)))
            .unzip();
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        Ok(Some(TailBatch::new(rows, self.first, self.last)))
    }

    fn fixed_columns(&mut self) -> HashMap<&'static str, ArrayRef> {
        let (head, rest) = (&mut self.head, &mut self.rest);
        let mut columns: HashMap<&'static str, ArrayRef> = HashMap::from([
            ("event_id", Arc::new(head.event_id.finish()) as ArrayRef),
            (TENANT, Arc::new(head.tenant.finish())),
            ("feed", Arc::new(head.feed.finish())),
            ("source", Arc::new(head.source.finish())),
            ("time", Arc::new(head.time.finish())),
            ("received_time", Arc::new(head.received_time.finish())),
            ("class_uid", Arc::new(head.class_uid.finish())),
            ("raw_data", Arc::new(head.raw_data.finish())),
            ("unmapped", Arc::new(rest.unmapped.finish())),
            ("context", Arc::new(rest.context.finish())),
            ("lsn", Arc::new(rest.lsn.finish())),
            ("sub", Arc::new(rest.sub.finish())),
            ("stream", Arc::new(rest.stream.finish())),
            ("batch", Arc::new(rest.batch.finish())),
            (RECEIVED_DAY, Arc::new(rest.received_day.finish())),
            (BUCKET, Arc::new(rest.bucket.finish())),
        ]);
        let seldom: [(&'static str, ArrayRef); 2] = [
            ("raw_bytes", Arc::new(rest.raw_bytes.finish())),
            ("issues", Arc::new(rest.issues.finish())),
        ];
        columns.extend(seldom.into_iter().filter(|(_, array)| array.null_count() < array.len()));
        columns
    }
}

/// The day of a time, in days since 1970 UTC.
pub(crate) fn day_of(time: yagura_event::time::Micros) -> i32 {
    i32::try_from(time.div_euclid(DAY)).unwrap_or(i32::MAX)
}
