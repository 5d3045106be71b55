//! Erasing a tenant: rows, and every other byte that came from them.
//!
//! ```text
//! rows of each day and table ─> files that are replaced ─> counts of what expired ─> the tables'
//! (crate::retention)            (once no view holds them)                            logs
//! ```
//! Nothing of the tenant may come in meanwhile. Each step can be taken again after a crash.

use crate::compact::Rewrite;
use crate::error::LakeError;
use crate::retention::Gone;
use crate::writer::LakeWriter;
use std::time::{Duration, Instant};

impl LakeWriter {
    /// A day with files that may hold rows of a tenant, all of which are in files by now; there is
    /// one rewrite at a time, of whichever kind. `None` where all have been looked at.
    pub fn plan_erasure(&mut self, tenant: &str) -> Option<Rewrite> {
        let bucket = (self.bucket_of)(tenant);
        self.plan_without(&|file| file.bucket == bucket, || Gone::Tenant(tenant.to_owned()))
    }

    /// Erases what is left beside the rows, once [`LakeWriter::plan_erasure`] finds no more of
    /// them; false where that has to wait: for views of earlier files, or for a process that can
    /// read a file that this one could not.
    ///
    /// # Errors
    /// [`LakeError::Io`], those of the logs; another call goes on.
    pub fn finish_erasure(&mut self, tenant: &str, now: Instant) -> Result<bool, LakeError> {
        if self.is_unsure() || self.stuck.contains(tenant) {
            return Ok(false);
        }
        self.sweep(now, Duration::ZERO)?;
        if !self.dead.is_empty() {
            return Ok(false);
        }
        self.expired.erase(&self.store, tenant)?;
        for side in [&mut self.events, &mut self.matches, &mut self.sightings] {
            if let Err(error) = self.runtime.block_on(side.table.forget_history()) {
                side.unsure |= self.runtime.block_on(side.table.recover()).is_err();
                return Err(error);
            }
        }
        self.looked_at.retain(|(_, _, of), _| of.as_deref() != Some(tenant));
        Ok(true)
    }
}
