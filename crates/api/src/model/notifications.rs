//! Notifications and the channels they go through.

use serde::Serialize;
use utoipa::ToSchema;

/// A notification of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Notification {
    /// Its id, the same at each try.
    pub id: String,
    /// The channel.
    pub channel: String,
    /// `mail` or `webhook`.
    pub kind: String,
    /// The customer.
    pub tenant: String,
    /// The incident.
    pub incident: String,
    /// What it tells, such as `opened`.
    pub event: String,
    /// The incident's severity.
    pub severity: String,
    /// `pending`, `sent` or `dead`.
    pub status: String,
    /// Tries so far.
    pub attempts: u32,
    /// When it was made, RFC 3339.
    pub created_time_dt: String,
    /// When the other end took it, RFC 3339.
    pub sent_time_dt: Option<String>,
    /// When it is tried next, RFC 3339.
    pub next_time_dt: Option<String>,
    /// Why the last try failed.
    pub last_error: Option<String>,
}

/// How a channel stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChannelState {
    /// The channel.
    pub channel: String,
    /// Notifications to be sent.
    pub pending: u64,
    /// Taken by the other end.
    pub sent: u64,
    /// Given up.
    pub dead: u64,
    /// When the oldest pending one was made, RFC 3339.
    pub oldest_pending_time_dt: Option<String>,
}
