//! Linux netfilter: packets that the kernel logs.

use super::Scene;
use crate::generate::flow::{Flow, Way};
use crate::generate::text::Put;
use crate::generate::world::Tenant;
use crate::rng::Rng;
use yagura_event::time::SECOND;

/// The gateway's memory.
#[derive(Clone, Debug)]
pub struct Iptables {
    booted: i64,
    mac: u32,
    /// The last packet turned away: who scans tries one port after another.
    last: Option<Flow>,
}

impl Iptables {
    /// A gateway that booted some days ago.
    pub fn new(rng: &mut Rng, _tenant: &Tenant) -> Self {
        let booted = i64::from(rng.below(9_000_000)) + 40_000;
        Self { booted, mac: rng.bits() as u32, last: None }
    }

    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        if rng.chance(72) {
            let mut flow = Flow::unwanted(scene.world, scene.tenant, rng);
            if let Some(last) = self.last.filter(|_| rng.chance(60)) {
                let (dst_port, id) = (flow.dst_port, flow.spice & 0xffff_0000);
                flow = Flow { dst_port, spice: id | last.spice & 0xffff, ..last };
            }
            self.last = Some(flow);
            packet(scene, &flow, "DROP", self.booted, self.mac, out);
        } else {
            let flow = Flow::draw(scene.world, scene.tenant, rng);
            packet(scene, &flow, "ACCEPT", self.booted, self.mac, out);
        }
    }
}

/// The first packet of a flow; `booted` seconds before 2024 the kernel's clock began, `mac` ends
/// the interfaces' addresses.
pub fn packet(
    scene: &Scene<'_>,
    flow: &Flow,
    verdict: &str,
    booted: i64,
    mac: u32,
    out: &mut Vec<u8>,
) {
    scene.stamp.bsd(out);
    out.text(" gw-");
    out.text(scene.tenant.name);
    out.text(" kernel: [");
    // The kernel counts from its start; a year is as good an origin as any.
    let uptime = (scene.stamp.at() / SECOND).rem_euclid(31_536_000) + booted;
    out.padded(uptime.unsigned_abs(), 5);
    out.push(b'.');
    scene.stamp.fraction(out, 6);
    let (input, output, chain) = match flow.way {
        Way::Out => ("eth1", "eth0", "FWD"),
        Way::In => ("eth0", if verdict == "DROP" { "" } else { "eth2" }, "IN"),
        Way::Inside => ("eth2", "eth1", "FWD"),
    };
    out.text("] IPT-");
    out.text(verdict);
    out.push(b'-');
    out.text(chain);
    out.text(": IN=");
    out.text(input);
    out.text(" OUT=");
    out.text(output);
    out.text(" MAC=02:42:");
    octets(mac, out);
    out.text(":02:17:");
    octets(mac.rotate_left(9) ^ 0x5a5a, out);
    out.text(":08:00 SRC=");
    out.ip(flow.src);
    out.text(" DST=");
    out.ip(flow.dst);
    let udp = flow.protocol == 17;
    let sizes: [u64; 4] = [40, 44, 52, 60];
    let length =
        if udp { 56 + u64::from(flow.spice & 15) } else { sizes[(flow.spice & 3) as usize] };
    out.text(" LEN=");
    out.number(length);
    out.text(" TOS=0x00 PREC=0x00 TTL=");
    let ttl = [240, 112, 48, 245][(flow.spice >> 4 & 3) as usize] + u64::from(flow.spice >> 6 & 3);
    out.number(ttl);
    out.text(" ID=");
    out.number(u64::from(flow.spice >> 16));
    out.text(if flow.spice & 0x100 == 0 { " " } else { " DF " });
    out.text(if udp { "PROTO=UDP SPT=" } else { "PROTO=TCP SPT=" });
    out.number(u64::from(flow.src_port));
    out.text(" DPT=");
    out.number(u64::from(flow.dst_port));
    if udp {
        out.text(" LEN=");
        out.number(length - 20);
    } else {
        out.text(" WINDOW=");
        out.number([1_024, 65_535, 29_200, 64_240][(flow.spice >> 9 & 3) as usize]);
        out.text(" RES=0x00 SYN URGP=0");
    }
}

fn octets(bits: u32, out: &mut Vec<u8>) {
    for (n, octet) in bits.to_be_bytes().into_iter().enumerate() {
        if n > 0 {
            out.push(b':');
        }
        out.hex(u64::from(octet), 2);
    }
}
