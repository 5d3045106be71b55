//! Zeek: dns.log as JSON.

use super::Scene;
use crate::generate::flow::high_port;
use crate::generate::text::Put;
use crate::rng::Rng;

/// The sensor.
#[derive(Clone, Copy, Debug)]
pub struct ZeekDns;

/// One answer.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    /// Who asked.
    pub client: u32,
    /// From which port.
    pub port: u16,
    /// For which name.
    pub name: &'a str,
    /// The type's number and name.
    pub kind: (u16, &'static str),
    /// The address found; none is NXDOMAIN.
    pub answer: Option<u32>,
    /// Random bits for the rest.
    pub spice: u64,
}

impl ZeekDns {
    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        let site = &scene.world.sites[scene.world.site(rng)];
        let (desk, spice) = (scene.tenant.desk(rng), rng.bits());
        let client = if spice & 7 == 0 { scene.tenant.proxy.ip } else { desk.ip };
        let (name, answer) = match spice >> 3 & 31 {
            0..=1 => ("wpad", None),
            2..=8 => (scene.tenant.controller.name.as_str(), Some(scene.tenant.controller.ip)),
            9..=14 => (site.files_host.as_str(), Some(site.ip)),
            _ => (site.host.as_str(), Some(site.ip)),
        };
        let port = high_port(rng.bits());
        lookup(scene, &Lookup { client, port, name, kind: (1, "A"), answer, spice }, out);
    }
}

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A line.
pub fn lookup(scene: &Scene<'_>, lookup: &Lookup<'_>, out: &mut Vec<u8>) {
    out.text("{\"ts\":");
    scene.stamp.epoch(out);
    out.push(b'.');
    scene.stamp.fraction(out, 6);
    out.text(",\"uid\":\"C");
    let mut bits = Rng::new(lookup.spice);
    let mut uid = bits.bits();
    for _ in 0..10 {
        out.push(LETTERS[(uid % 62) as usize]);
        uid /= 62;
    }
    uid = bits.bits();
    for _ in 0..7 {
        out.push(LETTERS[(uid % 62) as usize]);
        uid /= 62;
    }
    out.text("\",\"id.orig_h\":\"");
    out.ip(lookup.client);
    out.text("\",\"id.orig_p\":");
    out.number(u64::from(lookup.port));
    out.text(",\"id.resp_h\":\"");
    out.ip(scene.tenant.controller.ip);
    out.text("\",\"id.resp_p\":53,\"proto\":\"udp\",\"trans_id\":");
    out.number(lookup.spice >> 48);
    out.text(",\"rtt\":0.");
    out.padded(uid % 1_000 + (uid >> 12 & 7) * 9_000, 6);
    out.text(",\"query\":\"");
    out.text(lookup.name);
    out.text("\",\"qclass\":1,\"qclass_name\":\"C_INTERNET\",\"qtype\":");
    out.number(u64::from(lookup.kind.0));
    out.text(",\"qtype_name\":\"");
    out.text(lookup.kind.1);
    match lookup.answer {
        Some(_) => out.text("\",\"rcode\":0,\"rcode_name\":\"NOERROR\",\"AA\":"),
        None => out.text("\",\"rcode\":3,\"rcode_name\":\"NXDOMAIN\",\"AA\":"),
    }
    let ours = lookup.answer.is_some_and(|ip| ip >> 24 == 10);
    out.text(if ours { "true" } else { "false" });
    out.text(",\"TC\":false,\"RD\":true,\"RA\":true,\"Z\":0");
    if let Some(answer) = lookup.answer {
        out.text(",\"answers\":[\"");
        out.ip(answer);
        out.text("\"],\"TTLs\":[");
        out.number(uid >> 20 & 511);
        out.text(".0]");
    }
    out.text(",\"rejected\":false,\"opcode\":0,\"opcode_name\":\"query\"}");
}
