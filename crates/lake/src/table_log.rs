//! A table's log as it is found: refused, opened, made, given more columns.

use crate::error::LakeError;
use crate::schema::{BUCKET, RECEIVED_DAY, TableKind};
use crate::store::FsStore;
use crate::table::{CHECKPOINT_COMMITS, LOG_DIR};
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::transaction::CommitProperties;
use deltalake_core::kernel::{StructField, StructType};
use deltalake_core::logstore::{LogStoreRef, StorageConfig, logstore_with};
use deltalake_core::{DeltaTable, TableProperty};
use std::sync::Arc;

/// A log entry of 0 bytes, the usual trace of power loss under a store that does not sync,
/// reads as an empty commit in every engine: rows would be gone without a word.
pub(crate) fn refuse_empty_entries(store: &FsStore, kind: TableKind) -> Result<(), LakeError> {
    let dir = format!("{}/{LOG_DIR}", kind.name());
    let names = store.names(&dir)?;
    for name in names.iter().filter(|name| name.ends_with(".json")) {
        let path = format!("{dir}/{name}");
        match store.fs().metadata(&store.file(&path)) {
            Ok(meta) if meta.len > 0 => {}
            Ok(_) => {
                let what = format!(
                    "log entry {path} is empty, its rows would silently be gone; restore the file from a backup"
                );
                return Err(LakeError::Damaged { table: kind.name(), what });
            }
            Err(source) => return Err(LakeError::Io { action: "look at", path, source }),
        }
    }
    Ok(())
}

pub(crate) fn log_store(store: &FsStore, kind: TableKind) -> Result<LogStoreRef, LakeError> {
    // Any scheme whose paths the crate takes as they are: it would look for `file:` itself.
    let text = format!("memory:///{}/", kind.name());
    let url = url::Url::parse(&text).map_err(|e| LakeError::Engine(e.to_string()))?;
    Ok(logstore_with(Arc::new(store.clone()), &url, StorageConfig::default())?)
}

pub(crate) async fn create(log: &LogStoreRef, kind: TableKind) -> Result<(), LakeError> {
    let interval = CHECKPOINT_COMMITS.to_string();
    let columns = kind.stats_columns().join(",");
    let created = DeltaTable::new(Arc::clone(log))
        .create()
        .with_table_name(kind.name())
        .with_columns(kernel_schema(kind)?.fields().cloned())
        .with_partition_columns([RECEIVED_DAY, BUCKET])
        .with_configuration_property(TableProperty::CheckpointInterval, Some(interval))
        .with_configuration_property(TableProperty::EnableExpiredLogCleanup, Some("false"))
        .with_configuration_property(TableProperty::DataSkippingStatsColumns, Some(columns))
        .await;
    match created {
        Ok(_) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn add_missing_columns(
    log: &LogStoreRef,
    kind: TableKind,
) -> Result<(), LakeError> {
    let mut table = DeltaTable::new(Arc::clone(log));
    table.load().await?;
    let present = table.snapshot()?.schema();
    let missing: Vec<StructField> = kernel_schema(kind)?
        .fields()
        .filter(|field| present.field(field.name()).is_none())
        .cloned()
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let properties = CommitProperties::default()
        .with_create_checkpoint(false)
        .with_cleanup_expired_logs(Some(false));
    table.add_columns().with_fields(missing).with_commit_properties(properties).await?;
    Ok(())
}

fn kernel_schema(kind: TableKind) -> Result<StructType, LakeError> {
    let schema: Result<StructType, _> = kind.schema().as_ref().try_into_kernel();
    Ok(schema?)
}
