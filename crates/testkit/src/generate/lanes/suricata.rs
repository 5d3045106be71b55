//! Suricata: EVE JSON with flow, dns, tls, http and alert events.

use super::Scene;
use super::signatures::{self, Signature};
use crate::generate::flow::{Flow, Way};
use crate::generate::pools::BROWSERS;
use crate::generate::text::Put;
use crate::rng::Rng;
use yagura_event::Micros;
use yagura_event::time::SECOND;

/// The sensor's memory: what it still has to say of the last flow.
#[derive(Clone, Debug, Default)]
pub struct Suricata {
    ending: Option<Ending>,
}

/// A flow of which the sensor has told, and when it did.
#[derive(Clone, Copy, Debug)]
struct Ending {
    flow: Flow,
    number: u64,
    began: Micros,
    /// The same as it is written, to the second.
    stamp: [u8; 19],
}

impl Suricata {
    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        if let Some(ending) = self.ending.take() {
            return ended(scene, &ending, out);
        }
        let number = rng.bits() >> 13;
        match rng.below(100) {
            0..=34 => dns(scene, rng, number, out),
            35..=44 => {
                let mut flow = Flow::unwanted(scene.world, scene.tenant, rng);
                let signature = signatures::everyday(&mut flow);
                alert(scene, &flow, signature, number, out);
            }
            45..=54 => {
                let flow = Flow { dst_port: 80, ..Flow::inward(scene.world, scene.tenant, rng) };
                http(scene, &flow, number, out);
                self.ending = Some(Ending::new(scene, flow, number));
            }
            _ => {
                let flow = Flow::out(scene.world, scene.tenant, rng);
                tls(scene, &flow, number, out);
                self.ending = Some(Ending::new(scene, flow, number));
            }
        }
    }
}

/// From the time to the protocol.
fn head(scene: &Scene<'_>, flow: &Flow, number: u64, kind: &str, out: &mut Vec<u8>) {
    out.text("{\"timestamp\":\"");
    scene.stamp.iso(out, 6);
    out.text("+0000\",\"flow_id\":");
    out.number(number);
    out.text(",\"in_iface\":\"eth1\",\"event_type\":\"");
    out.text(kind);
    out.text("\",\"src_ip\":\"");
    out.ip(flow.src);
    if flow.protocol != 1 {
        out.text("\",\"src_port\":");
        out.number(u64::from(flow.src_port));
        out.text(",\"dest_ip\":\"");
        out.ip(flow.dst);
        out.text("\",\"dest_port\":");
        out.number(u64::from(flow.dst_port));
        out.text(if flow.protocol == 17 { ",\"proto\":\"UDP\"" } else { ",\"proto\":\"TCP\"" });
    } else {
        out.text("\",\"dest_ip\":\"");
        out.ip(flow.dst);
        out.text("\",\"proto\":\"ICMP\",\"icmp_type\":8,\"icmp_code\":0");
    }
    community(number, out);
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The community id of a flow: of its form and the same for all of the flow's events. The digits
/// follow from the flow's number, not from a hash of the addresses.
fn community(number: u64, out: &mut Vec<u8>) {
    out.text(",\"community_id\":\"1:");
    let (mut seal, mut bits) = (Rng::new(number), 0);
    for n in 0..27 {
        if n % 10 == 0 {
            bits = seal.bits();
        }
        out.push(BASE64[(bits & 63) as usize]);
        bits >>= 6;
    }
    out.text("=\"");
}

fn dns(scene: &Scene<'_>, rng: &mut Rng, number: u64, out: &mut Vec<u8>) {
    let site = &scene.world.sites[scene.world.site(rng)];
    let mut flow = Flow::inside(scene.tenant, rng);
    (flow.src, flow.dst_port, flow.protocol) = (scene.tenant.desk(rng).ip, 53, 17);
    flow.dst = scene.tenant.controller.ip;
    if flow.spice & 1 == 0 {
        return query(scene, &flow, &site.host, "A", number, out);
    }
    head(scene, &flow, number, "dns", out);
    out.text(",\"dns\":{\"version\":2,\"type\":\"answer\",\"id\":");
    out.number(u64::from(flow.spice >> 16));
    out.text(",\"flags\":\"8180\",\"qr\":true,\"rd\":true,\"ra\":true,\"rrname\":\"");
    out.text(&site.host);
    out.text("\",\"rrtype\":\"A\",\"rcode\":\"NOERROR\",\"answers\":[{\"rrname\":\"");
    out.text(&site.host);
    out.text("\",\"rrtype\":\"A\",\"ttl\":");
    out.number(u64::from(flow.sent % 300));
    out.text(",\"rdata\":\"");
    out.ip(site.ip);
    out.text("\"}],\"grouped\":{\"A\":[\"");
    out.ip(site.ip);
    out.text("\"]}}}");
}

/// A question to a resolver.
pub fn query(
    scene: &Scene<'_>,
    flow: &Flow,
    name: &str,
    kind: &str,
    number: u64,
    out: &mut Vec<u8>,
) {
    head(scene, flow, number, "dns", out);
    out.text(",\"dns\":{\"type\":\"query\",\"id\":");
    out.number(u64::from(flow.spice >> 16));
    out.text(",\"rrname\":\"");
    out.text(name);
    out.text("\",\"rrtype\":\"");
    out.text(kind);
    out.text("\",\"tx_id\":0,\"opcode\":0}}");
}

fn tls(scene: &Scene<'_>, flow: &Flow, number: u64, out: &mut Vec<u8>) {
    head(scene, flow, number, "tls", out);
    let site = &scene.world.sites[usize::from(flow.site)];
    out.text(",\"tls\":{\"subject\":\"CN=");
    out.text(&site.host);
    out.text("\",\"issuerdn\":\"C=US, O=Example Trust, CN=Example TLS CA ");
    out.number(u64::from(flow.site % 4 + 1));
    out.text("\",\"serial\":\"");
    // The certificate belongs to the site: its digits follow from the address.
    let mut seal = Rng::new(u64::from(site.ip));
    pairs(&mut seal, 16, true, out);
    out.text("\",\"fingerprint\":\"");
    pairs(&mut seal, 20, false, out);
    out.text("\",\"sni\":\"");
    out.text(&site.host);
    out.text("\",\"version\":\"TLS 1.2\",\"notbefore\":\"2025-0");
    out.number(u64::from(flow.site % 8 + 1));
    out.text("-11T00:00:00\",\"notafter\":\"2027-0");
    out.number(u64::from(flow.site % 8 + 1));
    out.text("-11T23:59:59\",\"ja3s\":{\"hash\":\"");
    out.hex(seal.bits(), 16);
    out.hex(seal.bits(), 16);
    out.text("\",\"string\":\"771,49199,65281-0-11-35-16\"}}}");
}

fn pairs(seal: &mut Rng, count: usize, upper: bool, out: &mut Vec<u8>) {
    for n in 0..count {
        if n > 0 {
            out.push(b':');
        }
        let octet = seal.bits() >> 56;
        if upper { out.hex_upper(octet, 2) } else { out.hex(octet, 2) }
    }
}

fn http(scene: &Scene<'_>, flow: &Flow, number: u64, out: &mut Vec<u8>) {
    head(scene, flow, number, "http", out);
    let site = &scene.tenant.site;
    let path = match flow.spice % 3 {
        0 => &site.pages[flow.spice as usize / 3 % site.pages.len()],
        _ => &site.assets[flow.spice as usize / 3 % site.assets.len()].path,
    };
    let agent = BROWSERS[(flow.src % 8) as usize];
    request(site.host.as_str(), path, agent, flow, out);
}

/// The http part of an event, and its end.
fn request(host: &str, path: &str, agent: &str, flow: &Flow, out: &mut Vec<u8>) {
    out.text(",\"tx_id\":0,\"http\":{\"hostname\":\"");
    out.text(host);
    out.text("\",\"url\":\"");
    out.text(path);
    out.text("\",\"http_user_agent\":\"");
    out.text(agent);
    out.text("\",\"http_content_type\":\"text/html\",\"http_method\":\"GET\",\"protocol\":\"HTTP/1.1\",\"status\":");
    out.number(if flow.spice.is_multiple_of(23) { 404 } else { 200 });
    out.text(",\"length\":");
    out.number(u64::from(flow.received));
    out.text("}}");
}

/// An alert.
pub fn alert(
    scene: &Scene<'_>,
    flow: &Flow,
    signature: &Signature,
    number: u64,
    out: &mut Vec<u8>,
) {
    head(scene, flow, number, "alert", out);
    out.text(",\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":");
    out.number(u64::from(signature.sid));
    out.text(",\"rev\":");
    out.number(u64::from(signature.rev));
    out.text(",\"signature\":\"");
    out.text(signature.name);
    out.text("\",\"category\":\"");
    out.text(signature.category);
    out.text("\",\"severity\":");
    out.number(u64::from(signature.priority));
    out.text("},\"flow\":{\"pkts_toserver\":");
    out.number(Flow::packets(flow.sent));
    out.text(",\"pkts_toclient\":");
    out.number(Flow::packets(flow.received));
    out.text(",\"bytes_toserver\":");
    out.number(u64::from(flow.sent));
    out.text(",\"bytes_toclient\":");
    out.number(u64::from(flow.received));
    out.text(",\"start\":\"");
    scene.stamp.iso(out, 6);
    out.text("+0000\"}}");
}

impl Ending {
    fn new(scene: &Scene<'_>, flow: Flow, number: u64) -> Self {
        Self { flow, number, began: scene.stamp.at(), stamp: scene.stamp.iso_second() }
    }
}

/// The end of a flow.
fn ended(scene: &Scene<'_>, ending: &Ending, out: &mut Vec<u8>) {
    let flow = &ending.flow;
    head(scene, flow, ending.number, "flow", out);
    out.text(",\"app_proto\":\"");
    out.text(if flow.way == Way::Out { "tls" } else { "http" });
    for (key, value) in [
        ("\",\"flow\":{\"pkts_toserver\":", Flow::packets(flow.sent)),
        (",\"pkts_toclient\":", Flow::packets(flow.received)),
        (",\"bytes_toserver\":", u64::from(flow.sent)),
        (",\"bytes_toclient\":", u64::from(flow.received)),
    ] {
        out.text(key);
        out.number(value);
    }
    out.text(",\"start\":\"");
    out.extend_from_slice(&ending.stamp);
    out.push(b'.');
    out.padded(ending.began.rem_euclid(SECOND).unsigned_abs(), 6);
    out.text("+0000\",\"end\":\"");
    scene.stamp.iso(out, 6);
    out.text("+0000\",\"age\":");
    out.number((scene.stamp.at() - ending.began).max(0).unsigned_abs() / SECOND.unsigned_abs());
    out.text(CLOSED);
}

/// How every flow ended.
const CLOSED: &str = ",\"state\":\"closed\",\"reason\":\"timeout\",\"alerted\":false},\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}}";
