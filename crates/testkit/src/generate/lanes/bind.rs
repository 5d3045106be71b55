//! BIND: the query log.

use super::Scene;
use crate::generate::text::Put;
use crate::rng::Rng;

/// The resolver's memory: where its client objects lie, which the log names.
#[derive(Clone, Debug)]
pub struct Bind {
    heap: u64,
}

impl Bind {
    /// A resolver.
    pub fn new(rng: &mut Rng) -> Self {
        Self { heap: 0x7f00_0000_0000 | rng.bits() & 0xff_ff00_0000 }
    }

    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        let desk = scene.tenant.desk(rng);
        let bits = rng.bits();
        let client = self.heap | (bits & 31) << 12 | 0x168;
        let port = crate::generate::flow::high_port(bits >> 16);
        let (name, kind) = question(scene, rng);
        query(scene, client, (desk.ip, port), name, kind, out);
    }
}

/// An everyday question: name and type.
pub fn question<'a>(scene: &Scene<'a>, rng: &mut Rng) -> (&'a str, &'static str) {
    let site = &scene.world.sites[scene.world.site(rng)];
    let kind = ["A", "A", "A", "A", "AAAA", "AAAA", "HTTPS", "TXT"][rng.below(8) as usize];
    match rng.below(10) {
        0..=1 => (scene.tenant.domain.as_str(), if kind == "TXT" { "SRV" } else { kind }),
        2..=4 => (site.files_host.as_str(), kind),
        _ => (site.host.as_str(), kind),
    }
}

/// A line: the client object, its address and port, what was asked.
pub fn query(
    scene: &Scene<'_>,
    client: u64,
    (ip, port): (u32, u16),
    name: &str,
    kind: &str,
    out: &mut Vec<u8>,
) {
    scene.stamp.named(out);
    out.push(b'.');
    scene.stamp.fraction(out, 3);
    out.text(" queries: info: client @0x");
    out.hex(client, 12);
    out.push(b' ');
    out.socket(ip, b'#', port);
    for part in [" (", name, "): query: ", name, " IN ", kind, " +E(0)K ("] {
        out.text(part);
    }
    out.ip(scene.tenant.controller.ip);
    out.push(b')');
}
