//! Cisco ASA: connections built and torn down, translations, denials.

use super::Scene;
use crate::generate::flow::{Flow, Way};
use crate::generate::text::Put;
use crate::generate::world::Tenant;
use crate::rng::Rng;

/// Connections remembered between built and teardown. A firewall has thousands open; what
/// matters to a reader of the log is that the two lines are some lines apart.
const OPEN_MAX: usize = 24;

/// What follows a line at once.
#[derive(Clone, Copy, Debug)]
enum Next {
    Translation(Flow),
    TranslationEnd(Flow),
    IcmpEnd(Flow),
}

/// The firewall's memory.
#[derive(Clone, Debug)]
pub struct Asa {
    open: [Option<Flow>; OPEN_MAX],
    next: Option<Next>,
    id: u32,
}

impl Asa {
    /// A firewall that has been running for a while.
    pub fn new(rng: &mut Rng, _tenant: &Tenant) -> Self {
        Self { open: [None; OPEN_MAX], next: None, id: 1_000_000 + rng.below(8_000_000) }
    }

    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        match self.next.take() {
            Some(Next::Translation(flow)) => return translation(scene, &flow, true, out),
            Some(Next::TranslationEnd(flow)) => return translation(scene, &flow, false, out),
            Some(Next::IcmpEnd(flow)) => return icmp(scene, &flow, false, out),
            None => {}
        }
        match rng.below(1_000) {
            0..=29 => return deny(scene, &Flow::unwanted(scene.world, scene.tenant, rng), out),
            30..=45 => {
                let flow = Flow::unwanted(scene.world, scene.tenant, rng);
                self.next = Some(Next::IcmpEnd(flow));
                return icmp(scene, &flow, true, out);
            }
            _ => {}
        }
        let slot = &mut self.open[rng.below(OPEN_MAX as u32) as usize];
        if let Some(flow) = slot.take() {
            if flow.way == Way::Out {
                self.next = Some(Next::TranslationEnd(flow));
            }
            return teardown(scene, &flow, out);
        }
        self.id += 1 + rng.below(5);
        let flow = Flow { id: self.id, ..Flow::draw(scene.world, scene.tenant, rng) };
        if flow.way == Way::Out {
            self.next = Some(Next::Translation(flow));
        }
        *slot = Some(flow);
        built(scene, &flow, out);
    }
}

/// The header up to the message's number and its colon.
fn head(scene: &Scene<'_>, level: u8, message: &str, out: &mut Vec<u8>) {
    out.push(b'<');
    out.number(160 + u64::from(level));
    out.push(b'>');
    scene.stamp.bsd(out);
    out.text(" FW-");
    out.text(&scene.tenant.code);
    out.text("-EDGE %ASA-");
    out.number(u64::from(level));
    out.push(b'-');
    out.text(message);
    out.text(": ");
}

fn zones(flow: &Flow) -> (&'static str, &'static str) {
    match flow.way {
        Way::Out => ("inside:", "outside:"),
        Way::In => ("outside:", "dmz:"),
        Way::Inside => ("dmz:", "inside:"),
    }
}

fn protocol(flow: &Flow) -> &'static str {
    if flow.protocol == 17 { "UDP" } else { "TCP" }
}

/// A connection built (302013, 302015).
pub fn built(scene: &Scene<'_>, flow: &Flow, out: &mut Vec<u8>) {
    head(scene, 6, if flow.protocol == 17 { "302015" } else { "302013" }, out);
    out.text(if flow.way == Way::In { "Built inbound " } else { "Built outbound " });
    out.text(protocol(flow));
    out.text(" connection ");
    out.number(u64::from(flow.id));
    let (from, to) = zones(flow);
    out.text(" for ");
    side(from, flow.src, flow.src_port, out);
    let (mapped, port) = match flow.way {
        Way::Out => (flow.mapped, flow.mapped_port),
        _ => (flow.src, flow.src_port),
    };
    parenthesis(mapped, port, out);
    out.text(" to ");
    side(to, flow.dst, flow.dst_port, out);
    let (mapped, port) = match flow.way {
        Way::In => (flow.mapped, flow.mapped_port),
        _ => (flow.dst, flow.dst_port),
    };
    parenthesis(mapped, port, out);
}

fn side(zone: &str, ip: u32, port: u16, out: &mut Vec<u8>) {
    out.text(zone);
    out.socket(ip, b'/', port);
}

fn parenthesis(ip: u32, port: u16, out: &mut Vec<u8>) {
    out.text(" (");
    out.socket(ip, b'/', port);
    out.push(b')');
}

fn duration(seconds: u32, out: &mut Vec<u8>) {
    out.text(" duration ");
    out.number(u64::from(seconds / 3_600));
    out.push(b':');
    out.padded(u64::from(seconds / 60 % 60), 2);
    out.push(b':');
    out.padded(u64::from(seconds % 60), 2);
}

/// A connection torn down (302014, 302016).
pub fn teardown(scene: &Scene<'_>, flow: &Flow, out: &mut Vec<u8>) {
    head(scene, 6, if flow.protocol == 17 { "302016" } else { "302014" }, out);
    out.text("Teardown ");
    out.text(protocol(flow));
    out.text(" connection ");
    out.number(u64::from(flow.id));
    let (from, to) = zones(flow);
    out.text(" for ");
    side(from, flow.src, flow.src_port, out);
    out.text(" to ");
    side(to, flow.dst, flow.dst_port, out);
    let unanswered = flow.way == Way::In && flow.spice.is_multiple_of(10);
    duration(if unanswered { 30 + flow.spice % 12 } else { flow.seconds }, out);
    out.text(" bytes ");
    out.number(if unanswered { 0 } else { flow.bytes() });
    if flow.protocol == 6 {
        out.text(match flow.spice % 10 {
            0 if unanswered => " SYN Timeout",
            1 => " TCP Reset-I",
            2 => " TCP Reset-O",
            _ => " TCP FINs",
        });
    }
}

/// A translation built (305011) or torn down (305012).
fn translation(scene: &Scene<'_>, flow: &Flow, begins: bool, out: &mut Vec<u8>) {
    head(scene, 6, if begins { "305011" } else { "305012" }, out);
    out.text(if begins { "Built dynamic " } else { "Teardown dynamic " });
    out.text(protocol(flow));
    out.text(" translation from ");
    side("inside:", flow.src, flow.src_port, out);
    out.text(" to ");
    side("outside:", flow.mapped, flow.mapped_port, out);
    if !begins {
        duration(flow.seconds, out);
    }
}

/// An ICMP exchange built (302020) or torn down (302021).
fn icmp(scene: &Scene<'_>, flow: &Flow, begins: bool, out: &mut Vec<u8>) {
    head(scene, 6, if begins { "302020" } else { "302021" }, out);
    out.text(if begins { "Built inbound" } else { "Teardown" });
    out.text(" ICMP connection for faddr ");
    out.socket(flow.src, b'/', 8);
    out.text(" gaddr ");
    out.socket(flow.mapped, b'/', 0);
    out.text(" laddr ");
    out.socket(flow.dst, b'/', 0);
}

/// A denial by an access list (106023).
pub fn deny(scene: &Scene<'_>, flow: &Flow, out: &mut Vec<u8>) {
    head(scene, 4, "106023", out);
    out.text(if flow.protocol == 17 { "Deny udp src " } else { "Deny tcp src " });
    let (from, to) = zones(flow);
    side(from, flow.src, flow.src_port, out);
    out.text(" dst ");
    side(to, flow.dst, flow.dst_port, out);
    out.text(match flow.way {
        Way::Out => " by access-group \"inside_access_in\" [0x0, 0x0]",
        Way::In => " by access-group \"outside_access_in\" [0x0, 0x0]",
        Way::Inside => " by access-group \"dmz_access_in\" [0x0, 0x0]",
    });
}
