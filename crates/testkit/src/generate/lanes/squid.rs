//! Squid's native access log.

use super::Scene;
use super::browse::{Visits, What};
use crate::generate::text::Put;
use crate::rng::Rng;

/// The proxy's memory.
#[derive(Clone, Debug, Default)]
pub struct Squid {
    visits: Visits,
}

/// One line's fields.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Milliseconds that the request took.
    pub elapsed: u32,
    /// Client's address.
    pub client: u32,
    /// Squid's result, such as `TCP_MISS`.
    pub result: &'a str,
    /// Status.
    pub status: u16,
    /// Bytes to the client.
    pub bytes: u32,
    /// Method.
    pub method: &'a str,
    /// `http://`, `https://` or nothing.
    pub scheme: &'a str,
    /// Host.
    pub host: &'a str,
    /// Path, or the port with its colon.
    pub path: &'a str,
    /// What follows the path, in hexadecimal, where each request has its own.
    pub token: Option<u64>,
    /// Account.
    pub user: Option<&'a str>,
    /// Where it was fetched from; none for the cache.
    pub peer: Option<u32>,
    /// Media type.
    pub media: &'a str,
}

impl Squid {
    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        let request = self.visits.next(scene, rng);
        let mut access = Access {
            elapsed: rng.size(220),
            client: request.desk.ip,
            result: "TCP_MISS",
            status: 200,
            bytes: 0,
            method: "GET",
            scheme: if request.plain { "http://" } else { "https://" },
            host: request.host,
            path: "/",
            token: None,
            user: Some(&request.desk.user),
            peer: Some(request.site.ip),
            media: "text/html",
        };
        match request.what {
            What::Tunnel | What::Service(_) => {
                (access.method, access.scheme, access.path) = ("CONNECT", "", ":443");
                (access.result, access.media) = ("TCP_TUNNEL", "-");
                (access.bytes, access.elapsed) = (rng.size(6_000), rng.size(12_000));
                if matches!(request.what, What::Service(_)) {
                    access.user = None;
                }
                if rng.chance(8) {
                    (access.result, access.status) = ("TCP_DENIED", 407);
                    (access.user, access.peer, access.elapsed) = (None, None, rng.below(6));
                    (access.bytes, access.media) = (3_900 + rng.below(300), "text/html");
                }
            }
            What::Page(path) => (access.path, access.bytes) = (path, rng.size(30_000)),
            What::File(asset) => {
                access.path = &asset.path;
                (access.media, access.bytes) =
                    (asset.media, asset.bytes + rng.below(asset.bytes / 64 + 1));
                match rng.below(10) {
                    0..=2 => {
                        (access.result, access.peer) = ("TCP_MEM_HIT", None);
                        access.elapsed = rng.below(4);
                    }
                    // Counters and previews: no two requests for the same.
                    4..=5 => {
                        (access.path, access.token) = ("/t/v2/", Some(rng.bits()));
                        (access.media, access.bytes) = ("image/gif", 43 + rng.below(900));
                    }
                    3 => {
                        (access.result, access.status) = ("TCP_REFRESH_UNMODIFIED", 304);
                        access.bytes = 300 + rng.below(200);
                    }
                    _ => {}
                }
            }
        }
        line(scene, &access, out);
    }
}

/// A line of the access log.
pub fn line(scene: &Scene<'_>, access: &Access<'_>, out: &mut Vec<u8>) {
    scene.stamp.epoch(out);
    out.push(b'.');
    scene.stamp.fraction(out, 3);
    out.push(b' ');
    // The column is six wide, filled with spaces.
    let from = out.len();
    out.number(u64::from(access.elapsed));
    let width = out.len() - from;
    if width < 6 {
        out.extend_from_slice(&b"      "[width..]);
        out[from..].rotate_right(6 - width);
    }
    out.push(b' ');
    out.ip(access.client);
    out.push(b' ');
    out.text(access.result);
    out.push(b'/');
    out.number(u64::from(access.status));
    out.push(b' ');
    out.number(u64::from(access.bytes));
    for part in [" ", access.method, " ", access.scheme, access.host, access.path] {
        out.text(part);
    }
    if let Some(token) = access.token {
        out.hex(token, 16);
    }
    out.push(b' ');
    out.text(access.user.unwrap_or("-"));
    match access.peer {
        Some(ip) => {
            out.text(" HIER_DIRECT/");
            out.ip(ip);
        }
        None => out.text(" HIER_NONE/-"),
    }
    out.push(b' ');
    out.text(access.media);
}
