//! From events to rows of the `events` table.

use crate::columns::{ColumnBuilder, Texts, times};
use crate::error::LakeError;
use crate::schema::{BUCKET, RECEIVED_DAY, TENANT, TableKind};
use crate::tail::{ContextNames, EventTail};
use arrow::array::{
    ArrayRef, BinaryBuilder, Date32Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{FieldRef, Schema};
use std::collections::HashMap;
use std::sync::Arc;
use yagura_event::column::COLUMNS;
use yagura_event::json::{issues_detail, write_unmapped};
use yagura_event::time::DAY;
use yagura_event::{EventRef, FieldTable};

/// The names that numbers in a batch stand for.
#[derive(Clone, Debug)]
pub struct Names {
    /// Interned field names.
    pub fields: Arc<FieldTable>,
    /// The loaded sources, by `Event::source`.
    pub sources: Arc<[String]>,
}

/// The rows of the events from place `from` on, in their order, with the partition columns.
///
/// # Errors
/// [`LakeError::Arrow`] if the columns do not fit together, which would be a defect.
pub(crate) fn event_rows(events: &EventTail, from: usize) -> Result<RecordBatch, LakeError> {
    let all = events.batch.events.len();
    let raw = events.batch.events.iter().skip(from).map(|event| event.raw.len as usize);
    let mut rows = EventRows::with_capacity(all.saturating_sub(from), raw.sum());
    let texts = Texts::of(&events.batch);
    let (mut day, mut bucket) = (Date32Builder::new(), Int32Builder::new());
    for at in from..all {
        if let Some((event, context)) = rows.push(events, texts, at) {
            day.append_value(day_of(event.event().received_time));
            bucket.append_value(context.bucket);
        }
    }
    rows.finish(Some((Arc::new(day.finish()), Arc::new(bucket.finish()))))
}

/// Rows under construction.
pub(crate) struct EventRows {
    len: usize,
    rows: usize,
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
}

/// Bytes set aside for a text of a row: an id has 32, most names fewer.
const TEXT_BYTES: usize = 32;

impl EventRows {
    /// Room for so many rows whose records are together so many bytes.
    pub(crate) fn with_capacity(rows: usize, raw_bytes: usize) -> Self {
        let text = |bytes: usize| StringBuilder::with_capacity(rows, rows * bytes);
        let number = || Int64Builder::with_capacity(rows);
        Self {
            len: 0,
            rows,
            body: COLUMNS.iter().map(|_| None).collect(),
            head: Head {
                event_id: text(TEXT_BYTES),
                tenant: text(TEXT_BYTES / 2),
                feed: text(TEXT_BYTES / 2),
                source: text(TEXT_BYTES / 2),
                time: times(rows),
                received_time: times(rows),
                class_uid: number(),
                raw_data: StringBuilder::with_capacity(rows, raw_bytes),
            },
            rest: Rest {
                unmapped: text(TEXT_BYTES),
                raw_bytes: BinaryBuilder::with_capacity(rows, 0),
                context: text(TEXT_BYTES),
                lsn: number(),
                sub: Int32Builder::with_capacity(rows),
                stream: number(),
                batch: number(),
                issues: StringBuilder::with_capacity(rows, 0),
            },
            scratch: Vec::new(),
        }
    }

    /// Adds event `at` of a batch whose texts are `texts`; nothing where there is none.
    pub(crate) fn push<'a>(
        &mut self,
        events: &'a EventTail,
        texts: Texts<'a>,
        at: usize,
    ) -> Option<(EventRef<'a>, &'a ContextNames)> {
        let event = events.batch.event(at)?;
        let context = events.contexts.get(event.event().context as usize)?;
        let rows = self.rows;
        for (id, value) in event.values() {
            let Some(slot) = self.body.get_mut(usize::from(id.0)) else { continue };
            slot.get_or_insert_with(|| ColumnBuilder::new(id.column().kind, rows))
                .put(self.len, texts, *value);
        }
        self.push_head(event, texts, &events.names);
        self.push_rest(event, context, &events.names);
        self.len += 1;
        Some((event, context))
    }

    fn push_head(&mut self, event: EventRef<'_>, texts: Texts<'_>, names: &Names) {
        let head = event.event();
        let out = &mut self.head;
        out.event_id.append_value(head.id.hex().as_str());
        out.tenant.append_value(&event.context().tenant);
        out.feed.append_value(&event.context().feed);
        out.source.append_option(names.sources.get(usize::from(head.source)));
        out.time.append_value(head.time);
        out.received_time.append_value(head.received_time);
        out.class_uid.append_value(i64::from(head.class.0));
        match texts.valid(head.raw) {
            Some(text) => {
                out.raw_data.append_value(text);
                let decoded = head.original.len > 0;
                self.rest.raw_bytes.append_option(decoded.then(|| event.original()));
            }
            None => {
                out.raw_data.append_value(String::from_utf8_lossy(event.raw()));
                self.rest.raw_bytes.append_option(event.raw_bytes());
            }
        }
    }

    fn push_rest(&mut self, event: EventRef<'_>, context: &ContextNames, names: &Names) {
        let head = event.event();
        let out = &mut self.rest;
        self.scratch.clear();
        let unmapped = write_unmapped(event, &names.fields, &mut self.scratch);
        let text = std::str::from_utf8(&self.scratch).ok();
        out.unmapped.append_option(text.filter(|_| unmapped));
        out.context.append_value(&context.id);
        out.lsn.append_value(head.id.lsn().0.cast_signed());
        out.sub.append_value((head.id.0 as u32).cast_signed());
        out.stream.append_value(head.stream.cast_signed());
        out.batch.append_value(head.batch.cast_signed());
        out.issues.append_option(issues_detail(event));
    }

    /// The rows with the columns that hold a value, and the columns of the day of receipt and of
    /// the bucket where there are such.
    ///
    /// # Errors
    /// [`LakeError::Arrow`] if the columns do not fit together, which would be a defect.
    pub(crate) fn finish(
        mut self,
        partition: Option<(ArrayRef, ArrayRef)>,
    ) -> Result<RecordBatch, LakeError> {
        let mut columns = self.fixed_columns();
        for (column, builder) in COLUMNS.iter().zip(std::mem::take(&mut self.body)) {
            if let Some(builder) = builder {
                columns.insert(column.name, builder.finish(self.len));
            }
        }
        if let Some((day, bucket)) = partition {
            columns.extend([(RECEIVED_DAY, day), (BUCKET, bucket)]);
        }
        let schema = TableKind::Events.schema();
        let held = |field: &FieldRef| {
            let column = columns.remove(field.name().as_str())?;
            (column.null_count() < column.len()).then(|| (Arc::clone(field), column))
        };
        let (fields, arrays): (Vec<_>, Vec<_>) = schema.fields().iter().filter_map(held).unzip();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
    }

    fn fixed_columns(&mut self) -> HashMap<&'static str, ArrayRef> {
        let (head, rest) = (&mut self.head, &mut self.rest);
        HashMap::from([
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
            ("raw_bytes", Arc::new(rest.raw_bytes.finish())),
            ("issues", Arc::new(rest.issues.finish())),
        ])
    }
}

/// The day of a time, in days since 1970 UTC.
pub(crate) fn day_of(time: yagura_event::time::Micros) -> i32 {
    i32::try_from(time.div_euclid(DAY)).unwrap_or(i32::MAX)
}
