//! The lanes' writers: each turns the world's doings into lines of one format.

pub mod asa;
pub mod bind;
pub mod browse;
pub mod fortigate;
pub mod iptables;
pub mod paloalto;
pub mod postfix;
pub mod proxy;
pub mod signatures;
pub mod snort;
pub mod squid;
pub mod suricata;
pub mod web;
pub mod windows;
pub mod windows_security;
pub mod windows_sysmon;
mod windows_xml;
pub mod zeek_dns;

pub use windows_xml::{Computer, Connection, Logon, Process, Ticket};

use super::lane::Lane;
use super::stamp::Stamp;
use super::world::{Tenant, World};
use crate::rng::Rng;

/// What a writer may look at.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Everything.
    pub world: &'a World,
    /// The customer whose device writes.
    pub tenant: &'a Tenant,
    /// When.
    pub stamp: &'a Stamp,
}

/// The memory of one tenant's devices between two records.
#[derive(Clone, Debug)]
pub struct Devices {
    rngs: [Rng; Lane::ALL.len()],
    asa: asa::Asa,
    fortigate: fortigate::Fortigate,
    paloalto: paloalto::PaloAlto,
    iptables: iptables::Iptables,
    suricata: suricata::Suricata,
    snort: snort::Snort,
    proxy: proxy::Proxy,
    web: web::Web,
    squid: squid::Squid,
    postfix: postfix::Postfix,
    windows: windows::Windows,
    bind: bind::Bind,
    zeek_dns: zeek_dns::ZeekDns,
}

impl Devices {
    /// The devices of a tenant; every lane draws from a sequence of its own.
    pub fn new(rng: &mut Rng, tenant: &Tenant) -> Self {
        let n = tenant.number;
        Self {
            rngs: std::array::from_fn(|_| Rng::new(rng.bits())),
            asa: asa::Asa::new(rng, tenant),
            fortigate: fortigate::Fortigate::new(rng, tenant),
            paloalto: paloalto::PaloAlto::new(rng, tenant),
            iptables: iptables::Iptables::new(rng, tenant),
            suricata: suricata::Suricata::default(),
            snort: snort::Snort,
            proxy: proxy::Proxy::default(),
            web: web::Web::default(),
            squid: squid::Squid::default(),
            postfix: postfix::Postfix::new(rng, n),
            windows: windows::Windows::new(rng, tenant),
            bind: bind::Bind::new(rng),
            zeek_dns: zeek_dns::ZeekDns,
        }
    }

    /// Appends the lane's next record, without a line feed.
    pub fn write(&mut self, lane: Lane, scene: &Scene<'_>, out: &mut Vec<u8>) {
        let rng = &mut self.rngs[lane as usize];
        match lane {
            Lane::Asa => self.asa.write(scene, rng, out),
            Lane::Fortigate => self.fortigate.write(scene, rng, out),
            Lane::PaloAlto => self.paloalto.write(scene, rng, out),
            Lane::Iptables => self.iptables.write(scene, rng, out),
            Lane::Suricata => self.suricata.write(scene, rng, out),
            Lane::Snort => self.snort.write(scene, rng, out),
            Lane::Proxy => self.proxy.write(scene, rng, out),
            Lane::Web => self.web.write(scene, rng, out),
            Lane::Squid => self.squid.write(scene, rng, out),
            Lane::Postfix => self.postfix.write(scene, rng, out),
            Lane::Windows => self.windows.write(scene, rng, out),
            Lane::Bind => self.bind.write(scene, rng, out),
            Lane::ZeekDns => self.zeek_dns.write(scene, rng, out),
        }
    }
}
