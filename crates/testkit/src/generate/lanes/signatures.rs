//! What intrusion sensors name: signatures with their class and priority.

use crate::generate::flow::Flow;

/// One signature.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Number.
    pub sid: u32,
    /// Revision.
    pub rev: u8,
    /// Name.
    pub name: &'static str,
    /// The same in the dotted form that FortiGate and Palo Alto write.
    pub dotted: &'static str,
    /// Class in Snort's short form.
    pub class: &'static str,
    /// The class in words.
    pub category: &'static str,
    /// 1 (worst) to 3.
    pub priority: u8,
    /// Protocol in upper case.
    pub protocol: &'static str,
    /// Port on which it is seen; 0 for any.
    pub port: u16,
}

const fn signature(
    sid: u32,
    rev: u8,
    name: &'static str,
    dotted: &'static str,
    class: (&'static str, &'static str, u8),
    (protocol, port): (&'static str, u16),
) -> Signature {
    let (class, category, priority) = class;
    Signature { sid, rev, name, dotted, class, category, priority, protocol, port }
}

const RECON: (&str, &str, u8) = ("attempted-recon", "Attempted Information Leak", 2);
const WEB: (&str, &str, u8) = ("web-application-attack", "Web Application Attack", 1);
const ACTIVITY: (&str, &str, u8) =
    ("web-application-activity", "Access to a Potentially Vulnerable Web Application", 2);
const ICMP: (&str, &str, u8) = ("icmp-event", "Generic ICMP event", 3);
const MISC: (&str, &str, u8) = ("misc-activity", "Misc activity", 3);
const TROJAN: (&str, &str, u8) = ("trojan-activity", "A Network Trojan was detected", 1);

/// Signatures seen on any uplink, the most common first; those from [`SERIOUS`] on are seen in
/// attacks alone.
pub const ALL: [Signature; 16] = [
    signature(384, 8, "PROTOCOL-ICMP PING", "ICMP.Ping", ICMP, ("ICMP", 0)),
    signature(9_000_575, 8, "SCAN ICMP PING sweep", "ICMP.Sweep", RECON, ("ICMP", 0)),
    signature(
        9_402_000,
        60,
        "DROP listed address, inbound group 14",
        "Listed.Address",
        MISC,
        ("TCP", 0),
    ),
    signature(9_001_219, 20, "SCAN potential SSH scan", "SSH.Connection.Scan", RECON, ("TCP", 22)),
    signature(
        9_010_935,
        3,
        "SCAN suspicious inbound to MSSQL port 1433",
        "MSSQL.Port.Scan",
        RECON,
        ("TCP", 1433),
    ),
    signature(
        9_010_937,
        3,
        "SCAN suspicious inbound to MySQL port 3306",
        "MySQL.Port.Scan",
        RECON,
        ("TCP", 3306),
    ),
    signature(
        9_101_852,
        5,
        "WEB_SERVER robots.txt access",
        "Web.Robots.Access",
        ACTIVITY,
        ("TCP", 80),
    ),
    signature(
        9_009_582,
        4,
        "SCAN port scanner window 1024",
        "Port.Scan.Window.1024",
        RECON,
        ("TCP", 0),
    ),
    signature(
        9_027_885,
        3,
        "WEB_SERVER version control directory access attempt",
        "Web.VCS.Directory.Access",
        RECON,
        ("TCP", 80),
    ),
    signature(
        9_012_887,
        2,
        "WEB_SERVER possible CRLF injection in header",
        "Web.Header.CRLF.Injection",
        WEB,
        ("TCP", 80),
    ),
    signature(
        9_015_737,
        5,
        "WEB_SERVER administration tool access",
        "Web.Admin.Tool.Access",
        WEB,
        ("TCP", 80),
    ),
    signature(
        9_024_364,
        5,
        "SCAN internet scanner user agent",
        "Scanner.User.Agent",
        RECON,
        ("TCP", 80),
    ),
    signature(
        9_002_677,
        13,
        "SCAN Nikto web scan in progress",
        "Nikto.Web.Scanner",
        WEB,
        ("TCP", 80),
    ),
    signature(
        9_011_768,
        7,
        "WEB_SERVER PHP system command in request",
        "PHP.System.Command.Request",
        WEB,
        ("TCP", 80),
    ),
    signature(
        9_022_000,
        3,
        "MALWARE regular check-in to new domain",
        "Beacon.New.Domain",
        TROJAN,
        ("TCP", 443),
    ),
    signature(
        9_027_758,
        4,
        "POLICY DNS query of unusual length",
        "DNS.Long.Query",
        TROJAN,
        ("UDP", 53),
    ),
];

/// Signatures below this index are everyday noise.
pub const SERIOUS: usize = 12;

/// The Nikto scan.
pub const SCANNER: usize = 12;
/// The command in a request.
pub const COMMAND: usize = 13;
/// The check-in.
pub const BEACON: usize = 14;
/// The long query.
pub const TUNNEL: usize = 15;

/// Makes a flow one at which an everyday signature fires, and says which.
pub fn everyday(flow: &mut Flow) -> &'static Signature {
    // The lower of two draws, so that the first are the most common.
    let bits = flow.spice as usize;
    let signature = &ALL[(bits % SERIOUS).min((bits >> 8) % SERIOUS)];
    if signature.port != 0 {
        (flow.dst_port, flow.mapped_port) = (signature.port, signature.port);
    }
    if signature.protocol == "ICMP" {
        (flow.protocol, flow.src_port, flow.dst_port) = (1, 0, 0);
    }
    signature
}
