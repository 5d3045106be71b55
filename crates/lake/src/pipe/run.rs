//! Checks a pipe against the tables' schemas and runs it within limits.

use crate::error::LakeError;
use crate::pipe::frame::{Frame, FrameColumn, Kind, Value, refused};
use crate::pipe::parser::{Query, parse};
use crate::pipe::scope::Env;
use crate::query::{Question, open};
use crate::schema::{TableKind, time_type};
use crate::search::Refused;
use crate::search::fault::{Fault, nearest};
use crate::sql::{SqlLimits, SqlResult};
use crate::view::LakeView;
use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, LogicalTableSource, TableSource, cast};
use datafusion::prelude::SessionContext;
use std::sync::Arc;
use yagura_event::{Micros, TenantScope};

/// A pipe that was checked and can run.
#[derive(Clone, Debug)]
pub struct Pipe {
    text: String,
    query: Arc<Query>,
    now: Micros,
    columns: Vec<FrameColumn>,
}

impl Pipe {
    /// Reads and checks a pipe; relative times are counted from `now`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(text: &str, now: Micros) -> Result<Self, Refused> {
        let refused = |fault| Refused::new(fault, text, "query");
        let query = parse(text).map_err(refused)?;
        let source = |kind: TableKind| -> Arc<dyn TableSource> {
            Arc::new(LogicalTableSource::new(kind.schema()))
        };
        let tables = TableKind::ALL.map(|kind| (kind, source(kind))).to_vec();
        let mut env = Env { now, tables, functions: 0, regexes: 0 };
        let columns = lower(&query, &mut env).map_err(refused)?.columns;
        Ok(Self { text: text.to_owned(), query: Arc::new(query), now, columns })
    }

    /// The columns of the answer, in order: name and kind.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Kind)> {
        self.columns.iter().map(|column| (column.name.as_str(), &column.kind))
    }
}

/// Answers a pipe over the tables as the scope may see them. Runs on the caller's tokio runtime.
///
/// # Errors
/// [`LakeError::Limit`] for one that goes beyond `limits`, [`LakeError::Query`] where a value of
/// the rows stops it; others are not the query's fault.
pub async fn run_pipe(
    view: Arc<LakeView>,
    scope: TenantScope,
    pipe: &Pipe,
    limits: &SqlLimits,
) -> Result<SqlResult, LakeError> {
    let question = Arc::new(Question::Pipe(pipe.clone()));
    open(view, scope, question, limits).await?.all().await
}

/// The frame of a pipe over the context's tables.
///
/// # Errors
/// [`LakeError::Query`], which a pipe that was checked does not bring.
pub(crate) async fn frame_of(
    context: &SessionContext,
    pipe: &Pipe,
) -> Result<DataFrame, LakeError> {
    let mut tables = Vec::new();
    for kind in TableKind::ALL {
        tables.push((kind, provider_as_source(context.table_provider(kind.name()).await?)));
    }
    let mut env = Env { now: pipe.now, tables, functions: 0, regexes: 0 };
    let frame = lower(&pipe.query, &mut env)
        .map_err(|fault| LakeError::Query(Refused::new(fault, &pipe.text, "query").render()))?;
    Ok(context.execute_logical_plan(frame.plan).await?)
}

/// The plan of a query.
///
/// # Errors
/// The first thing that is wrong.
pub fn lower(query: &Query, env: &mut Env) -> Result<Frame, Fault> {
    let mut frame = table(query, env)?;
    for (span, stage) in &query.stages {
        frame = stage.lower(frame, env, *span)?;
    }
    Ok(frame)
}

/// All columns of a table, with every whole number 64 bits wide and every day a time.
fn table(query: &Query, env: &Env) -> Result<Frame, Fault> {
    let name = &query.table;
    let found = env.tables.iter().find(|(kind, _)| kind.name().eq_ignore_ascii_case(&name.text));
    let Some((kind, source)) = found else {
        let message = format!("there is no table `{}`", name.text);
        let fault = Fault::new("table_unknown", name.span, message);
        return Err(match nearest(&name.text, TableKind::ALL.into_iter().map(TableKind::name)) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help("a query begins with events, matches or sightings"),
        });
    };
    let plan = LogicalPlanBuilder::scan(kind.name(), Arc::clone(source), None);
    let plan = plan.and_then(LogicalPlanBuilder::build).map_err(refused(name.span))?;
    let schema = kind.schema();
    let events = *kind == TableKind::Events;
    let mut columns = Vec::new();
    for field in schema.fields() {
        let column = Expr::Column(Column::new(Some(kind.name()), field.name()));
        let expr = match field.data_type() {
            DataType::Int32 => cast(column, DataType::Int64),
            DataType::Date32 => cast(column, time_type()),
            _ => column,
        };
        let origin = yagura_event::ColumnId::find(field.name()).map(|id| id.column().name);
        let value = Value {
            expr,
            kind: match field.data_type() {
                DataType::Int32 => Kind::Integer,
                DataType::Date32 => Kind::Time,
                other => Kind::of(other),
            },
            origin: origin.or_else(|| known(field.name())).filter(|_| events),
        };
        columns.push((field.name().clone(), value));
    }
    let frame = Frame { plan, columns: Vec::new(), events };
    frame.select(name.span, columns)
}

/// The columns beside the declared ones that fields name.
fn known(name: &str) -> Option<&'static str> {
    ["unmapped", "context", "lsn", "sub", "batch", "issues"]
        .into_iter()
        .find(|known| *known == name)
}
