//! Tenants of whom nothing is taken, since what there is of them is being erased.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

/// Shared by the door to the journal and whoever erases.
#[derive(Default, Debug)]
pub struct Closed(RwLock<BTreeSet<String>>);

impl Closed {
    /// Takes nothing of a tenant any more. On return nothing of it is on its way to the journal:
    /// what is submitted from now on comes behind everything of the tenant's.
    pub fn close(&self, tenant: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(tenant.to_owned());
    }

    /// Takes the tenant's records again.
    pub fn open(&self, tenant: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(tenant);
    }

    /// Whether nothing is taken.
    pub fn is_closed(&self, tenant: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(tenant)
    }

    /// Does what submits something of a tenant, unless nothing is taken.
    pub(crate) fn unless<T>(&self, tenant: &str, submit: impl FnOnce() -> T) -> Option<T> {
        let closed = self.0.read().unwrap_or_else(PoisonError::into_inner);
        (!closed.contains(tenant)).then(submit)
    }
}
