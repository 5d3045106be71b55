//! The rows between two words: a plan of the engine and the names and kinds of its columns.

use crate::pipe::COLUMNS_MAX;
use crate::search::ast::Name;
use crate::search::fault::{Fault, Span, nearest};
use crate::search::fields::{self, Target};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DataFusionError};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Projection};
use std::collections::HashSet;
use std::sync::Arc;

/// Most parts of an expression once the columns in it are written out. The engine writes them
/// out when it moves a condition below the words before, and columns made of twice the column
/// before would double with each word.
pub const PARTS_MAX: usize = 20_000;

/// What values of a column are.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// Text of a source's own field, which counts as a number beside one.
    Any,
    /// Whole numbers.
    Integer,
    /// Numbers with a point.
    Float,
    /// Truth values.
    Truth,
    /// Points in time.
    Time,
    /// Lengths of time.
    Span,
    /// Lists of texts.
    Texts,
    /// Lists of objects.
    Objects,
    /// Lists of other values.
    List,
    /// What can only be shown.
    Other,
}

impl Kind {
    /// The kind of the engine's type.
    pub fn of(kind: &DataType) -> Self {
        match kind {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Self::Float,
            kind if kind.is_integer() => Self::Integer,
            DataType::Boolean => Self::Truth,
            DataType::Timestamp(TimeUnit::Microsecond, _) => Self::Time,
            DataType::Duration(TimeUnit::Microsecond) => Self::Span,
            DataType::List(element) => match element.data_type() {
                DataType::Utf8 => Self::Texts,
                DataType::Struct(_) => Self::Objects,
                _ => Self::List,
            },
            _ => Self::Other,
        }
    }

    /// Its name in messages and completions.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Any => "dynamic",
            Self::Integer => "long",
            Self::Float => "real",
            Self::Truth => "bool",
            Self::Time => "datetime",
            Self::Span => "timespan",
            Self::Texts => "list of text",
            Self::Objects => "list of objects",
            Self::List => "list",
            Self::Other => "binary",
        }
    }

    /// Whether it can be compared with less and greater, grouped and sorted by.
    pub fn is_single(&self) -> bool {
        !matches!(self, Self::Texts | Self::Objects | Self::List | Self::Other)
    }
}

/// A column of a frame. Its name is that of the plan's column too.
#[derive(Clone, Debug)]
pub struct FrameColumn {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// The stored column that it is, whatever it is called.
    pub origin: Option<&'static str>,
    /// Parts of the expression it is, written out.
    pub parts: usize,
}

/// A value with what it is and where it comes from.
#[derive(Clone, Debug)]
pub struct Value {
    /// The engine's expression.
    pub expr: Expr,
    /// What it is.
    pub kind: Kind,
    /// The stored column that it is.
    pub origin: Option<&'static str>,
}

/// Rows under construction.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The engine's plan.
    pub plan: LogicalPlan,
    /// Its columns, in order.
    pub columns: Vec<FrameColumn>,
    /// Whether rows may be looked up by the names of the tables' fields.
    pub events: bool,
}

impl Frame {
    /// The column that a name stands for: as it is called, else by the field it is.
    pub fn find(&self, name: &str) -> Option<&FrameColumn> {
        let exact = self.columns.iter().find(|column| column.name == name);
        exact.or_else(|| self.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name)))
    }

    /// The column that holds a stored one.
    pub fn stored(&self, origin: &str) -> Option<&FrameColumn> {
        self.columns.iter().find(|column| column.origin == Some(origin))
    }

    /// The column of a name as written, or of the one field it stands for.
    pub fn named(&self, name: &Name) -> Option<&FrameColumn> {
        self.find(&name.text).or_else(|| match fields::resolve(name).ok()? {
            Target::Columns(sources) => match sources.as_slice() {
                [one] => self.stored(one.column),
                _ => None,
            },
            _ => None,
        })
    }

    /// There is no such column; says what is near.
    pub fn unknown(&self, name: &Name) -> Fault {
        if self.events
            && let Err(fault) = fields::resolve(name)
        {
            let own = self.columns.iter().map(|column| column.name.as_str());
            return match nearest(&name.text, own) {
                Some(near) if fault.help.as_ref().is_none_or(|h| !h.starts_with("did")) => {
                    fault.help(format!("did you mean `{near}`?"))
                }
                _ => fault,
            };
        }
        let message = format!("there is no column `{}` here", name.text);
        let fault = Fault::new("column_unknown", name.span, message);
        let own = || self.columns.iter().map(|column| column.name.as_str());
        if let Some(near) = nearest(&name.text, own()) {
            return fault.help(format!("did you mean `{near}`?"));
        }
        let shown: Vec<&str> = own().take(12).collect();
        let more = if self.columns.len() > shown.len() { ", ..." } else { "" };
        fault.help(format!("the words before leave {}{more}", shown.join(", ")))
    }

    /// The same rows with these columns only.
    ///
    /// # Errors
    /// Too many columns, two of one name, or an expression that grows too large.
    pub fn select(self, span: Span, wanted: Vec<(String, Value)>) -> Result<Self, Fault> {
        if wanted.len() > COLUMNS_MAX {
            let message = format!("there are more than {COLUMNS_MAX} columns");
            return Err(Fault::new("columns_too_many", span, message));
        }
        let mut seen = HashSet::new();
        let mut columns = Vec::with_capacity(wanted.len());
        let mut exprs = Vec::with_capacity(wanted.len());
        for (name, value) in wanted {
            if !seen.insert(name.clone()) {
                let message = format!("there are two columns `{name}`");
                return Err(Fault::new("column_twice", span, message)
                    .help("give one another name: other = ..."));
            }
            let parts = self.parts(&value.expr, span)?;
            exprs.push(value.expr.alias(name.clone()));
            columns.push(FrameColumn { name, kind: value.kind, origin: value.origin, parts });
        }
        // The builder would look every column up in the whole plan again.
        let plan = Projection::try_new(exprs, Arc::new(self.plan)).map_err(refused(span))?;
        Ok(Self { plan: LogicalPlan::Projection(plan), columns, events: self.events })
    }

    /// The same rows that pass the condition.
    ///
    /// # Errors
    /// A condition that grows too large.
    pub fn filter(self, span: Span, condition: Expr) -> Result<Self, Fault> {
        self.parts(&condition, span)?;
        self.then(span, |plan| plan.filter(condition))
    }

    /// The plan with a step that keeps the columns as they are.
    ///
    /// # Errors
    /// What the engine refuses.
    pub fn then(
        self,
        span: Span,
        step: impl FnOnce(LogicalPlanBuilder) -> Result<LogicalPlanBuilder, DataFusionError>,
    ) -> Result<Self, Fault> {
        let plan = step(LogicalPlanBuilder::from(self.plan));
        let plan = plan.and_then(LogicalPlanBuilder::build).map_err(refused(span))?;
        Ok(Self { plan, ..self })
    }

    /// Each column as a value under its name.
    pub fn all(&self) -> Vec<(String, Value)> {
        self.columns.iter().map(|column| (column.name.clone(), column.value())).collect()
    }

    /// The kind of an expression over these columns.
    ///
    /// # Errors
    /// What the engine refuses.
    pub fn kind_of(&self, expr: &Expr, span: Span) -> Result<Kind, Fault> {
        expr.get_type(self.plan.schema()).map(|kind| Kind::of(&kind)).map_err(refused(span))
    }

    /// Parts of an expression with the columns written out.
    ///
    /// # Errors
    /// More than [`PARTS_MAX`].
    pub fn parts(&self, expr: &Expr, span: Span) -> Result<usize, Fault> {
        let mut parts = 0usize;
        let walked = expr.apply(|part| {
            let more = match part {
                Expr::Column(column) => self
                    .columns
                    .iter()
                    .find(|known| known.name == column.name)
                    .map_or(1, |known| known.parts),
                _ => 1,
            };
            parts = parts.saturating_add(more);
            Ok(if parts > PARTS_MAX {
                TreeNodeRecursion::Stop
            } else {
                TreeNodeRecursion::Continue
            })
        });
        walked.map_err(refused(span))?;
        if parts > PARTS_MAX {
            let message = "the columns it is made of grow with each word before".to_owned();
            return Err(Fault::new("query_large", span, message)
                .help("use each column of an `extend` fewer times"));
        }
        Ok(parts)
    }
}

impl FrameColumn {
    /// The column as a value.
    pub fn value(&self) -> Value {
        let expr = Expr::Column(Column::new_unqualified(self.name.clone()));
        Value { expr, kind: self.kind.clone(), origin: self.origin }
    }
}

impl Value {
    /// The plan's column of a name.
    pub fn column(name: &str) -> Expr {
        Expr::Column(Column::new_unqualified(name))
    }

    /// A value that is no stored column.
    pub fn new(expr: Expr, kind: Kind) -> Self {
        Self { expr, kind, origin: None }
    }
}

/// Says in our words that the engine refuses a step.
pub fn refused(span: Span) -> impl Fn(DataFusionError) -> Fault {
    move |error| {
        let text = error.strip_backtrace();
        Fault::new("engine", span, text.lines().next().unwrap_or_default().to_owned())
    }
}
