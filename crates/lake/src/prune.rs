//! Which data files a predicate can touch, by what the log says of them.

use crate::file::FileEntry;
use crate::schema::{BUCKET, RECEIVED_DAY};
use arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use std::collections::HashSet;
use std::sync::Arc;

/// Which of the files may hold rows for which `predicate` (over the table's schema) is true.
/// What cannot be decided is kept.
pub fn prune(
    files: &[Arc<FileEntry>],
    schema: &SchemaRef,
    predicate: &Arc<dyn PhysicalExpr>,
) -> Vec<bool> {
    let statistics = Statistics { files, schema };
    let keep = PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(schema))
        .try_build(Arc::clone(predicate))
        .and_then(|pruning| pruning.prune(&statistics));
    keep.unwrap_or_else(|_| vec![true; files.len()])
}

struct Statistics<'a> {
    files: &'a [Arc<FileEntry>],
    schema: &'a SchemaRef,
}

impl Statistics<'_> {
    fn column(
        &self,
        column: &Column,
        known: impl Fn(&FileEntry, &DataType) -> Option<ScalarValue>,
    ) -> Option<ArrayRef> {
        let kind = self.schema.field_with_name(&column.name).ok()?.data_type();
        let unknown = ScalarValue::try_from(kind).ok()?;
        let values = self.files.iter().map(|file| {
            let exact = match column.name.as_str() {
                RECEIVED_DAY => Some(ScalarValue::Date32(Some(file.day))),
                BUCKET => Some(ScalarValue::Int32(Some(file.bucket))),
                _ => known(file, kind),
            };
            exact.unwrap_or_else(|| unknown.clone())
        });
        ScalarValue::iter_to_array(values).ok()
    }
}

impl PruningStatistics for Statistics<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.column(column, |file, kind| file.stats.min(&column.name, kind))
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.column(column, |file, kind| file.stats.max(&column.name, kind))
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let counts = self.files.iter().map(|file| match column.name.as_str() {
            RECEIVED_DAY | BUCKET => Some(0),
            name => file.stats.nulls(name),
        });
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        // Files that others wrote may not say.
        let counts = self.files.iter().map(|f| (f.stats.records > 0).then_some(f.stats.records));
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
