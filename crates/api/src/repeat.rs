//! Requests that make something and may be sent again: the header `Idempotency-Key`.
//!
//! A repeat with the same key gets the first answer, and waits for it while the first request is
//! carried out, which goes on where its connection breaks. A request that was refused made nothing
//! and leaves its key free. What lives in the process is guarded by memory alone; what outlives it is
//! noted in the store as well, before it is made.

use crate::access::Caller;
use crate::error::{ApiError, Kind};
use crate::extract::too_large;
use crate::routes::{BODY_BYTES_MAX, blocking};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch::{self, Receiver, Sender};

#[cfg(test)]
mod tests;

/// The header that makes a repeat harmless.
pub(crate) const KEY_HEADER: &str = "idempotency-key";

/// Longest idempotency key, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 128;

/// How long a key is known.
const AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Most keys of one caller in memory; beyond it the oldest that is answered is forgotten.
const KEYS_OF_CALLER_MAX: usize = 1_000;

/// Most bytes of answers and keys in memory; beyond it the oldest answers are forgotten.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a key takes beside its own and its answer's bytes.
const BYTES_OF_ENTRY: usize = 512;

/// How long the keys of an operation are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keeps {
    /// As long as the process at most, as what it makes.
    Process,
    /// Over restarts, with the answer.
    Store,
    /// Over restarts; the answer holds a secret and stays in memory.
    StoreWithoutAnswer,
}

/// The operations, all `POST`, that take the header here. Records and notes take it as well, each
/// with a key in the store of what they make.
pub(crate) const MAKING: [(&str, Keeps); 7] = [
    ("/api/v1/notifications/{id}/retry", Keeps::Process),
    ("/api/v1/reparse", Keeps::Store),
    ("/api/v1/rule-hunts", Keeps::Process),
    ("/api/v1/rule-hunts/{id}/record", Keeps::Process),
    ("/api/v1/saved-searches", Keeps::Store),
    ("/api/v1/searches", Keeps::Process),
    ("/api/v1/tokens", Keeps::StoreWithoutAnswer),
];

/// A request with a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keyed {
    /// [`Caller::id`] of who sent it.
    pub caller: String,
    /// The key, 1 to 128 bytes.
    pub key: String,
    /// The hash of path, parameters and body, in hexadecimal.
    pub digest: String,
}

/// What the store knows of an earlier request with the same key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Earlier {
    /// Its [`Keyed::digest`].
    pub digest: String,
    /// Status of its answer; `None` where the process ended while it was carried out.
    pub status: Option<u16>,
    /// Its answer's body; `None` where it was not to be kept.
    pub body: Option<String>,
}

/// Keys that outlive the process; methods block.
pub trait Repeats: Send + Sync + 'static {
    /// Notes that a request is carried out, unless its caller has used the key: gives what is known
    /// of that.
    ///
    /// # Errors
    /// `Internal` where the store fails.
    fn begin_keyed(&self, request: &Keyed) -> Result<Option<Earlier>, ApiError>;

    /// Notes how a request was answered.
    ///
    /// # Errors
    /// `Internal` where the store fails.
    fn end_keyed(&self, request: &Keyed, status: u16, body: Option<&str>) -> Result<(), ApiError>;

    /// Forgets a request that was refused.
    ///
    /// # Errors
    /// `Internal` where the store fails.
    fn forget_keyed(&self, request: &Keyed) -> Result<(), ApiError>;
}

/// The key of a request that may be repeated.
///
/// # Errors
/// `Invalid` for one that is empty, too long or not ASCII.
pub(crate) fn key_of(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(KEY_HEADER) else { return Ok(None) };
    let fits = |text: &&str| (1..=KEY_BYTES_MAX).contains(&text.len());
    match value.to_str().ok().filter(fits) {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(ApiError::new(
            Kind::Invalid,
            "idempotency_key",
            format!("an idempotency key is 1 to {KEY_BYTES_MAX} ASCII characters"),
        )),
    }
}

/// Carries a request with a key out once, and answers its repeats.
pub(crate) async fn once(
    State(keys): State<Arc<Keys>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(keeps) = keeps(&request) else { return next.run(request).await };
    let keyed = match keyed(&mut request).await {
        Ok(Some(keyed)) => keyed,
        Ok(None) => return next.run(request).await,
        Err(error) => return error.into_response(),
    };
    loop {
        match keys.begin(&keyed) {
            Begun::Other => return other().into_response(),
            Begun::First(turn) => {
                // On a task of its own: it is to end and to be noted, whoever still listens.
                let work = tokio::spawn(turn.carry_out(keyed, keeps, request, next));
                return work.await.unwrap_or_else(|e| ApiError::internal(e).into_response());
            }
            Begun::Known(mut answer) => {
                if let Ok(answer) = answer.wait_for(Option::is_some).await {
                    return answer.clone().map_or_else(|| unknown().into_response(), Answer::again);
                }
                // It was refused; what it asked for may be asked again.
            }
        }
    }
}

fn keeps(request: &Request) -> Option<Keeps> {
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    let making =
        MAKING.iter().find(|(known, _)| *known == path && *request.method() == Method::POST);
    making.map(|(_, keeps)| *keeps)
}

/// Reads the body, whose hash tells requests apart, and puts it back.
async fn keyed(request: &mut Request) -> Result<Option<Keyed>, ApiError> {
    let Some(key) = key_of(request.headers())? else { return Ok(None) };
    let Some(caller) = request.extensions().get::<Caller>() else { return Ok(None) };
    let caller = caller.id.clone();
    let body = std::mem::take(request.body_mut());
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| too_large())?;
    let mut hasher = blake3::Hasher::new();
    let asked = request.uri().path_and_query().map_or("", |asked| asked.as_str());
    hasher.update(&(asked.len() as u64).to_le_bytes());
    hasher.update(asked.as_bytes());
    hasher.update(&body);
    *request.body_mut() = Body::from(body);
    Ok(Some(Keyed { caller, key, digest: hasher.finalize().to_hex().to_string() }))
}

fn other() -> ApiError {
    let text = "this idempotency key belongs to another request; send this one with its own";
    ApiError::new(Kind::Reused, "idempotency_key_reused", text)
}

/// The process ended in the middle of it, or it died.
fn unknown() -> ApiError {
    let text = "a request with this key was begun, and nobody knows whether it was carried out; \
                look for what it makes, and send it with another key where that is not there";
    ApiError::new(Kind::Conflict, "idempotency_outcome_unknown", text)
}

fn gone() -> ApiError {
    let text = "a request with this key was carried out; its answer held a secret and was not kept \
                over the restart since";
    ApiError::new(Kind::Conflict, "idempotency_answer_gone", text)
}

/// An answer that is given again.
#[derive(Clone)]
struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    fn again(self) -> Response {
        let mut response = (self.status, self.body.clone()).into_response();
        if self.body.is_empty() {
            response.headers_mut().remove(header::CONTENT_TYPE);
        } else {
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        response
    }
}

/// The keys of this process.
pub(crate) struct Keys {
    store: Arc<dyn Repeats>,
    known: Mutex<HashMap<(String, String), Entry>>,
}

struct Entry {
    digest: String,
    began: Instant,
    answer: Receiver<Option<Answer>>,
}

impl Entry {
    /// Bytes of its answer; `None` while there is none.
    fn answered(&self) -> Option<usize> {
        self.answer.borrow().as_ref().map(|answer| answer.body.len())
    }
}

enum Begun {
    /// Nobody has used the key.
    First(Turn),
    /// The same request is known; it may still be carried out.
    Known(Receiver<Option<Answer>>),
    /// Another request is.
    Other,
}

/// A request that is carried out. Dropped without an answer, it leaves its key free.
struct Turn {
    keys: Arc<Keys>,
    at: (String, String),
    answer: Sender<Option<Answer>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.answer.borrow().is_none() {
            self.keys.known().remove(&self.at);
        }
    }
}

impl Keys {
    pub(crate) fn new(store: Arc<dyn Repeats>) -> Arc<Self> {
        Arc::new(Self { store, known: Mutex::default() })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<(String, String), Entry>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>, keyed: &Keyed) -> Begun {
        let at = (keyed.caller.clone(), keyed.key.clone());
        let mut known = self.known();
        known.retain(|_, one| one.began.elapsed() < AGE_MAX || one.answered().is_none());
        match known.get(&at) {
            Some(one) if one.digest != keyed.digest => return Begun::Other,
            Some(one) => return Begun::Known(one.answer.clone()),
            None => {}
        }
        make_room(&mut known, &keyed.caller);
        let (sender, answer) = watch::channel(None);
        let (digest, began) = (keyed.digest.clone(), Instant::now());
        known.insert(at.clone(), Entry { digest, began, answer });
        Begun::First(Turn { keys: Arc::clone(self), at, answer: sender })
    }
}

/// Forgets what is beyond the limits, the oldest answers first, so that one more has room.
fn make_room(known: &mut HashMap<(String, String), Entry>, caller: &str) {
    let size = |at: &(String, String), one: &Entry| {
        at.0.len() + at.1.len() + BYTES_OF_ENTRY + one.answered().unwrap_or(0)
    };
    let mut own = known.keys().filter(|(owner, _)| owner == caller).count();
    let mut bytes: usize = known.iter().map(|(at, one)| size(at, one)).sum();
    while own >= KEYS_OF_CALLER_MAX || bytes > BYTES_MAX {
        let of_own = own >= KEYS_OF_CALLER_MAX;
        let old = known
            .iter()
            .filter(|((owner, _), one)| one.answered().is_some() && (!of_own || owner == caller))
            .min_by_key(|(_, one)| one.began)
            .map(|(at, one)| (at.clone(), size(at, one)));
        let Some((at, freed)) = old else { return };
        known.remove(&at);
        bytes -= freed;
        own -= usize::from(at.0 == caller);
    }
}

impl Turn {
    async fn carry_out(self, keyed: Keyed, keeps: Keeps, request: Request, next: Next) -> Response {
        let done = match keeps {
            Keeps::Process => self.run(request, next).await,
            Keeps::Store => self.run_noted(keyed, true, request, next).await,
            Keeps::StoreWithoutAnswer => self.run_noted(keyed, false, request, next).await,
        };
        done.unwrap_or_else(IntoResponse::into_response)
    }

    /// Lets the route answer, and keeps the answer where it made something.
    async fn run(&self, request: Request, next: Next) -> Result<Response, ApiError> {
        let (parts, body) = next.run(request).await.into_parts();
        // These routes answer with what is in memory already.
        let body = to_bytes(body, usize::MAX).await.map_err(ApiError::internal)?;
        if parts.status.is_success() {
            self.answer.send_replace(Some(Answer { status: parts.status, body: body.clone() }));
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    /// The same with the request noted in the store before, and its answer after it.
    async fn run_noted(
        &self,
        keyed: Keyed,
        with_answer: bool,
        request: Request,
        next: Next,
    ) -> Result<Response, ApiError> {
        let (store, noted) = (Arc::clone(&self.keys.store), keyed.clone());
        if let Some(earlier) = blocking(move || store.begin_keyed(&noted)).await? {
            return self.earlier(&keyed, earlier);
        }
        let response = self.run(request, next).await;
        let answer = self.answer.borrow().clone();
        let store = Arc::clone(&self.keys.store);
        let noted = blocking(move || match answer {
            None => store.forget_keyed(&keyed),
            Some(answer) => {
                let body = std::str::from_utf8(&answer.body).ok().filter(|_| with_answer);
                store.end_keyed(&keyed, answer.status.as_u16(), body)
            }
        });
        if let Err(error) = noted.await {
            // It was made, or refused: a repeat after a restart is told that nobody knows.
            tracing::error!(%error, internal = error.internal, "an answer is not kept");
        }
        response
    }

    /// Answers a repeat of a request that another process carried out.
    fn earlier(&self, keyed: &Keyed, earlier: Earlier) -> Result<Response, ApiError> {
        if earlier.digest != keyed.digest {
            return Err(other());
        }
        let status = earlier.status.and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.ok_or_else(unknown)?;
        let body = Bytes::from(earlier.body.ok_or_else(gone)?);
        let answer = Answer { status, body };
        self.answer.send_replace(Some(answer.clone()));
        Ok(answer.again())
    }
}
