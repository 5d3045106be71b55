//! Tells people and other systems about incidents: by mail and by webhook, once for each event.
//!
//! ```text
//! cases ── news ──> events ── template, payload ──> outbox (meta.sqlite) ── due ──> lanes ──> peers
//!            ^                                            ^                           │
//!          seen                                           └── sent, failed ───────────┘
//! ```
//! What is new and whether something may go are pure functions of cases, rows and the time given.
//! Each channel has a thread, its *lane*, that does nothing but one try at a time, so that a slow
//! peer holds up no other. A notification is marked after it was taken: a process that ends in
//! between tries it again with the same id and content.

pub mod case;
mod channel;
mod clean;
pub mod config;
pub mod error;
pub mod event;
mod lane;
mod mail;
mod mime;
mod news;
pub mod notifier;
mod payload;
mod quiet;
pub mod secret;
mod template;
mod webhook;
mod zone;

#[cfg(test)]
mod tests;

pub use case::{Case, Decision, Person};
pub use config::{
    Language, NOTIFY_EXAMPLE, NOTIFY_KEY_DOCS, NotifyConfig, QuietHoursConfig, check_all,
};
pub use error::RespondError;
pub use event::Event;
pub use notifier::Notifier;
pub use secret::{Secret, SecretRef};
pub use webhook::signature;
