//! Forward proxy: the combined form with `key=value` extensions.

use super::Scene;
use super::browse::{Visits, What};
use crate::generate::text::Put;
use crate::rng::Rng;

/// The proxy's memory.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    visits: Visits,
}

/// One line's fields.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Client's address.
    pub client: u32,
    /// Account, without the realm.
    pub user: Option<&'a str>,
    /// Method.
    pub method: &'a str,
    /// `https://`, `http://`, or nothing for a tunnel.
    pub scheme: &'a str,
    /// Host.
    pub host: &'a str,
    /// Path, or the port with its colon for a tunnel.
    pub path: &'a str,
    /// Status.
    pub status: u16,
    /// Bytes to the client.
    pub received: u32,
    /// Bytes from the client.
    pub sent: u32,
    /// Page from which the request was made, on `host` or another.
    pub from: Option<(&'a str, &'a str)>,
    /// Program.
    pub agent: &'a str,
    /// What the proxy did.
    pub action: &'a str,
}

impl Proxy {
    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        let request = self.visits.next(scene, rng);
        let scheme = if request.plain { "http://" } else { "https://" };
        let user = (!rng.chance(18)).then_some(request.desk.user.as_str());
        let mut access = Access {
            client: request.desk.ip,
            user,
            method: "GET",
            scheme,
            host: request.host,
            path: "/",
            status: 200,
            received: 0,
            sent: 90 + rng.size(280),
            from: request.from.map(|page| (request.site.host.as_str(), page)),
            agent: request.desk.agent,
            action: if request.plain { "forward" } else { "ssl-inspect ssl_bump=bump" },
        };
        match request.what {
            What::Tunnel | What::Service(_) => {
                (access.method, access.scheme, access.path) = ("CONNECT", "", ":443");
                access.received = 88 + rng.below(170);
                access.action = "tunnel-setup ssl_bump=peek";
                if let What::Service(agent) = request.what {
                    (access.agent, access.user, access.action) = (agent, None, "tunnel");
                }
                if rng.chance(6) {
                    (access.status, access.received) = (407, 500 + rng.below(1_400));
                    (access.user, access.action) = (None, "auth-required ssl_bump=terminate");
                }
            }
            What::Page(path) => {
                (access.path, access.received) = (path, rng.size(34_000));
                if rng.chance(3) {
                    access.method = "POST";
                }
            }
            What::File(asset) => {
                access.path = &asset.path;
                // The same file has nearly the same size each time.
                access.received = asset.bytes + rng.below(asset.bytes / 64 + 1);
                if rng.chance(14) {
                    (access.status, access.received) = (304, 80 + rng.below(220));
                }
            }
        }
        line(scene, &access, out);
    }
}

/// A line of the access log.
pub fn line(scene: &Scene<'_>, access: &Access<'_>, out: &mut Vec<u8>) {
    out.ip(access.client);
    out.text(" - ");
    match access.user {
        Some(user) => {
            out.text(&scene.tenant.realm);
            out.push(b'\\');
            out.text(user);
        }
        None => out.push(b'-'),
    }
    out.text(" [");
    scene.stamp.access(out);
    out.text("] \"");
    out.text(access.method);
    out.push(b' ');
    out.text(access.scheme);
    out.text(access.host);
    out.text(access.path);
    out.text(" HTTP/1.1\" ");
    out.number(u64::from(access.status));
    out.push(b' ');
    out.number(u64::from(access.received));
    out.text(" \"");
    match access.from {
        Some((host, page)) => {
            out.text(access.scheme);
            out.text(host);
            out.text(page);
        }
        None => out.push(b'-'),
    }
    out.text("\" \"");
    out.text(access.agent);
    out.text("\" \"cs_bytes=");
    out.number(u64::from(access.sent));
    out.text(" sc_bytes=");
    out.number(u64::from(access.received));
    out.text(" proxy_action=");
    out.text(access.action);
    out.push(b'"');
}
