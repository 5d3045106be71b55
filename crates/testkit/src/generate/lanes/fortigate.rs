//! FortiGate: traffic, web filter, intrusion prevention and event logs as key=value.

use super::{Scene, signatures};
use crate::generate::flow::{Flow, Way};
use crate::generate::text::Put;
use crate::generate::world::Tenant;
use crate::rng::Rng;

/// Categories of the web filter.
const CATEGORIES: [(u8, &str); 8] = [
    (52, "Information Technology"),
    (49, "Business"),
    (36, "News and Media"),
    (41, "Search Engines and Portals"),
    (37, "Social Networking"),
    (42, "Shopping"),
    (9, "Advertising"),
    (25, "Streaming Media and Download"),
];

/// The device's memory.
#[derive(Clone, Debug)]
pub struct Fortigate {
    session: u32,
    serial: u32,
}

impl Fortigate {
    /// A device that has been running for a while.
    pub fn new(rng: &mut Rng, _tenant: &Tenant) -> Self {
        Self { session: 10_000_000 + rng.below(80_000_000), serial: rng.below(90_000_000) }
    }

    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        self.session += 1 + rng.below(24);
        match rng.below(100) {
            0..=9 => {
                let mut flow = Flow::unwanted(scene.world, scene.tenant, rng);
                flow.id = self.session;
                traffic(scene, &flow, "deny", out);
            }
            10..=33 => {
                let mut flow = Flow::out(scene.world, scene.tenant, rng);
                flow.id = self.session;
                web_filter(scene, &flow, "passthrough", out);
            }
            34..=35 => {
                let mut flow = Flow::unwanted(scene.world, scene.tenant, rng);
                (flow.id, self.serial) = (self.session, self.serial + 1);
                let signature = signatures::everyday(&mut flow);
                prevention(scene, &flow, signature, self.serial, out);
            }
            36..=38 => self.event(scene, rng, out),
            _ => {
                let mut flow = Flow::draw(scene.world, scene.tenant, rng);
                flow.id = self.session;
                let action =
                    ["close", "close", "close", "accept", "client-rst", "server-rst", "timeout"]
                        [rng.below(7) as usize];
                traffic(scene, &flow, action, out);
            }
        }
    }

    fn event(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        let desk = scene.tenant.desk(rng);
        head(scene, "0102043008", "event", "user", "notice", out);
        out.text(" logdesc=\"Authentication success\" srcip=");
        out.ip(desk.ip);
        out.text(" dstip=");
        out.ip(scene.tenant.proxy.ip);
        out.text(" policyid=12 interface=\"lan\" user=\"");
        out.text(&desk.user);
        out.text("\" group=\"staff\" authproto=\"HTTPS(");
        out.ip(desk.ip);
        out.text(")\" action=\"authentication\" status=\"success\" reason=\"N/A\" msg=\"User ");
        out.text(&desk.user);
        out.text(" succeeded in authentication\"");
    }
}

/// From the priority to the level.
fn head(scene: &Scene<'_>, id: &str, kind: &str, subtype: &str, level: &str, out: &mut Vec<u8>) {
    out.text(match level {
        "alert" => "<185>date=",
        "warning" => "<188>date=",
        _ => "<189>date=",
    });
    scene.stamp.date(out);
    out.text(" time=");
    scene.stamp.clock(out);
    out.text(" devname=\"FG-");
    out.text(&scene.tenant.code);
    out.text("-01\" devid=\"FGT60FTK200000");
    out.padded(scene.tenant.number as u64, 2);
    out.text("\" eventtime=");
    scene.stamp.epoch(out);
    scene.stamp.fraction(out, 6);
    out.padded(scene.stamp.micros() * 7 % 1_000, 3);
    out.text(" tz=\"+0000\" logid=\"");
    out.text(id);
    out.text("\" type=\"");
    out.text(kind);
    out.text("\" subtype=\"");
    out.text(subtype);
    out.text("\" level=\"");
    out.text(level);
    out.text("\" vd=\"root\"");
}

fn interfaces(way: Way) -> [&'static str; 4] {
    match way {
        Way::Out => ["lan", "lan", "wan1", "wan"],
        Way::In => ["wan1", "wan", "dmz", "dmz"],
        Way::Inside => ["dmz", "dmz", "lan", "lan"],
    }
}

/// Both ends, with interfaces and their roles.
fn ends(flow: &Flow, out: &mut Vec<u8>) {
    let [from, from_role, to, to_role] = interfaces(flow.way);
    out.text(" srcip=");
    out.ip(flow.src);
    out.text(" srcport=");
    out.number(u64::from(flow.src_port));
    for (key, value) in [(" srcintf=\"", from), ("\" srcintfrole=\"", from_role)] {
        out.text(key);
        out.text(value);
    }
    out.text("\" dstip=");
    out.ip(flow.dst);
    out.text(" dstport=");
    out.number(u64::from(flow.dst_port));
    for (key, value) in [(" dstintf=\"", to), ("\" dstintfrole=\"", to_role)] {
        out.text(key);
        out.text(value);
    }
    out.push(b'"');
}

fn number(key: &str, value: u64, out: &mut Vec<u8>) {
    out.text(key);
    out.number(value);
}

/// Forwarded or denied traffic.
pub fn traffic(scene: &Scene<'_>, flow: &Flow, action: &str, out: &mut Vec<u8>) {
    let denied = action == "deny";
    let level = if denied { "warning" } else { "notice" };
    head(scene, if denied { "0000000014" } else { "0000000013" }, "traffic", "forward", level, out);
    ends(flow, out);
    out.text(" srccountry=\"Reserved\" dstcountry=\"Reserved\" sessionid=");
    out.number(u64::from(flow.id));
    number(" proto=", u64::from(flow.protocol), out);
    out.text(" action=\"");
    out.text(action);
    let policy = match flow.way {
        _ if denied => 0,
        Way::Out => 12,
        Way::In => 21,
        Way::Inside => 30,
    };
    number("\" policyid=", policy, out);
    out.text(" policytype=\"policy\" service=\"");
    if flow.service() == "tcp" {
        out.text("tcp/");
        out.number(u64::from(flow.dst_port));
    } else {
        out.text(flow.service());
    }
    if flow.way == Way::Out && !denied {
        out.text("\" trandisp=\"snat\" transip=");
        out.ip(flow.mapped);
        number(" transport=", u64::from(flow.mapped_port), out);
        out.text(" appcat=\"unscanned\"");
    } else {
        out.text("\" trandisp=\"noop\" appcat=\"unscanned\"");
    }
    if denied {
        out.text(" duration=0 sentbyte=0 rcvdbyte=0 sentpkt=0 rcvdpkt=0 crscore=30 craction=131072 crlevel=\"high\"");
        return;
    }
    number(" duration=", u64::from(flow.seconds), out);
    number(" sentbyte=", u64::from(flow.sent), out);
    number(" rcvdbyte=", u64::from(flow.received), out);
    number(" sentpkt=", Flow::packets(flow.sent), out);
    number(" rcvdpkt=", Flow::packets(flow.received), out);
    if let Some(desk) = flow.desk.and_then(|desk| scene.tenant.desks.get(usize::from(desk))) {
        out.text(" srcname=\"");
        out.text(&desk.host);
        out.text("\" user=\"");
        out.text(&desk.user);
        out.push(b'"');
    }
}

/// A request seen by the web filter.
pub fn web_filter(scene: &Scene<'_>, flow: &Flow, action: &str, out: &mut Vec<u8>) {
    head(scene, "0317013312", "utm", "webfilter", "notice", out);
    out.text(" eventtype=\"ftgd_allow\" policyid=12");
    number(" sessionid=", u64::from(flow.id), out);
    ends(flow, out);
    number(" proto=", u64::from(flow.protocol), out);
    out.text(" service=\"");
    out.text(flow.service());
    out.text("\" hostname=\"");
    let site = &scene.world.sites[usize::from(flow.site)];
    out.text(&site.host);
    out.text("\" profile=\"staff-web\" action=\"");
    out.text(action);
    out.text("\" reqtype=\"direct\" url=\"");
    let page = &site.pages[flow.spice as usize % site.pages.len()];
    out.text(if flow.dst_port == 80 { "http://" } else { "https://" });
    out.text(&site.host);
    out.text(page);
    number("\" sentbyte=", u64::from(flow.sent), out);
    number(" rcvdbyte=", u64::from(flow.received), out);
    out.text(" direction=\"outgoing\" msg=\"URL belongs to an allowed category in policy\" method=\"domain\"");
    let (category, name) = CATEGORIES[usize::from(flow.site) % CATEGORIES.len()];
    number(" cat=", u64::from(category), out);
    out.text(" catdesc=\"");
    out.text(name);
    out.push(b'"');
}

/// An attack that intrusion prevention dropped.
pub fn prevention(
    scene: &Scene<'_>,
    flow: &Flow,
    signature: &signatures::Signature,
    serial: u32,
    out: &mut Vec<u8>,
) {
    head(scene, "0419016384", "utm", "ips", "alert", out);
    out.text(" eventtype=\"signature\" severity=\"");
    out.text(["critical", "high", "medium"][usize::from(signature.priority.clamp(1, 3)) - 1]);
    out.push(b'"');
    ends(flow, out);
    number(" sessionid=", u64::from(flow.id), out);
    out.text(" action=\"dropped\"");
    number(" proto=", u64::from(flow.protocol), out);
    out.text(" service=\"");
    out.text(flow.service());
    out.text("\" policyid=21 attack=\"");
    out.text(signature.dotted);
    number("\" attackid=", u64::from(signature.sid % 50_000 + 10_000), out);
    out.text(" direction=\"incoming\" profile=\"protect-dmz\"");
    number(" incidentserialno=", u64::from(serial), out);
    out.text(" msg=\"attack: ");
    out.text(signature.dotted);
    out.text(",\" crscore=30 craction=8192 crlevel=\"high\"");
}
