//! Palo Alto: traffic and threat logs, comma-separated, behind a syslog header.

use super::{Scene, signatures};
use crate::generate::flow::{Flow, Way, high_port};
use crate::generate::text::Put;
use crate::generate::world::Tenant;
use crate::rng::Rng;

const CATEGORIES: [&str; 8] = [
    "computer-and-internet-info",
    "business-and-economy",
    "news",
    "search-engines",
    "social-networking",
    "shopping",
    "web-advertisements",
    "streaming-media",
];

const APPLICATIONS: [&str; 6] = ["ssl", "ssl", "ssl", "web-browsing", "google-base", "office-base"];

/// Amounts of bytes that are seen again and again: handshakes, heartbeats, revocation checks.
const HABITS: usize = 40;

/// The device's memory.
#[derive(Clone, Debug)]
pub struct PaloAlto {
    session: u32,
    sequence: u64,
    /// A session whose request is logged and whose end is not.
    pending: Option<Flow>,
    /// The last one outward: a page opens several sessions to the same place.
    last: Option<Flow>,
    habits: [(u32, u32, u32); HABITS],
}

impl PaloAlto {
    /// A device that has been running for a while.
    pub fn new(rng: &mut Rng, _tenant: &Tenant) -> Self {
        Self {
            session: 10_000 + rng.below(200_000),
            sequence: 32_000_000 + u64::from(rng.below(9_000_000)),
            pending: None,
            last: None,
            habits: std::array::from_fn(|_| (rng.size(700), rng.size(4_000), rng.size(8) - 1)),
        }
    }

    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        self.sequence += 1;
        if let Some(flow) = self.pending.take() {
            return traffic(scene, &flow, self.sequence, true, out);
        }
        self.session += 1 + rng.below(9);
        let kind = rng.below(100);
        let mut flow = match kind {
            0..=5 | 8 => Flow::unwanted(scene.world, scene.tenant, rng),
            6..=7 => Flow::inside(scene.tenant, rng),
            9..=72 => self.outward(scene, rng),
            _ => Flow::draw(scene.world, scene.tenant, rng),
        };
        flow.id = self.session;
        if rng.chance(72) {
            let (a, b) = (rng.below(HABITS as u32), rng.below(HABITS as u32));
            (flow.sent, flow.received, flow.seconds) = self.habits[a.min(b) as usize];
        }
        match kind {
            0..=5 => traffic(scene, &flow, self.sequence, false, out),
            8 => {
                let signature = signatures::everyday(&mut flow);
                threat(scene, &flow, self.sequence, signature, out);
            }
            9..=56 => {
                self.pending = Some(flow);
                url(scene, &flow, self.sequence, "alert", out);
            }
            _ => traffic(scene, &flow, self.sequence, true, out),
        }
    }

    /// A session outward, often to the same place as the one before.
    fn outward(&mut self, scene: &Scene<'_>, rng: &mut Rng) -> Flow {
        let flow = match self.last {
            Some(last) if rng.chance(66) => {
                let bits = rng.bits();
                Flow {
                    src_port: last.src_port.wrapping_add(1 + (bits & 1) as u16).max(1_024),
                    mapped_port: high_port(bits >> 16),
                    ..last
                }
            }
            _ => Flow::out(scene.world, scene.tenant, rng),
        };
        self.last = Some(flow);
        flow
    }
}

/// From the syslog header to the time the log was made.
fn head(scene: &Scene<'_>, kind: &str, out: &mut Vec<u8>) {
    out.text("<14>");
    scene.stamp.bsd(out);
    out.text(" PA-");
    out.text(&scene.tenant.code);
    out.text("-01 1,");
    scene.stamp.slashed(out);
    out.text(",0128010965");
    out.padded(scene.tenant.number as u64, 2);
    out.push(b',');
    out.text(kind);
    out.text(",2561,");
    scene.stamp.slashed(out);
    out.push(b',');
}

fn rule(way: Way) -> [&'static str; 5] {
    match way {
        Way::Out => ["staff-out", "trust", "untrust", "ethernet1/2", "ethernet1/1"],
        Way::In => ["web-in", "untrust", "dmz", "ethernet1/1", "ethernet1/3"],
        Way::Inside => ["dmz-to-servers", "dmz", "trust", "ethernet1/3", "ethernet1/2"],
    }
}

fn application(flow: &Flow) -> &'static str {
    match flow.dst_port {
        53 => "dns",
        88 => "kerberos",
        389 => "ldap",
        445 => "ms-ds-smbv3",
        25 => "smtp-base",
        80 => "web-browsing",
        443 => APPLICATIONS[flow.spice as usize % APPLICATIONS.len()],
        22 => "ssh",
        3389 => "ms-rdp",
        _ => "incomplete",
    }
}

fn list(values: &[&str], out: &mut Vec<u8>) {
    for value in values {
        out.text(value);
        out.push(b',');
    }
}

fn numbers(values: &[u64], out: &mut Vec<u8>) {
    for value in values {
        out.number(*value);
        out.push(b',');
    }
}

/// The columns that traffic and threat logs share, up to the action.
fn common(scene: &Scene<'_>, flow: &Flow, action: &str, out: &mut Vec<u8>) {
    let denied = action == "deny";
    let (natted_src, natted_dst) = match flow.way {
        Way::Out => (flow.mapped, flow.dst),
        Way::In => (flow.src, flow.dst),
        Way::Inside => (0, 0),
    };
    let visible_dst = if flow.way == Way::In { flow.mapped } else { flow.dst };
    for ip in [flow.src, visible_dst, natted_src, natted_dst] {
        out.ip(if denied && ip != flow.src && ip != visible_dst { 0 } else { ip });
        out.push(b',');
    }
    let [name, from, to, in_port, out_port] = rule(flow.way);
    list(&[if denied { "interzone-default" } else { name }], out);
    if let Some(desk) = flow.desk.and_then(|desk| scene.tenant.desks.get(usize::from(desk))) {
        list(&[&scene.tenant.realm], out);
        out.pop();
        list(&["\\"], out);
        out.pop();
        list(&[&desk.user], out);
    } else {
        out.push(b',');
    }
    out.push(b',');
    let application = if denied { "not-applicable" } else { application(flow) };
    list(&[application, "vsys1", from, to, in_port, out_port, "to-siem"], out);
    scene.stamp.slashed(out);
    out.push(b',');
    let mapped = if flow.way == Way::Out { flow.mapped_port } else { 0 };
    let ports = [flow.src_port, flow.dst_port, mapped, if mapped == 0 { 0 } else { flow.dst_port }];
    numbers(&[if denied { 0 } else { u64::from(flow.id) }, 1], out);
    numbers(&ports.map(u64::from), out);
    let flags =
        if denied { "0x0" } else { ["0x40001c", "0x400019", "0x400053"][flow.spice as usize % 3] };
    let protocol = match flow.protocol {
        1 => "icmp",
        17 => "udp",
        _ => "tcp",
    };
    list(&[flags, protocol, action], out);
}

const INSIDE: &str = "10.0.0.0-10.255.255.255";
const OUTSIDE: &str = "Reserved (198.18.0.0 - 198.19.255.255)";

fn places(way: Way) -> (&'static str, &'static str) {
    match way {
        Way::Out => (INSIDE, OUTSIDE),
        Way::In => (OUTSIDE, INSIDE),
        Way::Inside => (INSIDE, INSIDE),
    }
}

/// Traffic that ended or was denied.
pub fn traffic(scene: &Scene<'_>, flow: &Flow, sequence: u64, allowed: bool, out: &mut Vec<u8>) {
    head(scene, if allowed { "TRAFFIC,end" } else { "TRAFFIC,drop" }, out);
    common(scene, flow, if allowed { "allow" } else { "deny" }, out);
    let (sent, received) =
        if allowed { (u64::from(flow.sent), u64::from(flow.received)) } else { (62, 0) };
    let packets =
        if allowed { [Flow::packets(flow.sent), Flow::packets(flow.received)] } else { [1, 0] };
    numbers(&[sent + received, sent, received, packets[0] + packets[1]], out);
    scene.stamp.slashed(out);
    out.push(b',');
    numbers(&[u64::from(flow.seconds)], out);
    let category = if flow.way == Way::Out {
        CATEGORIES[usize::from(flow.site) % CATEGORIES.len()]
    } else {
        "any"
    };
    list(&[category, "0"], out);
    numbers(&[sequence], out);
    let (from, to) = places(flow.way);
    list(&["0x0", from, to, "0"], out);
    numbers(&packets, out);
    let reason = if !allowed {
        "policy-deny"
    } else if flow.protocol == 17 {
        "aged-out"
    } else {
        ["tcp-fin", "tcp-fin", "tcp-rst-from-client", "tcp-rst-from-server"]
            [flow.spice as usize % 4]
    };
    list(&[reason, "0", "0", "0", "0", ""], out);
    out.text("PA-");
    out.text(&scene.tenant.code);
    out.text("-01,from-policy,,,0,,0,,N/A,0,0,0,0");
}

/// A request in the URL filter's log.
pub fn url(scene: &Scene<'_>, flow: &Flow, sequence: u64, action: &str, out: &mut Vec<u8>) {
    head(scene, "THREAT,url", out);
    common(scene, flow, action, out);
    let site = &scene.world.sites[usize::from(flow.site)];
    out.push(b'"');
    out.text(&site.host);
    if flow.dst_port == 80 {
        out.text(&site.pages[flow.spice as usize % site.pages.len()]);
    } else {
        out.push(b'/');
    }
    out.text("\",(9999),");
    let category = CATEGORIES[usize::from(flow.site) % CATEGORIES.len()];
    list(&[category, "informational", "client-to-server"], out);
    numbers(&[sequence], out);
    tail(scene, flow, "unknown,AppThreat-0-0", out);
}

/// A signature that matched.
pub fn threat(
    scene: &Scene<'_>,
    flow: &Flow,
    sequence: u64,
    signature: &signatures::Signature,
    out: &mut Vec<u8>,
) {
    head(scene, "THREAT,vulnerability", out);
    common(scene, flow, "reset-both", out);
    out.text("\"\",");
    out.text(signature.dotted);
    out.push(b'(');
    out.number(u64::from(signature.sid % 60_000 + 30_000));
    out.text("),any,");
    out.text(["critical", "medium", "low"][usize::from(signature.priority.clamp(1, 3)) - 1]);
    out.text(",client-to-server,");
    numbers(&[sequence], out);
    tail(scene, flow, "code-execution,AppThreat-8890-8888", out);
}

/// The threat log's columns behind the sequence number.
fn tail(scene: &Scene<'_>, flow: &Flow, kind: &str, out: &mut Vec<u8>) {
    let (from, to) = places(flow.way);
    list(&["0x2000000000000000", from, to, "0"], out);
    out.text(",0,,,0,,,,,,,,0,0,0,0,0,,PA-");
    out.text(&scene.tenant.code);
    out.text("-01,,,,,0,,0,,N/A,");
    out.text(kind);
    out.text(",0x0,0,4294967295,");
}
