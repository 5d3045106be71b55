//! The five kinds of attack.

use super::plot::{Call, Plot};
use crate::generate::flow::Way;
use crate::generate::lanes::signatures::{self, ALL};
use crate::generate::lanes::{Logon, Process, postfix};
use crate::generate::world::{Desk, Server};

/// A kind's name, its length in seconds, and how it is told; the number is the attack's.
pub type Kind = (&'static str, i64, fn(&mut Plot<'_>, usize));

/// Every kind.
pub const KINDS: [Kind; 5] = [
    ("password_guessing", 1_500, password_guessing),
    ("web_shell", 3_600, web_shell),
    ("phishing", 3_600, phishing),
    ("lateral_movement", 2_700, lateral_movement),
    ("exfiltration", 3_000, exfiltration),
];

const CMD: &str = r"C:\Windows\System32\cmd.exe";
const EXPLORER: &str = r"C:\Windows\explorer.exe";

/// What someone asks who does not know where they are: image and command line.
pub const DISCOVERY: [(&str, &str); 6] = [
    (r"C:\Windows\System32\whoami.exe", "whoami /all"),
    (r"C:\Windows\System32\ipconfig.exe", "ipconfig /all"),
    (r"C:\Windows\System32\net.exe", "net group &quot;Domain Admins&quot; /domain"),
    (r"C:\Windows\System32\nltest.exe", "nltest /dclist:"),
    (r"C:\Windows\System32\systeminfo.exe", "systeminfo"),
    (r"C:\Windows\System32\net.exe", "net view /all"),
];

/// A process of an account of this tenant.
pub fn process<'a: 'b, 'b>(
    plot: &mut Plot<'a>,
    desk: &'b Desk,
    image: &'b str,
    command: &'b str,
    parent: &'b str,
) -> Process<'b> {
    Process {
        image,
        command,
        parent,
        user: Some(&desk.user),
        sid: &desk.sid,
        realm: &plot.tenant.realm,
        pid: 2_000 + plot.rng.below(9_000),
        parent_pid: 1_000 + plot.rng.below(900),
    }
}

fn place(server: &Server) -> (&str, u32) {
    (&server.host, server.ip)
}

/// A beacon through the proxy: the same small call, nearly regular, now and then over a new
/// connection of the proxy's.
fn beacon(plot: &mut Plot<'_>, from: i64, every: i64, call: &Call<'_>) {
    plot.address(call.ip);
    for n in 0..12 {
        if n % 3 == 0 {
            let flow = plot.flow(Way::Out, plot.tenant.proxy.ip, call.ip, 443);
            plot.connection(from + n * every, &flow);
        }
        let late = i64::from(plot.rng.below(every as u32 / 8 + 1));
        let call = Call { sent: call.sent + plot.rng.below(40), ..*call };
        plot.call(from + n * every + late, &call);
    }
}

fn password_guessing(plot: &mut Plot<'_>, n: usize) {
    let (attacker, desk, server) = (plot.attacker(n), plot.victim(), &plot.tenant.files);
    plot.host(&server.host, server.ip);
    plot.user(&desk.user);
    let logon = |port| Logon {
        user: &desk.user,
        sid: &desk.sid,
        kind: 10,
        from: attacker,
        port,
        id: 0x9a_0000 + n as u32,
        workstation: "-",
    };
    plot.step("password guessing", "T1110.001");
    for guess in 0..14 {
        let flow = plot.flow(Way::In, attacker, server.ip, 3_389);
        plot.connection(guess * 9, &flow);
        plot.logon(guess * 9 + 1, server, &logon(flow.src_port), false);
    }
    plot.step("log-on with the guessed password", "T1078");
    let flow = plot.flow(Way::In, attacker, server.ip, 3_389);
    plot.connection(190, &flow);
    plot.logon(191, server, &logon(flow.src_port), true);
    plot.step("discovery", "T1087.002");
    for (n, (image, command)) in (0..).zip(DISCOVERY) {
        let process = process(plot, desk, image, command, CMD);
        plot.process(300 + n * 45, place(server), &process, n % 2 == 1);
    }
}

fn web_shell(plot: &mut Plot<'_>, n: usize) {
    const PROBES: [&str; 10] = [
        "/admin.php",
        "/.env",
        "/backup.sql",
        "/phpinfo.php",
        "/wp-login.php",
        "/.git/config",
        "/cgi-bin/test",
        "/server-status",
        "/uploads/",
        "/config.bak",
    ];
    let (attacker, web) = (plot.attacker(n), &plot.tenant.web);
    plot.host(&web.host, web.ip);
    plot.step("web scan", "T1595.002");
    for request in 0..40 {
        let path = format!("{}?{}", PROBES[request as usize % PROBES.len()], plot.rng.below(9_999));
        plot.visit(request, attacker, ("GET", &path), 404, "Mozilla/5.00 (Nikto/2.5.0)");
    }
    let flow = plot.flow(Way::In, attacker, web.ip, 80);
    plot.alert(6, &flow, &ALL[signatures::SCANNER]);
    plot.connection(1, &flow);
    plot.step("web shell", "T1505.003");
    let agent = "python-requests/2.32.3";
    plot.visit(180, attacker, ("POST", "/uploads/upload.php"), 200, agent);
    for (n, command) in (0..).zip(["id", "uname%20-a", "cat%20/etc/passwd", "ip%20addr"]) {
        let path = format!("/uploads/.cache.php?cmd={command}");
        plot.visit(200 + n * 20, attacker, ("GET", &path), 200, agent);
    }
    let flow = plot.flow(Way::In, attacker, web.ip, 80);
    plot.alert(221, &flow, &ALL[signatures::COMMAND]);
    plot.step("command and control", "T1071.001");
    let (domain, ip) = plot.lair(n, "cdn-sync");
    plot.question(400, web.ip, &domain, (1, "A"), ip);
    let call = Call {
        client: web.ip,
        user: None,
        method: "CONNECT",
        host: &domain,
        ip,
        path: "",
        sent: 210,
        received: 180,
        agent: "curl/8.5.0",
    };
    beacon(plot, 420, 240, &call);
}

fn phishing(plot: &mut Plot<'_>, n: usize) {
    let desk = plot.victim();
    let place = (desk.host.as_str(), desk.ip);
    plot.host(&desk.host, desk.ip);
    plot.user(&desk.user);
    let (domain, ip) = plot.lair(n, "invoice-portal");
    plot.address(ip);
    plot.step("mail", "T1566.002");
    let letter = postfix::Letter {
        queue: plot.rng.bits(),
        client: ip,
        client_name: format!("mx.{domain}"),
        from_domain: domain.clone(),
        from_user: "billing".to_owned(),
        to: desk.user.clone(),
        bytes: 18_211,
        pid: 4_000 + plot.rng.below(9_000),
        spice: plot.rng.bits() as u32,
    };
    plot.mail(0, &letter);
    plot.step("download", "T1204.001");
    plot.question(600, desk.ip, &domain, (1, "A"), ip);
    let mut call = Call {
        client: desk.ip,
        user: Some(&desk.user),
        method: "GET",
        host: &domain,
        ip,
        path: "/d/Invoice-2026-1187.zip",
        sent: 420,
        received: 184_220,
        agent: desk.agent,
    };
    plot.call(602, &call);
    let browser = r"C:\Program Files\Browser\browser.exe";
    let downloader = process(plot, desk, browser, "&quot;browser.exe&quot;", EXPLORER);
    let path = format!(r"C:\Users\{}\Downloads\Invoice-2026-1187.zip", desk.user);
    plot.file(604, place, &downloader, &path);
    plot.step("execution", "T1059.005");
    let script = format!(
        r"wscript.exe &quot;C:\Users\{}\AppData\Local\Temp\Invoice-2026-1187.js&quot;",
        desk.user
    );
    let wscript = r"C:\Windows\System32\wscript.exe";
    let runner = process(plot, desk, wscript, &script, EXPLORER);
    plot.process(640, place, &runner, true);
    let command = "powershell.exe -NoProfile -WindowStyle Hidden -EncodedCommand SQBFAFgA";
    let shell = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
    let runner = process(plot, desk, shell, command, wscript);
    plot.process(643, place, &runner, false);
    plot.step("command and control", "T1071.001");
    let (domain, ip) = plot.lair(n, "static-edge");
    plot.question(650, desk.ip, &domain, (1, "A"), ip);
    plot.endpoint_connection(651, place, &runner, (plot.tenant.proxy.ip, 3_128));
    (call.method, call.host, call.ip) = ("CONNECT", &domain, ip);
    (call.sent, call.received, call.agent) = (260, 340, "Mozilla/4.0 (compatible; MSIE 8.0)");
    beacon(plot, 660, 200, &call);
    let flow = plot.flow(Way::Out, plot.tenant.proxy.ip, ip, 443);
    plot.alert(1_200, &flow, &ALL[signatures::BEACON]);
}

fn lateral_movement(plot: &mut Plot<'_>, n: usize) {
    let (desk, server) = (plot.victim(), &plot.tenant.files);
    plot.host(&desk.host, desk.ip);
    plot.host(&server.host, server.ip);
    plot.user(&plot.tenant.admin);
    plot.step("inside scan", "T1046");
    let network = desk.ip & 0xffff_0000 | 20 << 8;
    for probe in 0..36 {
        let port = [445, 3_389, 22, 5_985][probe as usize % 4];
        let flow = plot.flow(Way::Inside, desk.ip, network | (10 + probe), port);
        plot.denial(i64::from(probe), &flow);
    }
    plot.step("lateral movement", "T1021.002");
    let logon = Logon {
        user: &plot.tenant.admin,
        sid: &plot.tenant.desks[0].sid,
        kind: 3,
        from: desk.ip,
        port: 51_200 + plot.rng.below(900) as u16,
        id: 0x9b_0000 + n as u32,
        workstation: &desk.host,
    };
    plot.logon(300, server, &logon, true);
    plot.privileges(300, server, &logon);
    let remote = process(
        plot,
        desk,
        r"C:\Windows\PSEXESVC.exe",
        r"C:\Windows\PSEXESVC.exe",
        r"C:\Windows\System32\services.exe",
    );
    let remote = Process { user: None, ..remote };
    plot.process(303, place(server), &remote, false);
    plot.process(303, place(server), &remote, true);
    plot.step("staging", "T1560.001");
    let packer = r"C:\ProgramData\7z.exe";
    let command = r"7z.exe a -hpsecret C:\ProgramData\stage.7z D:\Shares\Finance";
    let runner = Process { user: None, ..process(plot, desk, packer, command, CMD) };
    plot.process(900, place(server), &runner, false);
    plot.file(905, place(server), &runner, r"C:\ProgramData\stage.7z");
}

fn exfiltration(plot: &mut Plot<'_>, n: usize) {
    let desk = plot.victim();
    plot.host(&desk.host, desk.ip);
    plot.user(&desk.user);
    let (domain, ip) = plot.lair(n, "ns-telemetry");
    plot.step("tunnel in questions for names", "T1048.003");
    for query in 0..40 {
        let (a, b, c) = (plot.rng.bits(), plot.rng.bits(), plot.rng.bits());
        let name = format!("{a:016x}{b:016x}{c:016x}.{query:04x}.{domain}");
        plot.question(query * 20, desk.ip, &name, (16, "TXT"), ip);
    }
    let flow = plot.flow(Way::Inside, desk.ip, plot.tenant.controller.ip, 53);
    plot.alert(120, &flow, &ALL[signatures::TUNNEL]);
    plot.step("upload", "T1567.002");
    let (store, ip) = plot.lair(n, "drop-vault");
    plot.address(ip);
    for part in 0..6 {
        let path = format!("/put/{part:02}");
        let sent = 48_000_000 + plot.rng.below(9_000_000);
        let call = Call {
            client: desk.ip,
            user: Some(&desk.user),
            method: "PUT",
            host: &store,
            ip,
            path: &path,
            sent,
            received: 212,
            agent: "rclone/v1.66.0",
        };
        plot.call(1_000 + part * 60, &call);
        let mut flow = plot.flow(Way::Out, plot.tenant.proxy.ip, ip, 80);
        (flow.sent, flow.received, flow.seconds) = (sent, 2_400, 41);
        plot.connection(1_000 + part * 60, &flow);
    }
}
