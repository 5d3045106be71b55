//! A plan node that lets one tenant's rows through and nothing be moved below it.
//!
//! An ordinary filter may be merged with a query's own conditions, or handed to the reader
//! of files as a hint. Then a condition that fails on purpose (a division by zero where the
//! text says so) would tell of rows that the query must not know. This node is opaque to the
//! optimiser: conditions from above see only what came through it.

use crate::schema::TENANT;
use arrow::array::{RecordBatch, StringArray, StringViewArray};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::cmp::eq;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    PlanProperties, StatisticsArgs,
};
use futures::StreamExt;
use std::fmt;
use std::sync::Arc;
use yagura_event::TenantName;

/// Hands on the first `wanted` columns of `input`'s rows that belong to `tenant`.
#[derive(Debug)]
pub(crate) struct TenantFence {
    input: Arc<dyn ExecutionPlan>,
    tenant: TenantName,
    wanted: usize,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl TenantFence {
    /// `input` must have the tenant column.
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        tenant: TenantName,
        wanted: usize,
    ) -> Result<Self> {
        let columns: Vec<usize> = (0..wanted).collect();
        let schema = Arc::new(input.schema().project(&columns)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            datafusion::physical_plan::Partitioning::UnknownPartitioning(
                input.output_partitioning().partition_count(),
            ),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Ok(Self { input, tenant, wanted, schema, properties: Arc::new(properties) })
    }

    /// Whose rows come through it.
    pub(crate) fn tenant(&self) -> &TenantName {
        &self.tenant
    }

    /// Where they come from.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

/// The rows of `tenant`.
///
/// # Errors
/// Where the tenant column is missing: then nothing may pass.
pub(crate) fn own_rows(rows: &RecordBatch, tenant: &TenantName) -> Result<RecordBatch> {
    let without = || DataFusionError::Internal("rows without their tenant".to_owned());
    let column = rows.column_by_name(TENANT).ok_or_else(without)?;
    let own = match column.data_type() {
        DataType::Utf8 | DataType::Dictionary(..) => {
            eq(column, &StringArray::new_scalar(tenant.as_str()))?
        }
        DataType::Utf8View => eq(column, &StringViewArray::new_scalar(tenant.as_str()))?,
        _ => return Err(without()),
    };
    Ok(filter_record_batch(rows, &own)?)
}

impl DisplayAs for TenantFence {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantFence: {}", self.tenant)
    }
}

impl ExecutionPlan for TenantFence {
    fn name(&self) -> &str {
        "TenantFence"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children
            .pop()
            .ok_or_else(|| DataFusionError::Internal("fence without input".to_owned()))?;
        Ok(Arc::new(Self::new(input, self.tenant.clone(), self.wanted)?))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        // Of what columns hold nothing may be said that is not the tenant's own.
        let rows = inputs.first().map_or(Precision::Absent, |input| input.num_rows.to_inexact());
        Ok(Arc::new(Statistics::new_unknown(&self.schema).with_num_rows(rows)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let (tenant, wanted) = (self.tenant.clone(), self.wanted);
        let rows = self.input.execute(partition, context)?.map(move |batch| {
            let own = own_rows(&batch?, &tenant)?;
            let columns: Vec<usize> = (0..wanted).collect();
            Ok(own.project(&columns)?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }
}
