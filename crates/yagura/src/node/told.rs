//! The outbox for the routes.

use crate::node::backend::NodeBackend;
use yagura_api::model::{ChannelState, List, Notification};
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
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<List<Notification>, ApiError> {
        let status = status.and_then(Status::from_word);
        let before = cursor.map(|cursor| {
            let none = |_| ApiError::new(Kind::Invalid, "cursor", "this list has no such place");
            cursor.parse::<i64>().map_err(none)
        });
        let people = self.people();
        let connection = people.connection();
        let rows = outbox::list_before(connection, scope, status, before.transpose()?, limit + 1);
        let mut rows = rows.map_err(ApiError::internal)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|(number, _)| number.to_string());
        Ok(List { items: rows.into_iter().map(|(_, row)| view(row)).collect(), next_cursor })
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
