//! The lake's tables for DataFusion: files chosen by the log, the tail, and the tenant below.
//!
//! ```text
//!              TenantFence                 only where the scope is one tenant
//!                    │
//!                  Union
//!            ┌───────┴────────┐
//!      parquet files      memory tail
//! ```

use crate::error::LakeError;
use crate::fence::{TenantFence, own_rows};
use crate::file::FileEntry;
use crate::index::{Need, Wanted, wanted};
use crate::place::{self, Places};
use crate::prune::prune;
use crate::schema::{TENANT, TableKind};
use crate::tail::{TailBatch, with_schema};
use crate::view::LakeView;
use crate::views;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::memory::{DataSourceExec, MemorySourceConfig};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, col, lit};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use parquet::arrow::arrow_reader::RowSelection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use yagura_event::TenantScope;

/// The store's name in plans.
pub const STORE_URL: &str = "yagura://lake";

/// How many data files a query's scans had before them, and how many they passed over.
#[derive(Debug, Default)]
pub struct ScanCounts {
    files: AtomicU64,
    pruned: AtomicU64,
    done: AtomicBool,
}

impl ScanCounts {
    fn add(&self, files: usize, kept: usize) {
        if !self.done.load(Relaxed) {
            self.files.fetch_add(files as u64, Relaxed);
            self.pruned.fetch_add(files.saturating_sub(kept) as u64, Relaxed);
        }
    }

    /// Scans from here on are not counted.
    pub(crate) fn first_done(&self) {
        self.done.store(true, Relaxed);
    }

    /// Files, and those passed over, of the scans counted.
    pub(crate) fn of_first(&self) -> (u64, u64) {
        (self.files.load(Relaxed), self.pruned.load(Relaxed))
    }
}

/// One table of a view, within a scope.
#[derive(Debug)]
pub struct LakeTable {
    counts: Arc<ScanCounts>,
    view: Arc<LakeView>,
    kind: TableKind,
    scope: TenantScope,
    schema: SchemaRef,
    use_index: bool,
    /// Whether texts are views.
    viewed: bool,
    /// Whether rows say where they are.
    placed: bool,
    /// The only rows there are, where these are chosen by their places.
    only: Option<Places>,
}

/// A data file of which something is read: its number in the view, and which of its rows.
struct Chosen {
    number: usize,
    file: Arc<FileEntry>,
    rows: Option<RowSelection>,
}

impl Chosen {
    fn row_count(&self) -> usize {
        let whole = || usize::try_from(self.file.stats.records).unwrap_or(usize::MAX);
        self.rows.as_ref().map_or_else(whole, RowSelection::row_count)
    }
}

impl LakeTable {
    /// Rows of other tenants than the scope's cannot be read through it by any query. Without
    /// `use_index` the answers are the same.
    pub fn new(
        view: Arc<LakeView>,
        kind: TableKind,
        scope: TenantScope,
        counts: Arc<ScanCounts>,
        use_index: bool,
    ) -> Self {
        let schema = kind.schema();
        let (viewed, placed, only) = (false, false, None);
        Self { counts, view, kind, scope, schema, use_index, viewed, placed, only }
    }

    /// The same with its texts as views.
    pub(crate) fn viewed(self) -> Self {
        Self { schema: views::viewed(&self.schema), viewed: true, ..self }
    }

    /// The same with two columns more, [`place::FILE`] and [`place::ROW`], that say where each row is.
    pub(crate) fn placed(self) -> Self {
        let schema = place::placed(&self.schema);
        Self { schema, placed: true, ..self }
    }

    /// As [`Self::placed`], and no other rows than those at `places`.
    pub(crate) fn only(self, places: Places) -> Self {
        Self { only: Some(places), ..self.placed() }
    }

    /// The query's filters and the scope, over the table's schema.
    fn predicate(
        &self,
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        // The tenant comes first: what follows is evaluated on its rows only.
        let own = self.scope.tenant().map(|tenant| col(TENANT).eq(lit(tenant.as_str())));
        let all: Vec<Expr> = own.into_iter().chain(filters.iter().cloned()).collect();
        let Some(expr) = conjunction(all) else { return Ok(None) };
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        state.create_physical_expr(expr, &schema).map(Some)
    }

    /// The files that may hold rows for which the conditions are true, each with those of its rows
    /// that may, where that is known.
    fn chosen(&self, filters: &[Expr], predicate: Option<&Arc<dyn PhysicalExpr>>) -> Vec<Chosen> {
        let all = &self.view.table(self.kind).files;
        if let Some(places) = &self.only {
            let rows = all.iter().enumerate().filter_map(|(number, file)| {
                let rows = places.in_file(number, file)?;
                Some(Chosen { number, file: Arc::clone(file), rows: Some(rows) })
            });
            return rows.collect();
        }
        let keep = predicate.map(|predicate| prune(all, &self.schema, predicate));
        let need = if self.use_index { Need::of_all(self.kind, filters) } else { None };
        let chosen = all.iter().enumerate().filter_map(|(number, file)| {
            if keep.as_ref().and_then(|keep| keep.get(number)) == Some(&false) {
                return None;
            }
            let rows = match wanted(self.view.store(), self.kind, file, need.as_ref()) {
                Wanted::All => None,
                Wanted::Rows(rows) => Some(rows),
                Wanted::Nothing => return None,
            };
            Some(Chosen { number, file: Arc::clone(file), rows })
        });
        let chosen: Vec<Chosen> = chosen.collect();
        self.counts.add(all.len(), chosen.len());
        chosen
    }

    fn scan_files(
        &self,
        columns: &[usize],
        filters: &[Expr],
        predicate: Option<&Arc<dyn PhysicalExpr>>,
        limit: Option<usize>,
        partitions: usize,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let files = self.chosen(filters, predicate);
        if files.is_empty() {
            return Ok(None);
        }
        // By these a join is planned: which side is looked up, and whether it is small.
        let rows = files.iter().map(Chosen::row_count).sum();
        let groups = self.groups(files, partitions);
        let mut fields = TableKind::partition_fields();
        let mut virtuals = Vec::new();
        if self.placed {
            fields.push(place::file_field());
            virtuals.push(place::row_field());
        }
        let file_schema = self.kind.file_schema();
        let file_schema = if self.viewed { views::viewed(&file_schema) } else { file_schema };
        let table_schema = TableSchema::builder(file_schema)
            .with_table_partition_cols(fields)
            .with_virtual_columns(virtuals)
            .build();
        let counts = Statistics::new_unknown(table_schema.table_schema())
            .with_num_rows(Precision::Inexact(rows));
        let mut source = ParquetSource::new(table_schema)
            .with_pushdown_filters(true)
            .with_enable_page_index(true)
            .with_bloom_filter_on_read(true)
            .with_parquet_file_reader_factory(self.view.store().reader_factory());
        // Without a fence the engine hands the conditions down itself, and they would be tried twice.
        if let Some(predicate) = predicate.filter(|_| self.scope.tenant().is_some()) {
            source = source.with_predicate(Arc::clone(predicate));
        }
        let config =
            FileScanConfigBuilder::new(ObjectStoreUrl::parse(STORE_URL)?, Arc::new(source))
                .with_file_groups(groups.into_iter().map(FileGroup::new).collect())
                .with_projection_indices(Some(columns.to_vec()))?
                .with_limit(limit)
                .with_statistics(counts)
                .build();
        Ok(Some(DataSourceExec::from_data_source(config)))
    }

    /// The files in as many groups as are read side by side. Of a file of which rows are chosen each
    /// group has a part.
    fn groups(&self, files: Vec<Chosen>, partitions: usize) -> Vec<Vec<PartitionedFile>> {
        let mut groups: Vec<Vec<PartitionedFile>> = vec![Vec::new(); partitions];
        for (at, Chosen { number, file, rows }) in files.into_iter().enumerate() {
            let path = format!("{}/{}", self.kind.name(), file.path);
            let mut values =
                vec![ScalarValue::Date32(Some(file.day)), ScalarValue::Int32(Some(file.bucket))];
            if self.placed {
                values.push(ScalarValue::Int32(i32::try_from(number).ok()));
            }
            let whole = PartitionedFile::new(path, file.size).with_partition_values(values);
            let Some(rows) = rows else {
                if let Some(group) = groups.get_mut(at % partitions) {
                    group.push(whole);
                }
                continue;
            };
            let parts = place::split(rows, partitions);
            for (part, rows) in parts.into_iter().enumerate() {
                let part_of_it = whole.clone().with_extension(ParquetRowSelection::new(rows));
                if let Some(group) = groups.get_mut((at + part) % partitions) {
                    group.push(part_of_it);
                }
            }
        }
        groups.retain(|group| !group.is_empty());
        groups
    }

    fn scan_tail(
        &self,
        columns: &[usize],
        limit: Option<usize>,
        partitions: usize,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let tail = &self.view.table(self.kind).tail;
        if tail.is_empty() {
            return Ok(None);
        }
        let schema = Arc::new(self.schema.project(columns)?);
        let plain = Arc::new(self.plain_schema().project(columns)?);
        let mut groups: Vec<Vec<RecordBatch>> = vec![Vec::new(); partitions.min(tail.len())];
        let count = groups.len();
        for (at, batch) in tail.iter().enumerate() {
            let rows = self.tail_rows(at, batch, &plain);
            let rows = rows.map_err(|e| DataFusionError::External(Box::new(e)))?;
            let rows = match self.scope.tenant() {
                Some(tenant) => own_rows(&rows, tenant)?,
                None => rows,
            };
            let rows = if self.viewed { views::with_schema(&rows, &schema)? } else { rows };
            if let Some(group) = groups.get_mut(at % count) {
                group.push(rows);
            }
        }
        let source = MemorySourceConfig::try_new(&groups, schema, None)?.with_limit(limit);
        Ok(Some(DataSourceExec::from_data_source(source)))
    }
}

impl LakeTable {
    /// The schema with plain texts.
    fn plain_schema(&self) -> SchemaRef {
        if self.viewed { self.kind.schema() } else { Arc::clone(&self.schema) }
    }

    /// The rows of batch `at` of the tail, with these columns.
    fn tail_rows(
        &self,
        at: usize,
        batch: &TailBatch,
        schema: &SchemaRef,
    ) -> Result<RecordBatch, LakeError> {
        let mut rows = batch.rows()?;
        if self.placed {
            rows = place::in_tail(&rows, at)?;
        }
        if let Some(places) = &self.only {
            rows = places.of_tail(&rows, at)?;
        }
        with_schema(&rows, schema)
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // Files are chosen by them; the engine applies them again to the rows.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut columns = match projection {
            Some(projection) => projection.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let wanted = columns.len();
        let tenant_column = self.schema.index_of(TENANT)?;
        if self.scope.tenant().is_some() && !columns.contains(&tenant_column) {
            columns.push(tenant_column);
        }
        let predicate = self.predicate(state, filters)?;
        // A limit below a filter would count rows that the filter then drops.
        let limit = if predicate.is_none() { limit } else { None };
        let partitions = state.config().target_partitions().max(1);
        let files = self.scan_files(&columns, filters, predicate.as_ref(), limit, partitions)?;
        let tail = self.scan_tail(&columns, limit, partitions)?;
        let rows: Arc<dyn ExecutionPlan> = match (files, tail) {
            (Some(files), Some(tail)) => UnionExec::try_new(vec![files, tail])?,
            (Some(rows), None) | (None, Some(rows)) => rows,
            (None, None) => Arc::new(EmptyExec::new(Arc::new(self.schema.project(&columns)?))),
        };
        match self.scope.tenant() {
            Some(tenant) => Ok(Arc::new(TenantFence::new(rows, tenant.clone(), wanted)?)),
            None => Ok(rows),
        }
    }
}
