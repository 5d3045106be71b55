//! What Windows events share: their subjects, the System element, named data.

use super::Scene;
use crate::generate::text::Put;

/// The computer that writes, and its numbers for this event.
#[derive(Clone, Copy, Debug)]
pub struct Computer<'a> {
    /// Name without the domain.
    pub host: &'a str,
    /// Address.
    pub ip: u32,
    /// Start of the GUIDs of its processes.
    pub machine: u32,
    /// Number of the record in the Security log.
    pub security: u32,
    /// Number of the record in Sysmon's log.
    pub sysmon: u32,
    /// Random bits for the rest.
    pub bits: u64,
}

/// A process.
#[derive(Clone, Copy, Debug)]
pub struct Process<'a> {
    /// Image with its path.
    pub image: &'a str,
    /// Command line, escaped for XML.
    pub command: &'a str,
    /// The parent's image.
    pub parent: &'a str,
    /// Account; the system's where none.
    pub user: Option<&'a str>,
    /// The account's identifier.
    pub sid: &'a str,
    /// Windows domain.
    pub realm: &'a str,
    /// Number.
    pub pid: u32,
    /// The parent's number.
    pub parent_pid: u32,
}

/// A log-on.
#[derive(Clone, Copy, Debug)]
pub struct Logon<'a> {
    /// Account.
    pub user: &'a str,
    /// Its identifier.
    pub sid: &'a str,
    /// 2 at the keyboard, 3 over the network, 10 remote desktop.
    pub kind: u8,
    /// Where from.
    pub from: u32,
    /// From which port.
    pub port: u16,
    /// The session's number.
    pub id: u32,
    /// Name of the computer it came from.
    pub workstation: &'a str,
}

/// A Kerberos ticket.
#[derive(Clone, Copy, Debug)]
pub struct Ticket<'a> {
    /// Account.
    pub user: &'a str,
    /// Where from.
    pub from: u32,
    /// From which port.
    pub port: u16,
    /// For which service.
    pub service: &'a str,
    /// Whether it is the ticket with which others are asked for.
    pub granting: bool,
}

/// A network connection.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// Whether another began it.
    pub inbound: bool,
    /// From.
    pub src: u32,
    /// Port.
    pub src_port: u16,
    /// To.
    pub dst: u32,
    /// Port.
    pub dst_port: u16,
}

const SECURITY: &str = "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><System><Provider Name=\"Microsoft-Windows-Security-Auditing\" Guid=\"{54849625-5478-4994-a5ba-3e3b0328c30d}\"/><EventID>";
const SYSMON: &str = "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><System><Provider Name=\"Microsoft-Windows-Sysmon\" Guid=\"{5770385f-c22a-43e0-bf4c-06f5698ffbd9}\"/><EventID>";
pub(super) const END: &str = "</EventData></Event>";

/// What an event of a kind always says: number, version, task, and whether it tells of a failure.
pub(super) type Kind = (u16, u8, u16, bool);

pub(super) fn system(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    sysmon: bool,
    kind: Kind,
    out: &mut Vec<u8>,
) {
    let (id, version, task, failure) = kind;
    out.text(if sysmon { SYSMON } else { SECURITY });
    out.number(u64::from(id));
    out.text("</EventID><Version>");
    out.number(u64::from(version));
    out.text(if sysmon {
        "</Version><Level>4</Level><Task>"
    } else {
        "</Version><Level>0</Level><Task>"
    });
    out.number(u64::from(task));
    out.text("</Task><Opcode>0</Opcode><Keywords>");
    out.text(match (sysmon, failure) {
        (true, _) => "0x8000000000000000",
        (false, true) => "0x8010000000000000",
        (false, false) => "0x8020000000000000",
    });
    out.text("</Keywords><TimeCreated SystemTime=\"");
    scene.stamp.iso(out, 7);
    out.text("Z\"/><EventRecordID>");
    out.number(u64::from(if sysmon { computer.sysmon } else { computer.security }));
    out.text("</EventRecordID><Correlation/><Execution ProcessID=\"");
    out.text(if sysmon { "2384" } else { "4" });
    out.text("\" ThreadID=\"");
    out.number((computer.bits >> 56 & 31) * 4 + 92);
    out.text(if sysmon {
        "\"/><Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>"
    } else {
        "\"/><Channel>Security</Channel><Computer>"
    });
    out.text(computer.host);
    out.push(b'.');
    out.text(&scene.tenant.domain);
    out.text(if sysmon {
        "</Computer><Security UserID=\"S-1-5-18\"/></System><EventData>"
    } else {
        "</Computer><Security/></System><EventData>"
    });
    if sysmon {
        data("RuleName", "-", out);
        open("UtcTime", out);
        scene.stamp.date(out);
        out.push(b' ');
        scene.stamp.clock(out);
        out.push(b'.');
        scene.stamp.fraction(out, 3);
        close(out);
    }
}

pub(super) fn open(name: &str, out: &mut Vec<u8>) {
    out.text("<Data Name=\"");
    out.text(name);
    out.text("\">");
}

pub(super) fn close(out: &mut Vec<u8>) {
    out.text("</Data>");
}

pub(super) fn data(name: &str, value: &str, out: &mut Vec<u8>) {
    open(name, out);
    out.text(value);
    close(out);
}

pub(super) fn all(pairs: &[(&str, &str)], out: &mut Vec<u8>) {
    for (name, value) in pairs {
        data(name, value, out);
    }
}

pub(super) fn number(name: &str, value: u64, out: &mut Vec<u8>) {
    open(name, out);
    out.number(value);
    close(out);
}

/// Windows writes handles without leading zeros.
pub(super) fn handle(name: &str, value: u32, out: &mut Vec<u8>) {
    open(name, out);
    out.text("0x");
    out.hex(u64::from(value), (8 - value.leading_zeros() as usize / 4).max(1));
    close(out);
}

pub(super) fn address(name: &str, ip: u32, out: &mut Vec<u8>) {
    open(name, out);
    out.ip(ip);
    close(out);
}

pub(super) fn account(
    scene: &Scene<'_>,
    prefix: &str,
    sid: &str,
    user: &str,
    id: Option<u32>,
    out: &mut Vec<u8>,
) {
    let names: [&str; 4] = match prefix {
        "Subject" => ["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"],
        _ => ["TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId"],
    };
    all(&[(names[0], sid), (names[1], user), (names[2], &scene.tenant.realm)], out);
    if let Some(id) = id {
        handle(names[3], id, out);
    }
}

pub(super) fn system_account(prefix: &str, out: &mut Vec<u8>) {
    if prefix == "Subject" {
        out.text("<Data Name=\"SubjectUserSid\">S-1-5-18</Data><Data Name=\"SubjectUserName\">SYSTEM</Data><Data Name=\"SubjectDomainName\">NT AUTHORITY</Data><Data Name=\"SubjectLogonId\">0x3e7</Data>");
    } else {
        out.text("<Data Name=\"TargetUserSid\">S-1-5-18</Data><Data Name=\"TargetUserName\">SYSTEM</Data><Data Name=\"TargetDomainName\">NT AUTHORITY</Data><Data Name=\"TargetLogonId\">0x3e7</Data>");
    }
}
