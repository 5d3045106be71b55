//! The means by which a story is told: connections, requests, mails and events in the lanes of
//! the tenant's own devices.

use super::{Planted, Room, story};
use crate::generate::flow::{Flow, Way};
use crate::generate::lane::Lane;
use crate::generate::lanes::signatures::Signature;
use crate::generate::lanes::{
    Computer, Connection, Logon, Process, Scene, asa, bind, fortigate, iptables, paloalto, postfix,
    proxy, snort, squid, suricata, web, windows_security, windows_sysmon, zeek_dns,
};
use crate::generate::stamp::Stamp;
use crate::generate::text::dotted;
use crate::generate::truth::{Principals, Story};
use crate::generate::world::{Desk, Server, Tenant, World, ip};
use crate::rng::Rng;
use yagura_event::Micros;
use yagura_event::time::SECOND;

/// A request through the proxy.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Who.
    pub client: u32,
    /// As whom.
    pub user: Option<&'a str>,
    /// Method; `CONNECT` makes a tunnel.
    pub method: &'a str,
    /// Host.
    pub host: &'a str,
    /// The host's address.
    pub ip: u32,
    /// Path.
    pub path: &'a str,
    /// Bytes from the client.
    pub sent: u32,
    /// Bytes to it.
    pub received: u32,
    /// Program.
    pub agent: &'a str,
}

/// A story being told.
pub struct Plot<'a> {
    pub tenant: &'a Tenant,
    pub rng: &'a mut Rng,
    world: &'a World,
    room: Room,
    begins: Micros,
    /// Microseconds that a second of the story takes.
    second: Micros,
    id: usize,
    principals: Principals,
    steps: Vec<(&'static str, Option<&'static str>)>,
    planted: &'a mut Vec<Planted>,
}

impl<'a> Plot<'a> {
    /// A story of `length` seconds somewhere in the room; squeezed to half of it where longer.
    pub fn new(
        world: &'a World,
        tenant: &'a Tenant,
        room: Room,
        length: i64,
        id: usize,
        rng: &'a mut Rng,
        planted: &'a mut Vec<Planted>,
    ) -> Self {
        let length = length.max(1);
        let second = SECOND.min(room.span / 2 / length);
        // Between 5 % and 85 %: the room's end is an estimate.
        let free = (room.span * 4 / 5 - second * length).max(0);
        let begins = room.start
            + room.span / 20
            + ((i128::from(free) * i128::from(rng.below(1 << 20))) >> 20) as Micros;
        let (principals, steps) = (Principals::default(), Vec::new());
        Self { tenant, rng, world, room, begins, second, id, principals, steps, planted }
    }

    /// Ends the story.
    pub fn finish(self, kind: &'static str) -> Story {
        story(self.id, self.tenant.name, kind, self.principals, &self.steps)
    }

    /// Begins a step.
    pub fn step(&mut self, name: &'static str, technique: &'static str) {
        self.steps.push((name, (!technique.is_empty()).then_some(technique)));
    }

    /// Names a computer that takes part, with its address.
    pub fn host(&mut self, host: &str, ip: u32) {
        self.principals.hosts.push(host.to_owned());
        self.principals.addresses.push(dotted(ip));
    }

    /// Names an account.
    pub fn user(&mut self, user: &str) {
        self.principals.users.push(user.to_owned());
    }

    /// Names an address.
    pub fn address(&mut self, ip: u32) {
        self.principals.addresses.push(dotted(ip));
    }

    /// Names a domain.
    pub fn domain(&mut self, domain: &str) {
        self.principals.domains.push(domain.to_owned());
    }

    /// An attacker's address: 203.0.113.1 to 254, the same for no two of 254 attacks in a row.
    pub fn attacker(&mut self, n: usize) -> u32 {
        let ip = ip(203, 0, 113, 1 + (n % 254) as u8);
        self.address(ip);
        ip
    }

    /// A domain of the attacker's own and its address, which is not named: not every log has it.
    pub fn lair(&mut self, n: usize, word: &str) -> (String, u32) {
        let domain = format!("{word}-{:04x}.example", self.rng.bits() as u16);
        self.domain(&domain);
        (domain, ip(203, 0, 113, 254 - (n % 254) as u8))
    }

    /// A desk that no herring uses.
    pub fn victim(&mut self) -> &'a Desk {
        let last = self.tenant.desks.len() - 2;
        &self.tenant.desks[1 + self.rng.below(last as u32 - 1) as usize]
    }

    /// Writes one line, `seconds` into the story.
    pub fn say(&mut self, seconds: i64, lane: Lane, write: impl FnOnce(&Scene<'_>, &mut Vec<u8>)) {
        if self.room.only.is_some_and(|only| only != lane) {
            return;
        }
        let jitter = i64::from(self.rng.below(900_000)) * self.second / SECOND;
        let at = self.begins + seconds * self.second + jitter;
        let stamp = Stamp::new(at);
        let scene = Scene { world: self.world, tenant: self.tenant, stamp: &stamp };
        let mut text = Vec::new();
        write(&scene, &mut text);
        let step = self.steps.len().saturating_sub(1);
        let (tenant, story) = (self.tenant.number, self.id);
        self.planted.push(Planted { at, tenant, lane, text, story, step });
    }

    /// A connection in the log of the firewall that this tenant has at its edge.
    pub fn connection(&mut self, seconds: i64, flow: &Flow) {
        let flow = Flow { id: 1_000_000 + self.rng.below(8_000_000), ..*flow };
        match self.tenant.number % 4 {
            0 => {
                self.say(seconds, Lane::Asa, |scene, out| asa::built(scene, &flow, out));
                let end = seconds + i64::from(flow.seconds) + 1;
                self.say(end, Lane::Asa, |scene, out| asa::teardown(scene, &flow, out));
            }
            1 => self.say(seconds, Lane::Fortigate, |scene, out| {
                fortigate::traffic(scene, &flow, "close", out);
            }),
            2 => self.say(seconds, Lane::PaloAlto, |scene, out| {
                paloalto::traffic(scene, &flow, u64::from(flow.id) + 32_000_000, true, out);
            }),
            _ => self.packet(seconds, &flow, "ACCEPT"),
        }
    }

    /// The same, denied.
    pub fn denial(&mut self, seconds: i64, flow: &Flow) {
        match self.tenant.number % 4 {
            0 => self.say(seconds, Lane::Asa, |scene, out| asa::deny(scene, flow, out)),
            1 => self.say(seconds, Lane::Fortigate, |scene, out| {
                fortigate::traffic(scene, flow, "deny", out);
            }),
            2 => self.say(seconds, Lane::PaloAlto, |scene, out| {
                paloalto::traffic(scene, flow, 39_000_000, false, out);
            }),
            _ => self.packet(seconds, flow, "DROP"),
        }
    }

    fn packet(&mut self, seconds: i64, flow: &Flow, verdict: &str) {
        self.say(seconds, Lane::Iptables, |scene, out| {
            iptables::packet(scene, flow, verdict, 40_000, 0x17, out);
        });
    }

    /// A flow with this story's random ports and amounts.
    pub fn flow(&mut self, way: Way, src: u32, dst: u32, port: u16) -> Flow {
        let mut flow = Flow::between(self.rng, way, src, dst, port);
        match way {
            Way::Out => flow.mapped = self.tenant.public(0),
            Way::In => {
                let public = if dst == self.tenant.web.ip { 1 } else { 3 };
                (flow.mapped, flow.mapped_port) = (self.tenant.public(public), port);
            }
            Way::Inside => flow.mapped_port = flow.src_port,
        }
        flow
    }

    /// An alert of the tenant's sensor.
    pub fn alert(&mut self, seconds: i64, flow: &Flow, signature: &Signature) {
        if self.tenant.number.is_multiple_of(2) {
            let number = self.rng.bits() >> 13;
            self.say(seconds, Lane::Suricata, |scene, out| {
                suricata::alert(scene, flow, signature, number, out);
            });
        } else {
            self.say(seconds, Lane::Snort, |scene, out| snort::alert(scene, flow, signature, out));
        }
    }

    /// A request through the tenant's proxy.
    pub fn call(&mut self, seconds: i64, call: &Call<'_>) {
        let tunnel = call.method == "CONNECT";
        let scheme = if tunnel { "" } else { "http://" };
        let path = if tunnel { ":443" } else { call.path };
        if self.tenant.number % 3 == 2 {
            let access = squid::Access {
                elapsed: 80 + self.rng.below(900),
                client: call.client,
                result: if tunnel { "TCP_TUNNEL" } else { "TCP_MISS" },
                status: 200,
                bytes: call.received,
                method: call.method,
                scheme,
                host: call.host,
                path,
                token: None,
                user: call.user,
                peer: Some(call.ip),
                media: if tunnel { "-" } else { "application/octet-stream" },
            };
            return self.say(seconds, Lane::Squid, |scene, out| squid::line(scene, &access, out));
        }
        let access = proxy::Access {
            client: call.client,
            user: call.user,
            method: call.method,
            scheme,
            host: call.host,
            path,
            status: 200,
            received: call.received,
            sent: call.sent,
            from: None,
            agent: call.agent,
            action: if tunnel { "tunnel" } else { "forward" },
        };
        self.say(seconds, Lane::Proxy, |scene, out| proxy::line(scene, &access, out));
    }

    /// A request at the tenant's web server.
    pub fn visit(
        &mut self,
        seconds: i64,
        client: u32,
        request: (&str, &str),
        status: u16,
        agent: &str,
    ) {
        let (method, path) = request;
        let bytes = Some(150 + self.rng.below(400));
        let access = web::Access { client, method, path, status, bytes, from: None, agent };
        self.say(seconds, Lane::Web, |scene, out| web::line(scene, &access, out));
    }

    /// A question to the tenant's resolver.
    pub fn question(
        &mut self,
        seconds: i64,
        client: u32,
        name: &str,
        kind: (u16, &'static str),
        answer: u32,
    ) {
        let (port, spice) = (crate::generate::flow::high_port(self.rng.bits()), self.rng.bits());
        if self.tenant.number.is_multiple_of(2) {
            let object = 0x7f3a_0000_0168 | (spice & 31) << 12;
            self.say(seconds, Lane::Bind, |scene, out| {
                bind::query(scene, object, (client, port), name, kind.1, out);
            });
        } else {
            let lookup = zeek_dns::Lookup { client, port, name, kind, answer: Some(answer), spice };
            self.say(seconds, Lane::ZeekDns, |scene, out| zeek_dns::lookup(scene, &lookup, out));
        }
    }

    /// A mail that arrives, with all of its lines.
    pub fn mail(&mut self, seconds: i64, letter: &postfix::Letter) {
        for stage in 0..postfix::STAGES {
            let at = seconds + i64::from(stage / 3);
            self.say(at, Lane::Postfix, |scene, out| postfix::line(scene, letter, stage, out));
        }
    }

    fn computer<'b>(&mut self, host: &'b str, ip: u32) -> Computer<'b> {
        Computer {
            host,
            ip,
            // The machine's part of its GUIDs follows from its address, as the everyday part
            // follows from a draw: nobody compares the two.
            machine: ip.rotate_left(7),
            security: 31_000_000 + self.rng.below(1_000_000),
            sysmon: 800_000 + self.rng.below(100_000),
            bits: self.rng.bits(),
        }
    }

    /// A log-on at a server, failed or not.
    pub fn logon(&mut self, seconds: i64, server: &Server, logon: &Logon<'_>, succeeded: bool) {
        let computer = self.computer(&server.host, server.ip);
        self.say(seconds, Lane::Windows, |scene, out| {
            if succeeded {
                windows_security::logged_on(scene, &computer, logon, out);
            } else {
                windows_security::logon_failed(scene, &computer, logon, out);
            }
        });
    }

    /// Privileges given at a log-on.
    pub fn privileges(&mut self, seconds: i64, server: &Server, logon: &Logon<'_>) {
        let computer = self.computer(&server.host, server.ip);
        self.say(seconds, Lane::Windows, |scene, out| {
            windows_security::privileges(scene, &computer, logon, out);
        });
    }

    /// A process in the Security log, or with `sysmon` in Sysmon's.
    pub fn process(
        &mut self,
        seconds: i64,
        host: (&str, u32),
        process: &Process<'_>,
        sysmon: bool,
    ) {
        let computer = self.computer(host.0, host.1);
        self.say(seconds, Lane::Windows, |scene, out| {
            if sysmon {
                windows_sysmon::sysmon_process(scene, &computer, process, out);
            } else {
                windows_security::process_created(scene, &computer, process, out);
            }
        });
    }

    /// A file made by a process.
    pub fn file(&mut self, seconds: i64, host: (&str, u32), process: &Process<'_>, path: &str) {
        let computer = self.computer(host.0, host.1);
        self.say(seconds, Lane::Windows, |scene, out| {
            windows_sysmon::file_created(scene, &computer, process, path, out);
        });
    }

    /// A connection of a process.
    pub fn endpoint_connection(
        &mut self,
        seconds: i64,
        host: (&str, u32),
        process: &Process<'_>,
        dst: (u32, u16),
    ) {
        let computer = self.computer(host.0, host.1);
        let src_port = crate::generate::flow::high_port(computer.bits);
        let connection =
            Connection { inbound: false, src: host.1, src_port, dst: dst.0, dst_port: dst.1 };
        self.say(seconds, Lane::Windows, |scene, out| {
            windows_sysmon::sysmon_connection(scene, &computer, process, &connection, out);
        });
    }
}
