//! The HTTP face: routes over a [`Backend`], on loopback TCP and on the private socket.
//!
//! The crate knows HTTP and nothing of journal, lake or stores; the binary implements
//! [`Backend`]. Every handler passes the caller's `TenantScope` on.

pub mod access;
pub mod answer;
pub mod backend;
pub mod client;
mod console;
pub mod error;
pub mod events;
mod extract;
pub mod findings;
pub mod guard;
pub mod incidents;
mod ingest;
mod live;
pub mod model;
pub mod notifications;
pub mod openapi;
pub mod overview;
pub mod page;
mod queries;
pub mod reparse;
pub mod repeat;
pub mod routes;
pub mod rule_hunts;
mod scope;
mod session;

pub use access::{Access, Caller, SignedIn};
pub use answer::{Answer, Part, QUERY_ID_HEADER};
pub use axum::Router;
pub use backend::{
    Backend, HUNT_STATS_HEADER, HuntAnswer, HuntList, HuntRefusal, HuntReply, HuntRequest,
    HuntStats, IngestReply, IngestRequest, JobRows, NEXT_CURSOR_HEADER, Pending, QueryRequest,
    SEARCH_STATS_HEADER, SearchReply, SearchRequest, SearchStats, SqlRequest,
};
pub use client::{Client, ClientError};
pub use error::{ApiError, Kind, Problem};
pub use events::{Events, HistogramAsked};
pub use findings::{Detections, EntitiesAsked, FindingsAsked};
pub use incidents::Cases;
pub use notifications::Told;
pub use overview::{Pulse, Watched};
pub use reparse::Reparses;
pub use repeat::{Earlier, Keyed, Repeats};
pub use routes::{private_router, public_router, serve, serve_unix};
pub use rule_hunts::{RuleHuntAsked, RuleHunts};
