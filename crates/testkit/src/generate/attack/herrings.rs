//! Red herrings: what looks like an attack, and is somebody's work.

use super::kinds::{DISCOVERY, Kind, process};
use super::plot::{Call, Plot};
use crate::generate::flow::Way;
use crate::generate::lanes::Logon;
use crate::generate::lanes::signatures::{self, ALL};

/// One of each for a tenant.
pub const KINDS: [Kind; 5] = [
    ("mistyped_password", 60, mistyped_password),
    ("vulnerability_scanner", 900, vulnerability_scanner),
    ("backup_job", 1_800, backup_job),
    ("update_check", 3_600, update_check),
    ("admin_discovery", 600, admin_discovery),
];

/// Records of one of each, at most; for the share they may have.
pub const RECORDS_MAX: u64 = 120;

fn mistyped_password(plot: &mut Plot<'_>, _: usize) {
    let Some(desk) = plot.tenant.desks.last() else { return };
    let server = &plot.tenant.files;
    plot.user(&desk.user);
    plot.host(&desk.host, desk.ip);
    plot.step("a wrong password twice, then the right one", "");
    for n in 0..3 {
        let logon = Logon {
            user: &desk.user,
            sid: &desk.sid,
            kind: 3,
            from: desk.ip,
            port: 50_000 + n as u16,
            id: 0x9c_0000,
            workstation: &desk.host,
        };
        plot.logon(n * 9, server, &logon, n == 2);
    }
}

fn vulnerability_scanner(plot: &mut Plot<'_>, _: usize) {
    let (scanner, web) = (&plot.tenant.scanner, &plot.tenant.web);
    plot.host(&scanner.host, scanner.ip);
    plot.host(&web.host, web.ip);
    plot.step("the monthly scan of our own web server", "");
    for n in 0..30 {
        let path = format!("/check/{:04x}.php", plot.rng.bits() as u16);
        plot.visit(n * 2, scanner.ip, ("GET", &path), 404, "ComplianceScanner/10.4 (authorised)");
    }
    for (n, port) in (0..).zip([22, 80, 443, 3_306, 5_432, 8_080]) {
        let flow = plot.flow(Way::Inside, scanner.ip, web.ip, port);
        plot.connection(80 + n, &flow);
    }
    let flow = plot.flow(Way::Inside, scanner.ip, web.ip, 80);
    plot.alert(30, &flow, &ALL[signatures::SCANNER]);
}

fn backup_job(plot: &mut Plot<'_>, _: usize) {
    let (server, desk) = (&plot.tenant.files, &plot.tenant.desks[0]);
    plot.host(&server.host, server.ip);
    plot.domain("vault.backup.example");
    plot.step("the nightly backup", "");
    let image = r"C:\Program Files\Backup\backup.exe";
    let command = "backup.exe --job nightly --target vault.backup.example";
    let mut job = process(plot, desk, image, command, r"C:\Windows\System32\services.exe");
    job.user = None;
    plot.process(0, (&server.host, server.ip), &job, false);
    for part in 0..8 {
        let call = Call {
            client: server.ip,
            user: None,
            method: "CONNECT",
            host: "vault.backup.example",
            ip: crate::generate::world::ip(198, 18, 201, 20),
            path: "",
            sent: 90_000_000 + plot.rng.below(60_000_000),
            received: 3_800,
            agent: "BackupAgent/7.2",
        };
        plot.call(20 + part * 180, &call);
    }
}

fn update_check(plot: &mut Plot<'_>, _: usize) {
    let desk = &plot.tenant.desks[plot.tenant.desks.len() - 2];
    plot.host(&desk.host, desk.ip);
    plot.domain("updates.vendor.example");
    plot.step("the same call every five minutes", "");
    for n in 0..12 {
        let call = Call {
            client: desk.ip,
            user: None,
            method: "CONNECT",
            host: "updates.vendor.example",
            ip: crate::generate::world::ip(198, 18, 200, 11),
            path: "",
            sent: 212,
            received: 420,
            agent: "UpdateAgent/3.2",
        };
        plot.call(n * 300, &call);
    }
}

fn admin_discovery(plot: &mut Plot<'_>, _: usize) {
    let desk = &plot.tenant.desks[0];
    plot.host(&desk.host, desk.ip);
    plot.user(&desk.user);
    plot.step("the administrator looks around", "");
    for (n, (image, command)) in (0..).zip(DISCOVERY).take(4) {
        let shell = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
        let process = process(plot, desk, image, command, shell);
        plot.process(n * 60, (&desk.host, desk.ip), &process, false);
    }
}
