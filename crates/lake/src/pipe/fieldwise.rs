//! Names of fields as values: stored columns, captions of numbers, parts of objects, own fields.

use crate::pipe::frame::{Frame, Kind, Value, refused};
use crate::pipe::udf;
use crate::schema::element;
use crate::search::ast::Name;
use crate::search::fault::Fault;
use crate::search::fields::{self, Form, Source, Target};
use crate::search::functions::json_text;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use arrow::json::LineDelimitedWriter;
use datafusion::common::{DataFusionError, Result as EngineResult};
use datafusion::functions::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, lit, when};
use serde_json::Value as Json;
use std::sync::Arc;
use yagura_event::ClassUid;
use yagura_event::enums::Captions;

/// The values that a name stands for, at least one.
///
/// # Errors
/// Nothing has the name, or the words before left nothing of it.
pub fn fields(frame: &Frame, name: &Name) -> Result<Vec<Value>, Fault> {
    if let Some(column) = frame.find(&name.text) {
        // A stored caption may be missing where the number says as much.
        return match column.origin.and_then(fields::column) {
            Some(source) if matches!(source.form, Form::Caption(..)) => {
                Ok(vec![value(frame, &source, name)?])
            }
            _ => Ok(vec![column.value()]),
        };
    }
    if !frame.events {
        return Err(frame.unknown(name));
    }
    let stored = |column: &str| {
        let found = frame.stored(column).map(super::frame::FrameColumn::value);
        found.ok_or_else(|| frame.unknown(name))
    };
    let class = || stored("class_uid").map(|value| value.expr);
    let one = |expr, kind| Ok(vec![Value::new(expr, kind)]);
    match fields::resolve(name).map_err(|_| frame.unknown(name))? {
        Target::Columns(sources) => {
            let found = sources.iter().filter(|source| frame.stored(source.column).is_some());
            let all: Vec<Value> =
                found.map(|source| value(frame, source, name)).collect::<Result<_, _>>()?;
            if all.is_empty() { Err(frame.unknown(name)) } else { Ok(all) }
        }
        Target::Class if name.text.eq_ignore_ascii_case("class_uid") => {
            Ok(vec![stored("class_uid")?])
        }
        Target::Class => one(of_class("class_name", class()?, |c| c.class().caption), Kind::Text),
        Target::Category if name.text.eq_ignore_ascii_case("category_uid") => {
            one(category(class()?), Kind::Integer)
        }
        Target::Category => {
            one(of_class("category_name", class()?, |c| c.class().category_name()), Kind::Text)
        }
        Target::Activity if name.text.eq_ignore_ascii_case("activity_id") => {
            Ok(vec![stored("activity_id")?])
        }
        Target::Activity => one(activity(class()?, stored("activity_id")?.expr), Kind::Text),
        Target::Type => one(class()? * lit(100i64) + stored("activity_id")?.expr, Kind::Integer),
        Target::Unmapped(own) => one(member(stored("unmapped")?.expr, own), Kind::Any),
        Target::Earliest | Target::Latest => {
            let message = format!("`{}` is a word of searches, not a column", name.text);
            Err(Fault::new("field_unknown", name.span, message)
                .help("compare `time`: time >= ago(1d)"))
        }
    }
}

fn value(frame: &Frame, source: &Source, name: &Name) -> Result<Value, Fault> {
    let column = frame.stored(source.column).ok_or_else(|| frame.unknown(name))?.value();
    match source.form {
        Form::Caption(number, captions) => match frame.stored(number) {
            Some(number) => {
                let caption = caption(number.value().expr, captions).map_err(refused(name.span))?;
                Ok(Value { expr: coalesce(vec![column.expr, caption]), ..column })
            }
            None => Ok(column),
        },
        Form::Objects(Some(part)) => Ok(Value::new(parts(column.expr, part), Kind::Texts)),
        _ => Ok(column),
    }
}

/// The caption of an enumeration's number.
fn caption(number: Expr, captions: Captions) -> EngineResult<Expr> {
    let mut rest = captions.iter();
    let Some((first, text)) = rest.next() else { return Ok(lit("")) };
    let mut cases = when(number.clone().eq(lit(*first)), lit(*text));
    for (id, text) in rest {
        cases = cases.when(number.clone().eq(lit(*id)), lit(*text));
    }
    cases.end()
}

fn of_class(name: &str, class: Expr, text: fn(ClassUid) -> &'static str) -> Expr {
    udf::call(name.to_owned(), DataType::Utf8, vec![class], move |args| {
        let classes = integers(args, 0)?;
        let text = |id: Option<i64>| Some(text(ClassUid(u32::try_from(id?).ok()?)));
        Ok(Arc::new(classes.iter().map(text).collect::<StringArray>()))
    })
}

fn category(class: Expr) -> Expr {
    udf::call("category_uid".to_owned(), DataType::Int64, vec![class], |args| {
        let uid = |id: Option<i64>| Some(ClassUid(u32::try_from(id?).ok()?).class().category_uid());
        Ok(Arc::new(integers(args, 0)?.iter().map(uid).collect::<Int64Array>()))
    })
}

fn activity(class: Expr, activity: Expr) -> Expr {
    udf::call("activity_name".to_owned(), DataType::Utf8, vec![class, activity], |args| {
        let (classes, activities) = (integers(args, 0)?, integers(args, 1)?);
        let text = |(class, activity): (Option<i64>, Option<i64>)| {
            Some(ClassUid(u32::try_from(class?).ok()?).class().activity_name(activity?))
        };
        Ok(Arc::new(classes.iter().zip(activities.iter()).map(text).collect::<StringArray>()))
    })
}

fn integers(args: &[ArrayRef], at: usize) -> EngineResult<Int64Array> {
    let column = udf::argument(args, at)?;
    column.as_primitive_opt::<Int64Type>().cloned().ok_or_else(|| unfit(column.data_type()))
}

fn unfit(kind: &DataType) -> DataFusionError {
    DataFusionError::Internal(format!("a column of type {kind} is not as declared"))
}

/// A member of a JSON object in a text; a dot goes into objects where no name has it.
pub fn member(text: Expr, path: String) -> Expr {
    udf::text(format!("member[{path}]"), text, move |text| {
        // Most rows have not the field, and reading JSON is dear.
        let last = path.rsplit('.').next().unwrap_or_default();
        let plain = last.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if plain && memchr::memmem::find(&lower(text), &lower(last)).is_none() {
            return None;
        }
        let object: Json = serde_json::from_str(text).ok()?;
        json_text(inside(&object, &path)?).map(std::borrow::Cow::into_owned)
    })
}

fn lower(text: &str) -> Vec<u8> {
    text.as_bytes().to_ascii_lowercase()
}

/// The value at a path of a JSON value: the longest names come first.
fn inside<'j>(json: &'j Json, path: &str) -> Option<&'j Json> {
    let mut json = json;
    let mut path = path;
    'names: loop {
        if let Some(found) = own(json, path) {
            return Some(found);
        }
        for (at, _) in path.rmatch_indices('.') {
            if let Some(found) = own(json, &path[..at]) {
                (json, path) = (found, &path[at + 1..]);
                continue 'names;
            }
        }
        return None;
    }
}

fn own<'j>(json: &'j Json, name: &str) -> Option<&'j Json> {
    match json {
        Json::Object(object) => object.get(name).or_else(|| {
            object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        }),
        Json::Array(items) => name.parse::<usize>().ok().and_then(|at| items.get(at)),
        _ => None,
    }
}

/// One text of each object of a list.
fn parts(list: Expr, part: &'static str) -> Expr {
    let returns = DataType::List(element(DataType::Utf8));
    udf::call(format!("parts[{part}]"), returns, vec![list], move |args| {
        let column = udf::argument(args, 0)?;
        let lists = column.as_list_opt::<i32>().ok_or_else(|| unfit(column.data_type()))?;
        let objects = lists.values().as_struct_opt();
        let texts = objects.and_then(|objects| objects.column_by_name(part));
        let texts = udf::strings(texts.ok_or_else(|| unfit(column.data_type()))?)?;
        let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
        Ok(Arc::new(ListArray::try_new(element(DataType::Utf8), offsets, Arc::new(texts), nulls)?))
    })
}

/// A list as a JSON text.
pub fn list_text(list: Expr) -> Expr {
    udf::call("list_text".to_owned(), DataType::Utf8, vec![list], |args| {
        let column = udf::argument(args, 0)?;
        let field = arrow::datatypes::Field::new("v", column.data_type().clone(), true);
        let schema = Arc::new(arrow::datatypes::Schema::new(vec![field]));
        let rows = arrow::array::RecordBatch::try_new(schema, vec![Arc::clone(column)])?;
        let mut written = Vec::new();
        let mut writer = LineDelimitedWriter::new(&mut written);
        writer.write(&rows)?;
        writer.finish()?;
        let text = |line: &str| {
            let row: Json = serde_json::from_str(line).ok()?;
            Some(row.get("v")?.to_string())
        };
        let written = String::from_utf8_lossy(&written);
        let mut texts: Vec<Option<String>> = written.lines().map(text).collect();
        texts.resize(column.len(), None);
        Ok(Arc::new(StringArray::from(texts)))
    })
}
