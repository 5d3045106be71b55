//! What requests and answers hold, as the OpenAPI document describes them.

mod events;
mod incidents;
mod notifications;
mod overview;
mod reparse;
mod rule_hunts;
mod rules;
mod session;

pub use events::*;
pub use incidents::*;
pub use notifications::*;
pub use overview::*;
pub use reparse::*;
pub use rule_hunts::*;
pub use rules::*;
pub use session::*;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A list, or a page of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// Where the next page begins: to be sent as `cursor`. Null at the end.
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A list without further pages.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}
