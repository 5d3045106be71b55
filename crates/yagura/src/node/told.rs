//! The outbox for the routes.

use crate::node::backend::NodeBackend;
use yagura_api::model::{ChannelState, Notification};
use yagura_api::{ApiError, Kind, Told};
use yagura_event::time::rfc3339;
use yagura_event::{Clock, SystemClock, TenantScope};
use yagura_meta::outbox::{self, ChannelCounts, OutboxRow, Status};

fn view(row: OutboxRow) -> Notification {
    Notification {
        id: row.id,
        channel: row.channel,
        kind: row.kind,
        tenant: row.tenant,
        incident: row.incident,
        event: row.event,
        severity: row.severity,
        status: row.status.word().to_owned(),
        attempts: row.attempts,
        created_time_dt: rfc3339(row.created),
        sent_time_dt: row.sent.map(rfc3339),
        next_time_dt: row.next_try.map(rfc3339),
        last_error: row.last_error,
    }
}

impl Told for NodeBackend {
    fn notifications(
        &self,
        scope: &TenantScope,
        status: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Notification>, ApiError> {
        let status = status.and_then(Status::from_word);
        let people = self.people();
        let rows = outbox::list(people.connection(), scope, status, limit);
        Ok(rows.map_err(ApiError::internal)?.into_iter().map(view).collect())
    }

    fn channels(&self, scope: &TenantScope) -> Result<Vec<ChannelState>, ApiError> {
        let people = self.people();
        let counts = outbox::counts(people.connection(), scope).map_err(ApiError::internal)?;
        let state = |one: ChannelCounts| ChannelState {
            channel: one.channel,
            pending: one.pending,
            sent: one.sent,
            dead: one.dead,
            oldest_pending_time_dt: one.oldest_pending.map(rfc3339),
        };
        Ok(counts.into_iter().map(state).collect())
    }

    fn retry_notification(&self, scope: &TenantScope, id: &str) -> Result<(), ApiError> {
        let people = self.people();
        let again = outbox::retry(people.connection(), scope, id, SystemClock.now());
        match again.map_err(ApiError::internal)? {
            true => Ok(()),
            false => {
                let text = "there is no such notification that was given up";
                Err(ApiError::new(Kind::NotFound, "notification_unknown", text))
            }
        }
    }
}
