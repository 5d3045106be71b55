//! The command line's side: requests over the private socket of a running server.

use crate::backend::{
    HUNT_STATS_HEADER, HuntReply, HuntRequest, SEARCH_STATS_HEADER, SearchReply, SearchRequest,
};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tokio::net::UnixStream;

/// Why a request to the running server failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens on the socket.
    #[error("cannot reach the server at {socket}: {source}")]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The connection broke.
    #[error("the server's connection broke: {0}")]
    Broken(String),
    /// The server said no.
    #[error("{detail} ({code})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The problem's stable code.
        code: String,
        /// Words for a person.
        detail: String,
    },
}

/// A client of one private socket.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// A client of the server that listens on `socket`.
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// `GET path`, the answer as JSON.
    ///
    /// # Errors
    /// Those of [`ClientError`].
    pub async fn get(&self, path: &str) -> Result<Value, ClientError> {
        let (_, body) = self.send(Method::GET, path, None).await?;
        serde_json::from_slice(&body).map_err(|e| ClientError::Broken(e.to_string()))
    }

    /// `POST path` with a JSON body, the answer's bytes.
    ///
    /// # Errors
    /// Those of [`ClientError`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Vec<u8>, ClientError> {
        self.send(Method::POST, path, Some(body.to_string())).await.map(|(_, body)| body)
    }

    /// Asks for a search.
    ///
    /// # Errors
    /// Those of [`ClientError`].
    pub async fn search(
        &self,
        path: &str,
        request: &SearchRequest,
    ) -> Result<SearchReply, ClientError> {
        let broken = |e: &dyn std::fmt::Display| ClientError::Broken(e.to_string());
        let text = serde_json::to_string(request).map_err(|e| broken(&e))?;
        let (headers, body) = self.send(Method::POST, path, Some(text)).await?;
        let stats = headers.get(SEARCH_STATS_HEADER).map(|value| value.as_bytes());
        let stats = serde_json::from_slice(stats.unwrap_or_default()).map_err(|e| broken(&e))?;
        Ok(SearchReply { body, stats })
    }

    /// Asks for a hunt.
    ///
    /// # Errors
    /// Those of [`ClientError`].
    pub async fn hunt(&self, path: &str, request: &HuntRequest) -> Result<HuntReply, ClientError> {
        let broken = |e: &dyn std::fmt::Display| ClientError::Broken(e.to_string());
        let text = serde_json::to_string(request).map_err(|e| broken(&e))?;
        let (headers, body) = self.send(Method::POST, path, Some(text)).await?;
        let stats = headers.get(HUNT_STATS_HEADER).map(|value| value.as_bytes());
        let stats = serde_json::from_slice(stats.unwrap_or_default()).map_err(|e| broken(&e))?;
        Ok(HuntReply { body, stats })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<(HeaderMap, Vec<u8>), ClientError> {
        let broken = |e: &dyn std::fmt::Display| ClientError::Broken(e.to_string());
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|source| ClientError::Connect { socket: self.socket.clone(), source })?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| broken(&e))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|e| broken(&e))?;
        let response = sender.send_request(request).await.map_err(|e| broken(&e))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.map_err(|e| broken(&e))?.to_bytes();
        if status.is_success() {
            return Ok((headers, bytes.to_vec()));
        }
        let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let text = |key: &str| problem[key].as_str().unwrap_or("the server refused").to_owned();
        Err(ClientError::Refused {
            status: status.as_u16(),
            code: text("code"),
            detail: text("detail"),
        })
    }
}
