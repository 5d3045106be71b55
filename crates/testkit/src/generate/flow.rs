//! Connections as firewalls and sensors see them.

use super::world::{Tenant, World};
use crate::rng::Rng;

/// Where a connection goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// From inside to a site.
    Out,
    /// From outside to the DMZ.
    In,
    /// From the DMZ or a desk to a server inside.
    Inside,
}

/// One connection.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Its way.
    pub way: Way,
    /// IP protocol: 1, 6 or 17.
    pub protocol: u8,
    /// Who began.
    pub src: u32,
    /// And from which port; 0 for ICMP.
    pub src_port: u16,
    /// With whom, as addressed inside.
    pub dst: u32,
    /// And which port.
    pub dst_port: u16,
    /// The translated address: of the source on the way out, of the target on the way in, else
    /// the source's own.
    pub mapped: u32,
    /// The port that belongs to it.
    pub mapped_port: u16,
    /// Bytes from the side that began.
    pub sent: u32,
    /// Bytes to it.
    pub received: u32,
    /// How long it lasted.
    pub seconds: u32,
    /// The firewall's number for it.
    pub id: u32,
    /// Which desk it belongs to, where one does.
    pub desk: Option<u16>,
    /// Which site, on the way out.
    pub site: u16,
    /// Random bits of its own for what else a line needs.
    pub spice: u32,
}

impl Flow {
    /// An ordinary connection of the tenant. A third comes from outside, as at a company with a
    /// web server; most of what goes out passes the proxy.
    pub fn draw(world: &World, tenant: &Tenant, rng: &mut Rng) -> Self {
        match rng.below(100) {
            0..=54 => Self::out(world, tenant, rng),
            55..=91 => Self::inward(world, tenant, rng),
            _ => Self::inside(tenant, rng),
        }
    }

    /// What all flows of one shape share, with ports and amounts drawn.
    pub fn between(rng: &mut Rng, way: Way, src: u32, dst: u32, dst_port: u16) -> Self {
        let bits = rng.bits();
        Self {
            way,
            protocol: if dst_port == 53 { 17 } else { 6 },
            src,
            src_port: high_port(bits),
            dst,
            dst_port,
            mapped: src,
            mapped_port: high_port(bits >> 16),
            sent: rng.size(900),
            received: rng.size(9_000),
            seconds: rng.size(4) - 1,
            id: 0,
            desk: None,
            site: 0,
            spice: (bits >> 32) as u32,
        }
    }

    /// A connection to a site.
    pub fn out(world: &World, tenant: &Tenant, rng: &mut Rng) -> Self {
        let site = world.site(rng);
        let (src, desk) = if rng.chance(85) {
            (tenant.proxy.ip, None)
        } else {
            let desk = tenant.desk_popularity.pick(rng);
            (tenant.desks[desk].ip, Some(desk as u16))
        };
        let port = if rng.chance(88) { 443 } else { 80 };
        let mut flow = Self::between(rng, Way::Out, src, world.sites[site].ip, port);
        (flow.mapped, flow.desk, flow.site) = (tenant.public(0), desk, site as u16);
        flow
    }

    /// A connection to a server in the DMZ.
    pub fn inward(world: &World, tenant: &Tenant, rng: &mut Rng) -> Self {
        let (server, public, port) = match rng.below(20) {
            0..=12 => (tenant.web.ip, tenant.public(1), 443),
            13..=16 => (tenant.web.ip, tenant.public(1), 80),
            _ => (tenant.mail.ip, tenant.public(2), 25),
        };
        let src = world.client(rng).ip;
        let mut flow = Self::between(rng, Way::In, src, server, port);
        (flow.mapped, flow.mapped_port) = (public, port);
        flow
    }

    /// A connection that stays inside.
    pub fn inside(tenant: &Tenant, rng: &mut Rng) -> Self {
        let (server, port) = match rng.below(10) {
            0..=4 => (tenant.controller.ip, 53),
            5..=6 => (tenant.controller.ip, 88),
            7 => (tenant.controller.ip, 389),
            _ => (tenant.files.ip, 445),
        };
        let src = if rng.chance(50) { tenant.web.ip } else { tenant.mail.ip };
        let mut flow = Self::between(rng, Way::Inside, src, server, port);
        flow.mapped_port = flow.src_port;
        if port == 53 {
            (flow.sent, flow.received, flow.seconds) = (rng.size(60), rng.size(140), 0);
        }
        flow
    }

    /// Something from outside that the firewall turns away.
    pub fn unwanted(world: &World, tenant: &Tenant, rng: &mut Rng) -> Self {
        const PORTS: [u16; 12] = [22, 23, 445, 3389, 8080, 1433, 3306, 5900, 6379, 8443, 21, 5060];
        let port = if rng.chance(80) { *rng.pick(&PORTS) } else { high_port(rng.bits()) };
        let target = tenant.public(rng.below(5));
        let src = world.client(rng).ip;
        let mut flow = Self::between(rng, Way::In, src, target, port);
        (flow.mapped, flow.mapped_port) = (target, port);
        flow
    }

    /// Bytes of both sides.
    pub fn bytes(&self) -> u64 {
        u64::from(self.sent) + u64::from(self.received)
    }

    /// Packets for so many bytes.
    pub fn packets(bytes: u32) -> u64 {
        u64::from(bytes / 700 + 3)
    }

    /// The service's name by its port.
    pub fn service(&self) -> &'static str {
        match self.dst_port {
            443 => "HTTPS",
            80 => "HTTP",
            25 => "SMTP",
            53 => "DNS",
            88 => "KERBEROS",
            389 => "LDAP",
            445 => "SMB",
            22 => "SSH",
            3389 => "RDP",
            _ => "tcp",
        }
    }
}

/// A port as operating systems choose them for themselves.
pub fn high_port(bits: u64) -> u16 {
    32_768 + (bits as u16 >> 1) % 28_000
}
