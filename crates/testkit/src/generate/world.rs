//! The made-up world: customers with their people, hosts and addresses, and the sites outside.
//!
//! Address plan of tenant n (0 to 49): desks 10.(20+4n).10.0/23, servers 10.(20+4n).20.0/24, DMZ
//! 10.(20+4n).30.0/24, public 198.51.100.(5n+1) to (5n+5). Outside, sites and clients are in
//! 198.18.0.0/15 (RFC 2544); attackers are in 203.0.113.0/24 and nobody else is. No name and no
//! inside address belongs to two tenants.

use super::draw::Zipf;
use super::pools::{BROWSERS, ENDINGS, FIRST, LAST, PATHS, SERVICES, SITE_FIRST, SITE_SECOND};
use crate::rng::Rng;

/// Most tenants: the names in the pool, and the public addresses of the plan.
pub const TENANTS_MAX: usize = 50;

/// Sites that people visit.
const SITES: usize = 140;
/// Addresses outside that come by themselves: visitors, bots, scanners.
const CLIENTS: usize = 3_000;
/// Desks of the largest tenant; the n-th has its share 1 / n of them.
const DESKS_MAX: usize = 220;
/// Desks of the smallest.
const DESKS_MIN: usize = 8;

/// A person's computer.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Computer name, such as `WS-HIN-017`.
    pub host: String,
    /// Address.
    pub ip: u32,
    /// Account of its person.
    pub user: String,
    /// The account's security identifier.
    pub sid: String,
    /// The person's browser.
    pub agent: &'static str,
}

/// A server inside.
#[derive(Clone, Debug)]
pub struct Server {
    /// Computer name, such as `DC-HIN-01`.
    pub host: String,
    /// The same with the domain.
    pub name: String,
    /// Address inside.
    pub ip: u32,
}

/// One file of a site.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Path from the root.
    pub path: String,
    /// Media type.
    pub media: &'static str,
    /// Usual size in bytes.
    pub bytes: u32,
}

/// A web site.
#[derive(Clone, Debug)]
pub struct Site {
    /// Host of its pages.
    pub host: String,
    /// Host of its files; often another.
    pub files_host: String,
    /// Address outside.
    pub ip: u32,
    /// Paths of pages.
    pub pages: Vec<String>,
    /// Its files.
    pub assets: Vec<Asset>,
    /// Program that calls it, where no person does.
    pub service: Option<&'static str>,
}

/// Someone outside who comes by.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Address.
    pub ip: u32,
    /// Program.
    pub agent: &'static str,
}

/// A customer.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Number from 0.
    pub number: usize,
    /// Name, in lower case.
    pub name: &'static str,
    /// Three letters in upper case, part of every host's name.
    pub code: String,
    /// Domain of names and mail.
    pub domain: String,
    /// Windows domain.
    pub realm: String,
    /// People and their computers.
    pub desks: Vec<Desk>,
    /// Who works most.
    pub desk_popularity: Zipf,
    /// Domain controller and resolver.
    pub controller: Server,
    /// File server.
    pub files: Server,
    /// Forward proxy.
    pub proxy: Server,
    /// Web server in the DMZ.
    pub web: Server,
    /// Mail server in the DMZ.
    pub mail: Server,
    /// The vulnerability scanner that is allowed to scan.
    pub scanner: Server,
    /// The administrator's account; the first desk is theirs.
    pub admin: String,
    /// The tenant's web site.
    pub site: Site,
}

impl Tenant {
    /// The n-th public address, 0 to 4: 0 for what goes out, 1 web, 2 mail, 3 remote access.
    pub fn public(&self, n: u32) -> u32 {
        ip(198, 51, 100, 1) + self.number as u32 * 5 + n.min(4)
    }

    /// A desk.
    pub fn desk(&self, rng: &mut Rng) -> &Desk {
        &self.desks[self.desk_popularity.pick(rng)]
    }
}

/// Everything that lines speak of.
#[derive(Clone, Debug)]
pub struct World {
    /// The customers, largest first.
    pub tenants: Vec<Tenant>,
    /// Sites outside, the most visited first.
    pub sites: Vec<Site>,
    site_popularity: Zipf,
    /// Who comes from outside.
    pub clients: Vec<Client>,
    client_popularity: Zipf,
}

impl World {
    /// The world of a seed.
    pub fn new(rng: &mut Rng, tenants: usize) -> Self {
        let tenants = tenants.clamp(1, TENANTS_MAX);
        let mut people = 0;
        let tenants: Vec<Tenant> =
            (0..tenants).map(|number| tenant(rng, number, &mut people)).collect();
        let mut sites: Vec<Site> = (0..SITES).map(|n| site(rng, n)).collect();
        for (n, (host, agent)) in SERVICES.into_iter().enumerate() {
            let ip = ip(198, 18, 200, 10 + n as u8);
            let host = host.to_owned();
            let (files_host, service) = (host.clone(), Some(agent));
            let (pages, assets) = (vec!["/".to_owned()], Vec::new());
            sites.insert(n * 7 + 2, Site { host, files_host, ip, pages, assets, service });
        }
        let clients = (0..CLIENTS).map(|_| client(rng)).collect();
        Self {
            tenants,
            site_popularity: Zipf::new(sites.len(), 3),
            sites,
            clients,
            client_popularity: Zipf::new(CLIENTS, 6),
        }
    }

    /// The number of a site, the popular ones more often.
    pub fn site(&self, rng: &mut Rng) -> usize {
        self.site_popularity.pick(rng)
    }

    /// Someone outside.
    pub fn client(&self, rng: &mut Rng) -> Client {
        self.clients[self.client_popularity.pick(rng)]
    }
}

/// An address of four numbers.
pub const fn ip(a: u8, b: u8, c: u8, d: u8) -> u32 {
    u32::from_be_bytes([a, b, c, d])
}

fn client(rng: &mut Rng) -> Client {
    let bits = rng.bits();
    let agent = BROWSERS[(bits >> 40) as usize % BROWSERS.len()];
    // Below 198.18.200.0 are sites; clients take what is above.
    Client { ip: ip(198, 19, 0, 0) | (bits & 0xffff) as u32, agent }
}

fn site(rng: &mut Rng, n: usize) -> Site {
    // 24 and 25 have no common divisor, so the names of 600 sites differ.
    let (first, second) = (SITE_FIRST[n % 24], SITE_SECOND[(n * 5 + n / 24) % 24]);
    let domain = format!("{first}{second}{}", ENDINGS[n * 3 % 4]);
    let prefix = ["www.", "", "login.", "app.", "www."][rng.below(5) as usize];
    let host = format!("{prefix}{domain}");
    let files_host = if rng.chance(60) { format!("static.{domain}") } else { host.clone() };
    let address = ip(198, 18, rng.below(200) as u8, 1 + rng.below(254) as u8);
    Site {
        files_host,
        ip: address,
        pages: pages(rng, 6),
        assets: assets(rng, 9),
        host,
        service: None,
    }
}

fn pages(rng: &mut Rng, count: usize) -> Vec<String> {
    let mut pages = vec!["/".to_owned()];
    for _ in 1..count {
        let (a, b) = (*rng.pick(&PATHS), *rng.pick(&PATHS));
        pages.push(match rng.below(4) {
            0 => format!("/{a}/{b}"),
            1 => format!("/{a}/{:08x}", rng.bits() as u32),
            2 => format!("/{a}/"),
            _ => format!("/{a}"),
        });
    }
    pages
}

fn assets(rng: &mut Rng, count: usize) -> Vec<Asset> {
    let kinds: [(&str, &str, &str, u32); 6] = [
        ("css/main", "css", "text/css", 17_000),
        ("js/app", "js", "application/javascript", 90_000),
        ("js/vendor", "js", "application/javascript", 160_000),
        ("img/content", "webp", "image/webp", 48_000),
        ("img/photo", "jpg", "image/jpeg", 120_000),
        ("fonts/text", "woff2", "font/woff2", 24_000),
    ];
    let mut assets =
        vec![Asset { path: "/favicon.ico".to_owned(), media: "image/x-icon", bytes: 1_100 }];
    for n in 1..count {
        let (stem, ending, media, bytes) = kinds[(n - 1) % kinds.len()];
        let path = format!("/assets/{stem}.{:08x}.{ending}", rng.bits() as u32);
        assets.push(Asset { path, media, bytes });
    }
    assets
}

fn tenant(rng: &mut Rng, number: usize, people: &mut usize) -> Tenant {
    let name = super::pools::TENANTS[number];
    let code = name[..3].to_uppercase();
    let domain = format!("{name}.example");
    let net = 20 + 4 * number as u8;
    let server = |role: &str, zone: u8, last: u8| Server {
        host: format!("{role}-{code}-01"),
        name: format!("{role}-{code}-01.{domain}"),
        ip: ip(10, net, zone, last),
    };
    let sid = format!("S-1-5-21-{}-{}-{}", rng.bits() as u32, rng.bits() as u32, rng.bits() as u32);
    let count = (DESKS_MAX / (number + 1)).max(DESKS_MIN);
    let desks: Vec<Desk> = (0..count)
        .map(|n| {
            let person = *people + n;
            Desk {
                host: format!("WS-{code}-{:03}", n + 1),
                ip: ip(10, net, 10, 20) + n as u32,
                user: account(person),
                sid: format!("{sid}-{}", 1_100 + n),
                agent: BROWSERS[[0, 0, 1, 0, 1, 4, 0, 2][rng.below(8) as usize]],
            }
        })
        .collect();
    *people += count;
    let site = Site {
        host: format!("www.{domain}"),
        files_host: format!("www.{domain}"),
        ip: ip(198, 51, 100, 2) + number as u32 * 5,
        pages: pages(rng, 14),
        assets: assets(rng, 48),
        service: None,
    };
    Tenant {
        admin: format!("{}-admin", desks[0].user),
        desk_popularity: Zipf::new(count, 4),
        controller: server("DC", 20, 10),
        files: server("FILE", 20, 20),
        proxy: server("PROXY", 20, 30),
        scanner: server("SCAN", 20, 40),
        web: server("WEB", 30, 10),
        mail: server("MX", 30, 25),
        realm: code.clone() + "CORP",
        number,
        name,
        code,
        domain,
        desks,
        site,
    }
}

/// The account of the n-th person of the world; no two are alike below 1,920 people.
fn account(n: usize) -> String {
    let (first, last) = (FIRST[n % FIRST.len()], LAST[(n / FIRST.len() + n) % LAST.len()]);
    if n < FIRST.len() * LAST.len() {
        format!("{first}.{last}")
    } else {
        format!("{first}.{last}{}", n / (FIRST.len() * LAST.len()) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nothing_inside_belongs_to_two_tenants() {
        let world = World::new(&mut Rng::new(5), TENANTS_MAX);
        let (mut names, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        for tenant in &world.tenants {
            let servers = [
                &tenant.controller,
                &tenant.files,
                &tenant.proxy,
                &tenant.web,
                &tenant.mail,
                &tenant.scanner,
            ];
            for server in servers {
                assert!(names.insert(server.host.clone()) && addresses.insert(server.ip));
            }
            for desk in &tenant.desks {
                assert!(names.insert(desk.host.clone()), "{}", desk.host);
                assert!(names.insert(desk.user.clone()), "{}", desk.user);
                assert!(addresses.insert(desk.ip));
            }
            assert!((0..5).all(|n| addresses.insert(tenant.public(n))));
            assert!(names.insert(tenant.domain.clone()) && names.insert(tenant.code.clone()));
        }
        let sites: BTreeSet<&String> = world.sites.iter().map(|site| &site.host).collect();
        assert_eq!(sites.len(), world.sites.len());
        assert!(world.tenants[0].desks.len() > 20 * world.tenants[49].desks.len());
    }
}
