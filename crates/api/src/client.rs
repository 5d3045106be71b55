//! The command line's side: requests over the private socket of a running server.

use crate::answer::QUERY_ID_HEADER;
use crate::backend::{
    HUNT_STATS_HEADER, HuntReply, HuntRequest, JobRows, NEXT_CURSOR_HEADER, SEARCH_STATS_HEADER,
    SearchReply, SearchRequest,
};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::net::UnixStream;

/// How long a server may take to start.
const STARTING_MAX: Duration = Duration::from_secs(60);

/// How often it is tried.
const LOOK: Duration = Duration::from_millis(200);

/// Why a request to the running server failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens on the socket.
    #[error("cannot reach the server at {socket}: {source}; start it anew where it is gone")]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The connection broke.
    #[error("the server's connection broke: {0}")]
    Broken(String),
    /// What the answer was written to said no.
    #[error("cannot write the answer: {0}")]
    Output(#[source] std::io::Error),
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

    /// `PUT path` with a JSON body, the answer's bytes.
    ///
    /// # Errors
    /// Those of [`ClientError`].
    pub async fn put(&self, path: &str, body: &Value) -> Result<Vec<u8>, ClientError> {
        self.send(Method::PUT, path, Some(body.to_string())).await.map(|(_, body)| body)
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

    /// `POST path` with a JSON body; the answer is written to `out` as it comes. An answer that
    /// breaks off is one of a query that was stopped: the server says why.
    ///
    /// # Errors
    /// Those of [`ClientError`].
    pub async fn stream(
        &self,
        path: &str,
        body: &Value,
        out: &mut (dyn Write + Send),
    ) -> Result<(), ClientError> {
        let response = self.ask(Method::POST, path, Some(body.to_string())).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let id = response.headers().get(QUERY_ID_HEADER).and_then(|id| id.to_str().ok());
        let id = id.unwrap_or_default().to_owned();
        let mut parts = response.into_body();
        while let Some(part) = parts.frame().await {
            match part {
                Ok(part) => {
                    if let Some(bytes) = part.data_ref() {
                        out.write_all(bytes).map_err(ClientError::Output)?;
                    }
                }
                Err(error) => return Err(self.stopped(path, &id, &error).await),
            }
        }
        out.flush().map_err(ClientError::Output)
    }

    /// Why an answer broke off.
    async fn stopped(&self, path: &str, id: &str, error: &hyper::Error) -> ClientError {
        let scope = path.split_once('?').map_or(String::new(), |(_, scope)| format!("?{scope}"));
        let state = self.get(&format!("/api/v1/queries/{id}{scope}")).await.unwrap_or_default();
        match (state["outcome"].as_str(), state["detail"].as_str()) {
            (Some(code), Some(detail)) if code != "ok" => ClientError::Refused {
                status: 200,
                code: code.to_owned(),
                detail: format!("the answer breaks off: {detail}"),
            },
            _ => ClientError::Broken(error.to_string()),
        }
    }

    /// `DELETE path`.
    ///
    /// # Errors
    /// Those of [`ClientError`].
    pub async fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.send(Method::DELETE, path, None).await.map(|_| ())
    }

    /// A part of a background search's rows, and where the next begins.
    ///
    /// # Errors
    /// Those of [`ClientError`].
    pub async fn rows(&self, path: &str) -> Result<JobRows, ClientError> {
        let (headers, body) = self.send(Method::GET, path, None).await?;
        let next =
            headers.get(NEXT_CURSOR_HEADER).and_then(|next| next.to_str().ok()?.parse().ok());
        let next = next.ok_or_else(|| ClientError::Broken("no cursor".to_owned()))?;
        Ok(JobRows { body, next })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<(HeaderMap, Vec<u8>), ClientError> {
        let response = self.ask(method, path, body).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let headers = response.headers().clone();
        let broken = |e: hyper::Error| ClientError::Broken(e.to_string());
        let bytes = response.into_body().collect().await.map_err(broken)?.to_bytes();
        Ok((headers, bytes.to_vec()))
    }

    /// Connects, and waits for a server that reads its journal before it listens: the socket is
    /// that of the process before it until then.
    async fn connect(&self) -> Result<UnixStream, ClientError> {
        let began = Instant::now();
        loop {
            match UnixStream::connect(&self.socket).await {
                Ok(stream) => return Ok(stream),
                Err(source) => {
                    let starts = source.kind() == ErrorKind::ConnectionRefused;
                    if !starts || began.elapsed() > STARTING_MAX {
                        return Err(ClientError::Connect { socket: self.socket.clone(), source });
                    }
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Response<Incoming>, ClientError> {
        let broken = |e: &dyn std::fmt::Display| ClientError::Broken(e.to_string());
        let stream = self.connect().await?;
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
        sender.send_request(request).await.map_err(|e| broken(&e))
    }
}

/// What the server said when it refused.
async fn refusal(response: Response<Incoming>) -> ClientError {
    let status = response.status().as_u16();
    let bytes = match response.into_body().collect().await {
        Ok(bytes) => bytes.to_bytes(),
        Err(error) => return ClientError::Broken(error.to_string()),
    };
    let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = |key: &str| problem[key].as_str().unwrap_or("the server refused").to_owned();
    ClientError::Refused { status, code: text("code"), detail: text("detail") }
}
