//! Rows of events that may hold one of many values, granule by granule, outside the query engine.

use crate::error::LakeError;
use crate::fence::own_rows;
use crate::index::{Need, Wanted, wanted};
use crate::reader::read_rows;
use crate::schema::{TENANT, TableKind};
use crate::view::LakeView;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use yagura_event::TenantScope;
use yagura_event::time::Micros;

/// A row of events.
#[derive(Clone, Copy)]
pub struct CandidateRow<'a> {
    rows: &'a RecordBatch,
    row: usize,
}

impl<'a> CandidateRow<'a> {
    /// The text of a column.
    pub fn text(&self, column: &str) -> Option<&'a str> {
        let texts = self.rows.column_by_name(column)?.as_string_opt::<i32>()?;
        texts.is_valid(self.row).then(|| texts.value(self.row))
    }

    /// The time of the event.
    pub fn time(&self) -> Option<Micros> {
        let times = self.rows.column_by_name("time")?;
        let times = times.as_primitive_opt::<TimestampMicrosecondType>()?;
        times.is_valid(self.row).then(|| times.value(self.row))
    }
}

/// Gives rows of events that `scope` may see, among them every one of which a text, or the host of
/// a URL, is one of `values`; newest files first. Of other columns than the tenant's and the time
/// only those that `columns` names are there. `go_on` is told how many of how many files are done, and says
/// whether to go on. Returns how many rows were given.
///
/// # Errors
/// Data files that cannot be read; [`LakeError::Limit`] where `go_on` said no.
pub fn each_candidate(
    view: &LakeView,
    scope: &TenantScope,
    values: &[String],
    columns: &[&str],
    take: &mut dyn FnMut(CandidateRow<'_>),
    go_on: &dyn Fn(usize, usize) -> bool,
) -> Result<u64, LakeError> {
    let kind = TableKind::Events;
    let need = Need::any_value(values);
    let mut given = 0;
    let mut give = |rows: &RecordBatch| -> Result<(), LakeError> {
        let own = match scope.tenant() {
            Some(tenant) => own_rows(rows, tenant)?,
            None => rows.clone(),
        };
        given += own.num_rows() as u64;
        (0..own.num_rows()).for_each(|row| take(CandidateRow { rows: &own, row }));
        Ok(())
    };
    let named = |column: &str| [TENANT, "time"].contains(&column) || columns.contains(&column);
    let total = view.events.files.len();
    for (done, file) in view.events.files.iter().rev().enumerate() {
        if !go_on(done, total) {
            return Err(LakeError::limit("query_cancelled", "it was cancelled"));
        }
        let rows = match wanted(view.store(), kind, file, need.as_ref()) {
            Wanted::Nothing => continue,
            Wanted::All => None,
            Wanted::Rows(rows) => Some(rows),
        };
        for rows in read_rows(view.store(), kind, file, Some(&named), rows)? {
            give(&rows?)?;
        }
    }
    for batch in &view.events.tail {
        give(&batch.rows()?)?;
    }
    Ok(given)
}
