//! Repeats over real connections: answered again, waited for, refused, and forgotten beyond limits.

#![allow(clippy::unwrap_used)]
use super::*;
use axum::Router;
use axum::routing::post;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// A store that knows what it is told to know.
#[derive(Default)]
struct Store {
    earlier: Mutex<Option<Earlier>>,
    ended: Mutex<Vec<(u16, Option<String>)>>,
    forgotten: AtomicUsize,
}

impl Repeats for Store {
    fn begin_keyed(&self, request: &Keyed) -> Result<Option<Earlier>, ApiError> {
        let known = self.earlier.lock().unwrap().clone();
        // An empty digest is that of whatever is asked for.
        Ok(known.map(|known| match known.digest.is_empty() {
            true => Earlier { digest: request.digest.clone(), ..known },
            false => known,
        }))
    }

    fn end_keyed(&self, _: &Keyed, status: u16, body: Option<&str>) -> Result<(), ApiError> {
        self.ended.lock().unwrap().push((status, body.map(str::to_owned)));
        Ok(())
    }

    fn forget_keyed(&self, _: &Keyed) -> Result<(), ApiError> {
        self.forgotten.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// A server whose routes count what they make. Each waits for a permit of `may`.
struct Server {
    at: std::net::SocketAddr,
    store: Arc<Store>,
    may: Arc<Semaphore>,
    made: Arc<AtomicUsize>,
}

impl Server {
    async fn new(store: Store) -> Self {
        let (store, may, made) = (Arc::new(store), Arc::new(Semaphore::new(0)), Arc::default());
        let (permits, count): (_, Arc<AtomicUsize>) = (Arc::clone(&may), Arc::clone(&made));
        let make = move |body: String| async move {
            permits.acquire().await.unwrap().forget();
            if body == "refuse" {
                return Err(ApiError::new(Kind::TooMany, "queries_busy", "not now"));
            }
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            Ok((StatusCode::CREATED, axum::Json(number)))
        };
        let owner = |mut request: Request, next: Next| async move {
            let id = request.headers().get("caller").map(|name| name.to_str().unwrap().to_owned());
            let id = id.unwrap_or_else(|| "owner".to_owned());
            request.extensions_mut().insert(Caller { id, ..Caller::owner() });
            next.run(request).await
        };
        let keys = Keys::new(Arc::clone(&store) as Arc<dyn Repeats>);
        let router: Router = Router::new()
            .route("/api/v1/searches", post(make.clone()))
            .route("/api/v1/tokens", post(make.clone()))
            .route("/api/v1/saved-searches", post(make.clone()))
            .route("/api/v1/search", post(make))
            .route_layer(axum::middleware::from_fn_with_state(keys, once))
            .route_layer(axum::middleware::from_fn(owner));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { at, store, may, made }
    }

    /// Sends a request and says nothing of its answer.
    async fn send(&self, path: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.at).await.unwrap();
        let length = body.len();
        let text = format!(
            "POST /api/v1/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// Status and body of the answer.
    async fn ask(&self, path: &str, headers: &str, body: &str) -> (u16, String) {
        answer(self.send(path, headers, body).await).await
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }
}

async fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    (text[9..12].parse().unwrap(), body.to_owned())
}

fn code((status, body): &(u16, String)) -> (u16, String) {
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    (*status, problem["code"].as_str().unwrap().to_owned())
}

const KEY: &str = "idempotency-key: k\r\n";

fn made(number: usize) -> (u16, String) {
    (201, number.to_string())
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_another_request_is_refused() {
    let server = Server::new(Store::default()).await;
    server.may.add_permits(100);
    assert_eq!(server.ask("searches", KEY, "a").await, made(1));
    assert_eq!(server.ask("searches", KEY, "a").await, made(1));
    let reused = (422, "idempotency_key_reused".to_owned());
    for (path, body) in [("searches", "b"), ("searches?tenant=x", "a"), ("tokens", "a")] {
        assert_eq!(code(&server.ask(path, KEY, body).await), reused, "{path} {body}");
    }
    // Another caller's key, no key, and a route that makes nothing.
    assert_eq!(server.ask("searches", "idempotency-key: k\r\ncaller: b\r\n", "a").await, made(2));
    assert_eq!(server.ask("searches", "", "a").await, made(3));
    assert_eq!(server.ask("search", KEY, "b").await, made(4));
    assert_eq!(server.ask("search", KEY, "b").await, made(5));
    let long = format!("idempotency-key: {}\r\n", "k".repeat(KEY_BYTES_MAX + 1));
    let refused = code(&server.ask("searches", &long, "a").await);
    assert_eq!(refused, (400, "idempotency_key".to_owned()));
    let longest = format!("idempotency-key: {}\r\n", "k".repeat(KEY_BYTES_MAX));
    assert_eq!(server.ask("searches", &longest, "a").await, made(6));
    assert!(server.store.ended.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let server = Server::new(Store::default()).await;
    server.may.add_permits(100);
    for path in ["searches", "tokens"] {
        let refused = code(&server.ask(path, KEY, "refuse").await);
        assert_eq!(refused, (429, "queries_busy".to_owned()));
    }
    assert_eq!(server.store.forgotten.load(Ordering::Relaxed), 1);
    assert_eq!(server.ask("searches", KEY, "a").await, made(1));
}

#[tokio::test]
async fn a_request_goes_on_without_its_connection_and_repeats_wait_for_it() {
    let server = Server::new(Store::default()).await;
    let lost = server.send("searches", KEY, "a").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(lost);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let again = server.send("searches", KEY, "a").await;
    let third = server.send("searches", KEY, "a").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.made(), 0);
    server.may.add_permits(100);
    assert_eq!(answer(again).await, made(1));
    assert_eq!(answer(third).await, made(1));
    assert_eq!(server.made(), 1);
}

#[tokio::test]
async fn what_outlives_the_process_is_noted_and_a_secret_is_not() {
    let server = Server::new(Store::default()).await;
    server.may.add_permits(100);
    assert_eq!(server.ask("saved-searches", KEY, "a").await, made(1));
    assert_eq!(server.ask("tokens", "idempotency-key: t\r\n", "a").await, made(2));
    assert_eq!(server.ask("tokens", "idempotency-key: t\r\n", "a").await, made(2));
    let ended = server.store.ended.lock().unwrap().clone();
    assert_eq!(ended, [(201, Some("1".to_owned())), (201, None)]);
}

#[tokio::test]
async fn after_a_restart_the_answer_is_given_again_or_why_it_cannot_be() {
    let known = |digest: &str, status, body: Option<&str>| {
        let (digest, body) = (digest.to_owned(), body.map(str::to_owned));
        Store { earlier: Mutex::new(Some(Earlier { digest, status, body })), ..Store::default() }
    };
    let server = Server::new(known("", Some(201), Some("7"))).await;
    assert_eq!(server.ask("saved-searches", KEY, "a").await, made(7));
    for (store, wanted) in [
        (known("", Some(201), None), (409, "idempotency_answer_gone")),
        (known("", None, None), (409, "idempotency_outcome_unknown")),
        (known("other", Some(201), Some("7")), (422, "idempotency_key_reused")),
    ] {
        let server = Server::new(store).await;
        let refused = code(&server.ask("tokens", KEY, "a").await);
        assert_eq!((refused.0, refused.1.as_str()), wanted);
        assert_eq!(server.made(), 0);
    }
}

#[test]
fn the_oldest_answers_are_forgotten_beyond_the_limits() {
    let keys = Keys::new(Arc::new(Store::default()) as Arc<dyn Repeats>);
    let keyed = |caller: &str, key: usize| {
        let (caller, digest) = (caller.to_owned(), String::new());
        Keyed { caller, key: key.to_string(), digest }
    };
    let first = |caller: &str, key: usize, bytes: usize| match keys.begin(&keyed(caller, key)) {
        Begun::First(turn) => {
            let body = Bytes::from(vec![b'x'; bytes]);
            turn.answer.send_replace(Some(Answer { status: StatusCode::OK, body }));
            true
        }
        Begun::Known(_) | Begun::Other => false,
    };
    assert!(first("b", 0, 1));
    assert!((0..KEYS_OF_CALLER_MAX).all(|key| first("a", key, 1)));
    assert!(!first("a", 0, 1) && first("a", KEYS_OF_CALLER_MAX, 1));
    // The oldest of the caller's made room, and nobody else's.
    assert!(!first("b", 0, 1) && !first("a", 1, 1) && first("a", 0, 1));
    for key in 1..=40 {
        assert!(first("b", key, 1024 * 1024));
    }
    let bytes: usize = keys.known().values().filter_map(Entry::answered).sum();
    assert!((BYTES_MAX - 4 * 1024 * 1024..=BYTES_MAX + 1024 * 1024).contains(&bytes), "{bytes}");
    assert!(first("b", 1, 1) && !first("b", 40, 1));
}
