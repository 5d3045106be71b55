//! How people browse: a page, its files, the next page; programs call their services between.

use super::Scene;
use crate::generate::world::{Asset, Desk, Site};
use crate::rng::Rng;

/// Visits going on at once at one proxy. Their requests interleave as real ones do.
const VISITS: usize = 3;

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Whose.
    pub desk: &'a Desk,
    /// Where to.
    pub site: &'a Site,
    /// Of the site's hosts, which.
    pub host: &'a str,
    /// What for.
    pub what: What<'a>,
    /// The page from which it was made; none for the first.
    pub from: Option<&'a str>,
    /// Whether the site is reached without TLS.
    pub plain: bool,
}

/// What a request is for.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// A tunnel through the proxy.
    Tunnel,
    /// A page.
    Page(&'a str),
    /// A file of the page.
    File(&'a Asset),
    /// A program's own call, as a tunnel.
    Service(&'static str),
}

#[derive(Clone, Copy, Debug, Default)]
struct Visit {
    desk: u16,
    site: u16,
    page: u8,
    /// The page before, plus one; 0 for none.
    before: u8,
    stage: Stage,
    files: u8,
    pages: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    Tunnel,
    Page,
    FilesTunnel,
    Files,
}

/// The visits at one proxy.
#[derive(Clone, Debug, Default)]
pub struct Visits([Visit; VISITS]);

impl Visits {
    /// The next request of any visit.
    pub fn next<'a>(&mut self, scene: &Scene<'a>, rng: &mut Rng) -> Request<'a> {
        // The first visit moves most, so that a page's requests stand together.
        let slot = [0, 0, 0, 0, 0, 1, 1, 2][rng.below(8) as usize];
        let visit = &mut self.0[slot];
        if visit.stage == Stage::Idle {
            begin(visit, scene, rng);
        }
        let desk = &scene.tenant.desks[usize::from(visit.desk)];
        let site = &scene.world.sites[usize::from(visit.site)];
        let plain = visit.site.is_multiple_of(16) && site.service.is_none();
        let page = site.pages[usize::from(visit.page) % site.pages.len()].as_str();
        let request = |what, host, from| Request { desk, site, host, what, from, plain };
        if let Some(agent) = site.service {
            visit.stage = Stage::Idle;
            return request(What::Service(agent), &site.host, None);
        }
        match visit.stage {
            Stage::Idle | Stage::Tunnel => {
                visit.stage = Stage::Page;
                request(What::Tunnel, &site.host, None)
            }
            Stage::Page => {
                visit.files = 1 + rng.below(7) as u8;
                let twice = plain || site.files_host == site.host || visit.before > 0;
                visit.stage = if twice { Stage::Files } else { Stage::FilesTunnel };
                let from =
                    visit.before.checked_sub(1).map(|page| site.pages[page as usize].as_str());
                request(What::Page(page), &site.host, from)
            }
            Stage::FilesTunnel => {
                visit.stage = Stage::Files;
                request(What::Tunnel, &site.files_host, None)
            }
            Stage::Files => {
                let asset = &site.assets[usize::from(visit.files) % site.assets.len()];
                visit.files -= 1;
                if visit.files == 0 {
                    turn(visit, site, rng);
                }
                let host = if asset.bytes < 2_000 { &site.host } else { &site.files_host };
                request(What::File(asset), host, Some(page))
            }
        }
    }
}

fn begin(visit: &mut Visit, scene: &Scene<'_>, rng: &mut Rng) {
    let site = scene.world.site(rng);
    let plain = site.is_multiple_of(16);
    *visit = Visit {
        desk: scene.tenant.desk_popularity.pick(rng) as u16,
        site: site as u16,
        page: 0,
        before: 0,
        stage: if plain { Stage::Page } else { Stage::Tunnel },
        files: 0,
        pages: 1 + rng.below(5) as u8,
    };
}

/// On to the next page, or away.
fn turn(visit: &mut Visit, site: &Site, rng: &mut Rng) {
    visit.pages -= 1;
    if visit.pages == 0 {
        visit.stage = Stage::Idle;
        return;
    }
    visit.before = visit.page + 1;
    visit.page = rng.below(site.pages.len() as u32) as u8;
    visit.stage = Stage::Page;
}
