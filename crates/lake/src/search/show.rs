//! What is shown of an event: named columns and a few that are put together.

use crate::search::ast::Name;
use crate::search::fault::{Fault, Span};
use crate::search::fields::{Form, Source, Target, resolve};
use crate::search::functions::json_text;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use serde_json::{Map, Value, json};
use yagura_event::ClassUid;
use yagura_event::time::rfc3339;

/// One shown column.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its heading: the name as asked for.
    pub name: String,
    part: Part,
}

#[derive(Clone, Debug)]
enum Part {
    /// The first of the columns that has a value.
    First(Vec<Source>),
    Class,
    Category,
    Activity,
    Type,
    Unmapped(String),
    /// `address:port` of one end, or its name.
    End(&'static str, &'static str, &'static str),
    /// From and to.
    Flow,
    /// The source's sentence, else the record as received.
    Summary,
}

impl Shown {
    /// The column of a name.
    ///
    /// # Errors
    /// A name that is no field's, or one of a time to search for.
    pub fn of(name: &Name) -> Result<Self, Fault> {
        let part = match name.text.as_str() {
            "src" => Part::End("src_ip", "src_port", "src_hostname"),
            "dst" => Part::End("dst_ip", "dst_port", "dst_hostname"),
            "flow" => Part::Flow,
            "summary" => Part::Summary,
            _ => match resolve(name)? {
                Target::Columns(sources) => Part::First(sources),
                Target::Class if name.text.eq_ignore_ascii_case("class_uid") => {
                    Part::First(vec![integer("class_uid")])
                }
                Target::Activity if name.text.eq_ignore_ascii_case("activity_id") => {
                    Part::First(vec![integer("activity_id")])
                }
                Target::Class => Part::Class,
                Target::Category => Part::Category,
                Target::Activity => Part::Activity,
                Target::Type => Part::Type,
                Target::Unmapped(own) => Part::Unmapped(own),
                Target::Earliest | Target::Latest => {
                    let message = format!("`{}` is no column", name.text);
                    return Err(Fault::new("field_unknown", name.span, message)
                        .help("did you mean `time`?"));
                }
            },
        };
        Ok(Self { name: name.text.clone(), part })
    }

    /// The column of a name whose values can be counted.
    ///
    /// # Errors
    /// As [`Self::of`]; lists of objects and what is put together of several columns.
    pub fn countable(name: &str) -> Result<Self, Fault> {
        let span = Span::new(0, name.len());
        let shown = Self::of(&Name { text: name.to_owned(), span })?;
        let plain = match &shown.part {
            Part::First(sources) => {
                sources.iter().all(|source| !matches!(source.form, Form::Objects(_)))
            }
            Part::Class | Part::Category | Part::Activity | Part::Type => true,
            _ => false,
        };
        let no = || {
            Fault::new("facet_field", span, format!("the values of `{name}` cannot be counted"))
                .help("name a field with one value, such as src_ip")
        };
        plain.then_some(shown).ok_or_else(no)
    }

    /// The columns of tables: time, source, class, host, user, from and to, sentence or record.
    pub fn table() -> Vec<Self> {
        Self::named(&["time", "source", "class", "host", "user", "flow", "summary"])
    }

    /// The columns of CSV: as in tables, with the ends apart.
    pub fn csv() -> Vec<Self> {
        Self::named(&[
            "time", "tenant", "source", "class", "host", "user", "src_ip", "src_port", "dst_ip",
            "dst_port", "message", "raw_data",
        ])
    }

    fn named(names: &[&str]) -> Vec<Self> {
        let name = |text: &&str| Name { text: (*text).to_owned(), span: Default::default() };
        names.iter().filter_map(|text| Self::of(&name(text)).ok()).collect()
    }

    /// The table's columns it is made of.
    pub(crate) fn sources(&self) -> Vec<&'static str> {
        match &self.part {
            Part::First(sources) => sources
                .iter()
                .flat_map(|source| match source.form {
                    Form::Caption(number, _) => vec![source.column, number],
                    _ => vec![source.column],
                })
                .collect(),
            Part::Class | Part::Category => vec!["class_uid"],
            Part::Activity | Part::Type => vec!["class_uid", "activity_id"],
            Part::Unmapped(_) => vec!["unmapped"],
            Part::End(ip, port, host) => vec![ip, port, host],
            Part::Flow => {
                vec!["src_ip", "src_port", "src_hostname", "dst_ip", "dst_port", "dst_hostname"]
            }
            Part::Summary => vec!["message", "raw_data"],
        }
    }

    /// The value in a row, null where there is none; times are RFC 3339 in UTC.
    pub fn value(&self, rows: &RecordBatch, row: usize) -> Value {
        match &self.part {
            Part::First(sources) => first(rows, row, sources),
            Part::Class => class(rows, row).map_or(Value::Null, |c| json!(c.class().caption)),
            Part::Category => {
                class(rows, row).map_or(Value::Null, |c| json!(c.class().category_name()))
            }
            Part::Activity => match (class(rows, row), integer_at(rows, "activity_id", row)) {
                (Some(class), Some(id)) => json!(class.class().activity_name(id)),
                _ => Value::Null,
            },
            Part::Type => class(rows, row).map_or(Value::Null, |class| {
                let activity = integer_at(rows, "activity_id", row).unwrap_or(0);
                json!(i64::from(class.0) * 100 + activity)
            }),
            Part::Unmapped(own) => {
                let text = text_at(rows, "unmapped", row).unwrap_or_default();
                let object: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
                let found = object.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(own));
                found.map_or(Value::Null, |(_, value)| value)
            }
            Part::End(ip, port, host) => json!(end(rows, row, ip, port, host)),
            Part::Flow => {
                let from = end(rows, row, "src_ip", "src_port", "src_hostname");
                let to = end(rows, row, "dst_ip", "dst_port", "dst_hostname");
                match (from, to) {
                    (None, None) => Value::Null,
                    (Some(from), None) => json!(from),
                    (from, Some(to)) => json!(format!("{}→{to}", from.unwrap_or_default())),
                }
            }
            Part::Summary => {
                let message = text_at(rows, "message", row);
                json!(message.or_else(|| text_at(rows, "raw_data", row)))
            }
        }
    }

    /// The value as text, empty where there is none.
    pub fn text(&self, rows: &RecordBatch, row: usize) -> String {
        match self.value(rows, row) {
            Value::String(text) => text,
            other => json_text(&other).unwrap_or_default().into_owned(),
        }
    }
}

fn integer(column: &'static str) -> Source {
    Source { column, form: Form::Integer, part: None }
}

fn class(rows: &RecordBatch, row: usize) -> Option<ClassUid> {
    integer_at(rows, "class_uid", row).and_then(|n| u32::try_from(n).ok()).map(ClassUid)
}

fn end(rows: &RecordBatch, row: usize, ip: &str, port: &str, host: &str) -> Option<String> {
    let name = text_at(rows, ip, row).or_else(|| text_at(rows, host, row))?;
    Some(match integer_at(rows, port, row) {
        Some(port) if name.contains(':') => format!("[{name}]:{port}"),
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    })
}

/// The first value of the columns; an enumeration's caption stands for its number.
fn first(rows: &RecordBatch, row: usize, sources: &[Source]) -> Value {
    for source in sources {
        let value = match source.form {
            Form::Objects(Some(part)) => match cell(rows, source.column, row) {
                Value::Array(items) => items.iter().filter_map(|i| i.get(part).cloned()).collect(),
                other => other,
            },
            Form::Caption(number, captions) => match cell(rows, source.column, row) {
                Value::Null => {
                    let id = integer_at(rows, number, row);
                    let found = captions.iter().find(|(known, _)| Some(*known) == id);
                    found.map_or(Value::Null, |(_, caption)| json!(caption))
                }
                text => text,
            },
            _ => cell(rows, source.column, row),
        };
        if !value.is_null() {
            return value;
        }
    }
    Value::Null
}

/// A text of a row.
pub(crate) fn text_at<'r>(rows: &'r RecordBatch, column: &str, row: usize) -> Option<&'r str> {
    let texts = rows.column_by_name(column)?.as_string_opt::<i32>()?;
    texts.is_valid(row).then(|| texts.value(row))
}

/// An integer of a row.
pub(crate) fn integer_at(rows: &RecordBatch, column: &str, row: usize) -> Option<i64> {
    let numbers = rows.column_by_name(column)?.as_primitive_opt::<Int64Type>()?;
    numbers.is_valid(row).then(|| numbers.value(row))
}

/// A time of a row, in microseconds.
pub(crate) fn time_at(rows: &RecordBatch, column: &str, row: usize) -> Option<i64> {
    let times = rows.column_by_name(column)?.as_primitive_opt::<TimestampMicrosecondType>()?;
    times.is_valid(row).then(|| times.value(row))
}

/// Any column of a row as JSON; times as RFC 3339.
pub(crate) fn cell(rows: &RecordBatch, column: &str, row: usize) -> Value {
    rows.column_by_name(column).map_or(Value::Null, |array| array_value(array.as_ref(), row))
}

fn array_value(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Int32 => json!(array.as_primitive::<Int32Type>().value(row)),
        DataType::Float64 => json!(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            json!(rfc3339(array.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|at| array_value(items.as_ref(), at)).collect()
        }
        DataType::Struct(fields) => {
            let parts = array.as_struct();
            let pairs = fields
                .iter()
                .zip(parts.columns())
                .map(|(field, column)| (field.name().clone(), array_value(column.as_ref(), row)));
            Value::Object(pairs.filter(|(_, value)| !value.is_null()).collect())
        }
        _ => Value::Null,
    }
}
