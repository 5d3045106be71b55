//! The formats the company's devices write.

use super::{Channel, Line};
use yagura_event::Micros;
use yagura_event::time::{civil, rfc3339};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The web server's host name.
pub const WEB: &str = "web01";
/// The web server's address in the DMZ.
pub const WEB_IP: &str = "10.20.30.10";
/// The web server's address outside.
pub const WEB_PUBLIC: &str = "198.51.100.10";
/// The forward proxy's address.
pub const PROXY_IP: &str = "10.20.20.30";

fn month(at: Micros) -> &'static str {
    MONTHS[(civil(at).month as usize).clamp(1, 12) - 1]
}

fn line(at: Micros, channel: Channel, text: String) -> Line {
    Line { at, channel, text, attack: false }
}

/// A firewall message, `body` after `%ASA-`.
pub fn asa(at: Micros, level: u8, body: &str) -> Line {
    let c = civil(at);
    let text = format!(
        "<{}>{} {:2} {:02}:{:02}:{:02} fw-edge %ASA-{body}",
        160 + u32::from(level),
        month(at),
        c.day,
        c.hour,
        c.minute,
        c.second
    );
    line(at, Channel::Syslog, text)
}

/// A syslog message of a program on a Linux host.
pub fn syslog(at: Micros, host: &str, priority: u8, program: &str, pid: u64, body: &str) -> Line {
    let text = format!("<{priority}>1 {} {host} {program} {pid} - - {body}", rfc3339(at));
    line(at, Channel::Syslog, text)
}

/// A request in the web server's combined log.
pub fn web(at: Micros, client: &str, request: &str, status: u16, bytes: u64, agent: &str) -> Line {
    let channel = Channel::Http { source: "auto", host: WEB };
    line(at, channel, combined(at, client, "-", request, status, bytes, agent))
}

/// A tunnel through the forward proxy.
pub fn proxy(at: Micros, client: &str, user: &str, target: &str, bytes: u64, agent: &str) -> Line {
    let base = combined(at, client, user, &format!("CONNECT {target}:443"), 200, bytes, agent);
    let text =
        format!("{base} \"cs_bytes={} sc_bytes={bytes} proxy_action=tunnel\"", bytes / 3 + 120);
    line(at, Channel::Http { source: "auto", host: "proxy01" }, text)
}

fn combined(
    at: Micros,
    client: &str,
    user: &str,
    request: &str,
    status: u16,
    bytes: u64,
    agent: &str,
) -> String {
    let c = civil(at);
    format!(
        "{client} - {user} [{:02}/{}/{}:{:02}:{:02}:{:02} +0000] \"{request} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\"",
        c.day,
        month(at),
        c.year,
        c.hour,
        c.minute,
        c.second
    )
}

/// The intrusion sensor's alert.
pub fn snort(at: Micros, sid: u32, title: &str, class: &str, flow: &str) -> Line {
    let c = civil(at);
    let text = format!(
        "{:02}/{:02}-{:02}:{:02}:{:02}.{:06} [**] [1:{sid}:3] {title} [**] [Classification: {class}] [Priority: 2] {{TCP}} {flow}",
        c.month, c.day, c.hour, c.minute, c.second, c.micro
    );
    line(at, Channel::Http { source: "auto", host: "ids-edge" }, text)
}

/// A process start as the endpoint agent writes it.
pub fn process(
    at: Micros,
    host: &'static str,
    user: &str,
    pid: u64,
    image: &str,
    parent: &str,
    command: &str,
) -> Line {
    let quote = |text: &str| serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned());
    let text = format!(
        "{{\"timestamp_ms\":{},\"id\":\"{pid:08x}-0000-4000-8000-{:012x}\",\"hostname\":\"{}\",\"object\":\"PROCESS\",\"action\":\"CREATE\",\"objectID\":\"{pid:08x}-0000-4000-8001-{:012x}\",\"pid\":{pid},\"ppid\":{},\"principal\":{},\"properties\":{{\"command_line\":{},\"image_path\":{},\"parent_image_path\":{}}}}}",
        at / 1_000,
        at.rem_euclid(1 << 40),
        host.to_uppercase(),
        at.rem_euclid(1 << 40),
        pid.saturating_sub(40),
        quote(user),
        quote(command),
        quote(image),
        quote(parent)
    );
    line(at, Channel::Http { source: "auto", host }, text)
}
