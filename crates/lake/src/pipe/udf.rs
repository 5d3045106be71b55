//! Functions that the engine has not, as closures over whole columns.

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

type Body = Arc<dyn Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync>;

/// A function of columns. Two of one name are the same: the name carries what they were made of.
struct Function {
    name: String,
    returns: DataType,
    signature: Signature,
    body: Body,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arrays = args.args.into_iter().map(|arg| arg.into_array(rows));
        crate::query::stop::checkpoint()?;
        let result = (self.body)(&arrays.collect::<Result<Vec<_>>>()?)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }
}

/// Calls `body` with the columns of `args`, of which there is at least one. `name` must carry
/// everything `body` was made of.
pub fn call(
    name: String,
    returns: DataType,
    args: Vec<Expr>,
    body: impl Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Expr {
    let signature = Signature::any(args.len(), Volatility::Immutable);
    let function = Function { name, returns, signature, body: Arc::new(body) };
    ScalarUDF::new_from_impl(function).call(args)
}

/// A text of a text; null stays null.
pub fn text(
    name: String,
    arg: Expr,
    map: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> Expr {
    call(name, DataType::Utf8, vec![arg], move |args| {
        let texts = strings(argument(args, 0)?)?;
        Ok(Arc::new(texts.iter().map(|text| map(text?)).collect::<StringArray>()))
    })
}

/// A truth of two texts; false where one is null.
pub fn pair(name: &str, args: [Expr; 2], hits: fn(&str, &str) -> bool) -> Expr {
    call(name.to_owned(), DataType::Boolean, args.to_vec(), move |args| {
        let (left, right) = (strings(argument(args, 0)?)?, strings(argument(args, 1)?)?);
        let hit = |(left, right): (Option<&str>, Option<&str>)| {
            Some(left.zip(right).is_some_and(|(left, right)| hits(left, right)))
        };
        Ok(Arc::new(left.iter().zip(right.iter()).map(hit).collect::<BooleanArray>()))
    })
}

/// The argument at a place.
///
/// # Errors
/// There is none: a fault of ours.
pub fn argument(args: &[ArrayRef], at: usize) -> Result<&ArrayRef> {
    args.get(at).ok_or_else(|| DataFusionError::Internal("an argument is missing".to_owned()))
}

/// The column as texts, whatever form it has.
///
/// # Errors
/// A type that has no text.
pub fn strings(column: &ArrayRef) -> Result<StringArray> {
    match column.as_string_opt::<i32>() {
        Some(texts) => Ok(texts.clone()),
        None => Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone()),
    }
}

/// The column as whole numbers.
///
/// # Errors
/// A type that has none.
pub fn integers(column: &ArrayRef) -> Result<Int64Array> {
    Ok(cast(column, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}
