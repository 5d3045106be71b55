//! Rows counted by one text, by the numbers that stand for it in data files.
//!
//! ```text
//!        final counts                         final counts
//!             │                                    │
//!     counts by hashed texts       =>            Union
//!             │                              ┌─────┴──────┐
//!           Union                          Tally   counts by hashed texts
//!       ┌─────┴──────┐                       │            │
//! parquet files  memory tail           parquet files  memory tail
//! ```
//!
//! The engine looks up the text of every row. A data file keeps most texts once for a row group, and
//! rows refer to them by number: here rows are counted by number, and each text is looked up once.

mod read;

use crate::fence::TenantFence;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::memory::DataSourceExec;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{
    ParquetFileReaderFactory, ParquetRowSelection,
};
use datafusion::datasource::physical_plan::{FileSource, ParquetSource};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The plan with the first half of such counts done here.
///
/// # Errors
/// What the engine refuses.
pub(crate) fn tallied(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let done = plan.transform_up(|node| {
        Ok(match replaced(&node)? {
            Some(tallied) => Transformed::yes(tallied),
            None => Transformed::no(node),
        })
    })?;
    Ok(done.data)
}

fn is<T: ExecutionPlan>(node: &Arc<dyn ExecutionPlan>) -> Option<&T> {
    let any: &dyn Any = node.as_ref();
    any.downcast_ref()
}

fn replaced(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(counts) = is::<AggregateExec>(node) else { return Ok(None) };
    let Some(column) = counted_by(counts) else { return Ok(None) };
    let spread = is::<RepartitionExec>(counts.input())
        .filter(|spread| matches!(spread.partitioning(), Partitioning::RoundRobinBatch(_)));
    let input = spread.map_or(counts.input(), RepartitionExec::input);
    let parts = match is::<UnionExec>(input) {
        Some(union) => union.inputs().clone(),
        None => vec![Arc::clone(input)],
    };
    let tallies: Vec<Option<Tally>> =
        parts.iter().map(|part| Tally::of(part, &column, counts.schema())).collect();
    if tallies.iter().all(Option::is_none) {
        return Ok(None);
    }
    let parts = parts.into_iter().zip(tallies).map(|(part, tally)| match tally {
        Some(tally) => Ok(Arc::new(tally) as Arc<dyn ExecutionPlan>),
        None => hashed(counts, part),
    });
    let mut parts = parts.collect::<Result<Vec<_>>>()?;
    match parts.pop() {
        Some(only) if parts.is_empty() => Ok(Some(only)),
        Some(last) => {
            parts.push(last);
            UnionExec::try_new(parts).map(Some)
        }
        None => Ok(None),
    }
}

/// The same counts by the engine over `part` of the rows.
fn hashed(counts: &AggregateExec, part: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = part.schema();
    let counts = AggregateExec::try_new(
        AggregateMode::Partial,
        counts.group_expr().clone(),
        counts.aggr_expr().to_vec(),
        counts.filter_expr().to_vec(),
        part,
        schema,
    )?;
    Ok(Arc::new(counts))
}

/// The text by which rows are counted, where they are only counted, and by one text.
fn counted_by(counts: &AggregateExec) -> Option<String> {
    let groups = counts.group_expr();
    let [(by, _)] = groups.expr() else { return None };
    let by: &dyn Any = by.as_ref();
    let by = by.downcast_ref::<Column>()?;
    let input = counts.input().schema();
    let field = input.fields().get(by.index())?;
    let plain = *counts.mode() == AggregateMode::Partial
        && !groups.has_grouping_set()
        && counts.limit_options().is_none()
        && counts.filter_expr().iter().all(Option::is_none)
        && counts.aggr_expr().iter().all(|what| counts_rows(what))
        && matches!(field.data_type(), DataType::Utf8 | DataType::Utf8View);
    plain.then(|| field.name().clone())
}

fn counts_rows(what: &AggregateFunctionExpr) -> bool {
    let constant = |expr: &Arc<dyn PhysicalExpr>| {
        let any: &dyn Any = expr.as_ref();
        any.downcast_ref::<Literal>().is_some_and(|literal| !literal.value().is_null())
    };
    what.fun().name() == "count"
        && !what.is_distinct()
        && what.order_bys().is_empty()
        && what.expressions().iter().all(constant)
}

/// Whether what a scan gives under this name is the column of that name.
fn is_as_in_files(source: &ParquetSource, column: &str) -> bool {
    let in_files = source.table_schema().file_schema().column_with_name(column).is_some();
    let as_it_is = |given: &Arc<dyn PhysicalExpr>| {
        let any: &dyn Any = given.as_ref();
        any.downcast_ref::<Column>().is_some_and(|given| given.name() == column)
    };
    let given = source.projection().into_iter().flat_map(|all| all.iter());
    in_files && given.filter(|given| given.alias == column).all(|given| as_it_is(&given.expr))
}

/// Counts rows of data files by a text. Gives what the engine's first half would: each text, as often as
/// it comes to it, with one count for each that is asked for.
struct Tally {
    what: Arc<read::What>,
    properties: Arc<PlanProperties>,
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally").field("column", &self.what.column).finish_non_exhaustive()
    }
}

impl Tally {
    /// Instead of counts over `part`, where these are all rows of data files, or all of one tenant.
    fn of(part: &Arc<dyn ExecutionPlan>, column: &str, schema: SchemaRef) -> Option<Self> {
        let fence = is::<TenantFence>(part);
        let files = fence.map_or(part, TenantFence::input);
        let (scan, source) =
            is::<DataSourceExec>(files)?.downcast_to_file_source::<ParquetSource>()?;
        // What a fence hands down is its own condition; others stand above it.
        let unconditional = fence.is_some() || source.filter().is_none();
        if !unconditional || scan.limit.is_some() || !is_as_in_files(source, column) {
            return None;
        }
        // The engine may have cut files into parts of their bytes.
        let mut whole: BTreeMap<String, PartitionedFile> = BTreeMap::new();
        for file in scan.file_groups.iter().flat_map(|group| group.iter()) {
            if file.extensions.get::<ParquetRowSelection>().is_some() {
                return None;
            }
            let location = file.object_meta.location.to_string();
            whole.insert(location, PartitionedFile { range: None, ..file.clone() });
        }
        let factory: Arc<dyn ParquetFileReaderFactory> =
            Arc::clone(source.parquet_file_reader_factory()?);
        let partitions = scan.file_groups.len().max(1);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let what = read::What {
            files: whole.into_values().collect(),
            partitions,
            column: column.to_owned(),
            tenant: fence.map(|fence| fence.tenant().clone()),
            factory,
            schema,
        };
        Some(Self { what: Arc::new(what), properties: Arc::new(properties) })
    }
}

impl DisplayAs for Tally {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tally: {}", self.what.column)?;
        self.what.tenant.as_ref().map_or(Ok(()), |tenant| write!(f, " of {tenant}"))
    }
}

impl ExecutionPlan for Tally {
    fn name(&self) -> &str {
        "Tally"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.is_empty() { Ok(self) } else { internal_err!("a tally has no inputs") }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        read::counts(Arc::clone(&self.what), partition, &context)
    }
}
