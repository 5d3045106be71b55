//! Snort: alerts in the fast form.

use super::Scene;
use super::signatures::{self, Signature};
use crate::generate::flow::Flow;
use crate::generate::text::Put;
use crate::rng::Rng;

/// The sensor.
#[derive(Clone, Copy, Debug)]
pub struct Snort;

impl Snort {
    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        let mut flow = Flow::unwanted(scene.world, scene.tenant, rng);
        let signature = signatures::everyday(&mut flow);
        alert(scene, &flow, signature, out);
    }
}

/// An alert on a flow, with the addresses seen outside the firewall.
pub fn alert(scene: &Scene<'_>, flow: &Flow, signature: &Signature, out: &mut Vec<u8>) {
    scene.stamp.snort(out);
    out.push(b'.');
    scene.stamp.fraction(out, 6);
    out.text(" [**] [1:");
    out.number(u64::from(signature.sid));
    out.push(b':');
    out.number(u64::from(signature.rev));
    out.text("] ");
    out.text(signature.name);
    out.text(" [**] [Classification: ");
    out.text(signature.class);
    out.text("] [Priority: ");
    out.number(u64::from(signature.priority));
    out.text("] {");
    out.text(signature.protocol);
    out.text("} ");
    if signature.protocol == "ICMP" {
        out.ip(flow.src);
        out.text(" -> ");
        out.ip(flow.mapped);
    } else {
        out.socket(flow.src, b':', flow.src_port);
        out.text(" -> ");
        out.socket(flow.mapped, b':', flow.mapped_port);
    }
}
