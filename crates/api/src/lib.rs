//! The HTTP face: routes over a [`Backend`], on loopback TCP and on the private socket.
//!
//! The crate knows HTTP and nothing of journal, lake or stores; the binary implements
//! [`Backend`]. Every handler passes the caller's `TenantScope` on.

pub mod answer;
pub mod backend;
pub mod client;
pub mod error;
mod extract;
pub mod guard;
mod queries;
pub mod routes;

pub use answer::{Answer, Part, QUERY_ID_HEADER};
pub use axum::Router;
pub use backend::{
    Backend, HUNT_STATS_HEADER, HuntList, HuntReply, HuntRequest, HuntStats, IngestReply,
    IngestRequest, JobRows, NEXT_CURSOR_HEADER, Pending, QueryRequest, SEARCH_STATS_HEADER,
    SearchReply, SearchRequest, SearchStats, SqlRequest,
};
pub use client::{Client, ClientError};
pub use error::{ApiError, Kind};
pub use routes::{private_router, public_router, serve, serve_unix};
