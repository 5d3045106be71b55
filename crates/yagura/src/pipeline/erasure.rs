//! Erasing a tenant, from its entry in the journal until no byte of it is left.
//!
//! ```text
//! Entry::Erase ─┬─ judge: state, rows ──────────────────────────────────────────┐
//!               └─ lake: rows, files that are replaced, logs ─> Progress ───────┤
//!                  journal: segments up to the entry are cut ───────────────────┴─> contexts,
//!                                                                    the store made anew, done
//! ```
//! The judge's store knows what is not done, so that any process goes on. Nothing of the tenant
//! is taken before it is.

use crate::pipeline::judge::{JudgeConsumer, JudgeError};
use crate::pipeline::progress::Progress;
use crate::pipeline::run::RETRY;
use std::time::Instant;
use yagura_collect::closed::Closed;
use yagura_event::{Lsn, Micros, TenantName};
use yagura_journal::JournalHandle;
use yagura_meta::Erasure;

impl JudgeConsumer {
    /// Forgets everything of a tenant's that came before.
    pub(super) fn erase(&mut self, tenant: &TenantName, lsn: Lsn, received: Micros) {
        let name = tenant.as_str();
        self.correlator.forget_tenant(name);
        let batches = self.batches.forget(name);
        if lsn <= self.stored {
            return;
        }
        self.ties.forget(name);
        let pending = &mut self.pending;
        pending.findings.retain(|finding| finding.tenant != name);
        pending.counts.retain(|count| count.tenant != *tenant);
        pending.replies.retain(|reply| reply.tenant != *tenant);
        pending.batches.retain(|row| row.tenant != name && !batches.contains(&row.batch));
        pending.files.retain(|file| file.tenant != name);
        pending.marks.retain(|mark| mark.tenant != name);
        pending.erase.push(Erasure { tenant: tenant.clone(), lsn, asked: received });
    }

    pub(super) fn note_erasures(&mut self, erasures: Vec<Erasure>) {
        for erasure in erasures {
            self.erasing.retain(|known| known.tenant != erasure.tenant);
            self.erasing.push(erasure);
        }
    }

    /// What is not done.
    pub fn erasing(&self) -> &[Erasure] {
        &self.erasing
    }

    /// Ends an erasure of which nothing is left but what the store's file holds of deleted rows;
    /// false where that is to be tried again.
    ///
    /// # Errors
    /// Those of the store.
    fn finish(&mut self, tenant: &TenantName) -> Result<bool, JudgeError> {
        let done = self.store.finish_erasure(tenant.as_str(), self.now)?;
        if done {
            self.erasing.retain(|erasure| erasure.tenant != *tenant);
        }
        Ok(done)
    }
}

/// Ends erasures, as far as lake and journal are.
pub struct Eraser {
    journal: JournalHandle,
    closed: std::sync::Arc<Closed>,
    next: Instant,
}

impl Eraser {
    /// One over a journal and its door.
    pub fn new(journal: JournalHandle, closed: std::sync::Arc<Closed>) -> Self {
        Self { journal, closed, next: Instant::now() }
    }

    /// Takes nothing of the tenants whose erasure the judge knows: it may have been in the journal
    /// only. Before anybody is told that it is judged.
    pub fn close(&self, judge: &JudgeConsumer) {
        judge.erasing().iter().for_each(|erasure| self.closed.close(erasure.tenant.as_str()));
    }

    /// Takes the next steps that can be taken. None is the last while a backup holds back what is
    /// deleted.
    pub fn work(&mut self, judge: &mut JudgeConsumer, progress: &Progress) {
        if judge.erasing().is_empty() || Instant::now() < self.next {
            return;
        }
        for erasure in judge.erasing().to_vec() {
            let Erasure { tenant, lsn, .. } = &erasure;
            let stats = self.journal.stats();
            if stats.newest <= *lsn {
                self.journal.request_rotation();
            }
            let left = stats.first <= *lsn || progress.lake_erased(tenant.as_str()) < *lsn;
            if left || progress.journal_is_held() {
                continue;
            }
            let contexts = self.journal.erase_contexts(tenant.as_str());
            let ended = match contexts {
                Ok(()) => judge.finish(tenant).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match ended {
                Ok(true) => {
                    tracing::info!(%tenant, "everything of a tenant is erased");
                    self.closed.open(tenant.as_str());
                }
                Ok(false) => self.next = Instant::now() + RETRY,
                Err(error) => {
                    self.next = Instant::now() + RETRY;
                    tracing::warn!(%tenant, error, "erasing a tenant failed; trying again");
                }
            }
        }
    }
}
