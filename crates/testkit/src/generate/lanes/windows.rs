//! Windows: what a domain's computers write to Security and Sysmon all day.

use super::Scene;
use super::{Computer, Connection, Logon, Process, Ticket, windows_security, windows_sysmon};
use crate::generate::flow::high_port;
use crate::generate::pools::PROGRAMS;
use crate::generate::world::{Desk, Tenant};
use crate::rng::Rng;

/// What one computer counts.
#[derive(Clone, Copy, Debug)]
struct Counters {
    security: u32,
    sysmon: u32,
    /// Start of the GUIDs of its processes.
    machine: u32,
}

/// The domain's memory: counters of the controller, the file server, then the desks.
#[derive(Clone, Debug)]
pub struct Windows {
    counters: Vec<Counters>,
    /// Whose events come now, and how many more: computers forward theirs in batches.
    turn: usize,
    left: u32,
}

impl Windows {
    /// A domain whose computers have been running for a while.
    pub fn new(rng: &mut Rng, tenant: &Tenant) -> Self {
        let counters = (0..tenant.desks.len() + 2)
            .map(|_| Counters {
                security: 400_000 + rng.below(30_000_000),
                sysmon: 100_000 + rng.below(600_000),
                machine: rng.bits() as u32,
            })
            .collect();
        Self { counters, turn: 0, left: 0 }
    }

    /// The next event.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        let tenant = scene.tenant;
        if self.left == 0 {
            self.left = 6 + rng.below(50);
            self.turn = match rng.below(100) {
                0..=37 => 0,
                38..=49 => 1,
                _ => tenant.desk_popularity.pick(rng) + 2,
            };
        }
        self.left -= 1;
        let (n, controller) = (self.turn, self.turn == 0);
        let (host, ip) = match n {
            0 => (tenant.controller.host.as_str(), tenant.controller.ip),
            1 => (tenant.files.host.as_str(), tenant.files.ip),
            _ => (tenant.desks[n - 2].host.as_str(), tenant.desks[n - 2].ip),
        };
        let counters = &mut self.counters[n];
        counters.security += 1 + rng.below(24);
        counters.sysmon += 1 + rng.below(12);
        let computer = Computer {
            host,
            ip,
            machine: counters.machine,
            security: counters.security,
            sysmon: counters.sysmon,
            bits: rng.bits(),
        };
        everyday(scene, &computer, controller, n, rng, out);
    }
}

/// One event of an ordinary day, in the proportions of a small domain's.
fn everyday(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    controller: bool,
    n: usize,
    rng: &mut Rng,
    out: &mut Vec<u8>,
) {
    let tenant = scene.tenant;
    let desk = if n >= 2 { &tenant.desks[n - 2] } else { tenant.desk(rng) };
    let which = rng.below(if controller { 890 } else { 1_000 });
    if which > 690 && !(controller && which <= 700) {
        return sysmon(scene, computer, (which, controller), desk, rng, out);
    }
    let logon = Logon {
        user: &desk.user,
        sid: &desk.sid,
        kind: if n >= 2 && rng.chance(30) { 2 } else { 3 },
        from: desk.ip,
        port: high_port(computer.bits >> 8),
        id: 0x83_0000 + (computer.bits as u32 & 0x3_ffff),
        workstation: &desk.host,
    };
    match which {
        0..=499 => {
            let connection = connection(scene, computer, controller, desk.ip);
            windows_security::connection_allowed(scene, computer, &connection, out);
        }
        500..=549 => windows_security::logged_on(scene, computer, &logon, out),
        550..=586 => windows_security::logged_off(scene, computer, &logon, out),
        587..=601 => windows_security::privileges(scene, computer, &logon, out),
        602..=604 => windows_security::logon_failed(scene, computer, &logon, out),
        _ if controller => {
            let service = [&tenant.files.host, &tenant.controller.host];
            let ticket = Ticket {
                user: &desk.user,
                from: desk.ip,
                port: logon.port,
                service: service[(computer.bits >> 40 & 1) as usize],
                granting: rng.chance(26),
            };
            windows_security::ticket(scene, computer, &ticket, out);
        }
        _ => {
            let process = begun(scene, computer, desk, rng);
            if rng.chance(58) {
                windows_security::process_created(scene, computer, &process, out);
            } else {
                windows_security::process_ended(scene, computer, &process, out);
            }
        }
    }
}

/// One of Sysmon's events, `which` from 691 to 999.
fn sysmon(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    (which, controller): (u32, bool),
    desk: &Desk,
    rng: &mut Rng,
    out: &mut Vec<u8>,
) {
    if (749..=796).contains(&which) {
        let process = begun(scene, computer, desk, rng);
        return windows_sysmon::sysmon_process(scene, computer, &process, out);
    }
    let process = program(scene, computer, desk, rng);
    match which {
        ..=748 => {
            let site = &scene.world.sites[scene.world.site(rng)];
            let controller = &scene.tenant.controller;
            let (name, ip) = if rng.chance(60) {
                (&controller.name, controller.ip)
            } else {
                (&site.host, site.ip)
            };
            windows_sysmon::name_asked(scene, computer, &process, name, ip, out);
        }
        749..=840 => windows_sysmon::registry_set(scene, computer, &process, out),
        841..=880 => windows_sysmon::sysmon_process_ended(scene, computer, &process, out),
        881..=920 => {
            let connection = connection(scene, computer, controller, desk.ip);
            windows_sysmon::sysmon_connection(scene, computer, &process, &connection, out);
        }
        921..=960 => windows_sysmon::process_accessed(scene, computer, &process, out),
        _ => {
            let target = r"C:\ProgramData\Vendor\Cache\report.tmp";
            windows_sysmon::file_created(scene, computer, &process, target, out);
        }
    }
}

fn connection(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    controller: bool,
    desk: u32,
) -> Connection {
    let tenant = scene.tenant;
    let port = high_port(computer.bits >> 16);
    let service = [53, 53, 53, 88, 389, 445, 135, 53][(computer.bits >> 5 & 7) as usize];
    if controller {
        let src = if computer.bits & 16 == 0 { desk } else { tenant.proxy.ip };
        Connection { inbound: true, src, src_port: port, dst: computer.ip, dst_port: service }
    } else {
        let dst = if service == 445 { tenant.files.ip } else { tenant.controller.ip };
        Connection { inbound: false, src: computer.ip, src_port: port, dst, dst_port: service }
    }
}

fn program<'a>(
    scene: &Scene<'a>,
    computer: &Computer<'_>,
    desk: &'a Desk,
    rng: &mut Rng,
) -> Process<'a> {
    let bits = rng.bits();
    let at = ((bits & 0xffff) as usize % PROGRAMS.len())
        .min((bits >> 16 & 0xffff) as usize % PROGRAMS.len());
    let (image, command, parent, personal) = PROGRAMS[at];
    // A program runs a few times at once, and goes on running.
    let instance = (bits >> 32 & 3) as u32 * (bits >> 34 & 1) as u32;
    let base = computer.machine.rotate_left(3 * at as u32);
    Process {
        image,
        command,
        parent,
        user: personal.then_some(desk.user.as_str()),
        sid: &desk.sid,
        realm: &scene.tenant.realm,
        pid: 1_000 + 4 * (base % 2_000 + 37 * instance),
        parent_pid: 600 + 4 * (base % 200),
    }
}

/// The same, just begun.
fn begun<'a>(
    scene: &Scene<'a>,
    computer: &Computer<'_>,
    desk: &'a Desk,
    rng: &mut Rng,
) -> Process<'a> {
    let pid = 9_000 + 4 * rng.below(2_000);
    Process { pid, ..program(scene, computer, desk, rng) }
}
