//! An answer that comes in parts while the query still runs.

use crate::error::ApiError;
use hyper::body::{Body, Bytes, Frame};
use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc::Receiver;

/// Some bytes of an answer, or why there are no more.
pub type Part = Result<Vec<u8>, ApiError>;

/// The header of an answer that names the query, to look at it or stop it.
pub const QUERY_ID_HEADER: &str = "yagura-query-id";

/// A query's answer. Dropped, it stops the query.
///
/// As a body it breaks off where the query fails: its head has been sent by then. What failed is in
/// `GET /api/v1/queries/{id}`.
pub struct Answer {
    /// The query's id.
    pub id: String,
    first: Option<Vec<u8>>,
    parts: Receiver<Part>,
    _stops: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Answer {
    /// An answer of which `first` is there and the rest comes through `parts`. `stops` is dropped
    /// with it.
    pub fn new(
        id: String,
        first: Vec<u8>,
        parts: Receiver<Part>,
        stops: Box<dyn Any + Send + Sync>,
    ) -> Self {
        Self { id, first: Some(first), parts, _stops: stops }
    }

    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Option<Part> {
        match self.first.take() {
            Some(first) => Some(Ok(first)),
            None => self.parts.recv().await,
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        let part = match self.first.take() {
            Some(first) => Some(Ok(first)),
            None => ready!(self.parts.poll_recv(cx)),
        };
        Poll::Ready(part.map(|part| part.map(|bytes| Frame::data(Bytes::from(bytes)))))
    }
}
