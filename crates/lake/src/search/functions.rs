//! The functions that a search's conditions become where the engine has none of its own.

use crate::query::stop::{ROWS_BETWEEN, checkpoint};
use crate::search::matching::ValueTest;
use crate::search::words::Word;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, BooleanBuilder, StringArray,
    StructArray,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use serde_json::Value;
use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Where the texts of a row are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Texts {
    /// The column is a text.
    Column,
    /// Any element of a list of texts.
    List,
    /// Any element of a list of objects, by this text of it or any.
    Objects(Option<&'static str>),
    /// This member of a JSON object, or any element of it where it is an array.
    Member(String),
}

/// True for the rows of which a text passes the test; never null.
#[derive(Debug)]
struct TextsHit {
    /// Distinct in a query: the engine takes functions of one name for the same.
    name: String,
    texts: Texts,
    /// Texts without it need not be read as JSON.
    needed: Option<Word>,
    test: ValueTest,
    signature: Signature,
}

impl PartialEq for TextsHit {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TextsHit {}

impl Hash for TextsHit {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// The condition that a text of `column` passes `test`. `number` must be distinct in a query.
pub fn texts_hit(number: usize, column: Expr, texts: Texts, test: ValueTest) -> Expr {
    let name = format!("search_{number}");
    let signature = Signature::any(1, Volatility::Immutable);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    let needed = match &texts {
        // Other characters may stand there as escapes.
        Texts::Member(own) if own.chars().all(plain) => Some(Word::new(own, false, false)),
        _ => None,
    };
    ScalarUDF::new_from_impl(TextsHit { name, texts, needed, test, signature }).call(vec![column])
}

/// The column, the place of its texts and the test of a condition that [`texts_hit`] made.
pub(crate) fn text_test(condition: &Expr) -> Option<(&str, &Texts, &ValueTest)> {
    let Expr::ScalarFunction(call) = condition else { return None };
    let hit = call.func.inner().downcast_ref::<TextsHit>()?;
    match call.args.as_slice() {
        [Expr::Column(column)] => Some((&column.name, &hit.texts, &hit.test)),
        _ => None,
    }
}

impl ScalarUDFImpl for TextsHit {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        match args.args.into_iter().next() {
            Some(ColumnarValue::Array(column)) => {
                Ok(ColumnarValue::Array(Arc::new(self.hits(&column)?)))
            }
            Some(ColumnarValue::Scalar(value)) => {
                let hits = self.hits(&value.to_array_of_size(rows.min(1))?)?;
                let hit = !hits.is_empty() && hits.value(0);
                Ok(ColumnarValue::Scalar(ScalarValue::Boolean(Some(hit))))
            }
            None => Err(DataFusionError::Internal("a search without a column".to_owned())),
        }
    }
}

impl TextsHit {
    fn hits(&self, column: &ArrayRef) -> Result<BooleanArray> {
        match &self.texts {
            Texts::Column => {
                let texts = strings(column)?;
                match &self.test {
                    ValueTest::Word(word) => words(&texts, word),
                    test => each(&texts, |text| test.hits(text)),
                }
            }
            Texts::Member(name) => {
                let texts = strings(column)?;
                each(&texts, |text| self.member(name, text))
            }
            Texts::List => self.any_of(column, |values| Ok(vec![strings(values)?])),
            Texts::Objects(part) => self.any_of(column, |values| {
                let objects = values.as_struct_opt().ok_or_else(|| unfit(values.data_type()))?;
                parts_of(objects, *part)
            }),
        }
    }

    /// For each row, whether an element passes; `texts_of` gives the elements' texts.
    fn any_of(
        &self,
        column: &ArrayRef,
        texts_of: impl Fn(&ArrayRef) -> Result<Vec<StringArray>>,
    ) -> Result<BooleanArray> {
        let lists = column.as_list_opt::<i32>().ok_or_else(|| unfit(column.data_type()))?;
        let parts = texts_of(lists.values())?;
        let hit = |row: usize| {
            let offsets = lists.value_offsets();
            let (from, to) = (offsets[row] as usize, offsets[row + 1] as usize);
            lists.is_valid(row)
                && (from..to).any(|at| {
                    parts.iter().any(|texts| texts.is_valid(at) && self.test.hits(texts.value(at)))
                })
        };
        Ok((0..lists.len()).map(|row| Some(hit(row))).collect())
    }

    fn member(&self, name: &str, text: &str) -> bool {
        if self.needed.as_ref().is_some_and(|word| !word.is_in(text)) {
            return false;
        }
        let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) else { return false };
        object
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .any(|(_, value)| value_hits(value, &self.test))
    }
}

/// Whether each text passes; those that are null do not. Ends half-way where the query is to stop.
fn each(texts: &StringArray, hits: impl Fn(&str) -> bool) -> Result<BooleanArray> {
    let mut all = BooleanBuilder::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        if row % ROWS_BETWEEN == 0 {
            checkpoint()?;
        }
        all.append_value(text.is_some_and(&hits));
    }
    Ok(all.finish())
}

/// As [`each`] for a word, which is looked for in many texts at once.
fn words(texts: &StringArray, word: &Word) -> Result<BooleanArray> {
    let (bytes, offsets) = (texts.value_data(), texts.value_offsets());
    let mut hits = BooleanBufferBuilder::new(texts.len());
    hits.append_n(texts.len(), false);
    for from in (0..texts.len()).step_by(ROWS_BETWEEN) {
        checkpoint()?;
        let to = (from + ROWS_BETWEEN).min(texts.len());
        let text = |at: usize| texts.value(from + at);
        word.each_in(bytes, &offsets[from..=to], text, |at| {
            hits.set_bit(from + at, texts.is_valid(from + at));
        });
    }
    Ok(BooleanArray::new(hits.finish(), None))
}

/// Whether a JSON value, or an element of it, passes.
fn value_hits(value: &Value, test: &ValueTest) -> bool {
    match value {
        Value::Array(items) => {
            items.iter().any(|item| json_text(item).is_some_and(|text| test.hits(&text)))
        }
        single => json_text(single).is_some_and(|text| test.hits(&text)),
    }
}

/// The text of a JSON value; nothing for null.
pub fn json_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}

fn parts_of(objects: &StructArray, part: Option<&'static str>) -> Result<Vec<StringArray>> {
    let mut parts = Vec::new();
    for (field, column) in objects.fields().iter().zip(objects.columns()) {
        let wanted = part.is_none_or(|name| name == field.name());
        if wanted && matches!(field.data_type(), DataType::Utf8 | DataType::Utf8View) {
            parts.push(strings(column)?);
        }
    }
    Ok(parts)
}

/// The column as texts, whatever form the reader chose for it.
fn strings(column: &ArrayRef) -> Result<StringArray> {
    match column.as_string_opt::<i32>() {
        Some(texts) => Ok(texts.clone()),
        None => Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone()),
    }
}

fn unfit(kind: &DataType) -> DataFusionError {
    DataFusionError::Internal(format!("a search on a column of type {kind}"))
}
