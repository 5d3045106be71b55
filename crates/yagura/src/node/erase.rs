//! Erasing a tenant of an open data directory.

use crate::node::Node;
use anyhow::bail;
use serde::Serialize;
use yagura_event::TenantName;
use yagura_journal::Entry;

/// Why nothing is erased.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A legal hold is above it.
    #[error("a legal hold keeps records of {0}; remove it from [[retention.hold]] and restart")]
    Held(TenantName),
    /// Something goes on sending.
    #[error(
        "an input of this server is {0}'s; remove it from the configuration and restart, or stop \
         the server and erase without it"
    )]
    InUse(TenantName),
    /// The archive has no way to lose some of its records.
    #[error(
        "the journal's archive holds records of every tenant; erase with journal.keep off and \
         without the folder journal/kept"
    )]
    Archive,
}

/// How far an erasure is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Findings and incidents still have to go.
    Findings,
    /// Rows of the tables, the files they were in, the logs.
    Tables,
    /// The journal up to the request.
    Journal,
    /// What deleted rows left in the file of findings.
    Store,
    /// Nothing is left.
    Done,
}

/// Begins to erase a tenant: of it nothing is taken any more until it is done. Findings and
/// incidents are gone on return.
///
/// # Errors
/// [`Refused`]; those of the journal and the pipeline.
pub fn begin(node: &Node, tenant: &TenantName) -> anyhow::Result<()> {
    if node.retention.is_held(tenant.as_str()) {
        return Err(Refused::Held(tenant.clone()).into());
    }
    if node.is_input(tenant) {
        return Err(Refused::InUse(tenant.clone()).into());
    }
    if node.journal.has_archive() {
        return Err(Refused::Archive.into());
    }
    let closed = node.intake.closed();
    closed.close(tenant.as_str());
    match node.intake.control(&[Entry::Erase { tenant: tenant.clone() }]) {
        Ok(done) => node.progress.wait_judged(done.last).map_err(anyhow::Error::msg),
        Err(error) => {
            closed.open(tenant.as_str());
            Err(error.into())
        }
    }
}

/// How far it is. Asking moves it on where nothing else happens: a journal is cut only behind
/// newer entries.
///
/// # Errors
/// Those of the store, the journal and the pipeline.
pub fn step(node: &Node, tenant: &TenantName) -> anyhow::Result<Step> {
    if let Some(failure) = node.progress.read().failure {
        bail!(failure);
    }
    let pending = node.judge()?.erasures()?;
    let Some(erasure) = pending.iter().find(|erasure| erasure.tenant == *tenant) else {
        let closed = node.intake.closed().is_closed(tenant.as_str());
        return Ok(if closed { Step::Findings } else { Step::Done });
    };
    let stats = node.journal.stats();
    if stats.first > erasure.lsn {
        return Ok(match node.progress.lake_erased(tenant.as_str()) < erasure.lsn {
            true => Step::Tables,
            false => Step::Store,
        });
    }
    node.intake.control(&[Entry::Tick])?;
    if stats.newest > erasure.lsn && node.progress.lake_checkpoint() < stats.newest {
        node.progress.request_flush();
    }
    Ok(match node.progress.lake_erased(tenant.as_str()) < erasure.lsn {
        true => Step::Tables,
        false => Step::Journal,
    })
}
