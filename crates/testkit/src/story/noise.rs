//! The company's ordinary day, with the things that look bad and are not.

use super::Line;
use super::lines::{PROXY_IP, WEB, WEB_IP, WEB_PUBLIC, asa, process, proxy, snort, syslog, web};
use crate::rng::Rng;
use yagura_event::Micros;
use yagura_event::time::{MINUTE, SECOND};

/// The people and their desks.
pub const DESKS: [(&str, &str, &str); 4] = [
    ("aoi.tanaka", "desk-aoi", "10.20.10.21"),
    ("ren.sato", "desk-ren", "10.20.10.22"),
    ("yui.mori", "desk-yui", "10.20.10.23"),
    ("jun.abe", "desk-jun", "10.20.10.24"),
];

/// The one who mistypes a password.
pub const MISTYPER: &str = "yui.mori";

const SITES: [&str; 10] = [
    "www.news.example",
    "cdn.news.example",
    "mail.partner.example",
    "search.example",
    "maps.example",
    "video.example",
    "bank.example",
    "weather.example",
    "shop.example",
    "docs.partner.example",
];

const PAGES: [&str; 8] = [
    "/",
    "/about",
    "/products",
    "/products/tea",
    "/contact",
    "/css/site.css",
    "/js/site.js",
    "/img/logo.svg",
];

const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

/// Writes the day from `start` to `end`.
pub fn write(rng: &mut Rng, start: Micros, end: Micros, lines: &mut Vec<Line>) {
    every(rng, start, end, 1, 6, |rng, at| visit(rng, at, lines));
    every(rng, start, end, 2, 20, |rng, at| browse(rng, at, lines));
    every(rng, start, end, 20, 200, |rng, at| background_scan(rng, at, lines));
    every(rng, start, end, 20, 90, |rng, at| desk_work(rng, at, lines));
    let mut at = start + 30 * SECOND;
    while at < end {
        housekeeping(rng, at, lines);
        update_check(rng, at + 7 * SECOND, lines);
        at += 5 * MINUTE;
    }
    mistyped_password(start + 65 * MINUTE, lines);
    administration(start + 20 * MINUTE, lines);
}

fn every(
    rng: &mut Rng,
    start: Micros,
    end: Micros,
    least_s: u64,
    most_s: u64,
    mut write: impl FnMut(&mut Rng, Micros),
) {
    let mut at = start;
    loop {
        at += rng.range(least_s * 1_000_000, most_s * 1_000_000) as Micros;
        if at >= end {
            return;
        }
        write(rng, at);
    }
}

fn visit(rng: &mut Rng, at: Micros, lines: &mut Vec<Line>) {
    let client = format!("203.0.113.{}", rng.range(100, 199));
    let port = rng.range(20_000, 60_000);
    let connection = rng.range(100_000, 999_999);
    let built = format!(
        "6-302013: Built inbound TCP connection {connection} for outside:{client}/{port} ({client}/{port}) to dmz:{WEB_IP}/443 ({WEB_PUBLIC}/443)"
    );
    lines.push(asa(at, 6, &built));
    let page = rng.pick(&PAGES);
    let status = if rng.chance(4) { 404 } else { 200 };
    lines.push(web(at, &client, &format!("GET {page}"), status, rng.range(300, 40_000), BROWSER));
    let torn = format!(
        "6-302014: Teardown TCP connection {connection} for outside:{client}/{port} to dmz:{WEB_IP}/443 duration 0:00:0{} bytes {} TCP FINs",
        rng.range(1, 9),
        rng.range(900, 50_000)
    );
    lines.push(asa(at + 2 * SECOND, 6, &torn));
}

fn browse(rng: &mut Rng, at: Micros, lines: &mut Vec<Line>) {
    let (user, _, ip) = rng.pick(&DESKS);
    let site = rng.pick(&SITES);
    lines.push(proxy(at, ip, user, site, rng.range(200, 90_000), BROWSER));
    let (connection, port) = (rng.range(100_000, 999_999), rng.range(20_000, 60_000));
    let outside = format!("192.0.2.{}", rng.range(10, 200));
    let built = format!(
        "6-302013: Built outbound TCP connection {connection} for outside:{outside}/443 ({outside}/443) to inside:{PROXY_IP}/{port} (198.51.100.2/{port})"
    );
    lines.push(asa(at + SECOND, 6, &built));
}

/// Anyone on the internet is scanned all day; nothing comes of it.
fn background_scan(rng: &mut Rng, at: Micros, lines: &mut Vec<Line>) {
    let client = format!("192.0.2.{}", rng.range(201, 250));
    let port = *rng.pick(&[22u64, 23, 445, 3389, 8080]);
    let denied = format!(
        "4-106023: Deny tcp src outside:{client}/{} dst dmz:{WEB_PUBLIC}/{port} by access-group \"outside_in\" [0x0, 0x0]",
        rng.range(20_000, 60_000)
    );
    lines.push(asa(at, 4, &denied));
    if rng.chance(30) {
        let flow = format!("{client}:{} -> {WEB_PUBLIC}:80", rng.range(20_000, 60_000));
        lines.push(snort(at, 1_390, "SCAN robots.txt access", "attempted-recon", &flow));
    }
}

fn desk_work(rng: &mut Rng, at: Micros, lines: &mut Vec<Line>) {
    let (user, host, _) = rng.pick(&DESKS);
    let (image, command) = *rng.pick(&[
        ("C:\\Program Files\\Office\\WRITER.EXE", "\"C:\\Program Files\\Office\\WRITER.EXE\" /n"),
        ("C:\\Windows\\System32\\notepad.exe", "notepad.exe C:\\Users\\Public\\memo.txt"),
        ("C:\\Program Files\\Browser\\browser.exe", "\"browser.exe\" --type=renderer"),
        ("C:\\Windows\\System32\\gpupdate.exe", "gpupdate.exe /target:computer"),
    ]);
    let parent = "C:\\Windows\\explorer.exe";
    lines.push(process(at, host, user, rng.range(2_000, 9_000), image, parent, command));
}

fn housekeeping(rng: &mut Rng, at: Micros, lines: &mut Vec<Line>) {
    let pid = rng.range(10_000, 60_000);
    let body = "(root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)";
    lines.push(syslog(at, WEB, 78, "CRON", pid, body));
    let body = "Started session scope for the backup agent.";
    lines.push(syslog(at + 3 * SECOND, WEB, 30, "systemd", 1, body));
}

/// Regular, and harmless: every desk asks the same update server.
fn update_check(rng: &mut Rng, at: Micros, lines: &mut Vec<Line>) {
    for (n, (user, _, ip)) in DESKS.iter().enumerate() {
        let at = at + (n as Micros) * 11 * SECOND + rng.range(0, 2_000_000) as Micros;
        lines.push(proxy(at, ip, user, "updates.vendor.example", 420, "UpdateAgent/3.2"));
    }
}

fn mistyped_password(at: Micros, lines: &mut Vec<Line>) {
    let ip = "10.20.10.23";
    for n in 0..2 {
        let body = format!("Failed password for {MISTYPER} from {ip} port 5310{n} ssh2");
        lines.push(syslog(at + n * 6 * SECOND, "file01", 84, "sshd", 4_410, &body));
    }
    let body = format!("Accepted password for {MISTYPER} from {ip} port 53104 ssh2");
    lines.push(syslog(at + 15 * SECOND, "file01", 86, "sshd", 4_411, &body));
}

fn administration(at: Micros, lines: &mut Vec<Line>) {
    let body = "Accepted publickey for jun.abe from 10.20.10.24 port 50122 ssh2: ED25519 SHA256:k3";
    lines.push(syslog(at, WEB, 86, "sshd", 5_120, body));
    let body = "jun.abe : TTY=pts/0 ; PWD=/home/jun.abe ; USER=root ; COMMAND=/usr/bin/systemctl reload apache2";
    lines.push(syslog(at + 20 * SECOND, WEB, 85, "sudo", 5_160, body));
    let shell = "/bin/bash";
    for (n, (image, command)) in
        [("/usr/bin/df", "df -h"), ("/usr/bin/tail", "tail -n 50 /var/log/apache2/error.log")]
            .into_iter()
            .enumerate()
    {
        let at = at + (40 + 9 * n as Micros) * SECOND;
        lines.push(process(at, WEB, "jun.abe", 5_170 + n as u64, image, shell, command));
    }
}
