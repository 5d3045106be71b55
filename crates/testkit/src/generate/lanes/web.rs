//! Apache and nginx: the combined form, at the tenant's web server.

use super::Scene;
use crate::generate::text::Put;
use crate::generate::world::Client;
use crate::rng::Rng;

/// Visits going on at once.
const VISITS: usize = 3;

#[derive(Clone, Copy, Debug, Default)]
struct Visit {
    client: Option<Client>,
    page: usize,
    /// The page before, plus one; 0 for none.
    before: usize,
    files: u32,
    file: usize,
    pages: u32,
}

/// The server's memory.
#[derive(Clone, Debug, Default)]
pub struct Web {
    visits: [Visit; VISITS],
}

/// One line's fields.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Client's address.
    pub client: u32,
    /// Method and path.
    pub method: &'a str,
    /// Path with its query.
    pub path: &'a str,
    /// Status.
    pub status: u16,
    /// Bytes; none is written as `-`.
    pub bytes: Option<u32>,
    /// Page of the site from which the request was made.
    pub from: Option<&'a str>,
    /// Program.
    pub agent: &'a str,
}

/// What bots ask for that is not there.
const PROBES: [&str; 12] = [
    "/wp-login.php",
    "/.env",
    "/xmlrpc.php",
    "/robots.txt",
    "/sitemap.xml",
    "/phpinfo.php",
    "/.git/config",
    "/admin/",
    "/server-status",
    "/api/v1/status",
    "/cgi-bin/",
    "/backup.zip",
];

impl Web {
    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        let site = &scene.tenant.site;
        if rng.chance(9) {
            let client = scene.world.client(rng);
            let path = *rng.pick(&PROBES);
            let (status, bytes) =
                if rng.chance(75) { (404, 196) } else { (301, 162 + rng.below(280)) };
            let access = Access {
                client: client.ip,
                method: "GET",
                path,
                status,
                bytes: Some(bytes),
                from: None,
                agent: client.agent,
            };
            return line(scene, &access, out);
        }
        let visit = &mut self.visits[[0, 0, 0, 0, 0, 1, 1, 2][rng.below(8) as usize]];
        let client = match visit.client {
            Some(client) => client,
            None => begin(visit, scene, rng),
        };
        let page = site.pages[visit.page].as_str();
        let mut access = Access {
            client: client.ip,
            method: "GET",
            path: page,
            status: 200,
            bytes: Some(rng.size(30_000)),
            from: visit.before.checked_sub(1).map(|before| site.pages[before].as_str()),
            agent: client.agent,
        };
        if visit.files == 0 {
            visit.files = 1 + rng.below(6);
            if rng.chance(4) {
                access.method = "POST";
            }
        } else {
            let asset = &site.assets[visit.file];
            visit.file = (visit.file + 1 + rng.below(3) as usize) % site.assets.len();
            (access.path, access.from) = (&asset.path, Some(page));
            access.bytes = Some(asset.bytes + rng.below(asset.bytes / 2));
            match rng.below(20) {
                0..=2 => (access.status, access.bytes) = (304, None),
                3 => access.status = 206,
                _ => {}
            }
            visit.files -= 1;
            if visit.files == 0 {
                turn(visit, site.pages.len(), rng);
            }
        }
        line(scene, &access, out);
    }
}

fn begin(visit: &mut Visit, scene: &Scene<'_>, rng: &mut Rng) -> Client {
    let client = scene.world.client(rng);
    let pages = 1 + rng.below(5);
    let file = rng.below(6) as usize;
    *visit = Visit { client: Some(client), page: 0, before: 0, files: 0, file, pages };
    client
}

fn turn(visit: &mut Visit, pages: usize, rng: &mut Rng) {
    visit.pages -= 1;
    if visit.pages == 0 {
        visit.client = None;
        return;
    }
    visit.before = visit.page + 1;
    visit.page = rng.below(pages as u32) as usize;
}

/// A line of the access log.
pub fn line(scene: &Scene<'_>, access: &Access<'_>, out: &mut Vec<u8>) {
    out.ip(access.client);
    out.text(" - - [");
    scene.stamp.access(out);
    out.text("] \"");
    out.text(access.method);
    out.push(b' ');
    out.text(access.path);
    out.text(" HTTP/1.1\" ");
    out.number(u64::from(access.status));
    out.push(b' ');
    match access.bytes {
        Some(bytes) => out.number(u64::from(bytes)),
        None => out.push(b'-'),
    }
    out.text(" \"");
    match access.from {
        Some(page) => {
            out.text("https://");
            out.text(&scene.tenant.site.host);
            out.text(page);
        }
        None => out.push(b'-'),
    }
    out.text("\" \"");
    out.text(access.agent);
    out.push(b'"');
}
