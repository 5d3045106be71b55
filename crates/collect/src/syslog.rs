//! Syslog over TCP: one task a connection, back-pressure by not reading.

use crate::frame::Framer;
use crate::intake::{FeedContext, Group, Intake, IntakeError, stream_id};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use yagura_journal::JournalError;

/// Most connections at a time; further ones wait in the listener's backlog.
pub const CONNECTIONS_MAX: usize = 1_024;

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;

/// Accepts connections until `stop` turns true.
///
/// # Errors
/// None: a connection that fails is logged and closed, the listener goes on.
pub async fn serve_tcp(
    listener: TcpListener,
    intake: Arc<Intake>,
    feed: FeedContext,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        match accepted {
            Ok((socket, peer)) => {
                let (intake, feed, stop) = (Arc::clone(&intake), feed.clone(), stop.clone());
                tokio::spawn(async move {
                    if let Err(error) = connection(socket, peer, &intake, &feed, stop).await {
                        tracing::warn!(%peer, %error, "syslog connection closed");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "syslog accept failed");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(
    mut socket: TcpStream,
    peer: SocketAddr,
    intake: &Intake,
    feed: &FeedContext,
    mut stop: watch::Receiver<bool>,
) -> Result<(), IntakeError> {
    let peer_text = peer.ip().to_string();
    let mut framer = Framer::default();
    let mut buffer = vec![0u8; READ_BYTES];
    let mut position = 0u64;
    let mut told_full = false;
    loop {
        let read = tokio::select! {
            read = socket.read(&mut buffer) => read.unwrap_or(0),
            _ = stop.changed() => 0,
        };
        let mut group = Group::new(feed, &peer_text);
        let mut failed = None;
        let mut take = |frame: &[u8]| {
            position += 1;
            let stream = stream_id(&[peer_text.as_bytes(), host_of(frame)]);
            if let Err(error) = group.push(stream, position, frame) {
                failed.get_or_insert(error);
            }
        };
        if read > 0 {
            framer.push(&buffer[..read], &mut take);
        } else if let Some(rest) = framer.finish() {
            take(&rest);
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if !group.is_empty() {
            // While this waits nothing is read, and the sender's own queue holds the rest.
            let mut waits = |error: &JournalError| {
                if !std::mem::replace(&mut told_full, true) {
                    tracing::warn!(peer = %peer_text, %error, "syslog over TCP waits");
                }
            };
            let stopping = || *stop.borrow();
            if intake.submit_waiting(group, &stopping, &mut waits).await?.is_none() {
                return Ok(());
            }
            told_full = false;
        }
        if read == 0 {
            return Ok(());
        }
    }
}

/// The HOSTNAME of a syslog header (RFC 5424 or RFC 3164), empty where none is found; it
/// only tells streams apart, parsing reads the header again.
pub fn host_of(frame: &[u8]) -> &[u8] {
    let Some(rest) = frame.strip_prefix(b"<") else { return b"" };
    let Some(end) = rest.iter().take(4).position(|b| *b == b'>') else { return b"" };
    let rest = &rest[end + 1..];
    let skip = if rest.starts_with(b"1 ") { 2 } else { 3 };
    rest.split(|b| *b == b' ').filter(|part| !part.is_empty()).nth(skip).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_both_header_forms() {
        assert_eq!(host_of(b"<34>1 2026-01-02T03:04:05Z web1 app - - - hi"), b"web1");
        assert_eq!(host_of(b"<34>Jan  2 03:04:05 web2 app: hi"), b"web2");
        assert_eq!(host_of(b"no header"), b"");
        assert_eq!(host_of(b"<34>"), b"");
    }
}
